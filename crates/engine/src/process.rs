//! One worker process: started under a guard, spoken to through pipes, its death certain before it is reported.

use std::{
    os::fd::OwnedFd,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use pleach_core::life::WorkerId;
use pleach_protocol::{
    line::{self, Splitter},
    message::{FromWorker, Greeting, MAX_LINE, PROTOCOL, ToWorker},
};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use thiserror::Error;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    sync::mpsc,
    task::spawn_blocking,
    time::{interval, sleep, timeout},
};

use crate::{
    command::{guard::COMMAND, wanted_memory},
    cores::{CORES, NICE},
    gpus::VISIBLE,
    groups::{self, kills},
    guard::{self, GUARD},
    leftovers::{self, Marks, marks},
    program::Runner,
};

/// After so long a worker that was told to end is killed outright.
const GRACE: Duration = Duration::from_secs(2);

/// What the kernel does to a worker is known to its guard, and to us, well within this time.
const RECENTLY: Duration = Duration::from_secs(10);

/// What comes from outside, in the order of its coming.
#[derive(Debug)]
pub(crate) enum Input {
    Said {
        worker: WorkerId,
        messages: Vec<FromWorker>,
    },
    Nonsense {
        worker: WorkerId,
        what: String,
    },
    Logged {
        worker: WorkerId,
        bytes: Vec<u8>,
    },
    /// It has closed its output, and lives on.
    Closed {
        worker: WorkerId,
    },
    Died {
        worker: WorkerId,
        death: Death,
    },
    Signal,
}

/// How a worker's process ended.
#[derive(Debug)]
pub(crate) struct Death {
    /// For people.
    pub(crate) how: String,
    /// Unknown if it was lost.
    status: Option<ExitStatus>,
    /// Whether the kernel has killed something for want of memory just before.
    has_killed: bool,
}

impl Death {
    /// Whether a signal that asks a process to end has ended it, or it says that another time will do.
    pub(crate) fn is_preemption(&self) -> bool {
        let asks = [Signal::TERM, Signal::INT, Signal::HUP].map(Signal::as_raw);
        self.status.is_some_and(|status| {
            guard::signal_of(status).is_some_and(|signal| asks.contains(&signal))
                || status.code() == Some(guard::TEMPORARY)
        })
    }

    /// Whether it had not enough memory. `last`: the last line of its log.
    pub(crate) fn is_for_memory(&self, last: Option<&str>) -> bool {
        self.status.is_some_and(|status| wanted_memory(status, self.has_killed, last))
    }
}

#[derive(Debug, Error)]
pub enum StartError {
    #[error("failed to find this program, which guards its workers")]
    Oneself(#[source] std::io::Error),
    #[error("failed to start {program}")]
    Start {
        program: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("failed to watch the process of {program}")]
    Watch {
        program: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// A worker process, from the coordinator's side. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Process {
    /// Absent once its input was closed.
    lines: Option<mpsc::UnboundedSender<Vec<u8>>>,
    handle: OwnedFd,
}

/// Where a worker runs.
pub(crate) struct Place<'a> {
    /// Names the sweep in the worker's environment.
    pub(crate) mark: &'a str,
    pub(crate) device: &'a str,
    pub(crate) folder: &'a Path,
    pub(crate) threads: u32,
    /// The only cores that it may use; all of them if there are none.
    pub(crate) cores: Vec<usize>,
    /// How far it steps back behind other programs.
    pub(crate) nice: u32,
    /// The GPUs that a person's program sees, if it is to see some.
    pub(crate) gpus: Option<String>,
}

impl Process {
    /// Starts a worker and greets it. Whatever comes of it arrives at `inputs`; its death last.
    pub(crate) fn start(
        worker: WorkerId,
        runner: &Runner,
        place: &Place,
        inputs: mpsc::Sender<Input>,
    ) -> Result<Self, StartError> {
        let name = runner.name();
        let oneself = std::env::current_exe().map_err(StartError::Oneself)?;
        let mut command = Command::new(oneself);
        let parent = std::process::id().to_string();
        let mut first = Vec::new();
        match runner {
            Runner::Worker(program) => {
                command.args([GUARD, &parent]).arg(&program.path).envs(
                    [
                        "RAYON_NUM_THREADS",
                        "CANDLE_NUM_THREADS",
                        "OMP_NUM_THREADS",
                        "MKL_NUM_THREADS",
                    ]
                    .map(|name| (name, place.threads.to_string())),
                );
            }
            Runner::Command { told, .. } => {
                // Not as an argument, which everybody on the machine can read.
                line::write(told.as_ref(), &mut first);
                command.args([COMMAND, &parent]);
                command.envs(place.gpus.iter().map(|gpus| (VISIBLE, gpus)));
            }
        }
        if !place.cores.is_empty() {
            let cores: Vec<String> = place.cores.iter().map(usize::to_string).collect();
            command.env(CORES, cores.join(","));
        }
        // Also none, lest a sweep inside of another steps back twice.
        command.env(NICE, place.nice.to_string());
        let marks = marks(place.mark, worker);
        let mut child = command
            .envs(marks.iter().cloned())
            .current_dir(place.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| StartError::Start { program: name.clone(), source })?;
        let watch = |source| StartError::Watch { program: name.clone(), source };
        let gone = || watch(std::io::Error::other("it is gone"));
        let pid = child.id().and_then(|id| Pid::from_raw(id as i32)).ok_or_else(gone)?;
        let handle = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| watch(error.into()))?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(gone());
        };
        let (lines, to_write) = mpsc::unbounded_channel();
        tokio::spawn(write(stdin, to_write));
        tokio::spawn(attend(worker, child, stdout, stderr, marks, inputs));
        let process = Self { lines: Some(lines), handle };
        process.write(first);
        // A greeting is short.
        let _said = process.say(&ToWorker::Hello(Greeting {
            protocol: PROTOCOL,
            threads: place.threads,
            device: place.device.to_owned(),
            data: runner.data().map(|data| data.to_string_lossy().into_owned()),
        }));
        Ok(process)
    }

    /// Says something, unless it is too long for a line; the error says so, for people.
    pub(crate) fn say(&self, message: &ToWorker) -> Result<(), String> {
        let mut bytes = Vec::new();
        line::write(message, &mut bytes);
        if !line::fits(&bytes) {
            return Err(format!(
                "what the worker is to be told takes a line of {} bytes, and a line has at most {MAX_LINE}: shorten the table of rates or the parameters, or let the worker ask for `profile`s",
                bytes.len() - 1
            ));
        }
        self.write(bytes);
        Ok(())
    }

    fn write(&self, bytes: Vec<u8>) {
        if let Some(lines) = &self.lines {
            // A worker that is gone hears nothing; its death is on its way.
            drop(lines.send(bytes));
        }
    }

    /// Closes its input, once everything was said.
    pub(crate) fn dismiss(&mut self) {
        self.lines = None;
    }

    /// Ends it and everything that it has started.
    pub(crate) fn kill(&self) {
        // It may have ended by itself.
        let _ = pidfd_send_signal(&self.handle, Signal::TERM);
        if let Ok(handle) = self.handle.try_clone() {
            tokio::spawn(async move {
                sleep(GRACE).await;
                let _ = pidfd_send_signal(handle, Signal::KILL);
            });
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = pidfd_send_signal(&self.handle, Signal::TERM);
    }
}

