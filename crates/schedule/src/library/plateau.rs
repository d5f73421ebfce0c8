//! The one rule that several libraries have in their own words: lower the rate when a metric stops improving.

use super::read::Phases;
use crate::{
    phase::{Phase, Shape},
    plateau::{Direction, Monitor, Plateau, Threshold},
    preset::{
        ArgumentInfo,
        Expected::{Count, Metric, Number, Time, Word},
        Given, PresetError, argument,
    },
    schedule::Schedule,
};

const FACTOR: ArgumentInfo = argument("factor", Number, "0.1", "between 0 and 1");
const PATIENCE: ArgumentInfo =
    argument("patience", Count, "10", "evaluations without improvement that are forgiven");
const COOLDOWN: ArgumentInfo =
    argument("cooldown", Count, "0", "evaluations after a fall that are not counted");
const LOWEST: ArgumentInfo = argument("min_lr", Number, "0", "the lowest rate");
const MONITOR: ArgumentInfo =
    argument("monitor", Metric, "", "what it watches; the loss on held-out data otherwise");

/// Of `torch.optim.lr_scheduler.ReduceLROnPlateau`; `monitor` stands for what its `step` is given.
pub(super) const TORCH: &[ArgumentInfo] = &[
    argument("mode", Word(&["min", "max"]), "min", "whether `monitor` is to be low or high"),
    FACTOR,
    PATIENCE,
    argument("threshold", Number, "1e-4", "what an improvement must exceed"),
    argument("threshold_mode", Word(&["rel", "abs"]), "rel", "as a share of the best, or as it is"),
    COOLDOWN,
    LOWEST,
    argument("eps", Number, "1e-8", "the rate never falls by this or less"),
    MONITOR,
];

/// Of `keras.callbacks.ReduceLROnPlateau`.
pub(super) const KERAS: &[ArgumentInfo] = &[
    MONITOR,
    FACTOR,
    argument("patience", Count, "10", "it falls at so many evaluations without improvement"),
    argument(
        "mode",
        Word(&["auto", "min", "max"]),
        "auto",
        "`auto`: high if its name says accuracy",
    ),
    argument("min_delta", Number, "0.0001", "what an improvement must exceed"),
    argument("cooldown", Count, "0", "evaluations after a fall, the last of which counts"),
    LOWEST,
];

/// Of `optax.contrib.reduce_on_plateau`.
pub(super) const OPTAX: &[ArgumentInfo] = &[
    FACTOR,
    argument("patience", Count, "10", "it falls at so many evaluations without improvement"),
    argument("rtol", Number, "1e-4", "what an improvement must exceed, as a share of the best"),
    argument("atol", Number, "0", "or as it is, with `rtol = 0`"),
    COOLDOWN,
    argument("min_scale", Number, "0", "the lowest multiple of the rate"),
    MONITOR,
];

/// Of `timm.scheduler.PlateauLRScheduler`.
pub(super) const TIMM: &[ArgumentInfo] = &[
    argument("decay_rate", Number, "0.1", "the factor"),
    argument("patience_t", Count, "10", "evaluations without improvement that are forgiven"),
    argument(
        "threshold",
        Number,
        "1e-4",
        "what an improvement must exceed, as a share of the best",
    ),
    argument("cooldown_t", Count, "0", "evaluations after a fall that are not counted"),
    argument("warmup_t", Time, "0", "how long the warm-up takes"),
    argument("warmup_lr_init", Number, "0", "the rate at its start"),
    argument("lr_min", Number, "0", "the lowest rate"),
    argument("mode", Word(&["min", "max"]), "max", "whether `monitor` is to be low or high"),
    MONITOR,
];

/// Of scikit-learn's `SGDClassifier(learning_rate="adaptive")`, which falls at so many epochs without a gain.
pub(super) const SKLEARN: &[ArgumentInfo] = &[
    argument("eta0", Number, "0.01", "the rate at first"),
    argument("tol", Number, "0.001", "the least gain"),
    argument("n_iter_no_change", Count, "5", "it falls at so many epochs without a gain"),
    MONITOR,
];

/// Of scikit-learn's `MLPClassifier(learning_rate="adaptive")`, which falls after so many epochs without a gain.
pub(super) const SKLEARN_MLP: &[ArgumentInfo] = &[
    argument("learning_rate_init", Number, "0.001", "the rate at first"),
    argument("tol", Number, "0.0001", "the least gain"),
    argument("n_iter_no_change", Count, "10", "epochs without a gain that are forgiven"),
    MONITOR,
];

pub(super) const DIFFERS: &str =
    "it watches `monitor` at the sweep's evaluations; its state is part of a checkpoint";

