//! Where a configuration is judged: the file's rungs as steps of its training, which must be steps at which it is evaluated.

use std::rc::Rc;

use pleach_schedule::duration::{Duration, Horizon};

use super::{
    Length, Outcome,
    configuration::{base, horizon},
    identity::{every, is_evaluated},
    view::{View, list},
};
use crate::{
    diagnostic::Diagnostic,
    key::Key,
    program::{Program, Takes},
    spec::{ProgramSpec, SweepSpec},
    stop::Rungs,
    value::Parameters,
};

/// None if nothing is stopped early, or nothing of this point: a person asked for the extension of a trial.
pub(super) fn rungs(
    spec: &SweepSpec,
    program: &Program,
    view: &View,
    worker: &Parameters,
    (point, length): (u64, &Length),
) -> Result<Option<Rc<Rungs>>, Outcome> {
    let Some(stop) = spec.stop.as_ref().filter(|_| base(point) == point) else { return Ok(None) };
    let every = every(program, worker);
    let mut steps: Vec<u64> = Vec::new();
    for (rung, span) in &stop.rungs {
        let wrong = |message: String, help: String| {
            let (span, label) = (Some(span.clone()), "here".to_owned());
            Outcome::Wrong(vec![Diagnostic { message, span, label, help }])
        };
        if let Some(why) = unknown(*rung, spec, program) {
            return Err(wrong(why.to_owned(), "write the rung in steps: \"500st\"".to_owned()));
        }
        let step = in_steps(*rung, horizon(length));
        let which = || format!("for {}", list(&view.swept()));
        if steps.last().is_some_and(|last| step <= *last) {
            let message = format!("this rung, step {step}, is not after the one before it");
            return Err(wrong(message, which()));
        }
        if length.steps <= step {
            break;
        }
        if let Some(every) = every.filter(|every| !is_evaluated(step, *every, horizon(length))) {
            let every = every.in_steps(horizon(length)).max(1.0);
            let near = [step as f64 / every, step as f64 / every + 1.0];
            let near = near.map(|n| (n.floor() * every).ceil() as u64);
            let near: Vec<String> = near
                .iter()
                .filter(|step| (1..length.steps).contains(*step))
                .map(|step| format!("\"{step}st\""))
                .collect();
            let message = format!("no trial is evaluated after step {step}, at this rung");
            let would = match near.len() {
                0 => "evaluate more often".to_owned(),
                _ => format!("write {}, or evaluate more often", near.join(" or ")),
            };
            return Err(wrong(message, format!("{would} ({})", which())));
        }
        steps.push(step);
    }
    let equal = stop.within.iter().map(|within| (&within.name, view.value(&within.name)));
    // Plain values always serialize.
    let company = serde_json::to_string(&equal.collect::<Vec<_>>()).unwrap_or_default();
    let rungs = Rungs { steps, company: Key::of(&company), cut: program.checkpoints };
    Ok((!rungs.steps.is_empty()).then(|| Rc::new(rungs)))
}

/// The first step at which the duration is over.
fn in_steps(duration: Duration, horizon: Horizon) -> u64 {
    // 10% of 30 steps is a little more than 3.
    ((duration.in_steps(horizon) - 1e-6).ceil() as u64).max(1)
}

/// Why a duration cannot be told in steps.
fn unknown(duration: Duration, spec: &SweepSpec, program: &Program) -> Option<&'static str> {
    let ProgramSpec::Command(command) = &spec.program else { return None };
    match duration {
        Duration::Epochs(_) if command.steps_per_epoch.is_none() => {
            Some("nobody says how many steps an epoch has")
        }
        Duration::Fraction(_) if program.takes == Takes::Anything && program.is_open_ended() => {
            Some("nobody says how long a trial is")
        }
        _ => None,
    }
}
