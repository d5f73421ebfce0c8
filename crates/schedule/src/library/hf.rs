//! `transformers.get_scheduler` of Hugging Face, by the names that its trainer takes (`lr_scheduler_type`).

use super::{
    Class, Library, plateau,
    read::{COSINE, Phases, cycle, falling, waves},
};
use crate::{
    duration::Duration,
    phase::{Cycle, Law, Phase, Shape},
    preset::{
        ArgumentInfo,
        Expected::{Count, Number, Time, Word},
        Given, PresetError, PresetInfo, argument,
    },
    schedule::{Sample, Schedule},
};

const WARMUP: ArgumentInfo =
    argument("num_warmup_steps", Time, "0", "linear warm-up from zero before the rest");
const TOTAL: ArgumentInfo = argument(
    "num_training_steps",
    Time,
    "",
    "the whole length, warm-up included; the trial's budget",
);
const WAVES: ArgumentInfo =
    argument("num_cycles", Number, "0.5", "waves of the cosine; half a wave goes down once");
const LOW: ArgumentInfo = argument("min_lr", Number, "", "the lowest rate; or `min_lr_rate`");
const LOW_SHARE: ArgumentInfo =
    argument("min_lr_rate", Number, "", "the lowest rate as a multiple of the rate; or `min_lr`");
const COSINES: &str =
    "after the end the last value holds, where Hugging Face's cosine climbs again";

pub(super) const LIBRARY: Library = Library {
    name: "hf",
    title: "Hugging Face Transformers",
    version: "5.23.0",
    modules: &["optimization", "trainer_utils", "SchedulerType"],
    classes: &[
        Class {
            info: PresetInfo { name: "hf.constant", doc: "the rate throughout", arguments: &[] },
            rate: "peak",
            needs: 0,
            differs: "",
            build: |given| Ok(given.schedule(given.rate()?, vec![Phase::hold(None)])),
        },
        Class {
            info: PresetInfo {
                name: "hf.constant_with_warmup",
                doc: "warm-up, then the rate",
                arguments: &[WARMUP],
            },
            rate: "peak",
            needs: 0,
            differs: "",
            build: |given| warmed(given, vec![Phase::hold(None)]),
        },
        Class {
            info: PresetInfo {
                name: "hf.linear",
                doc: "warm-up, then a straight line to zero",
                arguments: &[WARMUP, TOTAL],
            },
            rate: "peak",
            needs: 0,
            differs: "",
            build: |given| {
                warmed(
                    given,
                    vec![Phase::shape(after_warmup(given, Duration::ZERO)?, 0.0, Shape::Linear)],
                )
            },
        },
        Class {
            info: PresetInfo {
                name: "hf.cosine",
                doc: "warm-up, then a cosine to zero",
                arguments: &[WARMUP, TOTAL, WAVES],
            },
            rate: "peak",
            needs: 0,
            differs: COSINES,
            build: |given| warmed(given, cosine(given, 0.0)?),
        },
        Class {
            info: PresetInfo {
                name: "hf.cosine_with_restarts",
                doc: "warm-up, then cosines to zero, each of the same length",
                arguments: &[WARMUP, TOTAL, argument("num_cycles", Count, "1", "so many cosines")],
            },
            rate: "peak",
            needs: 0,
            differs: "",
            build: |given| {
                let count = given.cycles("num_cycles")?;
                let all = bounded(given)?;
                let restarts = Cycle {
                    count: Some(count),
                    ..falling(all.times(1.0 / f64::from(count)), 0.0, COSINE)
                };
                warmed(given, vec![cycle(None, restarts)])
            },
        },
        Class {
            info: PresetInfo {
                name: "hf.polynomial",
                doc: "warm-up, then (1 - u)^power to `lr_end`",
                arguments: &[
                    WARMUP,
                    TOTAL,
                    argument("lr_end", Number, "1e-7", "the rate at the end"),
                    argument("power", Number, "1", "the power"),
                ],
            },
            rate: "peak",
            needs: 0,
            differs: "a warm-up as long as everything ends in a jump, where Hugging Face divides by zero; `lr_end` may be above the rate",
            build: |given| {
                let end = given.multiple("lr_end", given.rate()?)?;
                let shape = Shape::Poly { p: given.positive("power")?, k: 1.0 };
                warmed(given, vec![Phase::shape(after_warmup(given, Duration::ZERO)?, end, shape)])
            },
        },
        Class {
            info: PresetInfo {
                name: "hf.inverse_sqrt",
                doc: "warm-up, then 1 / sqrt(1 + t / timescale)",
                arguments: &[
                    WARMUP,
                    argument(
                        "timescale",
                        Time,
                        "",
                        "the unit of time; the warm-up, or 10000 without one",
                    ),
                ],
            },
            rate: "peak",
            needs: 0,
            differs: "",
            build: |given| {
                let warmup = warmup(given);
                let default = if 0.0 < warmup.number() { warmup } else { given.counted(10_000.0) };
                let tau = given.time("timescale").unwrap_or(default);
                warmed(given, vec![Phase::law(Law::Inverse { p: 0.5, tau }, None)])
            },
        },
        Class {
            info: PresetInfo {
                name: "hf.cosine_with_min_lr",
                doc: "warm-up, then a cosine to a lowest rate",
                arguments: &[WARMUP, TOTAL, WAVES, LOW, LOW_SHARE],
            },
            rate: "peak",
            needs: 0,
            differs: COSINES,
            build: |given| warmed(given, cosine(given, lowest(given)?)?),
        },
        Class {
            info: PresetInfo {
                name: "hf.cosine_warmup_with_min_lr",
                doc: "warm-up, then a cosine to a lowest rate, each read at the end of its step",
                arguments: &[
                    WARMUP,
                    TOTAL,
                    WAVES,
                    LOW,
                    LOW_SHARE,
                    argument(
                        "warmup_lr_rate",
                        Number,
                        "",
                        "where the warm-up starts; one step's worth",
                    ),
                ],
            },
            rate: "peak",
            needs: 0,
            differs: COSINES,
            build: cosine_right,
        },
        Class {
            info: PresetInfo {
                name: "hf.warmup_stable_decay",
                doc: "warm-up, a stable rate, a cooldown",
                arguments: &[
                    argument("num_decay_steps", Time, "", "how long the cooldown takes"),
                    WARMUP,
                    TOTAL,
                    argument("num_stable_steps", Time, "", "how long it is stable; what is left"),
                    argument("warmup_type", SHAPES, "linear", "the warm-up's shape"),
                    argument("decay_type", SHAPES, "cosine", "the cooldown's shape"),
                    argument("min_lr_ratio", Number, "0", "where it starts and ends"),
                    WAVES,
                ],
            },
            rate: "peak",
            needs: 1,
            differs: "",
            build: warmup_stable_decay,
        },
        Class {
            info: PresetInfo {
                name: "hf.reduce_lr_on_plateau",
                doc: "PyTorch's ReduceLROnPlateau",
                arguments: plateau::TORCH,
            },
            rate: "peak",
            needs: 0,
            differs: plateau::DIFFERS,
            build: plateau::torch,
        },
    ],
    elsewhere: &[(
        "hf.greedy",
        "it raises the rate as well as lowering it, by what it measures: `plateau` only lowers it",
    )],
};

