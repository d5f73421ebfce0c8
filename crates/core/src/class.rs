//! How attempts fail: classes, each with a rule of its own.

use serde::{Deserialize, Serialize};

/// Why an attempt did not end well. What happened to it through no fault of anybody's is none of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The program says that it cannot go on.
    Error,
    /// It ended well without having measured the objective.
    NoObjective,
    /// It cannot be started so, or says that it never will do better.
    Configuration,
    /// It was taken off the machine, or says that another time will do.
    Preempted,
    /// It took more memory than there was for it.
    OutOfMemory,
    /// It was killed by a signal that nobody sent on purpose, or its worker died.
    Crash,
    /// It said what cannot be.
    Protocol,
    /// It took longer than the person allows.
    Timeout,
    /// It said nothing for longer than the person allows.
    Stall,
    /// What we need to run it was not to be had: processes, files, disk.
    Infrastructure,
}

impl Class {
    pub const ALL: [Self; 10] = [
        Self::Error,
        Self::NoObjective,
        Self::Configuration,
        Self::Preempted,
        Self::OutOfMemory,
        Self::Crash,
        Self::Protocol,
        Self::Timeout,
        Self::Stall,
        Self::Infrastructure,
    ];

    /// For people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "user error",
            Self::NoObjective => "no objective",
            Self::Configuration => "configuration",
            Self::Preempted => "preempted",
            Self::OutOfMemory => "out of memory",
            Self::Crash => "crash",
            Self::Protocol => "protocol",
            Self::Timeout => "timeout",
            Self::Stall => "stall",
            Self::Infrastructure => "infrastructure",
        }
    }

    /// Its name in `[run.retry]`. The budget of user errors is `[run] retries`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Error => "retries",
            Self::NoObjective => "no_objective",
            Self::OutOfMemory => "out_of_memory",
            other => other.name(),
        }
    }

    /// How often a stage that failed so is tried again, unless the person says otherwise.
    #[must_use]
    pub fn retries(self) -> u32 {
        match self {
            Self::NoObjective | Self::Configuration | Self::OutOfMemory | Self::Timeout => 0,
            Self::Error | Self::Protocol | Self::Stall => 1,
            Self::Crash => 3,
            Self::Preempted | Self::Infrastructure => 20,
        }
    }

    /// Microseconds to wait before a stage is tried again that has failed so for the `times`-th time.
    #[must_use]
    pub fn pause(self, times: u32) -> u64 {
        const FIRST: u64 = 1_000_000;
        const LONGEST: u64 = 300_000_000;
        match self {
            Self::Preempted | Self::Infrastructure => {
                (FIRST << times.saturating_sub(1).min(20)).min(LONGEST)
            }
            _ => 0,
        }
    }

    /// Whether a stage that failed so runs again by itself, when nothing else waits.
    pub(crate) fn is_suspicious(self) -> bool {
        matches!(self, Self::Crash | Self::Protocol)
    }
}

/// How often each stage may be tried again, by class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budgets([u32; Class::ALL.len()]);

impl Default for Budgets {
    fn default() -> Self {
        Self(Class::ALL.map(Class::retries))
    }
}

impl Budgets {
    #[must_use]
    pub fn with(mut self, class: Class, retries: u32) -> Self {
        self.0[class as usize] = retries;
        self
    }

    #[must_use]
    pub fn of(&self, class: Class) -> u32 {
        self.0[class as usize]
    }

    /// Which rule fired when a stage failed so for the `times`-th time.
    #[must_use]
    pub fn rule(&self, class: Class, times: u32) -> String {
        let (name, budget) = (class.name(), self.of(class));
        match budget {
            0 => format!("{name}, which is not tried again"),
            _ if times <= budget => format!("{name}, tried again: {times} of {budget}"),
            1 => format!("{name}, and the one retry is used up"),
            _ => format!("{name}, and all {budget} retries are used up"),
        }
    }
}

/// How often a stage has failed, by class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally([u32; Class::ALL.len()]);

impl Tally {
    /// One more; how many it makes.
    pub fn count(&mut self, class: Class) -> u32 {
        self.0[class as usize] += 1;
        self.0[class as usize]
    }

    #[must_use]
    pub fn of(&self, class: Class) -> u32 {
        self.0[class as usize]
    }

    /// Whether its worker should run nothing else beside it.
    pub(crate) fn is_suspicious(&self) -> bool {
        Class::ALL.into_iter().any(|class| class.is_suspicious() && 0 < self.of(class))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_a_rule() {
        let budgets = Budgets::default();
        let rules = Class::ALL.map(|class| {
            let (key, retries) = (class.key(), budgets.of(class));
            let rules = [1, retries + 1].map(|times| budgets.rule(class, times));
            let pauses = [1, 2, 30].map(|times| class.pause(times) / 1_000_000);
            format!("{key} = {retries}, {pauses:?}: {}", rules.join("; "))
        });
        insta::assert_snapshot!(rules.join("\n"), @r"
        retries = 1, [0, 0, 0]: user error, tried again: 1 of 1; user error, and the one retry is used up
        no_objective = 0, [0, 0, 0]: no objective, which is not tried again; no objective, which is not tried again
        configuration = 0, [0, 0, 0]: configuration, which is not tried again; configuration, which is not tried again
        preempted = 20, [1, 2, 300]: preempted, tried again: 1 of 20; preempted, and all 20 retries are used up
        out_of_memory = 0, [0, 0, 0]: out of memory, which is not tried again; out of memory, which is not tried again
        crash = 3, [0, 0, 0]: crash, tried again: 1 of 3; crash, and all 3 retries are used up
        protocol = 1, [0, 0, 0]: protocol, tried again: 1 of 1; protocol, and the one retry is used up
        timeout = 0, [0, 0, 0]: timeout, which is not tried again; timeout, which is not tried again
        stall = 1, [0, 0, 0]: stall, tried again: 1 of 1; stall, and the one retry is used up
        infrastructure = 20, [1, 2, 300]: infrastructure, tried again: 1 of 20; infrastructure, and all 20 retries are used up
        ");
    }

    #[test]
    fn classes_are_numbered_as_they_are_listed() {
        for (number, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, number);
        }
        let budgets = Budgets::default().with(Class::Crash, 7);
        assert_eq!((budgets.of(Class::Crash), budgets.of(Class::Error)), (7, 1));
        let mut tally = Tally::default();
        assert_eq!((tally.count(Class::Stall), tally.count(Class::Stall)), (1, 2));
        assert_eq!((tally.of(Class::Stall), tally.of(Class::Crash)), (2, 0));
    }
}
