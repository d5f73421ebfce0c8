//! `schedule`: one schedule, drawn or as a table of values.

use std::{fmt::Write, path::Path};

use anyhow::Result;
use clap::Args;
use pleach_core::spec::read_schedule;
use pleach_engine::prepare::PrepareError;
use pleach_schedule::{
    draw::{Charset, sketch},
    duration::Horizon,
    preset::PRESETS,
};

use crate::{
    exit::{Ending, Failure},
    place::read,
};

#[derive(Args)]
pub(crate) struct Schedule {
    /// A TOML inline table ({ use = "cosine", peak = 0.1, warmup = "5%" }), the one-line spelling
    /// ("0.1: 0 > 1 5%, > 0 cosine"), a preset's name, or a file with a [schedule]
    #[arg(value_name = "SCHEDULE", required_unless_present = "presets")]
    text: Option<String>,
    /// Steps of the trial
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    steps: u64,
    /// For durations in epochs; a tenth of the steps by default
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    steps_per_epoch: Option<u64>,
    /// Print lines of step and value instead of a drawing
    #[arg(long)]
    csv: bool,
    /// Draw with ASCII characters
    #[arg(long)]
    ascii: bool,
    /// List every preset and what it takes
    #[arg(long, exclusive = true)]
    presets: bool,
}

impl Schedule {
    pub(crate) fn run(self) -> Result<Ending> {
        let Some(text) = &self.text else {
            super::print(&presets())?;
            return Ok(Ending::Good);
        };
        let text = if Path::new(text).extension().is_some_and(|extension| extension == "toml") {
            read(Path::new(text))?
        } else {
            text.clone()
        };
        let schedule = read_schedule(&text).map_err(PrepareError::Invalid)?;
        let steps_per_epoch = self.steps_per_epoch.unwrap_or(self.steps.div_ceil(10));
        let horizon = Horizon { steps: self.steps, steps_per_epoch };
        let resolved = schedule
            .resolve(horizon)
            .map_err(|error| Failure::Invalid(format!("`{schedule}`: {error}")))?;
        let table = resolved.table(self.steps);
        if self.csv {
            let mut lines = String::from("step,value\n");
            for (step, value) in table.iter().enumerate() {
                writeln!(lines, "{step},{value}")?;
            }
            super::print(&lines)?;
            return Ok(Ending::Good);
        }
        let charset = if self.ascii { Charset::Ascii } else { Charset::Unicode };
        let summary = resolved.summary(self.steps);
        let mut out = sketch(&[table], 72, 12, charset);
        writeln!(out, "{schedule}")?;
        writeln!(out, "in steps: {resolved}")?;
        writeln!(
            out,
            "highest {}, mean {:.3} of it, warm-up {:.1}% of the steps, last value {}; {}",
            summary.highest,
            summary.area,
            100.0 * summary.warmup,
            summary.last,
            if schedule.is_anytime() { "anytime" } else { "budgeted" }
        )?;
        super::print(&out)?;
        Ok(Ending::Good)
    }
}

fn presets() -> String {
    let mut text = String::new();
    for preset in PRESETS {
        // A `String` takes everything.
        let _infallible = writeln!(text, "{}: {}", preset.name, preset.doc);
        for argument in preset.arguments {
            let default = if argument.default.is_empty() {
                String::new()
            } else {
                format!(" [{}]", argument.default)
            };
            let _infallible = writeln!(text, "    {}{default}: {}", argument.name, argument.doc);
        }
    }
    let _infallible = writeln!(text, "all of them take:");
    for argument in pleach_schedule::preset::COMMON {
        let _infallible = writeln!(text, "    {}: {}", argument.name, argument.doc);
    }
    text
}
