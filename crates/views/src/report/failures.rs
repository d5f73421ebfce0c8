//! What went wrong, each kind once.

use std::collections::{BTreeMap, BTreeSet};

use pleach_core::{
    life::{AttemptId, Ending, StageId, TrialId, TrialStatus},
    sweep::alike,
};
use pleach_store::Branch;
use serde::Serialize;

use crate::show;

/// So many kinds are told; what comes later is counted with the last.
const KINDS: usize = 50;

/// Attempts that ended badly in the same way, numbers apart.
#[derive(Debug, Serialize)]
pub(super) struct Kind {
    /// In the words of the first.
    why: String,
    attempts: u64,
    /// Trials that were concerned, and those of them that have failed for good.
    trials: usize,
    lost: usize,
    /// One of the trials.
    example: u32,
}

/// The most frequent first.
pub(super) fn kinds(failures: &[(AttemptId, StageId, Ending)], branches: &[Branch]) -> Vec<Kind> {
    let trials = trials_through(failures, branches);
    let mut kinds: Vec<(String, u64, BTreeMap<TrialId, TrialStatus>)> = Vec::new();
    for (_, stage, ending) in failures {
        // Stages of older revisions have none.
        let Some(trials) = trials.get(stage) else { continue };
        let why = show::ending(ending);
        let known = kinds.iter().position(|(other, ..)| alike(other, &why));
        let place = known.unwrap_or_else(|| {
            if kinds.len() < KINDS {
                kinds.push((why, 0, BTreeMap::new()));
            }
            kinds.len() - 1
        });
        kinds[place].1 += 1;
        kinds[place].2.extend(trials);
    }
    let kind = |(why, attempts, trials): (String, u64, BTreeMap<TrialId, TrialStatus>)| {
        let lost = trials.values().filter(|status| **status == TrialStatus::Failed).count();
        let example = trials.keys().next()?.0;
        Some(Kind { why, attempts, trials: trials.len(), lost, example })
    };
    let mut kinds: Vec<Kind> = kinds.into_iter().filter_map(kind).collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.trials));
    kinds
}

/// By stage, for those that failed, the trials through it.
fn trials_through(
    failures: &[(AttemptId, StageId, Ending)],
    branches: &[Branch],
) -> BTreeMap<StageId, BTreeMap<TrialId, TrialStatus>> {
    let failed: BTreeSet<StageId> = failures.iter().map(|(_, stage, _)| *stage).collect();
    let parents: BTreeMap<StageId, Option<StageId>> =
        branches.iter().map(|branch| (branch.stage, branch.parent)).collect();
    let mut trials: BTreeMap<StageId, BTreeMap<TrialId, TrialStatus>> = BTreeMap::new();
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
