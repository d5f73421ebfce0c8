//! `timm.scheduler`. Their warm-up stands before the body with `warmup_prefix = true`, and in front of a body that runs
//! from the start without it.

use super::{
    Class, Library, plateau,
    read::{Phases, cycle, falling},
};
use crate::{
    duration::Duration,
    phase::{Cycle, GainOn, Law, Phase, Shape, Stairs},
    preset::{
        ArgumentInfo,
        Expected::{Bool, Count, Number, Time, Times, Word},
        Given, PresetError, PresetInfo, argument,
    },
    schedule::Schedule,
};

const LENGTH: ArgumentInfo = argument("t_initial", Time, "", "the length of the first cycle");
const LOW: ArgumentInfo = argument("lr_min", Number, "0", "the lowest rate");
const GROW: ArgumentInfo =
    argument("cycle_mul", Number, "1", "each cycle is so many times as long");
const GAIN: ArgumentInfo =
    argument("cycle_decay", Number, "1", "each cycle's peak is so many times as high");
const LIMIT: ArgumentInfo = argument("cycle_limit", Count, "1", "so many cycles, then `lr_min`");
const WARMUP: ArgumentInfo = argument("warmup_t", Time, "0", "how long the warm-up takes");
const START: ArgumentInfo = argument("warmup_lr_init", Number, "0", "the rate at its start");
const OVER: ArgumentInfo = argument(
    "warmup_prefix",
    Bool,
    "false",
    "whether the rest starts after the warm-up, or with it",
);
const BEFORE: ArgumentInfo = argument(
    "warmup_prefix",
    Bool,
    "true",
    "whether the rest starts after the warm-up, or with it",
);
const EPOCHS: ArgumentInfo = argument(
    "t_in_epochs",
    Bool,
    "",
    "whether whole numbers count epochs; `per` says so too, and one step is its default",
);
const K: ArgumentInfo = argument("k_decay", Number, "1", "the share of the cycle to that power");
const FACTOR: ArgumentInfo = argument("decay_rate", Number, "1", "the factor");
const CYCLES: &str = "restarts are exact, where timm misses some for cycle_mul = 3 or 10 by a rounding error; no noise";

