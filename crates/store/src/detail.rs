//! Everything about one trial, for a person who asks what happened to it.

use std::{collections::BTreeMap, ops::ControlFlow};

use pleach_core::{
    event::Usage,
    fact::Checkpoint,
    key::Key,
    life::{
        AttemptId, Charge, ConfigurationId, Ending, StageId, StageStatus, TrialId, TrialStatus,
    },
    plan::command::OPEN_ENDED,
    stop::{Saying, Verdict},
    value::Parameters,
    warning::Warning,
};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, Row, params};

use crate::{
    column::{self, DigestColumn, ObjectiveColumn},
    load::checkpoint,
    read::{CURRENT, ReadError, Reader},
    stop,
    store::Time,
    warning,
};

/// One trial with its whole story.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialDetail {
    pub trial: TrialId,
    pub configuration: ConfigurationId,
    pub parameters: Parameters,
    pub seed: u64,
    pub key: Key,
    pub status: TrialStatus,
    pub objective: Option<f64>,
    /// Whether the current revision asks for it.
    pub standing: Standing,
    /// From the root.
    pub path: Vec<StageDetail>,
    /// Evaluations of the whole path, by step; names in alphabetical order.
    pub metrics: Vec<(u64, Vec<(String, f64)>)>,
    /// On its configuration, by step.
    pub verdicts: Vec<Verdict>,
}

impl TrialDetail {
    /// The verdict that has stopped it, if it was not a person.
    pub fn stopped_by(&self) -> Option<&Verdict> {
        let is_stopped = self.status == TrialStatus::Stopped;
        let stops = self.verdicts.iter().rev().filter(|it| it.saying == Saying::Stop);
        stops.take(usize::from(is_stopped)).next()
    }

    /// The step at which its program ended it well before its last one, and that last one.
    pub fn early(&self) -> Option<[u64; 2]> {
        let last = self.path.last().filter(|_| self.status == TrialStatus::Done)?;
        let step = last.counted()?.step?;
        (step < last.end && last.end < OPEN_ENDED).then_some([step, last.end])
    }

    /// What was odd in what its attempts said, of each stage in the one that counts, or else in the last one.
    pub fn warnings(&self) -> impl Iterator<Item = &Warning> {
        self.path.iter().flat_map(|stage| {
            stage
                .counted()
                .or(stage.attempts.last())
                .into_iter()
                .flat_map(|attempt| &attempt.warnings)
        })
    }

    /// A metric's values by step.
    pub fn curve(&self, metric: &str) -> Vec<(f64, f64)> {
        let value = |(step, values): &(u64, Vec<(String, f64)>)| {
            let found = values.iter().find(|(name, _)| name == metric);
            found.map(|(_, value)| (*step as f64, *value))
        };
        self.metrics.iter().filter_map(value).collect()
    }
}

impl StageDetail {
    /// The attempt whose result it has.
    pub fn counted(&self) -> Option<&AttemptDetail> {
        self.attempts
            .iter()
            .find(|it| it.ending.as_ref().is_some_and(|ending| ending.charge() == Charge::Counted))
    }
}

/// Where a trial stands among revisions and generations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Current,
    /// The current sweep file does not hold it.
    Removed,
    /// It was retried as the trial named.
    Retried(TrialId),
}

#[derive(Clone, Debug, PartialEq)]
pub struct StageDetail {
    pub stage: StageId,
    pub key: Key,
    pub first: u64,
    pub end: u64,
    pub status: StageStatus,
    /// So many trials of the current revision share it.
    pub trials: u64,
    /// Of the training state at its end, hexadecimal; empty without one.
    pub digest: String,
    /// In the order of their grants.
    pub attempts: Vec<AttemptDetail>,
    /// The training states on disk, by step.
    pub checkpoints: Vec<Checkpoint>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AttemptDetail {
    pub attempt: AttemptId,
    /// It started after so many updates.
    pub from: u64,
    /// It ended after so many updates.
    pub step: Option<u64>,
    pub started: Time,
    pub ended: Option<Time>,
    /// None while it runs.
    pub ending: Option<Ending>,
    /// What a person's program took, if it is known.
    pub usage: Option<Usage>,
    /// What was odd in what it said.
    pub warnings: Vec<Warning>,
}

impl Reader {
    /// Everything about one trial, of whatever revision and generation; none when there is no such trial.
    pub fn trial(&self, id: TrialId) -> Result<Option<TrialDetail>, ReadError> {
        self.ask(|connection| trial(connection, id, &|stage| sharing(connection, stage)))
    }

