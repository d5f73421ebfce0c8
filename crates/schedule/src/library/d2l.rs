//! The schedulers that section 12.11 of "Dive into Deep Learning" defines, as it defines them.

use super::{
    Class, Library,
    read::{COSINE, Phases},
};
use crate::{
    duration::Duration,
    phase::{Law, Phase, Shape, Stairs},
    preset::{
        Expected::{Number, Time},
        PresetInfo, argument,
    },
};

pub(super) const LIBRARY: Library = Library {
    name: "d2l",
    title: "Dive into Deep Learning",
    version: "",
    modules: &[],
    classes: &[
        Class {
            info: PresetInfo {
                name: "d2l.SquareRootScheduler",
                doc: "1 / sqrt(t + 1)",
                arguments: &[argument("lr", Number, "0.1", "the rate at the start")],
            },
            rate: "lr",
            needs: 0,
            differs: "",
            build: |given| {
                let law = Law::Inverse { p: 0.5, tau: given.per() };
                Ok(given.schedule(given.rate()?, vec![Phase::law(law, None)]))
            },
        },
        Class {
            info: PresetInfo {
                name: "d2l.FactorScheduler",
                doc: "falls by `factor` every time, before the first one too",
                arguments: &[
                    argument("factor", Number, "1", "the factor"),
                    argument("stop_factor_lr", Number, "1e-7", "the rate never falls below it"),
                    argument("base_lr", Number, "0.1", "the rate before the first fall"),
                ],
            },
            rate: "base_lr",
            needs: 0,
            differs: "",
            build: |given| {
                let peak = given.rate()?;
                let law = Law::Decay {
                    gamma: given.natural("factor")?,
                    tau: given.per(),
                    stairs: Stairs::Smooth,
                };
                let floor = given.multiple("stop_factor_lr", peak)?;
                let law = Phase { skip: Some(given.per()), ..Phase::law(law, Some(floor)) };
                Ok(given.schedule(peak, vec![law]))
            },
        },
        Class {
            info: PresetInfo {
                name: "d2l.CosineScheduler",
                doc: "linear warm-up, then half a cosine to `final_lr`",
                arguments: &[
                    argument("max_update", Time, "", "the whole length, warm-up included"),
                    argument("base_lr", Number, "0.01", "the rate after the warm-up"),
                    argument("final_lr", Number, "0", "the rate at the end"),
                    argument("warmup_steps", Time, "0", "how long the warm-up takes"),
                    argument("warmup_begin_lr", Number, "0", "the rate at its start"),
                ],
            },
            rate: "base_lr",
            needs: 1,
            differs: "",
            build: |given| {
                let peak = given.rate()?;
                let warmup = given.time("warmup_steps").unwrap_or(Duration::ZERO);
                let whole = given.span("max_update")?;
                let is_never_over = given.minus(whole, warmup).number() < 0.0;
                let fall = if given.is_compatible() && is_never_over {
                    Phase::hold(None).starting_at(1.0)
                } else {
                    let length = given.rest(("max_update", whole), ("warmup_steps", warmup))?;
                    Phase::shape(Some(length), given.multiple("final_lr", peak)?, COSINE)
                };
                let mut phases = Phases::new();
                if 0.0 < warmup.number() {
                    let start = given.multiple("warmup_begin_lr", peak)?;
                    phases.push(Phase::shape(Some(warmup), 1.0, Shape::Linear).starting_at(start));
                }
                phases.push(fall);
                Ok(given.schedule(peak, phases))
            },
        },
    ],
    elsewhere: &[],
};
