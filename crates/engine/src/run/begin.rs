//! What a run begins with: the core's state from the rows of the database, devices, signals.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
};

use pleach_core::{
    event::{Found, Moment},
    key::Key,
    life::{AttemptId, Lanes, StageStatus, Trial, TrialId},
    spec::Slots,
    stop::{Lot, Record, Rule},
    sweep::{Exactness, Rows, Settings, StageRow, Sweep, Wait, wait},
};
use pleach_store::Loaded;

use super::{Job, RunError};
use crate::{
    command::result,
    gpus::{VISIBLE, gpus, visible},
    home::Home,
    prepare::Prepared,
    program::Runner,
};

/// The core's state from the rows of the database.
pub(super) fn state(
    job: &Job,
    devices: &[Device],
    loaded: Loaded,
) -> (Sweep, BTreeMap<TrialId, u64>, BTreeMap<TrialId, u64>) {
    let spec = &job.prepared.spec;
    let micros = |seconds: f64| (seconds * 1e6) as u64;
    let settings = Settings {
        objective: spec.objective.clone(),
        budgets: spec.run.budgets.clone(),
        slots: devices.len() as u32,
        devices: devices.iter().map(|device| device.name.clone()).collect(),
        lanes: spec.run.most_lanes(),
        timeout: spec.run.timeout.map(micros),
        stall: spec.run.stall.map(micros),
        // Counted from the start of the run, also when the state was read again.
        limit: job.limit.or(spec.run.limit).map(|limit| Moment(micros(limit))),
        keep: spec.run.keep,
        stop: spec.stop.as_ref().map_or(Rule::NONE, |stop| stop.rule),
        exactness: if job.prepared.description.exact { Exactness::Exact } else { Exactness::Loose },
    };
    let (mut rows, points) = rows(job.home, loaded);
    rows.trials = first(rows.trials, &rows.record, job.first);
    let seeds = rows.trials.iter().map(|trial| (trial.id, trial.seed)).collect();
    rows.found = found(job, &rows.stages);
    rows.lanes = lanes(job, &rows.trials);
    (Sweep::new(settings, rows), points, seeds)
}

/// What the database holds, and the disk still has.
pub(super) fn rows(home: &Home, loaded: Loaded) -> (Rows, BTreeMap<TrialId, u64>) {
    let Loaded { trials, points, stages, mut checkpoints, mut ends, next_attempt, record, .. } =
        loaded;
    let stages = stages.into_iter().map(|stage| {
        let (evaluated, digest) =
            ends.remove(&stage.id).map(|end| (end.evaluated, end.digest)).unwrap_or_default();
        let mut checkpoints = checkpoints.remove(&stage.id).unwrap_or_default();
        // A folder may have been cleaned by hand.
        checkpoints
            .retain(|checkpoint| home.attempt(checkpoint.attempt).join(&checkpoint.file).is_file());
        StageRow { stage, evaluated, digest, checkpoints }
    });
    let stages = stages.collect();
    (Rows { trials, stages, next_attempt, record, ..Rows::default() }, points)
}

/// What a trial that has not ended waits for.
pub fn waits_for(home: &Home, loaded: Loaded, trial: TrialId) -> Option<Wait> {
    let objective = loaded.revision.objective.clone();
    wait(objective, rows(home, loaded).0, trial)
}

/// The results that guards have left of attempts that nobody knows to have ended. Everything of an earlier coordinator is
/// dead by now, so none can still be written.
fn found(job: &Job, stages: &[StageRow]) -> BTreeMap<AttemptId, Found> {
    let running = stages.iter().filter_map(|row| match row.stage.status {
        StageStatus::Running(attempt) | StageStatus::Rebuilding(attempt) => Some(attempt),
        _ => None,
    });
    let found = running.filter_map(|attempt| Some((attempt, left_by(job, attempt)?)));
    found.collect()
}

/// The result that the guard of a person's program has left of an attempt.
pub(super) fn left_by(job: &Job, attempt: AttemptId) -> Option<Found> {
    match job.prepared.runner {
        Runner::Worker(_) => None,
        Runner::Command { .. } => result::read(job.home, attempt),
    }
}

/// What the plan says of the trials that can be trained side by side.
pub(super) fn lanes(job: &Job, trials: &[Trial]) -> BTreeMap<TrialId, Lanes> {
    let planned = job.prepared.plan.trials.iter();
    let planned: BTreeMap<Key, Lanes> =
        planned.filter_map(|planned| Some((planned.key, planned.lanes?))).collect();
    trials.iter().filter_map(|trial| Some((trial.id, *planned.get(&trial.key)?))).collect()
}

/// The trials of the first so many configurations: with rungs, of those that are judged first, since their verdicts wait for
/// no others.
fn first(mut trials: Vec<Trial>, record: &Record, limit: Option<usize>) -> Vec<Trial> {
    if let Some(limit) = limit {
        let order = |trial: &Trial| match record.rungs.len() {
            0 => (Lot::default(), trial.configuration),
            _ => record.order(trial.configuration),
        };
        let configurations: BTreeSet<_> = trials.iter().map(order).collect();
        if let Some(past) = configurations.into_iter().nth(limit) {
            trials.retain(|trial| order(trial) < past);
        }
    }
    trials
}

/// Of this machine, as far as this process may use it.
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| n.get() as u32)
}

/// What a slot runs on.
#[derive(Clone, Debug)]
pub(super) struct Device {
    /// `cpu`, `cuda:0`, or several with commas between.
    pub(super) name: String,
    /// What its program sees of them.
    pub(super) gpus: Option<String>,
}

/// The device of each slot.
pub(super) fn devices(job: &Job) -> Result<Vec<Device>, RunError> {
    let Prepared { spec, description, runner, .. } = job.prepared;
    let on_cpu = |n: u32| {
        let cpu = || Device { name: "cpu".to_owned(), gpus: None };
        std::iter::repeat_with(cpu).take(n.max(1) as usize).collect()
    };
    let (devices, per_device) = match (job.slots, &spec.run.slots) {
        (Some(slots), _) => return Ok(on_cpu(slots)),
        (None, Slots::Auto) => return Ok(on_cpu(cores())),
        (None, Slots::Number(slots)) => return Ok(on_cpu(*slots)),
        (None, Slots::Devices { devices, per_device }) => (devices, *per_device as usize),
    };
    let allowed = env::var(VISIBLE).ok();
    let known = match runner {
        Runner::Worker(_) => Vec::new(),
        Runner::Command { .. } => gpus(),
    };
    let device = |name: &String| match runner {
        Runner::Worker(_) if description.devices.contains(name) => {
            Ok(Device { name: name.clone(), gpus: None })
        }
        Runner::Worker(_) => Err(RunError::Device {
            device: name.clone(),
            program: description.program.clone(),
            known: description.devices.clone(),
        }),
        // Only the person knows what it can use.
        Runner::Command { .. } => match visible(name, allowed.as_deref(), &known) {
            Ok(gpus) => Ok(Device { name: name.clone(), gpus }),
            Err(device) => {
                let there = match (&allowed, known.len()) {
                    (Some(allowed), _) => format!("{VISIBLE} allows `{allowed}`"),
                    (None, 0) => "a device is `cpu`, or `cuda:0`, `cuda:1`, …".to_owned(),
                    (None, n) => format!("nvidia-smi knows cuda:0 to cuda:{}", n - 1),
                };
                Err(RunError::Gpu { device, there })
            }
        },
    };
    let devices = devices.iter().map(device).collect::<Result<Vec<_>, _>>()?;
    Ok(devices.into_iter().flat_map(|device| vec![device; per_device]).collect())
}
