//! Results that are on disk although nobody was told of them: whoever ran the attempt, or the coordinator, died in between.

use std::collections::BTreeMap;

use super::{Asked, Decisions, Sweep, WorkerState};
use crate::{
    class::Class,
    event::{Found, Moment, Outcome},
    fact::{Checkpoint, Fact},
    life::{AttemptId, Ending, StageId, StageStatus, WorkerId},
    objective::{Evaluated, Reduction},
};

impl Sweep {
    /// Takes in the result of the attempt that a stage has, as if all of it had been said: how it ended, its evaluations
    /// reduced, and its state. `None` if it is no result of this stage.
    pub(super) fn found(
        &mut self,
        id: StageId,
        attempt: AttemptId,
        found: &Found,
        decisions: &mut Decisions,
    ) -> Option<(Ending, Evaluated)> {
        let stage = &self.stages.get(&id)?.row.stage;
        let (status, first, end) = (stage.status, stage.first, stage.end);
        let ending = match &found.outcome {
            Outcome::Done if found.step == end => Ending::Done,
            Outcome::Early if found.step <= end && self.is_last(id) => Ending::Done,
            Outcome::Diverged => Ending::Diverged,
            Outcome::Failed(class, why) => Ending::Failed(*class, why.clone()),
            Outcome::Done | Outcome::Early | Outcome::Stopped | Outcome::Unusable(_) => {
                return None;
            }
        };
        if found.metrics.iter().any(|(step, _)| *step < first || end < *step) {
            return None;
        }
        let is_rebuilding = matches!(status, StageStatus::Rebuilding(_));
        let mut reduction = Reduction::new(self.evaluated_before(id));
        for (step, values) in found.metrics.iter().filter(|_| !is_rebuilding) {
            let objective = &self.settings.objective;
            if let Some((_, value)) = values.iter().find(|(name, _)| *name == objective.metric) {
                reduction.add(objective, *step, *value);
            }
            decisions.facts.push(Fact::Metrics { stage: id, step: *step, values: values.clone() });
        }
        let evaluated = reduction.evaluated().clone();
        decisions.facts.extend(found.usage.map(|usage| Fact::Used { attempt, usage }));
        let warnings = found.warnings.iter().cloned();
        decisions.facts.extend(warnings.map(|warning| Fact::Warned { attempt, warning }));
        if let (Outcome::Done, Some((file, bytes))) = (&found.outcome, &found.state)
            && is_file_name(file)
        {
            let checkpoint = Checkpoint {
                attempt,
                step: end,
                file: file.clone(),
                digest: found.digest.clone(),
                bytes: *bytes,
                evaluated: evaluated.clone(),
            };
            self.record(id, checkpoint, decisions);
        }
        let ending =
            if is_rebuilding { ending } else { self.with_objective(ending, id, &evaluated) };
        let is_judged = is_rebuilding && !matches!(ending, Ending::Failed(..));
        let ending = if is_judged {
            self.rebuilt(id, &found.outcome, &found.digest, decisions)
        } else {
            ending
        };
        Some((ending, evaluated))
    }

    /// Whether every trial through a stage ends with it.
    pub(super) fn is_last(&self, id: StageId) -> bool {
        let trials = self.stages.get(&id).map_or(&[][..], |node| &node.trials);
        let mut trials = trials.iter().filter_map(|trial| self.trials.get(trial));
        trials.all(|trial| trial.path.last() == Some(&id))
    }

    /// The evaluations of a trial before a stage begins, reduced.
    fn evaluated_before(&self, id: StageId) -> Evaluated {
        let parent = self.stages.get(&id).and_then(|node| node.row.stage.parent);
        let parent = parent.and_then(|parent| self.stages.get(&parent));
        parent.map(|parent| parent.row.evaluated.clone()).unwrap_or_default()
    }

    /// A worker is dead. What it ran ends so; what only waited simply runs again. But what left a result has that.
    pub(super) fn died(
        &mut self,
        id: WorkerId,
        (class, how): (Class, &str),
        found: &BTreeMap<AttemptId, Found>,
        now: Moment,
        decisions: &mut Decisions,
    ) {
        let Some(worker) = self.workers.remove(&id) else { return };
        let lanes = worker.lanes();
        let is_killed = matches!(worker.state, WorkerState::Killed(_));
        let is_preempted = class == Class::Preempted && !is_killed;
        let ending = match worker.state {
            WorkerState::Killed(ending) if worker.queue.is_empty() => {
                // Killed for what it said or did, not since a person asked.
                if let Ending::Failed(_, what) = ending {
                    self.note_fruitless(worker.slot, &what, decisions);
                }
                return;
            }
            WorkerState::Killed(ending) => ending,
            WorkerState::Starting | WorkerState::Ready(_) if worker.queue.is_empty() => {
                // One that had nothing to do, since nothing may be placed at the moment, shows nothing by its death.
                let is_anything_ready = self.ready.len() + self.apart.len() != 0;
                let is_starting = worker.state == WorkerState::Starting;
                if is_starting || (is_anything_ready && !is_preempted) {
                    self.note_fruitless(worker.slot, how, decisions);
                }
                return;
            }
            // The machine has ended it, whatever it ran.
            _ if is_preempted || lanes.min(worker.queue.len()) == 1 => {
                Ending::Failed(class, how.to_owned())
            }
            // Each of them runs again apart.
            _ => Ending::Failed(Class::Crash, how.to_owned()),
        };
        for (place, mut grant) in worker.queue.into_iter().enumerate() {
            let (mut ending, mut step, mut digest) = match place {
                place if place < lanes => {
                    let is_asked = is_preempted && grant.was_asked == Asked::Stop;
                    let ending = if is_asked { Ending::Interrupted } else { ending.clone() };
                    (ending, grant.step, "")
                }
                _ => (Ending::Lost, grant.from, ""),
            };
            if let Some(found) = found.get(&grant.attempt)
                && let Some((found_ending, evaluated)) =
                    self.found(grant.stage, grant.attempt, found, decisions)
            {
                (ending, step, digest) = (found_ending, found.step, &found.digest);
                grant.reduction = Reduction::new(evaluated);
            }
            self.conclude(&grant, &ending, step, digest, now, decisions);
        }
    }
}

/// Whether a worker may call a file so: it is joined to a folder.
pub(super) fn is_file_name(file: &str) -> bool {
    !file.is_empty()
        && file.len() <= 64
        && file.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
        && !file.starts_with('.')
}
