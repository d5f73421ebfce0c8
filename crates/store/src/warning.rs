//! What was odd in what attempts said.

use std::collections::{BTreeMap, BTreeSet};

use pleach_core::{
    life::{AttemptId, StageId, TrialId},
    warning::Warning,
};
use rusqlite::{Connection, Result as SqlResult, Row};

use crate::{
    column, live,
    read::{ReadError, Reader},
};

/// A kind of warning, and the trials that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warned {
    /// That of the first trial.
    pub warning: Warning,
    pub trial: TrialId,
    /// How many other trials have one of the kind.
    pub others: u64,
}

impl Reader {
    /// The warnings of current trials, a kind at most once, by the first trial that has it.
    pub fn warnings(&self) -> Result<Vec<Warned>, ReadError> {
        self.ask(warnings)
    }
}

/// Those of an attempt.
pub(crate) fn of(connection: &Connection, attempt: AttemptId) -> SqlResult<Vec<Warning>> {
    if !exists(connection)? {
        return Ok(Vec::new());
    }
    connection
        .prepare_cached("SELECT what, count, line, first FROM warning WHERE attempt = ?")?
        .query_map([attempt.0], warning)?
        .collect()
}

/// Not in a database that an older version has written, and nobody since.
fn exists(connection: &Connection) -> SqlResult<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'warning')";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

fn warning(row: &Row) -> SqlResult<Warning> {
    let line = row.get::<_, Option<i64>>(2)?.map(|line| line as u64);
    Ok(Warning { what: row.get(0)?, count: column::unsigned(row, 1)?, line, first: row.get(3)? })
}

fn warnings(connection: &Connection) -> SqlResult<Vec<Warned>> {
    if !exists(connection)? {
        return Ok(Vec::new());
    }
    // Of each stage the attempt that counts; without one, the last that has warnings.
    let mut query = connection.prepare_cached(
        "SELECT what, count, line, first, stage, attempt
         FROM warning JOIN attempt ON attempt.id = attempt
         WHERE attempt.ending <= 2 OR NOT EXISTS (
             SELECT 1 FROM attempt AS counted
             WHERE counted.stage = attempt.stage AND counted.ending <= 2
         )
         ORDER BY attempt",
    )?;
    let mut of_stages: BTreeMap<StageId, (AttemptId, Vec<Warning>)> = BTreeMap::new();
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (stage, attempt) = (StageId(row.get(4)?), AttemptId(row.get(5)?));
        let (of, warnings) = of_stages.entry(stage).or_insert((attempt, Vec::new()));
        if *of != attempt {
            (*of, *warnings) = (attempt, Vec::new());
        }
        warnings.push(warning(row)?);
    }
    let stages: Vec<StageId> = of_stages.keys().copied().collect();
    let through = live::through(connection, &stages)?;
    let mut kinds: BTreeMap<String, (BTreeSet<TrialId>, Warning)> = BTreeMap::new();
    for (stage, (_, warnings)) in of_stages {
        let Some(trials) = through.get(&stage) else { continue };
        for warning in warnings {
            let kind = kinds.entry(warning.what.clone());
            let (known, first) = kind.or_insert_with(|| (BTreeSet::new(), warning.clone()));
            if trials.first_key_value().map(|(trial, _)| trial) < known.first() {
                *first = warning;
            }
            known.extend(trials.keys());
        }
    }
    let mut all: Vec<Warned> = kinds
        .into_values()
        .filter_map(|(trials, warning)| {
            let (trial, others) = (*trials.first()?, trials.len() as u64 - 1);
            Some(Warned { warning, trial, others })
        })
        .collect();
    all.sort_by_key(|warned| warned.trial);
    Ok(all)
}
