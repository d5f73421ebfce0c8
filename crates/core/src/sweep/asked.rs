//! What a person asks while a sweep runs, and the limits that they have set.

use super::{Asked, Decisions, Grant, Mode, Silence, Sweep, Worker, WorkerState};
use crate::{
    class::Class,
    command::{Command, Message},
    event::{Moment, Request},
    fact::Fact,
    life::{Ending, TrialId, TrialStatus, WorkerId},
};

/// A worker that says nothing for so long is reported, in microseconds.
const SILENCE: u64 = 60_000_000;

/// A worker that holds nothing and does not start or end for so long is reported, in microseconds.
const PATIENCE: u64 = 10_000_000;

impl Sweep {
    pub(super) fn asked(&mut self, request: &Request, decisions: &mut Decisions) {
        match (request, self.mode) {
            (Request::Stop, Mode::Running | Mode::Paused | Mode::Broken) => {
                self.stop("it was stopped", decisions);
            }
            (Request::Kill, Mode::Running | Mode::Paused | Mode::Stopping | Mode::Broken) => {
                self.halt("it was stopped", decisions);
                self.mode = Mode::Killing;
                let workers: Vec<WorkerId> = self.workers.keys().copied().collect();
                for worker in workers {
                    self.kill(worker, Ending::Interrupted, decisions);
                }
            }
            (Request::Pause, Mode::Running) => self.mode = Mode::Paused,
            (Request::Continue, Mode::Paused) => self.mode = Mode::Running,
            (Request::StopTrial(trial), Mode::Running | Mode::Paused) => {
                self.stop_trial(*trial, decisions);
                self.judge(&[*trial], decisions);
            }
            (Request::Retry(trials), _) => self.ask_renewal(trials, decisions),
            _ => {}
        }
    }

    fn stop(&mut self, why: &str, decisions: &mut Decisions) {
        self.halt(why, decisions);
        self.mode = Mode::Stopping;
        let mut awaited = Vec::new();
        for (&id, worker) in &mut self.workers {
            for grant in &mut worker.queue {
                grant.ask_stop(id, decisions);
            }
            awaited.extend(worker.is_awaited().then_some(id));
        }
        // They have nothing to save.
        for worker in awaited {
            self.kill(worker, Ending::Interrupted, decisions);
        }
    }

    pub(super) fn stop_trial(&mut self, id: TrialId, decisions: &mut Decisions) {
        let Some(trial) = self.trials.get_mut(&id) else { return };
        if trial.status.is_terminal() {
            return;
        }
        self.counts.trial_changed(trial.status, TrialStatus::Stopped);
        trial.status = TrialStatus::Stopped;
        let path = trial.path.clone();
        decisions.facts.push(Fact::Trial {
            trial: id,
            status: TrialStatus::Stopped,
            objective: None,
        });
        for &stage in &path {
            self.note_ready(stage);
            let Some(node) = self.stages.get(&stage) else { continue };
            if self.is_wanted(node) {
                continue;
            }
            if !node.row.stage.status.is_terminal() {
                self.counts.stage_ended(&node.row.stage);
            }
            for (&worker, state) in &mut self.workers {
                for grant in state.queue.iter_mut().filter(|grant| grant.stage == stage) {
                    grant.ask_stop(worker, decisions);
                }
            }
        }
        if let Some(&last) = path.last() {
            self.note_kept_above(last, decisions);
        }
    }

    /// The limits that the person set, and silence.
    pub(super) fn watch(&mut self, now: Moment, decisions: &mut Decisions) {
        if self.settings.limit.is_some_and(|limit| limit <= now)
            && matches!(self.mode, Mode::Running | Mode::Paused)
        {
            self.stop("its `limit` was reached", decisions);
        }
        let mut to_kill = Vec::new();
        for (&id, worker) in &mut self.workers {
            if matches!(worker.state, WorkerState::Killed(_)) {
                continue;
            }
            if worker.is_awaited() {
                let since = *worker.waited_since.get_or_insert(now);
                let waited = now.0.saturating_sub(since.0);
                if self.settings.stall.is_some_and(|stall| stall <= waited) {
                    let why = "it said nothing for longer than `stall` allows".to_owned();
                    to_kill.push((id, Ending::Failed(Class::Stall, why)));
                } else if PATIENCE <= waited && worker.silence == Silence::Unreported {
                    worker.silence = Silence::Reported;
                    let seconds = waited / 1_000_000;
                    decisions.commands.push(Command::Say(match worker.state {
                        WorkerState::Starting => Message::WorkerMute { worker: id, seconds },
                        _ => Message::WorkerLingers { worker: id, seconds },
                    }));
                }
                continue;
            }
            let Some(head) = worker.queue.front_mut() else { continue };
            let Some(node) = self.stages.get(&head.stage) else { continue };
            let silent = now.0.saturating_sub(head.heard.0);
            let before: u64 =
                node.trials.first().and_then(|trial| self.trials.get(trial)).map_or(0, |trial| {
                    trial
                        .path
                        .iter()
                        .filter_map(|stage| self.stages.get(stage))
                        .map(|node| node.spent)
                        .sum()
                });
            let taken = before + head.taken(now);
            if self.settings.timeout.is_some_and(|timeout| timeout <= taken) {
                let why = "it took longer than `timeout` allows".to_owned();
                to_kill.push((id, Ending::Failed(Class::Timeout, why)));
            } else if self.settings.stall.is_some_and(|stall| stall <= silent) {
                let why = "it said nothing for longer than `stall` allows".to_owned();
                to_kill.push((id, Ending::Failed(Class::Stall, why)));
            } else if SILENCE <= silent && head.silence == Silence::Unreported {
                head.silence = Silence::Reported;
                if let Some(&trial) = node.trials.first() {
                    let message =
                        Message::WorkerSilent { worker: id, trial, seconds: silent / 1_000_000 };
                    decisions.commands.push(Command::Say(message));
                }
            }
        }
        for (worker, ending) in to_kill {
            self.kill(worker, ending, decisions);
        }
    }
}

impl Worker {
    /// Whether it holds nothing, and is waited for: until it has introduced itself, or has ended.
    fn is_awaited(&self) -> bool {
        self.queue.is_empty()
            && matches!(self.state, WorkerState::Starting | WorkerState::Dismissed)
    }
}

impl Grant {
    fn ask_stop(&mut self, worker: WorkerId, decisions: &mut Decisions) {
        if self.was_asked == Asked::No {
            self.was_asked = Asked::Stop;
            decisions.commands.push(Command::AskStop { worker, attempt: self.attempt });
        }
    }
}
