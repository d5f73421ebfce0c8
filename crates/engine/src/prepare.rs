//! From a sweep file's text to a plan: one worker process is asked what it can do and how long trials are.

use std::{collections::BTreeMap, time::Duration};

use pleach_core::{
    diagnostic::Diagnostics,
    life::WorkerId,
    plan::{
        Configuration, Length, Lengths, Plan, PlanError, Refused,
        command::{self, Reading},
        plan, warnings,
    },
    program::Program,
    spec::{self, Slots, SweepSpec},
    value::Parameters,
};
use pleach_protocol::{
    describe::{Description, ScheduleForm},
    limits::{MAX_TABLE, check_description, check_measured},
    message::{FromWorker, Measure, ToWorker},
};
use thiserror::Error;
use tokio::{sync::mpsc, time::timeout};

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

impl Prepared {
    /// What can be run as it stands and is probably not meant so.
    #[must_use]
    pub fn warnings(&self) -> Diagnostics {
        let reading = match &self.runner {
            Runner::Command { told, .. } => told.reading(),
            Runner::Worker(_) => Reading::Seen,
        };
        warnings(&self.spec, &self.program, &self.lengths, &self.plan, reading)
    }
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
            let mut dialogue = Dialogue::start(&runner, device(&spec))?.within(&spec);
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
            check_tables(&description, &plan).map_err(|why| dialogue.unusable(why))?;
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
    /// The end of what it wrote to standard error.
    log: Vec<u8>,
    /// How long it may say nothing, if the person limits that.
    patience: Option<Duration>,
}

/// So much of a worker's log is kept while it is asked.
const TAIL: usize = 1 << 14;

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
        Ok(Self { runner, process, inputs, said: Vec::new(), log: Vec::new(), patience: None })
    }

    /// Kills it when it says nothing for longer than the person allows.
    pub(crate) fn within(mut self, spec: &SweepSpec) -> Self {
        self.patience = spec.run.stall.and_then(|stall| Duration::try_from_secs_f64(stall).ok());
        self
    }

    pub(crate) fn say(&self, message: &ToWorker) -> Result<(), PrepareError> {
        self.process.say(message).map_err(|why| self.unusable(why))
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
            let next = self.inputs.recv();
            let next = match self.patience {
                Some(stall) => timeout(stall, next).await.map_err(|_| {
                    self.unusable("it said nothing for longer than `[run] stall` allows")
                })?,
                None => next.await,
            };
            match next {
                Some(Input::Said { messages, .. }) => self.said.extend(messages),
                Some(Input::Logged { bytes, .. }) => {
                    self.log.extend(bytes);
                    let surplus = self.log.len().saturating_sub(TAIL);
                    self.log.drain(..surplus);
                }
                Some(Input::Closed { .. }) => {
                    return Err(self.unusable("it closed its output and lives on"));
                }
                Some(Input::Nonsense { what, .. }) => return Err(self.unusable(what)),
                Some(Input::Died { death, .. }) => return Err(self.unusable(death.how)),
                Some(Input::Signal) => {}
                None => return Err(self.unusable("it said nothing")),
            }
        }
    }

    pub(crate) async fn hello(&mut self) -> Result<Description, PrepareError> {
        match self.next().await? {
            FromWorker::Hello(description) => match check_description(&description) {
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
            let measure = Measure { id: id as u64, parameters: told(parameters) };
            self.say(&ToWorker::Measure(measure))?;
        }
        while !open.is_empty() {
            let (id, answer) = match self.next().await? {
                FromWorker::Measured(measured) => {
                    check_measured(&measured).map_err(|why| self.unusable(why))?;
                    let length = Length {
                        steps: measured.steps,
                        steps_per_epoch: measured.steps_per_epoch,
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

/// A table that can fit into no line is not built.
fn check_tables(description: &Description, plan: &Plan) -> Result<(), String> {
    if description.schedules == ScheduleForm::Profile {
        return Ok(());
    }
    let has_table = |it: &&Configuration| it.schedule.is_some() || !it.profiles.is_empty();
    let steps = plan.configurations.iter().filter(has_table).map(|it| it.length.steps).max();
    match steps {
        Some(steps) if MAX_TABLE < steps => Err(format!(
            "it wants learning rates as a table, and a table of {steps} steps fits into no line (at most {MAX_TABLE}): let it ask for `profile`s, or lower the budget"
        )),
        _ => Ok(()),
    }
}
