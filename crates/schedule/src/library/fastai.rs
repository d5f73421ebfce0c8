//! `fastai.callback.schedule`: shares of the whole training, which is the trial's budget, read at every step.

use super::{
    Class, Library, momentum,
    read::{COSINE, cycle, falling, multiple},
};
use crate::{
    duration::Duration,
    phase::{Cycle, Phase, Shape},
    preset::{
        ArgumentInfo,
        Expected::{Count, Number, Time},
        Given, PresetError, PresetInfo, argument,
    },
    schedule::Schedule,
};

const START: ArgumentInfo = argument("start", Number, "", "the rate at the start");
const EPOCHS: ArgumentInfo =
    argument("n_epoch", Number, "", "its length in epochs; the trial's budget");
const END: ArgumentInfo = argument("end", Number, "", "the rate at the end");

pub(super) const LIBRARY: Library = Library {
    name: "fastai",
    title: "fastai",
    version: "2.8.12",
    modules: &["all", "learn"],
    classes: &[
        Class {
            info: PresetInfo {
                name: "fastai.fit_one_cycle",
                doc: "up to the peak and down to almost nothing, along cosines",
                arguments: &[
                    argument("lr_max", Number, "", "the highest rate"),
                    argument("div", Number, "25", "it starts at lr_max / div"),
                    argument("div_final", Number, "100000", "it ends at lr_max / div_final"),
                    argument("pct_start", Number, "0.25", "the share of the way up"),
                    EPOCHS,
                    momentum::MOMS,
                ],
            },
            rate: "lr_max",
            needs: 1,
            differs: "momentum stays as it is without `moms`, where fastai moves it by [0.95, 0.85, 0.95]",
            build: |given| {
                let (low, last) =
                    (1.0 / given.positive("div")?, 1.0 / given.positive("div_final")?);
                let (up, down) = halves(given, "pct_start")?;
                let phases = vec![
                    Phase::shape(Some(up), 1.0, COSINE).starting_at(low),
                    Phase::shape(down, last, COSINE),
                ];
                Ok(given.schedule(given.rate()?, phases))
            },
        },
        Class {
            info: PresetInfo {
                name: "fastai.fit_flat_cos",
                doc: "the rate, then half a cosine",
                arguments: &[
                    argument("lr", Number, "", "the rate"),
                    argument("div_final", Number, "100000", "it ends at lr / div_final"),
                    argument("pct_start", Number, "0.75", "the share of the flat part"),
                    EPOCHS,
                ],
            },
            rate: "lr",
            needs: 1,
            differs: "",
            build: |given| {
                let last = 1.0 / given.positive("div_final")?;
                let (flat, down) = halves(given, "pct_start")?;
                let phases = vec![Phase::hold(Some(flat)), Phase::shape(down, last, COSINE)];
                Ok(given.schedule(given.rate()?, phases))
            },
        },
        Class {
            info: PresetInfo {
                name: "fastai.fit_sgdr",
                doc: "cosines with warm restarts, to zero",
                arguments: &[
                    argument("lr_max", Number, "", "the highest rate"),
                    argument("n_cycles", Count, "", "so many cycles"),
                    argument(
                        "cycle_len",
                        Time,
                        "",
                        "the length of the first one, in epochs as a number",
                    ),
                    argument("cycle_mult", Number, "2", "each cycle is so many times as long"),
                ],
            },
            rate: "lr_max",
            needs: 3,
            differs: "restarts are exact, where fastai may miss one by the rounding of single precision; `cycle_mult = 1` is cycles of one length, where it divides by zero",
            build: |given| {
                let length = match given.number("cycle_len") {
                    Some(_) => Duration::Epochs(given.positive("cycle_len")?),
                    None => given.span("cycle_len")?,
                };
                let restarts = Cycle {
                    grow: given.growth("cycle_mult")?,
                    count: Some(given.cycles("n_cycles")?),
                    ..falling(length, 0.0, COSINE)
                };
                Ok(given.schedule(given.rate()?, vec![cycle(None, restarts)]))
            },
        },
        Class {
            info: PresetInfo {
                name: "fastai.LRFinder",
                doc: "up by the same factor every step",
                arguments: &[
                    argument("start_lr", Number, "1e-7", "the rate at the start"),
                    argument("end_lr", Number, "10", "the rate at the end"),
                    argument("num_it", Time, "100", "how long it takes"),
                ],
            },
            rate: "end_lr",
            needs: 0,
            differs: "it never stops by itself",
            build: |given| {
                let peak = given.rate()?;
                let start = given.multiple("start_lr", peak)?;
                let way = Phase::shape(Some(given.span("num_it")?), 1.0, Shape::Geometric);
                Ok(given.schedule(peak, vec![way.starting_at(start), Phase::hold(None)]))
            },
        },
        Class {
            info: PresetInfo {
                name: "fastai.SchedNo",
                doc: "the rate at the start throughout",
                arguments: &[START, END],
            },
            rate: "start",
            needs: 1,
            differs: "",
            build: |given| Ok(given.schedule(given.rate()?, vec![Phase::hold(None)])),
        },
        Class {
            info: PresetInfo {
                name: "fastai.SchedLin",
                doc: "a straight line",
                arguments: &[START, END],
            },
            rate: "start",
            needs: 2,
            differs: "",
            build: |given| annealer(given, Shape::Linear),
        },
        Class {
            info: PresetInfo {
                name: "fastai.SchedCos",
                doc: "half a cosine",
                arguments: &[START, END],
            },
            rate: "start",
            needs: 2,
            differs: "",
            build: |given| annealer(given, COSINE),
        },
        Class {
            info: PresetInfo {
                name: "fastai.SchedExp",
                doc: "by the same factor every step",
                arguments: &[START, END],
            },
            rate: "start",
            needs: 2,
            differs: "",
            build: |given| annealer(given, Shape::Geometric),
        },
        Class {
            info: PresetInfo {
                name: "fastai.SchedPoly",
                doc: "the share of the budget to a power",
                arguments: &[START, END, argument("power", Number, "", "the power")],
            },
            rate: "start",
            needs: 3,
            differs: "",
            build: |given| annealer(given, Shape::Power { p: given.positive("power")? }),
        },
        Class {
            info: PresetInfo {
                name: "fastai.combined_cos",
                doc: "half a cosine to the middle, another to the end",
                arguments: &[
                    argument("pct", Number, "", "the share of the first one"),
                    START,
                    argument("middle", Number, "", "the rate in between"),
                    END,
                ],
            },
            rate: "middle",
            needs: 4,
            differs: "",
            build: |given| {
                let (start, middle, end) =
                    (given.natural("start")?, given.rate()?, given.natural("end")?);
                let peak = start.max(middle).max(end);
                let first =
                    Phase::shape(Some(share(given, "pct")?), multiple(middle, peak), COSINE);
                let phases = vec![
                    first.starting_at(multiple(start, peak)),
                    Phase::shape(None, multiple(end, peak), COSINE),
                ];
                Ok(given.schedule(peak, phases))
            },
        },
    ],
    elsewhere: &[
        (
            "fastai.combine_scheds",
            "phases follow each other: phases = \"0.04 > 1 cosine for 25%, > 0 cosine\"",
        ),
        ("fastai.fine_tune", "two runs: write each as `fastai.fit_one_cycle`"),
    ],
};

