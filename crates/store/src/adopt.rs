//! Results of another sweep that are this one's, too: stages of equal keys are the same training.

use std::collections::BTreeMap;

use pleach_core::{
    fact::{Checkpoint, Fact, NewStage},
    key::Key,
    life::{AttemptId, Ending, Purpose, Stage, StageId, StageStatus, WorkerId},
    objective::Evaluated,
};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult};

use crate::{
    column::{self, DigestColumn},
    detail,
    load::Loaded,
    read::{ReadError, Reader},
};

/// What came out of a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    pub status: StageStatus,
    pub digest: String,
    /// Where it ended.
    pub step: u64,
    /// Step, name, value; by step.
    pub metrics: Vec<(u64, String, f64)>,
    /// Its last state on disk: the attempt whose folder holds it, its step, its file's name and size.
    pub state: Option<(AttemptId, u64, String, u64)>,
}

/// A stage of this sweep that takes its result from another.
#[derive(Clone, Debug, PartialEq)]
pub struct Adoption {
    /// The attempt that stands for it here.
    pub attempt: AttemptId,
    /// What to remember of it.
    pub facts: Vec<Fact>,
    /// The file to copy into that attempt's folder first, and the fact to remember then.
    pub state: Option<(AttemptId, Fact)>,
}

impl Reader {
    /// Every stage that has a result, in its newest generation.
    pub fn finished(&self) -> Result<Vec<(NewStage, StageId)>, ReadError> {
        self.ask(|connection| {
            connection
                .prepare(
                    "SELECT key, first_step, end_step, id FROM stage JOIN stage_end ON stage = id
                     WHERE replacement IS NULL AND status IN (1, 2)",
                )?
                .query_map([], |row| {
                    let (first, end) = (column::unsigned(row, 1)?, column::unsigned(row, 2)?);
                    let stage = NewStage { key: column::key(row, 0)?, first, end };
                    Ok((stage, StageId(row.get(3)?)))
                })?
                .collect()
        })
    }

    /// What came out of a stage that has a result.
    pub fn result(&self, stage: StageId) -> Result<Finished, ReadError> {
        self.ask(|connection| result(connection, stage))
    }
}

fn result(connection: &Connection, stage: StageId) -> SqlResult<Finished> {
    let state = connection
        .query_row(
            "SELECT attempt, step, file, bytes FROM checkpoint WHERE stage = ? ORDER BY step DESC LIMIT 1",
            [stage.0],
            |row| {
                let (step, bytes) = (column::unsigned(row, 1)?, column::unsigned(row, 3)?);
                Ok((AttemptId(row.get(0)?), step, row.get(2)?, bytes))
            },
        )
        .optional()?;
    let metrics = detail::stage_metrics(connection, stage)?;
    connection.query_row(
        "SELECT status, digest, step FROM stage_end
         JOIN attempt ON attempt.stage = stage_end.stage AND ending <= 2 WHERE stage_end.stage = ?",
        [stage.0],
        |row| {
            Ok(Finished {
                status: column::stage_status(row, 0, None)?,
                digest: row.get::<_, DigestColumn>(1)?.0,
                step: column::unsigned(row, 2)?,
                metrics,
                state,
            })
        },
    )
}

/// What this sweep takes over: `find` looks up a stage's result elsewhere. Stages follow their parents. What becomes of the
/// trials through these stages is not decided here: the core settles them, verdicts included, when it takes up the sweep.
pub fn adopt<E>(
    loaded: &Loaded,
    mut find: impl FnMut(&Key) -> Result<Option<Finished>, E>,
) -> Result<Vec<Adoption>, E> {
    let objective = &loaded.revision.objective;
    let mut ends: BTreeMap<StageId, (StageStatus, Evaluated)> = BTreeMap::new();
    let mut next = loaded.next_attempt;
    let mut adoptions: Vec<Adoption> = Vec::new();
    for stage in &loaded.stages {
        if let Some(end) = loaded.ends.get(&stage.id) {
            ends.insert(stage.id, (stage.status, end.evaluated.clone()));
            continue;
        }
        let before = match stage.parent.map(|parent| ends.get(&parent)) {
            None => Evaluated::default(),
            Some(Some((StageStatus::Done, evaluated))) => evaluated.clone(),
            Some(_) => continue,
        };
        if stage.status != StageStatus::Waiting {
            continue;
        }
        let Some(found) = find(&stage.key)? else { continue };
        let mut evaluated = before;
        for (_, _, value) in found.metrics.iter().filter(|(_, name, _)| *name == objective.metric) {
            objective.add(&mut evaluated, *value);
        }
        adoptions.push(adoption(stage, next, &found, &evaluated));
        ends.insert(stage.id, (found.status, evaluated));
        next.0 += 1;
    }
    Ok(adoptions)
}

fn adoption(
    stage: &Stage,
    attempt: AttemptId,
    found: &Finished,
    evaluated: &Evaluated,
) -> Adoption {
    let Stage { id, first, .. } = *stage;
    let Finished { status, digest, step, metrics, state } = found;
    let ending = if *status == StageStatus::Diverged { Ending::Diverged } else { Ending::Done };
    let (worker, purpose) = (WorkerId(0), Purpose::Train);
    let mut facts = vec![Fact::Granted { attempt, stage: id, worker, from: first, purpose }];
    for together in metrics.chunk_by(|a, b| a.0 == b.0) {
        let values = together.iter().map(|(_, name, value)| (name.clone(), *value)).collect();
        facts.push(Fact::Metrics { stage: id, step: together[0].0, values });
    }
    facts.push(Fact::Ended { attempt, ending, step: *step });
    let (digest, evaluated) = (digest.clone(), evaluated.clone());
    let state = state.clone().map(|(theirs, step, file, bytes)| {
        let (digest, evaluated) = (digest.clone(), evaluated.clone());
        let checkpoint = Checkpoint { attempt, step, file, digest, bytes, evaluated };
        (theirs, Fact::Checkpoint { stage: id, checkpoint })
    });
    facts.push(Fact::Stage { stage: id, status: *status, digest, evaluated });
    Adoption { attempt, facts, state }
}
