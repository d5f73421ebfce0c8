//! How the trials of a sweep share their training.

use std::collections::BTreeMap;

use pleach_core::{
    life::{StageId, StageStatus, TrialId, TrialStatus},
    objective::Goal,
};
use rusqlite::{Connection, Result as SqlResult};

use crate::{
    column::{self, ObjectiveColumn},
    load,
    read::{CURRENT, ReadError, Reader},
};

/// A stage, and what became of the trials through it.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    pub stage: StageId,
    pub parent: Option<StageId>,
    pub first: u64,
    pub end: u64,
    pub status: StageStatus,
    /// So many trials go through it.
    pub trials: u64,
    /// Those that end with it, with their status and objective.
    pub ending: Vec<(TrialId, TrialStatus, Option<f64>)>,
    /// The best objective of a trial through it.
    pub best: Option<f64>,
}

impl Reader {
    /// Every stage of a current trial, by number.
    pub fn branches(&self, goal: Goal) -> Result<Vec<Branch>, ReadError> {
        self.ask(|connection| branches(connection, goal))
    }
}

fn branches(connection: &Connection, goal: Goal) -> SqlResult<Vec<Branch>> {
    let (stages, _) = load::stages(connection)?;
    let mut branches: BTreeMap<StageId, Branch> = BTreeMap::new();
    for stage in stages {
        let (ending, best) = (Vec::new(), None);
        let branch = Branch {
            stage: stage.id,
            parent: stage.parent,
            first: stage.first,
            end: stage.end,
            status: stage.status,
            trials: 0,
            ending,
            best,
        };
        branches.insert(stage.id, branch);
    }
    let mut query = connection.prepare(&format!(
        "SELECT trial.id, stage, trial_end.status, objective
         FROM trial LEFT JOIN trial_end ON trial = trial.id WHERE {CURRENT} ORDER BY trial.id"
    ))?;
    let mut trials = query.query([])?;
    while let Some(row) = trials.next()? {
        let (trial, last) = (TrialId(row.get(0)?), StageId(row.get(1)?));
        let status = column::status(row, 2)?;
        let objective = row.get::<_, ObjectiveColumn>(3)?.0;
        if let Some(branch) = branches.get_mut(&last) {
            branch.ending.push((trial, status, objective));
        }
        let mut next = Some(last);
        while let Some(branch) = next.and_then(|stage| branches.get_mut(&stage)) {
            branch.trials += 1;
            if let Some(value) = objective
                && branch.best.is_none_or(|best| goal.compare(value, best).is_lt())
            {
                branch.best = Some(value);
            }
            next = branch.parent;
        }
    }
    Ok(branches.into_values().filter(|branch| 0 < branch.trials).collect())
}
