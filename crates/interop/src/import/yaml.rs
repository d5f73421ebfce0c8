//! A YAML file as a tree that knows its lines. How deep and how large it may be, aliases followed, the reader limits.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::Spanned;

use super::ImportError;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// Counts from 1.
    pub(super) line: u64,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
}

pub(super) fn read(text: &str) -> Result<Node, ImportError> {
    serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        let message = error.to_string();
        // The line is said once, and nothing of the reader's own settings.
        let message = message.lines().next().unwrap_or_default();
        let message = [" at line ", ", set "]
            .iter()
            .fold(message, |message, end| message.split(end).next().unwrap_or_default());
        let message = match message.strip_prefix("budget breached") {
            Some(_) => "the file is too large, with all that its aliases stand for".to_owned(),
            None => message.to_owned(),
        };
        match error.location() {
            Some(location) => ImportError::At { line: location.line(), message },
            None => ImportError::Whole(message),
        }
    })
}

impl Node {
    pub(super) fn wrong(&self, message: impl Into<String>) -> ImportError {
        ImportError::At { line: self.line, message: message.into() }
    }

    /// The pairs of a table; `what` it is, for the message if it is none.
    pub(super) fn table(&self, what: &str) -> Result<&[(String, Node)], ImportError> {
        match &self.kind {
            Kind::Table(pairs) => Ok(pairs),
            _ => Err(self.wrong(format!("{what} must be a table of keys, not {}", self.what()))),
        }
    }

    pub(super) fn list(&self, what: &str) -> Result<&[Node], ImportError> {
        match &self.kind {
            Kind::List(nodes) => Ok(nodes),
            _ => Err(self.wrong(format!("{what} must be a list, not {}", self.what()))),
        }
    }

    pub(super) fn text(&self, what: &str) -> Result<&str, ImportError> {
        match &self.kind {
            Kind::Text(text) => Ok(text),
            _ => Err(self.wrong(format!("{what} must be a text, not {}", self.what()))),
        }
    }

    /// A finite number.
    pub(super) fn number(&self, what: &str) -> Result<f64, ImportError> {
        match self.kind {
            Kind::Int(value) => Ok(value as f64),
            Kind::Float(value) if value.is_finite() => Ok(value),
            _ => Err(self.wrong(format!("{what} must be a number, not {}", self.what()))),
        }
    }

    pub(super) fn what(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::Bool(value) => value.to_string(),
            Kind::Int(value) => value.to_string(),
            Kind::Float(value) => value.to_string(),
            Kind::Text(text) => format!("`{text:.40}`"),
            Kind::List(_) => "a list".to_owned(),
            Kind::Table(_) => "a table".to_owned(),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        Ok(Self { line: spanned.referenced.line(), kind: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(i64::try_from(value).map_or(Kind::Float(value as f64), Kind::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Kind, E> {
        Ok(Kind::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Kind, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = seq.next_element()? {
            nodes.push(node);
        }
        Ok(Kind::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Kind::Table(pairs))
    }
}
