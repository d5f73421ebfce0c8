//! Trials, stages and attempts: what each is, the states it can be in, and the one function by which each
//! state changes, live and on recovery. Terminal is terminal.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    class::{Budgets, Class, Tally},
    key::Key,
};

/// A trial's number within its sweep: what people type. Never reused. Counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TrialId(pub u32);

/// A configuration's number within its sweep. Never reused. Counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigurationId(pub u32);

/// A stage's number within its sweep. Counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageId(pub u32);

/// An attempt's number within its sweep; its folder's name. Never reused. Counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttemptId(pub u32);

impl Default for AttemptId {
    fn default() -> Self {
        Self(1)
    }
}

/// A worker process of one run of the coordinator. Counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WorkerId(pub u32);

/// A configuration with one seed: a path through the stage tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    pub id: TrialId,
    pub configuration: ConfigurationId,
    pub seed: u64,
    pub key: Key,
    pub status: TrialStatus,
    /// From the root; never empty. The end of the last is the trial's budget.
    pub path: Vec<StageId>,
}

/// With which others a trial can be trained side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lanes {
    /// Those of equal shape: models of the same size on the same data in the same order.
    pub shape: Key,
    /// How many of them, itself included; at least 2.
    pub most: u32,
}

/// A piece of training from step `first` to step `end`, shared by every trial whose path holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    pub id: StageId,
    pub key: Key,
    pub parent: Option<StageId>,
    pub first: u64,
    pub end: u64,
    pub status: StageStatus,
    /// How its attempts have failed.
    pub tally: Tally,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrialStatus {
    /// Something of its path has no result yet.
    Waiting,
    /// Every stage of its path is done.
    Done,
    /// The loss stopped being finite: a result, ranked below every number.
    Diverged,
    /// A stage of its path failed for good.
    Failed,
    /// A person took it out.
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageStatus {
    /// Has no result; may be placed once its parent is done.
    Waiting,
    /// Has the attempt named, which was granted and has not ended.
    Running(AttemptId),
    Done,
    /// Done, but its state is not on disk any more: the attempt named trains it again, for the stages below it.
    Rebuilding(AttemptId),
    Diverged,
    Failed,
}

/// What an attempt is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Its stage's result.
    Train,
    /// The state at the end of a stage that is done.
    Rebuild,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// Counted: it trained its stage to the end.
    Done,
    /// Counted: the loss stopped being finite.
    Diverged,
    /// It trained a stage that is done to the same state again; the first result stands.
    Rebuilt,
    /// It did not end well; the text says how (`killed by signal 9`).
    Failed(Class, String),
    /// It was asked to stop: the sweep is being stopped or paused.
    Interrupted,
    /// It did not begin, since the state that it was told to start from is missing, damaged or of another version.
    Unusable(String),
    /// It was granted, but its worker or the coordinator died before running it, or the coordinator died with it.
    Lost,
}

/// Whom an ending is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// It has a result.
    Counted,
    /// The stage's budget for this class.
    Class(Class),
    /// Nobody: it simply runs again.
    Nobody,
}

impl Ending {
    /// Of one that is a failure.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Failed(class, _) => Some(*class),
            _ => None,
        }
    }

    #[must_use]
    pub fn charge(&self) -> Charge {
        match self {
            Self::Done | Self::Diverged => Charge::Counted,
            Self::Failed(class, _) => Charge::Class(*class),
            Self::Rebuilt | Self::Unusable(_) | Self::Interrupted | Self::Lost => Charge::Nobody,
        }
    }
}

/// What changes a stage's status.
#[derive(Clone, Debug, PartialEq)]
pub enum StageChange<'a> {
    Granted(AttemptId),
    Ended(AttemptId, &'a Ending, &'a Budgets),
    /// The state that it starts from can never be made again.
    Barred,
}

#[derive(Debug, Error, PartialEq)]
#[error("stage {stage:?} is {status:?}: {change} is impossible")]
pub struct ImpossibleChange {
    stage: StageId,
    status: StageStatus,
    change: String,
}

