//! What happens between the steps of an attempt: checkpoints, and words to the coordinator.

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use pleach_files as files;
use pleach_protocol::{
    message::{Fault, FaultClass, Interval, Outcome, Start},
    serve::{Ending, Reporter},
};

use super::explain;
use crate::{
    checkpoint::{self, CheckpointError},
    network::failure::Failure,
    state::State,
    train::{Flow, Job, Observer},
};

/// Names the file to which every step made is written as `TRIAL ATTEMPT STEP`: an account of the work done that does
/// not pass through a coordinator.
const WITNESS: &str = "PLEACH_WITNESS";

pub(super) struct Watch<'a> {
    job: Arc<Job>,
    start: Start,
    reporter: Reporter<'a>,
    witness: Option<File>,
    begun: (Instant, u64),
    /// When, and at which step, the last checkpoint was written.
    last: (Instant, u64),
}

impl<'a> Watch<'a> {
    /// Of an attempt that has come to `step`.
    pub(super) fn new(job: Arc<Job>, start: Start, reporter: Reporter<'a>, step: u64) -> Self {
        let begun = (Instant::now(), step);
        Self { job, start, reporter, witness: None, begun, last: begun }
    }

    /// The step before which the stage ends.
    pub(super) fn end(&self) -> u64 {
        self.start.end
    }

    pub(super) fn should_stop(&mut self) -> bool {
        self.reporter.should_stop()
    }

    /// Of the state at the end, which is written if others may start from it.
    pub(super) fn last_digest(
        &mut self,
        state: &State,
        outcome: &Outcome,
    ) -> Result<String, Failure> {
        match outcome {
            Outcome::Stopped => self.write(state),
            Outcome::Done if self.start.keep => self.write(state),
            _ => Ok(state.digest()),
        }
    }

    pub(super) fn finish(self, ending: Result<Ending, Failure>) {
        let step = self.start.first;
        self.reporter.finish(ending.unwrap_or_else(|failure| {
            let outcome = match failure {
                Failure::OutOfMemory(why) => {
                    Outcome::Fault(Fault { class: FaultClass::OutOfMemory, why })
                }
                Failure::Infrastructure(why) => {
                    Outcome::Fault(Fault { class: FaultClass::Infrastructure, why })
                }
                Failure::Other(why) => Outcome::Failed(why),
            };
            Ending { step, outcome, digest: String::new() }
        }));
    }

    fn write(&mut self, state: &State) -> Result<String, Failure> {
        let file = format!("{}.safetensors", state.step);
        let path = Path::new(&self.start.directory).join(&file);
        let digest = checkpoint::write(&path, &self.job.model, self.job.config.optimizer, state)
            .map_err(|error| match error {
                // A full disk, mostly.
                CheckpointError::Write { .. } => Failure::Infrastructure(explain(&error)),
                _ => Failure::Other(explain(&error)),
            })?;
        self.reporter.checkpoint(state.step, file, digest.clone());
        self.last = (Instant::now(), state.step);
        Ok(digest)
    }

    fn is_due(&self, step: u64) -> bool {
        match self.start.checkpoint {
            None => false,
            Some(Interval::Seconds(seconds)) => {
                Duration::from_secs_f64(seconds.clamp(0.0, 1e9)) <= self.last.0.elapsed()
            }
            Some(Interval::Steps(steps)) => self.last.1.saturating_add(steps) <= step,
        }
    }

    fn witness(&mut self, step: u64) -> Result<(), String> {
        let Some(path) = std::env::var_os(WITNESS) else { return Ok(()) };
        let fail = |what| move |error| format!("failed to {what} the witness: {error}");
        let file = match &mut self.witness {
            Some(file) => file,
            none => {
                let file = files::append(Path::new(&path));
                none.insert(file.map_err(fail("open"))?)
            }
        };
        let line = format!("{} {} {step}\n", self.start.trial, self.start.attempt);
        file.write_all(line.as_bytes()).map_err(fail("write to"))
    }
}

impl Observer for Watch<'_> {
    fn evaluated(&mut self, step: u64, metrics: Vec<(String, f64)>) {
        self.reporter.metrics(step, metrics);
    }

    fn stepped(&mut self, state: &State) -> Result<Flow, Failure> {
        self.witness(state.step)?;
        // The end is the caller's to write.
        if state.step < self.start.end && self.is_due(state.step) {
            self.write(state)?;
        }
        let samples = (state.step - self.begun.1) as f64 * self.job.config.batch as f64;
        let per_second = samples / self.begun.0.elapsed().as_secs_f64().max(1e-9);
        self.reporter.progress(state.step, &[("samples_per_second", per_second)]);
        Ok(Flow::Continue)
    }
}
