//! The rows of trials and stages: found by key, or made.

use std::collections::HashMap;

use pleach_core::{
    fact::{NewStage, NewTrial},
    key::Key,
    life::{ConfigurationId, Place, StageId, TrialId, TrialStatus},
    objective::Objective,
    value::Parameters,
};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, Transaction, params};

use crate::{
    accept::Planned,
    column::{self, EvaluatedColumn, ObjectiveColumn, status_number},
    stop,
};

pub(crate) struct KnownTrial {
    id: TrialId,
    ended: bool,
}

pub(crate) fn known_trials(connection: &Connection) -> SqlResult<HashMap<Key, KnownTrial>> {
    connection
        .prepare(
            "SELECT key, id, status IS NOT NULL
             FROM trial LEFT JOIN trial_end ON trial = id WHERE replacement IS NULL",
        )?
        .query_map([], |row| {
            Ok((column::key(row, 0)?, KnownTrial { id: TrialId(row.get(1)?), ended: row.get(2)? }))
        })?
        .collect()
}

struct KnownConfiguration {
    id: ConfigurationId,
    point: u64,
}

fn known_configurations(connection: &Connection) -> SqlResult<HashMap<String, KnownConfiguration>> {
    connection
        .prepare("SELECT parameters, id, point FROM configuration")?
        .query_map([], |row| {
            let id = ConfigurationId(row.get(1)?);
            Ok((row.get(0)?, KnownConfiguration { id, point: column::unsigned(row, 2)? }))
        })?
        .collect()
}

struct KnownStage {
    id: StageId,
    parent: Option<StageId>,
    first: u64,
    end: u64,
    ended: bool,
}

fn known_stages(connection: &Connection) -> SqlResult<HashMap<Key, KnownStage>> {
    connection
        .prepare(
            "SELECT key, id, parent, first_step, end_step, status IS NOT NULL
             FROM stage LEFT JOIN stage_end ON stage = id WHERE replacement IS NULL",
        )?
        .query_map([], |row| {
            let stage = KnownStage {
                id: StageId(row.get(1)?),
                parent: row.get::<_, Option<u32>>(2)?.map(StageId),
                first: column::unsigned(row, 3)?,
                end: column::unsigned(row, 4)?,
                ended: row.get(5)?,
            };
            Ok((column::key(row, 0)?, stage))
        })?
        .collect()
}

/// What is known while a revision is written.
pub(crate) struct Planner<'a> {
    transaction: &'a Transaction<'a>,
    objective: &'a Objective,
    revision: u32,
    trials: HashMap<Key, KnownTrial>,
    configurations: HashMap<String, KnownConfiguration>,
    stages: HashMap<Key, KnownStage>,
}

impl<'a> Planner<'a> {
    /// Reads what is known.
    pub(crate) fn new(
        transaction: &'a Transaction<'a>,
        objective: &'a Objective,
        revision: u32,
    ) -> SqlResult<Self> {
        let trials = known_trials(transaction)?;
        let configurations = known_configurations(transaction)?;
        let stages = known_stages(transaction)?;
        Ok(Self { transaction, objective, revision, trials, configurations, stages })
    }

    /// A stage of the path that is known with other bounds. It means that keys are not what they should be.
    pub(crate) fn other_stage(&self, trial: &NewTrial) -> Option<(Key, String, String)> {
        trial.path.iter().find_map(|stage| {
            let known = self.stages.get(&stage.key)?;
            let differs = (known.first, known.end) != (stage.first, stage.end);
            let text = |first: u64, end: u64| format!("{first} to {end}");
            differs.then(|| (stage.key, text(known.first, known.end), text(stage.first, stage.end)))
        })
    }

    pub(crate) fn plan(&mut self, planned: &Planned) -> SqlResult<()> {
        let trial = planned.trial;
        let configuration = self.configuration(planned.parameters, trial.point)?;
        if let Some(rungs) = &trial.rungs {
            stop::insert_rungs(self.transaction, configuration, rungs)?;
        }
        let known = self.trials.get(&trial.key).map(|known| (known.id, known.ended));
        if let Some((id, true)) = known {
            return self
                .transaction
                .prepare_cached("UPDATE trial SET configuration = ?2, revision = ?3 WHERE id = ?1")?
                .execute(params![id.0, configuration.0, self.revision])
                .map(drop);
        }
        let mut path = Vec::with_capacity(trial.path.len());
        let mut any_ended = false;
        for stage in &trial.path {
            let (id, ended) = self.stage(stage, path.last().copied())?;
            path.push(id);
            any_ended |= ended;
        }
        let last = path.last().map(|stage| stage.0);
        let id = match known {
            // What is still to be done may be cut otherwise beside other trials.
            Some((id, _)) => {
                self.transaction
                    .prepare_cached(
                        "UPDATE trial SET configuration = ?2, revision = ?3, stage = ?4 WHERE id = ?1",
                    )?
                    .execute(params![id.0, configuration.0, self.revision, last])?;
                id
            }
            None => self
                .transaction
                .prepare_cached(
                    "INSERT INTO trial (configuration, seed, key, stage, revision)
                     VALUES (?, ?, ?, ?, ?) RETURNING id",
                )?
                .query_row(
                    params![configuration.0, trial.seed as i64, trial.key.0, last, self.revision],
                    |row| row.get(0).map(TrialId),
                )?,
        };
        if any_ended {
            settle(self.transaction, id, &path, self.objective)?;
        }
        Ok(())
    }

