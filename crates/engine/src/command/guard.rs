//! The guard's own process. It dies with the coordinator and takes the program along; but a program that has finished by
//! then is first given its result.

use std::{
    io::{self, BufRead, Read},
    process::Child,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use pleach_protocol::{
    describe::Description,
    message::{Fault, Greeting, Outcome, Parameters, Start},
    serve::{self, Ending, Length, Refusal, Reporter, Worker},
};
use rustix::process::{
    Pid, Signal, getpid, kill_process, kill_process_group, set_child_subreaper, setpgid,
};
use tokio::signal::unix::{SignalKind, signal};
use wait4::{ResUse, Wait4};

use super::{Command, attempt};
use crate::{
    cores,
    groups::Own,
    guard::{TERMINATED, follow},
};

/// What the program must call itself with.
pub const COMMAND: &str = "__command";

/// More than what is said of any command.
const MAX_TOLD: u64 = 64 << 20;

/// Serves the coordinator `parent`. The first line of the input is a [`Command`] as JSON.
pub fn serve(parent: u32) -> io::Result<()> {
    let mut told = String::new();
    io::stdin().lock().take(MAX_TOLD).read_line(&mut told)?;
    let command: Command = serde_json::from_str(&told)?;
    // A Ctrl-C is for the coordinator.
    setpgid(None, None)?;
    cores::keep_to()?;
    let _own = Own::enter();
    set_child_subreaper(Some(getpid()))?;
    let life = Arc::new(Life::default());
    heed_signals(Arc::clone(&life))?;
    follow(parent, Signal::TERM)?;
    let mut guard = Guard { command, greeting: None, life };
    serve::serve(&mut guard, io::stdin(), io::stdout(), orphaned).map_err(io::Error::other)
}

/// The coordinator is gone while something runs.
fn orphaned() {
    // One always may signal oneself.
    let _ = kill_process(getpid(), Signal::TERM);
}

struct Guard {
    command: Command,
    greeting: Option<Greeting>,
    life: Arc<Life>,
}

impl Worker for Guard {
    fn describe(&mut self, greeting: &Greeting) -> Result<Description, String> {
        self.greeting = Some(greeting.clone());
        Ok(self.command.describe())
    }

    fn measure(&mut self, _: &Parameters) -> Result<Length, Refusal> {
        // The coordinator knows how long a command's trials are.
        Err(Refusal {
            parameter: None,
            message: "a command is not asked for its length".to_owned(),
        })
    }

    fn run(&mut self, start: &Start, reporter: &mut Reporter) -> Ending {
        let Some(greeting) = &self.greeting else {
            return Ending::failed(start.first, "nobody said hello");
        };
        attempt::run(&self.command, greeting, start, &self.life, reporter).unwrap_or_else(|fault| {
            let (outcome, digest) = (Outcome::Fault(fault), String::new());
            Ending { step: start.first, outcome, digest }
        })
    }
}

/// Whether a program runs, and whether the guard is to end: together, so that a program that ends by itself in the very
/// moment in which it is to be killed has finished.
#[derive(Default)]
pub(super) struct Life(Mutex<State>);

#[derive(Default)]
struct State {
    phase: Phase,
    is_ending: bool,
}

#[derive(Default)]
enum Phase {
    #[default]
    Idle,
    /// A program runs, in the process group of this number.
    Running(Pid),
    /// It has ended; its result is being kept.
    Ended,
}

impl Life {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a program, unless the guard is ending.
    pub(super) fn begin(
        &self,
        spawn: impl FnOnce() -> Result<Child, Fault>,
    ) -> Result<Child, Fault> {
        let mut state = self.lock();
        if state.is_ending {
            exit();
        }
        let child = spawn()?;
        state.phase = Phase::Running(Pid::from_child(&child));
        Ok(child)
    }

    /// Takes leave of a program that has ended, and of its process group. If it was killed with the guard, nothing more is
    /// done.
    pub(super) fn bury(&self, child: &mut Child) -> io::Result<ResUse> {
        use std::os::unix::process::ExitStatusExt;
        let mut state = self.lock();
        // While it is not waited for, its number is nobody else's. The group may be empty.
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
        let used = loop {
            match child.try_wait4()? {
                Some(used) => break used,
                // It was killed, and is on its way.
                None => thread::sleep(Duration::from_millis(1)),
            }
        };
        let is_killed = used.status.signal() == Some(Signal::KILL.as_raw());
        if state.is_ending && is_killed {
            crate::guard::end_orphans();
            exit();
        }
        state.phase = Phase::Ended;
        Ok(used)
    }

    /// The result of the program is kept.
    pub(super) fn finish(&self) {
        let mut state = self.lock();
        if state.is_ending {
            exit();
        }
        state.phase = Phase::Idle;
    }

    fn end(&self) {
        let mut state = self.lock();
        state.is_ending = true;
        match state.phase {
            Phase::Idle => exit(),
            // It may have ended in this moment: whoever waits for it will see.
            Phase::Running(group) => {
                let _ = kill_process_group(group, Signal::KILL);
            }
            Phase::Ended => {}
        }
    }
}

#[expect(clippy::exit, reason = "the one end of a process that others wait for")]
fn exit() -> ! {
    std::process::exit(i32::from(TERMINATED))
}

/// Ends the guard when it is told to; returns once it heeds.
fn heed_signals(life: Arc<Life>) -> io::Result<()> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let result = runtime.and_then(|runtime| {
            let _context = runtime.enter();
            Ok((signal(SignalKind::terminate())?, runtime))
        });
        match result {
            Ok((mut told_to_end, runtime)) => {
                drop(sender.send(Ok(())));
                runtime.block_on(told_to_end.recv());
                life.end();
            }
            Err(error) => drop(sender.send(Err(error))),
        }
    })?;
    receiver.recv().map_err(io::Error::other)?
}
