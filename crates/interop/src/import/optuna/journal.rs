//! A study from the log of a journal storage: a line is an operation, as JSON as Python writes it.
//!
//! Of every line only what is needed is read (`optuna/storages/journal/_storage.py`): whatever else it holds, numbers of any
//! size and halves of surrogates included, need only be a value.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{Direction, Distribution, ImportError, State, Study, choose, distribution::python};
use crate::import::{Sheet, word};

/// Whether a text begins as such a log.
pub fn is_journal(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with('{') && text.lines().next().is_some_and(|line| line.contains("\"op_code\""))
}

/// Reads the only study of a log, or the one that is called so.
pub fn read(text: &str, wanted: Option<&str>) -> Result<Sheet, ImportError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut journal = Journal::default();
    let last = text.lines().count() as u64;
    for (line, content) in (1..).zip(text.lines()) {
        if content.trim().is_empty() {
            continue;
        }
        match python(content) {
            Ok(fields) => journal.take(line, &Operation(fields)),
            // Its writer was interrupted.
            Err(_) if line == last && 1 < line && !text.ends_with('\n') => {
                journal.torn = Some(line);
                Ok(())
            }
            Err(error) => Err(format!("no operation of a journal: {error}")),
        }
        .map_err(|message| ImportError::At { line, message })?;
    }
    let mut study = choose(journal.studies, wanted)?;
    if let Some(line) = journal.torn {
        study.note(Some(line), "this line is torn: its writer was interrupted, and it is left out");
    }
    study.sheet()
}

#[derive(Default)]
struct Journal {
    studies: Vec<Study>,
    /// Which study a trial is one of, and what became of it.
    trials: Vec<(usize, State)>,
    torn: Option<u64>,
}

const NOT_THERE: &str = "it speaks of a study or trial that is not there";

impl Journal {
    fn take(&mut self, line: u64, operation: &Operation) -> Result<(), String> {
        let code: u64 = operation.get("op_code").ok_or("no operation of a journal")?;
        match code {
            0 => self.studies.push(Study {
                name: operation.text("study_name")?,
                line: Some(line),
                directions: directions(operation.get("directions").unwrap_or_default()),
                ..Study::default()
            }),
            1 => self.study(operation)?.is_deleted = true,
            2 => self.study(operation)?.has_attributes = true,
            3 => {
                let attributes: BTreeMap<String, Box<RawValue>> =
                    operation.get("system_attr").unwrap_or_default();
                let names = attributes.get("study:metric_names");
                let names: Option<Vec<String>> = names.and_then(|names| python(names.get()).ok());
                let study = self.study(operation)?;
                if let Some(names) = names.filter(|names| !names.is_empty()) {
                    study.metrics = names;
                }
            }
            4 => self.trial(line, operation)?,
            5 => {
                let name = operation.text("param_name").map_err(|_| "it names no parameter")?;
                let distribution = operation.raw("distribution").ok_or("it has no distribution")?;
                let distribution = read_distribution(&name, distribution)?;
                let (study, _) = *self.place(operation)?;
                self.studies[study].suggested(&name, distribution, 1, Some(line));
            }
            6 => {
                let state = state(operation);
                let (study, before) = *self.place(operation)?;
                let trials = &mut self.studies[study].trials;
                if let Some(count) = trials.get_mut(&before) {
                    *count -= 1;
                }
                trials.retain(|_, count| 0 < *count);
                *trials.entry(state).or_default() += 1;
                self.place(operation)?.1 = state;
            }
            8 => {
                let (study, _) = *self.place(operation)?;
                self.studies[study].has_attributes = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn trial(&mut self, line: u64, operation: &Operation) -> Result<(), String> {
        let state =
            if operation.raw("state").is_some() { state(operation) } else { State::Running };
        let distributions: BTreeMap<String, Box<RawValue>> =
            operation.get("distributions").unwrap_or_default();
        let user: BTreeMap<String, Box<RawValue>> = operation.get("user_attrs").unwrap_or_default();
        let study = self.study(operation)?;
        *study.trials.entry(state).or_default() += 1;
        study.has_attributes |= !user.is_empty();
        for (name, distribution) in distributions {
            let distribution = read_distribution(&name, distribution.get())?;
            study.suggested(&name, distribution, 1, Some(line));
        }
        let study = operation.get("study_id").ok_or(NOT_THERE)?;
        self.trials.push((study, state));
        Ok(())
    }

    fn study(&mut self, operation: &Operation) -> Result<&mut Study, String> {
        let id: Option<usize> = operation.get("study_id");
        let study = id.and_then(|id| self.studies.get_mut(id));
        study.ok_or_else(|| NOT_THERE.to_owned())
    }

    fn place(&mut self, operation: &Operation) -> Result<&mut (usize, State), String> {
        let id: Option<usize> = operation.get("trial_id");
        let trial = id.and_then(|id| self.trials.get_mut(id));
        trial.ok_or_else(|| NOT_THERE.to_owned())
    }
}

fn read_distribution(name: &str, text: &str) -> Result<Distribution, String> {
    Distribution::read(text).map_err(|why| format!("the distribution of `{}` {why}", word(name)))
}

fn directions(codes: Vec<u64>) -> Vec<Direction> {
    let direction = |code| match code {
        1 => Direction::Lower,
        2 => Direction::Higher,
        _ => Direction::Unknown,
    };
    codes.into_iter().map(direction).collect()
}

fn state(operation: &Operation) -> State {
    match operation.get("state") {
        Some(1) => State::Complete,
        Some(2) => State::Pruned,
        Some(3) => State::Failed,
        Some(4) => State::Waiting,
        _ => State::Running,
    }
}

/// What a line holds, not yet read.
struct Operation(BTreeMap<String, Box<RawValue>>);

impl Operation {
    fn raw(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| value.get())
    }

    fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        python(self.raw(key)?).ok()
    }

    fn text(&self, key: &str) -> Result<String, String> {
        let text = self.raw(key).ok_or_else(|| format!("`{key}` is missing"))?;
        python(text).map_err(|error| format!("`{key}` is no text: {error}"))
    }
}
