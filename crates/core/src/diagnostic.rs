//! What is wrong with a sweep file: all of it at once, each with its line, a caret, and what to write instead.

use std::{fmt, ops::Range};

use crate::plain::{is_unprintable, safe};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub message: String,
    /// Bytes of the file; absent when no place is at fault.
    pub span: Option<Range<usize>>,
    /// Stands at the caret.
    pub label: String,
    /// What to write instead; may be empty.
    pub help: String,
}

/// Everything that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    pub source: Source,
    pub list: Vec<Diagnostic>,
}

/// A file's name, for messages, and its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    pub name: String,
    pub text: String,
}

/// Whether escape sequences for colour are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    Plain,
    Ansi,
}

impl Diagnostics {
    #[must_use]
    pub fn render(&self, color: Color) -> String {
        self.render_as(&Level::ERROR, color)
    }

    /// As what may stand as it is.
    #[must_use]
    pub fn render_warnings(&self, color: Color) -> String {
        self.render_as(&Level::WARNING, color)
    }

    fn render_as(&self, level: &Level, color: Color) -> String {
        let renderer = match color {
            Color::Plain => Renderer::plain(),
            Color::Ansi => Renderer::styled(),
        };
        let reports: Vec<String> = self
            .list
            .iter()
            .map(|diagnostic| renderer.render(&[diagnostic.group(level.clone(), &self.source)]))
            .collect();
        // The renderer makes most control characters visible; its own escapes are for colours alone. A sign as wide as the
        // character keeps the caret in its place.
        let is_ours = |c: char| matches!(c, '\n' | '\u{1b}');
        let report = reports.join("\n\n");
        let report = report.replace(|c| is_unprintable(c) && !is_ours(c), "\u{fffd}");
        safe(&report).into_owned()
    }
}

impl Diagnostic {
    fn group<'a>(&'a self, level: Level<'a>, source: &'a Source) -> Group<'a> {
        let title = level.primary_title(&self.message);
        let group = match &self.span {
            Some(span) => {
                let annotation = AnnotationKind::Primary.span(span.clone()).label(&self.label);
                let snippet =
                    Snippet::source(&source.text).path(&source.name).annotation(annotation);
                title.element(snippet)
            }
            None => Group::with_title(title),
        };
        if self.help.is_empty() { group } else { group.element(Level::HELP.message(&self.help)) }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.render(Color::Plain))
    }
}

impl std::error::Error for Diagnostics {}

/// The one of `names` that was probably meant by `name`.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .filter(|(similarity, _)| 0.75 <= *similarity)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other)
}

/// More names than this are not listed.
const LISTED: usize = 60;

/// A remedy for an unknown name: the nearest one, or all of them, if they are not too many.
pub fn suggest<'a>(name: &str, names: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(nearest) = nearest(name, names.clone()) {
        format!("did you mean `{nearest}`?")
    } else {
        let mut names: Vec<&str> = names.into_iter().collect();
        if LISTED < names.len() {
            names.truncate(LISTED);
            names.push("…");
        }
        if names.is_empty() { String::new() } else { format!("one of {}", names.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use crate::{plain::is_unprintable, spec::read};

    #[test]
    fn no_character_of_a_file_gives_orders_to_the_terminal() {
        let controls = (0..0x2070).filter_map(char::from_u32).filter(|c| is_unprintable(*c));
        for control in controls.filter(|c| !['\n', '\t'].contains(c)) {
            let text = format!("[sweep]\nname = \"a{control}b\"\n");
            let said = read("x.toml", &text).unwrap_err().to_string();
            assert!(!said.chars().any(|c| is_unprintable(c) && c != '\n'), "{control:?}: {said:?}");
        }
    }
}
