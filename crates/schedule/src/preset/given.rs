//! The arguments given to a preset: each known, each of its kind, and read.

use std::collections::BTreeMap;

use super::{
    Argument,
    Expected::{
        self, Bool, Count, Duration as Span, Durations, Metric, Number, Numbers, Phases,
        Shape as Form, Time, Times, Word,
    },
    PresetError, PresetInfo,
};
use crate::{
    duration::{Duration, Horizon},
    library::{self, Elsewhere},
    phase::{Body, Shape},
    plateau,
    schedule::Schedule,
};

/// The arguments given to a preset, each known and of the right kind once checked.
pub(crate) struct Given<'a> {
    pub(crate) info: &'static PresetInfo,
    pub(crate) peak: Option<f64>,
    pub(crate) arguments: &'a BTreeMap<String, Argument>,
    pub(crate) horizon: Horizon,
}

impl Given<'_> {
    pub(crate) fn check(&self) -> Result<(), PresetError> {
        for (name, value) in self.arguments {
            let Some(info) = self.info.all_arguments().find(|info| info.name == name) else {
                self.unknown(name, value)?;
                continue;
            };
            let is_right = match (info.expected, value) {
                (Number, Argument::Number(number)) => number.is_finite(),
                (Count, Argument::Number(number)) => {
                    (0.0..=f64::from(u32::MAX)).contains(number) && number.fract() == 0.0
                }
                (Span | Time, Argument::Duration(_))
                | (Durations | Times, Argument::Durations(_)) => true,
                (Numbers, Argument::Numbers(numbers)) => !numbers.is_empty(),
                (Time, Argument::Number(number)) => is_time(*number),
                (Times, Argument::Numbers(numbers)) => numbers.iter().copied().all(is_time),
                (Bool, Argument::Bool(_)) | (Form | Phases, Argument::Text(_)) => true,
                (Word(words), Argument::Text(word)) => words.contains(&word.as_str()),
                (Metric, Argument::Text(metric)) => plateau::is_metric(metric),
                _ => false,
            };
            if !is_right {
                return Err(self.wrong(name, legal(info.expected)));
            }
            if let Argument::Duration(Duration::Fraction(share)) = value
                && 1.0 + 1e-9 < *share
            {
                return Err(self.wrong(name, "at most \"100%\": it is of the whole budget"));
            }
        }
        Ok(())
    }

    /// Fine for an argument of the same class in its own library that has no effect there.
    fn unknown(&self, name: &str, value: &Argument) -> Result<(), PresetError> {
        let (message, help) = match library::elsewhere(self.info.name, name, value) {
            Some(Elsewhere::NoEffect) => return Ok(()),
            Some(Elsewhere::Instead(remedy)) => {
                (format!("`{}` has no `{name}` here", self.info.name), remedy.to_owned())
            }
            None => {
                let names: Vec<&str> = self.info.all_arguments().map(|info| info.name).collect();
                let help = format!("it takes {}", names.join(", "));
                (format!("`{}` has no argument `{name}`", self.info.name), help)
            }
        };
        Err(PresetError { argument: name.to_owned(), message, help })
    }

    pub(crate) fn wrong(&self, name: &str, help: impl Into<String>) -> PresetError {
        PresetError {
            argument: name.to_owned(),
            message: format!("`{name}` of `{}` is not what it can be", self.info.name),
            help: help.into(),
        }
    }

    pub(crate) fn missing(&self, name: &str) -> PresetError {
        PresetError {
            argument: String::new(),
            message: format!("`{}` needs `{name}`", self.info.name),
            help: format!("add `{name}`"),
        }
    }

    /// Whether an argument is given; `peak` too.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.arguments.contains_key(name) || name == "peak" && self.peak.is_some()
    }

    /// An argument's default, as it is written; empty if it has none.
    pub(crate) fn default(&self, name: &str) -> &'static str {
        self.info.all_arguments().find(|info| info.name == name).map_or("", |info| info.default)
    }

    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        match self.arguments.get(name) {
            Some(Argument::Number(number)) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.arguments.get(name) {
            Some(Argument::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn duration(&self, name: &str) -> Option<Duration> {
        match self.arguments.get(name) {
            Some(Argument::Duration(duration)) => Some(*duration),
            _ => None,
        }
    }

    /// A shape's name, in the one-line spelling.
    pub(crate) fn shape(&self, name: &str, default: Shape) -> Result<Shape, PresetError> {
        let Some(text) = self.text(name) else { return Ok(default) };
        let line: Result<Schedule, _> = format!("1: > 0 {text}").parse();
        match line.as_ref().map(|line| &line.factors[0][0].body) {
            Ok(Body::Shape { shape, .. }) => Ok(*shape),
            _ => Err(self.wrong(name, legal(Form))),
        }
    }
}

/// A number of steps: finite, not negative.
fn is_time(number: f64) -> bool {
    number.is_finite() && 0.0 <= number
}

pub(super) fn legal(expected: Expected) -> String {
    let words = match expected {
        Word(words) => {
            let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            return quoted.join(" or ");
        }
        Number => "a number, such as 0.1",
        Count => "a whole number, not negative",
        Bool => "true or false",
        Form => {
            "a shape: linear, cosine, poly(p=2), 1-sqrt, 1-square, power(p=3), exp, geometric, rex, tanh"
        }
        Span => "a duration: \"10%\" of the budget, \"5ep\" or \"300st\"",
        Durations => "a list of durations, such as [\"50%\", \"75%\"]",
        Numbers => "a list of numbers, such as [1.0, 0.5]",
        Time => {
            "a number of steps, such as 300, or a duration: \"10%\" of the budget, \"5ep\" or \"300st\""
        }
        Times => {
            "a list of numbers of steps, such as [300, 600], or of durations: [\"50%\", \"75%\"]"
        }
        Metric => "the name of a metric, such as \"val_accuracy\"",
        Phases => "phases in the one-line spelling, such as \"0 > 1 5%, hold, > 0 20% 1-sqrt\"",
    };
    words.to_owned()
}
