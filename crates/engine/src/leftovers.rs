//! Processes of an earlier coordinator, or of a guard that was killed, which are somehow still there: whoever is responsible
//! now ends them, so that nothing runs twice.

use std::{
    fs,
    time::{Duration, Instant},
};

use pleach_core::life::WorkerId;
use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

/// Names the sweep in the environment of everything that a coordinator starts.
const SWEEP: &str = "PLEACH_SWEEP";

/// Names the worker.
const WORKER: &str = "PLEACH_WORKER";

/// Guards whose coordinator has died end by themselves, and may have a result to keep before.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// Variables of an environment.
pub(crate) type Marks = Vec<(&'static str, String)>;

/// What everything that belongs to a sweep has in its environment.
pub(crate) fn sweep_marks(sweep: &str) -> Marks {
    vec![(SWEEP, sweep.to_owned())]
}

/// What everything that belongs to a worker has in its environment.
pub(crate) fn marks(sweep: &str, worker: WorkerId) -> Marks {
    vec![(SWEEP, sweep.to_owned()), (WORKER, worker.0.to_string())]
}

/// Waits so long for every process with these marks, kills what is left then, and waits until that is gone.
pub(crate) fn end(marks: &Marks, grace: Duration) {
    const PATIENCE: Duration = Duration::from_secs(2);
    let start = Instant::now();
    loop {
        let found = marked(marks);
        if found.is_empty() || grace + PATIENCE < start.elapsed() {
            return;
        }
        for pid in found.into_iter().filter(|_| grace <= start.elapsed()) {
            // The number may be another process's by now: look again once it is held fast.
            if let Ok(process) = pidfd_open(pid, PidfdFlags::empty())
                && is_marked(pid, marks)
            {
                // It may have ended by itself.
                let _ = pidfd_send_signal(process, Signal::KILL);
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn marked(marks: &Marks) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pid = |entry: fs::DirEntry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?);
    entries
        .flatten()
        .filter_map(pid)
        .filter(|pid| *pid != getpid() && is_marked(*pid, marks))
        .collect()
}

fn is_marked(pid: Pid, marks: &Marks) -> bool {
    let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero()));
    let has = |bytes: &[u8], (name, value): &(&str, String)| {
        let entry = format!("{name}={value}");
        bytes.split(|byte| *byte == 0).any(|line| line == entry.as_bytes())
    };
    // A process that has ended has no environment left.
    environment.is_ok_and(|bytes| marks.iter().all(|mark| has(&bytes, mark)))
}
