//! The one read-write connection, and the commit of facts. What is planned is in [`accept`](crate::accept) and
//! [`retry`](crate::retry).

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use pleach_core::{
    fact::{Checkpoint, Fact},
    life::{AttemptId, Ending, Purpose, StageId, StageStatus, TrialId, TrialStatus},
    objective::Evaluated,
    rank::Cell,
    stop::{Saying, Verdict},
    warning::Warning,
};
use rusqlite::{Connection, ErrorCode, Transaction, config::DbConfig, params};
use thiserror::Error;

use crate::{
    column::{DigestColumn, EvaluatedColumn, ObjectiveColumn, ending_number, status_number},
    fault::DatabaseError,
    open::{self, OpenError},
    place::{self, Lost},
    results,
};

/// The sweep's database, to be written. At most one exists for a file: whoever holds the sweep's lock has it.
#[derive(Debug)]
pub struct Store {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    /// The table `metric_name`.
    names: HashMap<String, u32>,
    file: Option<place::File>,
}

/// Wall time, in milliseconds since 1970-01-01 UTC. Shown to people; nothing is decided by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);

/// After either, drop the store, open it anew and read it again.
#[derive(Debug, Error)]
pub enum CommitError {
    /// A fact contradicts what is remembered: nothing of the commit was kept.
    #[error("{path}: cannot remember {fact}: {why}; nothing was changed")]
    Impossible { path: PathBuf, fact: String, why: String },
    /// All of it was kept, or nothing.
    #[error("{0}; whether the last results were kept is unknown")]
    Unknown(#[source] DatabaseError),
}

/// Why one fact was not written.
enum Refusal {
    Impossible(&'static str),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Store {
    /// Opens the database; makes it if there is none, and brings one of an older pleach up to date.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let mut store = Self::new(open::writer(path)?, path)?;
        store.file = place::File::at(path);
        Ok(store)
    }

    /// A store that is forgotten when it is dropped: for tests and simulations.
    pub fn in_memory() -> Result<Self, OpenError> {
        Self::new(open::in_memory()?, Path::new(":memory:"))
    }

    fn new(connection: Connection, path: &Path) -> Result<Self, OpenError> {
        let names = read_names(&connection).map_err(|source| DatabaseError::new(path, source))?;
        Ok(Self { connection, path: path.to_owned(), names, file: None })
    }

    /// What somebody has done to the file while it was open here, if anything.
    pub fn lost(&mut self) -> Option<Lost> {
        self.file.as_mut()?.lost(&self.path)
    }

    /// Whether the file that is open is the one at this path.
    pub fn is_at(&self, path: &Path) -> bool {
        self.file.as_ref().is_some_and(|file| file.is_at(path))
    }

    /// The file is somebody else's affair now: nothing at its path is changed when this is dropped. SQLite would remove what
    /// belongs to another database there.
    pub fn leave_alone(&self) {
        // Where that is not possible, the file is ours still.
        drop(self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true));
    }

    /// Writes all that the open database holds into another file, which must not exist: also when its own has no name any more.
    pub fn rescue(&self, to: &Path) -> Result<(), DatabaseError> {
        let name = to.to_string_lossy();
        self.connection
            .execute("VACUUM INTO ?1", [name])
            .map(drop)
            .map_err(|source| DatabaseError::new(to, source))
    }

    /// Keeps all facts, in their order, in one transaction; when this returns they survive a loss of power.
    pub fn commit(&mut self, facts: &[Fact], now: Time) -> Result<(), CommitError> {
        let path = &self.path;
        let unknown = |source| CommitError::Unknown(DatabaseError::new(path, source));
        let transaction = self.connection.transaction().map_err(unknown)?;
        let (names, ended) = (&mut self.names, Vec::new());
        let mut writer = Writer { transaction: &transaction, names, ended, now };
        for fact in facts {
            writer.keep(fact).map_err(|refusal| {
                let impossible = |why: String| {
                    let (path, fact) = (path.clone(), format!("{fact:?}"));
                    CommitError::Impossible { path, fact, why }
                };
                match refusal {
                    Refusal::Impossible(why) => impossible(why.to_owned()),
                    Refusal::Sqlite(source) => match constraint(&source) {
                        Some(why) => impossible(why),
                        None => unknown(source),
                    },
                }
            })?;
        }
        results::keep(&transaction, &writer.ended).map_err(unknown)?;
        if facts.iter().any(|fact| matches!(fact, Fact::Granted { .. } | Fact::Ended { .. })) {
            results::touch(&transaction, now).map_err(unknown)?;
        }
        transaction.commit().map_err(unknown)
    }

