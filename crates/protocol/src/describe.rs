//! How a worker describes itself, so that a sweep can be checked before its first trial starts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A worker's answer to the coordinator's greeting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The protocol's version that the worker speaks.
    pub protocol: u32,
    /// The program's name, a fixed word: `pleach-mnist`. Part of every trial's key.
    pub program: String,
    /// The program's own version, for people.
    pub version: String,
    /// What makes results equal to the last bit: trainer version, instruction set, blocking of its kernels.
    pub numerics: String,
    /// Whether training the same again comes to the same bits. Where it does not, a state that must be made again is another
    /// one, which is no failure.
    #[serde(default = "yes", skip_serializing_if = "is_so")]
    pub exact: bool,
    /// How many granted stages the worker can hold beyond the one that it runs; 0 for none.
    #[serde(default)]
    pub queue: u32,
    /// How a schedule reaches the worker.
    #[serde(default)]
    pub schedules: ScheduleForm,
    /// Whether the worker can write checkpoints and start from them.
    #[serde(default)]
    pub checkpoints: bool,
    /// Everything that may be set, with its type, range and default.
    pub parameters: Vec<Parameter>,
    /// Devices that the worker can use: `cpu`, `cuda:0`.
    #[serde(default)]
    pub devices: Vec<String>,
    /// The metrics that an evaluation yields; empty if it cannot say beforehand.
    #[serde(default)]
    pub metrics: Vec<String>,
    /// By metric: the parameters that must not be as they are by default for it to be measured, each with a value that will
    /// do: `{"val_loss": {"valid": 2000}}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub needs: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_so(exact: &bool) -> bool {
    *exact
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleForm {
    /// As one value per step, in a list.
    #[default]
    Table,
    /// As the text of a resolved schedule, which the schedule crate reads.
    Profile,
}

/// One parameter of a worker program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    pub kind: Kind,
    /// What it has when nobody sets it; absent if it must be set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// One line for people.
    #[serde(default)]
    pub doc: String,
    /// Whether it decides how many steps a trial has, what data it sees, or with which others it can be trained side by
    /// side: only these are asked for in `measure`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub length: bool,
    /// It acts only when another parameter has one of these values: `("optimizer", ["adam", "adamw"])`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<(String, Vec<String>)>,
    /// A number that may be another one at every step: it may come as a schedule ([`crate::message::Start::profiles`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub per_step: bool,
    /// What it means for how long a trial is and when it is evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// What lets trials of different lengths share their beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It decides after which step a trial ends, and nothing else.
    Budget,
    /// A duration: evaluations come when a multiple of it is reached, and after the last step.
    Evaluations,
}

/// What values a parameter takes. Bounds are inclusive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Kind {
    Bool,
    Int {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<i64>,
    },
    Float {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<f64>,
    },
    /// A text. `choices` lists the legal ones; `pattern` shows what else is legal, for people: `mlp-H[-H…]`.
    Text {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        choices: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pattern: Option<String>,
    },
    /// A stretch of training: `10%`, `5ep`, `300st`.
    Duration,
}
