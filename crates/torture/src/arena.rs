//! A folder in which one sweep is tortured, and the programs that run there.

use std::{
    env, fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread::{self, sleep},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{
    Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open, pidfd_send_signal,
};
use tempfile::TempDir;

use crate::{
    subject::program::PROGRAM,
    witness::{self, Line, WITNESS},
};

/// The sweep's name.
pub const SWEEP: &str = "storm";

/// Longer than this nothing may take.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// What a sweep's trials are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A person's own program, each under a guard.
    Programs,
    /// A worker program whose trials share stages and start from checkpoints.
    Walkers,
}

impl Subject {
    pub const BOTH: [Self; 2] = [Self::Programs, Self::Walkers];

    /// The sweep file; `most` of the values of its axis.
    pub fn sweep(self, values: usize, slots: usize) -> Result<String> {
        let axis: Vec<String> = (1..=values).map(|value| value.to_string()).collect();
        let (axis, program) = (axis.join(", "), beside("pleach-torture")?);
        let program = program.display();
        let head = format!(
            "[sweep]\nname = \"{SWEEP}\"\nobjective = {{ metric = \"value\", goal = \"max\" }}\nseeds = [1, 2]\n[run]\nslots = {slots}\ncheckpoint = \"8st\"\nretries = 1000\n[run.retry]\ncrash = 1000\nprotocol = 1000\ninfrastructure = 1000\n"
        );
        Ok(match self {
            Self::Programs => format!(
                "{head}[command]\nrun = [\"{program}\", {PROGRAM:?}]\n[space]\nx = [{axis}]\n"
            ),
            Self::Walkers => format!(
                "{head}[space]\npeak = [{axis}]\n[space.schedule.constant]\n[space.schedule.wsd]\nwarmup = \"0%\"\ncooldown = [\"20%\", \"40%\"]\n"
            ),
        })
    }
}

/// A program that was built with this one.
pub fn beside(name: &str) -> Result<PathBuf> {
    let folder = env::current_exe()?.parent().map(Path::to_owned).unwrap_or_default();
    // A test lies one folder below.
    let places = [folder.join(name), folder.join("..").join(name)];
    let found = places.iter().find(|path| path.is_file());
    let found = found.with_context(|| {
        format!(
            "{name} is not built: run `cargo build --workspace` (looked in {})",
            folder.display()
        )
    })?;
    Ok(found.canonicalize()?)
}

/// See the module.
#[derive(Debug)]
pub struct Arena {
    folder: TempDir,
    pleach: PathBuf,
    walker: PathBuf,
    /// What runs instead of `pleach`, for a shell that knows that as `$0`.
    bug: Option<String>,
}

impl Arena {
    /// A new folder with this sweep file in it.
    pub fn new(sweep: &str) -> Result<Self> {
        let folder = TempDir::new()?;
        fs::write(folder.path().join("storm.toml"), sweep)?;
        let (pleach, walker) = (beside("pleach")?, beside("pleach-torture-walker")?);
        Ok(Self { folder, pleach, walker, bug: None })
    }

    /// One whose `pleach` has a bug: what it does in these cases, of a shell's `case` over the command.
    #[must_use]
    pub fn with_bug(self, cases: &str) -> Self {
        let bug = format!("case $1 in {cases} esac; exec \"$0\" \"$@\"");
        Self { bug: (!cases.is_empty()).then_some(bug), ..self }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The sweep's own folder.
    pub fn home(&self) -> PathBuf {
        self.path().join("runs").join(SWEEP)
    }

    pub fn database(&self) -> PathBuf {
        self.home().join("pleach.db")
    }

    /// `pleach` with these arguments, quiet.
    pub fn pleach(&self, arguments: &[&str]) -> Command {
        let mut command = match &self.bug {
            None => Command::new(&self.pleach),
            Some(bug) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", bug]).arg(&self.pleach);
                shell
            }
        };
        command.args(arguments);
        self.prepare(&mut command);
        command
    }

    /// `pleach` with these arguments, started by another program, which comes first.
    pub fn pleach_under(&self, program: &[&str], arguments: &[&str]) -> Result<Command> {
        let (first, rest) = program.split_first().context("no program")?;
        let pleach = self.pleach(arguments);
        let mut command = Command::new(first);
        command.args(rest).arg(pleach.get_program()).args(pleach.get_args());
        // So that both can be killed together.
        command.process_group(0);
        self.prepare(&mut command);
        Ok(command)
    }

