//! What runs a sweep. A worker program: where it is, and what it says of itself, in the core's words.

use std::{
    collections::BTreeMap,
    env, fmt,
    path::{Path, PathBuf},
};

use pleach_core::{
    program::{Kind, Parameter, Program, Role, Takes},
    spec::CommandSpec,
    value::{Parameters, Value},
};
use pleach_protocol::{describe, message};
use thiserror::Error;

use crate::command::Command;

/// The program that is looked for when none is named.
pub const BUILT_IN: &str = "pleach-mnist";

/// What runs the trials of a sweep.
#[derive(Clone, Debug)]
pub enum Runner {
    Worker(WorkerProgram),
    /// A guard around a person's own program; it is told this much of what the file says.
    Command {
        told: Box<Command>,
        spec: Box<CommandSpec>,
    },
}

impl Runner {
    /// For people.
    pub fn name(&self) -> PathBuf {
        match self {
            Self::Worker(program) => program.path.clone(),
            Self::Command { told, .. } => told.name().into(),
        }
    }

    pub(crate) fn data(&self) -> Option<&Path> {
        match self {
            Self::Worker(program) => program.data.as_deref(),
            Self::Command { .. } => None,
        }
    }
}

/// How a worker is started, and what it is greeted with.
#[derive(Clone, Debug)]
pub struct WorkerProgram {
    pub path: PathBuf,
    /// The folder that holds data sets.
    pub data: Option<PathBuf>,
}

#[derive(Debug, Error)]
#[error(
    "there is no worker program `{name}`; looked {}. Build or install it (`cargo install --locked --path crates/trainer`), or name one with --worker",
    Places(looked)
)]
pub struct NoProgram {
    name: String,
    looked: Vec<PathBuf>,
}

struct Places<'a>(&'a [PathBuf]);

impl fmt::Display for Places<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let shown: Vec<String> = self.0.iter().map(|path| path.display().to_string()).collect();
        write!(formatter, "at {} and in PATH", shown.join(", "))
    }
}

/// Finds the worker program: the one named, or the built-in one beside this program, or in `PATH`.
pub fn find(named: Option<&Path>) -> Result<PathBuf, NoProgram> {
    let name = named.map_or_else(|| BUILT_IN.to_owned(), |path| path.display().to_string());
    let mut looked = Vec::new();
    match named {
        Some(path) => looked.push(path.to_owned()),
        None => looked
            .extend(env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(BUILT_IN)))),
    }
    if let Some(found) = looked.iter().find(|path| path.is_file()) {
        return Ok(found.canonicalize().unwrap_or_else(|_| found.clone()));
    }
    let is_bare = named.is_none_or(|path| path.components().count() == 1);
    let in_path = || {
        env::split_paths(&env::var_os("PATH")?)
            .map(|folder| folder.join(&name))
            .find(|path| path.is_file())
    };
    match in_path() {
        Some(found) if is_bare => Ok(found),
        _ => Err(NoProgram { name, looked }),
    }
}

/// A description in the core's words. What cannot be said in them is left out: defaults that are no plain values.
pub fn program(description: &describe::Description) -> Program {
    let parameter = |parameter: &describe::Parameter| Parameter {
        name: parameter.name.clone(),
        kind: match &parameter.kind {
            describe::Kind::Bool => Kind::Bool,
            describe::Kind::Int { min, max } => Kind::Int { min: *min, max: *max },
            describe::Kind::Float { min, max } => Kind::Float { min: *min, max: *max },
            describe::Kind::Text { choices, pattern } => {
                Kind::Text { choices: choices.clone(), pattern: pattern.clone() }
            }
            describe::Kind::Duration => Kind::Duration,
        },
        default: parameter.default.as_ref().and_then(|default| {
            let value = value(default)?;
            match (&parameter.kind, value) {
                (describe::Kind::Float { .. }, Value::Int(number)) => {
                    Some(Value::Float(number as f64))
                }
                (_, value) => Some(value),
            }
        }),
        doc: parameter.doc.clone(),
        length: parameter.length,
        only: parameter.only.clone(),
        per_step: parameter.per_step,
        role: parameter.role.map(|role| match role {
            describe::Role::Budget => Role::Budget,
            describe::Role::Evaluations => Role::Evaluations,
        }),
    };
    let needs = |(metric, needs): (&String, &BTreeMap<String, serde_json::Value>)| {
        let needs = needs.iter().filter_map(|(name, json)| Some((name.clone(), value(json)?)));
        (metric.clone(), needs.collect())
    };
    Program {
        name: description.program.clone(),
        numerics: description.numerics.clone(),
        checkpoints: description.checkpoints,
        takes: Takes::Listed,
        parameters: description.parameters.iter().map(parameter).collect(),
        metrics: description.metrics.clone(),
        needs: description.needs.iter().map(needs).collect(),
    }
}

fn value(json: &serde_json::Value) -> Option<Value> {
    serde_json::from_value(json.clone()).ok()
}

/// Parameters as a worker is told them.
pub(crate) fn told(parameters: &Parameters) -> message::Parameters {
    let json = |value: &Value| serde_json::to_value(value).unwrap_or_default();
    parameters.iter().map(|(name, value)| (name.clone(), json(value))).collect()
}
