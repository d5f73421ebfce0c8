//! `keras.optimizers.schedules` of Keras 3.

use super::{
    Class, Library, plateau,
    read::{COSINE, cycle, falling, multiple},
};
use crate::{
    duration::Duration,
    phase::{Cycle, Law, Phase, Shape, Stairs},
    preset::{
        ArgumentInfo,
        Expected::{Bool, Number, Numbers, Time, Times},
        Given, PresetError, PresetInfo, argument,
    },
    schedule::Schedule,
};

const RATE: ArgumentInfo = argument("initial_learning_rate", Number, "", "the rate at the start");
const STAIRS: ArgumentInfo =
    argument("staircase", Bool, "false", "in stairs of `decay_steps` instead of smoothly");

pub(super) const LIBRARY: Library = Library {
    name: "keras",
    title: "Keras",
    version: "3.15.1",
    modules: &["tf", "tensorflow", "legacy", "experimental", "learning_rate_schedule"],
    classes: &[
        Class {
            info: PresetInfo {
                name: "keras.ExponentialDecay",
                doc: "falls by `decay_rate` every `decay_steps`",
                arguments: &[
                    RATE,
                    argument("decay_steps", Time, "", "how often `decay_rate` applies"),
                    argument("decay_rate", Number, "", "the factor"),
                    STAIRS,
                ],
            },
            rate: "initial_learning_rate",
            needs: 3,
            differs: "",
            build: |given| {
                let (gamma, tau) = (given.natural("decay_rate")?, given.span("decay_steps")?);
                let stairs = if given.flag("staircase") { Stairs::Stairs } else { Stairs::Smooth };
                let law = Law::Decay { gamma, tau, stairs };
                Ok(given.schedule(given.rate()?, vec![Phase::law(law, None)]))
            },
        },
        Class {
            info: PresetInfo {
                name: "keras.PiecewiseConstantDecay",
                doc: "one rate after another",
                arguments: &[
                    argument("boundaries", Times, "", "each is the last step of its rate"),
                    argument("values", Numbers, "", "the rates: one more than boundaries"),
                ],
            },
            rate: "values",
            needs: 2,
            differs: "",
            build: piecewise,
        },
        Class {
            info: PresetInfo {
                name: "keras.PolynomialDecay",
                doc: "(1 - u)^power, to `end_learning_rate`",
                arguments: &[
                    RATE,
                    argument("decay_steps", Time, "", "how long it takes"),
                    argument("end_learning_rate", Number, "0.0001", "the rate at the end"),
                    argument("power", Number, "1", "the power"),
                    argument("cycle", Bool, "false", "not here: write `sgdr` or a table"),
                ],
            },
            rate: "initial_learning_rate",
            needs: 2,
            differs: "`cycle = true` is refused: its teeth fall as 1/n^power, which no cycle here does",
            build: polynomial,
        },
        Class {
            info: PresetInfo {
                name: "keras.InverseTimeDecay",
                doc: "1 / (1 + decay_rate * t / decay_steps)",
                arguments: &[
                    RATE,
                    argument("decay_steps", Time, "", "the unit of time"),
                    argument("decay_rate", Number, "", "how fast it falls"),
                    STAIRS,
                ],
            },
            rate: "initial_learning_rate",
            needs: 3,
            differs: "",
            build: inverse_time,
        },
        Class {
            info: PresetInfo {
                name: "keras.CosineDecay",
                doc: "half a cosine, after a linear warm-up to `warmup_target` if there is one",
                arguments: &[
                    RATE,
                    argument(
                        "decay_steps",
                        Time,
                        "",
                        "how long the cosine takes, the warm-up apart",
                    ),
                    argument("alpha", Number, "0", "the end, as a multiple of the cosine's start"),
                    argument(
                        "warmup_target",
                        Number,
                        "",
                        "the rate after the warm-up; none without it",
                    ),
                    argument("warmup_steps", Time, "0", "how long the warm-up takes"),
                ],
            },
            rate: "initial_learning_rate",
            needs: 2,
            differs: "`warmup_steps` without `warmup_target` is refused, where Keras ignores it",
            build: cosine,
        },
        Class {
            info: PresetInfo {
                name: "keras.CosineDecayRestarts",
                doc: "cosines with warm restarts",
                arguments: &[
                    RATE,
                    argument("first_decay_steps", Time, "", "the length of the first cycle"),
                    argument("t_mul", Number, "2", "each cycle is so many times as long"),
                    argument(
                        "m_mul",
                        Number,
                        "1",
                        "each cycle's amplitude is so many times as high",
                    ),
                    argument("alpha", Number, "0", "the lowest rate, as a multiple of the first"),
                ],
            },
            rate: "initial_learning_rate",
            needs: 2,
            differs: "restarts are exact; Keras finds them with logarithms in single precision, which may miss one",
            build: |given| {
                let restarts = Cycle {
                    grow: given.growth("t_mul")?,
                    gain: given.natural("m_mul")?,
                    ..falling(given.span("first_decay_steps")?, given.natural("alpha")?, COSINE)
                };
                Ok(given.schedule(given.rate()?, vec![cycle(None, restarts)]))
            },
        },
        Class {
            info: PresetInfo {
                name: "keras.ReduceLROnPlateau",
                doc: "falls by `factor` when a metric stops improving",
                arguments: plateau::KERAS,
            },
            rate: "peak",
            needs: 0,
            differs: plateau::DIFFERS,
            build: plateau::keras,
        },
    ],
    elsewhere: &[(
        "keras.LearningRateScheduler",
        "a function of the epoch is a list of its values: table = [1.0, 0.5], every = \"1ep\"",
    )],
};

