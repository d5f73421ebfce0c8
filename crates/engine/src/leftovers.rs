//! Processes of an earlier coordinator that are somehow still there: whoever holds the lock ends them, so that nothing
//! runs twice.

use std::{
    fs,
    time::{Duration, Instant},
};

use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

/// Names the sweep in the environment of everything that a coordinator starts.
pub(crate) const MARK: &str = "PLEACH_SWEEP";

/// Kills every process with this mark; waits until they are gone.
pub(crate) fn end(mark: &str) {
    const PATIENCE: Duration = Duration::from_secs(2);
    let start = Instant::now();
    loop {
        let found = marked(mark);
        if found.is_empty() || PATIENCE < start.elapsed() {
            return;
        }
        for pid in found {
            // The number may be another process's by now: look again once it is held fast.
            if let Ok(process) = pidfd_open(pid, PidfdFlags::empty())
                && is_marked(pid, mark)
            {
                // It may have ended by itself.
                let _ = pidfd_send_signal(process, Signal::KILL);
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn marked(mark: &str) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pid = |entry: fs::DirEntry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?);
    entries
        .flatten()
        .filter_map(pid)
        .filter(|pid| *pid != getpid() && is_marked(*pid, mark))
        .collect()
}

fn is_marked(pid: Pid, mark: &str) -> bool {
    let entry = format!("{MARK}={mark}");
    let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero()));
    // A process that has ended has no environment left.
    environment
        .is_ok_and(|bytes| bytes.split(|byte| *byte == 0).any(|line| line == entry.as_bytes()))
}
