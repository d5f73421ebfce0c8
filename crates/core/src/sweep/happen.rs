//! What happened, taken in one event at a time. A worker is believed only about the stages at the head of its queue, as many
//! as it has lanes, and only within their steps; anything else is nonsense and costs it its life.

use super::{
    Asked, Decisions, Exactness, Grant, Silence, Sweep, Worker, WorkerState, found::is_file_name,
};
use crate::{
    class::Class,
    command::{Command, Message},
    event::{Event, Moment, Outcome},
    fact::{Checkpoint, Fact},
    life::{AttemptId, Charge, Ending, Purpose, StageId, StageStatus, TrialId, WorkerId},
    objective::Evaluated,
};

impl Sweep {
    pub(super) fn happened(&mut self, event: &Event, now: Moment, decisions: &mut Decisions) {
        match event {
            Event::WorkerReady { worker, queue } => {
                if let Some(worker) = self.workers.get_mut(worker)
                    && worker.state == WorkerState::Starting
                {
                    worker.state = WorkerState::Ready(*queue);
                }
            }
            Event::WorkerDied { worker, how, class, found } => {
                self.died(*worker, (*class, how), found, now, decisions);
            }
            Event::WorkerUnusable { worker, why } => {
                if let Some(worker) = self.workers.remove(worker) {
                    self.note_fruitless(worker.slot, why, decisions);
                }
            }
            Event::WorkerClosed { worker } => {
                let is_ending = |it: &Worker| it.state == WorkerState::Dismissed;
                if !self.workers.get(worker).is_some_and(is_ending) {
                    let what = "it closed its output and lived on".to_owned();
                    self.kill(*worker, Ending::Failed(Class::Crash, what), decisions);
                }
            }
            Event::WorkerTalkedNonsense { worker, what } => {
                self.kill(*worker, nonsense(what.clone()), decisions);
            }
            Event::Progress { worker, attempt, step } => {
                self.about(*worker, *attempt, *step, now, decisions);
            }
            Event::Metrics { worker, attempt, step, values } => {
                // A step that cannot be is no reason to end it.
                let end = self.given_end(*worker, *attempt);
                let heard = (*step).min(end).max(self.reached(*worker, *attempt));
                if let Some(stage) = self.about(*worker, *attempt, heard, now, decisions) {
                    self.measured(*worker, stage, (*step, end), values, decisions);
                }
            }
            Event::Warned { worker, attempt, warning } => {
                let step = self.reached(*worker, *attempt);
                if self.about(*worker, *attempt, step, now, decisions).is_some()
                    && let Some(head) = self.head(*worker)
                {
                    head.warnings.replace(warning);
                    head.tell_warnings(decisions);
                }
            }
            Event::Checkpoint { worker, attempt, step, file, digest, bytes } => {
                if let Some(stage) = self.about(*worker, *attempt, *step, now, decisions) {
                    let head = self.head(*worker);
                    let evaluated = head.map(|head| {
                        head.measured = head.measured.max(*step);
                        head.reduction.evaluated().clone()
                    });
                    let checkpoint = Checkpoint {
                        attempt: *attempt,
                        step: *step,
                        file: file.clone(),
                        digest: digest.clone(),
                        bytes: *bytes,
                        evaluated: evaluated.unwrap_or_default(),
                    };
                    self.saved(*worker, stage, checkpoint, decisions);
                }
            }
            Event::Used { worker, attempt, usage } => {
                let step = self.reached(*worker, *attempt);
                if self.about(*worker, *attempt, step, now, decisions).is_some() {
                    let (attempt, usage) = (*attempt, *usage);
                    decisions.facts.push(Fact::Used { attempt, usage });
                }
            }
            Event::Finished { worker, attempt, step, outcome, digest } => {
                // What fails or stops may not know any more how far it came.
                let least = match outcome {
                    Outcome::Failed(..) | Outcome::Stopped => self.reached(*worker, *attempt),
                    _ => 0,
                };
                let step = least.max(*step);
                if let Some(stage) = self.about(*worker, *attempt, step, now, decisions) {
                    self.finished(*worker, stage, step, outcome, digest, now, decisions);
                }
            }
            Event::Asked(request) => self.asked(request, decisions),
            Event::Renewed(renewed) => self.renewed(renewed, decisions),
            Event::Tick => {}
        }
    }

