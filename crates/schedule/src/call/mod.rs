//! Calls of other libraries' schedulers, as people paste them from a program or its documentation: `scheduler =
//! torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=100)`, over several lines, with what stands
//! before it. Nothing is run: what is read are literals, their arithmetic, names that were given such a value before, and
//! `len(…)`, which is taken for the number of steps in an epoch.

mod bind;
mod python;
mod token;

use std::{error::Error, fmt};

use python::{Call, Names, Value};

use crate::library::{candidates, instead};

/// Why a text is no call of a scheduler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    pub message: String,
    pub help: String,
}

impl CallError {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{}: {}", self.message, self.help)
    }
}

impl Error for CallError {}

/// Whether a text looks like a call: a name, and a bracket somewhere after it.
#[must_use]
pub fn is_call(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '>');
    text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '#') && text.contains('(')
}

/// The call as the inline table that a sweep file has for it: `{ use = "torch.StepLR", step_size = 30 }`.
pub fn table(text: &str) -> Result<String, CallError> {
    let mut names = Names::new();
    let mut found = Found::default();
    for statement in token::statements(text)? {
        let value = python::run(&statement, &mut names)?;
        found.look_at(&value);
    }
    match &found.schedules[..] {
        [one] => bind::table(one, found.rate),
        [] => Err(match found.others.first() {
            Some(other) => match instead(other) {
                Some(remedy) => {
                    CallError::new(format!("`{other}` is no single schedule here"), remedy)
                }
                None => CallError::new(
                    format!("there is no schedule `{other}`"),
                    "`pleach schedule --presets` lists those of all libraries",
                ),
            },
            None => CallError::new(
                "this calls nothing",
                "paste one call, such as StepLR(optimizer, step_size=30)",
            ),
        }),
        [first, second, ..] => Err(CallError::new(
            format!("there are several schedules: `{}` and `{}`", first.name, second.name),
            "paste one of them; phases follow each other in one line: \"0.1: 0 > 1 100st, > 0 cosine\"",
        )),
    }
}

#[derive(Default)]
struct Found {
    schedules: Vec<Call>,
    /// The names of other calls.
    others: Vec<String>,
    /// That of an optimizer.
    rate: Option<f64>,
}

impl Found {
    fn look_at(&mut self, value: &Value) {
        match value {
            Value::Call(call) => {
                if is_schedule(&call.name) {
                    if !self.schedules.contains(call) {
                        self.schedules.push(call.clone());
                    }
                    return;
                }
                for (name, value) in &call.arguments {
                    self.look_at(value);
                    let is_rate = matches!(name.as_deref(), Some("lr" | "learning_rate"));
                    if let (true, Value::Number(rate)) = (is_rate, value) {
                        self.rate = Some(*rate);
                    }
                }
                if instead(&call.name).is_some() {
                    // It is what its arguments are composed to.
                    self.schedules.clear();
                    self.others.insert(0, call.name.clone());
                } else {
                    self.others.push(call.name.clone());
                }
            }
            Value::List(items) => items.iter().for_each(|item| self.look_at(item)),
            _ => {}
        }
    }
}

fn is_schedule(name: &str) -> bool {
    is_by_name(name) || !candidates(name).is_empty()
}

/// `transformers.get_scheduler`, whose first argument says which.
fn is_by_name(name: &str) -> bool {
    name == "get_scheduler" || name.ends_with(".get_scheduler")
}
