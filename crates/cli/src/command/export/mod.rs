//! `export`: results for other programs.

mod trial;

pub(crate) use trial::optimizer;

use std::{
    fs,
    io::{BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
};

use crate::say::{Out, eprintln};
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use pleach_engine::home::{Home, write_with};
use pleach_files as files;
use pleach_interop::{
    ExportError,
    columnar::Parquet,
    delimited::{Csv, JsonLines},
    each_trial, fixed,
    mlflow::{self, Sent, Server},
    optuna,
    table::Table,
    tensorboard,
};
use pleach_store::{Reader, Which};
use pleach_views::export;

use crate::{
    exit::{Ending, Failure},
    place::{BEST, Chosen, Place},
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
    /// Any trial: its number, the beginning of its key, or `best`
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
    /// A journal of Optuna's, which opens it and goes on with it; optuna-dashboard shows it
    Optuna,
    /// A folder for TensorBoard, in it one for each trial: curves, and the tab HParams
    Tensorboard,
    /// To a running MLflow server, --to its address: a run for each trial that ended and is not there yet
    Mlflow,
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
    /// The name of the sweep, or its file; the newest if left out
    sweep: Option<String>,
    #[command(flatten)]
    what: What,
    /// Which table, of CSV, JSON lines and Parquet
    #[arg(long, value_enum, default_value_t = Rows::Trials, requires = "form")]
    table: Rows,
    /// A trial as JSON: its parameters, and everything that it measured
    #[arg(long, conflicts_with_all = ["form", "canonical", "to"])]
    json: bool,
    /// Write it there instead of to standard output. TensorBoard's is a folder, MLflow's an address. Of a trial a folder, too: the sweep file, JSON, weights (safetensors), and its
    /// schedule as a table and as code for PyTorch, Keras, optax and Candle
    #[arg(long, value_name = "PATH", conflicts_with = "canonical")]
    to: Option<PathBuf>,
}

impl Export {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let trial = self.what.trial.clone().or_else(|| self.what.best.then(|| BEST.to_owned()));
        let words: Vec<String> = self.sweep.clone().into_iter().chain(trial).collect();
        let Chosen { home, reader, trials } = place.chosen(&words, 0)?;
        if let Some(form) = self.what.form {
            self.write(form, &home, &reader)?;
        } else if self.what.canonical {
            canonical(&reader)?;
        } else {
            let detail = crate::place::trial(&reader, &trials[0])?;
            match &self.to {
                Some(folder) => trial::write(place, &home, &reader, &detail, folder)?,
                None if self.json => super::data(&export::trial_json(&detail))?,
                None => super::data(&Single::find(place, &home, &detail)?.file(place))?,
            }
        }
        Ok(Ending::Good)
    }

    fn write(&self, form: Form, home: &Home, reader: &Reader) -> Result<()> {
        match (form, &self.to) {
            (Form::Tensorboard, Some(folder)) => return tensorboard(reader, folder),
            (Form::Tensorboard, None) => return Err(needs("TensorBoard reads a folder: --to DIR")),
            (Form::Mlflow, Some(address)) => return mlflow(reader, home.name(), address),
            (Form::Mlflow, None) => {
                return Err(needs("MLflow is a server: --to http://127.0.0.1:5000"));
            }
            (Form::Optuna, Some(path)) if path.exists() => {
                let path = path.display();
                return Err(needs(&format!(
                    "{path} exists, and Optuna may have added trials to it: remove it, or give another name"
                )));
            }
            (Form::Parquet, None) if std::io::stdout().is_terminal() => {
                return Err(needs("Parquet is not for a terminal: --to FILE"));
            }
            _ => {}
        }
        let Some(path) = &self.to else {
            return Ok(self.write_file(form, home, reader, Out::new())?);
        };
        write_with(path, |file| self.write_file(form, home, reader, file))
            .with_context(|| format!("failed to write {}", path.display()))?;
        eprintln!("wrote {}", path.display());
        Ok(())
    }

    fn write_file(
        &self,
        form: Form,
        home: &Home,
        reader: &Reader,
        out: impl Write + Send,
    ) -> Result<(), ExportError> {
        let table = match self.table {
            Rows::Trials => Table::Trials,
            Rows::Metrics => Table::Metrics,
        };
        let mut out = BufWriter::new(out);
        match form {
            Form::Csv => table.write(reader, &mut Csv(out)),
            Form::Jsonl => table.write(reader, &mut JsonLines::new(out)),
            Form::Parquet => table.write(reader, &mut Parquet::new(out)),
            Form::Optuna => {
                for note in optuna::journal(reader, home.name(), &mut out)? {
                    eprintln!("{note}");
                }
                Ok(())
            }
            // No files.
            Form::Tensorboard | Form::Mlflow => Ok(()),
        }
    }
}

fn needs(answer: &str) -> anyhow::Error {
    Failure::NeedsAnswer(answer.to_owned()).into()
}

/// A folder for each trial that was begun, named by its number.
fn tensorboard(reader: &Reader, folder: &Path) -> Result<()> {
    let mut written = 0;
    let fixed = fixed(reader)?;
    each_trial(reader, &reader.rows(Which::Current)?, |detail| {
        let Some(events) = tensorboard::events(detail, &fixed) else { return Ok(()) };
        let folder = folder.join(detail.trial.0.to_string());
        fs::create_dir_all(&folder)?;
        // Whole or not at all; after a loss of power it is written again.
        let part = folder.join("part");
        files::write(&part, &events)?;
        fs::rename(part, folder.join(tensorboard::file_name(detail)))?;
        written += 1;
        Ok(())
    })
    .with_context(|| format!("failed to write into {}", folder.display()))?;
    let folder = folder.display();
    eprintln!(
        "wrote {written} trials into {folder}; see them with `tensorboard --logdir {folder}`"
    );
    Ok(())
}

fn mlflow(reader: &Reader, name: &str, address: &Path) -> Result<()> {
    let address = address.to_string_lossy();
    // As MLflow's own programs have it.
    let token = std::env::var("MLFLOW_TRACKING_TOKEN").ok().filter(|token| !token.is_empty());
    let server = Server::new(&address, token)?;
    let Sent { new, kept, waiting, cut } = mlflow::send(reader, name, &server)?;
    if 0 < cut {
        eprintln!(
            "MLflow takes {} characters of a parameter: {cut} longer ones are cut",
            mlflow::LONGEST
        );
    }
    let waiting = match waiting {
        0 => String::new(),
        waiting => format!("; {waiting} have not ended yet"),
    };
    eprintln!("the experiment {name} at {address}: {new} runs added, {kept} were there{waiting}");
    Ok(())
}

fn canonical(reader: &Reader) -> Result<()> {
    let mut out = BufWriter::new(Out::new());
    let mut result = Ok(());
    reader.canonical(&mut |trial| {
        if result.is_ok() {
            result = writeln!(out, "{}", export::canonical_line(&trial));
        }
    })?;
    result?;
    Ok(out.flush()?)
}