    pub(crate) fn error(&self, source: rusqlite::Error) -> DatabaseError {
        DatabaseError::new(&self.path, source)
    }
}

fn read_names(connection: &Connection) -> rusqlite::Result<HashMap<String, u32>> {
    connection
        .prepare("SELECT name, id FROM metric_name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// What a rule of the schema says, when the error is one.
fn constraint(error: &rusqlite::Error) -> Option<String> {
    match error {
        rusqlite::Error::SqliteFailure(failure, message)
            if failure.code == ErrorCode::ConstraintViolation =>
        {
            Some(message.clone().unwrap_or_else(|| failure.to_string()))
        }
        _ => None,
    }
}

/// A number as the database can hold it.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// One transaction of facts.
struct Writer<'a> {
    transaction: &'a Transaction<'a>,
    names: &'a mut HashMap<String, u32>,
    /// What came out of trials.
    ended: Vec<(TrialId, Cell)>,
    now: Time,
}

impl Writer<'_> {
    fn keep(&mut self, fact: &Fact) -> Result<(), Refusal> {
        match fact {
            Fact::Granted { attempt, stage, worker: _, from, purpose } => {
                self.granted(*attempt, *stage, *from, *purpose)
            }
            Fact::Ended { attempt, ending, step } => self.ended(*attempt, ending, *step),
            Fact::Stage { stage, status, digest, evaluated } => {
                self.stage(*stage, *status, digest, evaluated)
            }
            Fact::Used { attempt, usage } => self
                .execute(
                    "UPDATE attempt SET memory = ?2, cpu = ?3 WHERE id = ?1",
                    params![attempt.0, usage.memory as i64, usage.cpu as i64],
                )
                .map(drop),
            Fact::Warned { attempt, warning: Warning { what, count, line, first } } => self
                .execute(
                    "INSERT OR REPLACE INTO warning (attempt, what, count, line, first)
                     VALUES (?, ?, ?, ?, ?)",
                    params![attempt.0, what, signed(*count), line.map(signed), first],
                )
                .map(drop),
            Fact::Trial { trial, status, objective } => self.trial(*trial, *status, *objective),
            Fact::Reached { trial, step, value } => self
                .execute(
                    "INSERT INTO reached (trial, step, value) VALUES (?, ?, ?)",
                    params![trial.0, *step as i64, ObjectiveColumn(Some(*value))],
                )
                .map(drop),
            Fact::Judged(verdict) => self.judged(verdict),
            Fact::Metrics { stage, step, values } => self.metrics(*stage, *step, values),
            Fact::Checkpoint { stage, checkpoint } => self.checkpoint(*stage, checkpoint),
            Fact::Forgotten { stage, step } => {
                let sql = "DELETE FROM checkpoint WHERE stage = ? AND step = ?";
                self.execute(sql, params![stage.0, *step as i64]).map(drop)
            }
            Fact::Halted { why } => self
                .execute(
                    "INSERT OR REPLACE INTO halt (id, at, why) VALUES (1, ?, ?)",
                    params![self.now.0, why],
                )
                .map(drop),
            Fact::Note { text } => self
                .execute("INSERT INTO note (at, text) VALUES (?, ?)", params![self.now.0, text])
                .map(drop),
        }
    }

    fn granted(
        &self,
        attempt: AttemptId,
        stage: StageId,
        from: u64,
        purpose: Purpose,
    ) -> Result<(), Refusal> {
        let has_ended: bool = self
            .transaction
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM stage_end WHERE stage = ?)")?
            .query_row([stage.0], |row| row.get(0))?;
        match (purpose, has_ended) {
            (Purpose::Train, true) => {
                return Err(Refusal::Impossible("a stage that ended has its result"));
            }
            (Purpose::Rebuild, false) => {
                return Err(Refusal::Impossible(
                    "a stage without a result has no state to rebuild",
                ));
            }
            _ => {}
        }
        self.execute(
            "INSERT INTO attempt (id, stage, from_step, started) VALUES (?, ?, ?, ?)",
            params![attempt.0, stage.0, from as i64, self.now.0],
        )?;
        match purpose {
            Purpose::Train => self
                .execute(
                    "DELETE FROM metric WHERE stage = ? AND ? < step",
                    params![stage.0, from as i64],
                )
                .map(drop),
            Purpose::Rebuild => Ok(()),
        }
    }

    fn ended(&self, attempt: AttemptId, ending: &Ending, step: u64) -> Result<(), Refusal> {
        let (number, detail) = ending_number(ending);
        let changed = self.execute(
            "UPDATE attempt SET ending = ?2, detail = ?3, step = ?4, took = max(0, ?5 - started)
             WHERE id = ?1",
            params![attempt.0, number, detail, step as i64, self.now.0],
        )?;
        if changed == 1 { Ok(()) } else { Err(Refusal::Impossible("there is no such attempt")) }
    }

    /// Whether a stage waits or runs is told by its attempts; only its end is written.
    fn stage(
        &self,
        stage: StageId,
        status: StageStatus,
        digest: &str,
        evaluated: &Evaluated,
    ) -> Result<(), Refusal> {
        let status = match status {
            StageStatus::Waiting | StageStatus::Running(_) | StageStatus::Rebuilding(_) => {
                return Ok(());
            }
            StageStatus::Done => TrialStatus::Done,
            StageStatus::Diverged => TrialStatus::Diverged,
            StageStatus::Failed => TrialStatus::Failed,
        };
        let digest = DigestColumn(digest.to_owned());
        let evaluated = EvaluatedColumn(evaluated.clone());
        self.execute(
            "INSERT INTO stage_end (stage, status, digest, evaluated) VALUES (?, ?, ?, ?)",
            params![stage.0, status_number(status), digest, evaluated],
        )
        .map(drop)
    }

    fn trial(
        &mut self,
        trial: TrialId,
        status: TrialStatus,
        objective: Option<f64>,
    ) -> Result<(), Refusal> {
        let Some(number) = status_number(status) else {
            return Err(Refusal::Impossible("no trial ever becomes waiting"));
        };
        self.execute(
            "INSERT INTO trial_end (trial, status, objective) VALUES (?, ?, ?)",
            params![trial.0, number, ObjectiveColumn(objective)],
        )?;
        self.ended.push((trial, Cell::new(status, objective)));
        Ok(())
    }

    fn judged(&self, verdict: &Verdict) -> Result<(), Refusal> {
        let Verdict { configuration, step, value, place, of, kept, saying } = *verdict;
        self.execute(
            "INSERT INTO verdict (configuration, step, value, place, among, kept, goes_on)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                configuration.0,
                step as i64,
                ObjectiveColumn(value),
                place as i64,
                of as i64,
                kept as i64,
                saying == Saying::GoOn
            ],
        )
        .map(drop)
    }

    fn metrics(
        &mut self,
        stage: StageId,
        step: u64,
        values: &[(String, f64)],
    ) -> Result<(), Refusal> {
        for (name, value) in values {
            let name = self.name(name)?;
            self.execute(
                "INSERT OR REPLACE INTO metric (stage, step, name, value) VALUES (?, ?, ?, ?)",
                params![stage.0, step as i64, name, value],
            )?;
        }
        Ok(())
    }

    /// A metric's number. The memory of it may outlive a transaction that failed, hence the rule that the
    /// store is dropped then.
    fn name(&mut self, name: &str) -> Result<u32, Refusal> {
        if let Some(id) = self.names.get(name) {
            return Ok(*id);
        }
        let id: u32 = self.transaction.query_row(
            "INSERT INTO metric_name (name) VALUES (?) RETURNING id",
            [name],
            |row| row.get(0),
        )?;
        self.names.insert(name.to_owned(), id);
        Ok(id)
    }

    fn checkpoint(&self, stage: StageId, checkpoint: &Checkpoint) -> Result<(), Refusal> {
        let Checkpoint { attempt, step, file, digest, evaluated, bytes } = checkpoint;
        self.execute(
            "INSERT OR REPLACE INTO checkpoint (stage, step, attempt, file, digest, evaluated, bytes)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                stage.0,
                *step as i64,
                attempt.0,
                file,
                DigestColumn(digest.clone()),
                EvaluatedColumn(evaluated.clone()),
                *bytes as i64
            ],
        )
        .map(drop)
    }

    fn execute(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<usize, Refusal> {
        Ok(self.transaction.prepare_cached(sql)?.execute(parameters)?)
    }
}
