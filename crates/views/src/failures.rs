//! What went wrong, each kind once.

use std::collections::BTreeMap;

use pleach_core::{
    life::{AttemptId, Ending, StageId, TrialId, TrialStatus},
    sweep::alike,
};

use crate::show;

/// So many kinds are told; what comes later is counted with the last.
const KINDS: usize = 50;

/// The trials through a stage.
pub(crate) type Through = BTreeMap<TrialId, TrialStatus>;

/// Attempts that ended badly in the same way, numbers apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// In the words of the first.
    pub why: String,
    pub attempts: u64,
    /// The newest of them.
    pub attempt: AttemptId,
    /// Those that are concerned; never none.
    pub trials: BTreeMap<TrialId, TrialStatus>,
}

impl Kind {
    /// The trials that have failed for good.
    pub fn lost(&self) -> impl Iterator<Item = TrialId> {
        let failed = self.trials.iter().filter(|(_, status)| **status == TrialStatus::Failed);
        failed.map(|(trial, _)| *trial)
    }
}

/// What concerns most trials first. `through` are the trials through each stage; failures of other stages are left out.
pub fn kinds(
    failures: &[(AttemptId, StageId, Ending)],
    through: &BTreeMap<StageId, Through>,
) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    for (attempt, stage, ending) in failures {
        let Some(trials) = through.get(stage).filter(|trials| !trials.is_empty()) else { continue };
        let why = show::ending(ending);
        let known = kinds.iter().position(|other| alike(&other.why, &why));
        let place = known.unwrap_or_else(|| {
            if kinds.len() < KINDS {
                kinds.push(Kind { why, attempts: 0, attempt: *attempt, trials: BTreeMap::new() });
            }
            kinds.len() - 1
        });
        kinds[place].attempts += 1;
        kinds[place].attempt = *attempt;
        kinds[place].trials.extend(trials);
    }
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.trials.len()));
    kinds
}
