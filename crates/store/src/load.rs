//! What a coordinator needs to go on: the current revision and everything that its trials hold.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pleach_core::{
    class::Tally,
    fact::{Checkpoint, NewStage},
    life::{AttemptId, ConfigurationId, Stage, StageId, Trial, TrialId},
    objective::Evaluated,
    stop::Record,
};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, Row};

use crate::{
    accept::Revision,
    column::{self, DigestColumn, EvaluatedColumn},
    read::{ReadError, Reader},
    stop,
    store::Store,
};

/// The state of a sweep between two commits.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    pub revision: Revision,
    /// Those that the current revision asks for, in their newest generation, by number.
    pub trials: Vec<Trial>,
    /// The index of each trial's configuration in the expansion.
    pub points: BTreeMap<TrialId, u64>,
    /// The stages of those trials, by number. One that was running when the last coordinator died still is.
    pub stages: Vec<Stage>,
    /// By stage; by step within one.
    pub checkpoints: BTreeMap<StageId, Vec<Checkpoint>>,
    /// What came out of each stage that has ended.
    pub ends: BTreeMap<StageId, StageEnd>,
    /// The first number that no attempt ever had.
    pub next_attempt: AttemptId,
    /// Of rungs.
    pub record: Record,
}

/// What a stage's successors need of it.
#[derive(Clone, Debug, PartialEq)]
pub struct StageEnd {
    /// Of the training state, hexadecimal; empty without one.
    pub digest: String,
    /// The trial's evaluations so far, reduced.
    pub evaluated: Evaluated,
}

impl Store {
    /// The current revision; `None` when none was ever accepted.
    pub fn revision(&self) -> Result<Option<Revision>, ReadError> {
        revision(&self.connection).map_err(|source| self.error(source).into())
    }

    /// Every stage that was begun, in its newest generation: new trials that are the same training start from there.
    pub fn begun(&self) -> Result<Vec<NewStage>, ReadError> {
        begun(&self.connection).map_err(|source| self.error(source).into())
    }

    /// Everything of the current revision. Fails when no revision was ever accepted.
    pub fn load(&self) -> Result<Loaded, ReadError> {
        load(&self.connection)
            .map_err(|source| self.error(source))?
            .ok_or_else(|| ReadError::NoRevision { path: self.path.clone() })
    }
}

impl Reader {
    /// See [`Store::load`].
    pub fn load(&self) -> Result<Loaded, ReadError> {
        self.ask(load)?.ok_or_else(|| ReadError::NoRevision { path: self.path.clone() })
    }

    /// See [`Store::begun`].
    pub fn begun(&self) -> Result<Vec<NewStage>, ReadError> {
        self.ask(begun)
    }
}

fn begun(connection: &Connection) -> SqlResult<Vec<NewStage>> {
    connection
        .prepare(
            "SELECT key, first_step, end_step FROM stage WHERE replacement IS NULL AND (
                 id IN (SELECT stage FROM stage_end) OR id IN (SELECT stage FROM checkpoint)
             )",
        )?
        .query_map([], |row| {
            Ok(NewStage {
                key: column::key(row, 0)?,
                first: column::unsigned(row, 1)?,
                end: column::unsigned(row, 2)?,
            })
        })?
        .collect()
}

fn load(connection: &Connection) -> SqlResult<Option<Loaded>> {
    let Some(revision) = revision(connection)? else { return Ok(None) };
    let (all, mut ends) = stages(connection)?;
    let (trials, points) = trials(connection, &all)?;
    let held: BTreeSet<StageId> =
        trials.iter().flat_map(|trial| trial.path.iter().copied()).collect();
    ends.retain(|stage, _| held.contains(stage));
    let mut checkpoints = checkpoints(connection)?;
    checkpoints.retain(|stage, _| held.contains(stage));
    let stages = all.into_iter().filter(|stage| held.contains(&stage.id)).collect();
    let next_attempt = AttemptId(connection.query_row(
        "SELECT coalesce(max(id), 0) + 1 FROM attempt",
        [],
        |row| row.get(0),
    )?);
    let record = stop::record(connection)?;
    Ok(Some(Loaded { revision, trials, points, stages, checkpoints, ends, next_attempt, record }))
}

pub(crate) fn revision(connection: &Connection) -> SqlResult<Option<Revision>> {
    connection
        .query_row(
            "SELECT metric, goal, reduce, mean_of, file, text, program, numerics
             FROM revision ORDER BY id DESC LIMIT 1",
            [],
            |row| {
                Ok(Revision {
                    objective: column::objective(row, 0)?,
                    file: row.get(4)?,
                    text: row.get(5)?,
                    program: row.get(6)?,
                    numerics: row.get(7)?,
                })
            },
        )
        .optional()
}

