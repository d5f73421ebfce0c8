//! Leaderboards: configurations in order of merit. The order is total over any set of results, and does not depend on
//! the order in which they are given.
//!
//! Only a configuration all of whose seeds have a finite number is ranked. Below, without a rank: those that lack seeds
//! yet, by their mean so far; those with diverged seeds, fewer first; those with failed seeds; those that a person
//! stopped; those without any result.

mod doubt;
mod group;
mod importance;
mod pairs;
mod results;
mod retest;
mod tried;

use std::collections::BTreeMap;

use crate::{
    life::{ConfigurationId, TrialId, TrialStatus},
    objective::Goal,
    statistics::{Interval, deviation, mean},
    value::Parameters,
};

pub use doubt::{Doubt, Places};

pub use group::{Group, groups};
pub use importance::{Importance, Share, importance};
pub use results::{Cell, Order, Results};
pub use retest::{Retest, retest};
pub use tried::{Edge, Side, Tried, differing};

/// A configuration and the results of its trials, as remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub configuration: ConfigurationId,
    /// What was swept: everything in which configurations differ.
    pub parameters: Parameters,
    /// By seed.
    pub trials: Vec<Result>,
}

/// One trial's result so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Result {
    pub trial: TrialId,
    pub seed: u64,
    pub status: TrialStatus,
    /// Reduced over its evaluations; `None` before it ends, NaN possible.
    pub objective: Option<f64>,
}

/// A configuration in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// Counts from 1; only [`State::Done`] has one. Equal means are told apart by the configuration's number.
    pub rank: Option<u32>,
    pub row: Row,
    /// Over the seeds that have a finite number; `None` without any.
    pub mean: Option<f64>,
    /// The sample standard deviation over the same seeds; `None` with fewer than two.
    pub spread: Option<f64>,
    /// Seeds with a finite number.
    pub seeds_done: u32,
    pub seeds_total: u32,
    pub state: State,
    /// `None` of the first itself, and wherever one of the two has no number, or no seed in common.
    pub versus_first: Option<Versus>,
}

impl Ranked {
    /// The 95 % interval of its mean; `None` with fewer than two numbers.
    pub fn interval(&self) -> Option<Interval> {
        Interval::of(&numbers(&self.row).map(|(_, value)| value).collect::<Vec<_>>())
    }
}

/// Where a configuration stands, in the order of boards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Every seed has a finite number.
    Done,
    /// Some seeds have a finite number, the others may still get one.
    Partial,
    /// So many seeds diverged, or ended with a number that is not finite: ranked below every number.
    Diverged(u32),
    /// So many seeds failed for good or ended without a number; none diverged.
    Failed(u32),
    /// A person took so many seeds out; none failed or diverged.
    Stopped(u32),
    /// No seed has a result.
    Waiting,
}

/// A configuration compared with the first on the board, seed by seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Versus {
    /// Mean over the common seeds of (this one's number minus the first's), in the metric's unit.
    pub difference: f64,
    /// Seeds with a finite number in both.
    pub pairs: u32,
    /// Of this comparison alone: nothing is corrected for the number of configurations on the board.
    pub distinction: Distinction,
}

/// Whether a difference is more than the luck of seeds. The ends are those of its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distinction {
    /// The interval excludes zero.
    Different { low: f64, high: f64 },
    /// The interval includes zero.
    Same { low: f64, high: f64 },
    /// There is no interval of one seed.
    Unknown,
}

/// Sorts `rows`, which have different configuration numbers, best first.
pub fn rank(rows: Vec<Row>, goal: Goal) -> Vec<Ranked> {
    let mut board: Vec<Ranked> = rows.into_iter().map(assess).collect();
    board.sort_by_cached_key(|ranked| {
        place(ranked.state, ranked.mean, ranked.row.configuration.0, goal)
    });
    for (rank, ranked) in (1..).zip(board.iter_mut().filter(|ranked| ranked.state == State::Done)) {
        ranked.rank = Some(rank);
    }
    let [first, others @ ..] = board.as_mut_slice() else { return board };
    if first.state == State::Done {
        let reference: BTreeMap<u64, f64> = numbers(&first.row).collect();
        for other in others {
            other.versus_first = versus(&other.row, &reference);
        }
    }
    board
}

