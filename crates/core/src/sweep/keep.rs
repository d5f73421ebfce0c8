//! Which checkpoints stay: while a stage runs its newest two; at its end the last one, as long as all of those fit into
//! what the person allows. The worst trials' go first.

use std::collections::{BTreeMap, BTreeSet};

use super::{Decisions, Sweep};
use crate::{
    command::Command,
    fact::Fact,
    life::{StageId, StageStatus},
    objective::Goal,
};

/// Stages that have ended and whose last checkpoint is on disk.
#[derive(Debug, Default)]
pub(super) struct Kept {
    total: u64,
    bytes: BTreeMap<StageId, (u64, u64)>,
    /// By merit, the best first.
    by_merit: BTreeSet<(u64, StageId)>,
}

impl Kept {
    pub(super) fn insert(
        &mut self,
        stage: StageId,
        bytes: u64,
        objective: Option<f64>,
        goal: Goal,
    ) {
        let merit = merit(objective, goal);
        if self.bytes.insert(stage, (bytes, merit)).is_none() {
            self.by_merit.insert((merit, stage));
            self.total += bytes;
        }
    }

    fn pop_worst(&mut self) -> Option<StageId> {
        let (_, stage) = self.by_merit.pop_last()?;
        if let Some((bytes, _)) = self.bytes.remove(&stage) {
            self.total -= bytes;
        }
        Some(stage)
    }
}

/// A number that is less the better the objective is.
fn merit(objective: Option<f64>, goal: Goal) -> u64 {
    let Some(value) = objective.filter(|value| value.is_finite()) else { return u64::MAX };
    let less_is_better = if goal == Goal::Min { value } else { -value };
    let bits = less_is_better.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

impl Sweep {
    pub(super) fn forget_superseded(&mut self, id: StageId, decisions: &mut Decisions) {
        let Some(node) = self.stages.get_mut(&id) else { return };
        let stage = &node.row.stage;
        let stays = match stage.status {
            StageStatus::Done | StageStatus::Diverged => 1,
            StageStatus::Failed => 0,
            StageStatus::Waiting | StageStatus::Running(_) => 2,
        };
        let is_end = |step: u64| step == stage.end || stage.status != StageStatus::Done;
        let superseded = node.row.checkpoints.len().saturating_sub(stays);
        let mut removed: Vec<_> = node.row.checkpoints.drain(..superseded).collect();
        removed.extend(node.row.checkpoints.extract_if(.., |checkpoint| !is_end(checkpoint.step)));
        for checkpoint in removed {
            decisions.facts.push(Fact::Forgotten { stage: id, step: checkpoint.step });
            decisions
                .commands
                .push(Command::Remove { attempt: checkpoint.attempt, file: checkpoint.file });
        }
        // Where stages branch off, theirs start from it.
        if stage.status.is_terminal()
            && node.children.is_empty()
            && let Some(last) = node.row.checkpoints.last()
        {
            let objective = self.settings.objective.value(&node.row.evaluated);
            self.kept.insert(id, last.bytes, objective, self.settings.objective.goal);
            self.fit(decisions);
        }
    }

    fn fit(&mut self, decisions: &mut Decisions) {
        while self.settings.keep < self.kept.total {
            let Some(worst) = self.kept.pop_worst() else { return };
            let Some(node) = self.stages.get_mut(&worst) else { continue };
            for checkpoint in node.row.checkpoints.drain(..) {
                decisions.facts.push(Fact::Forgotten { stage: worst, step: checkpoint.step });
                decisions
                    .commands
                    .push(Command::Remove { attempt: checkpoint.attempt, file: checkpoint.file });
            }
        }
    }
}