pub(super) fn torch(given: &Given) -> Result<Schedule, PresetError> {
    let peak = given.rate()?;
    let plateau = Plateau {
        factor: factor(given, "factor")?,
        patience: given.value("patience") as u32,
        threshold: given.natural("threshold")?,
        threshold_is: match given.word("threshold_mode") {
            "abs" => Threshold::Absolute,
            _ => Threshold::Relative,
        },
        cooldown: given.value("cooldown") as u32,
        min: given.multiple("min_lr", peak)?,
        eps: given.multiple("eps", peak)?,
        monitor: monitor(given, given.word("mode") == "max")?,
        ..Plateau::default()
    };
    Ok(flat(given, peak, Vec::new(), plateau))
}

pub(super) fn keras(given: &Given) -> Result<Schedule, PresetError> {
    let peak = given.rate()?;
    let is_high = match given.word("mode") {
        "auto" => {
            given.text("monitor").is_some_and(|name| name.contains("acc") || name.contains("auc"))
        }
        mode => mode == "max",
    };
    let (patience, cooldown) = (given.value("patience") as u32, given.value("cooldown") as u32);
    let plateau = Plateau {
        factor: factor(given, "factor")?,
        min: given.multiple("min_lr", peak)?,
        monitor: monitor(given, is_high)?,
        ..Plateau::keras(patience, given.natural("min_delta")?, cooldown)
    };
    Ok(flat(given, peak, Vec::new(), plateau))
}

pub(super) fn optax(given: &Given) -> Result<Schedule, PresetError> {
    let (share, absolute) = (given.natural("rtol")?, given.natural("atol")?);
    if 0.0 < share && 0.0 < absolute {
        return Err(given.wrong("atol", "0, or `rtol = 0` beside it: one of the two"));
    }
    let plateau = Plateau {
        factor: factor(given, "factor")?,
        patience: given.positive("patience")? as u32 - 1,
        threshold: share.max(absolute),
        threshold_is: if 0.0 < absolute { Threshold::Absolute } else { Threshold::Relative },
        cooldown: given.value("cooldown") as u32,
        min: given.natural("min_scale")?,
        monitor: monitor(given, false)?,
        ..Plateau::default()
    };
    Ok(flat(given, given.rate()?, Vec::new(), plateau))
}

pub(super) fn timm(given: &Given) -> Result<Schedule, PresetError> {
    let peak = given.rate()?;
    let plateau = Plateau {
        factor: factor(given, "decay_rate")?,
        patience: given.value("patience_t") as u32,
        threshold: given.natural("threshold")?,
        cooldown: given.value("cooldown_t") as u32,
        min: given.multiple("lr_min", peak)?,
        eps: if 0.0 < peak { 1e-8 / peak } else { 0.0 },
        monitor: monitor(given, given.has("monitor") && given.word("mode") == "max")?,
        ..Plateau::default()
    };
    let from = given.multiple("warmup_lr_init", peak)?;
    let up = Phase::shape(given.time("warmup_t"), 1.0, Shape::Linear).starting_at(from);
    Ok(flat(given, peak, vec![up], plateau))
}

pub(super) fn sklearn(given: &Given) -> Result<Schedule, PresetError> {
    adaptive(given, given.positive("n_iter_no_change")? as u32 - 1)
}

pub(super) fn sklearn_mlp(given: &Given) -> Result<Schedule, PresetError> {
    adaptive(given, given.positive("n_iter_no_change")? as u32)
}

fn adaptive(given: &Given, patience: u32) -> Result<Schedule, PresetError> {
    let peak = given.rate()?;
    let plateau = Plateau {
        monitor: monitor(given, given.text("monitor").is_some_and(|name| name.contains("acc")))?,
        ..Plateau::scikit_learn(patience, given.natural("tol")?, peak)
    };
    Ok(flat(given, peak, Vec::new(), plateau))
}

fn factor(given: &Given, name: &str) -> Result<f64, PresetError> {
    match given.value(name) {
        factor if 0.0 < factor && factor < 1.0 => Ok(factor),
        _ => Err(given.wrong(name, "a number between 0 and 1, both excluded")),
    }
}

fn monitor(given: &Given, is_high: bool) -> Result<Option<Monitor>, PresetError> {
    match (given.text("monitor"), is_high) {
        (None, false) => Ok(None),
        (None, true) => Err(given.missing("monitor")),
        (Some(metric), _) => {
            let goal = if is_high { Direction::Max } else { Direction::Min };
            Ok(Some(Monitor { metric: metric.to_owned(), goal }))
        }
    }
}

/// The rate throughout, but for what the rule makes of it.
fn flat(given: &Given, peak: f64, mut phases: Phases, plateau: Plateau) -> Schedule {
    phases.push(Phase::hold(None));
    let mut schedule = given.schedule(peak, phases);
    schedule.plateau = Some(plateau);
    schedule
}
