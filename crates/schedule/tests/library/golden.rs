//! The golden values of other libraries, as `scripts/goldens/regenerate` writes them.

use std::collections::BTreeMap;

use pleach_schedule::{
    duration::Horizon,
    library::LIBRARIES,
    preset::{Argument, Expected, find, preset},
    resolved::Resolved,
    schedule::{ResolveError, Schedule},
};
use serde_json::Value;

/// One class with some arguments, or a line that means what a library composes.
pub(crate) struct Case {
    /// `torch 2.15.0`.
    pub(crate) library: String,
    /// Its name in [`LIBRARIES`].
    pub(crate) of: &'static str,
    /// `torch.StepLR`; empty for a line.
    pub(crate) class: String,
    /// How it reads in a message.
    pub(crate) text: String,
    pub(crate) schedule: Schedule,
    /// The steps of which there are values, or evaluations.
    pub(crate) at: Vec<u64>,
    /// What was evaluated, for schedules that only this decides.
    pub(crate) metrics: Vec<f64>,
    pub(crate) values: Vec<f64>,
    budget: Option<u64>,
    /// The class and its arguments, to build it with others.
    table: Value,
}

impl Case {
    /// How far from a value a rate may be, as a multiple of the peak.
    pub(crate) fn tolerance(&self) -> f64 {
        let is_single = ["keras", "optax", "fastai"].contains(&self.of);
        if is_single { 2e-6 } else { 1e-12 }
    }

    /// The schedule for a budget that holds all of its phases and all values, or so many times as long, and for epochs
    /// that are so many times as long.
    pub(crate) fn resolve(&self, schedule: &Schedule, budget: u64, epoch: u64) -> Resolved {
        let last = self.at.last().map_or(1, |last| last + 1);
        let steps_per_epoch = self.steps_per_epoch() * epoch;
        let for_steps = |steps| schedule.resolve(Horizon { steps, steps_per_epoch });
        let resolved = match for_steps(self.budget.unwrap_or(last) * budget) {
            Err(ResolveError::TooLong { steps, .. }) => for_steps(steps.ceil() as u64),
            other => other,
        };
        resolved.unwrap_or_else(|error| panic!("{}: {error}", self.text))
    }

    /// fastai's fits were run in epochs of four.
    fn steps_per_epoch(&self) -> u64 {
        if self.of == "fastai" { 4 } else { 1 }
    }

    /// The same with another argument.
    pub(crate) fn with(&self, name: &str, argument: Argument) -> Schedule {
        let mut arguments = arguments(&self.class, &self.table["arguments"]);
        arguments.insert(name.to_owned(), argument);
        build(&self.class, self.table["peak"].as_f64(), &arguments)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let tables: Vec<Value> = serde_json::from_str(include_str!("../goldens.json")).unwrap();
    tables.into_iter().map(case).collect()
}

fn case(table: Value) -> Case {
    let library = table["library"].as_str().unwrap().to_owned();
    let numbers = |name: &str| numbers(table.get(name).unwrap_or(&Value::Null));
    let (class, text, schedule) = if let Some(line) = table["line"].as_str() {
        (String::new(), line.to_owned(), line.parse().unwrap())
    } else {
        let class = table["use"].as_str().unwrap();
        let arguments = arguments(class, &table["arguments"]);
        let schedule = build(class, table["peak"].as_f64(), &arguments);
        (class.to_owned(), format!("{class} {}", table["arguments"]), schedule)
    };
    let at = match table["steps"].as_u64() {
        Some(steps) => (0..steps).collect(),
        None => numbers("at").into_iter().map(|step| step as u64).collect(),
    };
    let name = class.split_once('.').map_or(library.split(' ').next().unwrap(), |(of, _)| of);
    let of = LIBRARIES.iter().find(|library| library.name == name).unwrap().name;
    let (metrics, values) = (numbers("metrics"), numbers("values"));
    let budget = table["budget"].as_u64();
    Case { library, of, class, text, schedule, at, metrics, values, budget, table }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().map(|number| number.as_f64().unwrap()).collect()
}

/// No case has a duration that depends on it.
const HORIZON: Horizon = Horizon { steps: 1000, steps_per_epoch: 100 };

fn build(class: &str, peak: Option<f64>, arguments: &BTreeMap<String, Argument>) -> Schedule {
    let info = find(class).unwrap_or_else(|| panic!("there is no {class}"));
    preset(info, peak, arguments, HORIZON)
        .unwrap_or_else(|error| panic!("{class} {arguments:?}: {error}"))
}

fn arguments(class: &str, table: &Value) -> BTreeMap<String, Argument> {
    let info = find(class).unwrap_or_else(|| panic!("there is no {class}"));
    let argument = |(name, value): (&String, &Value)| {
        let known = info.all_arguments().find(|info| info.name == name);
        let expected = known.unwrap_or_else(|| panic!("{class} takes no {name}")).expected;
        let argument = match (expected, value) {
            (Expected::Duration, Value::String(text)) => Argument::Duration(text.parse().unwrap()),
            (_, Value::Bool(value)) => Argument::Bool(*value),
            (_, Value::Array(_)) => Argument::Numbers(numbers(value)),
            (_, Value::String(text)) => Argument::Text(text.clone()),
            (_, value) => Argument::Number(value.as_f64().unwrap()),
        };
        (name.clone(), argument)
    };
    table.as_object().unwrap().iter().map(argument).collect()
}
