//! `torch.optim.lr_scheduler`.

use super::{
    Class, Library, momentum, plateau,
    read::{COSINE, cycle, falling, table, waves},
};
use crate::{
    phase::{Cycle, Law, Phase, Shape, Stairs},
    preset::{
        Expected::{Bool, Count, Number, Numbers, Time, Times, Word},
        Given, PresetError, PresetInfo, argument,
    },
    schedule::Schedule,
};

pub(super) const LIBRARY: Library = Library {
    name: "torch",
    title: "PyTorch",
    version: "2.15.0",
    modules: &["optim"],
    classes: &[
        Class {
            info: PresetInfo {
                name: "torch.LambdaLR",
                doc: "the rate times the values of a function, here a list of them",
                arguments: &[argument(
                    "lr_lambda",
                    Numbers,
                    "",
                    "the function's values at 0, 1, 2, …",
                )],
            },
            rate: "peak",
            needs: 1,
            differs: "a list instead of a function; after it its last value holds",
            build: |given| {
                let values = given.rates("lr_lambda")?.to_vec();
                Ok(given.schedule(given.rate()?, vec![table(given.per(), values)]))
            },
        },
        Class {
            info: PresetInfo {
                name: "torch.MultiplicativeLR",
                doc: "the rate before times the values of a function, here a list of them",
                arguments: &[argument(
                    "lr_lambda",
                    Numbers,
                    "",
                    "the function's values at 0 (never used), 1, 2, …",
                )],
            },
            rate: "peak",
            needs: 1,
            differs: "a list instead of a function; after it the rate stays",
            build: multiplicative,
        },
        Class {
            info: PresetInfo {
                name: "torch.StepLR",
                doc: "falls by `gamma` every `step_size`",
                arguments: &[
                    argument("step_size", Time, "", "the length of a stair"),
                    argument("gamma", Number, "0.1", "the factor"),
                ],
            },
            rate: "peak",
            needs: 1,
            differs: "",
            build: |given| {
                let (gamma, tau) = (given.natural("gamma")?, given.span("step_size")?);
                let law = Law::Decay { gamma, tau, stairs: Stairs::Stairs };
                Ok(given.schedule(given.rate()?, vec![Phase::law(law, None)]))
            },
        },
        Class {
            info: PresetInfo {
                name: "torch.MultiStepLR",
                doc: "falls by `gamma` at each milestone",
                arguments: &[
                    argument(
                        "milestones",
                        Times,
                        "",
                        "in any order; one that stands twice counts twice",
                    ),
                    argument("gamma", Number, "0.1", "the factor"),
                ],
            },
            rate: "peak",
            needs: 1,
            differs: "",
            build: |given| {
                let law = Law::Multistep {
                    gamma: given.natural("gamma")?,
                    at: given.times("milestones"),
                };
                Ok(given.schedule(given.rate()?, vec![Phase::law(law, None)]))
            },
        },
        Class {
            info: PresetInfo {
                name: "torch.ConstantLR",
                doc: "a multiple of the rate for a while, then the rate",
                arguments: &[
                    argument("factor", Number, "0.3333333333333333", "the multiple"),
                    argument("total_iters", Time, "5", "for so long"),
                ],
            },
            rate: "peak",
            needs: 0,
            differs: "`factor = 0` ends where PyTorch divides by zero; `total_iters = 0` is no while at all, where PyTorch stays at the multiple for ever",
            build: |given| {
                let first =
                    Phase::hold(given.time("total_iters")).starting_at(given.natural("factor")?);
                lasting(given, first, 1.0)
            },
        },
        Class {
            info: PresetInfo {
                name: "torch.LinearLR",
                doc: "a straight line from one multiple of the rate to another",
                arguments: &[
                    argument("start_factor", Number, "0.3333333333333333", "where it starts"),
                    argument("end_factor", Number, "1", "where it ends"),
                    argument("total_iters", Time, "5", "how long it takes"),
                ],
            },
            rate: "peak",
            needs: 0,
            differs: "`start_factor` may be 0, and both may be above 1; `total_iters = 0` is the end at once, where PyTorch stays at the start for ever",
            build: |given| {
                let (start, end) = (given.natural("start_factor")?, given.natural("end_factor")?);
                let line = Phase::shape(given.time("total_iters"), end, Shape::Linear);
                lasting(given, line.starting_at(start), end)
            },
        },
        Class {
            info: PresetInfo {
                name: "torch.ExponentialLR",
                doc: "falls by `gamma` every time",
                arguments: &[argument("gamma", Number, "", "the factor")],
            },
            rate: "peak",
            needs: 1,
            differs: "",
            build: |given| {
                let law = Law::Decay {
                    gamma: given.natural("gamma")?,
                    tau: given.per(),
                    stairs: Stairs::Smooth,
                };
                Ok(given.schedule(given.rate()?, vec![Phase::law(law, None)]))
            },
        },
        Class {
            info: PresetInfo {
                name: "torch.PolynomialLR",
                doc: "(1 - u)^power, to zero",
                arguments: &[
                    argument("total_iters", Time, "5", "how long it takes"),
                    argument("power", Number, "1", "the power"),
                ],
            },
            rate: "peak",
            needs: 0,
            differs: "`total_iters = 0` is zero at once, where PyTorch stays at the rate for ever",
            build: |given| {
                let shape = Shape::Poly { p: given.positive("power")?, k: 1.0 };
                let fall = Phase::shape(given.time("total_iters"), 0.0, shape);
                lasting(given, fall.starting_at(1.0), 0.0)
            },
        },
        Class {
            info: PresetInfo {
                name: "torch.CosineAnnealingLR",
                doc: "half a cosine from the rate to `eta_min`",
                arguments: &[
                    argument("T_max", Time, "", "how long it takes"),
                    argument("eta_min", Number, "0", "the rate at its end"),
                ],
            },
            rate: "peak",
            needs: 1,
            differs: "after `T_max` the last value holds, where PyTorch's rate climbs again, along the same cosine",
            build: |given| {
                let (peak, length) = (given.rate()?, given.span("T_max")?);
                let low = given.multiple("eta_min", peak)?;
                let phase = if given.is_compatible() {
                    cycle(None, waves(length.times(2.0), low))
                } else {
                    Phase::shape(Some(length), low, COSINE)
                };
                Ok(given.schedule(peak, vec![phase]))
            },
        },
        Class {
            info: PresetInfo {
                name: "torch.CosineAnnealingWarmRestarts",
                doc: "cosines with warm restarts",
                arguments: &[
                    argument("T_0", Time, "", "the length of the first cycle"),
                    argument("T_mult", Count, "1", "each cycle is so many times as long"),
                    argument("eta_min", Number, "0", "the rate at the end of a cycle"),
                ],
            },
            rate: "peak",
            needs: 1,
            differs: "restarts are exact; PyTorch's `step(epoch)` misses some of them for T_mult = 3 or 10, by a rounding error",
            build: |given| {
                let (peak, length) = (given.rate()?, given.span("T_0")?);
                let low = given.multiple("eta_min", peak)?;
                let grow = given.growth("T_mult")?;
                let restarts = Cycle { grow, ..falling(length, low, COSINE) };
                Ok(given.schedule(peak, vec![cycle(None, restarts)]))
            },
        },
        Class {
            info: PresetInfo {
                name: "torch.CyclicLR",
                doc: "from `base_lr` up to `max_lr` and down again",
                arguments: &[
                    argument("base_lr", Number, "", "the lowest rate"),
                    argument("max_lr", Number, "", "the highest rate"),
                    argument("step_size_up", Time, "2000", "the way up"),
                    argument("step_size_down", Time, "", "the way down; as long as the way up"),
                    argument(
                        "mode",
                        Word(&["triangular", "triangular2", "exp_range"]),
                        "triangular",
                        "the amplitude stays, halves with each cycle, or falls by `gamma` all the time",
                    ),
                    argument("gamma", Number, "1", "for `exp_range`"),
                    momentum::CYCLE,
                    momentum::base("0.8"),
                    momentum::max("0.9"),
                ],
            },
            rate: "max_lr",
            needs: 2,
            differs: "momentum is only moved where that is asked for",
            build: cyclic,
        },
        Class {
            info: PresetInfo {
                name: "torch.OneCycleLR",
                doc: "up to `max_lr` and down to almost nothing",
                arguments: &[
                    argument("max_lr", Number, "", "the highest rate"),
                    argument(
                        "total_steps",
                        Time,
                        "",
                        "the whole length; or `epochs` and `steps_per_epoch`",
                    ),
                    argument("epochs", Count, "", "with `steps_per_epoch`"),
                    argument("steps_per_epoch", Time, "", "with `epochs`"),
                    argument("pct_start", Number, "0.3", "the share of the way up"),
                    argument("anneal_strategy", Word(&["cos", "linear"]), "cos", "the shape"),
                    argument("div_factor", Number, "25", "it starts at max_lr / div_factor"),
                    argument(
                        "final_div_factor",
                        Number,
                        "10000",
                        "it ends at its start / final_div_factor",
                    ),
                    argument("three_phase", Bool, "false", "down as it came up, then to the end"),
                    momentum::CYCLE,
                    momentum::base("0.85"),
                    momentum::max("0.95"),
                ],
            },
            rate: "max_lr",
            needs: 1,
            differs: "a way up of no length is left out, where PyTorch divides by zero (total_steps × pct_start = 1); after `total_steps` the last value holds, where PyTorch's rate climbs for one step and then fails; momentum is only moved where that is asked for",
            build: one_cycle,
        },
        Class {
            info: PresetInfo {
                name: "torch.SWALR",
                doc: "from the rate to `swa_lr`, where it stays",
                arguments: &[
                    argument("swa_lr", Number, "", "the rate while weights are averaged"),
                    argument("anneal_epochs", Time, "10", "how long it takes"),
                    argument("anneal_strategy", Word(&["cos", "linear"]), "cos", "the shape"),
                ],
            },
            rate: "peak",
            needs: 1,
            differs: "",
            build: |given| {
                let peak = given.rate()?;
                let to = given.multiple("swa_lr", peak)?;
                let way = Phase::shape(given.time("anneal_epochs"), to, annealing(given));
                Ok(given.schedule(peak, vec![way, Phase::hold(None)]))
            },
        },
        Class {
            info: PresetInfo {
                name: "torch.ReduceLROnPlateau",
                doc: "falls by `factor` when a metric stops improving",
                arguments: plateau::TORCH,
            },
            rate: "peak",
            needs: 0,
            differs: plateau::DIFFERS,
            build: plateau::torch,
        },
    ],
    elsewhere: &[
        (
            "torch.SequentialLR",
            "phases follow each other: phases = \"0.1 > 1 linear for 5st, > 0 cosine for 95st\"",
        ),
        (
            "torch.ChainedScheduler",
            "lists of phases are multiplied: \"0.1: 0.1 > 1 linear for 5st, hold ; times decay(gamma=0.9,tau=1st)\"",
        ),
    ],
};

