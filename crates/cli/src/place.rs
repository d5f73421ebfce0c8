//! Where things are: sweeps, data sets, the worker program. The same for every command.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use pleach_core::{
    diagnostic::nearest,
    spec::{ProgramSpec, SweepSpec},
};
use pleach_engine::{
    command::Command,
    groups::Limits,
    home::Home,
    program::{Runner, WorkerProgram, find},
};
use pleach_store::{Reader, TrialDetail};

use crate::exit::Failure;

/// Above these options in the help of every command.
const HEADING: &str = "Where things are";

#[derive(Args, Clone, Debug)]
pub(crate) struct Place {
    /// The folder of sweeps
    #[arg(
        long,
        global = true,
        env = "PLEACH_RUNS",
        default_value = "runs",
        value_name = "DIR",
        help_heading = HEADING
    )]
    pub(crate) runs: PathBuf,
    /// The folder that holds mnist/ and fashion-mnist/
    #[arg(long, global = true, env = "PLEACH_DATA", value_name = "DIR", help_heading = HEADING)]
    pub(crate) data: Option<PathBuf>,
    /// The worker program, instead of pleach-mnist
    #[arg(
        long,
        global = true,
        env = "PLEACH_WORKER",
        value_name = "PROGRAM",
        help_heading = HEADING
    )]
    pub(crate) worker: Option<PathBuf>,
}

impl Place {
    /// What runs the trials of a sweep.
    pub(crate) fn runner(&self, spec: &SweepSpec) -> Result<Runner> {
        let limits = Limits { memory: spec.run.memory, cpus: spec.run.cpus };
        Ok(match &spec.program {
            ProgramSpec::Trainer => Runner::Worker(self.worker()?),
            ProgramSpec::Command(command) => Runner::Command {
                told: Box::new(Command::new(command, &spec.objective.metric, limits)?),
                spec: Box::new(command.clone()),
            },
        })
    }

    pub(crate) fn worker(&self) -> Result<WorkerProgram> {
        let path = find(self.worker.as_deref())?;
        // Workers have another current folder.
        let data = match &self.data {
            Some(data) => Some(
                data.canonicalize()
                    .with_context(|| format!("there is no data folder {}", data.display()))?,
            ),
            None => Path::new("data").canonicalize().ok(),
        };
        Ok(WorkerProgram { path, data })
    }

    /// A sweep that exists, by its name or its file.
    pub(crate) fn home(&self, sweep: &str) -> Result<Home> {
        let name = if Path::new(sweep).extension().is_some() {
            name_in(Path::new(sweep))?
        } else {
            sweep.to_owned()
        };
        let home = Home::new(&self.runs, &name)?;
        if home.exists() {
            return Ok(home);
        }
        let names = self.names();
        let known = match names.as_slice() {
            [] => format!(
                "there are none in {} yet; start one with `pleach run FILE`",
                self.runs.display()
            ),
            names => match nearest(&name, names.iter().map(String::as_str)) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("there are {}", names.join(", ")),
            },
        };
        Err(Failure::NotFound(format!(
            "there is no sweep `{name}` in {}: {known}",
            self.runs.display()
        ))
        .into())
    }

    /// The names of all sweeps, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.runs).into_iter().flatten().flatten();
        let name = |entry: fs::DirEntry| entry.file_name().into_string().ok();
        let is_sweep = |name: &String| Home::new(&self.runs, name).is_ok_and(|home| home.exists());
        let mut names: Vec<String> = entries.filter_map(name).filter(is_sweep).collect();
        names.sort();
        names
    }

    pub(crate) fn reader(&self, sweep: &str) -> Result<(Home, Reader)> {
        let home = self.home(sweep)?;
        let reader = Reader::open(&home.database())?;
        Ok((home, reader))
    }
}

/// The trial that a person means: by its number, or the beginning of its key.
pub(crate) fn trial(reader: &Reader, text: &str) -> Result<TrialDetail> {
    let trial = reader.find(text)?;
    let none = || Failure::NotFound(format!("there is no trial {}", trial.0));
    Ok(reader.trial(trial)?.ok_or_else(none)?)
}

/// The name of the sweep that a file describes.
fn name_in(file: &Path) -> Result<String> {
    let text = read(file)?;
    let spec = pleach_core::spec::read(&file.display().to_string(), &text)
        .map_err(pleach_engine::prepare::PrepareError::Invalid)?;
    Ok(spec.name)
}

/// A file's text.
pub(crate) fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::NotFound(format!("there is no file {}", file.display())).into()
        }
        _ => anyhow::Error::new(error).context(format!("failed to read {}", file.display())),
    })
}
