//! From the protocol's words to the core's.

use std::collections::BTreeMap;

use pleach_core::{
    class::Class,
    event::{Event, Outcome, Usage},
    fact::Checkpoint,
    life::{AttemptId, WorkerId},
    plan::{Configuration, Scheduled},
    spec,
    warning::Warning,
};
use pleach_protocol::{
    describe::ScheduleForm,
    limits::{check_digest, reason},
    message::{self, Fault, FaultClass, FromWorker, Start},
    number::Number,
};

use crate::program::told;

/// What a worker said, as an event. `bytes_of` looks up the size of a file in an attempt's folder. A message that cannot
/// come from a worker that is running a sweep is an error.
pub(crate) fn event(
    worker: WorkerId,
    message: FromWorker,
    bytes_of: impl Fn(AttemptId, &str) -> u64,
) -> Result<Event, String> {
    let attempt = |number: u64| {
        u32::try_from(number)
            .map(AttemptId)
            .map_err(|_| format!("it speaks of attempt {number}, which nobody gave it"))
    };
    Ok(match message {
        FromWorker::Hello(_) => return Err("it greeted twice".to_owned()),
        FromWorker::Measured(_) => return Err("it measured what nobody asked for".to_owned()),
        FromWorker::Refused(refused) => return Err(format!("it refused: {}", refused.message)),
        FromWorker::Progress(progress) => {
            Event::Progress { worker, attempt: attempt(progress.attempt)?, step: progress.step }
        }
        FromWorker::Metrics(metrics) => Event::Metrics {
            worker,
            attempt: attempt(metrics.attempt)?,
            step: metrics.step,
            values: values(metrics.values),
        },
        FromWorker::Checkpoint(message::Checkpoint { attempt: number, step, file, digest }) => {
            check_digest(&digest)?;
            let attempt = attempt(number)?;
            let bytes = bytes_of(attempt, &file);
            Event::Checkpoint { worker, attempt, step, file, digest, bytes }
        }
        FromWorker::Usage(used) => {
            Event::Used { worker, attempt: attempt(used.attempt)?, usage: usage(used) }
        }
        FromWorker::Warning(said) => {
            Event::Warned { worker, attempt: attempt(said.attempt)?, warning: warning(&said) }
        }
        FromWorker::Finished(finished) => {
            check_digest(&finished.digest)?;
            Event::Finished {
                worker,
                attempt: attempt(finished.attempt)?,
                step: finished.step,
                outcome: outcome(finished.outcome),
                digest: finished.digest,
            }
        }
    })
}

pub(crate) fn values(values: BTreeMap<String, Number>) -> Vec<(String, f64)> {
    values.into_iter().map(|(name, value)| (name, value.get())).collect()
}

pub(crate) fn usage(message::Usage { memory, cpu, .. }: message::Usage) -> Usage {
    Usage { memory, cpu }
}

pub(crate) fn warning(said: &message::Warning) -> Warning {
    Warning::new(&said.what, said.count, said.line, &said.first)
}

/// A guard's own warning, to be told.
pub(crate) fn told_warning(attempt: u64, warning: Warning) -> message::Warning {
    let Warning { what, count, line, first } = warning;
    message::Warning { attempt, what, count, line, first }
}

pub(crate) fn outcome(outcome: message::Outcome) -> Outcome {
    match outcome {
        message::Outcome::Done => Outcome::Done,
        message::Outcome::Early => Outcome::Early,
        message::Outcome::Diverged => Outcome::Diverged,
        message::Outcome::Stopped => Outcome::Stopped,
        message::Outcome::Failed(why) => Outcome::Failed(Class::Error, reason(why)),
        message::Outcome::Fault(Fault { class, why }) => {
            let class = match class {
                FaultClass::NoObjective => Class::NoObjective,
                FaultClass::Configuration => Class::Configuration,
                FaultClass::Preempted => Class::Preempted,
                FaultClass::OutOfMemory => Class::OutOfMemory,
                FaultClass::Crash => Class::Crash,
                FaultClass::Protocol => Class::Protocol,
                FaultClass::Infrastructure => Class::Infrastructure,
            };
            Outcome::Failed(class, reason(why))
        }
        message::Outcome::Unusable(why) => Outcome::Unusable(reason(why)),
    }
}

/// A whole trial's training, in the form that the worker understands, without a place on disk.
pub(crate) fn start(configuration: &Configuration, form: ScheduleForm, seed: u64) -> Start {
    let steps = configuration.length.steps;
    let schedule = |scheduled: &Scheduled| match form {
        ScheduleForm::Profile => message::Schedule::Profile {
            rates: scheduled.text.clone(),
            plateau: scheduled.plateau.as_ref().map(ToString::to_string),
        },
        ScheduleForm::Table => message::Schedule::Table(scheduled.resolved.table(steps)),
    };
    let profiles = configuration.profiles.iter();
    Start {
        attempt: 0,
        trial: 0,
        parameters: told(&configuration.worker),
        schedule: configuration.schedule.as_deref().map(schedule),
        profiles: profiles.map(|(name, profile)| (name.clone(), schedule(profile))).collect(),
        seed,
        first: 0,
        end: steps,
        budget: steps,
        from: None,
        checkpoint: None,
        keep: false,
        directory: String::new(),
    }
}

pub(crate) fn interval(interval: spec::Interval) -> message::Interval {
    match interval {
        spec::Interval::Seconds(seconds) => message::Interval::Seconds(seconds),
        spec::Interval::Steps(steps) => message::Interval::Steps(steps),
    }
}

pub(crate) fn checkpoint_file(checkpoint: &Checkpoint, file: String) -> message::CheckpointFile {
    message::CheckpointFile { file, step: checkpoint.step, digest: checkpoint.digest.clone() }
}
