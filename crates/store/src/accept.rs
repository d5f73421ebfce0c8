//! A sweep file, expanded, becomes rows: what is known keeps its number, what is new gets one.

use std::{
    collections::{BTreeSet, HashSet},
    path::{Path, PathBuf},
};

use pleach_core::{
    fact::NewTrial,
    key::Key,
    life::Ending,
    objective::Objective,
    rank::Tried,
    value::{Parameters, Value},
};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, Transaction, params};
use thiserror::Error;

use crate::{
    column::{self, ending_number, goal_word, reduce_words},
    fault::DatabaseError,
    plan::{Planner, known_trials},
    read::{ReadError, Reader},
    results, stop,
    store::{Store, Time},
};

/// A sweep file as a person accepted it.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    pub text: String,
    /// Its name, for people.
    pub file: String,
    pub objective: Objective,
    /// The worker program.
    pub program: String,
    /// What results depend on beside their keys, as the worker states it.
    pub numerics: String,
}

/// A trial of the revision, known or new.
#[derive(Clone, Copy, Debug)]
pub struct Planned<'a> {
    pub trial: &'a NewTrial,
    /// What is swept, at its point: everything in which configurations differ.
    pub parameters: &'a Parameters,
}

/// What became of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its number. Counts from 1.
    pub revision: u32,
    pub difference: Difference,
}

/// Trials of one revision beside those of the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    pub added: u64,
    /// Known, with whatever came out of them.
    pub kept: u64,
    /// No longer asked for; they stay in the database and come back with the file that asks for them.
    pub removed: u64,
}

#[derive(Debug, Error)]
pub enum WriteError {
    #[error("parameter `{name}` is {value}; only finite numbers can be swept")]
    NotFinite { name: String, value: Value },
    #[error("{path}: the trial with key {key} has no stage")]
    NoStage { path: PathBuf, key: Key },
    #[error(
        "{path}: stage {stage} is known as another piece of training: steps {known}, now {now}; use another name for this sweep"
    )]
    OtherStage { path: PathBuf, stage: Key, known: String, now: String },
    #[error(
        "{path}: the objective was {known} and is now {now}, but trials have run by the old one; use another name for this sweep"
    )]
    OtherObjective { path: PathBuf, known: String, now: String },
    #[error("{path}: trial {trial} has not ended; only trials that ended can be retried")]
    NotEnded { path: PathBuf, trial: u32 },
    #[error("{path}: there is no trial {trial} in the current sweep file")]
    NoTrial { path: PathBuf, trial: u32 },
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl Store {
    /// Makes `revision` the current one, in one transaction. Trials of known keys keep their numbers and results;
    /// the others are added, in the order given; those of equal keys become one.
    pub fn accept(
        &mut self,
        revision: &Revision,
        trials: &[Planned],
        now: Time,
    ) -> Result<Accepted, WriteError> {
        for planned in trials {
            check(planned, &self.path)?;
        }
        self.check_objective(&revision.objective)?;
        let keys = trials.iter().map(|planned| planned.trial.key).collect();
        let difference = compare(&self.connection, &keys).map_err(|source| self.error(source))?;
        let path = self.path.clone();
        let fail = |source| DatabaseError::new(&path, source);
        let transaction = self.connection.transaction().map_err(fail)?;
        let id = insert_revision(&transaction, revision, difference, now).map_err(fail)?;
        lose_attempts(&transaction, now).map_err(fail)?;
        stop::forget_rungs(&transaction).map_err(fail)?;
        let mut planner = Planner::new(&transaction, &revision.objective, id).map_err(fail)?;
        let mut seen = HashSet::with_capacity(trials.len());
        for planned in trials {
            if !seen.insert(planned.trial.key) {
                continue;
            }
            if let Some(other) = planner.other_stage(planned.trial) {
                let (stage, known, now) = other;
                return Err(WriteError::OtherStage { path, stage, known, now });
            }
            planner.plan(planned).map_err(fail)?;
        }
        let mut parameters: Vec<_> = trials.iter().map(|planned| planned.parameters).collect();
        // Seeds lie inside of configurations.
        parameters.dedup_by(|a, b| std::ptr::eq(*a, *b));
        results::pack(&transaction, Some(&Tried::new(&parameters))).map_err(fail)?;
        transaction.commit().map_err(fail)?;
        Ok(Accepted { revision: id, difference })
    }

    /// A trial's number is reduced while it runs, so that one sweep has one objective.
    fn check_objective(&self, objective: &Objective) -> Result<(), WriteError> {
        let known = self
            .connection
            .prepare_cached(
                "SELECT metric, goal, reduce, mean_of FROM revision
                 WHERE EXISTS (SELECT 1 FROM attempt) ORDER BY id DESC LIMIT 1",
            )
            .and_then(|mut query| query.query_row([], |row| column::objective(row, 0)).optional())
            .map_err(|source| self.error(source))?;
        let text = |objective: &Objective| {
            let (reduce, of) = reduce_words(objective.reduce);
            let of = of.map(|of| format!(" {of}")).unwrap_or_default();
            format!("{} {} {reduce}{of}", goal_word(objective.goal), objective.metric)
        };
        match known {
            Some(known) if known != *objective => Err(WriteError::OtherObjective {
                path: self.path.clone(),
                known: text(&known),
                now: text(objective),
            }),
            _ => Ok(()),
        }
    }

    /// What [`Store::accept`] would do with trials of these keys, without doing it.
    pub fn compare(&self, trials: &BTreeSet<Key>) -> Result<Difference, ReadError> {
        compare(&self.connection, trials).map_err(|source| self.error(source).into())
    }
}