    fn prepare(&self, command: &mut Command) {
        for name in ["PLEACH_DATA", "PLEACH_RUNS"] {
            command.env_remove(name);
        }
        command
            .current_dir(self.path())
            .env("PLEACH_WORKER", &self.walker)
            .env(WITNESS, self.witness_file())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
    }

    /// Its exit code and what it wrote; an error if it takes too long or panics.
    pub fn output(&self, command: &mut Command) -> Result<Output> {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let what = format!("{command:?}");
        end(child).with_context(|| what)
    }

    /// Runs the sweep to its end, which must be a good one.
    pub fn finish(&self) -> Result<()> {
        let output = self.output(&mut self.pleach(&["run", "storm.toml"]))?;
        if !output.status.success() {
            bail!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// What the sweep is and has come to; nothing if there is no sweep yet.
    pub fn canonical(&self) -> Result<String> {
        let output = self.output(&mut self.pleach(&["export", SWEEP, "--canonical"]))?;
        match output.status.code() {
            Some(0) => Ok(String::from_utf8(output.stdout)?),
            // There is no such sweep.
            Some(66) => Ok(String::new()),
            _ => bail!("export: {}", String::from_utf8_lossy(&output.stderr)),
        }
    }

    pub fn witness_file(&self) -> PathBuf {
        self.path().join("witness")
    }

    pub fn witness(&self) -> Result<Vec<Line>> {
        Ok(witness::read(&self.witness_file())?)
    }

    /// The variable that everything of the sweep carries, and its value.
    pub fn mark(&self) -> std::io::Result<(&'static str, PathBuf)> {
        Ok(("PLEACH_SWEEP", self.home().canonicalize()?))
    }

    /// Living processes that carry the sweep's mark: their numbers, and whether each is one of our guards.
    pub fn processes(&self) -> Vec<(Pid, bool)> {
        let Ok((name, home)) = self.mark() else { return Vec::new() };
        let mark = format!("{name}={}", home.display());
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let marked = entries.flatten().filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            let environment = fs::read(entry.path().join("environ")).ok()?;
            let mut variables = environment.split(|byte| *byte == 0);
            if !variables.any(|variable| variable == mark.as_bytes()) {
                return None;
            }
            let command = fs::read(entry.path().join("cmdline")).ok()?;
            let word = command.split(|byte| *byte == 0).nth(1).unwrap_or_default();
            Some((pid, word == b"__guard" || word == b"__command"))
        });
        marked.collect()
    }

    /// Waits until nothing of the sweep lives any more; whether that came.
    pub fn is_deserted_within(&self, patience: Duration) -> bool {
        let start = Instant::now();
        while !self.processes().is_empty() {
            if patience < start.elapsed() {
                return false;
            }
            sleep(Duration::from_millis(5));
        }
        true
    }
}

/// The exit code of a running program and what it wrote; an error if it takes too long or panics.
pub fn end(child: Child) -> Result<Output> {
    // Holds on to this very process: its number may soon be another one's.
    let pid = Pid::from_child(&child);
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    let (done, is_done) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        let is_late = is_done.recv_timeout(PATIENCE).is_err();
        if is_late {
            // It may just have ended, and mostly leads no group.
            let _ = kill_process_group(pid, Signal::KILL);
            let _ = pidfd_send_signal(process, Signal::KILL);
        }
        is_late
    });
    let output = child.wait_with_output()?;
    // Nobody listens once it was killed.
    let _ = done.send(());
    let said = String::from_utf8_lossy(&output.stderr);
    if watch.join().unwrap_or(true) {
        bail!("it did not end within {PATIENCE:?}: {said}");
    }
    if said.contains("panicked") {
        bail!("it panicked: {said}");
    }
    Ok(output)
}

/// `kill -9`, and nothing of it is left when this returns.
pub fn kill(child: &mut Child) -> Result<()> {
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// `kill -9` to processes that may be gone already.
pub fn kill_all(processes: impl IntoIterator<Item = Pid>) {
    for pid in processes {
        let _ = kill_process(pid, Signal::KILL);
    }
}
