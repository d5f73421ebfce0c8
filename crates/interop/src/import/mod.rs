//! Sweeps of other programs as sweep files, with a note on everything that has no equal here.
//!
//! Reading order: this file (what is written), [`wandb`], [`optuna`]; `yaml` reads the one's files.

pub mod optuna;
pub mod wandb;
mod yaml;

use std::{collections::BTreeSet, fmt::Write};

use pleach_core::{diagnostic::Diagnostics, plan::MAX_CONFIGURATIONS, spec};
use thiserror::Error;

/// What cannot be read. Lines count from 1.
#[derive(Debug, Error)]
pub enum ImportError {
    #[error("line {line}: {message}")]
    At { line: u64, message: String },
    #[error("{0}")]
    Whole(String),
    /// A sweep file that pleach itself would refuse is not written.
    #[error("what comes of it cannot be a sweep:\n{0}")]
    Refused(Diagnostics),
}

impl ImportError {
    fn of(line: Option<u64>, message: String) -> Self {
        match line {
            Some(line) => Self::At { line, message },
            None => Self::Whole(message),
        }
    }
}

/// A sweep of a person's own program, as far as it was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// A sweep's name, as [`name`] makes it.
    name: String,
    metric: String,
    goal: &'static str,
    search: Search,
    /// The program and its arguments.
    run: Vec<String>,
    /// Names and values, as TOML.
    fixed: Vec<(String, String)>,
    /// Names and axes, as TOML.
    axes: Vec<(String, String)>,
    /// What has no equal, and what was guessed.
    pub notes: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Search {
    Grid,
    Random { samples: u64 },
}

impl Sheet {
    /// The sweep file, which can be planned; `from` says what it was made of.
    pub fn checked(&self, from: &str) -> Result<String, ImportError> {
        let text = self.text(from);
        let spec = spec::read("the sweep file that would be written", &text)
            .map_err(ImportError::Refused)?;
        let counts = spec.blocks.iter().map(|block| block.space.count());
        let count = counts.flatten().max().unwrap_or(u128::MAX);
        if self.search == Search::Grid && MAX_CONFIGURATIONS < count {
            return Err(ImportError::Whole(format!(
                "its grid has {count} configurations, more than {MAX_CONFIGURATIONS}: take values out, or draw some of them with `method: random` and a `run_cap`"
            )));
        }
        Ok(text)
    }

    /// The sweep file, whether or not it can be one.
    fn text(&self, from: &str) -> String {
        let mut text = String::new();
        let mut comment = |line: &str| {
            // No line of a note is anything but a comment.
            let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            // A `String` takes everything, here and below.
            let _infallible = writeln!(text, "# {line}");
        };
        comment(&format!("Made of {from}."));
        if !self.notes.is_empty() {
            comment("What has no equal here, or was guessed:");
            self.notes.iter().for_each(|note| comment(&format!("- {note}")));
        }
        let Self { name, metric, goal, .. } = self;
        let metric = quoted(metric);
        let _infallible = writeln!(
            text,
            "\n[sweep]\nname = \"{name}\"\nobjective = {{ metric = {metric}, goal = \"{goal}\" }}"
        );
        if let Search::Random { samples } = self.search {
            let _infallible =
                writeln!(text, "\n[search]\nmethod = \"random\"\nsamples = {samples}");
        }
        let run: Vec<String> = self.run.iter().map(|argument| quoted(argument)).collect();
        let _infallible = writeln!(text, "\n[command]\nrun = [{}]", run.join(", "));
        let mut section = |header: &str, pairs: &[(String, String)]| {
            if !pairs.is_empty() {
                let _infallible = writeln!(text, "\n[{header}]");
            }
            for (name, value) in pairs {
                let _infallible = writeln!(text, "{} = {value}", key(name));
            }
        };
        section("command.parameters", &self.fixed);
        section("space", &self.axes);
        text
    }
}

/// Something that a person should know, and the line of their file that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Note {
    line: Option<u64>,
    message: String,
}

