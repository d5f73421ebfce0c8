//! `optax.schedules`: a function each; rates are absolute.

use super::{
    Class, Library, plateau,
    read::{COSINE, Phases, multiple},
};
use crate::{
    duration::Duration,
    phase::{Law, Phase, Shape, Stairs},
    preset::{
        ArgumentInfo,
        Expected::{Bool, Number, Numbers, Time, Times, Word},
        Given, PresetError, PresetInfo, argument,
    },
    schedule::Schedule,
};

const INIT: ArgumentInfo = argument("init_value", Number, "", "the rate at the start");
const PEAK: ArgumentInfo = argument("peak_value", Number, "", "the rate after the warm-up");
const END: ArgumentInfo = argument("end_value", Number, "", "the rate at the end");
const STEPS: ArgumentInfo = argument("transition_steps", Time, "", "how long it takes");
const BEGIN: ArgumentInfo =
    argument("transition_begin", Time, "0", "how long the rate stays as it is before");
const WARMUP: ArgumentInfo = argument("warmup_steps", Time, "", "how long the warm-up takes");
const FACTOR: ArgumentInfo = argument("decay_rate", Number, "", "the factor");
const PERIOD: ArgumentInfo =
    argument("transition_steps", Time, "", "how often `decay_rate` applies");
const STAIRS: ArgumentInfo =
    argument("staircase", Bool, "false", "in stairs of `transition_steps` instead of smoothly");
const LIMIT: ArgumentInfo =
    argument("end_value", Number, "", "the rate never falls below it, or never rises above it");
const EXPONENT: ArgumentInfo = argument("exponent", Number, "1", "the cosine to that power");
const BOUNDARIES: ArgumentInfo =
    argument("boundaries", Times, "[]", "the keys of `boundaries_and_scales`");
const SCALES: ArgumentInfo =
    argument("scales", Numbers, "[]", "the values of `boundaries_and_scales`");
const TWO_LISTS: &str = "`boundaries_and_scales` is two lists";
const EMPTY: &str =
    "a transition of no length is at its end, where optax stays at the start for ever";

