//! A YAML file as a tree that knows its lines, read as `PyYAML`'s `safe_load` reads it, which is what W&B uses: plain words mean
//! what YAML 1.1 says (<https://yaml.org/type/>). How deep and how large a file may be, aliases followed, is limited.

mod plain;

use std::{borrow::Cow, collections::BTreeMap, iter::Peekable};

use granit_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, Tag};

use super::{ImportError, Note, word};
use plain::{Plain, dotted, resolved};

/// So many nodes, aliases followed: a hundred times more than any sweep that people wrote.
const NODES: usize = 200_000;

/// So deep may lists and tables nest.
const DEPTH: usize = 64;

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
    /// No two keys are equal.
    Table(Vec<Entry>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Of the key.
    pub(super) line: u64,
    pub(super) node: Node,
}

/// A file, and what is not read as it looks.
pub(super) struct File {
    pub(super) root: Node,
    pub(super) remarks: Vec<Note>,
}

pub(super) fn read(text: &str) -> Result<File, ImportError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        events: Parser::new_from_str(text).peekable(),
        line: 1,
        anchors: BTreeMap::new(),
        nodes: 0,
        remarks: Vec::new(),
    };
    let mut root = None;
    while let Some(event) = reader.next()? {
        match event {
            Event::StreamStart | Event::DocumentEnd | Event::StreamEnd | Event::Comment(..) => {}
            Event::DocumentStart(..) if root.is_none() => {
                let event = reader.content()?;
                root = Some(reader.node(event, 0)?);
            }
            _ => return Err(reader.wrong("a second document begins: a sweep is one")),
        }
    }
    let root = root.unwrap_or(Node { line: 1, kind: Kind::Null });
    Ok(File { root, remarks: reader.remarks })
}

struct Reader<'a> {
    events: Peekable<Parser<'a, StrInput<'a>>>,
    /// Of the last event.
    line: u64,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    remarks: Vec<Note>,
}

impl<'a> Reader<'a> {
    fn wrong(&self, message: impl Into<String>) -> ImportError {
        ImportError::At { line: self.line, message: message.into() }
    }