    /// Where the stage of an attempt ends.
    fn given_end(&self, worker: WorkerId, attempt: AttemptId) -> u64 {
        let queue = self.workers.get(&worker).into_iter().flat_map(|worker| &worker.queue);
        let stage = queue.filter(|grant| grant.attempt == attempt).map(|grant| grant.stage).next();
        stage.and_then(|stage| self.steps(stage)).map_or(0, |(_, end)| end)
    }

    fn head(&mut self, worker: WorkerId) -> Option<&mut Grant> {
        self.workers.get_mut(&worker)?.queue.front_mut()
    }

    /// Whether a worker may say this now: the stage it speaks of. Notes that it was heard.
    fn about(
        &mut self,
        id: WorkerId,
        attempt: AttemptId,
        step: u64,
        now: Moment,
        decisions: &mut Decisions,
    ) -> Option<StageId> {
        let worker = self.workers.get_mut(&id)?;
        let lanes = worker.lanes();
        if let WorkerState::Killed(_) = worker.state {
            return None;
        }
        let queued = worker.queue.iter().position(|grant| grant.attempt == attempt);
        let said = match queued {
            None => Err(format!("it speaks of attempt {}, which it was not given", attempt.0)),
            // What was asked to stop before its turn may say so at once.
            Some(position)
                if lanes <= position && worker.queue[position].was_asked == Asked::No =>
            {
                Err(format!("it speaks of attempt {} before its turn", attempt.0))
            }
            Some(position) => {
                let grant = worker.queue.remove(position);
                worker.queue.extend(grant);
                worker.queue.rotate_right(1);
                Ok(())
            }
        };
        let result = said.and_then(|()| {
            let head = worker.queue.front_mut().ok_or_else(String::new)?;
            let stage = self.stages.get(&head.stage).ok_or_else(String::new)?;
            let end = stage.row.stage.end;
            if step < head.step || end < step {
                return Err(format!(
                    "it speaks of step {step} after step {}, in a stage that ends at {end}",
                    head.step
                ));
            }
            head.step = step;
            head.heard = now;
            head.silence = Silence::Unreported;
            Ok(head.stage)
        });
        match result {
            Ok(stage) => Some(stage),
            Err(what) => {
                self.kill(id, nonsense(what), decisions);
                None
            }
        }
    }

    /// Takes in an evaluation at a step of a stage that has so many. One that cannot be is left out.
    fn measured(
        &mut self,
        worker: WorkerId,
        stage: StageId,
        (step, end): (u64, u64),
        values: &[(String, f64)],
        decisions: &mut Decisions,
    ) {
        let objective = self.settings.objective.clone();
        let mut reduced = None;
        let Some(head) = self.head(worker) else { return };
        let last = head.measured;
        if step < last || end < step {
            let what = "an evaluation at a step that cannot be was left out";
            head.warnings.add(what, None, || {
                if step < last {
                    return format!("step {step} comes after step {last}");
                }
                format!("step {step} is beyond step {end}, where its stage ends")
            });
            return head.tell_warnings(decisions);
        }
        head.measured = step;
        if let Some((metric, value)) = values.iter().find(|(name, _)| *name == objective.metric) {
            if let Some(before) = head.reduction.add(&objective, step, *value) {
                let what = "the objective was measured twice at one step with different values, of which the last counts";
                head.warnings.add(what, None, || {
                    format!("`{metric}` was {before} and is {value} at step {step}")
                });
                head.tell_warnings(decisions);
            }
            reduced = objective.value(head.reduction.evaluated());
        }
        // What is measured again is known.
        if head.purpose == Purpose::Train {
            decisions.facts.push(Fact::Metrics { stage, step, values: values.to_vec() });
            self.reach(stage, step, reduced, decisions);
        }
    }

    fn saved(
        &mut self,
        worker: WorkerId,
        stage: StageId,
        checkpoint: Checkpoint,
        decisions: &mut Decisions,
    ) {
        if is_file_name(&checkpoint.file) {
            self.record(stage, checkpoint, decisions);
        } else {
            let what = format!("it calls a checkpoint `{}`", checkpoint.file);
            self.kill(worker, nonsense(what), decisions);
        }
    }

