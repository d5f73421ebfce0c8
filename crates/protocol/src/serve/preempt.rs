//! A worker that the machine tells to end, not its coordinator: SIGTERM to every process of a job or a service.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Passes the machine's wish on to a worker that is being served. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Preemption {
    is_told: Arc<AtomicBool>,
    is_busy: Arc<AtomicBool>,
}

/// Whether a worker runs an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// It saves its state, says so, and ends by itself.
    Yes,
    /// It waits for its coordinator: the process may end at once.
    No,
}

impl Preemption {
    /// Asks every attempt to stop. The coordinator hears that they were preempted, which costs their trials nothing.
    pub fn tell(&self) -> Busy {
        self.is_told.store(true, Ordering::SeqCst);
        if self.is_busy() { Busy::Yes } else { Busy::No }
    }

    pub(super) fn is_told(&self) -> bool {
        self.is_told.load(Ordering::Relaxed)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.is_busy.load(Ordering::SeqCst)
    }

    pub(super) fn set_busy(&self, busy: Busy) {
        self.is_busy.store(busy == Busy::Yes, Ordering::SeqCst);
    }
}
