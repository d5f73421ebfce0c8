//! What is said: [`ToWorker`] and [`FromWorker`], one line each. Unknown fields are ignored, so that a newer
//! side can talk to an older one of the same protocol version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{describe::Description, number::Number};

/// The version of the exchange. A worker that speaks another one is refused.
pub const PROTOCOL: u32 = 1;

/// The longest line that either side accepts, in bytes.
pub const MAX_LINE: usize = 8 << 20;

/// A parameter's value as JSON: bool, number, text, or a list of these.
pub type Parameters = BTreeMap<String, serde_json::Value>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToWorker {
    Hello(Greeting),
    Measure(Measure),
    Start(Box<Start>),
    Stop(Stop),
    /// Nothing more will come; the end of standard input means the same.
    Exit,
}

/// The coordinator's greeting: where the worker is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Greeting {
    pub protocol: u32,
    /// CPU threads that the worker may use.
    pub threads: u32,
    /// `cpu` or `cuda:0`.
    pub device: String,
    /// The folder that holds data sets (`mnist/`, `fashion-mnist/`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

/// Asks how long a configuration trains and what data it sees. Holds every parameter that is known, with
/// defaults left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    pub id: u64,
    pub parameters: Parameters,
}

/// One stage to train: from step `first` to step `end`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// Names this execution in every message about it.
    pub attempt: u64,
    /// What people call it in the worker's log.
    pub trial: u64,
    pub parameters: Parameters,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The parameters that change from step to step, by name: each is described as `per_step`, acts, is not among
    /// `parameters`, and has values in its range at every step. None of them has a plateau rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub profiles: BTreeMap<String, Schedule>,
    pub seed: u64,
    /// The stage's first step: 0-based index of its first update.
    pub first: u64,
    /// The step before which it ends: the index of the first update that it does not make.
    pub end: u64,
    /// Steps of the whole trial; the last evaluation is after this many.
    pub budget: u64,
    /// Where to start: a checkpoint at step `first` or, inside the stage, later. Absent: from initialisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<CheckpointFile>,
    /// When to write checkpoints between; the end of the stage is always one if `keep` says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Interval>,
    /// Whether the state at the end of the stage is written as a checkpoint.
    #[serde(default)]
    pub keep: bool,
    /// The attempt's own folder, absolute; it may not exist yet.
    pub directory: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// The resolved schedule's text ([`crate::describe::ScheduleForm::Profile`]).
    Profile {
        rates: String,
        /// A plateau rule's text, for the one stateful schedule.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plateau: Option<String>,
    },
    /// One rate per step from 0 to the budget's last.
    Table(Vec<f64>),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interval {
    Seconds(f64),
    Steps(u64),
}

/// A checkpoint on disk, and the digest that it must have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointFile {
    /// Absolute path.
    pub file: String,
    /// Updates made before it was written.
    pub step: u64,
    pub digest: String,
}

/// Asks an attempt to end early.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stop {
    pub attempt: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FromWorker {
    Hello(Box<Description>),
    Measured(Measured),
    /// The configuration of a `measure` makes no sense; says which parameter.
    Refused(Refused),
    /// Shows life; never stored.
    Progress(Progress),
    Metrics(Metrics),
    Checkpoint(Checkpoint),
    /// What an attempt took; before its end, if at all.
    Usage(Usage),
    /// Something odd that a person should know of; nothing depends on it.
    Warning(Warning),
    Finished(Finished),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub id: u64,
    /// Updates of a whole trial.
    pub steps: u64,
    /// Updates of one pass over the training set; the last, smaller batch counts.
    pub steps_per_epoch: u64,
    /// Digest of the data as trained on (its bytes, not its file names): part of every trial's key.
    #[serde(default)]
    pub data: String,
    /// How many trials with these parameters are faster side by side, as lanes of one worker, than one after the other; 1
    /// for none.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub lanes: u32,
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_one(lanes: &u32) -> bool {
    *lanes == 1
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    /// The `id` of the `measure`.
    pub id: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub attempt: u64,
    pub step: u64,
    /// For people's eyes: samples per second. Whatever time or place changes belongs here, not into metrics.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub live: BTreeMap<String, Number>,
}

/// The result of one evaluation, after `step` updates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    pub attempt: u64,
    pub step: u64,
    pub values: BTreeMap<String, Number>,
}

/// A checkpoint is on disk, whole and synced, after `step` updates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub attempt: u64,
    pub step: u64,
    /// Name inside the attempt's folder.
    pub file: String,
    /// Digest of the training state: weights, optimizer state, counters, data position.
    pub digest: String,
}

/// What an attempt took of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub attempt: u64,
    /// Bytes of memory, at most.
    pub memory: u64,
    /// Milliseconds of processors.
    pub cpu: u64,
}

/// One kind of oddity of an attempt. A later one of the same kind replaces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    pub attempt: u64,
    /// Names the kind, always in the same words.
    pub what: String,
    /// How often so far.
    #[serde(default = "once")]
    pub count: u64,
    /// The line of the first case, if it is one in a file or an output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The first case.
    #[serde(default)]
    pub first: String,
}

const fn once() -> u64 {
    1
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    pub attempt: u64,
    /// Updates made since the trial's step 0.
    pub step: u64,
    pub outcome: Outcome,
    /// Digest of the training state at the end; empty if there is none.
    #[serde(default)]
    pub digest: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The stage was trained to its end.
    Done,
    /// The program has ended the trial before that, as it decided itself: a result. Only of a trial's last stage.
    Early,
    /// The loss stopped being finite: a result, not a fault.
    Diverged,
    /// It ended early because it was asked to.
    Stopped,
    /// It cannot go on; the text says why.
    Failed(String),
    /// The same, where more is known than that.
    Fault(Fault),
    /// The checkpoint that it was told to start from is missing, damaged or of another version, as the text says;
    /// nothing was trained.
    Unusable(String),
}

/// Why an attempt could not go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub class: FaultClass,
    pub why: String,
}

/// Each has a budget of retries of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultClass {
    /// It ended well, and the objective was not measured.
    NoObjective,
    /// It can never be run so.
    Configuration,
    /// Another time will do.
    Preempted,
    OutOfMemory,
    /// A signal killed it.
    Crash,
    /// What it said cannot be.
    Protocol,
    /// What it needs from the machine was not to be had: processes, files, disk.
    Infrastructure,
}