    /// A checkpoint of a stage is on disk.
    pub(super) fn record(
        &mut self,
        stage: StageId,
        checkpoint: Checkpoint,
        decisions: &mut Decisions,
    ) {
        let exactness = self.settings.exactness;
        let Some(node) = self.stages.get_mut(&stage) else { return };
        let (end, is_rebuilding) =
            (node.row.stage.end, matches!(node.row.stage.status, StageStatus::Rebuilding(_)));
        let mut checkpoint = checkpoint;
        if is_rebuilding && checkpoint.step == end {
            if exactness == Exactness::Exact && !node.is_the_state(&checkpoint.digest) {
                // The worker's last word will say so, too.
                let Checkpoint { attempt, file, .. } = checkpoint;
                decisions.commands.push(Command::Remove { attempt, file });
                return;
            }
            checkpoint.evaluated = node.row.evaluated.clone();
        }
        // The same step written again replaces what was there: its file may have another attempt's folder.
        let replaced = node.row.checkpoints.iter().position(|other| other.step == checkpoint.step);
        if let Some(index) = replaced {
            let old = node.row.checkpoints.remove(index);
            if (old.attempt, &old.file) != (checkpoint.attempt, &checkpoint.file) {
                decisions.commands.push(Command::Remove { attempt: old.attempt, file: old.file });
            }
        }
        decisions.facts.push(Fact::Checkpoint { stage, checkpoint: checkpoint.clone() });
        node.row.checkpoints.push(checkpoint);
        node.row.checkpoints.sort_by_key(|checkpoint| checkpoint.step);
        self.forget_superseded(stage, decisions);
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one event")]
    fn finished(
        &mut self,
        worker: WorkerId,
        stage: StageId,
        step: u64,
        outcome: &Outcome,
        digest: &str,
        now: Moment,
        decisions: &mut Decisions,
    ) {
        let end = self.stages.get(&stage).map_or(0, |node| node.row.stage.end);
        let Some(head) = self.head(worker) else { return };
        let (was_asked, purpose, origin) = (head.was_asked, head.purpose, head.origin);
        let evaluated = head.reduction.evaluated().clone();
        let ending = match (outcome, was_asked) {
            (Outcome::Done | Outcome::Diverged, _)
                if purpose == Purpose::Rebuild && (step == end || *outcome != Outcome::Done) =>
            {
                Ok(self.rebuilt(stage, outcome, digest, decisions))
            }
            (Outcome::Done, _) if step == end => {
                Ok(self.with_objective(Ending::Done, stage, &evaluated))
            }
            (Outcome::Done, _) => Err(format!("it says that it is done at step {step} of {end}")),
            (Outcome::Early, _) if purpose == Purpose::Train && self.is_last(stage) => {
                Ok(self.with_objective(Ending::Done, stage, &evaluated))
            }
            (Outcome::Early, _) => {
                Err(format!("it ended early, at step {step} of {end}, where a trial goes on"))
            }
            (Outcome::Diverged, _) => Ok(Ending::Diverged),
            (Outcome::Stopped, Asked::Stop) => Ok(Ending::Interrupted),
            (Outcome::Stopped, Asked::No) => Err("it stopped without being asked".to_owned()),
            // Both the machine and the coordinator have asked.
            (Outcome::Failed(Class::Preempted, _), Asked::Stop) => Ok(Ending::Interrupted),
            (Outcome::Failed(class, why), _) => Ok(Ending::Failed(*class, why.clone())),
            (Outcome::Unusable(_), _) if origin.is_none() => {
                Err("it cannot use a state, and was given none".to_owned())
            }
            (Outcome::Unusable(why), _) => Ok(Ending::Unusable(why.clone())),
        };
        let ending = match ending {
            Ok(ending) => ending,
            Err(what) => return self.kill(worker, nonsense(what), decisions),
        };
        if let Some(slot) = self.workers.get(&worker).map(|worker| worker.slot) {
            self.note_fruitful(slot);
        }
        let Some(worker) = self.workers.get_mut(&worker) else { return };
        worker.account(now);
        worker.finished += 1;
        let Some(grant) = worker.queue.pop_front() else { return };
        let lanes = worker.lanes();
        for next in worker.queue.iter_mut().take(lanes).filter(|next| next.began.is_none()) {
            (next.began, next.heard) = (Some(now), now);
        }
        self.conclude(&grant, &ending, step, digest, now, decisions);
    }

    /// How an attempt has ended that says it is done: at the end of a trial the objective must have been measured.
    pub(super) fn with_objective(
        &self,
        ending: Ending,
        stage: StageId,
        evaluated: &Evaluated,
    ) -> Ending {
        let objective = &self.settings.objective;
        let Some(node) = self.stages.get(&stage) else { return ending };
        let is_last = |id: &TrialId| {
            self.trials.get(id).is_some_and(|trial| trial.path.last() == Some(&stage))
        };
        let is_over = ending == Ending::Done && node.trials.iter().any(is_last);
        if is_over && objective.value(evaluated).is_none() {
            let why = format!("it was done and had not measured `{}`", objective.metric);
            return Ending::Failed(Class::NoObjective, why);
        }
        ending
    }

    /// How an attempt to train a stage again has ended, which must come to the same state; that of a person's program
    /// only should.
    pub(super) fn rebuilt(
        &self,
        stage: StageId,
        outcome: &Outcome,
        digest: &str,
        decisions: &mut Decisions,
    ) -> Ending {
        let Some(node) = self.stages.get(&stage) else { return Ending::Lost };
        let is_equal = node.is_the_state(digest);
        let is_exact = self.settings.exactness == Exactness::Exact;
        if *outcome == Outcome::Diverged || (is_exact && !is_equal) {
            let what = "it does not train to the state that it had before: this machine or program computes otherwise";
            return Ending::Failed(Class::Error, what.to_owned());
        }
        if node.has_state() {
            if let (false, Some(&trial)) = (is_equal, node.trials.first()) {
                let step = node.row.stage.end;
                let text = format!("the state at step {step} of trial {} is another now", trial.0);
                decisions.facts.push(Fact::Note { text });
                decisions.commands.push(Command::Say(Message::StateDiffers { trial, step }));
            }
            Ending::Rebuilt
        } else {
            Ending::Failed(
                Class::Error,
                "it did not write the state that others start from".to_owned(),
            )
        }
    }

    /// Everything that follows from the end of an attempt.
    pub(super) fn conclude(
        &mut self,
        grant: &Grant,
        ending: &Ending,
        step: u64,
        digest: &str,
        now: Moment,
        decisions: &mut Decisions,
    ) {
        let (attempt, untold) = (grant.attempt, grant.warnings.clone().untold());
        let untold = untold.into_iter().map(|warning| Fact::Warned { attempt, warning });
        decisions.facts.extend(untold);
        let ending = &self.blame((grant.slot, grant.stage), ending.clone(), decisions);
        if let Ending::Unusable(_) = ending {
            self.lose_state(grant, decisions);
        }
        if let Some(node) = self.stages.get_mut(&grant.stage) {
            match ending.charge() {
                Charge::Counted | Charge::Nobody => node.spent += grant.taken(now),
                // The next try has all of the time again.
                Charge::Class(class) => {
                    node.spent = 0;
                    let pause = class.pause(node.row.stage.tally.of(class) + 1);
                    if 0 < pause {
                        self.later.insert(grant.stage, Moment(now.0 + pause));
                    }
                }
            }
            if ending.charge() == Charge::Counted {
                node.row.evaluated = grant.reduction.evaluated().clone();
            }
        }
        self.end(grant.stage, grant.attempt, ending, step, digest, decisions);
        self.settle(grant.stage, decisions);
        self.note_ready(grant.stage);
        if let (Ending::Unusable(_), Some((owner, _))) = (ending, grant.origin) {
            self.note_ready_below(owner);
        }
        self.note_kept_above(grant.stage, decisions);
    }

    /// Kills a worker; what it runs ends so, once it is known to be dead.
    pub(super) fn kill(&mut self, id: WorkerId, ending: Ending, decisions: &mut Decisions) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        if !matches!(worker.state, WorkerState::Killed(_)) {
            worker.state = WorkerState::Killed(ending);
            decisions.commands.push(Command::Kill { worker: id });
        }
    }
}

fn nonsense(what: String) -> Ending {
    Ending::Failed(Class::Protocol, what)
}

impl Grant {
    fn tell_warnings(&mut self, decisions: &mut Decisions) {
        let attempt = self.attempt;
        let news = self.warnings.news().into_iter();
        decisions.facts.extend(news.map(|warning| Fact::Warned { attempt, warning }));
    }

    pub(super) fn taken(&self, now: Moment) -> u64 {
        self.began.map_or(0, |began| now.0.saturating_sub(began.0))
    }
}

impl Worker {
    /// Counts the time with something to do.
    pub(super) fn account(&mut self, now: Moment) {
        if !self.queue.is_empty() {
            self.busy += now.0.saturating_sub(self.busy_since.0);
        }
        self.busy_since = now;
        if 1024 < self.finished {
            self.busy /= 2;
            self.finished /= 2;
        }
    }
}
