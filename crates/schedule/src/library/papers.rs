//! Schedules that people know by a paper and the arguments it gives them.

use super::{Class, Library};
use crate::{
    phase::{Law, Phase, Shape},
    preset::{
        Expected::{Count, Number, Time},
        PresetInfo, argument,
    },
    schedule::Sample,
};

pub(super) const LIBRARY: Library = Library {
    name: "papers",
    title: "Papers",
    version: "",
    modules: &[],
    classes: &[
        Class {
            info: PresetInfo {
                name: "papers.noam",
                doc: "factor * d_model^-0.5 * min(t^-0.5, t * warmup_steps^-1.5), with t from 1 (arXiv 1706.03762)",
                arguments: &[
                    argument("d_model", Count, "", "the width of the model"),
                    argument("warmup_steps", Time, "4000", "how long the warm-up takes"),
                    argument("factor", Number, "1", "everything times this"),
                ],
            },
            rate: "d_model",
            needs: 1,
            differs: "",
            build: |given| {
                if given.peak.is_some() {
                    return Err(
                        given.wrong("peak", "leave it out: `d_model` and `factor` decide the rate")
                    );
                }
                let warmup = given.span("warmup_steps")?;
                let times = given.count("warmup_steps").unwrap_or(1.0);
                let peak = given.positive("factor")? / (given.positive("d_model")? * times).sqrt();
                let mut schedule = given.schedule(
                    peak,
                    vec![
                        Phase::shape(Some(warmup), 1.0, Shape::Linear).starting_at(0.0),
                        Phase::law(Law::Inverse { p: 0.5, tau: warmup }, None),
                    ],
                );
                schedule.sample = Sample::Right;
                Ok(schedule)
            },
        },
        Class {
            info: PresetInfo {
                name: "papers.rex",
                doc: "(1 - z) / (1/2 + 1/2 (1 - z)), with z the share that is over (arXiv 2107.04197)",
                arguments: &[argument(
                    "total_steps",
                    Time,
                    "",
                    "how long it takes; the trial's budget",
                )],
            },
            rate: "peak",
            needs: 0,
            differs: "",
            build: |given| {
                let fall = Phase::shape(given.time("total_steps"), 0.0, Shape::Rex { b: 0.5 });
                Ok(given.schedule(given.rate()?, vec![fall]))
            },
        },
    ],
    elsewhere: &[],
};
