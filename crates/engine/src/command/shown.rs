//! How a person would run a trial of their own program by hand.

use std::path::{self, PathBuf};

use pleach_core::plan::Planner;
use pleach_protocol::message::Start;
use pleach_store::TrialDetail;

use super::Invocation;
use crate::{home::Home, prepare::Prepared, program::Runner, translate};

/// One run of the program for each stage of a trial, as its last attempt was or its first would be. `None` if the trials are
/// those of a worker program, or the sweep file holds no such point.
pub fn invocations(
    prepared: &Prepared,
    home: &Home,
    point: u64,
    trial: &TrialDetail,
) -> Option<Result<Vec<Invocation>, String>> {
    let Runner::Command { told, .. } = &prepared.runner else { return None };
    let planner = Planner::new(&prepared.spec, &prepared.program, &prepared.lengths);
    let configuration = planner.configuration(point)?;
    let schedules = prepared.description.schedules;
    let absolute = |path: PathBuf| path::absolute(&path).unwrap_or(path);
    let mut from = None;
    let mut invocations = Vec::new();
    for stage in &trial.path {
        let attempt = stage.attempts.last().map(|attempt| attempt.attempt).unwrap_or_default();
        let folder = absolute(home.attempt(attempt));
        let start = Start {
            attempt: u64::from(attempt.0),
            trial: u64::from(trial.trial.0),
            first: stage.first,
            end: stage.end,
            from: from.take(),
            keep: !stage.checkpoints.is_empty(),
            directory: folder.to_string_lossy().into_owned(),
            ..translate::start(&configuration, schedules, trial.seed)
        };
        from = stage.checkpoints.last().map(|checkpoint| {
            let file = absolute(home.attempt(checkpoint.attempt).join(&checkpoint.file));
            translate::checkpoint_file(checkpoint, file.to_string_lossy().into_owned())
        });
        invocations.push(Invocation::new(told, &start, &folder));
    }
    Some(invocations.into_iter().collect())
}