/// A share of the budget.
fn share(given: &Given, name: &str) -> Result<Duration, PresetError> {
    match given.natural(name)? {
        share if share <= 1.0 => Ok(Duration::Fraction(share)),
        _ => Err(given.wrong(name, "a share of the budget: between 0 and 1")),
    }
}

/// The length of what takes a share of the whole, and that of the rest; `None` for whatever the budget leaves.
pub(super) fn halves(
    given: &Given,
    name: &str,
) -> Result<(Duration, Option<Duration>), PresetError> {
    let share = share(given, name)?;
    if !given.has("n_epoch") {
        return Ok((share, None));
    }
    let whole = Duration::Epochs(given.positive("n_epoch")?);
    if whole.in_steps(given.horizon) == given.horizon.steps as f64 {
        return Ok((share, None));
    }
    let first = whole.times(share.as_fraction(given.horizon));
    Ok((first, Some(given.minus(whole, first))))
}

/// From `start` to `end`, whichever is higher, over the whole budget.
fn annealer(given: &Given, shape: Shape) -> Result<Schedule, PresetError> {
    let (start, end) = (given.rate()?, given.natural("end")?);
    let peak = start.max(end);
    let phase = Phase::shape(None, multiple(end, peak), shape).starting_at(multiple(start, peak));
    Ok(given.schedule(peak, vec![phase]))
}
