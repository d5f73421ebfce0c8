//! Sweeps of other programs as sweep files, with a note on everything that has no equal here.
//!
//! Reading order: this file (what is written), [`wandb`], [`optuna`] (and from its [database](optuna_database)); `yaml` reads the
//! one's files.

pub mod optuna;
pub mod optuna_database;
pub mod wandb;
mod yaml;

use std::fmt::Write;

use thiserror::Error;

/// What cannot be read. Lines count from 1.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ImportError {
    #[error("line {line}: {message}")]
    At { line: u64, message: String },
    #[error("{0}")]
    Whole(String),
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
    /// The sweep file; `from` says what it was made of.
    pub fn text(&self, from: &str) -> String {
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

/// Words of a sweep file that no parameter can have as a name.
const TAKEN: [&str; 6] = ["where", "zip", "points", "derived", "schedule", "budget"];

/// What a parameter is called here, when its program calls it so.
fn renamed(name: &str) -> String {
    if TAKEN.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// The program's argument for a parameter.
fn argument(name: &str) -> String {
    format!("--{name}={{{{ {} }}}}", renamed(name))
}

/// A text that can be a sweep's name.
fn name(text: &str) -> String {
    let legal = |c: char| match c.to_ascii_lowercase() {
        c if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' => c,
        _ => '-',
    };
    let name: String = text.chars().map(legal).take(64).collect();
    if name.is_empty() { "imported".to_owned() } else { name }
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