    fn next(&mut self) -> Result<Option<Event<'a>>, ImportError> {
        let fail = |error: ScanError| ImportError::At {
            line: error.marker().line() as u64,
            message: error.kind().to_string(),
        };
        let Some(next) = self.events.next() else { return Ok(None) };
        let (event, span) = next.map_err(fail)?;
        self.line = span.tag_start().unwrap_or(span.start).line() as u64;
        Ok(Some(event))
    }

    /// The next event that is not a comment.
    fn content(&mut self) -> Result<Event<'a>, ImportError> {
        loop {
            match self.next()? {
                Some(Event::Comment(..)) => {}
                Some(event) => return Ok(event),
                None => return Err(self.wrong("the file ends too early")),
            }
        }
    }

    fn node(&mut self, event: Event<'a>, depth: usize) -> Result<Node, ImportError> {
        let line = self.line;
        if depth == DEPTH {
            return Err(self.wrong(format!("it nests more than {DEPTH} deep")));
        }
        self.count(1)?;
        let (kind, anchor) = match event {
            Event::Alias(id) => {
                let Some(known) = self.anchors.get(&id).cloned() else {
                    return Err(self.wrong("an alias stands for what it is itself a part of"));
                };
                self.count(known.size())?;
                (known.kind, 0)
            }
            Event::Scalar(text, style, anchor, tag) => (self.scalar(text, style, tag)?, anchor),
            Event::SequenceStart(_, anchor, tag) => {
                self.plain_tag(tag.as_deref(), "seq")?;
                (self.list(depth)?, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.plain_tag(tag.as_deref(), "map")?;
                (self.table(depth)?, anchor)
            }
            _ => return Err(self.wrong("a value is missing")),
        };
        let node = Node { line, kind };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn count(&mut self, more: usize) -> Result<(), ImportError> {
        self.nodes += more;
        if NODES < self.nodes {
            return Err(
                self.wrong("the file is too large, with everything that its aliases stand for")
            );
        }
        Ok(())
    }

    fn list(&mut self, depth: usize) -> Result<Kind, ImportError> {
        let mut nodes = Vec::new();
        loop {
            match self.content()? {
                Event::SequenceEnd => return Ok(Kind::List(nodes)),
                event => nodes.push(self.node(event, depth + 1)?),
            }
        }
    }

    fn table(&mut self, depth: usize) -> Result<Kind, ImportError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut lines: BTreeMap<String, u64> = BTreeMap::new();
        let mut merged = Vec::new();
        loop {
            let key = match self.content()? {
                Event::MappingEnd => break,
                Event::Scalar(text, style, _, _) => {
                    if style == ScalarStyle::Plain && text == "<<" {
                        let event = self.content()?;
                        merged.push(self.node(event, depth + 1)?);
                        continue;
                    }
                    self.key(&text, style);
                    text.into_owned()
                }
                _ => return Err(self.wrong("a key must be a text")),
            };
            let line = self.line;
            if let Some(first) = lines.insert(key.clone(), line) {
                return Err(self.wrong(format!(
                    "`{}` stands here again (first in line {first}): keep one of them",
                    word(&key)
                )));
            }
            let event = self.content()?;
            let node = self.node(event, depth + 1)?;
            entries.push(Entry { key, line, node });
        }
        for node in merged {
            merge(&mut entries, node)?;
        }
        Ok(Kind::Table(entries))
    }

    fn key(&mut self, text: &str, style: ScalarStyle) {
        if style == ScalarStyle::Plain && !matches!(resolved(text), Plain::Text) {
            self.remark(format!("`{}` is a name here: W&B takes texts alone as keys", word(text)));
        }
    }

    fn remark(&mut self, message: String) {
        self.remarks.push(Note { line: Some(self.line), message });
    }

    fn plain_tag(&self, tag: Option<&Tag>, expected: &str) -> Result<(), ImportError> {
        match tag {
            Some(tag) if !tag.is_yaml_core_schema_tag(expected) => Err(self.unknown_tag(tag)),
            _ => Ok(()),
        }
    }

    fn unknown_tag(&self, tag: &Tag) -> ImportError {
        self.wrong(format!("the tag `{}` cannot be read, nor does W&B read it", tag.original()))
    }

    fn scalar(
        &mut self,
        text: Cow<'a, str>,
        style: ScalarStyle,
        tag: Option<Cow<'a, Tag>>,
    ) -> Result<Kind, ImportError> {
        let Some(tag) = tag else {
            return Ok(match style {
                ScalarStyle::Plain => self.plain(&text),
                _ => Kind::Text(text.into_owned()),
            });
        };
        // `! x` is a text.
        if tag.parts() == ("", "!") {
            return Ok(Kind::Text(text.into_owned()));
        }
        let is_not = || self.wrong(format!("`{}` does not fit its tag", word(&text)));
        match (tag.core_suffix(), resolved(&text)) {
            (Some("str"), _) => Ok(Kind::Text(text.into_owned())),
            (Some("null"), _) => Ok(Kind::Null),
            (Some("bool"), Plain::Bool(value)) => Ok(Kind::Bool(value)),
            (Some("int"), Plain::Int(value)) => Ok(Kind::Int(value)),
            (Some("float"), Plain::Float(value)) => Ok(Kind::Float(value)),
            (Some("float"), Plain::Int(value)) => Ok(Kind::Float(value as f64)),
            (Some("float"), _) => {
                text.replace('_', "").parse().map(Kind::Float).map_err(|_| is_not())
            }
            (Some("bool" | "int"), _) => Err(is_not()),
            _ => Err(self.unknown_tag(&tag)),
        }
    }

    fn plain(&mut self, text: &str) -> Kind {
        let shown = word(text);
        match resolved(text) {
            Plain::Null => Kind::Null,
            Plain::Bool(value) => {
                if !text.eq_ignore_ascii_case(&value.to_string()) {
                    self.remark(format!("`{shown}` is {value}, as W&B reads it"));
                }
                Kind::Bool(value)
            }
            Plain::Int(value) => {
                let is_odd = text.contains(':')
                    || text.trim_start_matches(['-', '+']).starts_with('0') && value != 0;
                if is_odd {
                    self.remark(format!("`{shown}` is {value}, as W&B reads it"));
                }
                Kind::Int(value)
            }
            Plain::Large => {
                self.remark(format!("`{shown}` is beyond 64 bits: it is told as a text"));
                Kind::Text(text.to_owned())
            }
            Plain::Float(value) => {
                if text.contains(':') {
                    self.remark(format!("`{shown}` is {value}, as W&B reads it"));
                }
                Kind::Float(value)
            }
            Plain::Exponent(value) => {
                self.remark(format!(
                    "`{shown}` is the number {value:?} here and on W&B's server, and a text to PyYAML: `{}` is a number everywhere",
                    dotted(text)
                ));
                Kind::Float(value)
            }
            Plain::Time => {
                self.remark(format!("`{shown}` is a date to YAML: it is told as a text"));
                Kind::Text(text.to_owned())
            }
            Plain::Text => Kind::Text(text.to_owned()),
        }
    }
}

/// What `<<` names: keys of the table itself come first, then those of the first table.
fn merge(entries: &mut Vec<Entry>, node: Node) -> Result<(), ImportError> {
    match node.kind {
        Kind::Table(more) => {
            for entry in more {
                if !entries.iter().any(|other| other.key == entry.key) {
                    entries.push(entry);
                }
            }
            Ok(())
        }
        Kind::List(nodes) => nodes.into_iter().try_for_each(|node| merge(entries, node)),
        _ => Err(node.wrong("`<<` takes a table, or a list of tables")),
    }
}

impl Node {
    pub(super) fn wrong(&self, message: impl Into<String>) -> ImportError {
        ImportError::At { line: self.line, message: message.into() }
    }

    fn size(&self) -> usize {
        1 + match &self.kind {
            Kind::List(nodes) => nodes.iter().map(Self::size).sum(),
            Kind::Table(entries) => entries.iter().map(|entry| entry.node.size()).sum(),
            _ => 0,
        }
    }

    /// The entries of a table; `what` it is, for the message if it is none.
    pub(super) fn table(&self, what: &str) -> Result<&[Entry], ImportError> {
        match &self.kind {
            Kind::Table(entries) => Ok(entries),
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
            Kind::Null => "null".to_owned(),
            Kind::Bool(value) => value.to_string(),
            Kind::Int(value) => value.to_string(),
            Kind::Float(value) => value.to_string(),
            Kind::Text(text) => format!("`{}`", word(text)),
            Kind::List(_) => "a list".to_owned(),
            Kind::Table(_) => "a table".to_owned(),
        }
    }
}
