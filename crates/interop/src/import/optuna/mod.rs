//! A study of Optuna as a sweep file: what its trials suggested becomes the space.
//!
//! Reading order: this file (a study), `distribution` (one parameter), and where a study is read from, [`journal`] and
//! [`database`].

pub mod database;
mod distribution;
pub mod journal;

use std::{collections::BTreeMap, fmt::Write};

use pleach_core::plan::MAX_CONFIGURATIONS;

use super::{ImportError, Note, Search, Sheet, name, names, texts, word};
use distribution::Distribution;

/// So many configurations are drawn of a study without trials.
const SAMPLES: u64 = 50;

/// A study, and what was suggested in it.
#[derive(Default)]
struct Study {
    name: String,
    /// Where it begins.
    line: Option<u64>,
    directions: Vec<Direction>,
    metrics: Vec<String>,
    /// Its trials, by what became of them.
    trials: BTreeMap<State, u64>,
    /// Notes of a person on it or its trials.
    has_attributes: bool,
    parameters: BTreeMap<String, Suggested>,
    is_deleted: bool,
    notes: Vec<Note>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Lower,
    Higher,
    /// Nobody said.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Complete,
    Pruned,
    Failed,
    Running,
    Waiting,
}

/// A parameter: the newest distribution, and of how many trials.
struct Suggested {
    distribution: Distribution,
    times: u64,
    line: Option<u64>,
    has_changed: bool,
}

/// The only study, or the one that is called so.
fn choose(studies: Vec<Study>, wanted: Option<&str>) -> Result<Study, ImportError> {
    let mut studies: Vec<Study> = studies.into_iter().filter(|study| !study.is_deleted).collect();
    let names: Vec<String> =
        studies.iter().map(|study| format!("`{}`", word(&study.name))).collect();
    let names = names.join(", ");
    if let Some(wanted) = wanted {
        studies.retain(|study| study.name == wanted);
        if studies.is_empty() {
            let wanted = word(wanted);
            return Err(ImportError::Whole(format!(
                "there is no study `{wanted}`; there are {names}"
            )));
        }
    }
    match studies.len() {
        0 => Err(ImportError::Whole("there is no study in it".to_owned())),
        1 => Ok(studies.remove(0)),
        _ => Err(ImportError::Whole(format!("which study? say --study; there are {names}"))),
    }
}

impl Study {
    /// A parameter that so many trials have from this distribution.
    fn suggested(&mut self, name: &str, distribution: Distribution, times: u64, line: Option<u64>) {
        let Some(known) = self.parameters.get_mut(name) else {
            let suggested = Suggested { distribution, times, line, has_changed: false };
            self.parameters.insert(name.to_owned(), suggested);
            return;
        };
        known.times += times;
        if known.distribution != distribution {
            *known = Suggested { distribution, line, has_changed: true, ..*known };
        }
    }

    fn note(&mut self, line: Option<u64>, message: impl Into<String>) {
        self.notes.push(Note { line, message: message.into() });
    }

    fn sheet(mut self) -> Result<Sheet, ImportError> {
        let line = self.line;
        self.note(line, "a study does not say what it runs: train.py is a guess, which takes its parameters as arguments and writes its metrics, as lines such as {\"step\": 10, \"loss\": 0.3}, to the file $PLEACH_METRICS");
        let count: u64 = self.trials.values().sum();
        if 0 < count {
            let told = states(&self.trials);
            self.note(line, format!(
                "what its trials came to ({count} of them: {told}) stays there: everything is run anew"
            ));
        }
        if self.trials.contains_key(&State::Waiting) {
            self.note(line, "trials that wait may have parameters that somebody gave them (`enqueue_trial`): write such points as [[space.points]]");
        }
        if self.has_attributes {
            self.note(line, "attributes of studies and trials have no equal");
        }
        let (mut axes, mut fixed, mut run) =
            (Vec::new(), Vec::new(), vec!["python".to_owned(), "train.py".to_owned()]);
        let parameters = std::mem::take(&mut self.parameters);
        let most = parameters.values().map(|suggested| suggested.times).max().unwrap_or(0);
        let all = names(parameters.keys().map(String::as_str));
        for (name, suggested) in all.iter().zip(parameters.values()) {
            let Suggested { distribution, times, line, has_changed } = suggested;
            let shown = word(&name.theirs);
            if let Some(obstacle) = name.obstacle() {
                return Err(ImportError::of(*line, obstacle));
            }
            if let Some(change) = name.change() {
                self.note(*line, change);
            }
            if *times < most {
                self.note(*line, format!(
                    "`{shown}` was suggested in {times} of {most} trials: here every trial has it; what belongs to a choice is written [space.CHOICE.BRANCH]"
                ));
            }
            if *has_changed {
                self.note(*line, format!("`{shown}` had several ranges: this is the last one"));
            }
            let mut note = |message: &str| self.note(*line, format!("`{shown}`: {message}"));
            let axis = distribution.axis(&mut note).map_err(|why| {
                ImportError::of(*line, format!("the distribution of `{shown}` {why}"))
            })?;
            match axis {
                distribution::Axis::Fixed(value) => fixed.push((name.here.clone(), value)),
                distribution::Axis::Swept(axis) => axes.push((name.here.clone(), axis)),
            }
            run.push(name.argument("--"));
        }
        let metric = self.metric();
        let search = if axes.is_empty() {
            Search::Grid
        } else {
            self.note(line, "the sampler is not in the study: points are drawn at random");
            let samples = if count == 0 { SAMPLES } else { count };
            Search::Random { samples: samples.min(MAX_CONFIGURATIONS as u64) }
        };
        let goal = match self.directions.first() {
            Some(Direction::Higher) => "max",
            Some(Direction::Lower) => "min",
            Some(Direction::Unknown) | None => {
                self.note(
                    line,
                    "the study does not say whether lower or higher is better: `min` is a guess",
                );
                "min"
            }
        };
        let title = name(&self.name);
        if title != self.name {
            let told = word(&self.name);
            self.note(line, format!("the study `{told}` is called `{title}` here"));
        }
        let notes = texts(self.notes);
        Ok(Sheet { name: title, metric, goal, search, run, fixed, axes, notes })
    }

    fn metric(&mut self) -> String {
        let metric = self.metrics.first().cloned().unwrap_or_else(|| {
            self.note(self.line, "the objective has no name in the study: `loss` is a guess");
            "loss".to_owned()
        });
        if 1 < self.directions.len() {
            let mut message = format!(
                "of {} objectives this is the first, `{}`; left out",
                self.directions.len(),
                word(&metric)
            );
            for (index, direction) in self.directions.iter().enumerate().skip(1) {
                let number = format!("number {}", index + 1);
                let other =
                    self.metrics.get(index).map_or(number, |name| format!("`{}`", word(name)));
                let better = match direction {
                    Direction::Lower => " (lower is better)",
                    Direction::Higher => " (higher is better)",
                    Direction::Unknown => "",
                };
                let comma = if index == 1 { "" } else { "," };
                let _infallible = write!(message, "{comma} {other}{better}");
            }
            self.note(self.line, message);
        }
        metric
    }
}

fn states(trials: &BTreeMap<State, u64>) -> String {
    let state = |(state, count): (&State, &u64)| {
        let name = match state {
            State::Complete => "complete",
            State::Pruned => "pruned",
            State::Failed => "failed",
            State::Running => "running",
            State::Waiting => "waiting",
        };
        format!("{count} {name}")
    };
    trials.iter().map(state).collect::<Vec<_>>().join(", ")
}
