//! Reads sections: known keys only, each of its type, every mistake noted and none final.

use crate::{
    diagnostic::{Diagnostic, suggest},
    spec::node::{Entry, Kind, Node, Span},
    value::Value,
};

#[derive(Default)]
pub(super) struct Reader {
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Reader {
    pub(super) fn error(
        &mut self,
        span: &Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.diagnostics.push(Diagnostic {
            message: message.into(),
            span: Some(span.clone()),
            label: label.into(),
            help: help.into(),
        });
    }

    /// The entries of a table; a mistake otherwise.
    pub(super) fn table<'a>(&mut self, entry: &'a Entry) -> &'a [Entry] {
        entry.node.table().unwrap_or_else(|| {
            const SECTIONS: [&str; 5] = ["sweep", "search", "run", "stop", "command"];
            let Entry { key, node, .. } = entry;
            let help = if SECTIONS.contains(&key.as_str()) {
                format!("write [{key}] and its keys below")
            } else {
                format!("write {key} = {{ name = value }}")
            };
            self.error(
                &node.span,
                format!("`{key}` must be a table"),
                format!("this is {}", node.what()),
                help,
            );
            &[]
        })
    }

    /// Notes every key that is not known.
    pub(super) fn only(&mut self, entries: &[Entry], known: &[String], what: &str) {
        for entry in entries {
            if !known.contains(&entry.key) {
                let help = suggest(&entry.key, known.iter().map(String::as_str));
                self.error(
                    &entry.key_span,
                    format!("{what} has no key `{}`", entry.key),
                    "unknown",
                    help,
                );
            }
        }
    }

    pub(super) fn wrong_type<T>(&mut self, entry: &Entry, expected: &str, help: &str) -> Option<T> {
        let message = format!("`{}` must be {expected}", entry.key);
        self.error(&entry.node.span, message, format!("this is {}", entry.node.what()), help);
        None
    }

    pub(super) fn text(&mut self, entry: &Entry, help: &str) -> Option<String> {
        match &entry.node.kind {
            Kind::Scalar(Value::Text(text)) => Some(text.clone()),
            _ => self.wrong_type(entry, "a text", help),
        }
    }

    pub(super) fn texts(&mut self, entry: &Entry, help: &str) -> Option<Vec<String>> {
        let text = |node: &Node| match &node.kind {
            Kind::Scalar(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        match &entry.node.kind {
            Kind::List(nodes) if nodes.iter().all(|node| text(node).is_some()) => {
                Some(nodes.iter().filter_map(text).collect())
            }
            _ => self.wrong_type(entry, "a list of texts", help),
        }
    }

    /// A whole number from `min`.
    pub(super) fn whole(&mut self, entry: &Entry, min: i64, help: &str) -> Option<u64> {
        match entry.node.kind {
            Kind::Scalar(Value::Int(value)) if min <= value => Some(value as u64),
            Kind::Scalar(Value::Int(value)) => {
                self.error(
                    &entry.node.span,
                    format!("`{}` must be at least {min}", entry.key),
                    format!("this is {value}"),
                    help,
                );
                None
            }
            _ => self.wrong_type(entry, "a whole number", help),
        }
    }

    /// One of some words.
    pub(super) fn word<T: Copy>(&mut self, entry: &Entry, words: &[(&str, T)]) -> Option<T> {
        let names: Vec<String> = words.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let help = format!("write {}", names.join(" or "));
        let text = self.text(entry, &help)?;
        let found = words.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            // maximize, Max: there is only one word that begins so.
            let lower = text.to_lowercase();
            let mut meant = words.iter().filter(|(name, _)| lower.starts_with(name));
            let help = match (meant.next(), meant.next()) {
                (Some((name, _)), None) => format!("write \"{name}\""),
                _ => help,
            };
            self.error(
                &entry.node.span,
                format!("`{}` cannot be \"{text}\"", entry.key),
                "unknown",
                help,
            );
        }
        found.map(|(_, value)| *value)
    }

    /// A stretch of time, in seconds.
    pub(super) fn time(&mut self, entry: &Entry) -> Option<f64> {
        self.quantity(
            entry,
            read_time,
            "a time",
            "write a number and its unit: \"90s\", \"30min\", \"2h\", \"1d\"",
        )
    }

    /// A size, in bytes.
    pub(super) fn size(&mut self, entry: &Entry) -> Option<u64> {
        self.quantity(
            entry,
            read_size,
            "a size",
            "write a number and its unit: \"500MiB\", \"2GiB\"",
        )
        .map(|bytes| bytes as u64)
    }

    fn quantity(
        &mut self,
        entry: &Entry,
        read: fn(&str) -> Option<f64>,
        what: &str,
        help: &str,
    ) -> Option<f64> {
        let text = match &entry.node.kind {
            Kind::Scalar(Value::Text(text)) => text.trim(),
            _ => return self.wrong_type(entry, what, help),
        };
        let quantity = read(text);
        if quantity.is_none() {
            self.error(
                &entry.node.span,
                format!("`{}` is not {what}", entry.key),
                format!("\"{text}\""),
                help,
            );
        }
        quantity
    }
}

/// A stretch of time, in seconds: `90s`, `30min`, `2h`, `1d`.
pub fn read_time(text: &str) -> Option<f64> {
    amount(text, &[("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3600.0), ("d", 86400.0)])
}

/// A size, in bytes: `500MiB`, `2GiB`, `1GB`.
fn read_size(text: &str) -> Option<f64> {
    let binary = [("KiB", 1024.0), ("MiB", 1_048_576.0), ("GiB", 1_073_741_824.0)];
    let decimal = [("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("TiB", 1_099_511_627_776.0)];
    amount(text, &[&binary[..], &decimal].concat())
}

/// A number above zero and a unit.
fn amount(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let number: f64 = text[..split].parse().ok()?;
    let (_, factor) = units.iter().find(|(unit, _)| *unit == text[split..].trim())?;
    (0.0 < number && number < 1e9).then_some(number * factor)
}

/// The entry of that key.
pub(super) fn find<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.key == key)
}
