//! Exchanges sweeps with other programs: what they can open of ours, and what of theirs becomes a sweep file.
//!
//! Reading order: [`table`] (a sweep as rows and columns) and how tables are written, [`delimited`] and [`columnar`];
//! [`optuna`]; [`tensorboard`].

pub mod columnar;
pub mod delimited;
pub mod optuna;
pub mod table;
pub mod tensorboard;
mod time;

#[cfg(test)]
mod sample;

use std::io;

use pleach_core::rank::Row;
use pleach_store::{ReadError, Reader, TrialDetail};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum ExportError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Gives every trial of these configurations to `take`, in the order of their numbers.
fn each_trial(
    reader: &Reader,
    rows: &[Row],
    mut take: impl FnMut(&TrialDetail) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let mut trials: Vec<_> =
        rows.iter().flat_map(|row| &row.trials).map(|result| result.trial).collect();
    trials.sort_unstable();
    for trial in trials {
        if let Some(detail) = reader.trial(trial)? {
            take(&detail)?;
        }
    }
    Ok(())
}
