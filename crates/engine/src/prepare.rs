//! From a sweep file's text to a plan: one worker process is asked what it can do and how long trials are.

use std::collections::BTreeMap;

use pleach_core::{
    diagnostic::Diagnostics,
    life::WorkerId,
    plan::{Length, Lengths, Plan, PlanError, Refused, command, plan},
    program::Program,
    spec::{self, Slots, SweepSpec},
    value::Parameters,
};
use pleach_protocol::{
    describe::Description,
    message::{FromWorker, Measure, PROTOCOL, ToWorker},
};
use thiserror::Error;
use tokio::sync::mpsc;

use crate::{
    process::{Input, Place, Process, StartError},
    program::{Runner, WorkerProgram, program, told},
};

/// Everything that is known of a sweep before it runs.
#[derive(Debug)]
pub struct Prepared {
    pub spec: SweepSpec,
    pub description: Description,
    pub program: Program,
    pub lengths: Lengths,
    pub plan: Plan,
    pub runner: Runner,
}

#[derive(Debug, Error)]
pub enum PrepareError {
    #[error("{0}")]
    Invalid(Diagnostics),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the worker program {program} cannot be used: {why}")]
    Unusable { program: std::path::PathBuf, why: String },
}

/// Reads a sweep. `name` is its file's, for messages.
pub fn read(name: &str, text: &str) -> Result<SweepSpec, PrepareError> {
    spec::read(name, text).map_err(PrepareError::Invalid)
}

/// Plans a sweep.
pub async fn prepare(spec: SweepSpec, runner: Runner) -> Result<Prepared, PrepareError> {
    let mut lengths = Lengths::default();
    let (description, program, plan) = match &runner {
        Runner::Worker(_) => {
            let mut dialogue = Dialogue::start(&runner, device(&spec))?;
            let description = dialogue.hello().await?;
            let program = program(&description);
            let plan = loop {
                match plan(&spec, &program, &lengths) {
                    Ok(plan) => break plan,
                    Err(PlanError::Invalid(list)) => return Err(PrepareError::Invalid(list)),
                    Err(PlanError::Unmeasured(asked)) => {
                        dialogue.measure(&asked, &mut lengths).await?;
                    }
                }
            };
            (description, program, plan)
        }
        Runner::Command { told, spec: command } => {
            let program = command::program(&spec, told.numerics().to_owned());
            let plan = loop {
                match plan(&spec, &program, &lengths) {
                    Ok(plan) => break plan,
                    Err(PlanError::Invalid(list)) => return Err(PrepareError::Invalid(list)),
                    Err(PlanError::Unmeasured(asked)) => {
                        for parameters in asked {
                            lengths.insert(&parameters, command::length(command, &parameters));
                        }
                    }
                }
            };
            (told.describe(), program, plan)
        }
    };
    Ok(Prepared { spec, description, program, lengths, plan, runner })
}

/// What a worker program says of itself.
pub async fn describe(worker: WorkerProgram) -> Result<Description, PrepareError> {
    Dialogue::start(&Runner::Worker(worker), CPU)?.hello().await
}

const CPU: &str = "cpu";

/// Where the sweep runs: numerics are those of a device. Workers on devices with other numerics are refused later.
pub(crate) fn device(spec: &SweepSpec) -> &str {
    match &spec.run.slots {
        Slots::Devices { devices, .. } => devices.first().map_or(CPU, String::as_str),
        Slots::Auto | Slots::Number(_) => CPU,
    }
}

/// A worker process that is only asked.
pub(crate) struct Dialogue<'a> {
    runner: &'a Runner,
    pub(crate) process: Process,
    inputs: mpsc::Receiver<Input>,
    said: Vec<FromWorker>,
    log: Vec<u8>,
}

impl<'a> Dialogue<'a> {
    pub(crate) fn start(runner: &'a Runner, device: &str) -> Result<Self, PrepareError> {
        let (sender, inputs) = mpsc::channel(64);
        let folder = std::env::current_dir().unwrap_or_else(|_| "/".into());
        let place = Place {
            mark: "",
            device,
            folder: &folder,
            threads: 1,
            cores: Vec::new(),
            nice: 0,
            gpus: None,
        };
        let process = Process::start(WorkerId(0), runner, &place, sender)?;
        Ok(Self { runner, process, inputs, said: Vec::new(), log: Vec::new() })
    }

    pub(crate) fn unusable(&self, why: impl Into<String>) -> PrepareError {
        let mut why = why.into();
        if let Some(line) = crate::logs::last_line(&self.log) {
            why = format!("{why}; it said: {line}");
        }
        PrepareError::Unusable { program: self.runner.name(), why }
    }

    pub(crate) async fn next(&mut self) -> Result<FromWorker, PrepareError> {
        loop {
            if !self.said.is_empty() {
                return Ok(self.said.remove(0));
            }
            match self.inputs.recv().await {
                Some(Input::Said { messages, .. }) => self.said.extend(messages),
                Some(Input::Logged { bytes, .. }) => self.log.extend(bytes),
                Some(Input::Nonsense { what, .. }) => return Err(self.unusable(what)),
                Some(Input::Died { death, .. }) => return Err(self.unusable(death.how)),
                Some(Input::Signal) => {}
                None => return Err(self.unusable("it said nothing")),
            }
        }
    }

    pub(crate) async fn hello(&mut self) -> Result<Description, PrepareError> {
        match self.next().await? {
            FromWorker::Hello(description) => match check(&description) {
                Ok(()) => Ok(*description),
                Err(why) => Err(self.unusable(why)),
            },
            _ => Err(self.unusable("it did not answer the greeting")),
        }
    }

    async fn measure(
        &mut self,
        asked: &[Parameters],
        lengths: &mut Lengths,
    ) -> Result<(), PrepareError> {
        let mut open: BTreeMap<u64, &Parameters> = BTreeMap::new();
        for (id, parameters) in asked.iter().enumerate() {
            open.insert(id as u64, parameters);
            self.process
                .say(&ToWorker::Measure(Measure { id: id as u64, parameters: told(parameters) }));
        }
        while !open.is_empty() {
            let (id, answer) = match self.next().await? {
                FromWorker::Measured(measured) => {
                    let length = Length {
                        steps: measured.steps.max(1),
                        steps_per_epoch: measured.steps_per_epoch.max(1),
                        data: measured.data,
                        lanes: measured.lanes,
                    };
                    (measured.id, Ok(length))
                }
                FromWorker::Refused(refused) => (
                    refused.id,
                    Err(Refused { parameter: refused.parameter, message: refused.message }),
                ),
                _ => return Err(self.unusable("it answered something that was not asked")),
            };
            match open.remove(&id) {
                Some(parameters) => lengths.insert(parameters, answer),
                None => return Err(self.unusable("it answered something that was not asked")),
            }
        }
        Ok(())
    }
}

/// Whether a worker that describes itself so can be used at all.
pub(crate) fn check(description: &Description) -> Result<(), String> {
    if description.protocol != PROTOCOL {
        return Err(format!(
            "it speaks version {} of the protocol, this pleach version {PROTOCOL}",
            description.protocol
        ));
    }
    if description.program.is_empty() || description.numerics.is_empty() {
        return Err("it does not say which program and numerics it is".to_owned());
    }
    Ok(())
}
