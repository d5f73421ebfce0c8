//! The worker's side: a program that implements [`Worker`] and calls [`serve`] is a worker. One that can train several
//! stages at a time implements [`LaneWorker`] instead.
//!
//! A thread reads all the time, so that a request to stop reaches a running attempt, and so that a worker whose
//! coordinator has died does not outlive it: when the input ends while something runs, `orphaned` is called, which
//! should end the process at once.

use std::{
    cell::RefCell,
    io::{self, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, atomic::Ordering, mpsc},
    thread,
};

use thiserror::Error;

use crate::{
    describe::Description,
    line::LineError,
    message::{
        FromWorker, Greeting, Measured, Outcome, PROTOCOL, Parameters, Refused, Start, ToWorker,
    },
};

mod listen;
mod preempt;
mod speak;

use listen::{Inbox, Shared, listen};
pub use preempt::{Busy, Preemption};
pub use speak::{Attempt, Reporter};
use speak::{Desk, Out, Say};

/// A program that trains one stage at a time.
pub trait Worker {
    /// Answers the greeting; an error ends the worker.
    fn describe(&mut self, greeting: &Greeting) -> Result<Description, String>;

    /// How long a configuration trains, and on what.
    fn measure(&mut self, parameters: &Parameters) -> Result<Length, Refusal>;

    /// Trains one stage. It should ask [`Reporter::should_stop`] at every step.
    fn run(&mut self, start: &Start, reporter: &mut Reporter) -> Ending;
}

/// A program that can train several stages side by side, each in a lane.
pub trait LaneWorker {
    /// As [`Worker::describe`].
    fn describe(&mut self, greeting: &Greeting) -> Result<Description, String>;

    /// As [`Worker::measure`].
    fn measure(&mut self, parameters: &Parameters) -> Result<Length, Refusal>;

    /// Trains one stage, and beside it those of `arrivals` for which there is a lane; returns when all that it took have
    /// finished.
    fn run_lanes<'a>(&mut self, first: Attempt<'a>, arrivals: &mut Arrivals<'a>);
}

impl<W: Worker> LaneWorker for W {
    fn describe(&mut self, greeting: &Greeting) -> Result<Description, String> {
        Worker::describe(self, greeting)
    }

    fn measure(&mut self, parameters: &Parameters) -> Result<Length, Refusal> {
        Worker::measure(self, parameters)
    }

    fn run_lanes<'a>(&mut self, first: Attempt<'a>, _: &mut Arrivals<'a>) {
        let Attempt { start, mut reporter } = first;
        let ending = self.run(&start, &mut reporter);
        reporter.finish(ending);
    }
}

/// See [`Measured`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Length {
    pub steps: u64,
    pub steps_per_epoch: u64,
    pub data: String,
    pub lanes: u32,
}

/// Why a configuration makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The parameter at fault, if it is one's.
    pub parameter: Option<String>,
    pub message: String,
}

/// See [`Finished`](crate::message::Finished).
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
    #[error("a signal told this worker to end")]
    Preempted,
}

/// Serves a coordinator until it says `exit` or the input ends.
pub fn serve(
    worker: &mut impl LaneWorker,
    input: impl Read + Send + 'static,
    output: impl Write,
    orphaned: fn(),
) -> Result<(), ServeError> {
    serve_until(&Preemption::default(), worker, input, output, orphaned)
}

/// As [`serve`]; but when `preemption` is told, attempts stop, and the error is [`ServeError::Preempted`].
pub fn serve_until(
    preemption: &Preemption,
    worker: &mut impl LaneWorker,
    input: impl Read + Send + 'static,
    output: impl Write,
    orphaned: fn(),
) -> Result<(), ServeError> {
    let shared = Arc::new(Shared::new(preemption.clone()));
    let (sender, receiver) = mpsc::channel();
    let listener = Arc::clone(&shared);
    thread::Builder::new()
        .name("listen".to_owned())
        .spawn(move || listen(input, &listener, &sender, orphaned))
        .map_err(ServeError::Thread)?;
    let mut inbox = Inbox { receiver, shared: Arc::clone(&shared), next: None };
    let out = RefCell::new(Out::new(output));
    let desk = Desk { shared, running: RefCell::default(), out };
    let result = answer(worker, &mut inbox, &desk);
    let mut out = desk.out.into_inner();
    out.flush();
    match out.broken {
        Some(error) => Err(ServeError::Write(error)),
        None => result,
    }
}

