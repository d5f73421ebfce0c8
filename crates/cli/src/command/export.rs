//! `export`: results for other programs.

use std::{
    fs,
    io::{BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
};

use anstream::eprintln;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use pleach_core::{
    key::Key,
    life::TrialId,
    objective::Objective,
    plan::{Configuration, Plan, Scheduled},
    rank::rank,
};
use pleach_engine::home::{Home, write_whole, write_with};
use pleach_interop::{
    ExportError,
    columnar::Parquet,
    delimited::{Csv, JsonLines},
    table::Table,
};
use pleach_schedule::snippet::{Framework, TABLE};
use pleach_store::{Reader, Which};
use pleach_views::{
    export,
    schedule::{self, Named},
};

use crate::{
    exit::{Ending, Failure},
    place::{Place, read},
};

#[derive(Args)]
#[group(required = true, multiple = false)]
struct What {
    /// In a format that other programs open
    #[arg(long = "as", value_name = "FORMAT", value_enum)]
    form: Option<Form>,
    /// Everything that determines and results from the sweep, one JSON line per trial in the order of keys, without
    /// times, places and numbers of attempts: equal for equal sweeps
    #[arg(long)]
    canonical: bool,
    /// Copy the best trial's parameters, metrics and weights (safetensors) into this folder, and its schedule as a table
    /// and as code for PyTorch, Keras, optax and Candle
    #[arg(long, value_name = "DIR")]
    best: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A table of comma-separated values
    Csv,
    /// A table, a JSON object to a line
    Jsonl,
    /// A table for pandas and its like
    Parquet,
}

#[derive(Clone, Copy, ValueEnum)]
enum Rows {
    /// A row for each trial: its parameters, its objective
    Trials,
    /// A row for each number that was measured
    Metrics,
}

#[derive(Args)]
pub(crate) struct Export {
    /// The name of the sweep, or its file
    sweep: String,
    #[command(flatten)]
    what: What,
    /// Which table
    #[arg(long, value_enum, default_value_t = Rows::Trials, requires = "form")]
    table: Rows,
    /// Write it there instead of to standard output
    #[arg(long, value_name = "FILE", requires = "form")]
    to: Option<PathBuf>,
}

impl Export {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let (home, reader) = place.reader(&self.sweep)?;
        if let Some(form) = self.what.form {
            self.write(form, &reader)?;
        } else if let Some(folder) = &self.what.best {
            best(place, &home, &reader, folder)?;
        } else {
            canonical(&reader)?;
        }
        Ok(Ending::Good)
    }

    fn write(&self, form: Form, reader: &Reader) -> Result<()> {
        let table = match self.table {
            Rows::Trials => Table::Trials,
            Rows::Metrics => Table::Metrics,
        };
        if let Some(path) = &self.to {
            write_with(path, |file| write_table(table, form, reader, file))
                .with_context(|| format!("failed to write {}", path.display()))?;
            eprintln!("wrote {}", path.display());
            return Ok(());
        }
        let out = std::io::stdout();
        if form == Form::Parquet && out.is_terminal() {
            let message = "Parquet is not for a terminal: give --to FILE".to_owned();
            return Err(Failure::NeedsAnswer(message).into());
        }
        Ok(write_table(table, form, reader, out)?)
    }
}

fn write_table(
    table: Table,
    form: Form,
    reader: &Reader,
    out: impl Write + Send,
) -> Result<(), ExportError> {
    match form {
        Form::Csv => table.write(reader, &mut Csv(BufWriter::new(out))),
        Form::Jsonl => table.write(reader, &mut JsonLines::new(BufWriter::new(out))),
        Form::Parquet => table.write(reader, &mut Parquet::new(out)),
    }
}

fn canonical(reader: &Reader) -> Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut result = Ok(());
    reader.canonical(&mut |trial| {
        if result.is_ok() {
            result = writeln!(out, "{}", export::canonical_line(&trial));
        }
    })?;
    result?;
    Ok(out.flush()?)
}

