//! `schedule`: schedules, those of a sweep's trials too, drawn, as values, or as code.

use std::{fmt::Write, path::Path};

use anyhow::Result;
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use pleach_core::{
    plan::{Length, Scheduled},
    spec::{check_name, read_schedule},
};
use pleach_engine::prepare::PrepareError;
use pleach_schedule::{
    duration::Horizon,
    library::LIBRARIES,
    preset::PRESETS,
    snippet::{Framework, Optimizer},
};
use pleach_views::schedule::{self, Named};

use crate::{
    exit::{Ending, Failure},
    place::{Place, read},
    single::Single,
};

/// If nobody says how many.
const STEPS: u64 = 1000;

#[derive(Args)]
pub(crate) struct Schedule {
    /// Each a TOML inline table ({ use = "cosine", peak = 0.1, warmup = "5%" }), the one-line spelling
    /// ("0.1: 0 > 1 5%, > 0 cosine"), a preset's name, a call of another library's ("StepLR(optimizer, 30)"), a file with a [schedule], or a trial of a sweep: NAME/NUMBER, NAME/best
    #[arg(value_name = "SCHEDULE", required_unless_present = "presets")]
    texts: Vec<String>,
    /// Steps of the trial; 1000 by default, and those of a sweep's trial
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    steps: Option<u64>,
    /// For durations in epochs; a tenth of the steps by default
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    steps_per_epoch: Option<u64>,
    /// List every preset and every library's schedule, and what it takes
    #[arg(long, conflicts_with_all = ["texts", "Form"])]
    presets: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    drawing: super::Drawing,
}

#[derive(Args)]
#[group(multiple = false)]
struct Form {
    /// Print about twenty values, as a table
    #[arg(long)]
    table: bool,
    /// Print lines of step and value; of several schedules, a column each
    #[arg(long)]
    csv: bool,
    /// Print an SVG picture
    #[arg(long)]
    svg: bool,
    /// Print code that makes a training loop follow one schedule
    #[arg(long, value_name = "FRAMEWORK", value_parser = framework())]
    snippet: Option<Framework>,
}

impl Schedule {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        if self.presets {
            super::print(&presets())?;
            return Ok(Ending::Good);
        }
        let of_trials = self.texts.iter().map(|text| of_trial(place, text));
        let of_trials = of_trials.collect::<Result<Vec<_>>>()?;
        let optimizer = of_trials.iter().flatten().map(|trial| trial.optimizer).next();
        let longest = of_trials.iter().flatten().map(|trial| trial.horizon.steps).max();
        let steps = self.steps.or(longest).unwrap_or(STEPS);
        let of_trial = of_trials.iter().flatten().map(|trial| trial.horizon.steps_per_epoch).next();
        let steps_per_epoch = self.steps_per_epoch.or(of_trial).unwrap_or(steps.div_ceil(10));
        let horizon = Horizon { steps, steps_per_epoch };
        let named = self.texts.iter().zip(of_trials).map(|(text, of_trial)| match of_trial {
            Some(trial) => Ok(Named { name: text.clone(), scheduled: trial.scheduled }),
            None => named(text, horizon),
        });
        let named = named.collect::<Result<Vec<_>>>()?;
        let text = match self.form {
            Form { snippet: Some(framework), .. } => {
                let [one] = named.as_slice() else {
                    let message = "code is for one schedule: give one, or run it for each";
                    return Err(Failure::NeedsAnswer(message.to_owned()).into());
                };
                schedule::snippet(one, steps, (framework, optimizer.unwrap_or_default()))
            }
            Form { table: true, .. } => schedule::table(&named, horizon),
            Form { csv: true, .. } => schedule::csv(&named, steps),
            Form { svg: true, .. } => schedule::svg(&named, steps),
            _ => {
                super::print(&schedule::text(&named, steps, self.drawing.style(14)))?;
                return Ok(Ending::Good);
            }
        };
        super::data(&text)?;
        Ok(Ending::Good)
    }
}

fn framework() -> impl TypedValueParser<Value = Framework> {
    let names = PossibleValuesParser::new(Framework::ALL.map(Framework::name));
    names.map(|name| {
        let found = Framework::ALL.into_iter().find(|framework| framework.name() == name);
        found.unwrap_or(Framework::PyTorch)
    })
}

/// What a sweep's trial follows.
struct OfTrial {
    scheduled: Scheduled,
    horizon: Horizon,
    optimizer: Optimizer,
}

/// That of a sweep's trial, if the text names one.
fn of_trial(place: &Place, text: &str) -> Result<Option<OfTrial>> {
    let is_name = |name: &str| check_name(name).is_ok();
    let Some((sweep, trial)) = text.split_once('/').filter(|(sweep, _)| is_name(sweep)) else {
        return Ok(None);
    };
    let path = Path::new(text);
    if path.is_file() || path.extension().is_some() {
        return Ok(None);
    }
    let (home, reader) = place.reader(Some(sweep))?;
    let detail = crate::place::trial(&reader, trial)?;
    let configuration = Single::find(place, &home, &detail)?.configuration();
    let none = || Failure::NotFound(format!("trial {} has no schedule", detail.trial.0));
    let configuration = configuration.ok_or_else(none)?;
    let Length { steps, steps_per_epoch, .. } = *configuration.length;
    let optimizer = super::export::optimizer(&configuration);
    let scheduled = configuration.schedule.ok_or_else(none)?.as_ref().clone();
    Ok(Some(OfTrial { scheduled, horizon: Horizon { steps, steps_per_epoch }, optimizer }))
}

/// A schedule as it was typed, or a file under its name.
fn named(text: &str, horizon: Horizon) -> Result<Named> {
    let path = Path::new(text);
    let is_file = path.extension().is_some_and(|extension| extension == "toml");
    let written = if is_file { &read(path)? } else { text };
    let scheduled = read_schedule(written, horizon).map_err(PrepareError::Invalid)?;
    let stem = path.file_stem().filter(|_| is_file).map(|stem| stem.to_string_lossy().into_owned());
    // A call that was pasted may have several lines.
    let in_one_line = || text.trim().lines().map(str::trim).collect::<Vec<_>>().join(" ");
    Ok(Named { name: stem.unwrap_or_else(in_one_line), scheduled })
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
    let _infallible =
        writeln!(text, "other libraries' schedules, by their arguments there (docs/schedules.md):");
    for class in LIBRARIES.iter().flat_map(|library| library.classes) {
        let names: Vec<&str> = class.info.all_arguments().map(|argument| argument.name).collect();
        let _infallible = writeln!(text, "{}: {}", class.info.name, class.info.doc);
        let _infallible = writeln!(text, "    {}", names.join(", "));
    }
    text
}