pub(super) const LIBRARY: Library = Library {
    name: "optax",
    title: "optax",
    version: "0.2.8",
    modules: &[],
    classes: &[
        Class {
            info: PresetInfo {
                name: "optax.constant_schedule",
                doc: "the rate throughout",
                arguments: &[argument("value", Number, "", "the rate")],
            },
            rate: "value",
            needs: 1,
            differs: "",
            build: |given| Ok(given.schedule(given.rate()?, vec![Phase::hold(None)])),
        },
        Class {
            info: PresetInfo {
                name: "optax.linear_schedule",
                doc: "a straight line from one rate to another",
                arguments: &[INIT, END, STEPS, BEGIN],
            },
            rate: "init_value",
            needs: 3,
            differs: EMPTY,
            build: |given| transition(given, Shape::Linear),
        },
        Class {
            info: PresetInfo {
                name: "optax.polynomial_schedule",
                doc: "(1 - u)^power from one rate to another",
                arguments: &[INIT, END, argument("power", Number, "", "the power"), STEPS, BEGIN],
            },
            rate: "init_value",
            needs: 4,
            differs: EMPTY,
            build: |given| transition(given, Shape::Poly { p: given.positive("power")?, k: 1.0 }),
        },
        Class {
            info: PresetInfo {
                name: "optax.exponential_decay",
                doc: "falls by `decay_rate` every `transition_steps`",
                arguments: &[INIT, PERIOD, FACTOR, BEGIN, STAIRS, LIMIT],
            },
            rate: "init_value",
            needs: 3,
            differs: "a factor of zero is zero, and `transition_steps = 0` is refused, where optax stays at the start for ever",
            build: |given| {
                let peak = given.rate()?;
                Ok(given.schedule(peak, exponential(given, peak)?))
            },
        },
        Class {
            info: PresetInfo {
                name: "optax.cosine_decay_schedule",
                doc: "half a cosine, to a power",
                arguments: &[
                    INIT,
                    argument("decay_steps", Time, "", "how long it takes"),
                    argument("alpha", Number, "0", "the end, as a multiple of the start"),
                    EXPONENT,
                ],
            },
            rate: "init_value",
            needs: 2,
            differs: "",
            build: |given| {
                let shape = Shape::Cosine { e: given.positive("exponent")?, k: 1.0 };
                let length = given.span("decay_steps")?;
                let fall = Phase::shape(Some(length), given.natural("alpha")?, shape);
                Ok(given.schedule(given.rate()?, vec![fall]))
            },
        },
        Class {
            info: PresetInfo {
                name: "optax.piecewise_constant_schedule",
                doc: "times a scale at each boundary",
                arguments: &[INIT, BOUNDARIES, SCALES],
            },
            rate: "init_value",
            needs: 1,
            differs: TWO_LISTS,
            build: piecewise_constant,
        },
        Class {
            info: PresetInfo {
                name: "optax.piecewise_interpolate_schedule",
                doc: "from each boundary's rate to the next one's",
                arguments: &[
                    argument("interpolate_type", Word(&["linear", "cosine"]), "", "the shape"),
                    INIT,
                    BOUNDARIES,
                    SCALES,
                ],
            },
            rate: "init_value",
            needs: 2,
            differs: TWO_LISTS,
            build: piecewise_interpolate,
        },
        Class {
            info: PresetInfo {
                name: "optax.linear_onecycle_schedule",
                doc: "up to the peak, down as far, and down to almost nothing, along lines",
                arguments: &[
                    argument("transition_steps", Time, "", "the whole length"),
                    PEAK,
                    argument("pct_start", Number, "0.3", "the share at which the peak is reached"),
                    argument("pct_final", Number, "0.85", "the share at which it is down again"),
                    argument("div_factor", Number, "25", "it starts at peak_value / div_factor"),
                    argument(
                        "final_div_factor",
                        Number,
                        "10000",
                        "it ends at its start / final_div_factor",
                    ),
                ],
            },
            rate: "peak_value",
            needs: 2,
            differs: "boundaries that fall together (a few steps in all) are jumps, where optax loses one",
            build: |given| {
                let low = 1.0 / given.positive("div_factor")?;
                let last = low / given.positive("final_div_factor")?;
                let (top, down) = (corner(given, "pct_start")?, corner(given, "pct_final")?);
                let end = length(given)?;
                one_cycle(given, low, Shape::Linear, &[(top, 1.0), (down, low), (end, last)])
            },
        },
        Class {
            info: PresetInfo {
                name: "optax.cosine_onecycle_schedule",
                doc: "up to the peak and down to almost nothing, along cosines",
                arguments: &[
                    argument("transition_steps", Time, "", "the whole length"),
                    PEAK,
                    argument("pct_start", Number, "0.3", "the share at which the peak is reached"),
                    argument("div_factor", Number, "25", "it starts at peak_value / div_factor"),
                    argument(
                        "final_div_factor",
                        Number,
                        "10000",
                        "it ends at its start / final_div_factor",
                    ),
                ],
            },
            rate: "peak_value",
            needs: 2,
            differs: "",
            build: |given| {
                let low = 1.0 / given.positive("div_factor")?;
                let last = low / given.positive("final_div_factor")?;
                let end = length(given)?;
                one_cycle(given, low, COSINE, &[(corner(given, "pct_start")?, 1.0), (end, last)])
            },
        },
        Class {
            info: PresetInfo {
                name: "optax.warmup_constant_schedule",
                doc: "warm-up, then the rate",
                arguments: &[INIT, PEAK, WARMUP],
            },
            rate: "peak_value",
            needs: 3,
            differs: EMPTY,
            build: |given| {
                let mut up = warmup(given)?;
                if given.is_compatible() && given.span("warmup_steps").is_err() {
                    up = Phase { from: up.from, ..Phase::hold(None) };
                }
                Ok(given.schedule(given.rate()?, vec![up]))
            },
        },
        Class {
            info: PresetInfo {
                name: "optax.warmup_cosine_decay_schedule",
                doc: "warm-up, then half a cosine, to a power",
                arguments: &[
                    INIT,
                    PEAK,
                    WARMUP,
                    argument("decay_steps", Time, "", "the whole length, warm-up included"),
                    argument("end_value", Number, "0", "the rate at the end"),
                    EXPONENT,
                ],
            },
            rate: "peak_value",
            needs: 4,
            differs: "a warm-up as long as everything ends in a jump, where optax fails",
            build: warmup_cosine,
        },
        Class {
            info: PresetInfo {
                name: "optax.warmup_exponential_decay_schedule",
                doc: "warm-up, then falls by `decay_rate` every `transition_steps`",
                arguments: &[INIT, PEAK, WARMUP, PERIOD, FACTOR, BEGIN, STAIRS, LIMIT],
            },
            rate: "peak_value",
            needs: 5,
            differs: "a factor of zero is zero, and `transition_steps = 0` is refused, where optax stays at the peak for ever",
            build: |given| {
                let peak = given.rate()?;
                let phases = [vec![warmup(given)?], exponential(given, peak)?].concat();
                Ok(given.schedule(peak, phases))
            },
        },
        Class {
            info: PresetInfo {
                name: "optax.sgdr_schedule",
                doc: "warm-ups and cosines, one after the other",
                arguments: &[
                    argument("init_value", Numbers, "", "each one's rate at the start"),
                    argument("peak_value", Numbers, "", "each one's rate after its warm-up"),
                    argument("warmup_steps", Times, "", "how long each warm-up takes"),
                    argument("decay_steps", Times, "", "each one's whole length, warm-up included"),
                    argument("end_value", Numbers, "", "each one's rate at its end; zero"),
                ],
            },
            rate: "peak_value",
            needs: 4,
            differs: "`cosine_kwargs` is a list for each of its keys",
            build: sgdr,
        },
        Class {
            info: PresetInfo {
                name: "optax.reduce_on_plateau",
                doc: "falls by `factor` when a metric stops improving",
                arguments: plateau::OPTAX,
            },
            rate: "peak",
            needs: 0,
            differs: "it watches `monitor` at the sweep's evaluations, which stand for `accumulation_size`; one of `rtol` and `atol` is 0; its state is part of a checkpoint",
            build: plateau::optax,
        },
    ],
    elsewhere: &[(
        "optax.join_schedules",
        "phases follow each other: phases = \"0 > 1 linear for 100st, > 0 cosine for 900st\"",
    )],
};

