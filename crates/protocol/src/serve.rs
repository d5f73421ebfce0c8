//! The worker's side: a program that implements [`Worker`] and calls [`serve`] is a worker.
//!
//! A thread reads all the time, so that a request to stop reaches a running attempt, and so that a worker whose
//! coordinator has died does not outlive it: when the input ends while something runs, `orphaned` is called, which
//! should end the process at once.

use std::{
    collections::BTreeSet,
    io::{self, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use thiserror::Error;

use crate::{
    describe::Description,
    line::{self, LineError, Splitter},
    message::{
        Checkpoint, Finished, FromWorker, Greeting, Measured, Metrics, Outcome, PROTOCOL,
        Parameters, Progress, Refused, Start, ToWorker,
    },
    number::Number,
};

/// A program that trains.
pub trait Worker {
    /// Answers the greeting; an error ends the worker.
    fn describe(&mut self, greeting: &Greeting) -> Result<Description, String>;

    /// How long a configuration trains, and on what.
    fn measure(&mut self, parameters: &Parameters) -> Result<Length, Refusal>;

    /// Trains one stage. It should ask [`Reporter::should_stop`] at every step.
    fn run(&mut self, start: &Start, reporter: &mut Reporter) -> Ending;
}

/// See [`Measured`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Length {
    pub steps: u64,
    pub steps_per_epoch: u64,
    pub data: String,
}

/// Why a configuration makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The parameter at fault, if it is one's.
    pub parameter: Option<String>,
    pub message: String,
}

/// See [`Finished`].
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    pub step: u64,
    pub outcome: Outcome,
    pub digest: String,
}

impl Ending {
    pub fn failed(step: u64, message: impl Into<String>) -> Self {
        Self { step, outcome: Outcome::Failed(message.into()), digest: String::new() }
    }
}

