//! A sweep file as a tree with the place of everything in it, in the file's own order.
//!
//! A comment `#:set KEY=VALUE` at the beginning of a line overrides the key of that dotted name, as `--set` does: so the
//! file of a run says all of it, and a mistake in an override has a place as well.

use std::{collections::BTreeSet, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{diagnostic::Diagnostic, spec::Extension, value::Value};

pub(super) type Span = Range<usize>;

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A bool, number or text.
    Scalar(Value),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// A number that is out of range, or a date.
    Unusable(String),
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Span,
    pub(super) node: Node,
}

/// Files that are larger were not written by a person.
const MAX_LENGTH: usize = 1 << 20;

/// Reads TOML and applies its overrides.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, Vec<Diagnostic>> {
    let fail = |message: String, span, help: &str| {
        vec![Diagnostic { message, span, label: String::new(), help: help.to_owned() }]
    };
    if MAX_LENGTH < text.len() {
        return Err(fail(
            "the file is larger than 1 MiB".to_owned(),
            None,
            "write axes rather than lists of points",
        ));
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let diagnostic = |error: &toml::de::Error| Diagnostic {
            message: "this is not TOML".to_owned(),
            span: error.span(),
            label: error.message().to_owned(),
            help: String::new(),
        };
        return Err(errors.iter().map(diagnostic).collect());
    }
    let mut root = entries(table.get_ref());
    for (key, value, span) in overrides(text) {
        if key.split('.').any(|part| part.trim().is_empty()) {
            return Err(fail(
                "an override needs a key".to_owned(),
                Some(span),
                "write KEY=VALUE, such as trainer.budget=1ep",
            ));
        }
        set(&mut root, key, &span, &value);
    }
    Ok(root)
}

/// How the line of an override begins.
pub(super) const MARK: &str = "#:set ";

/// How the line of an extension begins: a budget and the points that are also trained with it.
pub(super) const EXTENSION: &str = "#:extend ";

/// The extensions in a text, as [`super::with_extension`] writes them.
pub fn extensions(text: &str) -> Vec<Extension> {
    let read = |line: &str| {
        let mut words = line.strip_prefix(EXTENSION)?.split_whitespace();
        let budget = words.next()?.to_owned();
        Some(Extension { budget, points: words.map(str::parse).collect::<Result<_, _>>().ok()? })
    };
    text.lines().filter_map(read).collect()
}

/// How the line begins that limits a sweep to some points of its expansion.
pub(super) const ONLY: &str = "#:only ";

/// The points in a text's last such line, as [`super::with_retest`] writes it; what is no point is none.
pub(super) fn only(text: &str) -> Option<BTreeSet<u64>> {
    let line = text.lines().rev().find_map(|line| line.strip_prefix(ONLY))?;
    Some(line.split_whitespace().filter_map(|point| point.parse().ok()).collect())
}

/// The overrides in a text: key, value, and the place of the whole.
fn overrides(text: &str) -> Vec<(&str, Node, Span)> {
    let mut start = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        if let Some(assignment) = line.strip_prefix(MARK) {
            let (key, value) =
                assignment.trim_end().split_once('=').unwrap_or((assignment.trim_end(), ""));
            let from = start + MARK.len() + key.len() + 1;
            let span = start + MARK.len()..start + line.trim_end().len();
            found.push((key.trim(), override_value(value, from), span));
        }
        start += line.len();
    }
    found
}

/// A value as in TOML; what is no TOML is a text.
fn override_value(text: &str, start: usize) -> Node {
    let value_span = start..start + text.len();
    match DeValue::parse(text) {
        Ok(value) => shifted(node(value.get_ref(), value.span()), start),
        Err(_) => {
            Node { span: value_span, kind: Kind::Scalar(Value::Text(text.trim().to_owned())) }
        }
    }
}

fn shifted(mut node: Node, by: usize) -> Node {
    let shift = |span: &Span| span.start + by..span.end + by;
    node.span = shift(&node.span);
    node.kind = match node.kind {
        Kind::List(nodes) => Kind::List(nodes.into_iter().map(|node| shifted(node, by)).collect()),
        Kind::Table(entries) => Kind::Table(
            entries
                .into_iter()
                .map(|Entry { key, key_span, node }| Entry {
                    key,
                    key_span: shift(&key_span),
                    node: shifted(node, by),
                })
                .collect(),
        ),
        kind => kind,
    };
    node
}

fn set(table: &mut Vec<Entry>, key: &str, span: &Span, value: &Node) {
    let (first, rest) =
        key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
    let position = table.iter().position(|entry| entry.key == first);
    let index = position.unwrap_or_else(|| {
        let node = Node { span: span.clone(), kind: Kind::Table(Vec::new()) };
        table.push(Entry { key: first.to_owned(), key_span: span.clone(), node });
        table.len() - 1
    });
    let node = &mut table[index].node;
    match (rest, &mut node.kind) {
        (None, _) => *node = value.clone(),
        (Some(rest), Kind::Table(entries)) => set(entries, rest, span, value),
        (Some(rest), kind) => {
            let mut entries = Vec::new();
            set(&mut entries, rest, span, value);
            *kind = Kind::Table(entries);
        }
    }
}

fn entries(table: &DeTable) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_span: key.span(),
            node: node(value.get_ref(), value.span()),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    entries
}

fn node(value: &DeValue, span: Span) -> Node {
    let scalar = Kind::Scalar;
    let unusable = || Kind::Unusable("out of range".to_owned());
    let kind = match value {
        DeValue::String(text) => scalar(Value::Text(text.to_string())),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or_else(|_| unusable(), |integer| scalar(Value::Int(integer))),
        DeValue::Float(float) => match float.as_str().parse::<f64>() {
            Ok(float) if float.is_finite() => scalar(Value::Float(float)),
            _ => Kind::Unusable("not a finite number".to_owned()),
        },
        DeValue::Boolean(value) => scalar(Value::Bool(*value)),
        DeValue::Datetime(_) => Kind::Unusable("a date".to_owned()),
        DeValue::Array(array) => Kind::List(
            array.iter().map(|item: &Spanned<DeValue>| node(item.get_ref(), item.span())).collect(),
        ),
        DeValue::Table(table) => Kind::Table(entries(table)),
    };
    Node { span, kind }
}

impl Node {
    /// What it is, for messages.
    pub(super) fn what(&self) -> &str {
        match &self.kind {
            Kind::Scalar(Value::Bool(_)) => "true or false",
            Kind::Scalar(Value::Int(_)) => "a whole number",
            Kind::Scalar(Value::Float(_)) => "a number",
            Kind::Scalar(_) => "a text",
            Kind::List(_) => "a list",
            Kind::Table(_) => "a table",
            Kind::Unusable(what) => what,
        }
    }

    /// As a value: a scalar, or a list of values.
    pub(super) fn value(&self) -> Option<Value> {
        match &self.kind {
            Kind::Scalar(value) => Some(value.clone()),
            Kind::List(nodes) => {
                nodes.iter().map(Self::value).collect::<Option<_>>().map(Value::List)
            }
            Kind::Table(_) | Kind::Unusable(_) => None,
        }
    }

    pub(super) fn table(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Table(entries) => Some(entries),
            _ => None,
        }
    }
}
