//! A sweep on a full screen, as a value: [`Screen`] is what was read and where the person is in it, [`press`] is what a key
//! does, [`draw`](draw()) is what is seen. Reading, the clock and the terminal are somebody else's.
//!
//! Three panes ([`Pane`]): what runs, the board, what went wrong. Over them may lie one thing ([`Over`]).

mod draw;
mod keys;
mod lines;

use pleach_core::{
    life::{AttemptId, TrialId, WorkerId},
    sweep::Progress,
    value::Parameters,
};
use pleach_schedule::draw::terminal::{Charset, Ink};
use pleach_store::{Setting, Summary, Time};

use crate::{
    board::Board,
    curve::{Point, average},
    failures::Kind,
    format::{plural, with_spread},
};
pub use draw::draw;
pub use keys::{Ask, Key, press};

/// What was read of a sweep, as of one moment.
#[derive(Clone, Debug)]
pub struct Seen {
    pub name: String,
    pub summary: Summary,
    pub coordinator: Coordinator,
    pub running: Vec<Running>,
    /// The best, with their curves.
    pub board: Board,
    pub failures: Vec<Failure>,
}

/// Whoever runs the sweep.
#[derive(Clone, Debug, PartialEq)]
pub enum Coordinator {
    Nobody,
    /// Somebody, who has not said anything yet.
    Silent,
    Known(Live),
}

/// What a coordinator says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    pub process: u32,
    pub since: Time,
    /// Seconds; absent until something can be said.
    pub remaining: Option<f64>,
    /// Whether it was asked to stop.
    pub is_stopping: bool,
    pub progress: Progress,
}

/// A stage in a worker's hands, or in those of one that died with its coordinator.
#[derive(Clone, Debug)]
pub struct Running {
    pub worker: Option<WorkerId>,
    pub attempt: AttemptId,
    /// The first of those that it is for, and how many others there are.
    pub trial: TrialId,
    pub others: u64,
    pub setting: Option<Setting>,
    pub first: u64,
    /// Updates made; absent if nobody knows.
    pub step: Option<u64>,
    pub end: u64,
    pub since: Option<Time>,
    /// The objective's metric by step, as far as it was evaluated; NaN possible.
    pub curve: Vec<(u64, f64)>,
}

/// Attempts that failed alike.
#[derive(Clone, Debug)]
pub struct Failure {
    pub kind: Kind,
    /// Of the first of its trials.
    pub setting: Option<Setting>,
    /// The end of what the newest attempt wrote.
    pub last_words: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    Running,
    Board,
    Failures,
}

impl Pane {
    const ALL: [Self; 3] = [Self::Running, Self::Board, Self::Failures];

    fn after(self, others: usize) -> Self {
        Self::ALL[(self as usize + others) % Self::ALL.len()]
    }
}

/// What lies over the panes.
#[derive(Clone, Debug)]
pub enum Over {
    Nothing,
    Help,
    Subject(Subject),
    /// Waits for a yes.
    Question(Ask),
}

/// One thing, looked at closely.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// By which it is found again.
    id: (Pane, u32),
    title: String,
    parameters: Parameters,
    words: Vec<String>,
    curve: Vec<Point>,
}

/// Everything that is on the screen.
#[derive(Clone, Debug)]
pub struct Screen {
    seen: Seen,
    pane: Pane,
    /// A row of each pane.
    chosen: [usize; 3],
    over: Over,
    /// An answer to the last key.
    said: String,
    charset: Charset,
    ink: Ink,
}

impl Screen {
    pub fn new(seen: Seen, charset: Charset, ink: Ink) -> Self {
        let (over, said) = (Over::Nothing, String::new());
        Self { seen, pane: Pane::Board, chosen: [0; 3], over, said, charset, ink }
    }

    /// With what was read since: what was chosen stays chosen, wherever it went; but the first row is whatever comes first.
    #[must_use]
    pub fn renewed(mut self, seen: Seen) -> Self {
        for pane in Pane::ALL {
            let chosen = &mut self.chosen[pane as usize];
            let id = self.seen.id(pane, *chosen).filter(|_| *chosen != 0);
            let place = (0..seen.count(pane)).find(|&row| id.is_some() && seen.id(pane, row) == id);
            *chosen = place.unwrap_or(*chosen).min(seen.count(pane).saturating_sub(1));
        }
        self.seen = seen;
        if let Over::Subject(subject) = &self.over {
            let (pane, id) = subject.id;
            let rows = 0..self.seen.count(pane);
            let row = rows.into_iter().find(|&row| self.seen.id(pane, row) == Some(id));
            if let Some(newer) = row.and_then(|row| self.seen.subject(pane, row)) {
                self.over = Over::Subject(newer);
            }
        }
        self
    }

    /// With an answer to the person.
    #[must_use]
    pub fn saying(self, said: String) -> Self {
        Self { said, ..self }
    }

    /// Whether the sweep goes on when nobody looks.
    pub fn is_running(&self) -> bool {
        self.seen.coordinator != Coordinator::Nobody
    }

    fn subject(&self) -> Option<Subject> {
        self.seen.subject(self.pane, self.chosen[self.pane as usize])
    }
}

impl Seen {
    fn count(&self, pane: Pane) -> usize {
        match pane {
            Pane::Running => self.running.len(),
            Pane::Board => self.board.rows().len(),
            Pane::Failures => self.failures.len(),
        }
    }

    /// What a row is about, whatever its place.
    fn id(&self, pane: Pane, row: usize) -> Option<u32> {
        match pane {
            Pane::Running => self.running.get(row).map(|it| it.attempt.0),
            Pane::Board => self.board.rows().get(row).map(|it| it.configuration),
            Pane::Failures => self.failures.get(row)?.kind.trials.keys().next().map(|it| it.0),
        }
    }

    fn subject(&self, pane: Pane, row: usize) -> Option<Subject> {
        let id = (pane, self.id(pane, row)?);
        let of = |setting: &Option<Setting>| {
            setting.as_ref().map(|setting| setting.parameters.clone()).unwrap_or_default()
        };
        Some(match pane {
            Pane::Running => {
                let running = self.running.get(row)?;
                let seed = running.setting.as_ref().map_or(String::new(), |it| {
                    format!(", configuration {}, seed {}", it.configuration.0, it.seed)
                });
                Subject {
                    id,
                    title: format!("trial {}{seed}", running.trial.0),
                    parameters: of(&running.setting),
                    words: Vec::new(),
                    curve: average([running.curve.as_slice()]),
                }
            }
            Pane::Board => {
                let row = self.board.rows().get(row)?;
                let trials: Vec<String> = row.trials.iter().map(ToString::to_string).collect();
                let value = row.mean.map_or(row.state.clone(), |it| with_spread(it, row.spread));
                Subject {
                    id,
                    title: format!("configuration {}: {value}", row.configuration),
                    parameters: row.parameters.clone(),
                    words: vec![format!("trials {}", trials.join(", "))],
                    curve: row.curve.clone(),
                }
            }
            Pane::Failures => {
                let Failure { kind, setting, last_words } = self.failures.get(row)?;
                let (trials, attempts) = (kind.trials.len() as u64, kind.attempts);
                let mut words = vec![kind.why.clone()];
                words.extend(last_words.iter().map(|line| format!("| {line}")));
                let title = format!(
                    "trial {}, one of {}; {} failed so",
                    id.1,
                    plural(trials, "trial"),
                    plural(attempts, "attempt")
                );
                Subject { id, title, parameters: of(setting), words, curve: Vec::new() }
            }
        })
    }
}

#[cfg(test)]
mod tests;
