//! Arguments that a class has in its own library, and that are no part of a schedule here.

use super::signature::signature;
use crate::preset::Argument;

/// What becomes of such an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// The rates are the same with and without it.
    NoEffect,
    /// What to write instead of it.
    Instead(&'static str),
}

const NO_EFFECT: &[&str] = &[
    "optimizer",
    "name",
    "verbose",
    // Without `scale_fn`.
    "scale_mode",
    // Without `noise_range_t`.
    "noise_pct",
    "noise_std",
    "noise_seed",
    "noise_type",
    // An optimizer that is new has nothing to reset.
    "reset_opt",
    "stop_div",
    // Of rules of the same estimator that are not this one.
    "eta0",
    "power_t",
];

const BEGINNING: &str = "leave it out: a schedule begins at a trial's first step";
const CYCLE: &str = "write the cycle itself: phases = \"cycle(len=20%,gain=0.5) { 0 > 1 linear for 0.5, > 0 linear }\"";

const INSTEAD: &[(&str, &str)] = &[
    ("last_epoch", BEGINNING),
    ("last_step", BEGINNING),
    ("initialize", BEGINNING),
    ("start_epoch", BEGINNING),
    ("noise_range_t", "leave it out: a rate depends on nothing but the step"),
    ("scale_fn", CYCLE),
    ("cycle", "leave it out: write `sgdr` for restarts, or the rates as a `table`"),
    ("boundaries_and_scales", "write two lists: boundaries = [100, 200], scales = [0.1, 0.5]"),
    (
        "cosine_kwargs",
        "write a list for each of its keys: peak_value = [1.0, 0.5], decay_steps = [100, 200]",
    ),
    ("accumulation_size", "leave it out: evaluations stand for it, and their distance is `eval`"),
    ("wd", "leave it out: the weight decay is a parameter of its own"),
    ("cbs", "leave it out: callbacks are no part of a rate"),
];

/// What becomes of an argument of that class; `None` if its library does not have it either.
pub(crate) fn elsewhere(class: &str, name: &str, value: &Argument) -> Option<Elsewhere> {
    if !has(class, name) {
        return None;
    }
    let signature = signature(class)?;
    let is_default = signature.parameter(name).is_some_and(|theirs| theirs.is_default(value));
    if is_default || NO_EFFECT.contains(&name) {
        return Some(Elsewhere::NoEffect);
    }
    let instead = INSTEAD.iter().find(|(other, _)| *other == name);
    Some(Elsewhere::Instead(
        instead.map_or("leave it out: it is no part of the learning rate", |(_, instead)| instead),
    ))
}

/// Whether a class has an argument of that name in its own library.
pub(crate) fn has(class: &str, name: &str) -> bool {
    let Some(signature) = signature(class) else { return false };
    // PyTorch had it until version 2.7.
    let was_there = name == "verbose" && class.starts_with("torch.");
    was_there || signature.parameter(name).is_some()
}
