//! A person's own program as a worker. This program, under a hidden command, is the guard around it: towards the
//! coordinator it speaks the protocol, on the other side it runs the person's program once for each attempt, and its
//! result is on disk before anybody is told. Whatever happens to the coordinator, what finished is not run again.
//!
//! Reading order: this file (what is run), [`guard`] (the process), `told` (what a
//! program is told), `attempt` (one run of it), `ending` (how it came out), `output` (what it
//! prints and measures), `state` (what the next stage starts from), [`result`] (what stays), [`shown`] (what a person would
//! type).

mod attempt;
mod ending;
pub mod guard;
mod output;
pub mod result;
pub mod shown;
mod state;
mod told;

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use pleach_core::{
    diagnostic::nearest,
    key::Key,
    output::Strictness,
    plan::command::Reading,
    spec::{Argument, CommandSpec},
};
use pleach_files::{self as files, Link};
use pleach_protocol::{
    describe::{Description, ScheduleForm},
    message::{Fault, FaultClass, PROTOCOL},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use ending::wanted_memory;
pub use told::Invocation;

use crate::groups::Limits;

/// Larger files of a command are told apart by their size alone.
const DIGESTED: u64 = 64 << 20;

/// Attempts that a guard holds beside the one that it runs: they hide the time between two short programs.
const QUEUE: u32 = 8;

/// What a guard must know to run a person's program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Command {
    /// Templates; not empty.
    run: Vec<String>,
    environment: BTreeMap<String, String>,
    /// Absolute.
    directory: PathBuf,
    metrics: String,
    #[serde(default)]
    strictness: Strictness,
    /// The metric without which a program has failed.
    objective: String,
    numerics: String,
    /// Whether it saves its state and starts from it.
    checkpoint: bool,
    /// What it may take.
    limits: Limits,
}

#[derive(Debug, Error)]
pub enum CommandError {
    #[error("there is no folder {0}, where `[command] directory` says that the program runs")]
    Directory(PathBuf),
    #[error("there is no program `{name}` that can be run; looked {looked}")]
    Program { name: String, looked: String },
    #[error("there is no program `{run}`: `run` is a list, [{list}]")]
    Line { run: String, list: String },
    #[error("`{script}` cannot run: its first line names `{interpreter}`, which is not there")]
    Interpreter { script: String, interpreter: String },
    #[error("there is no script `{script}` in {folder}{meant}")]
    Script { script: String, folder: PathBuf, meant: String },
}

impl Command {
    /// A command whose program and folder exist.
    pub fn new(spec: &CommandSpec, objective: &str, limits: Limits) -> Result<Self, CommandError> {
        let relative = spec.directory.as_deref().unwrap_or(".");
        let directory = Path::new(relative)
            .canonicalize()
            .ok()
            .filter(|folder| folder.is_dir())
            .ok_or_else(|| CommandError::Directory(relative.into()))?;
        if let Some(program) = spec.run.first().filter(|program| is_plain(program)) {
            check_program(&program.text, &directory)?;
            check_script(spec, &directory)?;
        }
        Ok(Self {
            run: spec.run.iter().map(|argument| argument.text.clone()).collect(),
            environment: spec
                .environment
                .iter()
                .map(|(name, argument)| (name.clone(), argument.text.clone()))
                .collect(),
            metrics: spec.metrics.clone(),
            strictness: spec.strictness,
            objective: objective.to_owned(),
            numerics: numerics(spec, &directory),
            directory,
            checkpoint: spec.checkpoint.is_some(),
            limits,
        })
    }

    /// For people.
    pub fn name(&self) -> &str {
        self.run.first().map_or("", String::as_str)
    }

    /// Where it runs.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A label of the content of the files that the command names.
    pub fn numerics(&self) -> &str {
        &self.numerics
    }

    /// Whether the files that the command names read what it is told in variables and files.
    pub fn reading(&self) -> Reading {
        let mut files = self.run.iter().filter_map(|argument| {
            let path = self.directory.join(argument);
            path.is_file().then(|| files::read(&path, Link::Follow, DIGESTED).ok())?
        });
        let reads = |content: &[u8]| content.windows(PREFIX.len()).any(|part| part == PREFIX);
        match files.next() {
            None => Reading::Unknown,
            Some(first) if reads(&first) || files.any(|content| reads(&content)) => Reading::Seen,
            Some(_) => Reading::NotSeen,
        }
    }

    pub fn describe(&self) -> Description {
        Description {
            protocol: PROTOCOL,
            program: "command".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            numerics: self.numerics.clone(),
            exact: false,
            queue: QUEUE,
            schedules: ScheduleForm::Profile,
            checkpoints: self.checkpoint,
            parameters: Vec::new(),
            devices: Vec::new(),
            metrics: Vec::new(),
            needs: BTreeMap::new(),
        }
    }
}

/// With what the names of all variables begin that a program is told.
const PREFIX: &[u8] = b"PLEACH_";

