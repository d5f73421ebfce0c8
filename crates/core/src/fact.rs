//! What is remembered: every change of state, in the order of its happening. One transaction holds the facts of
//! what happened and of what was decided; only then is anything done.

use std::rc::Rc;

use crate::{
    event::Usage,
    key::Key,
    life::{AttemptId, Ending, Purpose, StageId, StageStatus, TrialId, TrialStatus, WorkerId},
    objective::Evaluated,
    stop::{Rungs, Verdict},
    warning::Warning,
};

#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// An attempt of a stage was given to a worker. It starts after `from` updates. If it is for the stage's result,
    /// whatever was measured in this stage after that is forgotten, since it will be measured again.
    Granted { attempt: AttemptId, stage: StageId, worker: WorkerId, from: u64, purpose: Purpose },
    /// An attempt ended after `step` updates of its trial.
    Ended { attempt: AttemptId, ending: Ending, step: u64 },
    /// What an attempt took that has not ended yet.
    Used { attempt: AttemptId, usage: Usage },
    /// Something odd in what an attempt said. A later one of the same kind replaces it.
    Warned { attempt: AttemptId, warning: Warning },
    /// A stage's status, after a change. `evaluated` and `digest` belong to its end.
    Stage {
        stage: StageId,
        status: StageStatus,
        /// Digest of the training state at the stage's end, hexadecimal; empty before.
        digest: String,
        evaluated: Evaluated,
    },
    /// A trial's status, after a change; `objective` when it has one (it may be NaN).
    Trial { trial: TrialId, status: TrialStatus, objective: Option<f64> },
    /// The objective that a trial had, as reduced until then, at a rung inside of a stage.
    Reached { trial: TrialId, step: u64, value: f64 },
    /// What was decided of a configuration at a rung.
    Judged(Verdict),
    /// Measured after `step` updates. A later fact of the same step of the same stage adds to it, and replaces the values of metrics
    /// that it names again.
    Metrics { stage: StageId, step: u64, values: Vec<(String, f64)> },
    /// A checkpoint of a stage is on disk in the attempt's folder.
    Checkpoint { stage: StageId, checkpoint: Checkpoint },
    /// A checkpoint's file is about to be removed.
    Forgotten { stage: StageId, step: u64 },
    /// Nothing more is begun although trials are left: why, for people.
    Halted { why: String },
    /// A line for people in the audit table; never read back.
    Note { text: String },
}

/// A training state on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    pub attempt: AttemptId,
    /// Updates made before it.
    pub step: u64,
    /// Name inside the attempt's folder.
    pub file: String,
    pub digest: String,
    /// Size of the file.
    pub bytes: u64,
    /// The trial's evaluations so far, reduced.
    pub evaluated: Evaluated,
}

/// A trial that is new in this revision of the sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTrial {
    /// Index of its configuration's point in the expansion.
    pub point: u64,
    pub seed: u64,
    pub key: Key,
    /// From the root; never empty.
    pub path: Vec<NewStage>,
    /// Absent if it is never judged.
    pub rungs: Option<Rc<Rungs>>,
}

/// A stage as planned. Stages of equal key are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewStage {
    pub key: Key,
    pub first: u64,
    pub end: u64,
}
