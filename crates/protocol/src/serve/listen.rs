//! The thread that reads all the time, and what it has heard.

use std::{
    collections::BTreeSet,
    io::{self, Read},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
};

use crate::{
    line::{self, LineError, Splitter},
    message::ToWorker,
    serve::preempt::Preemption,
};

/// What the listening thread and the working thread share.
#[derive(Default)]
pub(super) struct Shared {
    /// Attempts that are to stop, running or queued.
    stops: Mutex<BTreeSet<u64>>,
    any_stop: AtomicBool,
    pub(super) preemption: Preemption,
    pub(super) ended: AtomicBool,
    /// Messages heard and not yet taken.
    pub(super) queued: AtomicUsize,
}

impl Shared {
    pub(super) fn new(preemption: Preemption) -> Self {
        Self { preemption, ..Self::default() }
    }

    /// Whether an attempt should end, whoever asks for it.
    pub(super) fn should_stop(&self, attempt: u64) -> bool {
        self.preemption.is_told() || self.is_asked(attempt)
    }

    /// Whether the coordinator has asked an attempt to stop.
    pub(super) fn is_asked(&self, attempt: u64) -> bool {
        self.any_stop.load(Ordering::Relaxed)
            && self.stops.lock().unwrap_or_else(PoisonError::into_inner).contains(&attempt)
    }
}

pub(super) fn listen(
    mut input: impl Read,
    shared: &Shared,
    sender: &mpsc::Sender<Result<ToWorker, LineError>>,
    orphaned: fn(),
) {
    let mut splitter = Splitter::default();
    let mut chunk = vec![0; 64 << 10];
    loop {
        let n_read = match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(n_read) => n_read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        splitter.feed(&chunk[..n_read], &mut |line| match line.and_then(line::read) {
            Ok(ToWorker::Stop(stop)) => {
                shared.stops.lock().unwrap_or_else(PoisonError::into_inner).insert(stop.attempt);
                shared.any_stop.store(true, Ordering::Relaxed);
            }
            heard => {
                shared.queued.fetch_add(1, Ordering::SeqCst);
                // Nobody listens any more only when the worker is ending.
                let _gone = sender.send(heard);
            }
        });
    }
    shared.ended.store(true, Ordering::SeqCst);
    if shared.preemption.is_busy() {
        orphaned();
    }
}

/// Messages heard and not yet answered, in their order.
pub(super) struct Inbox {
    pub(super) receiver: mpsc::Receiver<Result<ToWorker, LineError>>,
    pub(super) shared: Arc<Shared>,
    /// The next one, if it was looked at.
    pub(super) next: Option<Result<ToWorker, LineError>>,
}

impl Inbox {
    /// Waits for the next one; `None` after the last.
    pub(super) fn take(&mut self) -> Option<Result<ToWorker, LineError>> {
        let heard = self.next.take().or_else(|| self.receiver.recv().ok())?;
        self.shared.queued.fetch_sub(1, Ordering::SeqCst);
        Some(heard)
    }

    /// The next one, if it has come.
    pub(super) fn peek(&mut self) -> Option<&Result<ToWorker, LineError>> {
        if self.next.is_none() && 0 < self.shared.queued.load(Ordering::Relaxed) {
            self.next = self.receiver.try_recv().ok();
        }
        self.next.as_ref()
    }
}
