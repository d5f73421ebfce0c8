//! What many trials measured, and what went wrong with them: for pictures of a whole sweep.

use std::collections::HashMap;

use pleach_core::life::{AttemptId, Charge, Ending, StageId, TrialId};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult};

use crate::{
    column, detail,
    read::{ReadError, Reader},
};

/// The values of one metric, by step.
pub type Curve = Vec<(u64, f64)>;

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
    pub fn curves(&self, trials: &[TrialId], metric: &str) -> Result<Vec<Curve>, ReadError> {
        self.ask(|connection| {
            trials.iter().map(|trial| curve(connection, *trial, metric)).collect()
        })
    }

    /// For each of these metrics, what [`Reader::curves`] answers. Reads each trial once, however many metrics there are.
    pub fn curves_of_each(
        &self,
        trials: &[TrialId],
        metrics: &[String],
    ) -> Result<Vec<Vec<Curve>>, ReadError> {
        self.ask(|connection| {
            let mut curves = vec![vec![Curve::new(); trials.len()]; metrics.len()];
            let index = indices(connection, metrics)?;
            let mut query = connection
                .prepare("SELECT name, step, value FROM metric WHERE stage = ? ORDER BY step")?;
            for (place, trial) in trials.iter().enumerate() {
                for stage in path(connection, *trial)? {
                    let mut rows = query.query([stage.0])?;
                    while let Some(row) = rows.next()? {
                        if let Some(metric) = index.get(&row.get(0)?) {
                            let point = (column::unsigned(row, 1)?, column::metric(row, 2)?);
                            curves[*metric][place].push(point);
                        }
                    }
                }
            }
            Ok(curves)
        })
    }

    /// Attempts that ended badly, whosoever fault that was, with their stages, in the order of their grants: so many, the newest.
    pub fn failures(&self, most: usize) -> Result<Vec<(AttemptId, StageId, Ending)>, ReadError> {
        self.ask(|connection| failures(connection, most))
    }
}

/// From the root; empty for a trial that does not exist.
pub(crate) fn path(connection: &Connection, trial: TrialId) -> SqlResult<Vec<StageId>> {
    let last = connection
        .prepare_cached("SELECT stage FROM trial WHERE id = ?")?
        .query_row([trial.0], |row| row.get(0).map(StageId))
        .optional()?;
    last.map_or(Ok(Vec::new()), |last| detail::path(connection, last))
}

/// Where each metric stands in the list, by its number in the database.
fn indices(connection: &Connection, metrics: &[String]) -> SqlResult<HashMap<u32, usize>> {
    let mut query = connection.prepare("SELECT id FROM metric_name WHERE name = ?")?;
    let mut indices = HashMap::with_capacity(metrics.len());
    for (index, name) in metrics.iter().enumerate() {
        let id: Option<u32> = query.query_row([name], |row| row.get(0)).optional()?;
        indices.extend(id.map(|id| (id, index)));
    }
    Ok(indices)
}

fn curve(connection: &Connection, trial: TrialId, metric: &str) -> SqlResult<Curve> {
    let mut query = connection.prepare_cached(
        "SELECT step, value FROM metric
         WHERE stage = ? AND name = (SELECT id FROM metric_name WHERE name = ?) ORDER BY step",
    )?;
    let mut points = Vec::new();
    for stage in path(connection, trial)? {
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
