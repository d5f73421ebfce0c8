//! What a program is told: its arguments, its environment, its files; and its start.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, BufWriter, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use pleach_core::{
    plan::{
        Scheduled,
        command::{BUDGET, OPEN_ENDED, SEED},
    },
    template::Template,
    value::Value,
};
use pleach_files as files;
use pleach_protocol::message::{Fault, Greeting, Schedule, Start};
use rustix::process::getpid;

use super::{Command, cannot, misconfigured, state};
use crate::{
    groups::{ENTER, Group},
    guard::{self, BECOME},
};

/// The numbers of threads that libraries ask the environment for.
const THREADS: [&str; 5] = [
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
];

/// Bytes of one variable, its name, `=` and the NUL at its end, that Linux takes.
const MAX_VARIABLE: usize = 128 << 10;

/// Before a parameter's name in the environment.
const PREFIX: &str = "PLEACH_PARAMETER_";

/// Files in an attempt's folder.
const PARAMETERS: &str = "parameters.json";
const RATES: &str = "schedule.txt";

/// How a program is started: what a person would type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The program and its arguments.
    pub arguments: Vec<String>,
    /// Beside what it inherits, and the numbers of threads and GPUs of its slot.
    pub environment: BTreeMap<String, String>,
    pub directory: PathBuf,
}

/// Everything that a program is told.
pub(super) struct Told(Invocation);

impl Invocation {
    /// Of an attempt in this folder.
    pub(super) fn new(command: &Command, start: &Start, folder: &Path) -> Result<Self, String> {
        let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
        let values: BTreeMap<&str, String> = parameters(command, start)
            .filter_map(|(name, value)| {
                let value: Value = serde_json::from_value(value.clone()).ok()?;
                Some((name.as_str(), value.to_string()))
            })
            .collect();
        let mut environment: BTreeMap<String, String> = [
            ("PLEACH_SEED", start.seed.to_string()),
            ("PLEACH_TRIAL", start.trial.to_string()),
            ("PLEACH_ATTEMPT", start.attempt.to_string()),
            ("PLEACH_DIRECTORY", start.directory.clone()),
            ("PLEACH_PARAMETERS", file(PARAMETERS)),
            ("PLEACH_METRICS", file("metrics.jsonl")),
            ("PLEACH_STOP", file("stop")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        // What the environment cannot hold stands in the file alone.
        let fits = |name: &str, value: &str| {
            !name.contains(['=', '\0'])
                && !value.contains('\0')
                && PREFIX.len() + name.len() + value.len() + 2 <= MAX_VARIABLE
        };
        for (name, value) in values.iter().filter(|(name, value)| fits(name, value)) {
            environment.insert(format!("{PREFIX}{name}"), value.clone());
        }
        let mut tell = |name: &str, value: String| environment.insert(name.to_owned(), value);
        if command.checkpoint {
            tell("PLEACH_FIRST", start.first.to_string());
            tell("PLEACH_END", start.end.to_string());
            if let Some(from) = &start.from {
                tell("PLEACH_LOAD", from.file.clone());
            }
            if start.keep {
                tell("PLEACH_SAVE", state::place(folder).to_string_lossy().into_owned());
            }
            if start.end == start.budget {
                tell("PLEACH_LAST", "1".to_owned());
            }
        } else if start.budget < OPEN_ENDED {
            tell("PLEACH_STEPS", start.budget.to_string());
        }
        if rates(start).is_some() {
            tell("PLEACH_SCHEDULE", file(RATES));
        }
        let value = |name: &str| {
            let seed = || (name == SEED).then(|| start.seed.to_string());
            values.get(name).or_else(|| environment.get(name)).cloned().or_else(seed)
        };
        let render = |text: &String| {
            let template: Template = text.parse().map_err(|error| format!("`{text}`: {error}"))?;
            let rendered = template.render(value);
            rendered.map_err(|name| format!("`{name}` in `{text}` has no value"))
        };
        let arguments = command.run.iter().map(render).collect::<Result<_, String>>()?;
        let own: Vec<(String, String)> = command
            .environment
            .iter()
            .map(|(name, text)| Ok((name.clone(), render(text)?)))
            .collect::<Result<_, String>>()?;
        environment.extend(own);
        Ok(Self { arguments, environment, directory: command.directory.clone() })
    }
}

/// What it is told as a file. Stages that trials of several lengths share cannot know how long these are.
fn parameters<'a>(
    command: &Command,
    start: &'a Start,
) -> impl Iterator<Item = (&'a String, &'a serde_json::Value)> {
    let is_told = move |name: &str| !(command.checkpoint && name == BUDGET);
    start.parameters.iter().filter(move |(name, _)| is_told(name))
}

/// Its schedule, if anybody knows how long it trains.
fn rates(start: &Start) -> Option<&Schedule> {
    start.schedule.as_ref().filter(|_| start.budget < OPEN_ENDED)
}

impl Told {
    /// Writes the files that it is told of.
    pub(super) fn new(
        command: &Command,
        greeting: &Greeting,
        start: &Start,
        folder: &Path,
    ) -> Result<Self, Fault> {
        fs::create_dir_all(folder).map_err(cannot("make the attempt's folder"))?;
        let parameters: BTreeMap<_, _> = parameters(command, start).collect();
        let text = serde_json::to_vec_pretty(&parameters).unwrap_or_default();
        files::write(&folder.join(PARAMETERS), &text).map_err(cannot("write the parameters"))?;
        if let Some(schedule) = rates(start) {
            // Not what comes after the stage.
            write_rates(&folder.join(RATES), schedule, start.end)?;
        }
        let mut invocation = Invocation::new(command, start, folder).map_err(misconfigured)?;
        for (name, value) in threads(greeting) {
            // What the file sets stays.
            invocation.environment.entry(name).or_insert(value);
        }
        Ok(Self(invocation))
    }

    /// Through a process of this program, which asks the kernel to be killed with the guard and becomes the person's. Its
    /// process group is there before anybody may want to kill it.
    pub(super) fn spawn(&self, group: &Group) -> Result<Child, Fault> {
        // The file of this program may have been replaced since.
        std::process::Command::new("/proc/self/exe")
            .arg(BECOME)
            .arg(getpid().as_raw_nonzero().to_string())
            .args(&self.0.arguments)
            .envs(&self.0.environment)
            .envs(group.doors().map(|doors| (ENTER, doors)))
            .current_dir(&self.0.directory)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| {
                if guard::is_passing(&error) {
                    return cannot("start it")(error);
                }
                misconfigured(format!("it cannot be started: {error}"))
            })
    }
}

/// One rate on a line, for each step from 0.
fn write_rates(path: &Path, schedule: &Schedule, steps: u64) -> Result<(), Fault> {
    let write = || -> io::Result<()> {
        let mut file = BufWriter::new(files::create(path)?);
        match schedule {
            Schedule::Profile { rates, .. } => {
                for rate in Scheduled::rates(rates, steps).map_err(io::Error::other)? {
                    writeln!(file, "{rate:?}")?;
                }
            }
            Schedule::Table(rates) => {
                for rate in rates.iter().take(usize::try_from(steps).unwrap_or(usize::MAX)) {
                    writeln!(file, "{rate:?}")?;
                }
            }
        }
        file.flush()
    };
    write().map_err(cannot("write the schedule"))
}

/// The slot's share of the cores, where the person has not set it for everything.
fn threads(greeting: &Greeting) -> impl Iterator<Item = (String, String)> {
    let unset = THREADS.iter().filter(|name| env::var_os(name).is_none());
    unset.map(|&name| (name.to_owned(), greeting.threads.to_string()))
}
