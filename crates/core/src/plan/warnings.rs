//! What can be run as it stands and is probably not meant so.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    plan::{
        Lengths, Outcome, Plan, Planner,
        command::{self, Reading},
        configuration::wrong_schedule,
    },
    program::Program,
    spec::SweepSpec,
};

/// After so many the rest is left out.
const MAX_WARNINGS: usize = 5;

/// Everything that is probably not meant so, in the order of the file. `plan` is that of the rest.
#[must_use]
pub fn warnings(
    spec: &SweepSpec,
    program: &Program,
    lengths: &Lengths,
    plan: &Plan,
    reading: Reading,
) -> Diagnostics {
    let mut found: BTreeMap<(usize, String), Diagnostic> = BTreeMap::new();
    let mut add = |warning: Diagnostic| {
        let start = warning.span.as_ref().map_or(0, |span| span.start);
        found.entry((start, warning.message.clone())).or_insert(warning);
    };
    command::unread(spec, program, reading).into_iter().for_each(&mut add);
    let planner = Planner::new(spec, program, lengths);
    for configuration in &plan.configurations {
        let Some(doubt) = configuration.schedule.as_ref().and_then(|it| it.doubt.as_ref()) else {
            continue;
        };
        let placed = planner.look_at(configuration.point, |view| {
            Ok::<_, Outcome>(wrong_schedule(view, doubt.clone()))
        });
        placed.into_iter().for_each(&mut add);
    }
    Diagnostics {
        source: spec.source.clone(),
        list: found.into_values().take(MAX_WARNINGS).collect(),
    }
}
