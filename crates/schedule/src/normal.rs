//! The normal form: what makes schedules of equal rates look equal. A simplification may be missed, never wrong: each
//! keeps the rate at every step of the budget to the last bit.

use crate::{
    evaluate,
    phase::{Body, Law, Phase, Shape},
    resolved::Resolved,
    schedule::Sample,
};

/// Simplifies a resolved schedule for the steps below `budget`.
pub(crate) fn normalize(mut resolved: Resolved, budget: u64) -> Resolved {
    let last = last_time(&resolved, budget);
    for phases in &mut resolved.factors {
        *phases = simplify(std::mem::take(phases), last);
    }
    if let Some(constant) = constant(&resolved) {
        let one = Phase::hold(None).starting_at(1.0);
        return Resolved {
            peak: constant,
            factors: vec![vec![one]],
            hold: 1.0,
            sample: Sample::Left,
        };
    }
    // Other constants stay where they are: the order of multiplication decides the last bit.
    resolved.factors.retain(|phases| constant_value(phases) != Some(1.0));
    resolved
}

/// The rate, if it is the same at every step.
pub(crate) fn constant(resolved: &Resolved) -> Option<f64> {
    resolved
        .factors
        .iter()
        .try_fold(resolved.peak, |rate, phases| Some(rate * constant_value(phases)?))
}

/// The latest time at which the profile is read.
fn last_time(resolved: &Resolved, budget: u64) -> f64 {
    let step = budget.saturating_sub(1) as f64;
    match resolved.sample {
        Sample::Left => step,
        Sample::Right => step + resolved.hold,
    }
}

fn constant_value(phases: &[Phase<f64>]) -> Option<f64> {
    match phases {
        [Phase { from: Some(from), body: Body::Shape { shape: Shape::Hold, .. }, .. }] => {
            Some(*from)
        }
        _ => None,
    }
}

fn simplify(phases: Vec<Phase<f64>>, last: f64) -> Vec<Phase<f64>> {
    let n = phases.len();
    let mut simple: Vec<Phase<f64>> = Vec::with_capacity(n + 1);
    // The start of the last phase in `simple`, and of the phase at hand.
    let (mut start_before, mut start) = (0.0, 0.0);
    for (index, phase) in phases.into_iter().enumerate() {
        if last < start {
            // Never read; nor is anything after it.
            break;
        }
        let length = phase.length.unwrap_or(f64::INFINITY);
        if length <= 0.0 && index + 1 != n {
            continue;
        }
        let phase = simplify_phase(phase, last);
        let end = start + length;
        match simple.last_mut() {
            Some(before) if both_hold(before, &phase) => {
                let joined = before.length.unwrap_or(0.0) + length;
                // Starts are sums of lengths: joining two must not move a later one by a rounding error.
                if (start_before + joined).to_bits() == end.to_bits() {
                    before.length = Some(joined);
                } else {
                    start_before = start;
                    simple.push(phase);
                }
            }
            _ => {
                start_before = start;
                simple.push(phase);
            }
        }
        start = end;
    }
    close(&mut simple, last);
    simple
}

/// The last phase has no end: a hold has none anyway, an unbounded body goes on, and a bounded shape is followed by
/// its last value if that is ever read.
fn close(phases: &mut Vec<Phase<f64>>, last: f64) {
    let start: f64 = phases.iter().rev().skip(1).rev().filter_map(|phase| phase.length).sum();
    let Some(phase) = phases.last_mut() else { return };
    match &phase.body {
        Body::Shape { shape: Shape::Hold, .. }
        | Body::Law { .. }
        | Body::Cycle(_)
        | Body::Table { .. } => {
            phase.length = None;
        }
        Body::Shape { .. } => {
            let end = evaluate::end(phase);
            let length = phase.length.unwrap_or(f64::INFINITY);
            if length <= 0.0 {
                *phase = Phase::hold(None).starting_at(end);
            } else if start + length <= last && evaluate::ends_exactly(phase) {
                phases.push(Phase::hold(None).starting_at(end));
            }
        }
    }
}

fn both_hold(a: &Phase<f64>, b: &Phase<f64>) -> bool {
    let value = |phase: &Phase<f64>| match phase.body {
        Body::Shape { shape: Shape::Hold, .. } => phase.from.map(f64::to_bits),
        _ => None,
    };
    value(a).is_some() && value(a) == value(b)
}

fn simplify_phase(mut phase: Phase<f64>, last: f64) -> Phase<f64> {
    let from = phase.from.unwrap_or(1.0);
    if phase.skip == Some(0.0) {
        phase.skip = None;
    }
    let constant = match &mut phase.body {
        Body::Shape { to, shape } => {
            let end = *to.get_or_insert(from);
            if is_linear(*shape) {
                *shape = Shape::Linear;
            }
            (*shape == Shape::Hold || end.to_bits() == from.to_bits()).then_some(from)
        }
        Body::Law { law, floor } => {
            // No law falls below zero.
            *floor = floor.filter(|&floor| 0.0 < floor);
            if let Law::Multistep { at, .. } = law {
                at.retain(|&at| at <= last);
                at.sort_by(f64::total_cmp);
            }
            let is_one = match law {
                Law::Inverse { p, .. } => *p == 0.0,
                Law::Decay { gamma, .. } => *gamma == 1.0,
                Law::Multistep { gamma, at } => *gamma == 1.0 || at.is_empty(),
            };
            is_one.then(|| floor.map_or(from, |floor| from.max(floor)))
        }
        Body::Cycle(_) => None,
        Body::Table { values, .. } => {
            let first = values[0];
            values.iter().all(|value| value.to_bits() == first.to_bits()).then_some(first)
        }
    };
    match constant {
        Some(value) => Phase { length: phase.length, ..Phase::hold(None).starting_at(value) },
        None => phase,
    }
}

/// Whether a shape computes 1 - u, to the last bit.
fn is_linear(shape: Shape) -> bool {
    match shape {
        Shape::Poly { p, k } => p == 1.0 && k == 1.0,
        Shape::Power { p } => p == 1.0,
        Shape::Rex { b } => b == 0.0,
        _ => false,
    }
}