impl Stage {
    /// The whole life of a stage. Changes nothing when the change is impossible.
    pub fn change(&mut self, change: &StageChange) -> Result<(), ImpossibleChange> {
        let status = match (self.status, change) {
            (StageStatus::Waiting, StageChange::Granted(attempt)) => StageStatus::Running(*attempt),
            (StageStatus::Running(current), StageChange::Ended(attempt, ending, budgets))
                if current == *attempt && **ending != Ending::Rebuilt =>
            {
                match ending.charge() {
                    Charge::Counted if **ending == Ending::Diverged => StageStatus::Diverged,
                    Charge::Counted => StageStatus::Done,
                    Charge::Nobody => StageStatus::Waiting,
                    // After so many failures of a class the next one is final.
                    Charge::Class(class) if self.tally.count(class) <= budgets.of(class) => {
                        StageStatus::Waiting
                    }
                    Charge::Class(_) => StageStatus::Failed,
                }
            }
            (StageStatus::Waiting, StageChange::Barred) => StageStatus::Failed,
            (StageStatus::Done, StageChange::Granted(attempt)) => StageStatus::Rebuilding(*attempt),
            (StageStatus::Rebuilding(current), StageChange::Ended(attempt, ending, _))
                if current == *attempt && ending.charge() != Charge::Counted =>
            {
                if let Charge::Class(class) = ending.charge() {
                    self.tally.count(class);
                }
                StageStatus::Done
            }
            (status, _) => {
                let change = format!("{change:?}");
                return Err(ImpossibleChange { stage: self.id, status, change });
            }
        };
        self.status = status;
        Ok(())
    }
}

impl StageStatus {
    #[must_use]
    pub fn is_terminal(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running(_))
    }
}

impl TrialStatus {
    /// In every table, file and format.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Diverged => "diverged",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    #[must_use]
    pub fn is_terminal(self) -> bool {
        self != Self::Waiting
    }

    /// What a trial becomes when a stage of its path has ended so.
    /// Terminal is terminal.
    #[must_use]
    pub fn after_stage(self, stage: StageStatus, place: Place) -> Self {
        match (self, stage, place) {
            (Self::Waiting, StageStatus::Done | StageStatus::Rebuilding(_), Place::Last) => {
                Self::Done
            }
            (Self::Waiting, StageStatus::Diverged, _) => Self::Diverged,
            (Self::Waiting, StageStatus::Failed, _) => Self::Failed,
            (status, _, _) => status,
        }
    }
}

/// Where a stage stands in a trial's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Inside,
    Last,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_changes_in_these_ways_and_in_no_other() {
        let (this, other) = (AttemptId(1), AttemptId(2));
        let statuses = [
            StageStatus::Waiting,
            StageStatus::Running(this),
            StageStatus::Done,
            StageStatus::Rebuilding(this),
            StageStatus::Diverged,
            StageStatus::Failed,
        ];
        let budgets = Budgets::default().with(Class::Crash, 0);
        let failed = Ending::Failed(Class::Error, String::new());
        let crashed = Ending::Failed(Class::Crash, String::new());
        let endings =
            [&Ending::Done, &Ending::Diverged, &Ending::Rebuilt, &failed, &crashed, &Ending::Lost];
        let mut changes = vec![StageChange::Granted(this), StageChange::Barred];
        changes.extend(endings.map(|ending| StageChange::Ended(this, ending, &budgets)));
        changes.push(StageChange::Ended(other, &Ending::Done, &budgets));
        let mut table = Vec::new();
        for status in statuses {
            for change in &changes {
                let mut stage = Stage {
                    id: StageId(1),
                    key: Key::of("x"),
                    parent: None,
                    first: 0,
                    end: 1,
                    status,
                    tally: Tally::default(),
                };
                if stage.change(change).is_ok() {
                    let what = match change {
                        StageChange::Ended(_, ending, _) => format!("{ending:?}"),
                        StageChange::Granted(_) => "granted".to_owned(),
                        StageChange::Barred => "barred".to_owned(),
                    };
                    table.push(format!("{status:?}, {what}: {:?}", stage.status));
                }
            }
        }
        insta::assert_snapshot!(table.join("\n"), @r#"
        Waiting, granted: Running(AttemptId(1))
        Waiting, barred: Failed
        Running(AttemptId(1)), Done: Done
        Running(AttemptId(1)), Diverged: Diverged
        Running(AttemptId(1)), Failed(Error, ""): Waiting
        Running(AttemptId(1)), Failed(Crash, ""): Failed
        Running(AttemptId(1)), Lost: Waiting
        Done, granted: Rebuilding(AttemptId(1))
        Rebuilding(AttemptId(1)), Rebuilt: Done
        Rebuilding(AttemptId(1)), Failed(Error, ""): Done
        Rebuilding(AttemptId(1)), Failed(Crash, ""): Done
        Rebuilding(AttemptId(1)), Lost: Done
        "#);
    }
}