async fn write(mut stdin: ChildStdin, mut lines: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(mut bytes) = lines.recv().await {
        while let Ok(more) = lines.try_recv() {
            bytes.extend_from_slice(&more);
        }
        if stdin.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// Reads everything that a worker writes until it is dead, then says so.
async fn attend(
    worker: WorkerId,
    mut child: Child,
    stdout: ChildStdout,
    stderr: ChildStderr,
    marks: Marks,
    inputs: mpsc::Sender<Input>,
) {
    let said = tokio::spawn(read_messages(worker, stdout, inputs.clone()));
    let logged = tokio::spawn(read_log(worker, stderr, inputs.clone()));
    // What the kernel has killed long before has nothing to do with it.
    let mut recently = interval(RECENTLY);
    let (mut before, mut since) = (kills(), kills());
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            _ = recently.tick() => (before, since) = (since, kills()),
        }
    };
    let has_killed = before < kills();
    // If the guard itself was killed, what it guarded may still be there.
    let is_killed = !status.as_ref().is_ok_and(|status| status.code().is_some());
    let clean = move || {
        if is_killed {
            leftovers::end(&marks, Duration::ZERO);
        }
        groups::end_abandoned(&groups::bases());
    };
    drop(spawn_blocking(clean).await);
    let how = match &status {
        Ok(status) if wanted_memory(*status, has_killed, None) => {
            "killed for want of memory".to_owned()
        }
        Ok(status) => guard::how(*status),
        Err(error) => format!("lost: {error}"),
    };
    let death = Death { how, status: status.ok(), has_killed };
    // Nothing is left that could still hold the pipes.
    drop(timeout(GRACE, said).await);
    drop(timeout(GRACE, logged).await);
    drop(inputs.send(Input::Died { worker, death }).await);
}

async fn read_messages(worker: WorkerId, mut stdout: ChildStdout, inputs: mpsc::Sender<Input>) {
    let mut splitter = Splitter::default();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let Ok(length @ 1..) = stdout.read(&mut buffer).await else {
            tokio::spawn(async move {
                // Whoever ends closes it, too, and is known to be dead before this comes.
                sleep(GRACE).await;
                drop(inputs.send(Input::Closed { worker }).await);
            });
            return;
        };
        let mut messages = Vec::new();
        let mut nonsense = None;
        splitter.feed(&buffer[..length], &mut |line| {
            if nonsense.is_some() {
                return;
            }
            match line.and_then(line::read::<FromWorker>) {
                Ok(message) => messages.push(message),
                Err(error) => nonsense = Some(error.to_string()),
            }
        });
        if !messages.is_empty() && inputs.send(Input::Said { worker, messages }).await.is_err() {
            return;
        }
        if let Some(what) = nonsense {
            // Nothing after it can be believed.
            drop(inputs.send(Input::Nonsense { worker, what }).await);
            return;
        }
    }
}

async fn read_log(worker: WorkerId, mut stderr: ChildStderr, inputs: mpsc::Sender<Input>) {
    let mut buffer = vec![0; 1 << 13];
    while let Ok(length @ 1..) = stderr.read(&mut buffer).await {
        let bytes = buffer[..length].to_vec();
        if inputs.send(Input::Logged { worker, bytes }).await.is_err() {
            return;
        }
    }
}