const SHAPES: crate::preset::Expected = Word(&["linear", "cosine", "1-sqrt"]);

fn warmup(given: &Given) -> Duration {
    given.time("num_warmup_steps").unwrap_or(Duration::ZERO)
}

/// A linear warm-up from zero, and what follows.
fn warmed(given: &Given, body: Phases) -> Result<Schedule, PresetError> {
    let warmup = warmup(given);
    let up = Phase::shape(Some(warmup), 1.0, Shape::Linear).starting_at(0.0);
    let up = (0.0 < warmup.number()).then_some(up);
    Ok(given.schedule(given.rate()?, up.into_iter().chain(body).collect()))
}

/// What the warm-up leaves of the whole; `None` for whatever the budget leaves.
fn after_warmup(given: &Given, least: Duration) -> Result<Option<Duration>, PresetError> {
    let Some(total) = given.time("num_training_steps") else { return Ok(None) };
    let warmup = ("num_warmup_steps", warmup(given));
    given.rest_or(("num_training_steps", total), warmup, least).map(Some)
}

/// The same, where it must be known before the budget is.
fn bounded(given: &Given) -> Result<Duration, PresetError> {
    if let Some(length) = after_warmup(given, given.per())? {
        return Ok(length);
    }
    match given.minus(Duration::Fraction(1.0), warmup(given)) {
        length if length.number() < 0.0 => {
            Err(given.wrong("num_warmup_steps", "it is longer than the budget"))
        }
        length => Ok(length),
    }
}

