//! Identity by content: texts of everything that decides what a trial computes.

use std::{fmt::Write, rc::Rc};

use pleach_schedule::{
    duration::{Duration, Horizon},
    pieces::Piece,
};

use super::{Configuration, Course, TrialPlan, configuration::horizon};
use crate::{
    key::Key,
    life::Lanes,
    program::{Kind, Parameter, Program, Role},
    value::{Parameters, Value},
};

/// A canonical text of everything that decides the result, the seed and the numerics apart.
pub(super) fn content(configuration: &Configuration, program: &Program) -> String {
    let Configuration { schedule, length, worker, profiles, .. } = configuration;
    let schedule = schedule.as_ref().map(|scheduled| {
        (scheduled.text.as_str(), scheduled.plateau.as_ref().map(ToString::to_string))
    });
    let content = (&program.name, &length.data, worker, schedule, length.steps);
    // Texts, plain values and numbers always serialize; here and below.
    let mut text = serde_json::to_string(&content).unwrap_or_default();
    for (name, profile) in profiles {
        let _infallible = write!(text, " {name} follows {}", profile.text);
    }
    text
}

/// The same without the values that may change from step to step: what decides how it trains beside them. The trial's
/// length is part of it unless it decides nothing but the end, of a program that can go on from there.
fn kin(configuration: &Configuration, program: &Program) -> String {
    let Configuration { schedule, length, worker, profiles, .. } = configuration;
    // A rule that watches evaluations is shared while both it and the rates are.
    let plateau =
        schedule.as_ref().map(|scheduled| scheduled.plateau.as_ref().map(ToString::to_string));
    let budget = program.parameters.iter().find(|parameter| parameter.role == Some(Role::Budget));
    let any_relative = program.parameters.iter().any(|parameter| {
        parameter.kind == Kind::Duration
            && program.acts(parameter, worker)
            && matches!(duration(parameter, worker), Some(Duration::Fraction(_)))
    });
    let (worker, steps) = match budget.filter(|_| program.checkpoints && !any_relative) {
        Some(budget) => {
            let others = worker.iter().filter(|(name, _)| **name != budget.name);
            (others.map(|(name, value)| (name.clone(), value.clone())).collect(), None)
        }
        None => (worker.clone(), Some(length.steps)),
    };
    let kin: (_, _, Parameters, _, _) = (&program.name, &length.data, worker, plateau, steps);
    let mut text = serde_json::to_string(&kin).unwrap_or_default();
    for name in profiles.keys() {
        let _infallible = write!(text, " {name} follows");
    }
    text
}

fn duration(parameter: &Parameter, worker: &Parameters) -> Option<Duration> {
    match worker.get(&parameter.name).or(parameter.default.as_ref()) {
        Some(Value::Text(text)) => text.parse().ok(),
        _ => None,
    }
}

fn course(configuration: &Configuration, program: &Program) -> Rc<Course> {
    let steps = configuration.length.steps;
    let rates = match &configuration.schedule {
        Some(scheduled) => Rc::clone(&scheduled.course),
        None => Rc::new(Course::new(&[Piece { end: steps, rule: String::new() }])),
    };
    // In the order of their names, which are part of the kin.
    let profiles = configuration.profiles.values();
    let course = profiles.fold(rates, |course, profile| Rc::new(course.beside(&profile.course)));
    // A longer trial is not evaluated there.
    if is_evaluated_anyway(configuration, program) { course } else { Rc::new(course.ending()) }
}

/// How often a trial is evaluated, if its program says so.
pub(super) fn every(program: &Program, worker: &Parameters) -> Option<Duration> {
    let mut parameters = program.parameters.iter();
    let every = parameters.find(|parameter| parameter.role == Some(Role::Evaluations))?;
    duration(every, worker)
}

/// Whether the evaluation after the last step would come there in a longer trial, too.
fn is_evaluated_anyway(configuration: &Configuration, program: &Program) -> bool {
    let Configuration { length, worker, .. } = configuration;
    every(program, worker).is_some_and(|every| is_evaluated(length.steps, every, horizon(length)))
}

/// Whether an evaluation, of those that come when a multiple of `every` is reached, comes after this step.
pub(super) fn is_evaluated(step: u64, every: Duration, horizon: Horizon) -> bool {
    let every = every.in_steps(horizon).max(1.0);
    let reached = |steps: u64| (steps as f64 / every).floor();
    reached(step.saturating_sub(1)) < reached(step)
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
        course: course(configuration, program),
        lanes: configuration.shape.map(|shape| Lanes {
            shape: Key::of(&format!("{shape} seed {seed}")),
            most: configuration.length.lanes,
        }),
        rungs: configuration.rungs.clone(),
    }
}