    /// Gives everything about each of these trials to `take`, for as long as it says that it wants more. Of very many trials
    /// this is much faster than one after the other.
    pub fn each_trial(
        &self,
        ids: &[TrialId],
        take: &mut dyn FnMut(TrialDetail) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.ask(|connection| {
            let shared = all_sharing(connection)?;
            for id in ids {
                let share = |stage| Ok(shared.get(&stage).copied().unwrap_or(0));
                if let Some(detail) = trial(connection, *id, &share)?
                    && take(detail).is_break()
                {
                    break;
                }
            }
            Ok(())
        })
    }
}

/// How many trials of the current revision share a stage.
fn sharing(connection: &Connection, id: StageId) -> SqlResult<u64> {
    let sql = format!(
        "SELECT count(*) FROM paths JOIN trial ON trial.id = paths.trial
         WHERE paths.stage = ? AND {CURRENT}"
    );
    connection.prepare_cached(&sql)?.query_row([id.0], |row| column::unsigned(row, 0))
}

/// The same of every stage that any has.
fn all_sharing(connection: &Connection) -> SqlResult<BTreeMap<StageId, u64>> {
    connection
        .prepare(&format!(
            "SELECT paths.stage, count(*) FROM paths JOIN trial ON trial.id = paths.trial
             WHERE {CURRENT} GROUP BY paths.stage"
        ))?
        .query_map([], |row| Ok((StageId(row.get(0)?), column::unsigned(row, 1)?)))?
        .collect()
}

fn trial(
    connection: &Connection,
    id: TrialId,
    sharing: &dyn Fn(StageId) -> SqlResult<u64>,
) -> SqlResult<Option<TrialDetail>> {
    let sql = format!(
        "SELECT configuration, parameters, seed, key, trial_end.status, objective, replacement,
             {CURRENT}, stage
         FROM trial
         JOIN configuration ON configuration.id = configuration
         LEFT JOIN trial_end ON trial = trial.id
         WHERE trial.id = ?"
    );
    let found = connection
        .prepare_cached(&sql)?
        .query_row([id.0], |row| {
            let standing = match (row.get::<_, Option<u32>>(6)?, row.get(7)?) {
                (Some(replacement), _) => Standing::Retried(TrialId(replacement)),
                (None, true) => Standing::Current,
                (None, false) => Standing::Removed,
            };
            let detail = TrialDetail {
                trial: id,
                configuration: ConfigurationId(row.get(0)?),
                parameters: column::parameters(row, 1)?,
                seed: column::unsigned(row, 2)?,
                key: column::key(row, 3)?,
                status: column::status(row, 4)?,
                objective: row.get::<_, ObjectiveColumn>(5)?.0,
                standing,
                path: Vec::new(),
                metrics: Vec::new(),
                verdicts: Vec::new(),
            };
            Ok((detail, row.get(8)?))
        })
        .optional()?;
    let Some((mut detail, last)) = found else { return Ok(None) };
    for id in path(connection, StageId(last))? {
        detail.path.push(stage(connection, id, sharing(id)?)?);
    }
    detail.verdicts = stop::verdicts(connection, detail.configuration)?;
    let mut metrics: BTreeMap<u64, Vec<(String, f64)>> = BTreeMap::new();
    for (step, name, value) in metrics_of(connection, &detail.path)? {
        metrics.entry(step).or_default().push((name, value));
    }
    detail.metrics = metrics.into_iter().collect();
    Ok(Some(detail))
}

/// A stage and its ancestors, from the root.
pub(crate) fn path(connection: &Connection, last: StageId) -> SqlResult<Vec<StageId>> {
    let mut query = connection.prepare_cached("SELECT parent FROM stage WHERE id = ?")?;
    let mut path = Vec::new();
    let mut next = Some(last);
    while let Some(stage) = next {
        path.push(stage);
        next = query.query_row([stage.0], |row| row.get::<_, Option<u32>>(0))?.map(StageId);
    }
    path.reverse();
    Ok(path)
}

/// Evaluations of one stage, by step, then by name.
pub(crate) fn stage_metrics(
    connection: &Connection,
    stage: StageId,
) -> SqlResult<Vec<(u64, String, f64)>> {
    connection
        .prepare_cached(
            "SELECT step, metric_name.name, value
             FROM metric JOIN metric_name ON metric_name.id = metric.name
             WHERE stage = ? ORDER BY step, metric_name.name",
        )?
        .query_map([stage.0], |row| {
            Ok((column::unsigned(row, 0)?, row.get(1)?, column::metric(row, 2)?))
        })?
        .collect()
}

fn metrics_of(connection: &Connection, path: &[StageDetail]) -> SqlResult<Vec<(u64, String, f64)>> {
    let stages = path.iter().map(|stage| stage_metrics(connection, stage.stage));
    Ok(stages.collect::<SqlResult<Vec<_>>>()?.concat())
}

/// A stage that so many trials share.
fn stage(connection: &Connection, id: StageId, trials: u64) -> SqlResult<StageDetail> {
    let usage = if has_usage(connection)? { ", memory, cpu" } else { ", NULL, NULL" };
    // Three queries, so that each finds an index of its own.
    let mut attempts = Vec::new();
    for condition in ["ending IS NULL", "ending <= 2", "ending > 2"] {
        let sql = format!(
            "SELECT id, from_step, step, started, started + took, ending, detail{usage}
             FROM attempt WHERE stage = ? AND {condition}"
        );
        let mut query = connection.prepare_cached(&sql)?;
        for attempt in query.query_map([id.0], attempt)? {
            attempts.push(attempt?);
        }
    }
    attempts.sort_by_key(|attempt| attempt.attempt);
    for attempt in &mut attempts {
        attempt.warnings = warning::of(connection, attempt.attempt)?;
    }
    let running = attempts.iter().find(|attempt| attempt.ending.is_none());
    let running = running.map(|attempt| attempt.attempt);
    let checkpoints = connection
        .prepare_cached(
            "SELECT stage, step, attempt, file, digest, evaluated, bytes
             FROM checkpoint WHERE stage = ? ORDER BY step",
        )?
        .query_map([id.0], checkpoint)?
        .collect::<SqlResult<_>>()?;
    connection
        .prepare_cached(
            "SELECT key, first_step, end_step, digest, status
             FROM stage LEFT JOIN stage_end ON stage = id WHERE id = ?",
        )?
        .query_row(params![id.0], |row| {
            Ok(StageDetail {
                stage: id,
                key: column::key(row, 0)?,
                first: column::unsigned(row, 1)?,
                end: column::unsigned(row, 2)?,
                trials,
                digest: row.get::<_, DigestColumn>(3)?.0,
                status: column::stage_status(row, 4, running)?,
                attempts,
                checkpoints,
            })
        })
}

/// Not in a database that an older version has written, and nobody since.
fn has_usage(connection: &Connection) -> SqlResult<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pragma_table_info('attempt') WHERE name = 'memory')";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

fn attempt(row: &Row) -> SqlResult<AttemptDetail> {
    Ok(AttemptDetail {
        attempt: AttemptId(row.get(0)?),
        from: column::unsigned(row, 1)?,
        step: row.get::<_, Option<i64>>(2)?.map(|step| step as u64),
        started: Time(row.get(3)?),
        ended: row.get::<_, Option<i64>>(4)?.map(Time),
        ending: column::ending(row, 5, 6)?,
        usage: match (row.get::<_, Option<i64>>(7)?, row.get::<_, Option<i64>>(8)?) {
            (Some(memory), Some(cpu)) => Some(Usage { memory: memory as u64, cpu: cpu as u64 }),
            _ => None,
        },
        warnings: Vec::new(),
    })
}
