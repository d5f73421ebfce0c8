//! What was decided and committed, done.

use std::{collections::BTreeMap, path::PathBuf};

use pleach_core::{
    class::Class,
    command::Keep,
    event::Event,
    fact::Checkpoint,
    life::{AttemptId, StageId, TrialId, WorkerId},
    spec::Pin,
};
use pleach_protocol::message::{Start, ToWorker};

use super::{Handle, Run, cores};
use crate::{
    cores::{allowed, of_slot},
    prepare::Prepared,
    process::{Place, Process},
    program::Runner,
    translate,
};

impl Run<'_> {
    pub(super) fn spawn(&mut self, worker: WorkerId, slot: u32) {
        let (device, gpus) = match self.devices.get(slot as usize) {
            Some(device) => (device.name.as_str(), device.gpus.clone()),
            None => ("cpu", None),
        };
        let run = &self.job.prepared.spec.run;
        let threads = run.threads.unwrap_or(match self.job.prepared.runner {
            // One worker, one core: more threads on busy cores are slower than one.
            Runner::Worker(_) => 1,
            Runner::Command { .. } => {
                let share = cores() / self.devices.len() as u32;
                // More than may run at a time would wait for one another.
                share.min(run.cpus.map_or(u32::MAX, |cpus| cpus.ceil() as u32)).max(1)
            }
        });
        let cores = match run.pin {
            // Where nobody says which cores there are, nobody can be kept to some.
            Pin::Yes => of_slot(&allowed().unwrap_or_default(), slot as usize, self.devices.len()),
            Pin::No => Vec::new(),
        };
        let folder = self.job.home.folder();
        let place =
            Place { mark: &self.mark, device, folder, threads, cores, nice: run.nice, gpus };
        match Process::start(worker, &self.job.prepared.runner, &place, self.sender.clone()) {
            Ok(process) => {
                let (greeted, asked, log) = (false, BTreeMap::new(), Vec::new());
                let handle = Handle { process, greeted, asked, queue: 0, log };
                self.workers.insert(worker, handle);
            }
            Err(error) => {
                let cause = std::error::Error::source(&error)
                    .map_or(String::new(), |cause| format!(": {cause}"));
                self.events.push(Event::WorkerUnusable { worker, why: format!("{error}{cause}") });
            }
        }
    }

    pub(super) fn grant(
        &mut self,
        worker: WorkerId,
        granted: (AttemptId, StageId, TrialId),
        from: Option<&Checkpoint>,
        keep: Keep,
    ) {
        let attempt = granted.0;
        let start = self.start_message(granted, from, keep);
        let Some(handle) = self.workers.get_mut(&worker) else { return };
        let said = match start {
            Some(start) => handle
                .process
                .say(&ToWorker::Start(Box::new(start)))
                .map_err(|why| (Class::Configuration, why)),
            // Every trial was planned from this very file, so this says that the database is not its.
            None => {
                Err((Class::Infrastructure, "the sweep file does not hold this trial".to_owned()))
            }
        };
        if let Err((class, why)) = said {
            self.events.push(Event::Finished {
                worker,
                attempt,
                step: from.map_or(0, |from| from.step),
                outcome: pleach_core::event::Outcome::Failed(class, why),
                digest: String::new(),
            });
        }
    }

    fn start_message(
        &self,
        (attempt, stage, trial): (AttemptId, StageId, TrialId),
        from: Option<&Checkpoint>,
        keep: Keep,
    ) -> Option<Start> {
        let Prepared { description, spec, .. } = self.job.prepared;
        let configuration = self.planner.configuration(*self.points.get(&trial)?)?;
        let (first, end) = self.sweep.steps(stage)?;
        let absolute = |path: PathBuf| {
            std::path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned()
        };
        Some(Start {
            attempt: u64::from(attempt.0),
            trial: u64::from(trial.0),
            first,
            end,
            from: from.map(|checkpoint| {
                let file = self.job.home.attempt(checkpoint.attempt).join(&checkpoint.file);
                translate::checkpoint_file(checkpoint, absolute(file))
            }),
            checkpoint: description.checkpoints.then(|| translate::interval(spec.run.checkpoint)),
            keep: description.checkpoints && keep == Keep::State,
            directory: absolute(self.job.home.attempt(attempt)),
            ..translate::start(&configuration, description.schedules, *self.seeds.get(&trial)?)
        })
    }
}
