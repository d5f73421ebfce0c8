//! Code for PyTorch: a class of `torch.optim.lr_scheduler`, or `LambdaLR`.

use super::{
    Optimizer, TABLE, call, is_constant, language::Language, option, plateau, profile::profile,
    rate, whole,
};
use crate::{
    evaluate,
    phase::{Body, Cycle, GainOn, Law, Phase, Shape, Stairs},
    plateau::Plateau,
    resolved::Resolved,
    schedule::Sample,
};

pub(super) fn code(
    schedule: &Resolved,
    rule: Option<&Plateau>,
    (steps, optimizer): (u64, Optimizer),
) -> String {
    let peak = schedule.peak;
    let optimizer = |peak| {
        let class = optimizer.class();
        format!("optimizer = torch.optim.{class}(model.parameters(), lr={})\n", rate(peak))
    };
    let own = match rule {
        None if is_constant(schedule) => {
            return format!("import torch\n\n{}", optimizer(peak));
        }
        None => class(schedule).map(|(base, class)| (base, STEP.to_owned(), class)),
        Some(rule) if is_constant(schedule) => {
            let watched = plateau::watched(rule);
            let when = format!("# After every evaluation: scheduler.step({watched})\n");
            plateau::pytorch(rule, peak).map(|class| (peak, when, class))
        }
        Some(_) => None,
    };
    if let Some((base, when, scheduler)) = own {
        return format!("import torch\n\n{}{when}scheduler = {scheduler}\n", optimizer(base));
    }
    let (numpy, profile) = match profile(schedule, steps, Language::Python) {
        Some(profile) => ("", profile),
        None => (
            "import numpy\n",
            format!(
                "RATES = numpy.loadtxt(\"{TABLE}\", delimiter=\",\", skiprows=1, usecols=1, ndmin=1)\n\n\ndef profile(step):\n    return RATES[min(step, len(RATES) - 1)] / {}\n",
                rate(peak)
            ),
        ),
    };
    let (class, plateau, when, factor) = match rule {
        None => (String::new(), "", STEP.to_owned(), "profile"),
        Some(rule) => (
            format!("\n\n{}", plateau::python(rule)),
            "plateau = Plateau()\n",
            format!(
                "# After every optimizer.step(): plateau.observe({}) if it was evaluated, then scheduler.step()\n",
                plateau::watched(rule)
            ),
            "lambda step: profile(step) * plateau.multiplier",
        ),
    };
    let math = if profile.contains("math.") || rule.is_some() { "import math\n\n" } else { "" };
    let scheduler = named("LambdaLR", &[factor.to_owned()]);
    format!(
        "{math}{numpy}import torch\n\n\n{profile}{class}\n\n{}{plateau}{when}scheduler = {scheduler}\n",
        optimizer(peak)
    )
}

const STEP: &str = "# After every optimizer.step(): scheduler.step()\n";

/// The constructor of a scheduler.
fn named(class: &str, arguments: &[String]) -> String {
    let arguments = [&["optimizer".to_owned()], arguments].concat();
    call(&format!("torch.optim.lr_scheduler.{class}"), &arguments)
}

/// The optimizer's own rate, and the scheduler that PyTorch has for exactly this.
fn class(schedule: &Resolved) -> Option<(f64, String)> {
    let [phases] = schedule.factors.as_slice() else { return None };
    if schedule.hold != 1.0 || schedule.sample != Sample::Left {
        return None;
    }
    let peak = schedule.peak;
    match phases.as_slice() {
        // These two hold their last value by themselves.
        [first, last] if is_held(first, last) => class_of(first, peak),
        [only] => class_of(only, peak),
        [up, down] => Some((peak, one_cycle(up, down, peak)?)),
        _ => None,
    }
}

/// A straight line or a power, and then its end for ever.
fn is_held(first: &Phase<f64>, last: &Phase<f64>) -> bool {
    let holds = matches!(last.body, Body::Shape { shape: Shape::Hold, .. });
    let ends = matches!(first.body, Body::Shape { shape: Shape::Linear | Shape::Poly { .. }, .. });
    holds && ends && last.from == Some(evaluate::end(first))
}

fn class_of(phase: &Phase<f64>, peak: f64) -> Option<(f64, String)> {
    match phase {
        Phase { skip: None, body: Body::Cycle(cycle), .. } if is_triangle(cycle) => {
            Some((peak * cycle.lo, cyclic(cycle, peak)?))
        }
        Phase { skip: None, body: Body::Cycle(cycle), .. } => {
            Some((peak * cycle.hi, restarts(cycle, peak)?))
        }
        Phase { skip: None, from: Some(from), length, body } if 0.0 < *from => {
            let (base, scheduler) = match body {
                Body::Shape { to: Some(to), shape } => {
                    let base = if *shape == Shape::Linear { from.max(*to) } else { *from };
                    (base, shaped(*shape, peak, *from, *to, length.and_then(whole)?)?)
                }
                Body::Law { law, floor: None } => (*from, lawful(law)?),
                _ => return None,
            };
            Some((peak * base, scheduler))
        }
        _ => None,
    }
}

