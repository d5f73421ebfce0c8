//! Parameter values: what an axis can hold and what a worker is told.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// The parameters of one configuration, by name. Ordered, so that everything derived from them is.
pub type Parameters = BTreeMap<String, Value>;

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
