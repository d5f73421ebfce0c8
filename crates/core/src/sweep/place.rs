//! Who runs what: workers are started while there is work for them, and each is kept just busy enough never to wait.

use std::collections::VecDeque;

use super::{Asked, Decisions, Grant, Mode, Node, Silence, Sweep, Worker, WorkerState};
use crate::{
    command::{Command, Finish, Keep, Message},
    event::Moment,
    fact::Fact,
    life::{Purpose, StageChange, StageId, StageStatus, WorkerId},
    objective::{Evaluated, Reduction},
    warning::Warnings,
};

/// So much work is queued at a worker, in microseconds: long beside a commit, short beside anything that a person notices.
const AHEAD: u64 = 20_000;

/// So many workers in a row may end without having run anything, of all and in each slot.
const FRUITLESS: u32 = 3;

impl Sweep {
    pub(super) fn place(&mut self, now: Moment, decisions: &mut Decisions) {
        if self.mode == Mode::Running {
            let is_busy = self.workers.values().any(|worker| !worker.queue.is_empty());
            if FRUITLESS <= self.fruitless && !is_busy {
                return self.give_up(decisions);
            }
            self.ready_again(now);
            self.grant_all(now, decisions);
            self.spawn(decisions);
            self.leave_aside(decisions);
        }
        self.dismiss(decisions);
        let is_over = match self.mode {
            Mode::Running | Mode::Paused => self.counts.waiting == 0,
            Mode::Stopping | Mode::Killing | Mode::Broken => true,
            Mode::Finished => false,
        };
        if is_over && self.workers.is_empty() && !self.is_renewing {
            let finish = match self.mode {
                _ if self.counts.waiting == 0 => Finish::Complete,
                Mode::Broken => {
                    let (times, why) = self.repeated();
                    Finish::Broken { times, why }
                }
                _ => Finish::Stopped,
            };
            decisions.commands.push(Command::Finish(finish));
            self.mode = Mode::Finished;
        }
    }

    /// Stages whose pause is over may be placed again.
    fn ready_again(&mut self, now: Moment) {
        let is_due = |(_, due): &(&StageId, &Moment)| **due <= now;
        let due: Vec<StageId> = self.later.iter().filter(is_due).map(|(id, _)| *id).collect();
        for id in due {
            self.later.remove(&id);
            self.note_ready(id);
        }
    }

    /// No worker can be used, and none has anything to do.
    fn give_up(&mut self, decisions: &mut Decisions) {
        let workers: Vec<WorkerId> = self.workers.keys().copied().collect();
        decisions.commands.extend(workers.into_iter().map(|worker| Command::Kill { worker }));
        self.halt(&format!("no worker can be used: {}", self.last_words), decisions);
        decisions.commands.push(Command::Finish(Finish::Unusable(self.last_words.clone())));
        self.mode = Mode::Finished;
    }

    fn grant_all(&mut self, now: Moment, decisions: &mut Decisions) {
        let mut workers: Vec<(bool, WorkerId)> =
            self.workers.iter().map(|(id, worker)| (!worker.queue.is_empty(), *id)).collect();
        // Whoever has nothing to do comes first.
        workers.sort_unstable();
        // Round by round, so that what is left is shared out evenly.
        loop {
            let mut has_granted = false;
            for &(_, worker) in &workers {
                has_granted |= self.grant_one(worker, now, decisions);
            }
            if !has_granted {
                return;
            }
        }
    }

    fn grant_one(&mut self, id: WorkerId, now: Moment, decisions: &mut Decisions) -> bool {
        let Some(worker) = self.workers.get(&id) else { return false };
        let WorkerState::Ready(queue) = worker.state else { return false };
        if self.is_aside(worker.slot) {
            return false;
        }
        if worker.queue.iter().any(|grant| self.is_suspect(grant.stage)) {
            return false;
        }
        let stage = match worker.queue.front() {
            None => self.ready.pop_first().or_else(|| self.apart.pop_first()),
            Some(head) => {
                let group = head.group();
                let is_behind = |grant: &&Grant| group.is_none() || grant.group() != group;
                let n_behind = worker.queue.iter().skip(1).filter(is_behind).count();
                // What waits behind one that waits for its verdict would be waited for.
                let queue = if self.ladder.is_uncut() { 0 } else { queue };
                let (has_lane, n_ahead) = (self.has_lane(worker), worker.n_ahead(queue));
                let beside = group.filter(|_| has_lane);
                let beside = beside.and_then(|group| self.ready.pop_beside(group));
                beside.or_else(|| (n_behind < n_ahead).then(|| self.ready.pop_first()).flatten())
            }
        };
        let Some(stage) = stage else { return false };
        self.grant(id, stage, now, decisions);
        true
    }

    /// Whether another stage may join those that a worker runs.
    fn has_lane(&self, worker: &Worker) -> bool {
        worker.queue.len() < worker.lanes().min(self.share())
    }

    fn is_suspect(&self, stage: StageId) -> bool {
        self.stages.get(&stage).is_some_and(Node::is_suspect)
    }