fn shaped(shape: Shape, peak: f64, from: f64, to: f64, length: u64) -> Option<String> {
    let ratio = to / from;
    match shape {
        Shape::Cosine { e: 1.0, k: 1.0 } => {
            let end = option("eta_min", peak * to, 0.0);
            Some(named("CosineAnnealingLR", &[format!("T_max={length}"), end]))
        }
        Shape::Linear => {
            // Neither factor may exceed 1.
            let high = from.max(to);
            let start = format!("start_factor={}", rate(from / high));
            let end = format!("end_factor={}", rate(to / high));
            Some(named("LinearLR", &[start, end, format!("total_iters={length}")]))
        }
        Shape::Poly { p, k: 1.0 } if to == 0.0 => {
            let power = option("power", p, 1.0);
            Some(named("PolynomialLR", &[format!("total_iters={length}"), power]))
        }
        Shape::Geometric => {
            Some(named("ExponentialLR", &[format!("gamma={} ** (1 / {length})", rate(ratio))]))
        }
        _ => None,
    }
}

fn lawful(law: &Law<f64>) -> Option<String> {
    match law {
        Law::Decay { gamma, tau, stairs: Stairs::Stairs } => {
            let size = format!("step_size={}", whole(*tau)?);
            Some(named("StepLR", &[size, format!("gamma={}", rate(*gamma))]))
        }
        Law::Decay { gamma, tau, .. } => {
            let root = match *tau {
                1.0 => String::new(),
                tau => format!(" ** (1 / {})", Language::Python.number(tau)),
            };
            Some(named("ExponentialLR", &[format!("gamma={}{root}", rate(*gamma))]))
        }
        Law::Multistep { gamma, at } => {
            let at: Vec<u64> = at.iter().map(|at| whole(at.ceil())).collect::<Option<_>>()?;
            let milestones = format!("milestones={at:?}");
            Some(named("MultiStepLR", &[milestones, format!("gamma={}", rate(*gamma))]))
        }
        Law::Inverse { .. } => None,
    }
}

/// Up and down again in two equal halves.
fn is_triangle(cycle: &Cycle<f64>) -> bool {
    let half = |from: f64, to: f64| Phase {
        from: Some(from),
        ..Phase::shape(Some(0.5), to, Shape::Linear)
    };
    cycle.body == [half(0.0, 1.0), half(1.0, 0.0)] && cycle.grow == 1.0 && cycle.count.is_none()
}

fn cyclic(cycle: &Cycle<f64>, peak: f64) -> Option<String> {
    let half = whole(cycle.length / 2.0)?;
    let mode = match (cycle.gain, cycle.fade, cycle.gain_on) {
        (1.0, None, _) => String::new(),
        (0.5, None, GainOn::Amplitude) => "mode=\"triangular2\"".to_owned(),
        (1.0, Some((gamma, 1.0)), GainOn::Amplitude) => {
            format!("mode=\"exp_range\", gamma={}", rate(gamma))
        }
        _ => return None,
    };
    let (low, high) = (rate(peak * cycle.lo), rate(peak * cycle.hi));
    Some(named(
        "CyclicLR",
        &[
            format!("base_lr={low}"),
            format!("max_lr={high}"),
            format!("step_size_up={half}"),
            mode,
            "cycle_momentum=False".to_owned(),
        ],
    ))
}

fn restarts(cycle: &Cycle<f64>, peak: f64) -> Option<String> {
    let cosine = Shape::Cosine { e: 1.0, k: 1.0 };
    let body = Phase { from: Some(1.0), ..Phase::shape(Some(1.0), 0.0, cosine) };
    let is_same = cycle.gain == 1.0 && cycle.fade.is_none() && cycle.count.is_none();
    (cycle.body == [body] && is_same).then_some(())?;
    let length = format!("T_0={}", whole(cycle.length)?);
    let grow = format!("T_mult={}", whole(cycle.grow)?);
    let low = option("eta_min", peak * cycle.lo, 0.0);
    Some(named("CosineAnnealingWarmRestarts", &[length, grow, low]))
}

/// `OneCycleLR` reaches its peak at `pct_start * total_steps - 1`, and its end one step before `total_steps`.
fn one_cycle(up: &Phase<f64>, down: &Phase<f64>, peak: f64) -> Option<String> {
    let parts = |phase: &Phase<f64>| match phase.body {
        Body::Shape { to: Some(to), shape } if phase.skip.is_none() => {
            Some((phase.from?, to, phase.length?, shape))
        }
        _ => None,
    };
    let ((low, top, rise, shape), (start, last, fall, other)) = (parts(up)?, parts(down)?);
    let strategy = match (shape, other) {
        (Shape::Cosine { e: 1.0, k: 1.0 }, Shape::Cosine { e: 1.0, k: 1.0 }) => "cos",
        (Shape::Linear, Shape::Linear) => "linear",
        _ => return None,
    };
    let is_one_cycle = top == 1.0 && start == 1.0 && 0.0 < low && low < 1.0 && 0.0 < last;
    let total = whole(rise + fall)? + 1;
    is_one_cycle.then(|| {
        named(
            "OneCycleLR",
            &[
                format!("max_lr={}", rate(peak)),
                format!("total_steps={total}"),
                format!("pct_start={} / {total}", Language::Python.number(rise + 1.0)),
                format!("anneal_strategy=\"{strategy}\""),
                format!("div_factor={}", rate(1.0 / low)),
                format!("final_div_factor={}", rate(low / last)),
                "cycle_momentum=False".to_owned(),
            ],
        )
    })
}
