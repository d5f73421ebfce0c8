//! How far a run is, for whoever looks on from outside: a file that the coordinator renews a few times a second. It holds while
//! the lock is held, and nothing is ever decided by it; so it may be lost, and nobody waits for the disk.

use std::{
    fs,
    time::{Duration, Instant},
};

use pleach_core::sweep::Progress;
use pleach_files::{self as files, Link};
use pleach_store::Time;
use serde::{Deserialize, Serialize};

use crate::{
    home::Home,
    run::{Status, Stopping},
};

/// How often it is renewed, at most.
const EVERY: Duration = Duration::from_millis(500);

/// More than it ever says.
const MOST: u64 = 16 << 20;

/// What only the coordinator knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    pub process: u32,
    /// Since when it runs: wall time in milliseconds.
    pub since: i64,
    /// Seconds; absent until something can be said.
    pub remaining: Option<u64>,
    pub stopping: Stopping,
    pub progress: Progress,
}

/// The file, and what it says.
pub(crate) struct Live {
    since: Time,
    written: Option<(Instant, String)>,
}

impl Live {
    pub(crate) fn new(since: Time) -> Self {
        Self { since, written: None }
    }

    /// Renews the file, if there is news and it is time. A disk that does not take it is met by the commits, too.
    pub(crate) fn show(&mut self, home: &Home, status: &Status) {
        if self.written.as_ref().is_some_and(|(when, _)| when.elapsed() < EVERY) {
            return;
        }
        let seen = Seen {
            process: std::process::id(),
            since: self.since.0,
            remaining: status.remaining.map(|remaining| remaining.as_secs()),
            stopping: status.stopping,
            progress: status.progress.clone(),
        };
        // Plain values always serialize.
        let text = serde_json::to_string(&seen).unwrap_or_default();
        if self.written.as_ref().is_none_or(|(_, written)| *written != text) {
            let part = home.live().with_extension("part");
            let written = files::write(&part, text.as_bytes());
            drop(written.and_then(|()| fs::rename(part, home.live())));
        }
        self.written = Some((Instant::now(), text));
    }

    pub(crate) fn remove(home: &Home) {
        drop(fs::remove_file(home.live()));
    }
}

/// What whoever runs the sweep says of it; none if nobody runs it, or it has only just begun.
pub fn look(home: &Home) -> Option<Seen> {
    let text = files::read(&home.live(), Link::Refuse, MOST).ok().filter(|_| home.is_running())?;
    let seen: Seen = serde_json::from_slice(&text).ok()?;
    // The file of a coordinator that was killed is still there when the next one begins.
    (home.last_holder() == Some(seen.process)).then_some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_seen_while_the_lock_is_held() {
        let runs = tempfile::tempdir().unwrap();
        let home = Home::new(runs.path(), "x").unwrap();
        assert_eq!(look(&home), None);
        let lock = home.lock().unwrap();
        assert_eq!(look(&home), None, "it has only just begun");
        let mut status = Status {
            progress: Progress { trials: 3, waiting: 2, ..Progress::default() },
            elapsed: Duration::ZERO,
            remaining: Some(Duration::from_millis(2500)),
            best: None,
            stopping: Stopping::No,
        };
        let mut live = Live::new(Time(7));
        live.show(&home, &status);
        let process = std::process::id();
        let (since, remaining, stopping) = (7, Some(2), Stopping::No);
        let progress = status.progress.clone();
        let seen = Seen { process, since, remaining, stopping, progress };
        assert_eq!(look(&home), Some(seen.clone()));
        status.progress.waiting = 1;
        live.show(&home, &status);
        assert_eq!(look(&home), Some(seen), "it is not yet time for news");
        drop(lock);
        assert_eq!(look(&home), None, "nobody runs it any more");
        let _lock = home.lock().unwrap();
        fs::write(home.folder().join("lock"), "1").unwrap();
        assert_eq!(look(&home), None, "it is what another process had said");
        Live::remove(&home);
        assert!(!home.live().exists());
    }
}