/// From `init_value` to `end_value`, whichever is higher.
fn transition(given: &Given, shape: Shape) -> Result<Schedule, PresetError> {
    let (init, end) = (given.rate()?, given.natural("end_value")?);
    let peak = init.max(end);
    let length = given.time("transition_steps");
    let mut phases =
        vec![Phase::hold(given.time("transition_begin")).starting_at(multiple(init, peak))];
    if given.is_compatible() && length.is_none_or(|length| length.number() <= 0.0) {
        phases[0].length = None;
    } else {
        phases.push(Phase::shape(length, multiple(end, peak), shape));
        phases.push(Phase::hold(None));
    }
    Ok(given.schedule(peak, phases))
}

/// From `init_value` to the peak.
fn warmup(given: &Given) -> Result<Phase<Duration>, PresetError> {
    let from = given.multiple("init_value", given.rate()?)?;
    Ok(Phase::shape(given.time("warmup_steps"), 1.0, Shape::Linear).starting_at(from))
}

fn exponential(given: &Given, peak: f64) -> Result<Phases, PresetError> {
    let gamma = given.natural("decay_rate")?;
    let is_stuck = gamma == 0.0 || given.span("transition_steps").is_err();
    if given.is_compatible() && is_stuck {
        return Ok(vec![Phase::hold(None).starting_at(1.0)]);
    }
    let tau = given.span("transition_steps")?;
    let stairs = if given.flag("staircase") { Stairs::Stairs } else { Stairs::Smooth };
    let limit =
        if given.has("end_value") { Some(given.multiple("end_value", peak)?) } else { None };
    let floor = limit.filter(|_| gamma < 1.0);
    let ceiling = limit.filter(|_| 1.0 <= gamma);
    let start = ceiling.map_or(floor.unwrap_or(1.0).max(1.0), |ceiling| ceiling.min(1.0));
    let mut phases = vec![Phase::hold(given.time("transition_begin")).starting_at(start)];
    let mut law = Phase::law(Law::Decay { gamma, tau, stairs }, floor).starting_at(1.0);
    match ceiling {
        Some(ceiling) if ceiling <= 1.0 || gamma == 1.0 => {
            phases.push(Phase::hold(None));
        }
        Some(ceiling) => {
            // So many times `decay_rate` reaches the ceiling.
            let times = ceiling.ln() / gamma.ln();
            let times = if stairs == Stairs::Stairs { times.floor() + 1.0 } else { times };
            law.length = Some(tau.times(times));
            phases.extend([law, Phase::hold(None).starting_at(ceiling)]);
        }
        None => phases.push(law),
    }
    Ok(phases)
}