pub(super) const LIBRARY: Library = Library {
    name: "timm",
    title: "timm",
    version: "1.0.31",
    modules: &["cosine_lr", "multistep_lr", "plateau_lr", "poly_lr", "step_lr", "tanh_lr"],
    classes: &[
        Class {
            info: PresetInfo {
                name: "timm.CosineLRScheduler",
                doc: "cosines with warm restarts",
                arguments: &[LENGTH, LOW, GROW, GAIN, LIMIT, WARMUP, START, OVER, K, EPOCHS],
            },
            rate: "peak",
            needs: 1,
            differs: CYCLES,
            build: |given| cycles(given, Shape::Cosine { e: 1.0, k: given.positive("k_decay")? }),
        },
        Class {
            info: PresetInfo {
                name: "timm.StepLRScheduler",
                doc: "falls by `decay_rate` every `decay_t`",
                arguments: &[
                    argument("decay_t", Time, "", "the length of a stair"),
                    FACTOR,
                    WARMUP,
                    START,
                    BEFORE,
                    EPOCHS,
                ],
            },
            rate: "peak",
            needs: 1,
            differs: "no noise",
            build: |given| {
                let (gamma, tau) = (given.natural("decay_rate")?, given.span("decay_t")?);
                let law = Law::Decay { gamma, tau, stairs: Stairs::Stairs };
                warmed(given, 1.0, Phase::law(law, None).starting_at(1.0))
            },
        },
        Class {
            info: PresetInfo {
                name: "timm.MultiStepLRScheduler",
                doc: "falls by `decay_rate` one step before each milestone",
                arguments: &[
                    argument("decay_t", Times, "", "the milestones"),
                    FACTOR,
                    WARMUP,
                    START,
                    BEFORE,
                    EPOCHS,
                ],
            },
            rate: "peak",
            needs: 1,
            differs: "no noise",
            build: multistep,
        },
        Class {
            info: PresetInfo {
                name: "timm.TanhLRScheduler",
                doc: "hyperbolic tangents with warm restarts",
                arguments: &[
                    LENGTH,
                    argument("lb", Number, "-7", "where on the tangent it starts"),
                    argument("ub", Number, "3", "where it ends"),
                    LOW,
                    GROW,
                    GAIN,
                    LIMIT,
                    WARMUP,
                    START,
                    OVER,
                    EPOCHS,
                ],
            },
            rate: "peak",
            needs: 1,
            differs: CYCLES,
            build: |given| {
                cycles(given, Shape::Tanh { lb: given.value("lb"), ub: given.value("ub") })
            },
        },
        Class {
            info: PresetInfo {
                name: "timm.PolyLRScheduler",
                doc: "(1 - u^k)^power with warm restarts",
                arguments: &[
                    LENGTH,
                    argument("power", Number, "0.5", "the power"),
                    LOW,
                    GROW,
                    GAIN,
                    LIMIT,
                    WARMUP,
                    START,
                    OVER,
                    K,
                    EPOCHS,
                ],
            },
            rate: "peak",
            needs: 1,
            differs: CYCLES,
            build: |given| {
                let (p, k) = (given.positive("power")?, given.positive("k_decay")?);
                cycles(given, Shape::Poly { p, k })
            },
        },
        Class {
            info: PresetInfo {
                name: "timm.WSDLRScheduler",
                doc: "warm-up, a stable rate, a cooldown",
                arguments: &[
                    argument("t_initial", Time, "", "the stable part and the cooldown"),
                    argument("decay_t", Time, "", "the cooldown, the last part of it"),
                    LOW,
                    argument(
                        "stable_fn",
                        Word(&["constant", "rsqrt", "power"]),
                        "constant",
                        "how stable it is",
                    ),
                    argument("stable_timescale", Time, "", "for the other two; the warm-up"),
                    argument("stable_power", Number, "0.5", "for `power`"),
                    argument(
                        "decay_fn",
                        Word(&["linear", "1-sqrt", "cosine", "power", "exp"]),
                        "1-sqrt",
                        "the cooldown's shape",
                    ),
                    argument("decay_power", Number, "0.5", "for `power`"),
                    argument("decay_ratio", Number, "0.1", "for `exp`"),
                    WARMUP,
                    START,
                    EPOCHS,
                ],
            },
            rate: "peak",
            needs: 2,
            differs: "no noise; a stable rate that falls needs `lr_min = 0`",
            build: stable,
        },
        Class {
            info: PresetInfo {
                name: "timm.PlateauLRScheduler",
                doc: "falls by `decay_rate` when a metric stops improving",
                arguments: plateau::TIMM,
            },
            rate: "peak",
            needs: 0,
            differs: "it watches `monitor` at the sweep's evaluations, the loss on held-out data without one; its state is part of a checkpoint, which timm's is not; evaluations in the warm-up count",
            build: plateau::timm,
        },
    ],
    elsewhere: &[],
};

/// What follows a warm-up: after it, or already under way. `to`: where the warm-up leads.
fn warmed(given: &Given, to: f64, mut body: Phase<Duration>) -> Result<Schedule, PresetError> {
    let peak = given.rate()?;
    let warmup = given.time("warmup_t").unwrap_or(Duration::ZERO);
    let mut phases = Phases::new();
    if 0.0 < warmup.number() {
        let from = given.multiple("warmup_lr_init", peak)?;
        phases.push(Phase::shape(Some(warmup), to, Shape::Linear).starting_at(from));
        if !given.flag("warmup_prefix") {
            body.skip = Some(warmup);
        }
    }
    phases.push(body);
    Ok(given.schedule(peak, phases))
}

