//! Verdicts: who has come to a rung, and who goes no further.

use std::collections::BTreeSet;

use super::{Decisions, Node, Sweep};
use crate::{
    command::{Command, Message},
    fact::Fact,
    key::Key,
    life::{ConfigurationId, StageId, StageStatus, Trial, TrialId, TrialStatus},
    stop::{Saying, Verdict},
};

/// What there is of a trial, or of a configuration, at a rung.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum At {
    /// It is still to come there.
    Pending,
    Value(f64),
    /// It has diverged before.
    Worst,
    /// It never comes there, or was taken out.
    Absent,
}

impl Sweep {
    /// Gives every verdict that can be given after something became of these trials.
    pub(super) fn judge(&mut self, trials: &[TrialId], decisions: &mut Decisions) {
        if self.ladder.is_empty() {
            return;
        }
        let configurations =
            trials.iter().filter_map(|id| Some(self.trials.get(id)?.configuration));
        let companies: BTreeSet<Key> =
            configurations.filter_map(|it| self.ladder.company(it)).collect();
        for company in companies {
            self.judge_company(company, decisions);
        }
    }

    pub(super) fn judge_all(&mut self, decisions: &mut Decisions) {
        for company in self.ladder.companies() {
            self.judge_company(company, decisions);
        }
    }

    /// Who stops at a rung never comes to the next: a rung at a time.
    fn judge_company(&mut self, company: Key, decisions: &mut Decisions) {
        for rung in 0..self.ladder.n_rungs(company) {
            while let Some((configuration, step)) = self.ladder.next(company, rung) {
                let (value, merit) = match self.at(configuration, step) {
                    At::Pending => break,
                    At::Value(value) => {
                        (Some(value), Some(self.settings.objective.goal.place(value)))
                    }
                    At::Worst => (Some(f64::NAN), Some(u64::MAX)),
                    At::Absent => (None, None),
                };
                let (place, of) = self.ladder.see(company, rung, merit);
                let is_open = self.trials_of(configuration).any(|it| !it.status.is_terminal());
                if is_open && self.ladder.verdict(configuration, step).is_none() {
                    let rule = self.settings.stop;
                    let (kept, saying) = (rule.kept(of), rule.judge(place, of));
                    let verdict = Verdict { configuration, step, value, place, of, kept, saying };
                    self.decide(verdict, decisions);
                }
            }
        }
    }

    fn decide(&mut self, verdict: Verdict, decisions: &mut Decisions) {
        self.ladder.decide(&verdict);
        decisions.facts.push(Fact::Judged(verdict));
        let open = self.trials_of(verdict.configuration).filter(|it| !it.status.is_terminal());
        let open: Vec<TrialId> = open.map(|trial| trial.id).collect();
        for trial in open {
            match verdict.saying {
                Saying::Stop => {
                    self.stop_trial(trial, decisions);
                    decisions.commands.push(Command::Say(Message::TrialEnded { trial }));
                }
                Saying::GoOn => self.let_on(trial, verdict.step, decisions),
            }
        }
    }

    /// A trial may go on after a rung, as far as others have not trained already what follows.
    pub(super) fn let_on(&mut self, trial: TrialId, step: u64, decisions: &mut Decisions) {
        let path = self.trials.get(&trial).map(|trial| trial.path.clone()).unwrap_or_default();
        let is_after = |id: &StageId| self.steps(*id).is_some_and(|(first, _)| step <= first);
        let after: Vec<StageId> = path.into_iter().filter(is_after).collect();
        for stage in after {
            self.settle_trial(trial, stage, decisions);
            self.note_ready(stage);
        }
    }

    fn trials_of(&self, configuration: ConfigurationId) -> impl Iterator<Item = &Trial> {
        let trials = self.configurations.get(&configuration);
        trials.into_iter().flatten().filter_map(|id| self.trials.get(id))
    }

