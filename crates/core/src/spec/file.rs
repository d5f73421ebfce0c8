//! A sweep file as written: the sections, their keys, and what people may write there. This is what the JSON schema is
//! generated from, and where the reader takes the names of the keys that it knows.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde::Serialize;

use super::file_schedule::{Branches, ScheduleTable};

/// A sweep: what to try, how to train it, and where.
#[derive(JsonSchema, Serialize)]
#[schemars(deny_unknown_fields, title = "A pleach sweep")]
pub(super) struct SweepFile {
    sweep: SweepSection,
    search: Option<SearchSection>,
    trainer: Option<TrainerSection>,
    command: Option<CommandSection>,
    space: Option<SpaceSection>,
    /// Parts with a space and a trainer section of their own, one after the other.
    block: Option<Vec<BlockSection>>,
    run: Option<RunSection>,
    stop: Option<StopSection>,
}

/// What the sweep is and what it is after.
#[derive(JsonSchema, Serialize)]
#[schemars(deny_unknown_fields)]
pub(super) struct SweepSection {
    /// Lower-case letters, digits, `-` and `_`, at most 64: the folder in `runs/`.
    #[schemars(regex(pattern = r"^[a-z0-9_-]{1,64}$"))]
    name: String,
    objective: ObjectiveTable,
    /// Repeats of every configuration, the same for all; `[1]` by default.
    seeds: Option<Vec<u64>>,
}

/// Which metric, which direction, and how its evaluations become one number.
#[derive(JsonSchema, Serialize)]
#[schemars(deny_unknown_fields)]
pub(super) struct ObjectiveTable {
    metric: String,
    goal: GoalWord,
    /// `"last"` (by default), `"best"`, or `{ mean = 3 }` of the last three.
    reduce: Option<ReduceValue>,
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is used")]
enum GoalWord {
    Min,
    Max,
}

struct ReduceValue;

impl Serialize for ReduceValue {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("last")
    }
}

impl JsonSchema for ReduceValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Reduce".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "enum": ["last", "best"] },
            { "type": "object", "properties": { "mean": { "type": "integer", "minimum": 1 } }, "required": ["mean"], "additionalProperties": false },
        ]})
    }
}

