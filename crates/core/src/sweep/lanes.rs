//! Stages side by side in one worker. Which may be is the plan's to say; how many are depends on the worker, on the person,
//! and on what else waits.

use std::collections::{BTreeMap, BTreeSet};

use super::{Grant, Node, Sweep, Worker};
use crate::{
    key::Key,
    life::{AttemptId, StageId, WorkerId},
};

/// What stages that are trained side by side have in common: with what else than the shape they would not see the
/// same data at the same time, and gain nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    shape: Key,
    first: u64,
}

/// Stages that may be placed, by their turn.
#[derive(Debug, Default)]
pub(super) struct Ready {
    by_turn: BTreeMap<(u32, StageId), Option<Group>>,
    /// Those that can have company.
    by_group: BTreeSet<(Group, u32, StageId)>,
}

impl Ready {
    pub(super) fn insert(&mut self, (turn, id): (u32, StageId), group: Option<Group>) {
        self.remove((turn, id));
        self.by_turn.insert((turn, id), group);
        self.by_group.extend(group.map(|group| (group, turn, id)));
    }

    pub(super) fn remove(&mut self, (turn, id): (u32, StageId)) {
        if let Some(Some(group)) = self.by_turn.remove(&(turn, id)) {
            self.by_group.remove(&(group, turn, id));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_turn.len()
    }

    /// How many come before a stage.
    pub(super) fn place(&self, stage: StageId) -> Option<usize> {
        self.by_turn.keys().position(|(_, id)| *id == stage)
    }

    pub(super) fn pop_first(&mut self) -> Option<StageId> {
        let &(turn, id) = self.by_turn.keys().next()?;
        self.remove((turn, id));
        Some(id)
    }

    /// The first of a group.
    pub(super) fn pop_beside(&mut self, group: Group) -> Option<StageId> {
        let mut others = self.by_group.range((group, 0, StageId(0))..);
        let &(_, turn, id) = others.next().filter(|(other, ..)| *other == group)?;
        self.remove((turn, id));
        Some(id)
    }
}

impl Sweep {
    /// With which others a stage may be placed, and with how many, itself included. One whose worker crashed is alone.
    pub(super) fn company(&self, node: &Node) -> Option<(Group, usize)> {
        let lanes = node.lanes.filter(|_| !node.is_suspect())?;
        let most = lanes.most.min(self.settings.lanes) as usize;
        let group = Group { shape: lanes.shape, first: node.row.stage.first };
        (1 < most).then_some((group, most))
    }

    /// How many stages a worker should take beside each other at most: no more than its share of all that there is, so that
    /// every slot has something to do before lanes make each other slower.
    pub(super) fn share(&self) -> usize {
        let held: usize = self.workers.values().map(|worker| worker.queue.len()).sum();
        (held + self.ready.len()).div_ceil(self.settings.slots.max(1) as usize)
    }

    /// The attempts that a worker was given and that have not ended.
    pub fn given(&self, worker: WorkerId) -> impl Iterator<Item = AttemptId> {
        let worker = self.workers.get(&worker);
        worker.into_iter().flat_map(|worker| &worker.queue).map(|grant| grant.attempt)
    }

    /// The attempts that a worker may be running.
    pub fn running(&self, worker: WorkerId) -> impl Iterator<Item = AttemptId> {
        let worker = self.workers.get(&worker);
        worker.into_iter().flat_map(Worker::running).map(|grant| grant.attempt)
    }
}

impl Grant {
    pub(super) fn group(&self) -> Option<Group> {
        self.company.map(|(group, _)| group)
    }
}

impl Worker {
    /// How many of those that it holds, the first of them, it may be running.
    pub(super) fn lanes(&self) -> usize {
        let head = self.queue.front();
        head.and_then(|head| head.company).map_or(1, |(_, most)| most)
    }

    pub(super) fn running(&self) -> impl Iterator<Item = &Grant> {
        self.queue.iter().take(self.lanes())
    }
}
