//! Identity by content: texts of everything that decides what a trial computes.

use std::rc::Rc;

use pleach_schedule::pieces::Piece;

use super::{Configuration, Course, TrialPlan};
use crate::{key::Key, program::Program};

/// A canonical text of everything that decides the result, the seed and the numerics apart.
pub(super) fn content(configuration: &Configuration, program: &Program) -> String {
    let Configuration { schedule, length, worker, .. } = configuration;
    let schedule = schedule.as_ref().map(|scheduled| {
        (scheduled.text.as_str(), scheduled.plateau.as_ref().map(ToString::to_string))
    });
    let content = (&program.name, &length.data, worker, schedule, length.steps);
    // Texts, plain values and numbers always serialize; here and below.
    serde_json::to_string(&content).unwrap_or_default()
}

/// The same without the rates: what decides how it trains beside them.
fn kin(configuration: &Configuration, program: &Program) -> String {
    let Configuration { schedule, length, worker, .. } = configuration;
    // A rule that watches evaluations is shared while both it and the rates are.
    let plateau =
        schedule.as_ref().map(|scheduled| scheduled.plateau.as_ref().map(ToString::to_string));
    let kin = (&program.name, &length.data, worker, plateau, length.steps);
    serde_json::to_string(&kin).unwrap_or_default()
}

fn course(configuration: &Configuration) -> Rc<Course> {
    if let Some(scheduled) = &configuration.schedule {
        return Rc::clone(&scheduled.course);
    }
    let (end, rule) = (configuration.length.steps, String::new());
    Rc::new(Course::new(&[Piece { end, rule }]))
}

/// One of a configuration's trials; `content` is the configuration's.
pub(super) fn trial(
    configuration: &Configuration,
    content: &str,
    seed: u64,
    program: &Program,
) -> TrialPlan {
    let (kin, numerics) = (kin(configuration, program), &program.numerics);
    TrialPlan {
        point: configuration.point,
        seed,
        key: Key::of(&format!("{content} seed {seed}")),
        kin: Key::of(&format!("{kin} seed {seed} numerics {numerics}")),
        course: course(configuration),
    }
}
