//! `mxnet.lr_scheduler`, which counts updates from 1.

use super::{
    Class, Library,
    read::{COSINE, Phases},
};
use crate::{
    duration::Duration,
    phase::{Law, Phase, Shape, Stairs},
    preset::{
        ArgumentInfo,
        Expected::{Number, Time, Times, Word},
        Given, PresetError, PresetInfo, argument,
    },
    schedule::{Sample, Schedule},
};

const RATE: ArgumentInfo = argument("base_lr", Number, "0.01", "the rate");
const FACTOR: ArgumentInfo = argument("factor", Number, "1", "the factor");
const LENGTH: ArgumentInfo = argument("max_update", Time, "", "the whole length, warm-up included");
const END: ArgumentInfo = argument("final_lr", Number, "0", "the rate at the end");
const WARMUP: ArgumentInfo = argument("warmup_steps", Time, "0", "how long the warm-up takes");
const START: ArgumentInfo = argument("warmup_begin_lr", Number, "0", "the rate at its start");
const MODE: ArgumentInfo =
    argument("warmup_mode", Word(&["linear", "constant"]), "linear", "whether it climbs");

pub(super) const LIBRARY: Library = Library {
    name: "mxnet",
    title: "MXNet",
    version: "1.9.1",
    modules: &["mx"],
    classes: &[
        Class {
            info: PresetInfo {
                name: "mxnet.FactorScheduler",
                doc: "falls by `factor` every `step`",
                arguments: &[
                    argument("step", Time, "", "the length of a stair"),
                    FACTOR,
                    argument("stop_factor_lr", Number, "1e-8", "the rate never falls below it"),
                    RATE,
                    WARMUP,
                    START,
                    MODE,
                ],
            },
            rate: "base_lr",
            needs: 1,
            differs: "",
            build: |given| {
                let (gamma, tau) = (given.natural("factor")?, given.span("step")?);
                let floor = given.multiple("stop_factor_lr", given.rate()?)?;
                let law = Law::Decay { gamma, tau, stairs: Stairs::Stairs };
                falling_late(given, Phase::law(law, Some(floor)))
            },
        },
        Class {
            info: PresetInfo {
                name: "mxnet.MultiFactorScheduler",
                doc: "falls by `factor` after each step of a list",
                arguments: &[
                    argument("step", Times, "", "the milestones"),
                    FACTOR,
                    RATE,
                    WARMUP,
                    START,
                    MODE,
                ],
            },
            rate: "base_lr",
            needs: 1,
            differs: "",
            build: |given| {
                let law =
                    Law::Multistep { gamma: given.natural("factor")?, at: given.times("step") };
                falling_late(given, Phase::law(law, None))
            },
        },
        Class {
            info: PresetInfo {
                name: "mxnet.PolyScheduler",
                doc: "(1 - u)^pwr, to `final_lr`",
                arguments: &[
                    LENGTH,
                    RATE,
                    argument("pwr", Number, "2", "the power"),
                    END,
                    WARMUP,
                    START,
                    MODE,
                ],
            },
            rate: "base_lr",
            needs: 1,
            differs: "",
            build: |given| bounded(given, Shape::Poly { p: given.positive("pwr")?, k: 1.0 }),
        },
        Class {
            info: PresetInfo {
                name: "mxnet.CosineScheduler",
                doc: "half a cosine, to `final_lr`",
                arguments: &[LENGTH, RATE, END, WARMUP, START, MODE],
            },
            rate: "base_lr",
            needs: 1,
            differs: "",
            build: |given| bounded(given, COSINE),
        },
    ],
    elsewhere: &[],
};

fn warmup(given: &Given) -> Duration {
    given.time("warmup_steps").unwrap_or(Duration::ZERO)
}

/// The warm-up, if there is one, and what follows; read at the end of each step, since updates count from 1.
fn warmed(given: &Given, body: Phase<Duration>) -> Result<Schedule, PresetError> {
    let peak = given.rate()?;
    let mut phases = Phases::new();
    if 0.0 < warmup(given).number() {
        let start = given.multiple("warmup_begin_lr", peak)?;
        let up = match given.word("warmup_mode") {
            "constant" => Phase::hold(Some(warmup(given))),
            _ => Phase::shape(Some(warmup(given)), 1.0, Shape::Linear),
        };
        phases.push(up.starting_at(start));
    }
    phases.push(body.starting_at(1.0));
    let mut schedule = given.schedule(peak, phases);
    schedule.sample = Sample::Right;
    Ok(schedule)
}

fn bounded(given: &Given, shape: Shape) -> Result<Schedule, PresetError> {
    let (whole, warmup) = (given.span("max_update")?, warmup(given));
    if given.is_compatible() && given.minus(whole, warmup).number() < 0.0 {
        // MXNet never comes to the rest.
        return warmed(given, Phase::hold(None));
    }
    let length = given.rest(("max_update", whole), ("warmup_steps", warmup))?;
    let end = given.multiple("final_lr", given.rate()?)?;
    warmed(given, Phase::shape(Some(length), end, shape))
}

/// A law that counts from the first update, warm-up or not, and acts one update after its time, which is at its time
/// when updates count from 0.
fn falling_late(given: &Given, mut law: Phase<Duration>) -> Result<Schedule, PresetError> {
    if warmup(given).number() <= 0.0 {
        return Ok(given.schedule(given.rate()?, vec![law]));
    }
    law.skip = Some(given.rest(("warmup_steps", warmup(given)), ("per", given.per()))?);
    warmed(given, law)
}
