//! The tree's best branches, placed.

use pleach_core::{life::StageStatus, objective::Goal, plan::command::OPEN_ENDED};
use pleach_store::Branch;
use serde::Serialize;

use super::{Places, short};
use crate::tree::Layout;

/// About so many lines are drawn, whole trees from the best one on; of a tree that is larger, so many at most.
const LINES: usize = 60;
const MOST: usize = 300;

#[derive(Debug, Serialize)]
pub(super) struct Tree {
    /// Empty where nobody says how long trials are.
    stages: Vec<Stage>,
    lines: usize,
    /// Of the longest trial.
    steps: u64,
    /// Steps of all stages, and of all trials each by itself.
    trained: u64,
    alone: u64,
    /// Trials that are not drawn.
    more: u64,
}

#[derive(Debug, Serialize)]
struct Stage {
    first: u64,
    end: u64,
    line: usize,
    /// The lines of what goes on below it.
    below: Vec<usize>,
    status: &'static str,
    trials: u64,
    best: Option<f64>,
    /// The trials that end with it: number, place of its configuration on the board.
    ending: Vec<(u32, Option<usize>)>,
}

impl Tree {
    pub(super) fn new(branches: &[Branch], goal: Goal, places: &Places) -> Self {
        let layout = Layout::new(branches, goal, LINES);
        let is_open_ended = OPEN_ENDED <= layout.steps;
        let length = |branch: &Branch| branch.end - branch.first;
        let sum =
            |of: &dyn Fn(&Branch) -> u64| branches.iter().map(of).fold(0, u64::saturating_add);
        let mut shown = layout.placed;
        shown.retain(|placed| placed.line < MOST && !is_open_ended);
        let trials = |branch: &Branch| branch.ending.len() as u64;
        let more = sum(&trials) - shown.iter().map(|placed| trials(placed.branch)).sum::<u64>();
        let stages = shown.iter().map(|placed| {
            let Branch { first, end, status, trials, best, ref ending, .. } = *placed.branch;
            let ending = ending.iter().map(|(trial, ..)| (trial.0, places.get(trial).copied()));
            Stage {
                first,
                end,
                line: placed.line,
                below: placed.branches.clone(),
                status: word(status),
                trials,
                best: best.and_then(|best| short(best, 9)),
                ending: ending.collect(),
            }
        });
        Self {
            stages: stages.collect(),
            lines: layout.lines.min(MOST),
            steps: layout.steps,
            trained: sum(&length),
            alone: sum(&|branch| length(branch).saturating_mul(branch.trials)),
            more,
        }
    }
}

fn word(status: StageStatus) -> &'static str {
    match status {
        StageStatus::Waiting => "waiting",
        StageStatus::Running(_) => "running",
        StageStatus::Done | StageStatus::Rebuilding(_) => "done",
        StageStatus::Diverged => "diverged",
        StageStatus::Failed => "failed",
    }
}
