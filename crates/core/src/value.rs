//! Parameter values: what an axis can hold and what a worker is told.

use std::{borrow::Cow, fmt};

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

impl Value {
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

/// A text as a cell of comma-separated values (RFC 4180). One that a spreadsheet would take for a formula gets `'` before it;
/// numbers stay what they are.
pub fn cell(text: &str) -> Cow<'_, str> {
    let is_formula =
        text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
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
            ("-x,y", "\"'-x,y\""),
            ("\r=1", "\"'\r=1\""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }
}
