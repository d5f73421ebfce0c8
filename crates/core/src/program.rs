//! What a worker program says of itself, as the core needs it to check and complete a sweep.

use std::collections::BTreeMap;

use crate::value::{Parameters, Value};

/// A worker program.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// A fixed word; part of every trial's key.
    pub name: String,
    /// The label under which results are equal to the last bit; part of every stage's key.
    pub numerics: String,
    /// Whether it can save its state and start from it.
    pub checkpoints: bool,
    pub parameters: Vec<Parameter>,
    /// The metrics that an evaluation yields; empty if it cannot say beforehand.
    pub metrics: Vec<String>,
    /// By metric: the parameters that must not be as they are by default for it to be measured, each with a value that will
    /// do.
    pub needs: BTreeMap<String, Parameters>,
    pub takes: Takes,
}

impl Program {
    /// Whether nobody knows how long its trials are.
    pub fn is_open_ended(&self) -> bool {
        self.takes == Takes::Anything && self.parameters.is_empty()
    }
}

/// Which parameters a program takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Those it describes; a schedule's arguments are pleach's affair.
    Listed,
    /// Whatever a sweep sets, its schedule and that one's arguments included: a program of a person's own.
    Anything,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub kind: Kind,
    /// What it has when nobody sets it; `None` if it must be set.
    pub default: Option<Value>,
    pub doc: String,
    /// Whether it decides how many steps a trial has or what data it sees.
    pub length: bool,
    /// It acts only when the named parameter has one of these texts.
    pub only: Option<(String, Vec<String>)>,
    /// A number that may follow a schedule.
    pub per_step: bool,
    pub role: Option<Role>,
}

impl Program {
    /// What a metric needs beside these parameters and does not have: the parameter, and a value that will do.
    pub fn lacking<'a>(
        &'a self,
        metric: &str,
        beside: &'a Parameters,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let default = |name: &str| {
            self.parameters.iter().find(|parameter| parameter.name == name)?.default.as_ref()
        };
        let is_lacking =
            move |name: &str| beside.get(name).is_none_or(|value| Some(value) == default(name));
        let needs = self.needs.get(metric).into_iter().flatten();
        needs.map(|(name, value)| (name.as_str(), value)).filter(move |(name, _)| is_lacking(name))
    }

    /// Whether a parameter has any effect beside the others; absent ones are as they are by default.
    #[must_use]
    pub fn acts(&self, parameter: &Parameter, beside: &Parameters) -> bool {
        let Some((other, texts)) = &parameter.only else { return true };
        let found = self.parameters.iter().find(|parameter| parameter.name == *other);
        let value = beside.get(other).or_else(|| found?.default.as_ref());
        matches!(value, Some(Value::Text(text)) if texts.contains(text))
    }
}

/// What a parameter means for how long a trial is and when it is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It decides after which step a trial ends, and nothing else.
    Budget,
    /// A duration: evaluations come when a multiple of it is reached, and after the last step.
    Evaluations,
}

/// What values a parameter takes. Bounds are inclusive.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Bool,
    Int {
        min: Option<i64>,
        max: Option<i64>,
    },
    Float {
        min: Option<f64>,
        max: Option<f64>,
    },
    /// `pattern` shows, for people, what is legal beside `choices`: `mlp-H[-H…]`. With neither, any text is.
    Text {
        choices: Vec<String>,
        pattern: Option<String>,
    },
    Duration,
}
