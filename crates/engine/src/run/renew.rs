//! Trials that run again while the sweep goes on.

use std::collections::BTreeSet;

use pleach_core::{
    event::{Event, Renewed},
    life::{StageId, TrialId},
};
use pleach_store::{CommitError, ReadError, WriteError};

use super::{
    Run,
    begin::{lanes, rows},
    wall_time,
};

impl Run<'_> {
    /// Plans trials again, and tells the core what they are now.
    pub(super) fn renew(&mut self, instead_of: Vec<TrialId>) -> Result<(), CommitError> {
        let path = self.job.home.database();
        let impossible = |why: String| {
            let (path, fact) = (path.clone(), format!("a retry of {instead_of:?}"));
            CommitError::Impossible { path, fact, why }
        };
        let new = self.store.retry(&instead_of, wall_time()).map_err(|error| match error {
            WriteError::Database(source) => CommitError::Unknown(source),
            other => impossible(other.to_string()),
        })?;
        let loaded = self.store.load().map_err(|error| match error {
            ReadError::Database(source) => CommitError::Unknown(source),
            other @ ReadError::NoRevision { .. } => impossible(other.to_string()),
        })?;
        let (mut rows, points) = rows(self.job.home, loaded);
        let new: BTreeSet<TrialId> = new.into_iter().collect();
        rows.trials.retain(|trial| new.contains(&trial.id));
        let held: BTreeSet<StageId> =
            rows.trials.iter().flat_map(|trial| trial.path.iter().copied()).collect();
        rows.stages.retain(|row| held.contains(&row.stage.id));
        self.points.extend(points.into_iter().filter(|(trial, _)| new.contains(trial)));
        self.seeds.extend(rows.trials.iter().map(|trial| (trial.id, trial.seed)));
        let lanes = lanes(self.job, &rows.trials);
        let (trials, stages) = (rows.trials, rows.stages);
        self.events.push(Event::Renewed(Renewed { instead_of, trials, stages, lanes }));
        Ok(())
    }
}
