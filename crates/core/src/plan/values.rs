//! Whether a value is one that a parameter takes, and what the worker is told.

use pleach_schedule::{duration::Duration, follow::Follow};

use crate::{
    diagnostic::suggest,
    program::{Kind, Parameter},
    value::Value,
};

/// What is wrong with a value: message and remedy.
pub(super) type Mistake = (String, String);

/// The value as the worker is told, or what is wrong with it.
pub(super) fn fitting(parameter: &Parameter, value: &Value) -> Result<Value, Mistake> {
    let name = &parameter.name;
    let wrong = |expected: &str| {
        Err((format!("`{name}` must be {expected}, not {}", spelled(value)), parameter.doc.clone()))
    };
    match (&parameter.kind, value) {
        (Kind::Bool, Value::Bool(_)) => Ok(value.clone()),
        (Kind::Bool, _) => wrong("true or false"),
        (Kind::Int { min, max }, Value::Int(number)) => {
            within(name, *number, *min, *max, &parameter.doc)?;
            Ok(value.clone())
        }
        (Kind::Int { .. }, _) => wrong("a whole number"),
        (Kind::Float { min, max }, Value::Float(number)) => {
            within(name, *number, *min, *max, &parameter.doc)?;
            Ok(value.clone())
        }
        // 1 means 1.0: nothing is lost.
        (Kind::Float { min, max }, Value::Int(number)) => {
            within(name, *number as f64, *min, *max, &parameter.doc)?;
            Ok(Value::Float(*number as f64))
        }
        // Its values are looked at once the trial's length is known.
        (Kind::Float { .. }, Value::Text(text)) if parameter.per_step => {
            match text.parse::<Follow>() {
                Ok(_) => Ok(value.clone()),
                Err(error) => Err((format!("`{name}` cannot follow `{text}`"), error.to_string())),
            }
        }
        (Kind::Float { .. }, _) if parameter.per_step => wrong("a number or a schedule"),
        (Kind::Float { .. }, _) => wrong("a number"),
        (Kind::Text { choices, pattern }, Value::Text(text)) => {
            if pattern.is_some() || choices.is_empty() || choices.contains(text) {
                return Ok(value.clone());
            }
            let help = suggest(text, choices.iter().map(String::as_str));
            Err((format!("`{name}` cannot be \"{text}\""), help))
        }
        (Kind::Text { .. }, _) => wrong("a text"),
        (Kind::Duration, Value::Text(text)) => match text.parse::<Duration>() {
            Ok(_) => Ok(value.clone()),
            Err(error) => Err((format!("`{name}`: {error}"), String::new())),
        },
        (Kind::Duration, _) => wrong("a duration, such as \"5ep\" or \"300st\""),
    }
}

/// Whether every value of a schedule, from `lowest` to `highest`, is one that a number takes.
pub(super) fn extremes_fitting(
    parameter: &Parameter,
    (lowest, highest): (f64, f64),
) -> Result<(), Mistake> {
    let Kind::Float { min, max } = parameter.kind else { return Ok(()) };
    within(&parameter.name, lowest, min, max, &parameter.doc)?;
    within(&parameter.name, highest, min, max, &parameter.doc)
}

fn within<T: PartialOrd + std::fmt::Display + Copy>(
    name: &str,
    value: T,
    min: Option<T>,
    max: Option<T>,
    doc: &str,
) -> Result<(), Mistake> {
    let fail =
        |bound: String| Err((format!("`{name}` must be {bound}, not {value}"), doc.to_owned()));
    match (min, max) {
        (Some(min), _) if value < min => fail(format!("at least {min}")),
        (_, Some(max)) if max < value => fail(format!("at most {max}")),
        _ => Ok(()),
    }
}

/// As it stands in a sweep file.
pub(super) fn spelled(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("\"{text}\""),
        other => other.to_string(),
    }
}
