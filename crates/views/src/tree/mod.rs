//! The tree: as it is planned ([`summary`]), and as it has grown, in a terminal ([`text`]) or as a picture ([`svg`](mod@svg)):
//! trunks and branches over the steps, a line for each trial, the best on top.

mod shapes;
mod svg;
mod terminal;

use std::{cmp::Ordering, collections::BTreeMap};

use pleach_core::{
    life::{StageId, TrialStatus},
    objective::Goal,
};
use pleach_store::Branch;

use crate::format::number;

pub(crate) use shapes::forks;
pub use shapes::summary;
pub use svg::svg;
pub use terminal::text;

/// Stages with their places: lines are counted from the top.
pub(crate) struct Layout<'a> {
    /// Parents before their children.
    pub(crate) placed: Vec<Placed<'a>>,
    pub(crate) lines: usize,
    /// Steps of the longest trial.
    pub(crate) steps: u64,
}

pub(crate) struct Placed<'a> {
    pub(crate) branch: &'a Branch,
    pub(crate) line: usize,
    /// The lines of what branches off at its end, from the top; the first is its own.
    pub(crate) branches: Vec<usize>,
}

impl<'a> Layout<'a> {
    /// Places what fits into so many lines, whole trees from the best one on; 0 for all.
    pub(crate) fn new(branches: &'a [Branch], goal: Goal, limit: usize) -> Self {
        let mut children: BTreeMap<Option<StageId>, Vec<&Branch>> = BTreeMap::new();
        for branch in branches {
            children.entry(branch.parent).or_default().push(branch);
        }
        for siblings in children.values_mut() {
            siblings.sort_by(|a, b| better(a.best, b.best, goal).then(a.stage.cmp(&b.stage)));
        }
        let steps = branches.iter().map(|branch| branch.end).max().unwrap_or(0);
        let mut layout = Self { placed: Vec::new(), lines: 0, steps };
        for root in children.get(&None).into_iter().flatten() {
            let before = (layout.placed.len(), layout.lines);
            layout.place(root, &children);
            if 0 < limit && limit < layout.lines && 0 < before.1 {
                layout.placed.truncate(before.0);
                layout.lines = before.1;
                break;
            }
        }
        layout
    }

    /// Returns the line of `branch`.
    fn place(
        &mut self,
        branch: &'a Branch,
        children: &BTreeMap<Option<StageId>, Vec<&'a Branch>>,
    ) -> usize {
        let (line, index) = (self.lines, self.placed.len());
        self.placed.push(Placed { branch, line, branches: Vec::new() });
        let below = children.get(&Some(branch.stage)).map_or(&[][..], Vec::as_slice);
        let branches: Vec<usize> = below.iter().map(|child| self.place(child, children)).collect();
        if branches.is_empty() {
            self.lines += 1;
        }
        self.placed[index].branches = branches;
        line
    }

    /// Trials that are not placed.
    fn left_out(&self, branches: &[Branch]) -> u64 {
        let trials = |branch: &Branch| branch.ending.len() as u64;
        let all: u64 = branches.iter().map(trials).sum();
        all - self.placed.iter().map(|placed| trials(placed.branch)).sum::<u64>()
    }
}

/// What became of a trial.
fn result(status: TrialStatus, objective: Option<f64>) -> String {
    match (status, objective) {
        (TrialStatus::Done, Some(value)) => number(value, 4),
        (TrialStatus::Done, None) => "done".to_owned(),
        (TrialStatus::Waiting, _) => "waiting".to_owned(),
        (TrialStatus::Diverged, _) => "diverged".to_owned(),
        (TrialStatus::Failed, _) => "failed".to_owned(),
        (TrialStatus::Stopped, _) => "stopped".to_owned(),
    }
}

/// The better one first, without a result last.
fn better(a: Option<f64>, b: Option<f64>, goal: Goal) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => goal.compare(a, b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}
