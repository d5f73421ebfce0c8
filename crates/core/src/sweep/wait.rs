//! What a trial waits for, told from rows alone: by the very order in which whoever runs the sweep would place its stages.

use super::{Rows, Settings, Sweep, judge::At};
use crate::{
    life::{AttemptId, ConfigurationId, StageId, StageStatus, TrialId},
    objective::Objective,
};

/// What a trial that has not ended waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// For this stage of its path, of which an attempt runs.
    Trains { stage: StageId, attempt: AttemptId },
    /// For a worker to take the next stage of its path; so many are taken before.
    Turn { stage: StageId, ahead: usize },
    /// The same, of a stage whose worker died: it runs when nothing else waits.
    Apart { stage: StageId, ahead: usize },
    /// For the verdict at the rung after `step`, which waits for that configuration, perhaps its own, to come there.
    Verdict { step: u64, on: Option<ConfigurationId> },
    /// For the state that `stage` starts from, which is not on disk: it is made again by training `missing`, of which
    /// that attempt runs, or which so many are taken before.
    State { stage: StageId, missing: StageId, attempt: Option<AttemptId>, ahead: usize },
}

/// None of a trial that has ended, or is not among the rows. What runs, as far as they know, is taken to run.
#[must_use]
pub fn wait(objective: Objective, rows: Rows, trial: TrialId) -> Option<Wait> {
    let mut sweep = Sweep::linked(Settings::new(objective), rows);
    let stages: Vec<StageId> = sweep.stages.keys().copied().collect();
    for id in stages {
        sweep.note_ready(id);
    }
    let trial = sweep.trials.get(&trial).filter(|trial| !trial.status.is_terminal())?;
    let status = |id: &StageId| sweep.stages.get(id).map(|node| node.row.stage.status);
    let is_done = |id: &StageId| {
        matches!(status(id), Some(StageStatus::Done | StageStatus::Rebuilding(_)) | None)
    };
    let place = trial.path.iter().position(|id| !is_done(id))?;
    let stage = *trial.path.get(place)?;
    if let Some(StageStatus::Running(attempt)) = status(&stage) {
        return Some(Wait::Trains { stage, attempt });
    }
    let first = sweep.stages.get(&stage).map_or(0, |node| node.row.stage.first);
    if let Some(step) = sweep.ladder.held(trial.configuration, first)
        && sweep.ready.place(stage).is_none()
    {
        let own = (trial.configuration, step);
        let mut before = sweep.ladder.before(trial.configuration, step).iter().chain([&own]);
        let on = before.find(|(other, step)| sweep.at(*other, *step) == At::Pending);
        return Some(Wait::Verdict { step, on: on.map(|(other, _)| *other) });
    }
    if let Some(ahead) = sweep.ready.place(stage) {
        return Some(Wait::Turn { stage, ahead });
    }
    let ahead_apart = |stage: StageId| {
        let place = sweep.apart.iter().position(|other| *other == stage)?;
        Some(sweep.ready.len() + place)
    };
    if let Some(ahead) = ahead_apart(stage) {
        return Some(Wait::Apart { stage, ahead });
    }
    // It is made again from the nearest state above that there is.
    trial.path[..place].iter().rev().find_map(|&missing| {
        if let Some(StageStatus::Rebuilding(attempt)) = status(&missing) {
            return Some(Wait::State { stage, missing, attempt: Some(attempt), ahead: 0 });
        }
        let ahead = sweep.ready.place(missing).or_else(|| ahead_apart(missing))?;
        Some(Wait::State { stage, missing, attempt: None, ahead })
    })
}