/// Notes as texts, in the order of the lines.
fn texts(mut notes: Vec<Note>) -> Vec<String> {
    notes.sort_by_key(|note| note.line);
    notes.dedup();
    let text = |Note { line, message }| match line {
        Some(line) => format!("{message} (line {line})"),
        None => message,
    };
    notes.into_iter().map(text).collect()
}

/// A parameter's name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    /// As its program calls it.
    theirs: String,
    /// As the sweep file calls it.
    here: String,
}

/// Words of a sweep file that no parameter can have as a name.
const TAKEN: [&str; 6] = ["where", "zip", "points", "derived", "schedule", "budget"];

/// Names for all parameters of a program: their own as far as a sweep file can have them, and no two equal.
fn names<'a>(theirs: impl IntoIterator<Item = &'a str>) -> Vec<Name> {
    let theirs: Vec<&str> = theirs.into_iter().collect();
    let mut taken: BTreeSet<String> =
        theirs.iter().filter(|name| legal(name) == **name).map(|name| (*name).to_owned()).collect();
    let mut named = |theirs: &str| {
        let mut here = legal(theirs);
        if here != theirs {
            while !taken.insert(here.clone()) {
                here.push('_');
            }
        }
        Name { theirs: theirs.to_owned(), here }
    };
    theirs.into_iter().map(&mut named).collect()
}

/// A name that a parameter can have, as near as possible.
fn legal(name: &str) -> String {
    let is_legal = |c: char| !c.is_control() && !matches!(c, '{' | '}');
    let name: String = name.chars().map(|c| if is_legal(c) { c } else { '_' }).collect();
    let name = name.trim();
    // Those are what pleach itself tells a program.
    let is_ours = TAKEN.contains(&name) || name.starts_with("PLEACH_");
    if name.is_empty() || is_ours { format!("{name}_") } else { name.to_owned() }
}

impl Name {
    /// The program's argument for it, after `before`.
    fn argument(&self, before: &str) -> String {
        format!("{before}{}={}", self.theirs, self.placeholder())
    }

    fn placeholder(&self) -> String {
        format!("{{{{ {} }}}}", self.here)
    }

    /// Why a program cannot be told a parameter of this name.
    fn obstacle(&self) -> Option<String> {
        let what = if self.theirs.contains('\0') {
            "NUL"
        } else if self.theirs.contains("{{") {
            "`{{`, which stands for a value here"
        } else {
            return None;
        };
        Some(format!("the name `{}` cannot be an argument: it has {what}", word(&self.theirs)))
    }

    fn change(&self) -> Option<String> {
        let Self { theirs, here } = self;
        let why = if TAKEN.contains(&theirs.as_str()) {
            "is a word of sweep files"
        } else {
            "cannot be a name here"
        };
        (theirs != here).then(|| format!("`{}` {why}: it is called `{}`", word(theirs), word(here)))
    }
}

/// A text that can be a sweep's name.
fn name(text: &str) -> String {
    let legal = |c: char| match c.to_ascii_lowercase() {
        c if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' => c,
        _ => '-',
    };
    let name: String = text.chars().map(legal).take(64).collect();
    let name = name.trim_start_matches('-');
    if name.is_empty() { "imported".to_owned() } else { name.to_owned() }
}

/// A text of a person's file in a message: not too long, and without control characters.
fn word(text: &str) -> String {
    const LENGTH: usize = 40;
    let shown: String = text
        .chars()
        .take(LENGTH)
        .flat_map(|c| {
            let is_plain = !c.is_control();
            is_plain.then_some(c).into_iter().chain(c.escape_default().filter(move |_| !is_plain))
        })
        .collect();
    if text.chars().nth(LENGTH).is_some() { shown + "…" } else { shown }
}

fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// A text in TOML. JSON escapes what TOML wants escaped, but for one character.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default().replace('\u{7f}', "\\u007f")
}

/// A number in TOML.
fn number(value: f64) -> String {
    format!("{value:?}")
}

#[cfg(test)]
mod tests;
