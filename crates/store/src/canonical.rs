//! What a sweep computed and nothing else: two runs of one sweep file agree in every bit, whatever happened to them.
//! No number, time, attempt or place is part of it.

use pleach_core::{
    key::Key,
    life::{ConfigurationId, StageId, TrialStatus},
    stop::Saying,
    value::Parameters,
};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult};

use crate::{
    column::{self, DigestColumn},
    detail,
    read::{CURRENT, ReadError, Reader},
    stop,
};

/// One current trial.
#[derive(Clone, Debug, PartialEq)]
pub struct CanonicalTrial {
    pub key: Key,
    pub parameters: Parameters,
    pub seed: u64,
    pub status: TrialStatus,
    /// Step, name, value; by step, then by name. Every NaN is the same NaN, and zero has no sign.
    pub metrics: Vec<(u64, String, f64)>,
    /// Of the training state with which it was done or diverged, hexadecimal; empty without one.
    pub digest: String,
}

impl Reader {
    /// Gives every current trial to `each`, in the order of their keys.
    pub fn canonical(&self, each: &mut dyn FnMut(CanonicalTrial)) -> Result<(), ReadError> {
        self.ask(|connection| canonical(connection, each))
    }
}

fn canonical(connection: &Connection, each: &mut dyn FnMut(CanonicalTrial)) -> SqlResult<()> {
    let mut query = connection.prepare(&format!(
        "SELECT key, parameters, seed, trial_end.status, stage, configuration
         FROM trial
         JOIN configuration ON configuration.id = configuration
         LEFT JOIN trial_end ON trial = trial.id
         WHERE {CURRENT} ORDER BY key"
    ))?;
    let mut ends = connection.prepare("SELECT digest FROM stage_end WHERE stage = ?")?;
    let mut firsts = connection.prepare("SELECT first_step FROM stage WHERE id = ?")?;
    let mut trials = query.query([])?;
    while let Some(row) = trials.next()? {
        let last = StageId(row.get(4)?);
        let status = column::status(row, 3)?;
        let mut metrics = Vec::new();
        let mut digest = None;
        // What others have trained after the rung where it was stopped is not its own.
        let stopped = match status {
            TrialStatus::Stopped => stop::verdicts(connection, ConfigurationId(row.get(5)?))?,
            _ => Vec::new(),
        };
        let stopped = stopped.into_iter().rev().find(|verdict| verdict.saying == Saying::Stop);
        for stage in detail::path(connection, last)? {
            let first = firsts.query_row([stage.0], |row| column::unsigned(row, 0))?;
            if stopped.as_ref().is_some_and(|verdict| verdict.step <= first) {
                break;
            }
            metrics.append(&mut detail::stage_metrics(connection, stage)?);
            let end: Option<DigestColumn> =
                ends.query_row([stage.0], |row| row.get(0)).optional()?;
            digest = end.or(digest);
        }
        let has_result = matches!(status, TrialStatus::Done | TrialStatus::Diverged);
        each(CanonicalTrial {
            key: column::key(row, 0)?,
            parameters: column::parameters(row, 1)?,
            seed: column::unsigned(row, 2)?,
            status,
            metrics,
            digest: digest.filter(|_| has_result).map(|digest| digest.0).unwrap_or_default(),
        });
    }
    Ok(())
}