fn multiplicative(given: &Given) -> Result<Schedule, PresetError> {
    let factors = given.rates("lr_lambda")?.iter().skip(1);
    let products = factors.scan(1.0, |product, factor| {
        *product *= factor;
        Some(*product)
    });
    let values = std::iter::once(1.0).chain(products).collect();
    Ok(given.schedule(given.rate()?, vec![table(given.per(), values)]))
}

/// A phase, and the value that lasts after it. Without a length PyTorch never gets there.
fn lasting(
    given: &Given,
    phase: Phase<crate::duration::Duration>,
    then: f64,
) -> Result<Schedule, PresetError> {
    let is_empty = phase.length.is_some_and(|length| length.number() <= 0.0);
    let phases = if is_empty && given.is_compatible() {
        vec![Phase::hold(None).starting_at(phase.from.unwrap_or(1.0))]
    } else {
        vec![phase, Phase::hold(None).starting_at(then)]
    };
    Ok(given.schedule(given.rate()?, phases))
}

fn annealing(given: &Given) -> Shape {
    if given.word("anneal_strategy") == "linear" { Shape::Linear } else { COSINE }
}

fn cyclic(given: &Given) -> Result<Schedule, PresetError> {
    let peak = given.rate()?;
    let up = given.span("step_size_up")?;
    let down = given.time("step_size_down").unwrap_or(up);
    let length = given.plus(up, down);
    let share = match up.plus(down) {
        Some(_) => up.number() / length.number(),
        None => up.in_steps(given.horizon) / length.number(),
    };
    let (gain, fade) = match given.word("mode") {
        "triangular2" => (0.5, None),
        "exp_range" => (1.0, Some((given.natural("gamma")?, given.per()))),
        _ => (1.0, None),
    };
    let body = vec![
        Phase::shape(Some(share), 1.0, Shape::Linear).starting_at(0.0),
        Phase::shape(Some(1.0 - share), 0.0, Shape::Linear),
    ];
    let low = given.multiple("base_lr", peak)?;
    let triangles = Cycle { gain, fade, body, ..falling(length, low, Shape::Linear) };
    Ok(given.schedule(peak, vec![cycle(None, triangles)]))
}

