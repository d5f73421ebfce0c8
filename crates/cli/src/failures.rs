//! Failures, told once for each kind: the first of a kind with the end of its log, the others counted.

use pleach_core::{
    class::Class,
    command::Again,
    life::{AttemptId, TrialId},
    plain::within,
    sweep::alike,
};
use pleach_engine::{home::Home, logs};

/// So many kinds are told.
const KINDS: usize = 20;

/// Characters of a reason, at most.
const LONGEST: usize = 500;

/// So many lines of a log are shown.
const LINES: usize = 6;

pub(crate) struct Failures {
    home: Home,
    kinds: Vec<Kind>,
}

struct Kind {
    why: String,
    again: Again,
    trial: TrialId,
    more: usize,
}

/// An attempt that failed, and with it so many trials more than one.
pub(crate) struct Failure<'a> {
    pub(crate) trial: TrialId,
    pub(crate) others: usize,
    pub(crate) attempt: AttemptId,
    pub(crate) class: Option<Class>,
    pub(crate) why: &'a str,
    pub(crate) again: Again,
}

impl Failures {
    pub(crate) fn new(home: &Home) -> Self {
        Self { home: home.clone(), kinds: Vec::new() }
    }

    /// What to say of a failure, if it is the first of its kind.
    pub(crate) fn tell(&mut self, failure: &Failure) -> Option<String> {
        let Failure { trial, others, attempt, class, why, again } = *failure;
        let class = class.map_or(String::new(), |class| format!("{}: ", class.name()));
        let why = &within(&format!("{class}{why}"), LONGEST).into_owned();
        let is_known = self.kinds.iter().any(|kind| alike(&kind.why, why));
        let same = |kind: &&mut Kind| kind.again == again && alike(&kind.why, why);
        if let Some(kind) = self.kinds.iter_mut().find(same) {
            kind.more += 1;
            return None;
        }
        if KINDS < self.kinds.len() {
            return None;
        }
        self.kinds.push(Kind { why: why.to_owned(), again, trial, more: 0 });
        if KINDS < self.kinds.len() {
            let name = self.home.name();
            return Some(format!("other failures follow; `pleach board {name}` shows them"));
        }
        let what = match again {
            Again::Yes => "it will run again",
            Again::No => "it has failed for good",
        };
        let others = match others {
            0 => String::new(),
            1 => " and another".to_owned(),
            others => format!(" and {others} others that share its beginning"),
        };
        let log = if is_known { Vec::new() } else { last_lines(&self.home, attempt) };
        let log = log.iter().fold(String::new(), |text, line| text + "\n    | " + line);
        Some(format!("trial {}{others}: {why}; {what}{log}", trial.0))
    }

    /// How many were not told.
    pub(crate) fn rest(&self) -> impl Iterator<Item = String> {
        let kinds = self.kinds.iter().take(KINDS).filter(|kind| 0 < kind.more);
        kinds.map(|Kind { why, again, trial, more }| {
            let what = match again {
                Again::Yes => "and ran again",
                Again::No => "for good",
            };
            format!("{more} more failed like trial {} {what}: {why}", trial.0)
        })
    }
}

/// The last lines of what the program wrote, if they say more than the last one.
pub(crate) fn last_lines(home: &Home, attempt: AttemptId) -> Vec<String> {
    let log = logs::read(home, attempt).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let is_its_own = |line: &&str| !line.trim().is_empty() && !line.starts_with("failed: ");
    let lines: Vec<&str> = log.lines().filter(is_its_own).collect();
    if lines.len() < 2 {
        return Vec::new();
    }
    let last = &lines[lines.len().saturating_sub(LINES)..];
    last.iter().map(|line| within(line, 200).into_owned()).collect()
}
