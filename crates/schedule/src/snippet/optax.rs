//! Code for optax: its schedules, joined where the phases are, or a function of our own.

use super::{
    Optimizer, TABLE, call, is_constant, is_single, language::Language, option, plateau,
    profile::profile, rate, whole,
};
use crate::{
    phase::{Body, Law, Phase, Shape, Stairs},
    plateau::Plateau,
    resolved::Resolved,
    schedule::Sample,
};

pub(super) fn code(schedule: &Resolved, rule: Option<&Plateau>, of: (u64, Optimizer)) -> String {
    let planned = planned(schedule, of);
    let Some(rule) = rule else { return planned };
    let math = if planned.contains("import math\n") { "" } else { "import math\n\n" };
    format!(
        "{math}{planned}\n\n{}\n\nplateau = Plateau()\n# After every evaluation: plateau.observe({}). Updates are multiplied before they are applied:\n# updates = jax.tree.map(lambda update: plateau.multiplier * update, updates)\n",
        plateau::python(rule),
        plateau::watched(rule)
    )
}

/// What does not depend on evaluations.
fn planned(schedule: &Resolved, (steps, optimizer): (u64, Optimizer)) -> String {
    let function = optimizer.class().to_lowercase();
    let optimizer = format!("optimizer = optax.{function}(learning_rate)\n");
    let peak = rate(schedule.peak);
    let constant = is_constant(schedule).then(|| peak.clone());
    if let Some(schedule) = constant.or_else(|| joined(schedule, steps)) {
        return format!("import optax\n\nlearning_rate = {schedule}\n{optimizer}");
    }
    let (imports, definition) = match profile(schedule, steps, Language::Jax) {
        Some(profile) if profile.contains("math.") => ("import math\n\n", profile),
        Some(profile) => ("", profile),
        None => (
            "import numpy\n",
            format!(
                "RATES = numpy.loadtxt(\"{TABLE}\", delimiter=\",\", skiprows=1, usecols=1, ndmin=1)\n\n\ndef profile(step):\n    return jnp.asarray(RATES / {peak}, jnp.float32)[jnp.minimum(step, len(RATES) - 1)]\n"
            ),
        ),
    };
    format!(
        "{imports}import jax.numpy as jnp\nimport optax\n\n\n{definition}\n\ndef learning_rate(step):\n    return {peak} * profile(step)\n\n\n{optimizer}"
    )
}

/// Optax's own schedule, or several one after another.
fn joined(schedule: &Resolved, steps: u64) -> Option<String> {
    let [phases] = schedule.factors.as_slice() else { return None };
    if schedule.hold != 1.0 || schedule.sample != Sample::Left {
        return None;
    }
    let parts = phases.iter().map(|phase| part(phase, schedule.peak, steps));
    let parts: Vec<String> = parts.collect::<Option<_>>()?;
    if let [only] = parts.as_slice() {
        return Some(only.clone());
    }
    let (mut start, mut boundaries) = (0, Vec::new());
    for phase in &phases[..phases.len() - 1] {
        start += whole(phase.length?)?;
        boundaries.push(start);
    }
    let parts: Vec<String> = parts.iter().map(|part| format!("        {part},\n")).collect();
    let parts = parts.concat();
    let boundaries = format!("    boundaries={boundaries:?},\n");
    Some(format!("optax.join_schedules(\n    [\n{parts}    ],\n{boundaries})"))
}

fn part(phase: &Phase<f64>, peak: f64, steps: u64) -> Option<String> {
    let from = phase.from.filter(|_| phase.skip.is_none())?;
    let start = rate(peak * from);
    match &phase.body {
        Body::Shape { shape: Shape::Hold, .. } => Some(call("optax.constant_schedule", &[start])),
        Body::Shape { to: Some(to), shape } => {
            let (end, ratio) = (rate(peak * to), to / from);
            let length = phase.length.and_then(whole).filter(|length| 0 < *length)?.to_string();
            match *shape {
                Shape::Linear => Some(call("optax.linear_schedule", &[start, end, length])),
                Shape::Cosine { e, k: 1.0 } if 0.0 < from => {
                    let (alpha, exponent) =
                        (option("alpha", ratio, 0.0), option("exponent", e, 1.0));
                    Some(call("optax.cosine_decay_schedule", &[start, length, alpha, exponent]))
                }
                Shape::Poly { p, k: 1.0 } => {
                    Some(call("optax.polynomial_schedule", &[start, end, rate(p), length]))
                }
                Shape::Geometric => {
                    let end = format!("end_value={end}");
                    Some(call("optax.exponential_decay", &[start, length, rate(ratio), end]))
                }
                _ => None,
            }
        }
        Body::Law { law, floor: None } => lawful(law, start, steps),
        _ => None,
    }
}

fn lawful(law: &Law<f64>, start: String, steps: u64) -> Option<String> {
    match law {
        Law::Decay { gamma, tau, stairs } if is_single(*gamma, steps as f64 / tau) => {
            let staircase = match stairs {
                Stairs::Smooth => String::new(),
                Stairs::Stairs => whole(*tau).map(|_| "staircase=True".to_owned())?,
            };
            let tau = Language::Python.number(*tau);
            Some(call("optax.exponential_decay", &[start, tau, rate(*gamma), staircase]))
        }
        Law::Multistep { gamma, at } => {
            let at: Vec<u64> = at.iter().map(|at| whole(at.ceil())).collect::<Option<_>>()?;
            let rises = at.windows(2).all(|pair| pair[0] < pair[1]);
            rises.then(|| {
                let scales = at.iter().map(|at| format!("{at}: {}", rate(*gamma)));
                let scales = format!("{{{}}}", scales.collect::<Vec<_>>().join(", "));
                call("optax.piecewise_constant_schedule", &[start, scales])
            })
        }
        _ => None,
    }
}