fn assess(mut row: Row) -> Ranked {
    // Sums of floats depend on their order.
    row.trials.sort_by_key(|result| (result.seed, result.trial));
    let values: Vec<f64> = numbers(&row).map(|(_, value)| value).collect();
    let mut seeds = Seeds::default();
    row.trials.iter().for_each(|result| seeds.add(result.status, result.objective));
    Ranked {
        rank: None,
        mean: mean(&values),
        spread: deviation(&values),
        seeds_done: values.len() as u32,
        seeds_total: seeds.total,
        state: seeds.state(),
        versus_first: None,
        row,
    }
}

/// The finite numbers of finished trials, by seed.
fn numbers(row: &Row) -> impl Iterator<Item = (u64, f64)> + '_ {
    row.trials.iter().filter(|result| result.status == TrialStatus::Done).filter_map(|result| {
        result.objective.filter(|value| value.is_finite()).map(|value| (result.seed, value))
    })
}

/// How a configuration's trials have ended.
#[derive(Default)]
struct Seeds {
    total: u32,
    diverged: u32,
    failed: u32,
    stopped: u32,
    waiting: u32,
}

impl Seeds {
    fn add(&mut self, status: TrialStatus, objective: Option<f64>) {
        self.total += 1;
        match status {
            TrialStatus::Done if objective.is_some_and(f64::is_finite) => {}
            TrialStatus::Done if objective.is_none() => self.failed += 1,
            TrialStatus::Done | TrialStatus::Diverged => self.diverged += 1,
            TrialStatus::Failed => self.failed += 1,
            TrialStatus::Stopped => self.stopped += 1,
            TrialStatus::Waiting => self.waiting += 1,
        }
    }

    fn state(&self) -> State {
        match *self {
            Self { diverged: seeds @ 1.., .. } => State::Diverged(seeds),
            Self { failed: seeds @ 1.., .. } => State::Failed(seeds),
            Self { stopped: seeds @ 1.., .. } => State::Stopped(seeds),
            Self { waiting, total, .. } if waiting == total => State::Waiting,
            Self { waiting: 0, .. } => State::Done,
            _ => State::Partial,
        }
    }
}

/// The place of a configuration in the order of boards, as one number: by state, fewer lost seeds first, by mean, by number.
fn place(state: State, mean: Option<f64>, number: u32, goal: Goal) -> u128 {
    let (class, lost) = match state {
        State::Done => (0, 0),
        State::Partial => (1, 0),
        State::Diverged(seeds) => (2, seeds),
        State::Failed(seeds) => (3, seeds),
        State::Stopped(seeds) => (4, seeds),
        State::Waiting => (5, 0),
    };
    let worse = mean.map_or(u64::MAX, |mean| goal.place(mean));
    // There are no 2^28 seeds.
    (class << 124) | (u128::from(lost) << 96) | (u128::from(worse) << 32) | u128::from(number)
}

/// One configuration compared with another, as [`Ranked::versus_first`] is.
pub fn difference(one: &Row, other: &Row) -> Option<Versus> {
    versus(one, &numbers(other).collect())
}

fn versus(row: &Row, reference: &BTreeMap<u64, f64>) -> Option<Versus> {
    let differences: Vec<f64> = numbers(row)
        .filter_map(|(seed, value)| reference.get(&seed).map(|reference| value - reference))
        .filter(|difference| difference.is_finite())
        .collect();
    let distinction = match Interval::of(&differences) {
        None => Distinction::Unknown,
        Some(interval) if interval.contains(0.0) => {
            Distinction::Same { low: interval.low, high: interval.high }
        }
        Some(interval) => Distinction::Different { low: interval.low, high: interval.high },
    };
    Some(Versus { difference: mean(&differences)?, pairs: differences.len() as u32, distinction })
}

#[cfg(test)]
mod tests;