fn piecewise(given: &Given) -> Result<Schedule, PresetError> {
    let (boundaries, values) = (given.times("boundaries"), given.rates("values")?);
    if values.len() != boundaries.len() + 1 {
        return Err(given.wrong("values", "one more rate than there are boundaries"));
    }
    let peak = values.iter().copied().fold(0.0, f64::max);
    // A boundary is the last step of its rate.
    let ends: Vec<Duration> =
        boundaries.iter().map(|boundary| given.plus(*boundary, given.per())).collect();
    let lengths = given.stretches("boundaries", &ends)?.into_iter().map(Some).chain([None]);
    let held = |(length, value): (_, &f64)| Phase::hold(length).starting_at(multiple(*value, peak));
    Ok(given.schedule(peak, lengths.zip(values).map(held).collect()))
}

fn polynomial(given: &Given) -> Result<Schedule, PresetError> {
    if given.flag("cycle") {
        let help = "write `sgdr` for restarts, or the rates as a `table`";
        return Err(given.wrong("cycle", help));
    }
    let peak = given.rate()?;
    let shape = Shape::Poly { p: given.positive("power")?, k: 1.0 };
    let end = given.multiple("end_learning_rate", peak)?;
    Ok(given.schedule(peak, vec![Phase::shape(Some(given.span("decay_steps")?), end, shape)]))
}

fn inverse_time(given: &Given) -> Result<Schedule, PresetError> {
    let (rate, unit) = (given.natural("decay_rate")?, given.span("decay_steps")?);
    let phase = if rate == 0.0 {
        Phase::hold(None)
    } else {
        Phase::law(Law::Inverse { p: 1.0, tau: unit.times(1.0 / rate) }, None)
    };
    let mut schedule = given.schedule(given.rate()?, vec![phase]);
    if given.flag("staircase") {
        schedule.hold = unit;
    }
    Ok(schedule)
}

fn cosine(given: &Given) -> Result<Schedule, PresetError> {
    let (rate, decay) = (given.rate()?, given.span("decay_steps")?);
    let alpha = given.natural("alpha")?;
    let (Some(warmup), target) = (given.time("warmup_steps"), given.number("warmup_target")) else {
        return Err(given.missing("warmup_steps"));
    };
    let fall = Phase::shape(Some(decay), alpha, COSINE);
    let Some(target) = target else {
        if 0.0 < warmup.number() {
            return Err(given.missing("warmup_target"));
        }
        return Ok(given.schedule(rate, vec![fall]));
    };
    if target <= 0.0 {
        return Err(given.wrong("warmup_target", "a rate above zero"));
    }
    let up = Phase::shape(Some(warmup), 1.0, Shape::Linear).starting_at(rate / target);
    Ok(given.schedule(target, vec![up, fall]))
}
