//! Parameter values: what an axis can hold and what a worker is told.

use std::{borrow::Cow, fmt};

use pleach_schedule::duration::Duration;
use serde::{Deserialize, Serialize};

pub use crate::parameters::Parameters;

/// One parameter's value. Durations (`5ep`) are texts; whoever needs one reads it as such.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Value>),
}

/// In what a value is measured that has an order. Values of two units have none between them: it depends on the trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number is a number.
    None,
    /// Of the trial's budget.
    Percent,
    Epochs,
    Steps,
}

impl Unit {
    fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Percent => "%",
            Self::Epochs => "ep",
            Self::Steps => "st",
        }
    }

    /// So much of it. Steps are whole.
    pub(crate) fn value(self, number: Value) -> Value {
        match (self, number) {
            (Self::None, number) => number,
            (Self::Steps, Value::Float(number)) => Value::Text(format!("{}st", number.round())),
            (unit, number) => Value::Text(format!("{number}{}", unit.suffix())),
        }
    }
}

impl Value {
    /// How much it is, of what has an order: a number, or a duration's number and its unit.
    pub fn measure(&self) -> Option<(f64, Unit)> {
        let Self::Text(text) = self else { return Some((self.number()?, Unit::None)) };
        let unit = match text.parse().ok()? {
            Duration::Fraction(_) => Unit::Percent,
            Duration::Epochs(_) => Unit::Epochs,
            Duration::Steps(_) => Unit::Steps,
        };
        Some((text.strip_suffix(unit.suffix())?.parse().ok()?, unit))
    }

    /// Whether it names one thing among others, and has no order.
    pub(crate) fn is_name(&self) -> bool {
        matches!(self, Self::Text(_)) && self.measure().is_none()
    }

    /// The number that it is; `None` for anything else.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Bool(_) | Self::Text(_) | Self::List(_) => None,
        }
    }
}

impl fmt::Display for Value {
    /// As a person writes it: floats with the fewest digits that read back the same, texts bare.
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(formatter, "{value}"),
            Self::Int(value) => write!(formatter, "{value}"),
            Self::Float(value) if *value != 0.0 && !(1e-4..1e7).contains(&value.abs()) => {
                write!(formatter, "{value:e}")
            }
            Self::Float(value) => write!(formatter, "{value}"),
            Self::Text(value) => formatter.write_str(value),
            Self::List(values) => {
                formatter.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    if 0 < index {
                        formatter.write_str(", ")?;
                    }
                    write!(formatter, "{value}")?;
                }
                formatter.write_str("]")
            }
        }
    }
}

/// A text as a cell of comma-separated values (RFC 4180). One that a spreadsheet would take for a formula gets `'` before it, and so
/// does one that looks as if it had got it already, so that no two texts are one; numbers stay what they are.
pub fn cell(text: &str) -> Cow<'_, str> {
    let is_formula = text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
        && text.parse::<f64>().is_err();
    let text = if is_formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) };
    if text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_an_order_is_a_number_or_a_duration() {
        let text = |text: &str| Value::Text(text.to_owned());
        for (value, expected) in [
            (Value::Int(3), Some((3.0, Unit::None))),
            (Value::Float(0.5), Some((0.5, Unit::None))),
            (text("7%"), Some((7.0, Unit::Percent))),
            (text("2.5ep"), Some((2.5, Unit::Epochs))),
            (text("300st"), Some((300.0, Unit::Steps))),
            (text("cosine"), None),
            (text("7"), None),
            (text("-7%"), None),
            (Value::Bool(true), None),
        ] {
            assert_eq!(value.measure(), expected, "{value}");
            assert_eq!(value.is_name(), expected.is_none() && matches!(value, Value::Text(_)));
            if let Some((number, unit)) = expected {
                let made = unit.value(Value::Float(number));
                assert_eq!(made.measure(), expected, "{value}");
            }
        }
        assert_eq!(Unit::Steps.value(Value::Float(99.6)), text("100st"));
    }

    #[test]
    fn a_cell_holds_any_text_and_is_no_formula() {
        for (text, expected) in [
            ("a", "a"),
            ("", ""),
            ("[1, 2]", "\"[1, 2]\""),
            ("a\"b", "\"a\"\"b\""),
            ("a\nb", "\"a\nb\""),
            ("-1e-3", "-1e-3"),
            ("+1", "+1"),
            ("-inf", "-inf"),
            ("=1+1", "'=1+1"),
            ("@x", "'@x"),
            ("'=1", "''=1"),
            ("'a", "'a"),
            ("-x,y", "\"'-x,y\""),
            ("\r=1", "\"'\r=1\""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }
}
