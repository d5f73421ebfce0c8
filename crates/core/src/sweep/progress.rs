//! How far a sweep is, at any moment and in no time.

use serde::{Deserialize, Serialize};

use super::{Mode, Sweep};
use crate::{
    life::{AttemptId, Purpose, Stage, TrialId, TrialStatus, WorkerId},
    plan::command::OPEN_ENDED,
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub trials: u64,
    pub waiting: u64,
    pub done: u64,
    pub diverged: u64,
    pub failed: u64,
    pub stopped: u64,
    /// Steps of every stage that has no result yet, those made of running ones apart.
    pub steps_left: u64,
    /// Steps of every stage of the sweep, with and without result.
    #[serde(default)]
    pub steps: u64,
    /// Whether a person lets nothing more start.
    pub is_paused: bool,
    /// What runs now, worker by worker.
    pub running: Vec<Running>,
}

impl Progress {
    /// The share of all steps that needs no training any more. None where nobody says how long trials are.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let is_known = 0 < self.steps && self.steps < OPEN_ENDED;
        is_known.then(|| 1.0 - self.steps_left as f64 / self.steps as f64)
    }
}

/// A stage in a worker's hands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Running {
    pub worker: WorkerId,
    pub attempt: AttemptId,
    /// The first of those that it is for, and how many others there are.
    pub trial: TrialId,
    pub others: u64,
    pub first: u64,
    /// Updates made.
    pub step: u64,
    pub end: u64,
}

/// Kept up to date with every change.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) waiting: u64,
    done: u64,
    diverged: u64,
    failed: u64,
    stopped: u64,
    steps_left: u64,
    steps: u64,
}

impl Counts {
    fn of(&mut self, status: TrialStatus) -> &mut u64 {
        match status {
            TrialStatus::Waiting => &mut self.waiting,
            TrialStatus::Done => &mut self.done,
            TrialStatus::Diverged => &mut self.diverged,
            TrialStatus::Failed => &mut self.failed,
            TrialStatus::Stopped => &mut self.stopped,
        }
    }

    pub(super) fn trial_changed(&mut self, from: TrialStatus, to: TrialStatus) {
        let from = self.of(from);
        *from = from.saturating_sub(1);
        *self.of(to) += 1;
    }

    pub(super) fn is_nothing_done(&self) -> bool {
        (self.done, self.diverged) == (0, 0)
    }

    pub(super) fn stage_ended(&mut self, stage: &Stage) {
        self.steps_left = self.steps_left.saturating_sub(stage.end - stage.first);
    }
}

impl Sweep {
    pub(super) fn count(&self) -> Counts {
        let mut counts = Counts::default();
        for trial in self.trials.values() {
            *counts.of(trial.status) += 1;
        }
        let open = self
            .stages
            .values()
            .filter(|node| !node.row.stage.status.is_terminal() && self.is_wanted(node));
        let steps = self.stages.values().map(|node| node.row.stage.end - node.row.stage.first);
        counts.steps = steps.sum();
        counts.steps_left = open.map(|node| node.row.stage.end - node.row.stage.first).sum();
        counts
    }

    pub fn progress(&self) -> Progress {
        let mut running = Vec::new();
        let mut made = 0;
        let grants = self
            .workers
            .iter()
            .flat_map(|(&worker, state)| state.running().map(move |grant| (worker, grant)));
        for (worker, grant) in grants {
            let Some(node) = self.stages.get(&grant.stage) else { continue };
            let stage = &node.row.stage;
            if grant.purpose == Purpose::Train {
                made += grant.step.saturating_sub(stage.first);
            }
            if let Some(&trial) = node.trials.first() {
                let (attempt, step) = (grant.attempt, grant.step);
                let (first, end) = (stage.first, stage.end);
                let others = node.trials.len() as u64 - 1;
                running.push(Running { worker, attempt, trial, others, first, step, end });
            }
        }
        let Counts { waiting, done, diverged, failed, stopped, steps_left, steps } = self.counts;
        Progress {
            trials: self.trials.len() as u64,
            waiting,
            done,
            diverged,
            failed,
            stopped,
            steps_left: steps_left.saturating_sub(made),
            steps,
            is_paused: self.mode == Mode::Paused,
            running,
        }
    }
}
