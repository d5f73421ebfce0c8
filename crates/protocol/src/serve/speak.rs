//! What attempts say, and how it goes out.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    io::{self, Write},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Ending, listen::Shared};
use crate::{
    line,
    message::{
        Checkpoint, Fault, FaultClass, Finished, FromWorker, Metrics, Outcome, Progress, Start,
        Usage, Warning,
    },
    number::Number,
};

/// Where attempts speak from.
pub(super) struct Desk<O: ?Sized> {
    pub(super) shared: Arc<Shared>,
    /// Attempts that have begun and not finished, and the first step of each.
    pub(super) running: RefCell<BTreeMap<u64, u64>>,
    pub(super) out: RefCell<O>,
}

impl<'a> Desk<dyn Say + 'a> {
    /// Begins an attempt, unless it was stopped while it waited.
    pub(super) fn begin(&'a self, start: Start) -> Option<Attempt<'a>> {
        let attempt = start.attempt;
        if self.shared.is_asked(attempt) {
            let step = start.from.as_ref().map_or(start.first, |from| from.step);
            let (outcome, digest) = (Outcome::Stopped, String::new());
            self.finish(attempt, Ending { step, outcome, digest });
            return None;
        }
        self.running.borrow_mut().insert(attempt, start.first);
        let reporter = Reporter { attempt, desk: self, last_progress: Instant::now() };
        Some(Attempt { start, reporter })
    }

    pub(super) fn finish(&self, attempt: u64, Ending { step, mut outcome, digest }: Ending) {
        if outcome == Outcome::Stopped && !self.shared.is_asked(attempt) {
            let (class, why) = (FaultClass::Preempted, "it was told to end by a signal".to_owned());
            outcome = Outcome::Fault(Fault { class, why });
        }
        let finished = Finished { attempt, step, outcome, digest };
        self.out.borrow_mut().say(&FromWorker::Finished(finished));
    }
}

/// A stage that was granted, and who speaks of it.
pub struct Attempt<'a> {
    pub start: Start,
    pub reporter: Reporter<'a>,
}

/// What a running attempt says.
pub struct Reporter<'a> {
    attempt: u64,
    desk: &'a Desk<dyn Say + 'a>,
    last_progress: Instant,
}

impl Reporter<'_> {
    /// The result of an evaluation, after `step` updates.
    pub fn metrics(&mut self, step: u64, values: impl IntoIterator<Item = (String, f64)>) {
        let values = values.into_iter().map(|(name, value)| (name, Number::new(value))).collect();
        let mut out = self.desk.out.borrow_mut();
        out.say(&FromWorker::Metrics(Metrics { attempt: self.attempt, step, values }));
        out.flush_if_old();
    }

    /// A checkpoint is on disk, whole and synced.
    pub fn checkpoint(&mut self, step: u64, file: String, digest: String) {
        let attempt = self.attempt;
        let mut out = self.desk.out.borrow_mut();
        out.say(&FromWorker::Checkpoint(Checkpoint { attempt, step, file, digest }));
        out.flush();
    }

    /// What the attempt took: bytes of memory at most, milliseconds of processors.
    pub fn usage(&mut self, memory: u64, cpu: u64) {
        let attempt = self.attempt;
        self.desk.out.borrow_mut().say(&FromWorker::Usage(Usage { attempt, memory, cpu }));
    }

    /// Something odd that a person should know of; a later one of the same kind replaces it. The attempt is this one.
    pub fn warning(&mut self, warning: Warning) {
        let warning = Warning { attempt: self.attempt, ..warning };
        self.desk.out.borrow_mut().say(&FromWorker::Warning(warning));
    }

    /// Shows life. Cheap: most calls say nothing, at most four a second are sent. `live` is for people's eyes only.
    pub fn progress(&mut self, step: u64, live: &[(&str, f64)]) {
        if self.last_progress.elapsed() < Duration::from_millis(250) {
            return;
        }
        self.last_progress = Instant::now();
        let live =
            live.iter().map(|&(name, value)| (name.to_owned(), Number::new(value))).collect();
        let mut out = self.desk.out.borrow_mut();
        out.say(&FromWorker::Progress(Progress { attempt: self.attempt, step, live }));
        out.flush();
    }

    /// The last word on the attempt.
    pub fn finish(self, ending: Ending) {
        self.desk.running.borrow_mut().remove(&self.attempt);
        self.desk.finish(self.attempt, ending);
        self.desk.out.borrow_mut().flush_if_old();
    }

    /// Sends now what would wait a few milliseconds for company.
    pub fn flush(&mut self) {
        self.desk.out.borrow_mut().flush();
    }

    /// Whether the attempt should write a checkpoint and end as stopped. Cheap; also sends what waits.
    pub fn should_stop(&mut self) -> bool {
        let mut out = self.desk.out.borrow_mut();
        out.flush_if_old();
        self.desk.shared.should_stop(self.attempt) || out.is_broken()
    }
}

pub(super) trait Say {
    fn say(&mut self, message: &FromWorker);
    fn flush(&mut self);
    fn flush_if_old(&mut self);
    fn is_broken(&self) -> bool;
}

/// Buffered output: thousands of tiny attempts share a write, and nothing waits longer than a few milliseconds.
pub(super) struct Out<W> {
    writer: W,
    buffer: Vec<u8>,
    oldest: Option<Instant>,
    pub(super) broken: Option<io::Error>,
}

impl<W> Out<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { writer, buffer: Vec::new(), oldest: None, broken: None }
    }
}

impl<W: Write> Say for Out<W> {
    fn say(&mut self, message: &FromWorker) {
        line::write(message, &mut self.buffer);
        self.oldest.get_or_insert_with(Instant::now);
    }

    fn flush(&mut self) {
        if self.broken.is_none() && !self.buffer.is_empty() {
            let written = self.writer.write_all(&self.buffer).and_then(|()| self.writer.flush());
            self.broken = written.err();
        }
        self.buffer.clear();
        self.oldest = None;
    }

    fn flush_if_old(&mut self) {
        const WAIT: Duration = Duration::from_millis(2);
        const ENOUGH: usize = 8 << 10;
        if let Some(oldest) = self.oldest
            && (ENOUGH < self.buffer.len() || WAIT < oldest.elapsed())
        {
            self.flush();
        }
    }

    fn is_broken(&self) -> bool {
        self.broken.is_some()
    }
}
