//! What to do, once the facts behind it are remembered.

use crate::fact::Checkpoint;
use crate::{
    class::Class,
    life::{AttemptId, StageId, TrialId, WorkerId},
};

#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Start a worker process on a slot (counted from 0).
    Spawn { worker: WorkerId, slot: u32 },
    /// Tell a worker to run an attempt; it may queue it. `trial` is one of the stage's trials: its parameters, seed
    /// and schedule are the stage's. `from`: where to start, absent for initialisation.
    Grant {
        worker: WorkerId,
        attempt: AttemptId,
        stage: StageId,
        trial: TrialId,
        from: Option<Checkpoint>,
        keep: Keep,
    },
    /// Ask an attempt to write a checkpoint and stop.
    AskStop { worker: WorkerId, attempt: AttemptId },
    /// Close a worker's standard input: it ends when it has nothing to do.
    Dismiss { worker: WorkerId },
    /// Kill a worker and everything it started. Its death is reported as an event.
    Kill { worker: WorkerId },
    /// Remove a checkpoint's file.
    Remove { attempt: AttemptId, file: String },
    /// Plan trials that ended again, and tell what they are now.
    Renew { trials: Vec<TrialId> },
    /// Tell the person (progress, a silent worker, a failure); nothing depends on it.
    Say(Message),
    /// Nothing runs and nothing will: the loop ends.
    Finish(Finish),
}

/// Whether a worker writes the state at the end of its stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    State,
    Nothing,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    TrialEnded {
        trial: TrialId,
    },
    /// An attempt did not end well and its stage will run again, or not.
    AttemptFailed {
        trial: TrialId,
        /// So many other trials share the stage.
        others: usize,
        attempt: AttemptId,
        /// None if it is not the stage's fault.
        class: Option<Class>,
        why: String,
        again: Again,
    },
    /// A state that was made again is not what it was, of a program that need not repeat itself to the last bit.
    StateDiffers {
        trial: TrialId,
        step: u64,
    },
    /// Nothing more is begun on a device; why, with its name.
    DeviceSetAside {
        why: String,
    },
    WorkerSilent {
        worker: WorkerId,
        trial: TrialId,
        seconds: u64,
    },
    /// A worker was started and has not introduced itself yet.
    WorkerMute {
        worker: WorkerId,
        seconds: u64,
    },
    /// A worker has nothing to do any more, was told so, and does not end.
    WorkerLingers {
        worker: WorkerId,
        seconds: u64,
    },
    /// Workers on a slot, counted from 0, ended again and again without having run anything: no more are started there.
    SlotGivenUp {
        slot: u32,
        why: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    Yes,
    No,
}

/// Why the loop ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// Every trial is terminal.
    Complete,
    /// A person asked, or the sweep's time limit was reached; the rest waits for the next run.
    Stopped,
    /// So many trials in a row failed in the same way; the rest waits for the next run.
    Broken { times: u32, why: String },
    /// No worker can be used; the text says why.
    Unusable(String),
}
