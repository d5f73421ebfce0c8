//! Reading for people, while a writer may be at work: summaries, leaderboards' rows, names of trials.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use pleach_core::{
    life::{ConfigurationId, TrialId, TrialStatus},
    rank,
};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult};
use thiserror::Error;

use crate::{
    accept::Revision,
    column::{self, ObjectiveColumn},
    fault::DatabaseError,
    load,
    open::{self, OpenError},
    results,
    store::Time,
};

/// A read-only connection. Each question sees the database between two commits.
#[derive(Debug)]
pub struct Reader {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
}

/// Which trials a question is about. Never an older generation of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that the current revision asks for.
    Current,
    /// Those of older revisions, too.
    All,
}

/// A sweep at a glance.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    pub revision: Revision,
    /// Counts from 1.
    pub number: u32,
    pub accepted: Time,
    /// Current trials by status; statuses of none are absent.
    pub trials: Vec<(TrialStatus, u64)>,
    /// Attempts that have not ended (as far as the database knows: their coordinator may be dead).
    pub running: u64,
    /// When the first attempt was granted.
    pub started: Option<Time>,
    /// When something was last written about an attempt.
    pub changed: Option<Time>,
}

/// Trials by status.
pub(crate) type Counts = Vec<(TrialStatus, u64)>;

#[derive(Debug, Error)]
pub enum ReadError {
    #[error("{path}: the sweep's database is empty; start the sweep with `pleach run`")]
    NoRevision { path: PathBuf },
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

#[derive(Debug, Error)]
pub enum FindError {
    #[error("there is no trial `{text}`; give a trial's number, or the first digits of its key")]
    None { text: String },
    #[error("`{text}` may be {}; give more digits of the key", list(trials))]
    Several { text: String, trials: Vec<TrialId> },
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// So many are named in a message.
const NAMED: usize = 5;

fn list(trials: &[TrialId]) -> String {
    let named: Vec<String> =
        trials.iter().take(NAMED).map(|trial| format!("trial {}", trial.0)).collect();
    let rest = trials.len().saturating_sub(NAMED);
    let rest = if rest == 0 { String::new() } else { format!(" or {rest} others") };
    named.join(" or ") + &rest
}

/// The condition that a trial is current.
pub(crate) const CURRENT: &str =
    "trial.replacement IS NULL AND trial.revision = (SELECT max(id) FROM revision)";

impl Reader {
    /// Never makes or changes a file.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self { connection: open::reader(path)?, path: path.to_owned() })
    }

    /// What is asked for now.
    pub fn revision(&self) -> Result<Revision, ReadError> {
        self.ask(load::revision)?.ok_or_else(|| ReadError::NoRevision { path: self.path.clone() })
    }

    pub fn summary(&self) -> Result<Summary, ReadError> {
        self.ask(summary)?.ok_or_else(|| ReadError::NoRevision { path: self.path.clone() })
    }

    /// Configurations with their trials' results, in the order of their points; trials by seed.
    pub fn rows(&self, which: Which) -> Result<Vec<rank::Row>, ReadError> {
        self.ask(|connection| rows(connection, which))
    }

    /// The trial that a person means by a number, or by the first digits of a key. What is a number of a trial is
    /// that.
    pub fn find(&self, text: &str) -> Result<TrialId, FindError> {
        let mut trials = self.ask(|connection| find(connection, text))?;
        match trials.len() {
            0 => Err(FindError::None { text: text.to_owned() }),
            1 => Ok(trials.remove(0)),
            _ => Err(FindError::Several { text: text.to_owned(), trials }),
        }
    }

