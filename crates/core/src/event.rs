//! What happened, as the core learns it.

use std::collections::BTreeMap;

use crate::{
    class::Class,
    life::{AttemptId, Lanes, Trial, TrialId, WorkerId},
    sweep::StageRow,
    warning::Warning,
};

/// Microseconds of the coordinator's own monotonic clock, which stands still while the machine sleeps. Never wall time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A worker process answered the greeting and can hold `queue` stages beyond the one that it runs.
    WorkerReady {
        worker: WorkerId,
        queue: u32,
    },
    /// A worker process is known to be dead, and everything it wrote has been read. `how`: `killed by signal 9`.
    WorkerDied {
        worker: WorkerId,
        how: String,
        /// Of that failure, if it is that of the one attempt which it ran. Where there were more, nobody knows whose it is.
        class: Class,
        /// What it was given and had finished: it did not live to say so, or was being killed and not listened to.
        found: BTreeMap<AttemptId, Found>,
    },
    /// A worker process could not be started, or its greeting was wrong: no worker of this sweep will do better.
    WorkerUnusable {
        worker: WorkerId,
        why: String,
    },
    /// A worker said something that no worker may say. The process is still alive.
    WorkerTalkedNonsense {
        worker: WorkerId,
        what: String,
    },
    /// A worker process has closed its output and lives on: nothing more can be heard of it.
    WorkerClosed {
        worker: WorkerId,
    },
    /// Something was heard of an attempt; nothing to remember.
    Progress {
        worker: WorkerId,
        attempt: AttemptId,
        step: u64,
    },
    Metrics {
        worker: WorkerId,
        attempt: AttemptId,
        step: u64,
        values: Vec<(String, f64)>,
    },
    /// Something odd was said or seen of an attempt; a later one of the same kind replaces it.
    Warned {
        worker: WorkerId,
        attempt: AttemptId,
        warning: Warning,
    },
    /// A training state was written.
    Checkpoint {
        worker: WorkerId,
        attempt: AttemptId,
        step: u64,
        file: String,
        digest: String,
        /// Size of the file.
        bytes: u64,
    },
    /// What an attempt took, whose end follows.
    Used {
        worker: WorkerId,
        attempt: AttemptId,
        usage: Usage,
    },
    Finished {
        worker: WorkerId,
        attempt: AttemptId,
        step: u64,
        outcome: Outcome,
        digest: String,
    },
    /// A person asked.
    Asked(Request),
    /// Trials that ended were planned again, which is remembered.
    Renewed(Renewed),
    /// Time passed; nothing else.
    Tick,
}

/// What a person's program took of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes, at most.
    pub memory: u64,
    /// Milliseconds of processors.
    pub cpu: u64,
}

/// A worker's own word on an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// It has ended well before the stage's end, unasked.
    Early,
    Diverged,
    Stopped,
    Failed(Class, String),
    /// The state that it was told to start from is of no use.
    Unusable(String),
}

/// The durable result of an attempt that nobody was told of: all that was measured, by step, and its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub metrics: Vec<(u64, Vec<(String, f64)>)>,
    pub step: u64,
    pub outcome: Outcome,
    /// Of the state at its end; empty without one.
    pub digest: String,
    /// Its file, and the size of it, if it is on disk.
    pub state: Option<(String, u64)>,
    pub usage: Option<Usage>,
    pub warnings: Vec<Warning>,
}

/// A new generation of trials that ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Renewed {
    pub instead_of: Vec<TrialId>,
    pub trials: Vec<Trial>,
    /// Those on their paths, known ones among them or not.
    pub stages: Vec<StageRow>,
    /// Of those that have company.
    pub lanes: BTreeMap<TrialId, Lanes>,
}

/// What a person can ask of a running sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Place nothing more; running attempts write a checkpoint and stop. (First Ctrl-C, `pleach stop`.)
    Stop,
    /// Kill every worker. (Second Ctrl-C, `pleach stop --now`.)
    Kill,
    /// Place nothing more; running attempts go on to their end; the coordinator stays.
    Pause,
    /// Place again.
    Continue,
    /// Take one trial out.
    StopTrial(TrialId),
    /// Run trials that ended again, beside what they were.
    Retry(Vec<TrialId>),
}