    fn grant(&mut self, id: WorkerId, stage: StageId, now: Moment, decisions: &mut Decisions) {
        let attempt = self.next_attempt;
        let Some(node) = self.stages.get_mut(&stage) else { return };
        let row = &mut node.row;
        if row.stage.change(&StageChange::Granted(attempt)).is_err() {
            return;
        }
        let purpose = match row.stage.status {
            StageStatus::Rebuilding(_) => Purpose::Rebuild,
            _ => Purpose::Train,
        };
        let (first, parent) = (row.stage.first, row.stage.parent);
        let Some(node) = self.stages.get(&stage) else { return };
        let Some(&trial) = node
            .trials
            .iter()
            .find(|trial| self.trials.get(trial).is_some_and(|trial| !trial.status.is_terminal()))
        else {
            return;
        };
        let parent = parent.and_then(|parent| self.stages.get(&parent)).map(|parent| &parent.row);
        let (owner, from, evaluated) = match (node.row.checkpoints.last(), parent) {
            (Some(inside), _) => (stage, Some(inside.clone()), inside.evaluated.clone()),
            (None, Some(parent)) => {
                (parent.stage.id, parent.checkpoints.last().cloned(), parent.evaluated.clone())
            }
            (None, None) => (stage, None, Evaluated::default()),
        };
        let origin = from.as_ref().map(|checkpoint| (owner, checkpoint.attempt));
        let is_kept = 0 < self.settings.keep || self.is_needed(node) || purpose == Purpose::Rebuild;
        let keep = if is_kept { Keep::State } else { Keep::Nothing };
        let start = from.as_ref().map_or(first, |checkpoint| checkpoint.step);
        let company = self.company(node);
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.account(now);
        let began = (worker.queue.len() < worker.lanes()).then_some(now);
        worker.queue.push_back(Grant {
            attempt,
            slot: worker.slot,
            stage,
            purpose,
            from: start,
            company,
            origin,
            step: start,
            measured: start,
            reduction: Reduction::new(evaluated),
            warnings: Warnings::default(),
            began,
            heard: now,
            was_asked: Asked::No,
            silence: Silence::Unreported,
        });
        self.next_attempt.0 += 1;
        decisions.facts.push(Fact::Granted { attempt, stage, worker: id, from: start, purpose });
        decisions.commands.push(Command::Grant { worker: id, attempt, stage, trial, from, keep });
    }

    fn spawn(&mut self, decisions: &mut Decisions) {
        let wanted = self.ready.len() + self.apart.len();
        let starting =
            self.workers.values().filter(|worker| worker.state == WorkerState::Starting).count();
        let mut needed = wanted.saturating_sub(starting);
        for slot in 0..self.settings.slots {
            if needed == 0 {
                return;
            }
            let is_given_up = self.fruitless_in.get(&slot).is_some_and(|n| FRUITLESS <= *n);
            if is_given_up
                || self.is_aside(slot)
                || self.workers.values().any(|worker| worker.slot == slot)
            {
                continue;
            }
            let id = self.next_worker;
            self.next_worker.0 += 1;
            let worker = Worker {
                slot,
                state: WorkerState::Starting,
                queue: VecDeque::new(),
                busy: 0,
                finished: 0,
                busy_since: Moment(0),
                waited_since: None,
                silence: Silence::Unreported,
            };
            self.workers.insert(id, worker);
            decisions.commands.push(Command::Spawn { worker: id, slot });
            needed -= 1;
        }
    }

    /// Workers that will never have anything to do again are let go.
    fn dismiss(&mut self, decisions: &mut Decisions) {
        let is_ending = match self.mode {
            Mode::Stopping | Mode::Killing | Mode::Broken => true,
            Mode::Running | Mode::Paused => self.counts.waiting == 0,
            Mode::Finished => false,
        };
        if !is_ending {
            return;
        }
        for (&id, worker) in &mut self.workers {
            let is_idle = worker.queue.is_empty()
                && matches!(worker.state, WorkerState::Ready(_) | WorkerState::Starting);
            if is_idle {
                worker.let_go();
                decisions.commands.push(Command::Dismiss { worker: id });
            }
        }
    }
}

impl Sweep {
    /// A worker on this slot ended without having run anything.
    pub(super) fn note_fruitless(&mut self, slot: u32, why: &str, decisions: &mut Decisions) {
        self.fruitless += 1;
        why.clone_into(&mut self.last_words);
        let n = self.fruitless_in.entry(slot).or_default();
        *n += 1;
        if *n == FRUITLESS && 1 < self.settings.slots {
            let why = why.to_owned();
            decisions.commands.push(Command::Say(Message::SlotGivenUp { slot, why }));
        }
    }

    /// A worker on this slot has run something to its end.
    pub(super) fn note_fruitful(&mut self, slot: u32) {
        self.fruitless = 0;
        self.fruitless_in.remove(&slot);
    }
}

impl Worker {
    /// Its input is closed: it should end by itself.
    pub(super) fn let_go(&mut self) {
        self.state = WorkerState::Dismissed;
        (self.waited_since, self.silence) = (None, Silence::Unreported);
    }

    /// How many stages it should hold beyond those that it runs.
    fn n_ahead(&self, queue: u32) -> usize {
        if self.finished == 0 {
            return 0;
        }
        let mean = self.busy / self.finished;
        (AHEAD / mean.max(1)).min(u64::from(queue)) as usize
    }
}
