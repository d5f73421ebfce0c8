//! `export`: results for other programs.

mod trial;

pub(crate) use trial::{best, named};

use std::{
    io::{BufWriter, IsTerminal, Write},
    path::PathBuf,
};

use anstream::eprintln;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use pleach_engine::home::write_with;
use pleach_interop::{
    ExportError,
    columnar::Parquet,
    delimited::{Csv, JsonLines},
    table::Table,
};
use pleach_store::Reader;
use pleach_views::export;

use crate::{
    exit::{Ending, Failure},
    place::Place,
    single::Single,
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
    /// The best trial, as a sweep file that holds it alone
    #[arg(long)]
    best: bool,
    /// Any trial, by its number or the beginning of its key
    #[arg(long, value_name = "TRIAL")]
    trial: Option<String>,
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
    /// A trial as JSON: its parameters, and everything that it measured
    #[arg(long, conflicts_with_all = ["form", "canonical", "to"])]
    json: bool,
    /// Write it there instead of to standard output. Of a trial a folder: the sweep file, JSON, weights (safetensors), and its
    /// schedule as a table and as code for PyTorch, Keras, optax and Candle
    #[arg(long, value_name = "PATH", conflicts_with = "canonical")]
    to: Option<PathBuf>,
}

impl Export {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let (home, reader) = place.reader(&self.sweep)?;
        if let Some(form) = self.what.form {
            self.write(form, &reader)?;
        } else if self.what.canonical {
            canonical(&reader)?;
        } else {
            let detail = match &self.what.trial {
                Some(text) => trial::named(&reader, text)?,
                None => trial::best(&reader)?,
            };
            match &self.to {
                Some(folder) => trial::write(place, &home, &reader, &detail, folder)?,
                None if self.json => super::print(&export::trial_json(&detail))?,
                None => super::print(&Single::find(place, &home, &detail)?.file(place))?,
            }
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
