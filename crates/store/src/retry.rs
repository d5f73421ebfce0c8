//! A new generation of trials that ended: new rows beside the old ones, which stay as they are.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};

use pleach_core::{
    fact::NewStage,
    life::{Stage, StageId, StageStatus, Trial, TrialId, TrialStatus},
    objective::Objective,
};
use rusqlite::{OptionalExtension, Result as SqlResult, Transaction, params};

use crate::{
    accept::WriteError,
    fault::DatabaseError,
    load::Loaded,
    plan::{insert_stage, replace_stage, settle},
    read::ReadError,
    results,
    store::{Store, Time},
};

impl Store {
    /// Plans ended trials of the current revision again, in one transaction, and returns their new numbers in the
    /// order of the old ones, each once. A trial that has a result runs anew from its first stage; one that failed or was stopped, from
    /// its first stage without a good end. A stage that a retry has replaced already is not replaced again, unless
    /// its replacement ended badly, too.
    pub fn retry(&mut self, trials: &[TrialId], now: Time) -> Result<Vec<TrialId>, WriteError> {
        let loaded = match self.load() {
            Ok(loaded) => loaded,
            Err(ReadError::Database(error)) => return Err(error.into()),
            Err(ReadError::NoRevision { path }) => {
                let Some(trial) = trials.first() else { return Ok(Vec::new()) };
                return Err(WriteError::NoTrial { path, trial: trial.0 });
            }
        };
        let path = self.path.clone();
        let fail = |source| DatabaseError::new(&path, source);
        let chosen = loaded.ended(trials, &path)?;
        let transaction = self.connection.transaction().map_err(fail)?;
        let stages = loaded.stages.iter().map(|stage| (stage.id, stage)).collect();
        let mut renewal = Renewal {
            transaction: &transaction,
            objective: &loaded.revision.objective,
            stages,
            renewed: HashMap::new(),
        };
        let ids = chosen
            .iter()
            .map(|trial| renewal.trial(trial))
            .collect::<SqlResult<Vec<_>>>()
            .map_err(fail)?;
        let list: Vec<String> = trials.iter().map(|trial| trial.0.to_string()).collect();
        transaction
            .execute(
                "INSERT INTO note (at, text) VALUES (?, ?)",
                params![now.0, format!("retry of {}", list.join(", "))],
            )
            .map_err(fail)?;
        results::pack(&transaction, None).map_err(fail)?;
        transaction.commit().map_err(fail)?;
        Ok(ids)
    }
}

impl Loaded {
    /// These trials, each once; all of them must have ended. `path` is the database's, for the message.
    pub fn ended(&self, trials: &[TrialId], path: &Path) -> Result<Vec<&Trial>, WriteError> {
        let mut chosen = Vec::with_capacity(trials.len());
        let once: BTreeSet<&TrialId> = trials.iter().collect();
        for id in once {
            let found = self.trials.binary_search_by_key(id, |trial| trial.id);
            match found.ok().and_then(|index| self.trials.get(index)) {
                None => return Err(WriteError::NoTrial { path: path.to_owned(), trial: id.0 }),
                Some(trial) if !trial.status.is_terminal() => {
                    return Err(WriteError::NotEnded { path: path.to_owned(), trial: id.0 });
                }
                Some(trial) => chosen.push(trial),
            }
        }
        Ok(chosen)
    }
}

struct Renewal<'a> {
    transaction: &'a Transaction<'a>,
    objective: &'a Objective,
    stages: HashMap<StageId, &'a Stage>,
    /// What stands for a stage below a parent that was renewed.
    renewed: HashMap<StageId, StageId>,
}

impl Renewal<'_> {
    fn trial(&mut self, trial: &Trial) -> SqlResult<TrialId> {
        let mut path: Vec<StageId> = Vec::with_capacity(trial.path.len());
        let mut renew = trial.status == TrialStatus::Done;
        for id in &trial.path {
            let Some(stage) = self.stages.get(id).copied() else { continue };
            renew |= matches!(stage.status, StageStatus::Failed | StageStatus::Diverged);
            let parent = path.last().copied();
            path.push(if renew { self.stage(stage, parent)? } else { stage.id });
        }
        let id: u32 = self
            .transaction
            .prepare_cached(
                "INSERT INTO trial (configuration, seed, key, stage, revision)
                 SELECT configuration, seed, key, ?2, revision FROM trial WHERE id = ?1
                 RETURNING id",
            )?
            .query_row(params![trial.id.0, path.last().map(|stage| stage.0)], |row| row.get(0))?;
        self.transaction
            .prepare_cached("UPDATE trial SET replacement = ?2 WHERE id = ?1")?
            .execute(params![trial.id.0, id])?;
        settle(self.transaction, TrialId(id), &path, self.objective)?;
        Ok(TrialId(id))
    }

    fn stage(&mut self, stage: &Stage, parent: Option<StageId>) -> SqlResult<StageId> {
        if let Some(renewed) = self.renewed.get(&stage.id) {
            return Ok(*renewed);
        }
        let newest = self.newest(stage.id, parent)?;
        let renewed = match newest {
            Newest::Usable(id) => id,
            Newest::Replace(id) => {
                let Stage { key, first, end, .. } = *stage;
                let new = insert_stage(self.transaction, &NewStage { key, first, end }, parent)?;
                replace_stage(self.transaction, id, new)?;
                new
            }
        };
        self.renewed.insert(stage.id, renewed);
        Ok(renewed)
    }

    /// The newest generation of a stage.
    fn newest(&self, stage: StageId, parent: Option<StageId>) -> SqlResult<Newest> {
        let mut id = stage;
        let mut query = self.transaction.prepare_cached(
            "SELECT replacement FROM stage WHERE id = ? AND replacement IS NOT NULL",
        )?;
        while let Some(next) = query.query_row([id.0], |row| row.get(0)).optional()? {
            id = StageId(next);
        }
        let usable: bool = self
            .transaction
            .prepare_cached(
                "SELECT id <> ?2 AND parent IS ?3 AND coalesce(status, 1) = 1
                 FROM stage LEFT JOIN stage_end ON stage = id WHERE id = ?1",
            )?
            .query_row(params![id.0, stage.0, parent.map(|parent| parent.0)], |row| row.get(0))?;
        Ok(if usable { Newest::Usable(id) } else { Newest::Replace(id) })
    }
}

enum Newest {
    /// A later one than the one asked for, below the right parent, that did not end badly.
    Usable(StageId),
    Replace(StageId),
}
