//! What a person's own program says of its training, read as evaluations: JSON lines, or a pattern over what it prints. What can
//! be used is used; what cannot is left out, counted, and told as a warning. Nothing that is said is an error.
//!
//! Reading order: this file, `lines` (bytes to lines), `json` (lines to objects), `number` (texts to numbers), `pattern` (a line to evaluations).

mod json;
mod lines;
mod number;
mod pattern;

use std::{collections::BTreeMap, str::FromStr};

use regex_lite::Regex;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::json::quoted_words;
use self::{
    json::{Gathered, Object, Told, Unfinished},
    lines::{Line, Lines, shown},
    number::{Numeric, numeric, steps},
    pattern::matched,
};
use crate::{objective::is_same, plain::within, plan::command::OPEN_ENDED, warning::Warnings};

/// So many characters of a line are quoted in a message.
const QUOTED: usize = 80;

/// The longest name of a metric, in bytes.
const LONGEST_NAME: usize = 256;

/// So many metrics have a name.
const MAX_NAMES: usize = 1_000_000;

/// More evaluations than this, or more values in all, are left out, but for the last.
const MAX_EVALUATIONS: u64 = 1_000_000;
const MAX_VALUES: u64 = 10_000_000;

/// How a program says what it measures.
#[derive(Clone, Debug)]
pub enum Form {
    /// A line `{"step": 10, "loss": 0.3}` for each evaluation, in a file of their own.
    Jsonl,
    /// A regular expression over the lines of its standard output. Its named groups are metrics, but for `step`; the groups
    /// `name` and `value` together are any number of metrics on a line.
    Pattern(Regex),
}

/// What becomes of a program that says something odd of its metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strictness {
    /// It goes on, with a warning.
    #[default]
    Lenient,
    /// It has failed.
    Strict,
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
    pub values: BTreeMap<String, f64>,
}

/// Reads what a program says as it comes. Whatever is said of one step is one evaluation, which is whole when another step begins.
#[derive(Debug)]
pub struct Reader {
    form: Form,
    /// The metric that decides: more is tried to read it, and more is said where that fails.
    objective: String,
    /// The steps before its first and after its last update, if it is known how many it makes.
    steps: Option<(u64, u64)>,
    lines: Lines,
    unfinished: Unfinished,
    open: Option<Evaluation>,
    /// Said without a step, and not yet known of which.
    held: BTreeMap<String, f64>,
    /// The last step that was said and can be.
    said: Option<u64>,
    /// The evaluations that were numbered, since none has a step.
    numbered: u64,
    /// Whether it says again what it has said.
    is_again: bool,
    /// How much is whole: evaluations, and values in them.
    whole: (u64, u64),
    /// The last evaluation with the objective that there was no room for.
    spare: Option<Evaluation>,
    /// How often each metric was measured.
    seen: BTreeMap<String, u64>,
    warnings: Warnings,
}

/// What is said of an evaluation's step.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Unsaid,
    Said(u64),
    /// What stands there instead.
    Unreadable(String),
}

impl Reader {
    #[must_use]
    pub fn new(form: Form, objective: &str, steps: Option<(u64, u64)>) -> Self {
        Self {
            form,
            objective: objective.to_owned(),
            steps,
            lines: Lines::default(),
            unfinished: Unfinished::default(),
            open: None,
            held: BTreeMap::new(),
            said: None,
            numbered: 0,
            is_again: false,
            whole: (0, 0),
            spare: None,
            seen: BTreeMap::new(),
            warnings: Warnings::default(),
        }
    }