fn cosine(given: &Given, low: f64) -> Result<Phases, PresetError> {
    let cycles = given.positive("num_cycles")?;
    if cycles == 0.5 && !given.is_compatible() {
        return Ok(vec![Phase::shape(after_warmup(given, given.per())?, low, COSINE)]);
    }
    let all = bounded(given)?;
    let waves = |length| cycle(length, waves(all.times(1.0 / cycles), low));
    Ok(if given.is_compatible() {
        vec![waves(None)]
    } else {
        vec![waves(Some(all)), Phase::hold(None)]
    })
}

fn lowest(given: &Given) -> Result<f64, PresetError> {
    match (given.has("min_lr"), given.has("min_lr_rate")) {
        (true, true) => Err(given.wrong("min_lr", "give it or `min_lr_rate`, not both")),
        (true, false) => given.multiple("min_lr", given.rate()?),
        (false, true) => given.natural("min_lr_rate"),
        (false, false) => Err(given.missing("min_lr")),
    }
}

/// Hugging Face adds one to the step here, but not when the warm-up starts at a rate of its own.
fn cosine_right(given: &Given) -> Result<Schedule, PresetError> {
    let (warmup, body) = (warmup(given), cosine(given, lowest(given)?)?);
    let mut schedule = warmed(given, body)?;
    schedule.sample = Sample::Right;
    if given.has("warmup_lr_rate") && 0.0 < warmup.number() {
        let start = given.natural("warmup_lr_rate")?;
        let slope = given.rest(("num_warmup_steps", warmup), ("per", given.per()))?;
        if slope.number() <= 0.0 && given.is_compatible() {
            // One step at the start, and one of the body is over after it.
            let twice = given.per().times(2.0);
            schedule.factors[0][0] = Phase::hold(Some(twice)).starting_at(start);
            schedule.factors[0][1].from = Some(1.0);
            schedule.factors[0][1].skip = Some(given.per());
            return Ok(schedule);
        }
        if slope.number() <= 0.0 {
            return Err(given.wrong("warmup_lr_rate", "a warm-up of at least two steps"));
        }
        let up = [
            Phase::hold(Some(given.per())).starting_at(start),
            Phase::shape(Some(slope), 1.0, Shape::Linear),
        ];
        schedule.factors[0].splice(..1, up);
    }
    Ok(schedule)
}

fn warmup_stable_decay(given: &Given) -> Result<Schedule, PresetError> {
    let low = given.natural("min_lr_ratio")?;
    let warmup = warmup(given);
    let decay = given.time("num_decay_steps").unwrap_or(Duration::ZERO);
    let (stable, total) = (given.time("num_stable_steps"), given.time("num_training_steps"));
    let mut begun = None;
    let stable = match (stable, total) {
        (Some(stable), _) => Some(stable),
        (None, None) => None,
        (None, Some(total)) => {
            let rest = given.minus(given.minus(total, warmup), decay);
            if given.is_compatible() && rest.number() < 0.0 {
                // The cooldown has begun before the warm-up is over.
                begun = Some(rest.times(-1.0));
                Some(Duration::ZERO)
            } else {
                let part = given.plus(warmup, decay);
                Some(given.rest(("num_training_steps", total), ("num_decay_steps", part))?)
            }
        }
    };
    let up = match given.word("warmup_type") {
        "cosine" => COSINE,
        // s(u) = 1 - that of the cooldown read backwards.
        "1-sqrt" => Shape::Poly { p: 0.5, k: 1.0 },
        _ => Shape::Linear,
    };
    let down = match given.word("decay_type") {
        "linear" => Shape::Linear,
        "1-sqrt" => Shape::Power { p: 0.5 },
        _ => COSINE,
    };
    let cycles = given.positive("num_cycles")?;
    let mut phases = vec![
        Phase::shape(Some(warmup), 1.0, up).starting_at(low),
        Phase::hold(stable).starting_at(1.0),
    ];
    if down == COSINE && cycles != 0.5 {
        let length = begun.map_or(decay, |begun| given.minus(decay, begun));
        if 0.0 < length.number() {
            let waves = cycle(Some(length), waves(decay.times(1.0 / cycles), low));
            phases.push(Phase { skip: begun, ..waves });
        }
        phases.push(Phase::hold(None).starting_at(low));
    } else {
        phases.push(Phase { skip: begun, ..Phase::shape(Some(decay), low, down) });
    }
    Ok(given.schedule(given.rate()?, phases))
}
