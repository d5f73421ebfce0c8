//! How far trials have come, and how long that took.

use std::collections::HashMap;

use pleach_core::{
    life::{AttemptId, StageId, TrialId},
    plan::command::OPEN_ENDED,
};
use rusqlite::{Connection, Result as SqlResult};

use crate::{
    column,
    curves::path,
    read::{ReadError, Reader},
};

/// What was made of a trial, whoever else shares that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Updates made; of what runs as far as it was measured.
    pub steps: u64,
    /// Updates until its end.
    pub end: u64,
    /// That its attempts took which have ended.
    pub milliseconds: u64,
    /// Whether an attempt has not ended, as far as the database knows.
    pub is_open: bool,
    /// The newest attempt at any of its stages.
    pub attempt: Option<AttemptId>,
}

impl Effort {
    /// Whether anything was made of it.
    pub fn is_begun(&self) -> bool {
        0 < self.steps || 0 < self.milliseconds || self.is_open
    }
}

/// What was made of a stage.
#[derive(Clone, Copy, Default)]
struct Made {
    first: u64,
    end: u64,
    /// 0 if nothing was made of it.
    step: u64,
    milliseconds: u64,
    is_open: bool,
    attempt: Option<AttemptId>,
}

impl Reader {
    /// Of each of these trials. Nothing of one that does not exist.
    pub fn efforts(&self, trials: &[TrialId]) -> Result<Vec<Effort>, ReadError> {
        self.ask(|connection| {
            let mut known: HashMap<StageId, Made> = HashMap::new();
            let mut efforts = Vec::with_capacity(trials.len());
            for trial in trials {
                let mut effort = Effort::default();
                for stage in path(connection, *trial)? {
                    let made = match known.get(&stage) {
                        Some(made) => *made,
                        None => made(connection, stage)?,
                    };
                    known.insert(stage, made);
                    effort.end = made.end;
                    effort.steps = effort.steps.max(made.step.min(made.end));
                    effort.milliseconds += made.milliseconds;
                    effort.is_open |= made.is_open;
                    effort.attempt = effort.attempt.max(made.attempt);
                }
                efforts.push(effort);
            }
            Ok(efforts)
        })
    }
}

/// Of attempts: that one is the stage's result.
const COUNTED: &str = "ending <= 2";

fn made(connection: &Connection, stage: StageId) -> SqlResult<Made> {
    let (mut made, is_done, seen) = connection
        .prepare_cached(
            "SELECT first_step, end_step, (SELECT status FROM stage_end WHERE stage = stage.id),
                 (SELECT max(step) FROM metric WHERE stage = stage.id),
                 (SELECT max(step) FROM checkpoint WHERE stage = stage.id)
             FROM stage WHERE id = ?",
        )?
        .query_row([stage.0], |row| {
            let (first, end) = (column::unsigned(row, 0)?, column::unsigned(row, 1)?);
            let status: Option<u8> = row.get(2)?;
            let measured: Option<i64> = row.get(3)?;
            let saved: Option<i64> = row.get(4)?;
            let seen = measured.max(saved).unwrap_or(0).max(0) as u64;
            let is_done = status == Some(1);
            Ok((
                Made { first, end, step: if is_done { 0 } else { seen }, ..Made::default() },
                is_done,
                seen,
            ))
        })?;
    // Each of these has an index of its own.
    for which in ["ending IS NULL", COUNTED, "ending > 2"] {
        let sql = format!("SELECT took, step, id FROM attempt WHERE stage = ? AND {which}");
        let mut query = connection.prepare_cached(&sql)?;
        let mut rows = query.query([stage.0])?;
        while let Some(row) = rows.next()? {
            let (took, step): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
            made.is_open |= took.is_none();
            made.attempt = made.attempt.max(Some(AttemptId(row.get(2)?)));
            made.milliseconds += took.unwrap_or(0).max(0) as u64;
            let step = step.unwrap_or(0).max(0) as u64;
            // What is done was made by the attempt that counts.
            let is_told = made.first < step && (!is_done || which == COUNTED);
            made.step = made.step.max(if is_told { step } else { 0 });
        }
    }
    // Another sweep has trained it.
    if is_done && made.step == 0 {
        made.step = made.end;
    }
    // Nobody says how long it is: what it measured last is all that is known.
    if OPEN_ENDED <= made.step {
        made.step = seen;
    }
    Ok(made)
}