fn answer<W: Write>(
    worker: &mut impl LaneWorker,
    inbox: &mut Inbox,
    desk: &Desk<Out<W>>,
) -> Result<(), ServeError> {
    let shared = &desk.shared;
    loop {
        if shared.queued.load(Ordering::SeqCst) == 0 {
            desk.out.borrow_mut().flush();
        }
        if desk.out.borrow().broken.is_some() {
            return Ok(());
        }
        if shared.preemption.is_told() {
            return Err(ServeError::Preempted);
        }
        let Some(heard) = inbox.take() else { return Ok(()) };
        match heard.map_err(ServeError::Line)? {
            ToWorker::Hello(greeting) if greeting.protocol != PROTOCOL => {
                return Err(ServeError::Version(greeting.protocol));
            }
            ToWorker::Hello(greeting) => {
                let description = worker.describe(&greeting).map_err(ServeError::Worker)?;
                desk.out.borrow_mut().say(&FromWorker::Hello(Box::new(description)));
            }
            ToWorker::Measure(measure) => {
                let id = measure.id;
                desk.out.borrow_mut().say(&match worker.measure(&measure.parameters) {
                    Ok(Length { steps, steps_per_epoch, data, lanes }) => {
                        FromWorker::Measured(Measured { id, steps, steps_per_epoch, data, lanes })
                    }
                    Err(Refusal { parameter, message }) => {
                        FromWorker::Refused(Refused { id, parameter, message })
                    }
                });
            }
            ToWorker::Start(start) => {
                shared.preemption.set_busy(Busy::Yes);
                if shared.ended.load(Ordering::SeqCst) {
                    return Ok(());
                }
                run(worker, *start, inbox, desk);
                shared.preemption.set_busy(Busy::No);
            }
            // The listening thread keeps these for itself.
            ToWorker::Stop(_) => {}
            ToWorker::Exit => return Ok(()),
        }
    }
}

/// Runs an attempt and those that join it.
fn run<'a>(
    worker: &mut impl LaneWorker,
    start: Start,
    inbox: &'a mut Inbox,
    desk: &'a Desk<dyn Say + 'a>,
) {
    let mut arrivals = Arrivals { inbox, desk, is_over: false };
    if let Some(first) = desk.begin(start) {
        let run = AssertUnwindSafe(|| worker.run_lanes(first, &mut arrivals));
        let panic = catch_unwind(run).err();
        let left = desk.running.take();
        if let (Some(panic), 2..) = (&panic, left.len()) {
            // Nobody knows whose fault it is: each of them runs again, apart.
            let text = panic_text(panic.as_ref());
            resume_unwind(Box::new(text));
        }
        let why = panic.map_or_else(
            || "the worker program did not say how it ended".to_owned(),
            |panic| panic_text(panic.as_ref()),
        );
        for (attempt, first) in left {
            desk.finish(attempt, Ending::failed(first, why.clone()));
        }
    }
    desk.out.borrow_mut().flush_if_old();
}

/// Attempts that come while others run.
pub struct Arrivals<'a> {
    inbox: &'a mut Inbox,
    desk: &'a Desk<dyn Say + 'a>,
    /// Whether something else comes first.
    is_over: bool,
}

impl<'a> Arrivals<'a> {
    /// The next attempt, if it has come and fits beside those that run. One that does not fit waits for their end, and so
    /// does everything that comes after it. Cheap.
    pub fn next(&mut self, fits: impl Fn(&Start) -> bool) -> Option<Attempt<'a>> {
        while !self.is_over && !self.desk.shared.preemption.is_told() {
            match self.inbox.peek()? {
                Ok(ToWorker::Start(start)) if fits(start) => {}
                _ => {
                    self.is_over = true;
                    return None;
                }
            }
            if let Some(Ok(ToWorker::Start(start))) = self.inbox.take()
                && let Some(attempt) = self.desk.begin(*start)
            {
                return Some(attempt);
            }
        }
        None
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("for an unknown reason");
    format!("the worker program panicked: {text}")
}
