//! The value of a list of phases at a time: the formulas, and nothing else. Phases are complete here: every one has its
//! `from`, every one but the last its length.

use crate::phase::{Body, Cycle, GainOn, Law, Phase, Shape, Stairs};

/// The value at time `x`, 0 or later.
pub(crate) fn value(phases: &[Phase<f64>], x: f64) -> f64 {
    let mut start = 0.0;
    let Some((last, others)) = phases.split_last() else { return 1.0 };
    for phase in others {
        let length = phase.length.unwrap_or(f64::INFINITY);
        if x < start + length {
            return phase_value(phase, x - start);
        }
        start += length;
    }
    phase_value(last, x - start)
}

/// The value at which a phase ends, 1 step before the next one's start becoming that start.
pub(crate) fn end(phase: &Phase<f64>) -> f64 {
    match (&phase.body, phase.length) {
        (Body::Shape { to, shape }, _) if *shape != Shape::Hold => {
            to.unwrap_or_else(|| from(phase))
        }
        (Body::Shape { .. }, _) | (_, None) => from(phase),
        (_, Some(length)) => phase_value(phase, length),
    }
}

/// Whether the formula's value at a phase's end is [`end`] to the last bit; `tanh` and `geometric` may miss it.
pub(crate) fn ends_exactly(phase: &Phase<f64>) -> bool {
    phase.length.is_some_and(|length| phase_value(phase, length).to_bits() == end(phase).to_bits())
}

fn from(phase: &Phase<f64>) -> f64 {
    phase.from.unwrap_or(1.0)
}

fn phase_value(phase: &Phase<f64>, x: f64) -> f64 {
    let from = from(phase);
    let x = x + phase.skip.unwrap_or(0.0);
    match &phase.body {
        Body::Shape { to, shape } => {
            let u = match phase.length {
                None => 0.0,
                Some(length) if length <= 0.0 => 1.0,
                Some(length) => (x / length).min(1.0),
            };
            shaped(*shape, from, to.unwrap_or(from), u)
        }
        Body::Law { law, floor } => {
            let value = from * law_value(law, x);
            floor.map_or(value, |floor| value.max(floor))
        }
        Body::Cycle(cycle) => cycle_value(cycle, x),
        Body::Table { every, values } => {
            let index = ((x / every).floor() as usize).min(values.len().saturating_sub(1));
            values.get(index).copied().unwrap_or(from)
        }
    }
}

fn shaped(shape: Shape, from: f64, to: f64, u: f64) -> f64 {
    let s = match shape {
        Shape::Hold => return from,
        Shape::Geometric => return from * (to / from).powf(u),
        Shape::Linear => 1.0 - u,
        Shape::Cosine { e, k } => {
            f64::midpoint(1.0, (std::f64::consts::PI * power(u, k)).cos()).powf(e)
        }
        Shape::Poly { p, k } => (1.0 - power(u, k)).powf(p),
        Shape::Power { p } => 1.0 - power(u, p),
        Shape::Exp { r } => (r.powf(u) - r) / (1.0 - r),
        Shape::Rex { b } => (1.0 - u) / (1.0 - b * u),
        Shape::Tanh { lb, ub } => 0.5 * (1.0 - (lb * (1.0 - u) + ub * u).tanh()),
    };
    to + (from - to) * s
}

/// `u^k`, exactly `u` for the usual k = 1.
fn power(u: f64, k: f64) -> f64 {
    if k == 1.0 { u } else { u.powf(k) }
}

fn law_value(law: &Law<f64>, x: f64) -> f64 {
    match law {
        Law::Inverse { p, tau } => (1.0 + x / tau).powf(-p),
        Law::Decay { gamma, tau, stairs: Stairs::Smooth } => gamma.powf(x / tau),
        Law::Decay { gamma, tau, stairs: Stairs::Stairs } => gamma.powf((x / tau).floor()),
        Law::Multistep { gamma, at } => gamma.powi(at.iter().filter(|&&at| at <= x).count() as i32),
    }
}

fn cycle_value(cycle: &Cycle<f64>, x: f64) -> f64 {
    let Some((index, start, length)) = repetition(cycle, x) else { return cycle.lo };
    let fade = cycle.fade.map_or(1.0, |(factor, tau)| factor.powf(x / tau));
    let gain = cycle.gain.powf(index) * fade;
    let body = value(&cycle.body, (x - start) / length);
    match cycle.gain_on {
        GainOn::Peak => cycle.lo + (cycle.hi * gain - cycle.lo) * body,
        GainOn::Amplitude => cycle.lo + (cycle.hi - cycle.lo) * gain * body,
    }
}

/// Which repetition holds `x`, its start and its length; `None` after the last.
pub(crate) fn repetition(cycle: &Cycle<f64>, x: f64) -> Option<(f64, f64, f64)> {
    let count = cycle.count.map_or(f64::INFINITY, f64::from);
    if cycle.grow == 1.0 {
        // The quotient may be off by one at a start; products decide, as additions would.
        let mut index = (x / cycle.length).floor();
        if x < index * cycle.length {
            index -= 1.0;
        } else if (index + 1.0) * cycle.length <= x {
            index += 1.0;
        }
        return (index < count).then_some((index, index * cycle.length, cycle.length));
    }
    // Sums rather than logarithms, which are wrong at exact restarts. At most a few thousand turns: `grow` is at
    // least 1.01, or `count` bounds it.
    let (mut index, mut start, mut length) = (0.0, 0.0, cycle.length);
    while start + length <= x {
        start += length;
        length *= cycle.grow;
        index += 1.0;
        if count <= index {
            return None;
        }
    }
    (index < count).then_some((index, start, length))
}
