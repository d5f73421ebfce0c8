//! The tree while it runs: in which order stages are placed, which of them can start, and which must be trained again
//! because the state that others start from is not on disk any more.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{Decisions, Node, StageRow, Sweep};
use crate::{
    fact::Fact,
    life::{ConfigurationId, Lanes, StageChange, StageId, StageStatus, TrialId},
    stop::Lot,
};

impl Sweep {
    /// Connects stages with each other and with their trials, and gives each its turn.
    pub(super) fn link(&mut self, lanes: &BTreeMap<TrialId, Lanes>) {
        let parents: Vec<(StageId, StageId)> = self
            .stages
            .values()
            .filter_map(|node| Some((node.row.stage.parent?, node.row.stage.id)))
            .collect();
        for (parent, child) in parents {
            if let Some(parent) = self.stages.get_mut(&parent) {
                parent.children.push(child);
            }
        }
        for trial in self.trials.values() {
            for stage in &trial.path {
                if let Some(node) = self.stages.get_mut(stage) {
                    node.trials.push(trial.id);
                    node.lanes = lanes.get(&trial.id).copied();
                }
            }
        }
        self.number_turns();
    }

    /// Depth first, so that few states are waited for at once; where stages part the longest way goes first, so that
    /// it is not what everything waits for at the end. With rungs, those that are judged first go first, since others wait for
    /// their verdicts.
    pub(super) fn number_turns(&mut self) {
        let mut downwards = self.roots();
        let mut next = 0;
        while let Some(&stage) = downwards.get(next) {
            downwards.extend(self.children(stage));
            next += 1;
        }
        for &id in downwards.iter().rev() {
            let below = self.children(id).into_iter().filter_map(|child| self.stages.get(&child));
            let below = below.map(|node| node.way).max().unwrap_or(0);
            if let Some(node) = self.stages.get_mut(&id) {
                node.way = below + (node.row.stage.end - node.row.stage.first);
            }
        }
        let mut open = self.longest_last(self.roots());
        let mut turn = 0;
        while let Some(id) = open.pop() {
            if let Some(node) = self.stages.get_mut(&id) {
                node.turn = turn;
                turn += 1;
            }
            open.extend(self.longest_last(self.children(id)));
        }
    }

    fn longest_last(&self, mut stages: Vec<StageId>) -> Vec<StageId> {
        let way = |id: &StageId| self.stages.get(id).map_or(0, |node| node.way);
        if self.ladder.is_empty() {
            stages.sort_by_key(|id| (way(id), Reverse(*id)));
        } else {
            stages.sort_by_cached_key(|id| Reverse((self.judged_first(*id), *id)));
        }
        stages
    }

    /// When the first of a stage's configurations is judged.
    fn judged_first(&self, id: StageId) -> Option<(Lot, ConfigurationId)> {
        let trials = self.stages.get(&id).into_iter().flat_map(|node| &node.trials);
        let trials = trials.filter_map(|trial| self.trials.get(trial));
        trials.map(|trial| self.ladder.order(trial.configuration)).min()
    }

    fn roots(&self) -> Vec<StageId> {
        let is_root = |node: &&Node| {
            node.row.stage.parent.is_none_or(|parent| !self.stages.contains_key(&parent))
        };
        self.stages.values().filter(is_root).map(|node| node.row.stage.id).collect()
    }

    fn children(&self, id: StageId) -> Vec<StageId> {
        self.stages.get(&id).map(|node| node.children.clone()).unwrap_or_default()
    }

    /// Readies a stage, if it may be placed: it waits, or is missed by stages that do, and there is something to start
    /// from. If that is missing, what is above it is readied instead.
    pub(super) fn note_ready(&mut self, id: StageId) {
        let mut next = Some(id);
        while let Some(id) = next.take() {
            let Some(node) = self.stages.get(&id) else { return };
            let is_asked_for = match node.row.stage.status {
                StageStatus::Waiting => self.is_allowed(node),
                StageStatus::Done => self.is_missed(node),
                _ => false,
            };
            let turn = (node.turn, id);
            if is_asked_for && self.can_start(node) {
                if !self.apart.contains(&id) && !self.later.contains_key(&id) {
                    let group = self.company(node).map(|(group, _)| group);
                    self.ready.insert(turn, group);
                }
                return;
            }
            if is_asked_for {
                next = node.row.stage.parent;
            }
            self.ready.remove(turn);
            self.apart.remove(&id);
        }
    }