/// What runs a script that an argument names.
const INTERPRETERS: [&str; 24] = [
    "python",
    "pypy",
    "ipython",
    "bash",
    "sh",
    "zsh",
    "dash",
    "fish",
    "node",
    "deno",
    "bun",
    "ruby",
    "perl",
    "julia",
    "Rscript",
    "lua",
    "php",
    "uv",
    "poetry",
    "torchrun",
    "accelerate",
    "deepspeed",
    "srun",
    "env",
];

/// How files of scripts end.
const SCRIPTS: [&str; 12] =
    ["py", "sh", "bash", "js", "mjs", "ts", "rb", "pl", "jl", "R", "lua", "php"];

/// Whether the script is there that an interpreter is told to run.
fn check_script(spec: &CommandSpec, directory: &Path) -> Result<(), CommandError> {
    let plain = |argument: &&Argument| is_plain(argument);
    let mut arguments = spec.run.iter().filter(plain).map(|argument| argument.text.as_str());
    let program = arguments.next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    let version = |c: char| c.is_ascii_digit() || c == '.';
    if !INTERPRETERS.contains(&program.trim_end_matches(version)) {
        return Ok(());
    }
    let is_code = |argument: &&str| matches!(*argument, "-c" | "-e" | "-m" | "--eval" | "--module");
    let is_script = |argument: &&str| {
        let ending = Path::new(argument).extension().and_then(|ending| ending.to_str());
        !argument.starts_with('-') && ending.is_some_and(|ending| SCRIPTS.contains(&ending))
    };
    let mut arguments = arguments.take_while(|argument| !is_code(argument));
    let Some(script) = arguments.find(is_script) else { return Ok(()) };
    let path = directory.join(script);
    if path.exists() {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(directory).to_owned();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    let others: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let others = others.iter().map(String::as_str);
    let meant = name.and_then(|name| nearest(&name, others).map(str::to_owned));
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
    Err(CommandError::Script { script: script.to_owned(), folder, meant })
}

/// The interpreter that a script's first line names, if it is not there.
fn missing_interpreter(path: &Path) -> Option<String> {
    let mut first = [0; 256];
    let read = files::open(path, Link::Follow).and_then(|mut file| file.read(&mut first)).ok()?;
    let line = first[..read].strip_prefix(b"#!")?;
    let line = String::from_utf8_lossy(line.split(|byte| *byte == b'\n').next()?);
    let interpreter = line.split_whitespace().next()?;
    // A line that ends in CR names a program whose name ends so.
    if line.trim_end_matches(' ').ends_with('\r') {
        return Some(format!("{interpreter}\\r"));
    }
    (!Path::new(interpreter).exists()).then(|| interpreter.to_owned())
}

fn is_plain(argument: &Argument) -> bool {
    argument.template.names().next().is_none()
}

/// Whether the kernel will find it: a path from where it runs, or a name in `PATH`.
fn check_program(name: &str, directory: &Path) -> Result<(), CommandError> {
    let can_run = |path: PathBuf| {
        fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
    };
    let (is_there, looked) = if name.contains('/') {
        (can_run(directory.join(name)), format!("at {}", directory.join(name).display()))
    } else {
        let path = env::var_os("PATH").unwrap_or_default();
        (env::split_paths(&path).any(|folder| can_run(folder.join(name))), "in PATH".to_owned())
    };
    if !is_there {
        let words: Vec<String> = name.split_whitespace().map(|word| format!("{word:?}")).collect();
        return Err(match words.len() {
            0 | 1 => CommandError::Program { name: name.to_owned(), looked },
            _ => CommandError::Line { run: name.to_owned(), list: words.join(", ") },
        });
    }
    let script = name.contains('/').then(|| directory.join(name));
    match script.and_then(|path| missing_interpreter(&path)) {
        Some(interpreter) => {
            Err(CommandError::Interpreter { script: name.to_owned(), interpreter })
        }
        None => Ok(()),
    }
}

/// The files that a command names decide what it computes, as far as anybody can see.
fn numerics(spec: &CommandSpec, directory: &Path) -> String {
    let mut content = Vec::new();
    for argument in spec.run.iter().filter(|argument| is_plain(argument)) {
        let path = directory.join(&argument.text);
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if metadata.is_file() {
            content.extend(metadata.len().to_le_bytes());
            content.extend(files::read(&path, Link::Follow, DIGESTED).unwrap_or_default());
        }
    }
    format!("files {}", &Key::of_bytes(&content).to_string()[..16])
}

/// What cannot be done, for people.
fn cannot(what: &str) -> impl Fn(io::Error) -> Fault {
    let what = what.to_owned();
    move |error| Fault {
        class: FaultClass::Infrastructure,
        why: format!("pleach cannot {what}: {error}"),
    }
}

/// What in the sweep file keeps a program from being run, now and ever.
fn misconfigured(why: String) -> Fault {
    Fault { class: FaultClass::Configuration, why }
}
