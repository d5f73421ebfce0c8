//! Trials that ended run again while the sweep goes on: a new generation takes the place of the old one.

use std::collections::btree_map::Entry;

use super::{Decisions, Mode, Node, Sweep, lanes::Ready, repeat::Repeats};
use crate::{
    command::Command,
    event::Renewed,
    life::{Lanes, StageId, Trial, TrialId},
};

impl Sweep {
    /// Those of the trials that are known and have ended are planned again. Until that is remembered the sweep does not end.
    pub(super) fn ask_renewal(&mut self, trials: &[TrialId], decisions: &mut Decisions) {
        let has_ended =
            |id: &&TrialId| self.trials.get(id).is_some_and(|trial| trial.status.is_terminal());
        let trials: Vec<TrialId> = trials.iter().filter(has_ended).copied().collect();
        if !trials.is_empty() && self.mode != Mode::Finished {
            self.is_renewing = true;
            decisions.commands.push(Command::Renew { trials });
        }
    }

    /// The old generation is forgotten here. Stages that nobody needs any more stay, and are never placed.
    pub(super) fn renewed(&mut self, renewed: &Renewed, decisions: &mut Decisions) {
        self.is_renewing = false;
        for id in &renewed.instead_of {
            let Some(trial) = self.trials.remove(id) else { continue };
            if let Some(trials) = self.configurations.get_mut(&trial.configuration) {
                trials.retain(|trial| trial != id);
            }
            for stage in trial.path {
                if let Some(node) = self.stages.get_mut(&stage) {
                    node.trials.retain(|trial| trial != id);
                }
            }
        }
        for row in &renewed.stages {
            let (id, parent) = (row.stage.id, row.stage.parent);
            let Entry::Vacant(place) = self.stages.entry(id) else { continue };
            place.insert(Node::new(row.clone()));
            if let Some(parent) = parent.and_then(|parent| self.stages.get_mut(&parent)) {
                parent.children.push(id);
            }
        }
        for trial in &renewed.trials {
            self.join(trial, renewed.lanes.get(&trial.id).copied());
            self.trials.insert(trial.id, trial.clone());
            if let Some(trials) = self.configurations.get_mut(&trial.configuration) {
                trials.push(trial.id);
            }
        }
        self.number_turns();
        self.ready = Ready::default();
        let stages: Vec<StageId> = self.stages.keys().copied().collect();
        for stage in stages {
            self.note_ready(stage);
        }
        // What was trained for others while no verdict was given is theirs, too, as far as they may go on.
        let trials: Vec<TrialId> = renewed.trials.iter().map(|trial| trial.id).collect();
        for &trial in &trials {
            self.let_on(trial, 0, decisions);
        }
        self.counts = self.count();
        self.judge(&trials, decisions);
        // Whoever asks for it has repaired something.
        self.repeats = Repeats::default();
    }

    fn join(&mut self, trial: &Trial, lanes: Option<Lanes>) {
        for stage in &trial.path {
            if let Some(node) = self.stages.get_mut(stage) {
                node.trials.push(trial.id);
                node.lanes = node.lanes.or(lanes);
            }
        }
    }
}