    /// See [`Sweep::note_ready`], for every stage that starts from this one's state.
    pub(super) fn note_ready_below(&mut self, id: StageId) {
        for child in self.children(id) {
            self.note_ready(child);
        }
    }

    fn can_start(&self, node: &Node) -> bool {
        let Some(parent) = node.row.stage.parent else { return true };
        let Some(parent) = self.stages.get(&parent) else { return false };
        let is_done =
            matches!(parent.row.stage.status, StageStatus::Done | StageStatus::Rebuilding(_));
        is_done && (!node.row.checkpoints.is_empty() || parent.has_state())
    }

    /// Whether a stage's state is not there although a stage below cannot start without it.
    pub(super) fn is_missed(&self, node: &Node) -> bool {
        let misses = |child: &Node| {
            child.row.checkpoints.is_empty()
                && match child.row.stage.status {
                    StageStatus::Waiting => self.is_allowed(child),
                    StageStatus::Done => self.is_missed(child),
                    _ => false,
                }
        };
        node.row.stage.status == StageStatus::Done
            && !node.has_state()
            && node.children.iter().filter_map(|child| self.stages.get(child)).any(misses)
    }

    /// Whether a stage below may still start from this one's state.
    pub(super) fn is_needed(&self, node: &Node) -> bool {
        node.children.iter().filter_map(|child| self.stages.get(child)).any(|child| {
            match child.row.stage.status {
                StageStatus::Waiting | StageStatus::Running(_) => self.is_wanted(child),
                StageStatus::Rebuilding(_) => true,
                StageStatus::Done => self.is_missed(child),
                StageStatus::Diverged | StageStatus::Failed => false,
            }
        })
    }

    pub(super) fn is_wanted(&self, node: &Node) -> bool {
        node.trials
            .iter()
            .any(|trial| self.trials.get(trial).is_some_and(|trial| !trial.status.is_terminal()))
    }

    /// The state at this stage's end can never be made again: whatever needs it has failed.
    pub(super) fn bar(&mut self, id: StageId, decisions: &mut Decisions) {
        for child in self.children(id) {
            let Some(node) = self.stages.get_mut(&child) else { continue };
            if !node.row.checkpoints.is_empty() {
                continue;
            }
            let stage = &mut node.row.stage;
            if stage.status == StageStatus::Done {
                self.bar(child, decisions);
            } else if stage.change(&StageChange::Barred).is_ok() {
                decisions.facts.push(Fact::Stage {
                    stage: child,
                    status: stage.status,
                    digest: String::new(),
                    evaluated: node.row.evaluated.clone(),
                });
                self.counts.stage_ended(stage);
                self.settle(child, decisions);
            }
        }
    }

    /// Nothing below a stage that ended badly will be trained.
    pub(super) fn give_up_below(&mut self, id: StageId) {
        let mut open = self.children(id);
        while let Some(id) = open.pop() {
            let Some(node) = self.stages.get(&id) else { continue };
            if node.row.stage.status == StageStatus::Waiting {
                self.counts.stage_ended(&node.row.stage);
            }
            open.extend(&node.children);
        }
    }
}

impl Node {
    /// A stage that nothing is known of but its row.
    pub(super) fn new(row: StageRow) -> Self {
        Self {
            row,
            children: Vec::new(),
            trials: Vec::new(),
            lanes: None,
            way: 0,
            turn: 0,
            spent: 0,
            troubles: 0,
        }
    }

    /// Whether this is the digest of the state at its end, as far as that is known.
    pub(super) fn is_the_state(&self, digest: &str) -> bool {
        self.row.digest.is_empty() || self.row.digest == digest
    }

    /// Whether its worker should run nothing beside it.
    pub(super) fn is_suspect(&self) -> bool {
        0 < self.troubles || self.row.stage.tally.is_suspicious()
    }

    /// Whether the state at its end is on disk.
    pub(super) fn has_state(&self) -> bool {
        let end = self.row.stage.end;
        self.row.checkpoints.last().is_some_and(|checkpoint| checkpoint.step == end)
    }
}
