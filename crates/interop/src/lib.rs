//! Exchanges sweeps with other programs: what they can open of ours, and what of theirs becomes a sweep file.
//!
//! Reading order: [`table`] (a sweep as rows and columns) and how tables are written, [`delimited`] and [`columnar`];
//! [`optuna`]; [`tensorboard`]; [`mlflow`]. The other way: [`import`].

pub mod columnar;
pub mod delimited;
pub mod import;
pub mod mlflow;
pub mod optuna;
pub mod table;
pub mod tensorboard;
mod time;

#[cfg(test)]
mod sample;

use std::{io, ops::ControlFlow};

use pleach_core::{rank::Row, spec, value::Parameters};
use pleach_store::{ReadError, Reader, Time, TrialDetail};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum ExportError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] io::Error),
    #[error(transparent)]
    Mlflow(#[from] mlflow::MlflowError),
}

/// When something was measured, as far as it is known: when the stage ended in which it was. None before that.
fn measured(trial: &TrialDetail, step: u64) -> Option<Time> {
    let stage = trial.path.iter().find(|stage| step <= stage.end)?;
    stage.attempts.iter().filter_map(|attempt| attempt.ended).max()
}

fn started(trial: &TrialDetail) -> Option<Time> {
    let attempts = trial.path.iter().flat_map(|stage| &stage.attempts);
    attempts.map(|attempt| attempt.started).min()
}

fn ended(trial: &TrialDetail) -> Option<Time> {
    let attempts = trial.path.iter().flat_map(|stage| &stage.attempts);
    attempts.filter_map(|attempt| attempt.ended).max()
}

/// What the sweep file fixes for every trial. It is not part of a configuration: whoever looks at one sweep alone knows it, but
/// not who lays several together. Empty for a file that only an older version could read.
pub fn fixed(reader: &Reader) -> Result<Parameters, ReadError> {
    let revision = reader.revision()?;
    Ok(spec::read(&revision.file, &revision.text).map(|spec| spec.fixed()).unwrap_or_default())
}

/// The parameters of a trial's configuration, and what is fixed for all.
fn all_parameters(trial: &TrialDetail, fixed: &Parameters) -> Parameters {
    let mut all = fixed.clone();
    all.extend(trial.parameters.iter().map(|(name, value)| (name.clone(), value.clone())));
    all
}

/// Gives every trial of these configurations to `take`, in the order of their numbers.
pub fn each_trial(
    reader: &Reader,
    rows: &[Row],
    mut take: impl FnMut(&TrialDetail) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let mut trials: Vec<_> =
        rows.iter().flat_map(|row| &row.trials).map(|result| result.trial).collect();
    trials.sort_unstable();
    let mut result = Ok(());
    reader.each_trial(&trials, &mut |detail| {
        result = take(&detail);
        if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    result
}