/// The trial with the best number, of the best configuration.
fn best(place: &Place, home: &Home, reader: &Reader, folder: &Path) -> Result<()> {
    let Objective { metric, goal, .. } = reader.summary()?.revision.objective;
    let board = rank(reader.rows(Which::Current)?, goal);
    let none = || Failure::NotFound("no trial has a result yet".to_owned());
    let first = board.first().ok_or_else(none)?;
    let trial: TrialId = first
        .row
        .trials
        .iter()
        .filter_map(|result| {
            Some((result.objective.filter(|value| value.is_finite())?, result.trial))
        })
        .min_by(|a, b| goal.compare(a.0, b.0))
        .map(|(_, trial)| trial)
        .ok_or_else(none)?;
    let detail = reader.trial(trial)?.ok_or_else(none)?;
    fs::create_dir_all(folder)
        .with_context(|| format!("failed to make the folder {}", folder.display()))?;
    let description = folder.join("trial.json");
    write_whole(&description, export::trial_json(&detail).as_bytes())
        .with_context(|| format!("failed to write {}", description.display()))?;
    match configuration(place, home, detail.key) {
        Ok(Some(configuration)) => write_schedules(&configuration, folder)?,
        Ok(None) => {}
        Err(error) => eprintln!("the schedule of trial {} is left out: {error}", trial.0),
    }
    let last = detail.path.last().and_then(|stage| Some((stage.end, stage.checkpoints.last()?)));
    let Some((_, checkpoint)) = last.filter(|(end, checkpoint)| *end == checkpoint.step) else {
        eprintln!(
            "wrote {}; the weights of trial {} are not on disk: its worker program keeps none, or `[run] keep` is too small",
            description.display(),
            trial.0
        );
        return Ok(());
    };
    let from = home.attempt(checkpoint.attempt).join(&checkpoint.file);
    let to = folder.join("weights.safetensors");
    let file = fs::read(&from).with_context(|| format!("failed to read {}", from.display()))?;
    // A trial judged by the average of its weights is that average.
    let average = if metric.starts_with("avg_") { export::averaged(&file) } else { None };
    write_whole(&to, average.as_ref().unwrap_or(&file))
        .with_context(|| format!("failed to write {}", to.display()))?;
    eprintln!("wrote trial {}: {} and {}", trial.0, description.display(), to.display());
    Ok(())
}

/// What a trial is one of; `None` if it is not of the sweep's present file.
fn configuration(place: &Place, home: &Home, key: Key) -> Result<Option<Configuration>> {
    let file = home.sweep_file();
    let (name, text) = (file.display().to_string(), read(&file)?);
    let Plan { trials, configurations, .. } = super::prepared(place, &name, &text)?.plan;
    let point = trials.iter().find(|trial| trial.key == key).map(|trial| trial.point);
    Ok(configurations.into_iter().find(|configuration| Some(configuration.point) == point))
}

/// The learning rate as a table and as code, and every other parameter that follows a schedule as a table.
fn write_schedules(configuration: &Configuration, folder: &Path) -> Result<()> {
    let steps = configuration.length.steps;
    let named = |name: &str, scheduled: &Scheduled| Named {
        name: name.to_owned(),
        scheduled: scheduled.clone(),
    };
    let mut files = Vec::new();
    if let Some(scheduled) = &configuration.schedule {
        let rate = named("learning_rate", scheduled);
        files.push((TABLE.to_owned(), schedule::csv(std::slice::from_ref(&rate), steps)));
        files.extend(Framework::ALL.map(|framework| {
            let name = format!("schedule_{}.{}", framework.name(), framework.extension());
            (name, schedule::snippet(&rate, steps, framework))
        }));
    }
    for (name, scheduled) in &configuration.profiles {
        let values = schedule::csv(&[named(name, scheduled)], steps);
        files.push((format!("schedule_{name}.csv"), values));
    }
    for (name, text) in files {
        let path = folder.join(name);
        write_whole(&path, text.as_bytes())
            .with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(())
}