/// Every stage, by number, and what came out of those that ended.
pub(crate) fn stages(
    connection: &Connection,
) -> SqlResult<(Vec<Stage>, BTreeMap<StageId, StageEnd>)> {
    let running: HashMap<u32, AttemptId> = connection
        .prepare("SELECT stage, id FROM attempt WHERE ending IS NULL")?
        .query_map([], |row| Ok((row.get(0)?, AttemptId(row.get(1)?))))?
        .collect::<SqlResult<_>>()?;
    let mut tallies = tallies(connection)?;
    let mut ends = BTreeMap::new();
    let stages = connection
        .prepare(
            "SELECT id, key, parent, first_step, end_step, status, digest, evaluated
             FROM stage LEFT JOIN stage_end ON stage = id ORDER BY id",
        )?
        .query_map([], |row| {
            let id: u32 = row.get(0)?;
            let status = column::stage_status(row, 5, running.get(&id).copied())?;
            if status.is_terminal() {
                let digest = row.get::<_, DigestColumn>(6)?.0;
                let evaluated = row.get::<_, EvaluatedColumn>(7)?.0;
                ends.insert(StageId(id), StageEnd { digest, evaluated });
            }
            Ok(Stage {
                id: StageId(id),
                key: column::key(row, 1)?,
                parent: row.get::<_, Option<u32>>(2)?.map(StageId),
                first: column::unsigned(row, 3)?,
                end: column::unsigned(row, 4)?,
                status,
                tally: tallies.remove(&id).unwrap_or_default(),
            })
        })?
        .collect::<SqlResult<_>>()?;
    Ok((stages, ends))
}

/// How the attempts of stages have failed.
fn tallies(connection: &Connection) -> SqlResult<HashMap<u32, Tally>> {
    let mut tallies: HashMap<u32, Tally> = HashMap::new();
    let mut query = connection.prepare("SELECT stage, ending FROM attempt WHERE ending > 2")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(class) = column::class(row.get(1)?) {
            tallies.entry(row.get(0)?).or_default().count(class);
        }
    }
    Ok(tallies)
}

fn trials(
    connection: &Connection,
    stages: &[Stage],
) -> SqlResult<(Vec<Trial>, BTreeMap<TrialId, u64>)> {
    let parents: HashMap<StageId, Option<StageId>> =
        stages.iter().map(|stage| (stage.id, stage.parent)).collect();
    let mut points = BTreeMap::new();
    let trials = connection
        .prepare(
            "SELECT trial.id, configuration, seed, key, status, stage, point
             FROM trial
             JOIN configuration ON configuration.id = configuration
             LEFT JOIN trial_end ON trial = trial.id
             WHERE replacement IS NULL AND revision = (SELECT max(id) FROM revision)
             ORDER BY trial.id",
        )?
        .query_map([], |row| {
            let id = TrialId(row.get(0)?);
            points.insert(id, column::unsigned(row, 6)?);
            let last = StageId(row.get(5)?);
            let parent = |stage: &StageId| parents.get(stage).copied().flatten();
            let mut path: Vec<StageId> = std::iter::successors(Some(last), parent).collect();
            path.reverse();
            Ok(Trial {
                id,
                configuration: ConfigurationId(row.get(1)?),
                seed: column::unsigned(row, 2)?,
                key: column::key(row, 3)?,
                status: column::status(row, 4)?,
                path,
            })
        })?
        .collect::<SqlResult<_>>()?;
    Ok((trials, points))
}

fn checkpoints(connection: &Connection) -> SqlResult<BTreeMap<StageId, Vec<Checkpoint>>> {
    let mut checkpoints: BTreeMap<StageId, Vec<Checkpoint>> = BTreeMap::new();
    let mut query = connection.prepare(
        "SELECT stage, step, attempt, file, digest, evaluated, bytes FROM checkpoint ORDER BY stage, step",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        checkpoints.entry(StageId(row.get(0)?)).or_default().push(checkpoint(row)?);
    }
    Ok(checkpoints)
}

/// From the columns stage, step, attempt, file, digest, evaluated, bytes.
pub(crate) fn checkpoint(row: &Row) -> SqlResult<Checkpoint> {
    Ok(Checkpoint {
        step: column::unsigned(row, 1)?,
        attempt: AttemptId(row.get(2)?),
        file: row.get(3)?,
        digest: row.get::<_, DigestColumn>(4)?.0,
        evaluated: row.get::<_, EvaluatedColumn>(5)?.0,
        bytes: column::unsigned(row, 6)?,
    })
}