    /// Of a configuration: the mean over its seeds.
    pub(super) fn at(&self, configuration: ConfigurationId, step: u64) -> At {
        let (mut sum, mut number, mut any_worst) = (0.0, 0_u32, false);
        for trial in self.trials_of(configuration) {
            match self.trial_at(trial, step) {
                At::Pending => return At::Pending,
                At::Value(value) => {
                    sum += value;
                    number += 1;
                }
                At::Worst => any_worst = true,
                At::Absent => {}
            }
        }
        let mean = sum / f64::from(number);
        match number {
            _ if any_worst => At::Worst,
            0 => At::Absent,
            _ if mean.is_finite() => At::Value(mean),
            _ => At::Worst,
        }
    }

    fn trial_at(&self, trial: &Trial, step: u64) -> At {
        let stopped = self.ladder.stopped(trial.configuration);
        // What others train beyond the rung where it was stopped is not its own any more.
        if trial.status == TrialStatus::Stopped && stopped.is_none_or(|stopped| stopped < step) {
            return At::Absent;
        }
        let is_there = |node: &&Node| node.row.stage.first < step && step <= node.row.stage.end;
        // Nor what they train before it may go on.
        let is_held = || self.ladder.held(trial.configuration, step.saturating_sub(1)).is_some();
        if trial.status == TrialStatus::Waiting && is_held() {
            return At::Pending;
        }
        let Some(node) = trial.path.iter().filter_map(|id| self.stages.get(id)).find(is_there)
        else {
            return At::Absent;
        };
        let status = node.row.stage.status;
        let value = if node.row.stage.end == step {
            let is_done = matches!(status, StageStatus::Done | StageStatus::Rebuilding(_));
            is_done.then(|| self.settings.objective.value(&node.row.evaluated)).flatten()
        } else {
            self.ladder.reached.get(&(trial.id, step)).copied()
        };
        match (value, trial.status, status) {
            (Some(value), ..) if value.is_finite() => At::Value(value),
            (Some(_), ..) | (None, TrialStatus::Diverged, _) | (None, _, StageStatus::Diverged) => {
                At::Worst
            }
            (None, TrialStatus::Waiting, status) if !status.is_terminal() => At::Pending,
            (None, ..) => At::Absent,
        }
    }

    /// Whether a stage has a trial that may go on to it.
    pub(super) fn is_allowed(&self, node: &Node) -> bool {
        if self.ladder.is_empty() {
            return self.is_wanted(node);
        }
        let first = node.row.stage.first;
        let mut trials = node.trials.iter().filter_map(|id| self.trials.get(id));
        trials.any(|trial| {
            let held = || self.ladder.held(trial.configuration, first);
            !trial.status.is_terminal() && held().is_none()
        })
    }

    /// An attempt has measured the objective after this step: those rungs are reached that lie inside of its stage.
    pub(super) fn reach(
        &mut self,
        stage: StageId,
        step: u64,
        value: Option<f64>,
        decisions: &mut Decisions,
    ) {
        let (Some(value), false) = (value, self.ladder.is_empty()) else { return };
        let Some(node) = self.stages.get(&stage) else { return };
        let (first, end) = (node.row.stage.first, node.row.stage.end);
        let mut reached = Vec::new();
        for trial in node.trials.iter().filter_map(|id| self.trials.get(id)) {
            let rungs = self.ladder.within(trial.configuration, first, end);
            let rungs = rungs.iter().copied().filter(|rung| *rung <= step);
            let news = rungs.map(|rung| (trial.id, rung));
            reached.extend(news.filter(|it| !self.ladder.reached.contains_key(it)));
        }
        if reached.is_empty() {
            return;
        }
        for &(trial, step) in &reached {
            self.ladder.reached.insert((trial, step), value);
            decisions.facts.push(Fact::Reached { trial, step, value });
        }
        let trials: Vec<TrialId> = reached.into_iter().map(|(trial, _)| trial).collect();
        self.judge(&trials, decisions);
    }
}
