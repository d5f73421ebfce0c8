//! No process of a sweep outlives its coordinator: between the coordinator and each worker stands a guard, which the
//! kernel wakes when the coordinator dies, and which then kills the worker and everything that the worker has started.
//! If the guard itself is killed, the kernel kills the worker.
//!
//! Both are this same program under hidden commands: `guard PARENT PROGRAM…` and `become PARENT PROGRAM…`.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use rustix::process::{
    Pid, Signal, WaitOptions, getpid, getppid, kill_process, kill_process_group,
    set_child_subreaper, set_parent_process_death_signal, setpgid, wait,
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    cores,
    groups::{self, ENTER, Own},
};

/// What the program must call itself with.
pub const GUARD: &str = "__guard";
pub const BECOME: &str = "__become";

/// So long a worker may save its state when the machine tells it to end.
const GRACE: Duration = Duration::from_secs(1);

/// The exit code by which a program says that another time will do (`EX_TEMPFAIL`).
pub(crate) const TEMPORARY: i32 = 75;

/// The exit code of a guard that was told to end.
pub(crate) const TERMINATED: u8 = 128 + 15;

/// Runs a worker and returns the exit code to end with: the worker's, or 128 and the signal that killed it.
pub fn guard(parent: u32, program: &[OsString]) -> io::Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut told_to_end = signal(SignalKind::terminate())?;
        // A Ctrl-C is for the coordinator.
        setpgid(None, None)?;
        cores::keep_to()?;
        let _own = Own::enter();
        set_child_subreaper(Some(getpid()))?;
        follow(parent, Signal::TERM)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(BECOME).arg(getpid().as_raw_nonzero().to_string()).args(program);
        let mut worker = tokio::process::Command::from(command).spawn()?;
        // The worker's output is its own: where it closes it, nobody holds it open.
        rustix::stdio::dup2_stdout(fs::OpenOptions::new().write(true).open("/dev/null")?)?;
        let group = worker.id().and_then(|id| Pid::from_raw(id as i32));
        let status = tokio::select! {
            status = worker.wait() => status?,
            _ = told_to_end.recv() => {
                if is_parent(parent) {
                    signal_group(group, Signal::TERM);
                    // Killed below if it takes longer.
                    drop(tokio::time::timeout(GRACE, worker.wait()).await);
                }
                end_group(group);
                worker.wait().await?;
                end_children();
                return Ok(TERMINATED);
            }
        };
        end_group(group);
        end_children();
        Ok(exit_code(status))
    })
}

/// Becomes the worker program.
pub fn become_worker(parent: u32, program: &[OsString]) -> io::Result<()> {
    setpgid(None, None)?;
    follow(parent, Signal::KILL)?;
    let Some((program, arguments)) = program.split_first() else {
        return Err(io::Error::other("no program"));
    };
    // Where that fails, it is not the program's fault.
    groups::enter().map_err(|_| io::Error::from(rustix::io::Errno::AGAIN))?;
    Err(Command::new(program).args(arguments).env_remove(ENTER).exec())
}

/// With which code to end when a program cannot be started: as shells do, where it can never be; else as what another time
/// will do.
pub fn unstarted(error: &io::Error) -> u8 {
    match error.kind() {
        io::ErrorKind::NotFound => 127,
        _ if is_passing(error) => TEMPORARY as u8,
        _ => 126,
    }
}

/// Whether the machine may have again what it lacks now: processes, files, memory, disk.
pub(crate) fn is_passing(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let passing = [
        Errno::AGAIN,
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOMEM,
        Errno::NOSPC,
        Errno::DQUOT,
        Errno::IO,
        Errno::TXTBSY,
    ];
    Errno::from_io_error(error).is_some_and(|error| passing.contains(&error))
}

/// Asks the kernel for a signal when the parent dies.
pub(crate) fn follow(parent: u32, with: Signal) -> io::Result<()> {
    set_parent_process_death_signal(Some(with))?;
    // It may have died before.
    if is_parent(parent) {
        return Ok(());
    }
    Err(io::Error::other("the process that started this one is gone"))
}

fn is_parent(parent: u32) -> bool {
    getppid().is_some_and(|pid| pid.as_raw_nonzero().get() == parent as i32)
}

fn end_group(group: Option<Pid>) {
    signal_group(group, Signal::KILL);
}

fn signal_group(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // It may be empty already.
        let _ = kill_process_group(group, signal);
    }
}

/// Kills what a child that is gone has left behind, if anything.
pub(crate) fn end_orphans() {
    loop {
        match wait(WaitOptions::NOHANG) {
            // One that had ended itself.
            Ok(Some(_)) => {}
            Ok(None) => return end_children(),
            // There are none.
            Err(_) => return,
        }
    }
}

/// Kills what has left the group: orphans become this process's children.
fn end_children() {
    const PATIENCE: Duration = Duration::from_secs(1);
    let start = Instant::now();
    loop {
        let children = children();
        if children.is_empty() || PATIENCE < start.elapsed() {
            return;
        }
        for child in children {
            let _ = kill_process(child, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Living processes whose parent is this one.
fn children() -> Vec<Pid> {
    let own = getpid().as_raw_nonzero().get().to_string();
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let child = |entry: fs::DirEntry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // After the name, which stands in parentheses and may hold anything: the state and the parent.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let (state, parent) = (fields.next()?, fields.next()?);
        (parent == own && state != "Z").then(|| Pid::from_raw(pid))?
    };
    entries.flatten().filter_map(child).collect()
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

/// The signal that killed a program, if one did; a shell or a guard around it says so with its exit code.
pub(crate) fn signal_of(status: ExitStatus) -> Option<i32> {
    let told = || status.code().filter(|code| 128 < *code && *code < 192).map(|code| code - 128);
    status.signal().or_else(told)
}

/// How a guarded worker ended, for people.
pub(crate) fn how(status: ExitStatus) -> String {
    match (signal_of(status), status.code()) {
        (Some(signal), _) => match name(signal) {
            Some(name) => format!("killed by signal {signal} ({name})"),
            None => format!("killed by signal {signal}"),
        },
        (None, Some(code)) => format!("ended with exit code {code}"),
        (None, None) => "ended".to_owned(),
    }
}

fn name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "hang-up",
        2 => "interrupt",
        4 => "illegal instruction",
        6 => "abort",
        7 => "bus error",
        8 => "arithmetic error",
        9 => "kill; perhaps out of memory",
        11 => "segmentation fault",
        15 => "terminate",
        24 => "the limit on processor time, `ulimit -t`",
        25 => "the limit on the size of files, `ulimit -f`",
        _ => return None,
    })
}