/// How the space is searched.
#[derive(JsonSchema, Serialize)]
#[schemars(deny_unknown_fields)]
pub(super) struct SearchSection {
    /// `grid` (by default) tries every point; `random` draws `samples` of them, independently; `sobol` spreads them evenly.
    method: Option<MethodWord>,
    samples: Option<u64>,
    /// Decides what is drawn; 0 by default.
    seed: Option<u64>,
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is used")]
enum MethodWord {
    Grid,
    Random,
    Sobol,
}

/// Fixed parameters of the worker program, and `[trainer.schedule]`.
#[derive(JsonSchema, Serialize)]
pub(super) struct TrainerSection {
    /// A fixed schedule: `use`, `peak`, and what it takes.
    schedule: Option<ScheduleTable>,
    #[serde(flatten)]
    parameters: BTreeMap<String, serde_json::Value>,
}

/// A program of the person's own.
#[derive(JsonSchema, Serialize)]
#[schemars(deny_unknown_fields)]
pub(super) struct CommandSection {
    /// The program and its arguments: a list, never a shell line. `{{ name }}` stands for a parameter's value.
    run: Vec<String>,
    /// `"jsonl"` (by default): lines such as `{"step": 10, "loss": 0.3}` in the file `$PLEACH_METRICS`; or a regular
    /// expression over the lines of its standard output, its named groups the metrics (and `step`).
    metrics: Option<String>,
    /// Whether a trial fails, and its program is killed, by a line of metrics that cannot be read or a step that cannot be. Otherwise
    /// what cannot be used is left out, with a warning.
    strict: Option<bool>,
    /// How long a trial trains: `"5000st"`, or `"5ep"` with `steps_per_epoch`. Only a schedule needs it.
    budget: Option<String>,
    /// Optimizer steps to an epoch.
    steps_per_epoch: Option<u64>,
    /// Whether it takes part in the tree: it starts from the state that it is told to load, saves its own where it is told to
    /// stop, and reads its rates from `$PLEACH_SCHEDULE` alone. Needs a `budget`.
    checkpoint: Option<bool>,
    /// Fixed parameters.
    parameters: Option<BTreeMap<String, serde_json::Value>>,
    /// Variables for its environment; `{{ name }}` as in `run`.
    environment: Option<BTreeMap<String, String>>,
    /// Where it runs, instead of the folder in which pleach was started.
    directory: Option<String>,
}

/// The axes, by the names of the parameters; a table whose values are all tables is a choice.
#[derive(JsonSchema, Serialize)]
pub(super) struct SpaceSection {
    /// Conditions on the parameters, such as `peak * momentum < 0.5`.
    r#where: Option<Vec<String>>,
    /// Axes that move together.
    zip: Option<Vec<BTreeMap<String, serde_json::Value>>>,
    /// Explicit points.
    points: Option<Vec<BTreeMap<String, serde_json::Value>>>,
    /// Parameters computed from others.
    derived: Option<BTreeMap<String, String>>,
    /// A choice of schedules: their names, or a table for each.
    schedule: Option<Branches>,
    #[serde(flatten)]
    axes: BTreeMap<String, serde_json::Value>,
}

#[derive(JsonSchema, Serialize)]
#[schemars(deny_unknown_fields)]
pub(super) struct BlockSection {
    trainer: Option<TrainerSection>,
    space: Option<SpaceSection>,
}

/// Where and how the trials run.
#[derive(JsonSchema, Serialize)]
#[schemars(deny_unknown_fields)]
pub(super) struct RunSection {
    /// Workers at a time: `"auto"` (by default) or a number.
    slots: Option<serde_json::Value>,
    /// Devices instead of slots: `["cuda:0", "cuda:1"]`.
    devices: Option<Vec<String>>,
    /// Workers on each device; 1 by default.
    per_device: Option<u32>,
    /// Devices of each worker, for programs of the person's own; 1 by default.
    gpus: Option<u32>,
    /// Trials of equal shape that a worker trains side by side at most: as many as it says that pay (`"auto"`, by default), or a
    /// number; 1 for none, and with `timeout` or `stall`, which are for a trial that has its worker for itself. The results are
    /// the same.
    lanes: Option<serde_json::Value>,
    /// Of a trial, over all its stages; none by default: `"30min"`.
    timeout: Option<String>,
    /// How long a worker may say nothing; no limit by default.
    stall: Option<String>,
    /// How often a trial whose program says that it failed is tried again; 1 by default.
    retries: Option<u32>,
    /// How often one that failed otherwise is.
    retry: Option<RetrySection>,
    /// Of the whole sweep; what is left waits for the next run: `"2h"`.
    limit: Option<String>,
    /// How often a running trial is saved: a time (`"1min"` by default) or a number of steps (`"500st"`).
    checkpoint: Option<String>,
    /// Disk space for checkpoints that are kept; `"2GiB"` by default.
    keep: Option<String>,
    /// Threads of each program, told to its libraries (`OMP_NUM_THREADS` and its like); its share of the cores by default, no more than
    /// `cpus`.
    threads: Option<u32>,
    /// Whether every slot has cores of its own, which its program cannot leave; `false` by default.
    pin: Option<bool>,
    /// How far workers, with all that they start, step back behind other programs, from 0 (by default) to 19, as `nice` does.
    nice: Option<u32>,
    /// Memory that each program of the person's own may take, with all that it starts; no limit by default: `"2GiB"`.
    memory: Option<String>,
    /// Processor time that each program of the person's own may take, with all that it starts, in cores, as `docker --cpus`
    /// counts them; no limit by default: `1.5`.
    cpus: Option<f64>,
    /// Whether trials that begin alike train their common part once; `true` by default. The results are the same.
    share: Option<bool>,
}

/// Stops early what is bad: configurations are compared at rungs, steps of their training, and who is not among the best goes
/// no further. Nothing is stopped without this section.
#[derive(JsonSchema, Serialize)]
#[schemars(deny_unknown_fields)]
pub(super) struct StopSection {
    /// Where they are judged: `["1ep", "2ep"]`, after steps at which every trial is evaluated.
    rungs: Vec<String>,
    /// The share of the best, by the objective as reduced until there, that goes on: above 0 and below 1. A configuration is
    /// compared with those of smaller numbers.
    keep: f64,
    /// Nobody stops at a rung before so many others were seen there; 4 by default.
    least: Option<u64>,
    /// Parameters in which configurations must be equal to be compared: `["schedule"]`.
    within: Option<Vec<String>>,
}

/// Retries by what happened.
#[derive(JsonSchema, Serialize)]
#[schemars(deny_unknown_fields)]
pub(super) struct RetrySection {
    /// It ended well without having measured the objective; 0 by default.
    no_objective: Option<u32>,
    /// It can never be run so: exit code 78, 126 or 127; 0 by default.
    configuration: Option<u32>,
    /// Another time will do: exit code 75, or a SIGTERM that pleach did not send; 20 by default, after pauses that double.
    preempted: Option<u32>,
    /// It took more memory than `memory` allows; 0 by default.
    out_of_memory: Option<u32>,
    /// A signal killed it; 3 by default.
    crash: Option<u32>,
    /// It said what cannot be; 1 by default.
    protocol: Option<u32>,
    /// It took longer than `timeout` allows; 0 by default.
    timeout: Option<u32>,
    /// It said nothing for longer than `stall` allows; 1 by default.
    stall: Option<u32>,
    /// The machine had no processes, files or disk for it; 20 by default, after pauses that double.
    infrastructure: Option<u32>,
}

/// The JSON schema of sweep files (draft 7), for editors.
#[must_use]
pub fn schema() -> String {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<SweepFile>();
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// The keys that a section knows, in alphabetical order.
pub(super) fn keys<T: JsonSchema>() -> Vec<String> {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    let properties = schema.get("properties").and_then(serde_json::Value::as_object);
    properties.map_or_else(Vec::new, |properties| properties.keys().cloned().collect())
}
