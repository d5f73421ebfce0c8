//! Where things are: sweeps, data sets, the worker program. The same for every command.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use pleach_core::{
    diagnostic::nearest,
    life::TrialId,
    rank::rank,
    spec::{ProgramSpec, SweepSpec},
};
use pleach_engine::{
    command::Command,
    groups::Limits,
    home::{Home, MAX_SWEEP_FILE},
    program::{self, Runner, WorkerProgram},
};
use pleach_files::{self as files, Link};
use pleach_store::{Reader, TrialDetail, Which};

use crate::{exit::Failure, say::eprintln};

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
        let path = program::find(self.worker.as_deref())?;
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

    /// A sweep that exists, by its name or its file; the newest one without either.
    pub(crate) fn home(&self, sweep: Option<&str>) -> Result<Home> {
        let Some(sweep) = sweep else { return self.newest() };
        let name = if Path::new(sweep).extension().is_some() {
            name_in(Path::new(sweep))?
        } else {
            sweep.to_owned()
        };
        let home = Home::new(&self.runs, &name)?;
        if home.exists() {
            return Ok(home);
        }
        if let Some(why) = closed(&home) {
            return Err(Failure::NotFound(why).into());
        }
        let names = self.names();
        let known = match names.as_slice() {
            [] => return Err(self.no_sweeps().into()),
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

    /// The sweep whose file was accepted last.
    fn newest(&self) -> Result<Home> {
        let names = self.names();
        let accepted = |name: &String| {
            let home = Home::new(&self.runs, name).ok()?;
            let summary = Reader::open(&home.database()).ok()?.summary().ok()?;
            Some((summary.accepted, home))
        };
        let newest = names.iter().filter_map(accepted).max_by_key(|(accepted, _)| *accepted);
        let (_, home) = newest.ok_or_else(|| self.no_sweeps())?;
        if 1 < names.len() {
            eprintln!("of the newest sweep, `{}`:", home.name());
        }
        Ok(home)
    }

    fn no_sweeps(&self) -> Failure {
        let runs = self.runs.display();
        Failure::NotFound(format!(
            "there are no sweeps in {runs} yet; start one with `pleach run FILE`"
        ))
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

    pub(crate) fn reader(&self, sweep: Option<&str>) -> Result<(Home, Reader)> {
        let home = self.home(sweep)?;
        let reader = Reader::open(&home.database())?;
        Ok((home, reader))
    }
}

/// Why a folder that is there cannot be used as a sweep.
fn closed(home: &Home) -> Option<String> {
    let folder = home.folder().display();
    match home.database().try_exists() {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Some(format!(
            "{folder} may not be opened: its owner can open it to you with `chmod 755 {folder}`"
        )),
        _ if 0 < home.number_of_attempts() => Some(format!(
            "{folder} holds files of attempts, and no database: run its sweep file to see what can be done"
        )),
        _ => None,
    }
}

/// A sweep, and words that name trials of it.
pub(crate) struct Chosen {
    pub(crate) home: Home,
    pub(crate) reader: Reader,
    pub(crate) trials: Vec<String>,
}

impl Place {
    /// What is meant by `[SWEEP] TRIAL...`: without a sweep, trials of the newest one; `SWEEP/TRIAL` names both.
    pub(crate) fn chosen(&self, words: &[String], least: usize) -> Result<Chosen> {
        let exists = |name: &str| Home::new(&self.runs, name).is_ok_and(|home| home.exists());
        let prefix = |word: &str| {
            let (sweep, _) = word.rsplit_once('/')?;
            exists(sweep).then(|| sweep.to_owned())
        };
        let (sweep, trials) = match words {
            [] => (None, words),
            [first, ..] if prefix(first).is_some() => (prefix(first), words),
            // Of a name that is enough for a trial, too, the trial is meant where one is needed.
            [only] if least == 1 && is_trial(only) => (None, words),
            [first, ..] if is_trial(first) && !exists(first) => (None, words),
            [first, rest @ ..] => (Some(first.clone()), rest),
        };
        let (home, reader) = self.reader(sweep.as_deref())?;
        if trials.len() < least {
            let name = home.name();
            let what = match least {
                1 => format!("name a trial of `{name}`"),
                least => format!("name {least} trials of `{name}` at least"),
            };
            let why = format!(
                "{what}: its number (`pleach board {name}` shows them), the beginning of its key, or `best`"
            );
            return Err(Failure::NeedsAnswer(why).into());
        }
        let own = format!("{}/", home.name());
        let trial = |word: &String| match word.strip_prefix(&own) {
            Some(trial) => Ok(trial.to_owned()),
            None if prefix(word).is_some() => Err(Failure::NeedsAnswer(format!(
                "`{word}` is a trial of another sweep than `{}`: name trials of one sweep",
                home.name()
            ))),
            None => Ok(word.clone()),
        };
        let trials = trials.iter().map(trial).collect::<Result<_, _>>()?;
        Ok(Chosen { home, reader, trials })
    }
}

/// Whether a word can only be a trial's, or that of a sweep that is called so.
fn is_trial(word: &str) -> bool {
    word == BEST || !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A trial's name: that with the best number, of the best configuration.
pub(crate) const BEST: &str = "best";

/// The trial that a person means: by its number, the beginning of its key, or `best`.
pub(crate) fn find(reader: &Reader, text: &str) -> Result<TrialId> {
    if text == BEST { best(reader) } else { Ok(reader.find(text)?) }
}

/// The trial with the best number, of the best configuration.
pub(crate) fn best(reader: &Reader) -> Result<TrialId> {
    let goal = reader.revision()?.objective.goal;
    let rows = match reader.best(goal, 1)? {
        Some(best) => best.rows,
        None => reader.rows(Which::Current)?,
    };
    let board = rank(rows, goal);
    let trials = board.first().into_iter().flat_map(|first| &first.row.trials);
    let best = trials
        .filter_map(|result| {
            Some((result.objective.filter(|value| value.is_finite())?, result.trial))
        })
        .min_by(|a, b| goal.compare(a.0, b.0));
    let none =
        || Failure::NotFound("no trial has a result yet, so that none is the best".to_owned());
    Ok(best.ok_or_else(none)?.1)
}

/// Everything about the trial that is [meant](find).
pub(crate) fn trial(reader: &Reader, text: &str) -> Result<TrialDetail> {
    let trial = find(reader, text)?;
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
    files::read_text(file, Link::Follow, MAX_SWEEP_FILE).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            Failure::NotFound(format!("there is no file {}", file.display())).into()
        }
        ErrorKind::InvalidInput | ErrorKind::FileTooLarge | ErrorKind::InvalidData => {
            Failure::Invalid(format!("{} cannot be a sweep file: {error}", file.display())).into()
        }
        _ => anyhow::Error::new(error).context(format!("failed to read {}", file.display())),
    })
}