    /// Asks several queries of one state of the database.
    pub(crate) fn ask<T>(
        &self,
        question: impl FnOnce(&Connection) -> SqlResult<T>,
    ) -> Result<T, ReadError> {
        let answer = || {
            let transaction = self.connection.unchecked_transaction()?;
            let answer = question(&transaction)?;
            // What a question keeps for the next one is in temporary tables.
            transaction.commit()?;
            Ok(answer)
        };
        answer().map_err(|source| DatabaseError::new(&self.path, source).into())
    }
}

fn summary(connection: &Connection) -> SqlResult<Option<Summary>> {
    let Some(revision) = load::revision(connection)? else { return Ok(None) };
    let (number, accepted) = connection.query_row(
        "SELECT id, accepted FROM revision ORDER BY id DESC LIMIT 1",
        [],
        |row| Ok((row.get(0)?, Time(row.get(1)?))),
    )?;
    let (trials, changed) = match results::counts(connection)? {
        Some(known) => known,
        None => counts(connection)?,
    };
    let running = "SELECT count(*) FROM attempt WHERE ending IS NULL";
    let running = connection.query_row(running, [], |row| column::unsigned(row, 0))?;
    // Numbers are given in the order of grants.
    let started = "SELECT started FROM attempt ORDER BY id LIMIT 1";
    let started = connection.query_row(started, [], |row| row.get(0).map(Time)).optional()?;
    let changed = changed.map(Time);
    Ok(Some(Summary { revision, number, accepted, trials, running, started, changed }))
}

/// What [`results::counts`] says, from everything.
fn counts(connection: &Connection) -> SqlResult<(Counts, Option<i64>)> {
    let trials = connection
        .prepare(&format!(
            "SELECT trial_end.status, count(*) FROM trial LEFT JOIN trial_end ON trial = trial.id
             WHERE {CURRENT} GROUP BY 1"
        ))?
        .query_map([], |row| Ok((column::status(row, 0)?, column::unsigned(row, 1)?)))?
        .collect::<SqlResult<_>>()?;
    let changed = "SELECT max(started + coalesce(took, 0)) FROM attempt";
    Ok((trials, connection.query_row(changed, [], |row| row.get(0))?))
}

fn rows(connection: &Connection, which: Which) -> SqlResult<Vec<rank::Row>> {
    let condition = match which {
        Which::Current => CURRENT,
        Which::All => "trial.replacement IS NULL",
    };
    let mut query = connection.prepare(&format!(
        "SELECT configuration, trial.id, seed, trial_end.status, objective
         FROM trial LEFT JOIN trial_end ON trial = trial.id WHERE {condition}"
    ))?;
    let mut trials: BTreeMap<u32, Vec<rank::Result>> = BTreeMap::new();
    let mut results = query.query([])?;
    while let Some(row) = results.next()? {
        trials.entry(row.get(0)?).or_default().push(rank::Result {
            trial: TrialId(row.get(1)?),
            seed: column::unsigned(row, 2)?,
            status: column::status(row, 3)?,
            objective: row.get::<_, ObjectiveColumn>(4)?.0,
        });
    }
    let mut query =
        connection.prepare("SELECT id, parameters FROM configuration ORDER BY point, id")?;
    let mut configurations = query.query([])?;
    let mut rows = Vec::with_capacity(trials.len());
    while let Some(row) = configurations.next()? {
        let id: u32 = row.get(0)?;
        let Some(mut trials) = trials.remove(&id) else { continue };
        trials.sort_by_key(|result| (result.seed, result.trial));
        rows.push(rank::Row {
            configuration: ConfigurationId(id),
            parameters: column::parameters(row, 1)?,
            trials,
        });
    }
    Ok(rows)
}

fn find(connection: &Connection, text: &str) -> SqlResult<Vec<TrialId>> {
    let ids = |sql: &str, text: &str| {
        connection
            .prepare(sql)?
            .query_map([text], |row| row.get(0).map(TrialId))?
            .collect::<SqlResult<Vec<_>>>()
    };
    let digits = |are: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|byte| are(&byte));
    if digits(u8::is_ascii_digit) {
        let numbered = ids("SELECT id FROM trial WHERE CAST(id AS TEXT) = ?", text)?;
        if !numbered.is_empty() {
            return Ok(numbered);
        }
    }
    if !digits(u8::is_ascii_hexdigit) {
        return Ok(Vec::new());
    }
    ids(
        "SELECT id FROM trial
         WHERE replacement IS NULL AND substr(hex(key), 1, length(?1)) = upper(?1) ORDER BY id",
        text,
    )
}
