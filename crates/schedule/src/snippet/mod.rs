//! A schedule as code for other libraries: in a library's own words where it has exactly that schedule, otherwise as a
//! small function that computes the same rates, and where that would not be small, as a table read from a file.
//!
//! Rates are those of the updates before `steps`, to 1e-12 of the peak where the library computes in 64 bits (PyTorch,
//! Candle), to 1e-5 where it computes in 32 (Keras, optax).

mod keras;
mod language;
mod optax;
mod plateau;
mod profile;
mod pytorch;

use std::fmt::Write;

use crate::{
    phase::{Body, Phase, Shape},
    plateau::Plateau,
    resolved::Resolved,
};
use language::{Language, single_error};

/// What the code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framework {
    PyTorch,
    Keras,
    Optax,
    Candle,
}

impl Framework {
    pub const ALL: [Self; 4] = [Self::PyTorch, Self::Keras, Self::Optax, Self::Candle];

    /// In lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::PyTorch => "pytorch",
            Self::Keras => "keras",
            Self::Optax => "optax",
            Self::Candle => "candle",
        }
    }

    /// Of a file with such code: `py` or `rs`.
    pub fn extension(self) -> &'static str {
        if self == Self::Candle { "rs" } else { "py" }
    }
}

/// Whose rate the code sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Optimizer {
    #[default]
    Sgd,
    Adam,
    AdamW,
}

impl Optimizer {
    const ALL: [Self; 3] = [Self::Sgd, Self::Adam, Self::AdamW];

    /// By its name in a sweep file, in any case: `adamw`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.class().eq_ignore_ascii_case(name))
    }

    /// Its class in PyTorch and in Keras; optax has a function of that name in lower case.
    fn class(self) -> &'static str {
        match self {
            Self::Sgd => "SGD",
            Self::Adam => "Adam",
            Self::AdamW => "AdamW",
        }
    }
}

/// The name of the file that code reads where a schedule is a table: lines of step and rate under a header.
pub const TABLE: &str = "schedule.csv";

/// Code that makes a training loop follow the schedule for `steps` updates, and the rule by which evaluations lower it.
pub fn snippet(
    schedule: &Resolved,
    plateau: Option<&Plateau>,
    steps: u64,
    (framework, optimizer): (Framework, Optimizer),
) -> String {
    let comment = if framework == Framework::Candle { "//" } else { "#" };
    let exactness = match framework {
        Framework::PyTorch | Framework::Candle => "Exact",
        Framework::Keras | Framework::Optax => "In 32 bits, within 1e-5 of the peak,",
    };
    let mut text = format!("{comment} {schedule}\n{comment} {exactness} for {steps} updates.\n");
    if let Some(rule) = plateau {
        // A `String` takes everything.
        let _infallible = writeln!(text, "{comment} And lowered by evaluations: {rule}");
    }
    text.push_str(&match framework {
        Framework::PyTorch => pytorch::code(schedule, plateau, (steps, optimizer)),
        Framework::Keras => keras::code(schedule, plateau, (steps, optimizer)),
        Framework::Optax => optax::code(schedule, plateau, (steps, optimizer)),
        Framework::Candle => candle(schedule, plateau, steps),
    });
    text
}

/// Candle's optimizers are told their rate before every update.
fn candle(schedule: &Resolved, plateau: Option<&Plateau>, steps: u64) -> String {
    candle_rate(schedule, steps) + &plateau.map(plateau::rust).unwrap_or_default()
}

fn candle_rate(schedule: &Resolved, steps: u64) -> String {
    const DOC: &str = "\n/// The learning rate of the update with that 0-based index. Before each update:\n/// `optimizer.set_learning_rate(rate(step))`.\n";
    let rust = Language::Rust;
    let peak = rust.number(schedule.peak);
    if is_constant(schedule) {
        return format!("{DOC}pub fn rate(_step: u64) -> f64 {{\n    {peak}\n}}\n");
    }
    let Some(profile) = profile::profile(schedule, steps, rust) else {
        return format!(
            "{DOC}pub fn rate(step: u64) -> f64 {{\n    let rates = include_str!(\"{TABLE}\").lines().skip(1);\n    let line = rates.take(step as usize + 1).last();\n    line.and_then(|line| line.split(',').nth(1)?.parse().ok()).unwrap_or(0.0)\n}}\n"
        );
    };
    let import = if profile.contains("PI") { "\nuse std::f64::consts::PI;\n" } else { "" };
    let value = format!("{peak} * profile(step as f64)");
    format!("{import}{DOC}pub fn rate(step: u64) -> f64 {{\n    {value}\n}}\n\n{profile}")
}

/// Whether the rate is the peak at every step.
fn is_constant(schedule: &Resolved) -> bool {
    schedule.factors.iter().all(|phases| {
        matches!(
            phases.as_slice(),
            [Phase { from: Some(1.0), body: Body::Shape { shape: Shape::Hold, .. }, .. }]
        )
    })
}

/// A whole number of steps.
fn whole(steps: f64) -> Option<u64> {
    (steps.fract() == 0.0 && steps < 1e15).then_some(steps as u64)
}

/// Whether powers of a factor up to that of `times` keep to 5e-6 in 32 bits.
fn is_single(factor: f64, times: f64) -> bool {
    // The error of the n-th power is largest where n factor^n is.
    let peak = if factor < 1.0 { -1.0 / factor.ln() } else { times };
    let n = peak.min(times);
    0.0 < factor && n * factor.powf(n) * single_error(factor) < 5e-6
}

/// A rate in Python: no integer, and without the rounding error of a product that only its last digits show.
fn rate(value: f64) -> String {
    let rounded = format!("{value:.14e}").parse().unwrap_or(value);
    let is_same = (rounded - value).abs() <= 1e-15 * value.abs();
    format!("{:?}", if is_same { rounded } else { value })
}

/// A call in Python, on lines of its own where it is long.
fn call(name: &str, arguments: &[String]) -> String {
    const WIDTH: usize = 76;
    let arguments: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|argument| !argument.is_empty()).collect();
    let line = arguments.join(", ");
    if name.len() + line.len() <= WIDTH {
        return format!("{name}({line})");
    }
    if line.len() <= WIDTH {
        return format!("{name}(\n    {line}\n)");
    }
    let lines: Vec<String> =
        arguments.iter().map(|argument| format!("    {argument},\n")).collect();
    format!("{name}(\n{})", lines.concat())
}

/// A named argument in Python, left out where it is the default.
fn option(name: &str, value: f64, default: f64) -> String {
    if value == default { String::new() } else { format!("{name}={}", rate(value)) }
}
