//! What a screen shows that is renewed all the time: whether there is news, what runs, which trials a stage is for.
//! Every question is one short transaction, so that the writer's checkpoints wait for nobody.

use std::collections::BTreeMap;

use pleach_core::{
    life::{AttemptId, ConfigurationId, StageId, TrialId, TrialStatus},
    value::Parameters,
};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult};

use crate::{
    column,
    read::{CURRENT, ReadError, Reader},
    store::Time,
};

/// An attempt without an ending: it runs, or its coordinator died with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAttempt {
    pub attempt: AttemptId,
    pub stage: StageId,
    pub started: Time,
    /// It started after so many updates.
    pub from: u64,
    /// Of its stage.
    pub first: u64,
    pub end: u64,
}

/// What a trial trains with.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub configuration: ConfigurationId,
    pub parameters: Parameters,
    pub seed: u64,
}

impl Reader {
    /// Another number than last time, if somebody has written since.
    pub fn version(&self) -> Result<i64, ReadError> {
        self.ask(|connection| connection.pragma_query_value(None, "data_version", |row| row.get(0)))
    }

    /// The first so many that were granted.
    pub fn open_attempts(&self, most: u32) -> Result<Vec<OpenAttempt>, ReadError> {
        self.ask(|connection| open_attempts(connection, most))
    }

    /// The current trials through each of these stages, by number.
    pub fn through(
        &self,
        stages: &[StageId],
    ) -> Result<BTreeMap<StageId, BTreeMap<TrialId, TrialStatus>>, ReadError> {
        self.ask(|connection| through(connection, stages))
    }

    /// None of a trial that does not exist.
    pub fn setting(&self, trial: TrialId) -> Result<Option<Setting>, ReadError> {
        self.ask(|connection| setting(connection, trial))
    }
}

fn open_attempts(connection: &Connection, most: u32) -> SqlResult<Vec<OpenAttempt>> {
    connection
        .prepare_cached(
            "SELECT attempt.id, stage, started, from_step, first_step, end_step
             FROM attempt INDEXED BY attempt_running JOIN stage ON stage.id = stage
             WHERE ending IS NULL ORDER BY attempt.id LIMIT ?",
        )?
        .query_map([most], |row| {
            Ok(OpenAttempt {
                attempt: AttemptId(row.get(0)?),
                stage: StageId(row.get(1)?),
                started: Time(row.get(2)?),
                from: column::unsigned(row, 3)?,
                first: column::unsigned(row, 4)?,
                end: column::unsigned(row, 5)?,
            })
        })?
        .collect()
}

pub(crate) fn through(
    connection: &Connection,
    stages: &[StageId],
) -> SqlResult<BTreeMap<StageId, BTreeMap<TrialId, TrialStatus>>> {
    let mut found: BTreeMap<StageId, BTreeMap<TrialId, TrialStatus>> = BTreeMap::new();
    if stages.is_empty() {
        return Ok(found);
    }
    index_paths(connection)?;
    let numbers: Vec<String> = stages.iter().map(|stage| stage.0.to_string()).collect();
    let mut query = connection.prepare_cached(
        "WITH RECURSIVE below (top, stage) AS (
             SELECT value, value FROM json_each(?)
             UNION ALL
             SELECT top, child.stage FROM below CROSS JOIN temp.child ON child.parent = below.stage
         )
         SELECT top, leaf.trial, status FROM below CROSS JOIN temp.leaf ON leaf.stage = below.stage
         LEFT JOIN trial_end ON trial_end.trial = leaf.trial",
    )?;
    let mut rows = query.query([format!("[{}]", numbers.join(","))])?;
    while let Some(row) = rows.next()? {
        let (stage, trial) = (StageId(row.get(0)?), TrialId(row.get(1)?));
        found.entry(stage).or_default().insert(trial, column::status(row, 2)?);
    }
    Ok(found)
}

/// Which stages lie below another, and which current trials end with one: known to this connection alone, since an index in
/// the file would cost every trial for what only a screen asks. Found out again when there are other trials.
fn index_paths(connection: &Connection) -> SqlResult<()> {
    connection.execute_batch("CREATE TEMP TABLE IF NOT EXISTS indexed (revision, trial)")?;
    let newest = "(SELECT max(id) FROM revision), (SELECT max(id) FROM trial)";
    let is_known = connection
        .prepare_cached(&format!(
            "SELECT EXISTS (SELECT 1 FROM temp.indexed WHERE (revision, trial) = ({newest}))"
        ))?
        .query_row([], |row| row.get(0))?;
    if is_known {
        return Ok(());
    }
    connection.execute_batch(&format!(
        "DROP TABLE IF EXISTS temp.child;
         CREATE TEMP TABLE child (parent, stage, PRIMARY KEY (parent, stage)) WITHOUT ROWID;
         INSERT INTO child SELECT parent, id FROM stage WHERE parent IS NOT NULL;
         DROP TABLE IF EXISTS temp.leaf;
         CREATE TEMP TABLE leaf (stage, trial, PRIMARY KEY (stage, trial)) WITHOUT ROWID;
         INSERT INTO leaf SELECT stage, id FROM trial WHERE {CURRENT};
         DELETE FROM temp.indexed;
         INSERT INTO temp.indexed SELECT {newest};"
    ))
}

fn setting(connection: &Connection, trial: TrialId) -> SqlResult<Option<Setting>> {
    connection
        .prepare_cached(
            "SELECT configuration, parameters, seed
             FROM trial JOIN configuration ON configuration.id = configuration WHERE trial.id = ?",
        )?
        .query_row([trial.0], |row| {
            Ok(Setting {
                configuration: ConfigurationId(row.get(0)?),
                parameters: column::parameters(row, 1)?,
                seed: column::unsigned(row, 2)?,
            })
        })
        .optional()
}
