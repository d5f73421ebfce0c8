//! What many trials measured, and what went wrong with them: for pictures of a whole sweep.

use pleach_core::life::{AttemptId, Charge, Ending, StageId, TrialId};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult};

use crate::{
    column, detail,
    read::{ReadError, Reader},
};

impl Reader {
    /// The names of everything that was ever measured, in alphabetical order.
    pub fn metric_names(&self) -> Result<Vec<String>, ReadError> {
        self.ask(|connection| {
            connection
                .prepare("SELECT name FROM metric_name ORDER BY name")?
                .query_map([], |row| row.get(0))?
                .collect()
        })
    }

    /// Of each of these trials the values of one metric, by step; NaN possible. Empty for a trial that does not exist.
    pub fn curves(
        &self,
        trials: &[TrialId],
        metric: &str,
    ) -> Result<Vec<Vec<(u64, f64)>>, ReadError> {
        self.ask(|connection| {
            trials.iter().map(|trial| curve(connection, *trial, metric)).collect()
        })
    }

    /// Attempts that ended badly, whosoever fault that was, with their stages, in the order of their grants: so many, the newest.
    pub fn failures(&self, most: usize) -> Result<Vec<(AttemptId, StageId, Ending)>, ReadError> {
        self.ask(|connection| failures(connection, most))
    }
}

fn curve(connection: &Connection, trial: TrialId, metric: &str) -> SqlResult<Vec<(u64, f64)>> {
    let last = connection
        .prepare_cached("SELECT stage FROM trial WHERE id = ?")?
        .query_row([trial.0], |row| row.get(0).map(StageId))
        .optional()?;
    let Some(last) = last else { return Ok(Vec::new()) };
    let mut query = connection.prepare_cached(
        "SELECT step, value FROM metric
         WHERE stage = ? AND name = (SELECT id FROM metric_name WHERE name = ?) ORDER BY step",
    )?;
    let mut points = Vec::new();
    for stage in detail::path(connection, last)? {
        let evaluations = query.query_map((stage.0, metric), |row| {
            Ok((column::unsigned(row, 0)?, column::metric(row, 1)?))
        })?;
        for point in evaluations {
            points.push(point?);
        }
    }
    Ok(points)
}

fn failures(connection: &Connection, most: usize) -> SqlResult<Vec<(AttemptId, StageId, Ending)>> {
    let mut query = connection.prepare(
        "SELECT id, stage, ending, detail FROM attempt WHERE ending > 2 ORDER BY id DESC",
    )?;
    let mut attempts = query.query([])?;
    let mut failures = Vec::new();
    while failures.len() < most
        && let Some(row) = attempts.next()?
    {
        if let Some(ending) = column::ending(row, 2, 3)?
            && matches!(ending.charge(), Charge::Class(_))
        {
            failures.push((AttemptId(row.get(0)?), StageId(row.get(1)?), ending));
        }
    }
    failures.reverse();
    Ok(failures)
}