    fn configuration(&mut self, parameters: &Parameters, point: u64) -> SqlResult<ConfigurationId> {
        let text = column::json_text(parameters)?;
        if let Some(known) = self.configurations.get_mut(&text) {
            if known.point != point {
                self.transaction
                    .prepare_cached("UPDATE configuration SET point = ?2 WHERE id = ?1")?
                    .execute(params![known.id.0, point as i64])?;
                known.point = point;
            }
            return Ok(known.id);
        }
        let id = self
            .transaction
            .prepare_cached(
                "INSERT INTO configuration (parameters, point, era) VALUES (?, ?, ?) RETURNING id",
            )?
            .query_row(params![text, point as i64, self.revision], |row| {
                row.get(0).map(ConfigurationId)
            })?;
        self.configurations.insert(text, KnownConfiguration { id, point });
        Ok(id)
    }

    /// The stage's number and whether it has ended. A known one below another generation of its parent is not the one that is meant.
    fn stage(&mut self, stage: &NewStage, parent: Option<StageId>) -> SqlResult<(StageId, bool)> {
        if let Some(known) = self.stages.get(&stage.key).filter(|known| known.parent == parent) {
            return Ok((known.id, known.ended));
        }
        let id = insert_stage(self.transaction, stage, parent)?;
        let &NewStage { key, first, end } = stage;
        let new = KnownStage { id, parent, first, end, ended: false };
        if let Some(old) = self.stages.insert(key, new) {
            replace_stage(self.transaction, old.id, id)?;
        }
        Ok((id, false))
    }
}

pub(crate) fn insert_stage(
    transaction: &Transaction,
    stage: &NewStage,
    parent: Option<StageId>,
) -> SqlResult<StageId> {
    transaction
        .prepare_cached(
            "INSERT INTO stage (key, parent, first_step, end_step) VALUES (?, ?, ?, ?) RETURNING id",
        )?
        .query_row(
            params![
                stage.key.0,
                parent.map(|parent| parent.0),
                stage.first as i64,
                stage.end as i64
            ],
            |row| row.get(0).map(StageId),
        )
}

pub(crate) fn replace_stage(
    transaction: &Transaction,
    old: StageId,
    new: StageId,
) -> SqlResult<()> {
    transaction
        .prepare_cached("UPDATE stage SET replacement = ?2 WHERE id = ?1")?
        .execute(params![old.0, new.0])
        .map(drop)
}

/// Ends a new trial at once when stages of its path, trained for others, have ended so; but not before its verdicts.
pub(crate) fn settle(
    transaction: &Transaction,
    trial: TrialId,
    path: &[StageId],
    objective: &Objective,
) -> SqlResult<()> {
    if stop::is_held(transaction, trial)? {
        return Ok(());
    }
    let mut query =
        transaction.prepare_cached("SELECT status, evaluated FROM stage_end WHERE stage = ?")?;
    let mut status = TrialStatus::Waiting;
    let mut value = None;
    for (index, stage) in path.iter().enumerate() {
        let place = if index + 1 == path.len() { Place::Last } else { Place::Inside };
        let end = query
            .query_row([stage.0], |row| {
                Ok((column::stage_status(row, 0, None)?, row.get::<_, EvaluatedColumn>(1)?.0))
            })
            .optional()?;
        if let Some((stage, evaluated)) = end {
            status = status.after_stage(stage, place);
            value = match status {
                TrialStatus::Diverged => Some(f64::NAN),
                TrialStatus::Failed => None,
                _ => objective.value(&evaluated),
            };
        }
    }
    if let Some(status) = status_number(status) {
        transaction
            .prepare_cached("INSERT INTO trial_end (trial, status, objective) VALUES (?, ?, ?)")?
            .execute(params![trial.0, status, ObjectiveColumn(value)])?;
    }
    Ok(())
}
