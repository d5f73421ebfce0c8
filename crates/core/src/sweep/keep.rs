//! Which checkpoints stay: while a stage runs its newest two; at its end the last one, as long as stages below it start
//! from it, and after that as long as all of those fit into what the person allows. The worst trials' go first. Since
//! stages are placed depth first, few wait for others' at any time.

use std::collections::{BTreeMap, BTreeSet};

use super::{Decisions, Grant, Node, Sweep};
use crate::{
    command::Command,
    fact::{Checkpoint, Fact},
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
    fn insert(&mut self, stage: StageId, bytes: u64, merit: u64) {
        self.bytes.insert(stage, (bytes, merit));
        self.by_merit.insert((merit, stage));
        self.total += bytes;
    }

    fn remove(&mut self, stage: StageId) {
        if let Some((bytes, merit)) = self.bytes.remove(&stage) {
            self.by_merit.remove(&(merit, stage));
            self.total -= bytes;
        }
    }

    fn pop_worst(&mut self) -> Option<StageId> {
        let &(_, stage) = self.by_merit.last()?;
        self.remove(stage);
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
    /// Removes what a stage's newer checkpoints make superfluous.
    pub(super) fn forget_superseded(&mut self, id: StageId, decisions: &mut Decisions) {
        let Some(node) = self.stages.get(&id) else { return };
        let stage = &node.row.stage;
        let end = stage.end;
        let (stays, only_the_end) = match stage.status {
            StageStatus::Done => (1, !self.is_missed(node)),
            StageStatus::Diverged => (1, false),
            StageStatus::Failed => (0, false),
            StageStatus::Waiting | StageStatus::Running(_) | StageStatus::Rebuilding(_) => {
                (2, false)
            }
        };
        let Some(node) = self.stages.get_mut(&id) else { return };
        let checkpoints = &mut node.row.checkpoints;
        let superseded = checkpoints.len().saturating_sub(stays);
        let mut removed: Vec<Checkpoint> = checkpoints.drain(..superseded).collect();
        if only_the_end {
            removed.extend(checkpoints.extract_if(.., |checkpoint| checkpoint.step != end));
        }
        forget(id, removed, decisions);
        self.note_kept(id);
        self.fit(decisions);
    }

    /// An attempt cannot use the state that it was told to start from: from now on it is missing. The file is removed, since
    /// it is of no use to anybody.
    pub(super) fn lose_state(&mut self, grant: &Grant, decisions: &mut Decisions) {
        let Some((owner, attempt)) = grant.origin else { return };
        let Some(node) = self.stages.get_mut(&owner) else { return };
        let is_lost = |it: &mut Checkpoint| (it.attempt, it.step) == (attempt, grant.from);
        let lost: Vec<Checkpoint> = node.row.checkpoints.extract_if(.., is_lost).collect();
        // Others may have been told to start from it, too, and have said so before.
        if !lost.is_empty() {
            node.troubles += u32::from(owner != grant.stage);
            self.kept.remove(owner);
            forget(owner, lost, decisions);
        }
    }

    /// A stage that has ended, and from whose state nothing starts that is still to be trained, competes for its place on
    /// disk.
    pub(super) fn note_kept(&mut self, id: StageId) {
        let Some(node) = self.stages.get(&id) else { return };
        let Some(last) = node.row.checkpoints.last() else { return };
        let is_free = node.row.stage.status.is_terminal()
            && !self.kept.bytes.contains_key(&id)
            && !self.is_needed(node)
            && !self.is_missed(node);
        if is_free {
            self.kept.insert(id, last.bytes, self.merit(node));
        }
    }

    /// After a stage has ended, or a trial was stopped, states above may have become superfluous.
    pub(super) fn note_kept_above(&mut self, id: StageId, decisions: &mut Decisions) {
        let mut next = Some(id);
        while let Some(id) = next {
            self.note_kept(id);
            next = self.stages.get(&id).and_then(|node| node.row.stage.parent);
        }
        self.fit(decisions);
    }

    /// Of the best trial through a stage: less is better.
    fn merit(&self, node: &Node) -> u64 {
        let children = node.children.iter().filter_map(|child| self.stages.get(child));
        let own = self.settings.objective.value(&node.row.evaluated);
        let below = children.map(|child| self.merit(child));
        below.chain([merit(own, self.settings.objective.goal)]).min().unwrap_or(u64::MAX)
    }

    fn fit(&mut self, decisions: &mut Decisions) {
        while self.settings.keep < self.kept.total {
            let Some(worst) = self.kept.pop_worst() else { return };
            // Of no use when it was noted; but a state below it was lost since then.
            let is_free = |node: &Node| !self.is_needed(node) && !self.is_missed(node);
            if !self.stages.get(&worst).is_some_and(is_free) {
                continue;
            }
            let Some(node) = self.stages.get_mut(&worst) else { continue };
            forget(worst, std::mem::take(&mut node.row.checkpoints), decisions);
        }
    }
}

fn forget(stage: StageId, checkpoints: Vec<Checkpoint>, decisions: &mut Decisions) {
    for Checkpoint { attempt, step, file, .. } in checkpoints {
        decisions.facts.push(Fact::Forgotten { stage, step });
        decisions.commands.push(Command::Remove { attempt, file });
    }
}