fn cycles(given: &Given, shape: Shape) -> Result<Schedule, PresetError> {
    let (length, low) = (given.span("t_initial")?, given.multiple("lr_min", given.rate()?)?);
    let restarts = Cycle {
        grow: given.growth("cycle_mul")?,
        gain: given.natural("cycle_decay")?,
        gain_on: GainOn::Peak,
        count: Some(given.cycles("cycle_limit")?),
        ..falling(length, low, shape)
    };
    let body = cycle(None, restarts);
    let to = match shape {
        // This one's warm-up leads to where its body is by then.
        Shape::Tanh { .. } if !given.flag("warmup_prefix") => reached(given, &body)?,
        _ => 1.0,
    };
    warmed(given, to, body)
}

/// The value of a body at the end of a warm-up that it started with.
fn reached(given: &Given, body: &Phase<Duration>) -> Result<f64, PresetError> {
    let warmup = given.time("warmup_t").unwrap_or(Duration::ZERO);
    let is_one_unit = given.span("t_initial")?.minus(warmup).is_some();
    let number = |time: Duration| {
        if is_one_unit { time.number() } else { time.in_steps(given.horizon) }
    };
    let Ok(body) = body.try_map(&|time: &Duration| Ok::<f64, ()>(number(*time))) else {
        return Ok(1.0);
    };
    Ok(crate::evaluate::value(&[body], number(warmup)))
}

fn multistep(given: &Given) -> Result<Schedule, PresetError> {
    let one = given.per();
    let earlier = |at: &Duration| match given.minus(*at, one) {
        at if at.number() < 0.0 => Duration::ZERO,
        at => at,
    };
    let at = given.times("decay_t").iter().map(earlier).collect();
    let is_sorted = given.stretches("decay_t", &given.times("decay_t"));
    if given.is_compatible() {
        is_sorted?;
    }
    let law = Law::Multistep { gamma: given.natural("decay_rate")?, at };
    warmed(given, 1.0, Phase::law(law, None).starting_at(1.0))
}

fn stable(given: &Given) -> Result<Schedule, PresetError> {
    let peak = given.rate()?;
    let (whole, decay) = (given.span("t_initial")?, given.span("decay_t")?);
    let warmup = given.time("warmup_t").unwrap_or(Duration::ZERO);
    let length = given.rest(("t_initial", whole), ("decay_t", decay))?;
    let low = given.multiple("lr_min", peak)?;
    let down = match given.word("decay_fn") {
        "linear" => Shape::Linear,
        "cosine" => super::read::COSINE,
        "power" => Shape::Power { p: given.positive("decay_power")? },
        "exp" => Shape::Exp { r: given.positive("decay_ratio")? },
        _ => Shape::Power { p: 0.5 },
    };
    let from = given.multiple("warmup_lr_init", peak)?;
    let up = Phase::shape(Some(warmup), 1.0, Shape::Linear).starting_at(from);
    if given.word("stable_fn") == "constant" {
        let stable = Phase::hold(Some(length)).starting_at(low.max(1.0));
        return Ok(given.schedule(peak, vec![up, stable, Phase::shape(Some(decay), low, down)]));
    }
    let p = if given.word("stable_fn") == "power" { given.positive("stable_power")? } else { 0.5 };
    let tau = match given.time("stable_timescale") {
        Some(_) => given.span("stable_timescale")?,
        None if 0.0 < warmup.number() => warmup,
        None => return Err(given.missing("stable_timescale")),
    };
    if 0.0 < low {
        return Err(given.wrong("lr_min", "0: only a constant rate can fall to another one here"));
    }
    // The stable law goes on through the cooldown, which is multiplied with it.
    let law = Phase::law(Law::Inverse { p, tau }, None).starting_at(1.0);
    let one = |length: Duration| Phase::hold(Some(length)).starting_at(1.0);
    let mut schedule = given.schedule(peak, vec![up, law]);
    schedule.factors.push(vec![one(warmup), one(length), Phase::shape(Some(decay), 0.0, down)]);
    Ok(schedule)
}
