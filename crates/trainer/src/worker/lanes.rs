//! The attempts that a worker runs side by side.

use std::{path::Path, sync::Arc};

use pleach_protocol::{
    message::{CheckpointFile, Outcome, Start},
    serve::{Arrivals, Attempt, Ending, Reporter},
};

use super::{Trainer, explain, watch::Watch};
use crate::{
    checkpoint,
    config::Config,
    network::failure::Failure,
    state::State,
    train::{Common, End, Job, Lane},
};

/// An attempt in its lane.
struct Training<'a> {
    job: Arc<Job>,
    state: State,
    watch: Watch<'a>,
    ended: Option<Result<End, Failure>>,
}

/// Runs an attempt, and beside it those that come and are of its shape.
pub(super) fn run<'a>(trainer: &mut Trainer, first: Attempt<'a>, arrivals: &mut Arrivals<'a>) {
    let mut lanes: Vec<Training> = admit(trainer, first).into_iter().collect();
    let Some(Training { job, .. }) = lanes.first() else { return };
    let (most, config) = (job.arithmetic.lanes(&job.model), job.config.clone());
    let fits = |start: &Start| {
        Config::read(&start.parameters).is_ok_and(|other| other.has_shape_of(&config))
    };
    let mut common = Common::new(job);
    while !lanes.is_empty() {
        while lanes.len() < most
            && let Some(attempt) = arrivals.next(fits)
        {
            lanes.extend(admit(trainer, attempt));
        }
        for lane in &mut lanes {
            if lane.watch.should_stop() {
                lane.ended = Some(Ok(End::Stopped));
            }
        }
        step(&mut common, &mut lanes);
        for ended in lanes.extract_if(.., |lane| lane.ended.is_some()) {
            ended.conclude();
        }
    }
}

/// Makes a step in each lane of those that are furthest behind, so that all come to see the same samples: that is what makes
/// them fast.
fn step(common: &mut Common, lanes: &mut [Training]) {
    let place = |lane: &Training| (lane.state.step, lane.job.seed);
    let open = lanes.iter_mut().filter(|lane| lane.ended.is_none());
    let mut open: Vec<&mut Training> = open.collect();
    let Some(behind) = open.iter().map(|lane| place(lane)).min() else { return };
    open.retain(|lane| place(lane) == behind);
    let mut stepping: Vec<Lane> = open.iter_mut().map(|lane| lane.lane()).collect();
    let ends = common.step(&mut stepping);
    for (lane, end) in open.into_iter().zip(ends) {
        lane.ended = end;
    }
}

/// Gives an attempt a lane; one that cannot begin, or has nothing left to do, finishes at once.
fn admit<'a>(trainer: &mut Trainer, attempt: Attempt<'a>) -> Option<Training<'a>> {
    let Attempt { start, reporter } = attempt;
    match begin(trainer, &start) {
        Ok((job, state)) => Training::new(job, state, start, reporter),
        Err(ending) => {
            reporter.finish(ending);
            None
        }
    }
}

/// What an attempt trains, and from where.
fn begin(trainer: &mut Trainer, start: &Start) -> Result<(Job, State), Ending> {
    let fail = |message| Ending::failed(start.first, message);
    let job = trainer
        .job(&start.parameters, start.schedule.as_ref(), &start.profiles, start.seed)
        .map_err(|refusal| {
            let parameter = refusal.parameter.map_or(String::new(), |name| format!("`{name}`: "));
            fail(format!("{parameter}{}", refusal.message))
        })?;
    let steps = job.horizon.steps;
    if steps != start.budget {
        return Err(fail(format!("the trial has {steps} steps here, not {}", start.budget)));
    }
    let state = match &start.from {
        Some(from) => restored(from, &job).map_err(|why| {
            let (outcome, digest) = (Outcome::Unusable(why), String::new());
            Ending { step: from.step, outcome, digest }
        })?,
        None => State::new(&job.model, job.config.optimizer, job.config.init, job.seed),
    };
    if state.step < start.first || start.end < state.step {
        return Err(fail(format!(
            "the checkpoint is at step {}, outside of the stage",
            state.step
        )));
    }
    Ok((job, state))
}

/// The state of a checkpoint, or why it is of no use.
fn restored(from: &CheckpointFile, job: &Job) -> Result<State, String> {
    let state =
        checkpoint::read(Path::new(&from.file), &job.model, job.config.optimizer, &from.digest)
            .map_err(|error| explain(&error))?;
    if state.step == from.step {
        Ok(state)
    } else {
        Err(format!("{} is of step {}, not of step {}", from.file, state.step, from.step))
    }
}

impl<'a> Training<'a> {
    fn new(job: Job, state: State, start: Start, reporter: Reporter<'a>) -> Option<Self> {
        let (job, is_over) = (Arc::new(job), state.step == start.end);
        let training = Self {
            watch: Watch::new(Arc::clone(&job), start, reporter, state.step),
            ended: is_over.then_some(Ok(End::Done)),
            job,
            state,
        };
        if is_over {
            training.conclude();
            return None;
        }
        Some(training)
    }

    fn lane(&mut self) -> Lane<'_> {
        let (end, observer) = (self.watch.end(), &mut self.watch);
        Lane { job: &self.job, state: &mut self.state, end, observer }
    }

    /// Says the last word.
    fn conclude(self) {
        let Self { state, mut watch, ended, .. } = self;
        let outcome = match ended {
            Some(Ok(End::Done)) => Ok(Outcome::Done),
            Some(Ok(End::Diverged)) => Ok(Outcome::Diverged),
            Some(Ok(End::Stopped)) | None => Ok(Outcome::Stopped),
            Some(Err(message)) => Err(message),
        };
        let ending = outcome.and_then(|outcome| {
            let digest = watch.last_digest(&state, &outcome)?;
            Ok(Ending { step: state.step, outcome, digest })
        });
        watch.finish(ending);
    }
}
