//! What comes from outside, as events for the core.

use std::fs;

use pleach_core::{
    class::Class,
    event::{Event, Request},
    life::{AttemptId, WorkerId},
};
use pleach_protocol::{
    describe::Description,
    limits::check_description,
    message::{Fault, FromWorker, Measure, Measured, Outcome, ToWorker},
};

use super::{Handle, Run, Stopping, begin::left_by};
use crate::{
    logs::last_line,
    prepare::Prepared,
    process::{Death, Input},
    program::{Runner, program},
    provenance::data,
    translate,
};

/// A worker says what it is: whether it is the program that the sweep was planned for. It is asked for its data next.
fn greeted(
    handle: &mut Handle,
    description: &Description,
    prepared: &Prepared,
) -> Result<(), String> {
    handle.greeted = true;
    handle.queue = description.queue;
    let (expected, found) = (&prepared.program, program(description));
    check_description(description)?;
    if (&found.name, &found.numerics) != (&expected.name, &expected.numerics) {
        return Err(format!(
            "it is `{}` with numerics `{}`, the sweep was planned for `{}` with `{}`",
            found.name, found.numerics, expected.name, expected.numerics
        ));
    }
    if let Runner::Worker(_) = prepared.runner {
        for (id, (digest, parameters)) in (0..).zip(prepared.lengths.data()) {
            let parameters = serde_json::from_str(parameters).unwrap_or_default();
            let question = ToWorker::Measure(Measure { id, parameters });
            handle.process.say(&question)?;
            handle.asked.insert(id, digest.to_owned());
        }
    }
    Ok(())
}

/// A worker says what its data is: it must be what the sweep was planned with, since that is part of every trial's key.
fn measured_data(
    handle: &mut Handle,
    measured: &Measured,
    prepared: &Prepared,
) -> Result<(), String> {
    match handle.asked.remove(&measured.id) {
        Some(planned) if planned != measured.data => Err(format!(
            "the data has changed since the sweep was planned with {}: put it back, and go on with `pleach resume`",
            data(prepared).unwrap_or(planned)
        )),
        _ => Ok(()),
    }
}

impl Run<'_> {
    pub(super) fn ask(&mut self, request: Request) {
        match request {
            Request::Stop if self.stopping == Stopping::No => self.stopping = Stopping::Asked,
            Request::Kill => self.stopping = Stopping::Killing,
            _ => {}
        }
        self.events.push(Event::Asked(request));
    }

    pub(super) fn input(&mut self, input: Input) {
        match input {
            Input::Said { worker, messages } => {
                for message in messages {
                    self.said(worker, message);
                }
            }
            Input::Nonsense { worker, what } => {
                self.events.push(Event::WorkerTalkedNonsense { worker, what });
            }
            Input::Logged { worker, bytes } => self.logged(worker, &bytes),
            Input::Closed { worker } if self.workers.contains_key(&worker) => {
                self.events.push(Event::WorkerClosed { worker });
            }
            Input::Closed { .. } => {}
            Input::Died { worker, death } => self.died(worker, death),
            Input::Signal => {
                self.signals += 1;
                self.ask(if self.signals == 1 { Request::Stop } else { Request::Kill });
            }
        }
    }

    fn said(&mut self, worker: WorkerId, message: FromWorker) {
        let Some(handle) = self.workers.get_mut(&worker) else { return };
        let result = match &message {
            FromWorker::Hello(description) if !handle.greeted => {
                greeted(handle, description, self.job.prepared)
            }
            FromWorker::Measured(measured) if handle.asked.contains_key(&measured.id) => {
                measured_data(handle, measured, self.job.prepared)
            }
            FromWorker::Refused(refused) if handle.asked.contains_key(&refused.id) => Err(format!(
                "it cannot use the data that the sweep was planned with: {}",
                refused.message
            )),
            _ => return self.told(worker, message),
        };
        match result {
            Ok(()) if handle.asked.is_empty() => {
                self.events.push(Event::WorkerReady { worker, queue: handle.queue });
            }
            Ok(()) => {}
            Err(why) => {
                self.workers.remove(&worker);
                self.events.push(Event::WorkerUnusable { worker, why });
            }
        }
    }

    /// What a worker says of the attempts that it was given.
    fn told(&mut self, worker: WorkerId, message: FromWorker) {
        let Some(handle) = self.workers.get_mut(&worker) else { return };
        let home = self.job.home;
        let bytes_of = |attempt: AttemptId, file: &str| {
            // The name is checked by the core before anything is done with it; here it is only looked up.
            let is_plain = !file.contains('/');
            fs::metadata(home.attempt(attempt).join(file))
                .ok()
                .filter(|_| is_plain)
                .map_or(0, |file| file.len())
        };
        if let FromWorker::Finished(finished) = &message {
            // What it said until here is not the next attempt's.
            handle.log.clear();
            let attempt = AttemptId(u32::try_from(finished.attempt).unwrap_or(0));
            if let Outcome::Failed(why)
            | Outcome::Fault(Fault { why, .. })
            | Outcome::Unusable(why) = &finished.outcome
            {
                self.logs.append(home, attempt, format!("failed: {why}\n").as_bytes());
            }
            self.logs.forget(attempt);
        }
        self.events.push(
            translate::event(worker, message, bytes_of)
                .unwrap_or_else(|what| Event::WorkerTalkedNonsense { worker, what }),
        );
    }

    fn logged(&mut self, worker: WorkerId, bytes: &[u8]) {
        /// Enough for a backtrace, and what stands above it.
        const TAIL: usize = 1 << 14;
        let Some(handle) = self.workers.get_mut(&worker) else { return };
        handle.log.extend_from_slice(bytes);
        let surplus = handle.log.len().saturating_sub(TAIL);
        handle.log.drain(..surplus);
        for attempt in self.sweep.running(worker) {
            self.logs.append(self.job.home, attempt, bytes);
        }
    }

    fn died(&mut self, worker: WorkerId, death: Death) {
        let Some(handle) = self.workers.remove(&worker) else { return };
        let last = last_line(&handle.log);
        let class = match () {
            () if death.is_for_memory(last.as_deref()) => Class::OutOfMemory,
            () if death.is_preemption() => Class::Preempted,
            () => Class::Crash,
        };
        let mut how = death.how;
        if let Some(line) = last {
            how = format!("{how}; it said: {line}");
        }
        let given = self.sweep.given(worker);
        let found =
            given.filter_map(|attempt| Some((attempt, left_by(self.job, attempt)?))).collect();
        self.events.push(Event::WorkerDied { worker, how, class, found });
    }
}