impl Reader {
    /// See [`Store::compare`].
    pub fn compare(&self, trials: &BTreeSet<Key>) -> Result<Difference, ReadError> {
        self.ask(|connection| compare(connection, trials))
    }
}

fn check(planned: &Planned, path: &Path) -> Result<(), WriteError> {
    if planned.trial.path.is_empty() {
        return Err(WriteError::NoStage { path: path.to_owned(), key: planned.trial.key });
    }
    match planned.parameters.iter().find(|(_, value)| !is_finite(value)) {
        Some((name, value)) => {
            Err(WriteError::NotFinite { name: name.clone(), value: value.clone() })
        }
        None => Ok(()),
    }
}

/// JSON has no other numbers.
fn is_finite(value: &Value) -> bool {
    match value {
        Value::Float(value) => value.is_finite(),
        Value::List(values) => values.iter().all(is_finite),
        Value::Bool(_) | Value::Int(_) | Value::Text(_) => true,
    }
}

fn compare(connection: &Connection, asked: &BTreeSet<Key>) -> SqlResult<Difference> {
    let known = known_trials(connection)?;
    let kept = asked.iter().filter(|key| known.contains_key(key)).count() as u64;
    let mut current = connection.prepare(
        "SELECT key FROM trial
         WHERE replacement IS NULL AND revision = (SELECT max(id) FROM revision)",
    )?;
    let mut removed = 0;
    for key in current.query_map([], |row| column::key(row, 0))? {
        removed += u64::from(!asked.contains(&key?));
    }
    Ok(Difference { added: asked.len() as u64 - kept, kept, removed })
}

/// Whoever accepts a file holds the sweep's lock: what seems to run has died with its coordinator, and its stage may be cut
/// otherwise now.
fn lose_attempts(transaction: &Transaction, now: Time) -> SqlResult<()> {
    let (lost, _) = ending_number(&Ending::Lost);
    transaction
        .execute(
            "UPDATE attempt SET ending = ?1, step = from_step, took = max(0, ?2 - started)
             WHERE ending IS NULL",
            params![lost, now.0],
        )
        .map(drop)
}

fn insert_revision(
    transaction: &Transaction,
    revision: &Revision,
    difference: Difference,
    now: Time,
) -> SqlResult<u32> {
    let Revision { text, file, objective, program, numerics } = revision;
    let (reduce, mean_of) = reduce_words(objective.reduce);
    let Difference { added, kept, removed } = difference;
    transaction.query_row(
        "INSERT INTO revision (file, text, accepted, metric, goal, reduce, mean_of, program, numerics,
             added, kept, removed)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        params![
            file, text, now.0, objective.metric, goal_word(objective.goal), reduce, mean_of, program,
            numerics, added as i64, kept as i64, removed as i64
        ],
        |row| row.get(0),
    )
}
