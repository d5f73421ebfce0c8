//! Results that are on disk although nobody was told of them: whoever ran the attempt, or the coordinator, died in between.

use super::{Decisions, Sweep};
use crate::{
    event::{Found, Outcome},
    fact::Fact,
    life::{Ending, StageId, StageStatus},
    objective::Evaluated,
};

impl Sweep {
    /// Takes in the result of the attempt that a stage has, as if all of it had been said: how it ended, and its
    /// evaluations reduced. `None` if it is no result of this stage.
    pub(super) fn found(
        &self,
        id: StageId,
        found: &Found,
        decisions: &mut Decisions,
    ) -> Option<(Ending, Evaluated)> {
        let stage = &self.stages.get(&id)?.row.stage;
        let StageStatus::Running(_) = stage.status else { return None };
        let ending = match &found.outcome {
            Outcome::Done if found.step == stage.end => Ending::Done,
            Outcome::Diverged => Ending::Diverged,
            Outcome::Failed(why) => Ending::Failed(why.clone()),
            Outcome::Done | Outcome::Stopped | Outcome::Unusable(_) => return None,
        };
        if found.metrics.iter().any(|(step, _)| *step < stage.first || stage.end < *step) {
            return None;
        }
        let objective = &self.settings.objective;
        let mut evaluated = Evaluated::default();
        for (step, values) in &found.metrics {
            if let Some((_, value)) = values.iter().find(|(name, _)| *name == objective.metric) {
                objective.add(&mut evaluated, *value);
            }
            decisions.facts.push(Fact::Metrics { stage: id, step: *step, values: values.clone() });
        }
        Some((ending, evaluated))
    }
}
