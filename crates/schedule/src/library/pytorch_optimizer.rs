//! `pytorch_optimizer.lr_scheduler`: what PyTorch does not have.

use super::{
    Class, Library,
    read::{COSINE, cycle, waves},
};
use crate::{
    duration::Duration,
    phase::{Phase, Shape},
    preset::{
        Expected::{Number, Time, Word},
        Given, PresetError, PresetInfo, argument,
    },
    schedule::Schedule,
};

pub(super) const LIBRARY: Library = Library {
    name: "pytorch_optimizer",
    title: "pytorch_optimizer",
    version: "4.1.0",
    modules: &[],
    classes: &[
        Class {
            info: PresetInfo {
                name: "pytorch_optimizer.get_wsd_schedule",
                doc: "warm-up, a stable rate, a cooldown",
                arguments: &[
                    argument("num_warmup_steps", Time, "", "linear warm-up from zero"),
                    argument("num_stable_steps", Time, "", "how long it is stable"),
                    argument("num_decay_steps", Time, "", "how long the cooldown takes"),
                    argument("min_lr_ratio", Number, "0", "the end"),
                    argument(
                        "cooldown_type",
                        Word(&["cosine", "1-sqrt", "linear", "1-square"]),
                        "1-sqrt",
                        "the cooldown's shape",
                    ),
                    argument("num_cycles", Number, "0.5", "waves of a cooldown along the cosine"),
                ],
            },
            rate: "peak",
            needs: 3,
            differs: "the cooldown leads to `min_lr_ratio`, where all but the cosine lead to zero there and then jump up to it",
            build: warmup_stable_decay,
        },
        Class {
            info: PresetInfo {
                name: "pytorch_optimizer.REXScheduler",
                doc: "reflected exponential, from `max_lr` to `min_lr`",
                arguments: &[
                    argument("total_steps", Time, "", "how long it takes"),
                    argument("max_lr", Number, "1", "the rate at the start"),
                    argument("min_lr", Number, "0", "the rate at the end"),
                ],
            },
            rate: "max_lr",
            needs: 1,
            differs: "the first step is at `max_lr`, where theirs is at `min_lr`",
            build: |given| {
                let peak = given.rate()?;
                let low = given.multiple("min_lr", peak)?;
                let shape = Shape::Rex { b: 0.5 };
                let length = given.span("total_steps")?;
                let fall = Phase::shape(Some(length), low, shape).starting_at(1.0);
                let phases = if given.is_compatible() {
                    let one = Phase::hold(Some(given.per())).starting_at(low);
                    vec![one, Phase { skip: Some(given.per()), ..fall }]
                } else {
                    vec![fall]
                };
                Ok(given.schedule(peak, phases))
            },
        },
    ],
    elsewhere: &[],
};

fn warmup_stable_decay(given: &Given) -> Result<Schedule, PresetError> {
    let low = given.natural("min_lr_ratio")?;
    let shape = match given.word("cooldown_type") {
        "cosine" => COSINE,
        "linear" => Shape::Linear,
        "1-square" => Shape::Power { p: 2.0 },
        _ => Shape::Power { p: 0.5 },
    };
    let (cycles, decay) = (given.positive("num_cycles")?, given.time("num_decay_steps"));
    let end = if given.is_compatible() && shape != COSINE { 0.0 } else { low };
    let phases = vec![
        Phase::shape(given.time("num_warmup_steps"), 1.0, Shape::Linear).starting_at(0.0),
        Phase::hold(given.time("num_stable_steps")).starting_at(1.0),
        match decay.filter(|decay| 0.0 < decay.number()) {
            Some(decay) if shape == COSINE && cycles != 0.5 => {
                cycle(Some(decay), waves(decay.times(1.0 / cycles), low))
            }
            decay => Phase::shape(decay.or(Some(Duration::ZERO)), end, shape),
        },
        Phase::hold(None).starting_at(low),
    ];
    Ok(given.schedule(given.rate()?, phases))
}
