//! What comes from outside, as events for the core.

use std::fs;

use pleach_core::{
    class::Class,
    event::{Event, Request},
    life::{AttemptId, WorkerId},
};
use pleach_protocol::{
    limits::check_description,
    message::{Fault, FromWorker, Outcome},
};

use super::{Run, Stopping, begin::left_by};
use crate::{
    logs::last_line,
    process::{Death, Input},
    program::program,
    translate,
};

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
        if let (FromWorker::Hello(description), false) = (&message, handle.greeted) {
            handle.greeted = true;
            let expected = &self.job.prepared.program;
            let found = program(description);
            let result = check_description(description).and_then(|()| {
                if (&found.name, &found.numerics) == (&expected.name, &expected.numerics) {
                    return Ok(());
                }
                Err(format!(
                    "it is `{}` with numerics `{}`, the sweep was planned for `{}` with `{}`",
                    found.name, found.numerics, expected.name, expected.numerics
                ))
            });
            match result {
                Ok(()) => self.events.push(Event::WorkerReady { worker, queue: description.queue }),
                Err(why) => {
                    self.workers.remove(&worker);
                    self.events.push(Event::WorkerUnusable { worker, why });
                }
            }
            return;
        }
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
        let is_for_memory = death.is_for_memory(last.as_deref());
        let class = if is_for_memory { Class::OutOfMemory } else { Class::Crash };
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