    /// Reads on; adds to `whole` the evaluations that are whole by that.
    pub fn read(&mut self, bytes: &[u8], whole: &mut Vec<Evaluation>) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.feed(bytes, |number, line| self.line(number, line, whole));
        self.lines = lines;
    }

    /// Nothing more comes. `end`: the step at which it has ended, if that is known: what it said without a step is of that one.
    pub fn finish(&mut self, end: Option<u64>, whole: &mut Vec<Evaluation>) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.finish(|number, line| self.line(number, line, whole));
        if let Some(gathered) = self.unfinished.finish() {
            self.objects(gathered, whole);
        }
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            let last = end.or(self.said).or(self.steps.map(|(_, end)| end)).unwrap_or_default();
            self.add(0, Step::Said(last), held.into_iter().collect(), whole);
        }
        whole.extend(self.spare.take());
        whole.extend(self.open.take().filter(|open| !open.values.is_empty()));
    }

    /// Its file begins anew: what was read already may follow once more, and is not said again.
    pub fn restart(&mut self) {
        self.lines.restart();
        self.unfinished = Unfinished::default();
        (self.numbered, self.is_again) = (0, true);
    }

    /// The last step that it has named.
    pub fn step(&self) -> Option<u64> {
        self.said
    }

    /// How often each metric was measured so far.
    pub fn seen(&self) -> &BTreeMap<String, u64> {
        &self.seen
    }

    pub fn warnings(&mut self) -> &mut Warnings {
        &mut self.warnings
    }

    /// What the first warning says, as an error.
    pub fn objection(&self) -> Option<String> {
        let what = match self.form {
            Form::Jsonl => "metrics",
            Form::Pattern(_) => "output",
        };
        let warning = self.warnings.all().first()?;
        Some(match warning.line {
            Some(line) => format!("line {line} of its {what}: {}", warning.first),
            None => format!("{}: {}", warning.what, warning.first),
        })
    }

    fn line(&mut self, number: u64, line: Line, whole: &mut Vec<Evaluation>) {
        let line = match line {
            Line::Whole(line) => shown(line),
            Line::Long(head) => {
                let what = "a line that is longer than 8 MiB was left out";
                self.warn(what, number, || format!("`{}`", within(&shown(head), QUOTED)));
                return;
            }
        };
        if line.trim().is_empty() {
            return;
        }
        if let Form::Pattern(pattern) = &self.form {
            for (step, values) in matched(pattern, &line) {
                self.evaluation(number, step, values, whole);
            }
            return;
        }
        for gathered in self.unfinished.add(number, &line.replace('\t', " ")) {
            self.objects(gathered, whole);
        }
    }

    fn objects(&mut self, gathered: Gathered, whole: &mut Vec<Evaluation>) {
        let Gathered { line, objects, rest } = gathered;
        let is_read = !objects.is_empty();
        for Object(pairs) in objects {
            let (mut step, mut values) = (Step::Unsaid, Vec::new());
            for (name, value) in pairs {
                if name == "step" {
                    step = value.step();
                } else if !name.is_empty() {
                    values.push((name, value));
                }
            }
            self.evaluation(line, step, values, whole);
        }
        if let Some((rest, why)) = rest {
            let what = if is_read {
                "what follows an object on its line was left out"
            } else {
                "a line that cannot be read was left out"
            };
            self.warn(what, line, || {
                format!("`{}` is no JSON object ({why})", within(&rest, QUOTED))
            });
        }
    }

    fn warn(&mut self, what: &str, line: u64, first: impl FnOnce() -> String) {
        self.warnings.add(what, Some(line).filter(|line| 0 < *line), first);
    }

    /// What is measured at a step, as it is said.
    fn evaluation(
        &mut self,
        line: u64,
        step: Step,
        values: Vec<(String, Told)>,
        whole: &mut Vec<Evaluation>,
    ) {
        let mut numbers = Vec::new();
        for (name, value) in values {
            if let Some(number) = self.number(line, &name, value) {
                numbers.push((name, number));
            }
        }
        // A step on its own says how far it is.
        if numbers.is_empty() && matches!(step, Step::Unsaid | Step::Unreadable(_)) {
            return;
        }
        let step = match step {
            Step::Unsaid if self.said.is_some() || self.steps.is_some() => {
                for (name, number) in numbers {
                    self.hold(line, &name, number);
                }
                return;
            }
            Step::Unsaid => {
                self.numbered += 1;
                Step::Said(self.numbered)
            }
            Step::Said(said) => {
                if self.is_possible(said).is_ok() {
                    self.said = self.said.max(Some(said));
                }
                step
            }
            Step::Unreadable(_) => step,
        };
        self.add(line, step, numbers, whole);
    }

    /// A value as a number. What is none is the program's own affair, unless the person has asked for it.
    fn number(&mut self, line: u64, name: &str, value: Told) -> Option<f64> {
        let is_objective = name == self.objective;
        let is_asked = is_objective
            || match &self.form {
                Form::Jsonl => false,
                Form::Pattern(pattern) => pattern.capture_names().flatten().any(|it| it == name),
            };
        let is_full = || {
            let names = self.seen.len() + self.held.len();
            !is_objective && MAX_NAMES <= names && !self.seen.contains_key(name)
        };
        if LONGEST_NAME < name.len() || is_full() {
            let what =
                "a metric was left out whose name is too long, or one of more than a million";
            self.warn(what, line, || format!("`{}`", within(name, QUOTED)));
            return None;
        }
        let said = match value {
            Told::Integer(number) => return Some(number as f64),
            Told::Number(number) => return Some(number),
            Told::Bool(is_so) if is_objective => return Some(f64::from(u8::from(is_so))),
            Told::Text(text) => match numeric(&text) {
                Numeric::Number(number) => return Some(number),
                Numeric::WithUnit(number) if is_asked => {
                    self.warn("a number was read without its unit", line, || {
                        format!("`{name}` is `{}`", within(&text, QUOTED))
                    });
                    return Some(number);
                }
                _ => format!("`{}`", within(&text, QUOTED)),
            },
            Told::Null => "null".to_owned(),
            Told::Bool(is_so) => is_so.to_string(),
            Told::Nested(what) => what.to_owned(),
        };
        if is_asked {
            let what = "a value that is no number was left out";
            self.warn(what, line, || format!("`{name}` is {said}"));
        }
        None
    }

    /// Keeps a value until it is known of which step it is.
    fn hold(&mut self, line: u64, name: &str, number: f64) {
        if let Some(before) = self.held.insert(name.to_owned(), number)
            && !is_same(before, number)
        {
            self.warn(REPLACED, line, || {
                format!("`{name}` was {before} and is {number}, and no `step` is said")
            });
        }
    }

    fn add(
        &mut self,
        line: u64,
        step: Step,
        numbers: Vec<(String, f64)>,
        whole: &mut Vec<Evaluation>,
    ) {
        let step = match step {
            Step::Said(step) => step,
            Step::Unsaid => return,
            Step::Unreadable(said) => {
                let what = "an evaluation whose `step` is no number of steps was left out";
                return self.warn(what, line, || format!("`step` is {said}"));
            }
        };
        if let Err(why) = self.is_possible(step) {
            let what = "an evaluation at a step that is none of its own was left out";
            return self.warn(what, line, || why);
        }
        match self.open.as_ref().map(|open| open.step) {
            Some(last) if step < last && self.is_again => return,
            Some(last) if step < last => {
                let what = "an evaluation whose step goes back was left out";
                return self.warn(what, line, || format!("step {step} comes after step {last}"));
            }
            Some(last) if step == last => {}
            _ => self.begin(line, step, whole),
        }
        for (name, number) in numbers {
            self.measure(line, name, number);
        }
    }

    fn is_possible(&self, step: u64) -> Result<(), String> {
        let (first, end) = self.steps.unwrap_or((0, OPEN_ENDED));
        if end < step {
            return Err(format!("step {step} is beyond step {end}, the last one"));
        }
        if 0 < first && step <= first {
            return Err(format!("step {step} is not one of its own, which begin after {first}"));
        }
        Ok(())
    }

    /// Another step begins. What was said without a step is of the one before, or of the first.
    fn begin(&mut self, line: u64, step: u64, whole: &mut Vec<Evaluation>) {
        self.is_again = false;
        let next = Evaluation { step, values: BTreeMap::new() };
        if self.open.is_none() {
            self.open = Some(next);
            self.place_held(line);
            return;
        }
        self.place_held(line);
        if let Some(done) = self.open.replace(next) {
            self.complete(line, done, whole);
        }
    }

    fn place_held(&mut self, line: u64) {
        for (name, number) in std::mem::take(&mut self.held) {
            self.measure(line, name, number);
        }
    }

    fn complete(&mut self, line: u64, done: Evaluation, whole: &mut Vec<Evaluation>) {
        let number = done.values.len() as u64;
        if number == 0 {
            return;
        }
        let (evaluations, values) = self.whole;
        if evaluations < MAX_EVALUATIONS && values + number <= MAX_VALUES {
            self.whole = (evaluations + 1, values + number);
            whole.push(done);
            return;
        }
        let what = "an evaluation beyond the first million (or ten million values) was left out, unless it is the last";
        self.warn(what, line, || format!("that of step {}", done.step));
        if done.values.contains_key(&self.objective) {
            self.spare = Some(done);
        }
    }

    fn measure(&mut self, line: u64, name: String, number: f64) {
        let Some(open) = &mut self.open else { return };
        let step = open.step;
        if let Some(before) = open.values.insert(name.clone(), number) {
            if !is_same(before, number) {
                self.warn(REPLACED, line, || {
                    format!("`{name}` was {before} and is {number} at step {step}")
                });
            }
            return;
        }
        match self.seen.get_mut(&name) {
            Some(times) => *times += 1,
            None => drop(self.seen.insert(name, 1)),
        }
    }
}

const REPLACED: &str =
    "a metric was measured twice at one step with different values, of which the last counts";

impl Told {
    /// As the value of `step`.
    fn step(&self) -> Step {
        let text = match self {
            Self::Null => return Step::Unsaid,
            Self::Integer(step) => return Step::Said(*step),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Bool(is_so) => return Step::Unreadable(is_so.to_string()),
            Self::Nested(what) => return Step::Unreadable((*what).to_owned()),
        };
        let quote = if matches!(self, Self::Text(_)) { "`" } else { "" };
        let said = || format!("{quote}{}{quote}", within(&text, QUOTED));
        steps(&text).map_or_else(|| Step::Unreadable(said()), Step::Said)
    }
}

#[cfg(test)]
mod tests;