/// PyTorch's boundaries lie one step before the shares of the whole, and need not be whole numbers. A step on a boundary
/// belongs to the way that ends there.
fn one_cycle(given: &Given) -> Result<Schedule, PresetError> {
    let peak = given.rate()?;
    let product = || Some(given.count("epochs")? * given.count("steps_per_epoch")?);
    let Some(total) = given.count("total_steps").or_else(product) else {
        return Err(given.missing("total_steps"));
    };
    if total < 1.0 {
        return Err(given.wrong("total_steps", "at least 1"));
    }
    let share = given.natural("pct_start")?;
    if 1.0 < share {
        return Err(given.wrong("pct_start", "a share: between 0 and 1"));
    }
    let low = 1.0 / given.positive("div_factor")?;
    let last = low / given.positive("final_div_factor")?;
    // Where each way ends, and at which value.
    let corners = if given.flag("three_phase") {
        vec![(share * total - 1.0, 1.0), (2.0 * share * total - 2.0, low), (total - 1.0, last)]
    } else {
        vec![(share * total - 1.0, 1.0), (total - 1.0, last)]
    };
    let shape = annealing(given);
    let mut phases = Vec::new();
    let (mut start, mut from) = (0.0_f64, low);
    for (end, to) in corners {
        let length = given.counted(end - start);
        let is_empty = end < 0.0 || end <= start || total - 1.0 <= start;
        if !is_empty && total - 1.0 < end {
            // The second way of three ends with the whole before it is down.
            let rest = given.counted(total - 1.0 - start);
            phases.extend([cycle(Some(rest), falling(length, to, shape)), Phase::hold(None)]);
        } else if !is_empty {
            let mut way = Phase::shape(Some(length), to, shape);
            // A profile starts at its peak unless it says otherwise.
            way.from = (phases.is_empty() && from != 1.0).then_some(from);
            // It may have begun before the first step.
            way.skip = (start < 0.0).then(|| given.counted(-start));
            phases.push(way);
        }
        (start, from) = (end, to);
    }
    if phases.is_empty() {
        phases.push(Phase::hold(None).starting_at(from));
    }
    Ok(given.schedule(peak, phases))
}
