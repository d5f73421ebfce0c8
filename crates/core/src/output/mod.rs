//! What a person's own program says of its training, read as evaluations: JSON lines, or a pattern over what it prints.

use std::{collections::BTreeMap, mem, str::FromStr};

use regex_lite::Regex;
use serde_json::{Map, Value};
use thiserror::Error;

/// Of a line that is quoted in a message, so many characters.
const QUOTED: usize = 80;

/// How a program says what it measures.
#[derive(Clone, Debug)]
pub enum Form {
    /// A line `{"step": 10, "loss": 0.3}` for each evaluation, in a file of their own.
    Jsonl,
    /// A regular expression over the lines of its standard output. Its named groups are metrics, but for `step`; the groups
    /// `name` and `value` together are any number of metrics on a line.
    Pattern(Regex),
}

#[derive(Debug, Error)]
pub enum FormError {
    #[error("it is no regular expression: {0}")]
    Syntax(regex_lite::Error),
    #[error("it names no group, so nothing is measured")]
    Nameless,
    #[error("the group `{0}` needs the other one: `name` and `value` belong together")]
    Alone(&'static str),
}

impl FromStr for Form {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        if text == "jsonl" {
            return Ok(Self::Jsonl);
        }
        let pattern = Regex::new(text).map_err(FormError::Syntax)?;
        let has = |name| pattern.capture_names().flatten().any(|group| group == name);
        match (has("name"), has("value")) {
            (true, false) => Err(FormError::Alone("name")),
            (false, true) => Err(FormError::Alone("value")),
            _ if pattern.capture_names().flatten().all(|group| group == "step") => {
                Err(FormError::Nameless)
            }
            _ => Ok(Self::Pattern(pattern)),
        }
    }
}

/// What was measured after so many steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    pub step: u64,
    pub values: Vec<(String, f64)>,
}

/// What is wrong with a line, for people.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("line {number} of its {what}: {why}")]
pub struct LineError {
    /// Counts from 1.
    pub number: u64,
    what: &'static str,
    why: String,
}

/// Reads line after line. Lines of one step are one evaluation, which is whole when another step begins.
#[derive(Debug)]
pub struct Reader {
    form: Form,
    /// The steps before its first and after its last update, if it is known how many it makes.
    steps: Option<(u64, u64)>,
    lines: u64,
    open: Option<Evaluation>,
    /// How often each metric was measured.
    seen: BTreeMap<String, u64>,
}

impl Reader {
    #[must_use]
    pub fn new(form: Form, steps: Option<(u64, u64)>) -> Self {
        Self { form, steps, lines: 0, open: None, seen: BTreeMap::new() }
    }

    /// One line without its end; answers with the evaluation that it completes.
    pub fn line(&mut self, line: &[u8]) -> Result<Option<Evaluation>, LineError> {
        self.lines += 1;
        let line = String::from_utf8_lossy(line);
        let (what, found) = match &self.form {
            Form::Jsonl => ("metrics", json(&line)),
            Form::Pattern(pattern) => ("output", Ok(matched(pattern, &line))),
        };
        found.and_then(|(step, values)| self.add(step, values)).map_err(|why| LineError {
            number: self.lines,
            what,
            why,
        })
    }

    /// The last evaluation.
    pub fn finish(&mut self) -> Option<Evaluation> {
        self.open.take()
    }

    /// How often each metric was measured so far.
    pub fn seen(&self) -> &BTreeMap<String, u64> {
        &self.seen
    }

    fn add(
        &mut self,
        step: Option<f64>,
        values: Vec<(String, f64)>,
    ) -> Result<Option<Evaluation>, String> {
        if values.is_empty() {
            return Ok(None);
        }
        let last = self.open.as_ref().map(|open| open.step);
        let step = match step {
            Some(step) if 0.0 <= step && step.fract() == 0.0 && step < 1e15 => step as u64,
            Some(step) => return Err(format!("`step` is {step}, which is no number of steps")),
            // The end, if it is known; else evaluations are numbered.
            None => self.steps.map_or(last.unwrap_or(0) + 1, |(_, end)| end),
        };
        if let Some(last) = last.filter(|last| step < *last) {
            return Err(format!("step {step} comes after step {last}"));
        }
        if let Some((_, end)) = self.steps.filter(|(_, end)| *end < step) {
            return Err(format!("step {step} is beyond step {end}, the last one"));
        }
        if let Some((first, _)) = self.steps.filter(|(first, _)| 0 < *first && step <= *first) {
            return Err(format!("step {step} is not one of its own, which begin after {first}"));
        }
        let completed = if last == Some(step) { None } else { self.open.take() };
        let open = self.open.get_or_insert(Evaluation { step, values: Vec::new() });
        for (name, value) in values {
            if open.values.iter().any(|(other, _)| *other == name) {
                return Err(format!("`{name}` is measured twice at step {step}"));
            }
            *self.seen.entry(name.clone()).or_default() += 1;
            open.values.push((name, value));
        }
        Ok(completed)
    }
}

type Found = (Option<f64>, Vec<(String, f64)>);

/// An object's numbers; what else it holds is the program's own affair.
fn json(line: &str) -> Result<Found, String> {
    if line.trim().is_empty() {
        return Ok((None, Vec::new()));
    }
    let object: Map<String, Value> = serde_json::from_str(line)
        .or_else(|error| serde_json::from_str(&quoted_words(line)).map_err(|_| error))
        .map_err(|error| {
            let line: String = line.chars().take(QUOTED).collect();
            format!("`{line}` is no JSON object ({error})")
        })?;
    let mut step = None;
    let mut values = Vec::new();
    for (name, value) in object {
        let number = match &value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => special(text),
            _ => None,
        };
        match number {
            _ if name == "step" => {
                step =
                    Some(number.ok_or_else(|| format!("`step` is {value}, which is no number"))?);
            }
            Some(number) => values.push((name, number)),
            None => {}
        }
    }
    Ok((step, values))
}

fn special(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "inf" | "Infinity" => Some(f64::INFINITY),
        "-inf" | "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// Python writes numbers that are not finite as bare words, which JSON does not know: put into quotes.
#[must_use]
pub fn quoted_words(line: &str) -> String {
    let (mut text, mut word) = (String::new(), String::new());
    let (mut is_in_text, mut is_escaped) = (false, false);
    for character in line.chars().chain(['\n']) {
        if !is_in_text && (character.is_ascii_alphabetic() || character == '-') {
            word.push(character);
            continue;
        }
        let is_special = special(&word).is_some();
        let quote = if is_special { "\"" } else { "" };
        text.extend([quote, &mem::take(&mut word), quote]);
        text.push(character);
        is_in_text ^= character == '"' && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
    }
    text
}

fn matched(pattern: &Regex, line: &str) -> Found {
    let mut step = None;
    let mut values = Vec::new();
    for captures in pattern.captures_iter(line) {
        let number = |group| captures.name(group).and_then(|text| number(text.as_str()));
        step = step.or(number("step"));
        for group in pattern.capture_names().flatten() {
            let name = match group {
                "step" | "name" => continue,
                "value" => captures.name("name").map(|name| name.as_str()),
                _ => Some(group),
            };
            if let (Some(name), Some(value)) = (name, number(group)) {
                values.push((name.to_owned(), value));
            }
        }
    }
    (step, values)
}

/// A number as programs print them.
fn number(text: &str) -> Option<f64> {
    let text = text.trim_end_matches([',', ';', '%']);
    // Rust reads `nan`, `inf` and `infinity` in any case.
    text.parse().ok()
}

#[cfg(test)]
mod tests;
