//! What went wrong, each kind once.

use std::collections::{BTreeMap, BTreeSet};

use pleach_core::life::{AttemptId, Ending, StageId};
use pleach_store::Branch;
use serde::Serialize;

use crate::failures::{self, Through};

/// Attempts that ended badly in the same way.
#[derive(Debug, Serialize)]
pub(super) struct Kind {
    why: String,
    attempts: u64,
    /// Trials that were concerned, and those of them that have failed for good.
    trials: usize,
    lost: usize,
    /// One of the trials.
    example: u32,
}

/// What concerns most trials first.
pub(super) fn kinds(failures: &[(AttemptId, StageId, Ending)], branches: &[Branch]) -> Vec<Kind> {
    let kinds = failures::kinds(failures, &trials_through(failures, branches));
    let kind = |kind: failures::Kind| {
        let (trials, lost) = (kind.trials.len(), kind.lost().count());
        let example = kind.trials.keys().next()?.0;
        Some(Kind { why: kind.why, attempts: kind.attempts, trials, lost, example })
    };
    kinds.into_iter().filter_map(kind).collect()
}

/// By stage, for those that failed, the trials through it.
fn trials_through(
    failures: &[(AttemptId, StageId, Ending)],
    branches: &[Branch],
) -> BTreeMap<StageId, Through> {
    let failed: BTreeSet<StageId> = failures.iter().map(|(_, stage, _)| *stage).collect();
    let parents: BTreeMap<StageId, Option<StageId>> =
        branches.iter().map(|branch| (branch.stage, branch.parent)).collect();
    let mut trials: BTreeMap<StageId, Through> = BTreeMap::new();
    for branch in branches {
        let mut next = Some(branch.stage);
        while let Some(stage) = next {
            if failed.contains(&stage) {
                let ending = branch.ending.iter().map(|(trial, status, _)| (*trial, *status));
                trials.entry(stage).or_default().extend(ending);
            }
            next = parents.get(&stage).copied().flatten();
        }
    }
    trials
}