/// How long it is until each boundary, in order, and the scale there.
fn scaled(given: &Given) -> Result<Vec<(Duration, f64)>, PresetError> {
    let (boundaries, scales) = (given.times("boundaries"), given.rates("scales")?);
    if boundaries.len() != scales.len() {
        return Err(given.wrong("scales", "as many as there are boundaries"));
    }
    let mut pairs: Vec<_> = boundaries.into_iter().zip(scales.iter().copied()).collect();
    let in_steps = |time: Duration| time.in_steps(given.horizon);
    pairs.sort_by(|(a, _), (b, _)| in_steps(*a).total_cmp(&in_steps(*b)));
    let (boundaries, scales): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    Ok(given.stretches("boundaries", &boundaries)?.into_iter().zip(scales).collect())
}

fn piecewise_constant(given: &Given) -> Result<Schedule, PresetError> {
    let mut phases = Phases::new();
    let mut value = 1.0;
    for (length, scale) in scaled(given)? {
        phases.push(Phase::hold(Some(length)).starting_at(value));
        value *= scale;
    }
    phases.push(Phase::hold(None).starting_at(value));
    Ok(given.schedule(given.rate()?, phases))
}

fn piecewise_interpolate(given: &Given) -> Result<Schedule, PresetError> {
    let shape = if given.word("interpolate_type") == "linear" { Shape::Linear } else { COSINE };
    let mut value = 1.0;
    let mut phases = Phases::new();
    for (length, scale) in scaled(given)? {
        value *= scale;
        phases.push(Phase::shape(Some(length), value, shape));
    }
    phases.push(Phase::hold(None));
    Ok(given.schedule(given.rate()?, phases))
}

/// The whole step at which a share of the length is over.
fn corner(given: &Given, share: &str) -> Result<f64, PresetError> {
    Ok((given.natural(share)? * length(given)?).floor())
}

/// The whole length of one cycle, in steps.
fn length(given: &Given) -> Result<f64, PresetError> {
    given.count("transition_steps").ok_or_else(|| given.missing("transition_steps"))
}

/// From one corner, a time and a value, to the next.
fn one_cycle(
    given: &Given,
    low: f64,
    shape: Shape,
    corners: &[(f64, f64)],
) -> Result<Schedule, PresetError> {
    let mut start = 0.0;
    let mut phases = vec![Phase::hold(Some(Duration::ZERO)).starting_at(low)];
    for &(end, to) in corners {
        // Optax keeps one value of two at the same step.
        let is_lost = given.is_compatible() && end == start;
        if end < start || is_lost {
            return Err(given.wrong("pct_start", "a share that leaves room for the others"));
        }
        phases.push(Phase::shape(Some(given.counted(end - start)), to, shape));
        start = end;
    }
    Ok(given.schedule(given.rate()?, phases))
}

fn warmup_cosine(given: &Given) -> Result<Schedule, PresetError> {
    let peak = given.rate()?;
    let whole = given.span("decay_steps")?;
    let warmup_length = given.time("warmup_steps").unwrap_or(Duration::ZERO);
    let rest = given.rest(("decay_steps", whole), ("warmup_steps", warmup_length))?;
    let shape = Shape::Cosine { e: given.positive("exponent")?, k: 1.0 };
    let fall = Phase::shape(Some(rest), given.multiple("end_value", peak)?, shape);
    Ok(given.schedule(peak, vec![warmup(given)?, fall]))
}

fn sgdr(given: &Given) -> Result<Schedule, PresetError> {
    let (inits, peaks) = (given.rates("init_value")?, given.rates("peak_value")?);
    let (warmups, wholes) = (given.times("warmup_steps"), given.times("decay_steps"));
    let n = peaks.len();
    let ends = match given.rates("end_value")? {
        [] => vec![0.0; n],
        ends => ends.to_vec(),
    };
    for (name, length) in [
        ("init_value", inits.len()),
        ("warmup_steps", warmups.len()),
        ("decay_steps", wholes.len()),
        ("end_value", ends.len()),
    ] {
        if length != n {
            return Err(given.wrong(name, format!("as long as `peak_value`: {n}")));
        }
    }
    let all = inits.iter().chain(peaks).chain(&ends);
    let peak = all.copied().fold(0.0, f64::max);
    let mut phases = Phases::new();
    for i in 0..n {
        let rest = given.rest(("decay_steps", wholes[i]), ("warmup_steps", warmups[i]))?;
        let up = Phase::shape(Some(warmups[i]), multiple(peaks[i], peak), Shape::Linear);
        phases.push(up.starting_at(multiple(inits[i], peak)));
        phases.push(Phase::shape(Some(rest), multiple(ends[i], peak), COSINE));
    }
    Ok(given.schedule(peak, phases))
}