#[derive(Debug, Error)]
pub enum ServeError {
    #[error("the coordinator said something that is no message")]
    Line(#[source] LineError),
    #[error("the coordinator speaks version {0} of the protocol, this worker version {PROTOCOL}")]
    Version(u32),
    #[error("{0}")]
    Worker(String),
    #[error("failed to answer the coordinator")]
    Write(#[source] io::Error),
    #[error("failed to start the thread that listens")]
    Thread(#[source] io::Error),
}

/// What the listening thread and the working thread share.
#[derive(Default)]
struct Shared {
    /// Attempts that are to stop, running or queued.
    stops: Mutex<BTreeSet<u64>>,
    any_stop: AtomicBool,
    busy: AtomicBool,
    ended: AtomicBool,
    /// Messages heard and not yet taken.
    queued: AtomicUsize,
}

impl Shared {
    fn is_stopped(&self, attempt: u64) -> bool {
        self.any_stop.load(Ordering::Relaxed)
            && self.stops.lock().unwrap_or_else(PoisonError::into_inner).contains(&attempt)
    }
}

/// Serves a coordinator until it says `exit` or the input ends.
pub fn serve(
    worker: &mut impl Worker,
    input: impl Read + Send + 'static,
    output: impl Write,
    orphaned: fn(),
) -> Result<(), ServeError> {
    let shared = Arc::new(Shared::default());
    let (sender, receiver) = mpsc::channel();
    let listener = Arc::clone(&shared);
    thread::Builder::new()
        .name("listen".to_owned())
        .spawn(move || listen(input, &listener, &sender, orphaned))
        .map_err(ServeError::Thread)?;
    let mut out = Out { writer: output, buffer: Vec::new(), oldest: None, broken: None };
    let result = answer(worker, &receiver, &shared, &mut out);
    out.flush();
    match out.broken {
        Some(error) => Err(ServeError::Write(error)),
        None => result,
    }
}

fn listen(
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
    if shared.busy.load(Ordering::SeqCst) {
        orphaned();
    }
}

fn answer(
    worker: &mut impl Worker,
    receiver: &mpsc::Receiver<Result<ToWorker, LineError>>,
    shared: &Shared,
    out: &mut Out<impl Write>,
) -> Result<(), ServeError> {
    loop {
        if shared.queued.load(Ordering::SeqCst) == 0 {
            out.flush();
        }
        if out.broken.is_some() {
            return Ok(());
        }
        let Ok(heard) = receiver.recv() else { return Ok(()) };
        shared.queued.fetch_sub(1, Ordering::SeqCst);
        match heard.map_err(ServeError::Line)? {
            ToWorker::Hello(greeting) if greeting.protocol != PROTOCOL => {
                return Err(ServeError::Version(greeting.protocol));
            }
            ToWorker::Hello(greeting) => {
                let description = worker.describe(&greeting).map_err(ServeError::Worker)?;
                out.say(&FromWorker::Hello(Box::new(description)));
            }
            ToWorker::Measure(measure) => {
                let id = measure.id;
                out.say(&match worker.measure(&measure.parameters) {
                    Ok(Length { steps, steps_per_epoch, data }) => {
                        FromWorker::Measured(Measured { id, steps, steps_per_epoch, data })
                    }
                    Err(Refusal { parameter, message }) => {
                        FromWorker::Refused(Refused { id, parameter, message })
                    }
                });
            }
            ToWorker::Start(start) => {
                shared.busy.store(true, Ordering::SeqCst);
                if shared.ended.load(Ordering::SeqCst) {
                    return Ok(());
                }
                run(worker, &start, shared, out);
                shared.busy.store(false, Ordering::SeqCst);
            }
            // The listening thread keeps these for itself.
            ToWorker::Stop(_) => {}
            ToWorker::Exit => return Ok(()),
        }
    }
}

fn run(worker: &mut impl Worker, start: &Start, shared: &Shared, out: &mut Out<impl Write>) {
    let attempt = start.attempt;
    let Ending { step, outcome, digest } = if shared.is_stopped(attempt) {
        let step = start.from.as_ref().map_or(start.first, |from| from.step);
        Ending { step, outcome: Outcome::Stopped, digest: String::new() }
    } else {
        let mut reporter = Reporter { attempt, shared, out, last_progress: Instant::now() };
        catch_unwind(AssertUnwindSafe(|| worker.run(start, &mut reporter)))
            .unwrap_or_else(|panic| Ending::failed(start.first, panic_text(panic.as_ref())))
    };
    out.say(&FromWorker::Finished(Finished { attempt, step, outcome, digest }));
    out.flush_if_old();
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("for an unknown reason");
    format!("the worker program panicked: {text}")
}

/// What a running attempt says.
pub struct Reporter<'a> {
    attempt: u64,
    shared: &'a Shared,
    out: &'a mut dyn Say,
    last_progress: Instant,
}

impl Reporter<'_> {
    /// The result of an evaluation, after `step` updates.
    pub fn metrics(&mut self, step: u64, values: impl IntoIterator<Item = (String, f64)>) {
        let values = values.into_iter().map(|(name, value)| (name, Number::new(value))).collect();
        self.out.say(&FromWorker::Metrics(Metrics { attempt: self.attempt, step, values }));
        self.out.flush_if_old();
    }

    /// A checkpoint is on disk, whole and synced.
    pub fn checkpoint(&mut self, step: u64, file: String, digest: String) {
        self.out.say(&FromWorker::Checkpoint(Checkpoint {
            attempt: self.attempt,
            step,
            file,
            digest,
        }));
        self.out.flush();
    }

    /// Shows life. Cheap: most calls say nothing, at most four a second are sent. `live` is for people's eyes only.
    pub fn progress(&mut self, step: u64, live: &[(&str, f64)]) {
        if self.last_progress.elapsed() < Duration::from_millis(250) {
            return;
        }
        self.last_progress = Instant::now();
        let live =
            live.iter().map(|&(name, value)| (name.to_owned(), Number::new(value))).collect();
        self.out.say(&FromWorker::Progress(Progress { attempt: self.attempt, step, live }));
        self.out.flush();
    }

    /// Sends now what would wait a few milliseconds for company.
    pub fn flush(&mut self) {
        self.out.flush();
    }

    /// Whether the attempt should write a checkpoint and end as stopped. Cheap; also sends what waits.
    pub fn should_stop(&mut self) -> bool {
        self.out.flush_if_old();
        self.shared.is_stopped(self.attempt) || self.out.is_broken()
    }
}

trait Say {
    fn say(&mut self, message: &FromWorker);
    fn flush(&mut self);
    fn flush_if_old(&mut self);
    fn is_broken(&self) -> bool;
}

/// Buffered output: thousands of tiny attempts share a write, and nothing waits longer than a few milliseconds.
struct Out<W> {
    writer: W,
    buffer: Vec<u8>,
    oldest: Option<Instant>,
    broken: Option<io::Error>,
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
