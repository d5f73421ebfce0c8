//! Code for Keras 3: a class of `keras.optimizers.schedules`, or one of our own.

use super::{
    Optimizer, TABLE, call, is_constant, is_single, language::Language, option, plateau,
    profile::profile, rate, whole,
};
use crate::{
    evaluate,
    phase::{Body, Law, Phase, Shape, Stairs},
    plateau::Plateau,
    resolved::Resolved,
    schedule::Sample,
};

pub(super) fn code(schedule: &Resolved, rule: Option<&Plateau>, of: (u64, Optimizer)) -> String {
    let Some(rule) = rule else { return planned(schedule, of) };
    let own = plateau::keras(rule, schedule.peak).filter(|_| is_constant(schedule));
    let callback = own.map_or_else(
        || "# Keras has no callback for that rule: this is the rate without it.\n".to_owned(),
        |own| format!("# model.fit(…, callbacks=[callback])\ncallback = {own}\n"),
    );
    format!("{}{callback}", planned(schedule, of))
}

/// What does not depend on evaluations.
fn planned(schedule: &Resolved, (steps, optimizer): (u64, Optimizer)) -> String {
    let optimizer = format!("optimizer = keras.optimizers.{}(learning_rate)\n", optimizer.class());
    let peak = rate(schedule.peak);
    let constant = is_constant(schedule).then(|| peak.clone());
    if let Some(schedule) = constant.or_else(|| class(schedule, steps)) {
        return format!("import keras\n\nlearning_rate = {schedule}\n{optimizer}");
    }
    let (imports, definition) = match profile(schedule, steps, Language::Keras) {
        Some(profile) if profile.contains("math.") => ("import math\n\n", profile),
        Some(profile) => ("", profile),
        None => (
            "import numpy\n",
            format!(
                "RATES = numpy.loadtxt(\"{TABLE}\", delimiter=\",\", skiprows=1, usecols=1, ndmin=1)\n\n\ndef profile(step):\n    step = ops.minimum(ops.cast(step, \"int32\"), len(RATES) - 1)\n    return ops.take(ops.cast(RATES / {peak}, \"float32\"), step)\n"
            ),
        ),
    };
    format!(
        "{imports}import keras\nfrom keras import ops\n\n\n{definition}\n\nclass Schedule(keras.optimizers.schedules.LearningRateSchedule):\n    def __call__(self, step):\n        return {peak} * profile(step)\n\n    def get_config(self):\n        return {{}}\n\n\nlearning_rate = Schedule()\n{optimizer}"
    )
}

/// The schedule that Keras has for exactly this, which holds its last value by itself.
fn class(schedule: &Resolved, steps: u64) -> Option<String> {
    let [phases] = schedule.factors.as_slice() else { return None };
    if schedule.hold != 1.0 || schedule.sample != Sample::Left {
        return None;
    }
    let phases = match phases.as_slice() {
        [before @ .., last] if !before.is_empty() && is_shape(last, Shape::Hold) => {
            let end = before.last().map(evaluate::end);
            (end == last.from).then_some(before)?
        }
        all => all,
    };
    match phases {
        [only] => single(only, schedule, steps),
        [up, down] => warmed(up, down, schedule.peak),
        _ => None,
    }
}

fn named(class: &str, arguments: &[String]) -> String {
    call(&format!("keras.optimizers.schedules.{class}"), arguments)
}

fn single(phase: &Phase<f64>, schedule: &Resolved, steps: u64) -> Option<String> {
    let (peak, is_held) = (schedule.peak, 1 < schedule.factors[0].len());
    let from = phase.from.filter(|_| phase.skip.is_none())?;
    let start = rate(peak * from);
    match &phase.body {
        Body::Shape { to: Some(to), shape } => {
            let length = format!("decay_steps={}", whole(phase.length?)?);
            let end = format!("end_learning_rate={}", rate(peak * to));
            match *shape {
                Shape::Cosine { e: 1.0, k: 1.0 } if 0.0 < from => {
                    Some(named("CosineDecay", &[start, length, option("alpha", to / from, 0.0)]))
                }
                Shape::Linear => Some(named("PolynomialDecay", &[start, length, end])),
                Shape::Poly { p, k: 1.0 } => {
                    let power = option("power", p, 1.0);
                    Some(named("PolynomialDecay", &[start, length, end, power]))
                }
                // Goes on falling.
                Shape::Geometric if !is_held => {
                    let factor = format!("decay_rate={}", rate(to / from));
                    Some(named("ExponentialDecay", &[start, length, factor]))
                }
                _ => None,
            }
        }
        Body::Law { law, floor: None } if !is_held => lawful(law, peak * from, steps),
        _ => None,
    }
}

fn lawful(law: &Law<f64>, start: f64, steps: u64) -> Option<String> {
    let unit = |tau: f64| format!("decay_steps={}", Language::Python.number(tau));
    match law {
        Law::Decay { gamma, tau, stairs } if is_single(*gamma, steps as f64 / tau) => {
            let staircase = match stairs {
                Stairs::Smooth => String::new(),
                Stairs::Stairs => whole(*tau).map(|_| "staircase=True".to_owned())?,
            };
            let factor = format!("decay_rate={}", rate(*gamma));
            Some(named("ExponentialDecay", &[rate(start), unit(*tau), factor, staircase]))
        }
        Law::Inverse { p: 1.0, tau } => {
            let arguments = [rate(start), unit(*tau), "decay_rate=1.0".to_owned()];
            Some(named("InverseTimeDecay", &arguments))
        }
        Law::Multistep { gamma, at } => {
            // A boundary of Keras is the last step of the old value.
            let last = |at: &f64| whole(at.ceil())?.checked_sub(1);
            let at: Vec<u64> = at.iter().map(last).collect::<Option<_>>()?;
            let values = (0..=at.len()).map(|index| rate(start * gamma.powi(index as i32)));
            let values: Vec<String> = values.collect();
            let rises = at.windows(2).all(|pair| pair[0] < pair[1]);
            rises.then(|| {
                let values = format!("[{}]", values.join(", "));
                named("PiecewiseConstantDecay", &[format!("{at:?}"), values])
            })
        }
        Law::Decay { .. } | Law::Inverse { .. } => None,
    }
}

/// Only `CosineDecay` has a warm-up.
fn warmed(up: &Phase<f64>, down: &Phase<f64>, peak: f64) -> Option<String> {
    let Body::Shape { to: Some(to), shape: Shape::Cosine { e: 1.0, k: 1.0 } } = down.body else {
        return None;
    };
    let top = down.from.filter(|top| 0.0 < *top && *top == evaluate::end(up))?;
    let is_plain = is_shape(up, Shape::Linear) && down.skip.is_none();
    is_plain.then_some(())?;
    Some(named(
        "CosineDecay",
        &[
            rate(peak * up.from?),
            format!("decay_steps={}", whole(down.length?)?),
            option("alpha", to / top, 0.0),
            format!("warmup_target={}", rate(peak * top)),
            format!("warmup_steps={}", whole(up.length?)?),
        ],
    ))
}

fn is_shape(phase: &Phase<f64>, wanted: Shape) -> bool {
    phase.skip.is_none() && matches!(phase.body, Body::Shape { shape, .. } if shape == wanted)
}
