//! The training loop as a worker: from a coordinator's messages to jobs, from training to messages.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use pleach_protocol::{
    describe::{Description, ScheduleForm},
    message::{CheckpointFile, Greeting, Interval, Outcome, PROTOCOL, Parameters, Schedule, Start},
    serve::{Ending, Length, Refusal, Reporter, Worker},
};

use pleach_schedule::{
    duration::Horizon,
    plateau::{Monitor, Plateau},
    resolved::Resolved,
};

use crate::{
    average::Average,
    checkpoint,
    config::{self, Config},
    data::{Dataset, Library, Split},
    model::Model,
    network::Arithmetic,
    optimizer::Changing,
    state::State,
    train::{self, End, Flow, Job, Observer, Rates},
};

/// Names the file to which every step made is written as `TRIAL ATTEMPT STEP`: an account of the work done that does
/// not pass through a coordinator.
pub const WITNESS: &str = "PLEACH_WITNESS";

/// The version of the arithmetic: raised whenever the same configuration and seed would give other bits.
const ARITHMETIC: u32 = 3;

#[derive(Debug, Default)]
pub struct Trainer {
    library: Library,
    pub arithmetic: Arithmetic,
    /// The last split made, and what it was made from.
    split: Option<(String, Arc<Split>)>,
}

/// The trainer's description; the same for every machine but for `numerics`.
pub fn description(arithmetic: Arithmetic) -> Description {
    Description {
        protocol: PROTOCOL,
        program: "pleach-mnist".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        numerics: format!("pleach-mnist-{ARITHMETIC} {}", arithmetic.instructions()),
        queue: 1,
        schedules: ScheduleForm::Profile,
        checkpoints: true,
        parameters: config::parameters(),
        devices: Arithmetic::ALL.map(|arithmetic| arithmetic.to_string()).to_vec(),
        metrics: METRICS.map(str::to_owned).to_vec(),
    }
}

/// What evaluations yield; those of `val` only with validation images, those of
/// `avg` only with an average of the weights.
const METRICS: [&str; 12] = [
    "avg_test_accuracy",
    "avg_test_loss",
    "avg_val_accuracy",
    "avg_val_loss",
    "gradient_norm",
    "learning_rate",
    "test_accuracy",
    "test_loss",
    "train_accuracy",
    "train_loss",
    "val_accuracy",
    "val_loss",
];

impl Trainer {
    pub fn new(data: Option<PathBuf>) -> Self {
        Self { library: Library::new(data), ..Self::default() }
    }

    fn dataset(&mut self, config: &Config) -> Result<Arc<Dataset>, Refusal> {
        self.library.get(&config.data).map_err(|error| Refusal {
            parameter: Some("data".to_owned()),
            message: explain(&error),
        })
    }

    fn split(&mut self, dataset: &Dataset, config: &Config) -> Arc<Split> {
        let Config { data, valid, subset, split_seed, normalize, .. } = config;
        let made_from = format!("{data} {valid} {subset} {split_seed} {normalize:?}");
        match &self.split {
            Some((other, split)) if *other == made_from => Arc::clone(split),
            _ => {
                let split = Arc::new(Split::new(dataset, config));
                self.split = Some((made_from, Arc::clone(&split)));
                split
            }
        }
    }

    /// Everything that a stage needs, before its first step.
    pub fn job(
        &mut self,
        parameters: &Parameters,
        schedule: Option<&Schedule>,
        profiles: &BTreeMap<String, Schedule>,
        seed: u64,
    ) -> Result<Job, Refusal> {
        let refuse = |message: String| Refusal { parameter: None, message };
        let mut config = Config::read(parameters)?;
        let dataset = self.dataset(&config)?;
        let horizon = config.horizon(dataset.n_train())?;
        let (rates, plateau) = match schedule {
            Some(Schedule::Profile { rates, plateau }) => {
                let rates =
                    rates.parse().map_err(|error| refuse(format!("the schedule: {error}")))?;
                let plateau = plateau.as_ref().map(|rule| rule.parse::<Plateau>()).transpose();
                (Rates::Profile(rates), plateau.map_err(|error| refuse(format!("{error}")))?)
            }
            Some(Schedule::Table(table)) => (Rates::Table(table.clone()), None),
            None => return Err(refuse("there is no schedule: a sweep needs `peak`".to_owned())),
        };
        let model =
            Model::new(&config.model, (dataset.rows(), dataset.columns()), dataset.n_classes)
                .map_err(|message| Refusal { parameter: Some("model".to_owned()), message })?;
        let split = self.split(&dataset, &config);
        if let Some(Monitor { metric, .. }) =
            plateau.as_ref().and_then(|plateau| plateau.monitor.as_ref())
        {
            if !METRICS.contains(&metric.as_str()) {
                return Err(refuse(format!(
                    "the plateau rule watches `{metric}`, which is not measured"
                )));
            }
            if metric.starts_with("avg_") && config.average == Average::None {
                return Err(refuse(format!(
                    "the plateau rule watches `{metric}`, but no weights are averaged: set `average`"
                )));
            }
            if metric.contains("val_") && split.valid.is_empty() {
                return Err(refuse(format!(
                    "the plateau rule watches `{metric}`, but no images are held out: set `valid`"
                )));
            }
        }
        let mut read = Vec::with_capacity(profiles.len());
        for (name, schedule) in profiles {
            let (changing, profile) = self::profile(name, schedule, horizon)
                .map_err(|message| Refusal { parameter: Some(name.clone()), message })?;
            config.optimizer =
                config.optimizer.with(changing, profile.at(0)).ok_or_else(|| Refusal {
                    parameter: Some(name.clone()),
                    message: "this optimizer has none".to_owned(),
                })?;
            read.push((changing, profile));
        }
        let (arithmetic, profiles) = (self.arithmetic, read);
        Ok(Job { config, split, model, arithmetic, rates, plateau, profiles, seed, horizon })
    }

    fn try_run(&mut self, start: &Start, reporter: &mut Reporter) -> Result<Ending, String> {
        let job = self
            .job(&start.parameters, start.schedule.as_ref(), &start.profiles, start.seed)
            .map_err(|refusal| {
                let parameter =
                    refusal.parameter.map_or(String::new(), |name| format!("`{name}`: "));
                format!("{parameter}{}", refusal.message)
            })?;
        if job.horizon.steps != start.budget {
            return Err(format!(
                "the trial has {} steps here, not {}",
                job.horizon.steps, start.budget
            ));
        }
        let rule = job.config.optimizer;
        let mut state = match &start.from {
            Some(from) => match restored(from, &job) {
                Ok(state) => state,
                Err(why) => {
                    let (outcome, digest) = (Outcome::Unusable(why), String::new());
                    return Ok(Ending { step: from.step, outcome, digest });
                }
            },
            None => State::new(&job.model, rule, job.config.init, job.seed),
        };
        if state.step < start.first || start.end < state.step {
            return Err(format!("the checkpoint is at step {}, outside of the stage", state.step));
        }
        let mut watch = Watch {
            job: &job,
            start,
            reporter,
            witness: Witness::open(start)?,
            begun: (Instant::now(), state.step),
            last: (Instant::now(), state.step),
        };
        let end = train::train(&job, &mut state, start.end, &mut watch)?;
        let outcome = match end {
            End::Done => Outcome::Done,
            End::Diverged => Outcome::Diverged,
            End::Stopped => Outcome::Stopped,
        };
        let digest = if end == End::Stopped || (end == End::Done && start.keep) {
            watch.write(&state)?
        } else {
            state.digest()
        };
        Ok(Ending { step: state.step, outcome, digest })
    }
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

/// A constant of the update rule that changes from step to step; all of its values are in range.
fn profile(name: &str, schedule: &Schedule, horizon: Horizon) -> Result<(Changing, Rates), String> {
    let changing = Changing::ALL.into_iter().find(|changing| changing.name() == name);
    let changing = changing.ok_or("it cannot change from step to step")?;
    let (profile, (lowest, highest)) = match schedule {
        Schedule::Profile { rates, plateau: None } => {
            let resolved: Resolved = rates.parse().map_err(|error| format!("{error}"))?;
            let extremes = resolved.extremes(horizon.steps);
            (Rates::Profile(resolved), extremes)
        }
        Schedule::Profile { plateau: Some(_), .. } => {
            return Err("only the learning rate can follow a metric".to_owned());
        }
        Schedule::Table(table) if table.is_empty() => return Err("its table is empty".to_owned()),
        Schedule::Table(table) => {
            let lowest = table.iter().copied().fold(f64::INFINITY, f64::min);
            let highest = table.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            (Rates::Table(table.clone()), (lowest, highest))
        }
    };
    let max = changing.max();
    if !(0.0 <= lowest && highest <= max) {
        return Err(format!(
            "it goes from {lowest} to {highest}, which is not between 0 and {max}"
        ));
    }
    Ok((changing, profile))
}

/// An error with its causes.
fn explain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", explain(cause)),
        None => error.to_string(),
    }
}

impl Worker for Trainer {
    fn describe(&mut self, greeting: &Greeting) -> Result<Description, String> {
        self.arithmetic = greeting.device.parse()?;
        self.library = Library::new(greeting.data.as_ref().map(PathBuf::from));
        Ok(description(self.arithmetic))
    }

    fn measure(&mut self, parameters: &Parameters) -> Result<Length, Refusal> {
        let config = Config::read(parameters)?;
        let dataset = self.dataset(&config)?;
        let horizon = config.horizon(dataset.n_train())?;
        Ok(Length {
            steps: horizon.steps,
            steps_per_epoch: horizon.steps_per_epoch,
            data: dataset.digest.clone(),
        })
    }

    fn run(&mut self, start: &Start, reporter: &mut Reporter) -> Ending {
        self.try_run(start, reporter).unwrap_or_else(|message| Ending::failed(start.first, message))
    }
}

/// What happens between steps.
struct Watch<'a, 'b> {
    job: &'a Job,
    start: &'a Start,
    reporter: &'a mut Reporter<'b>,
    witness: Option<Witness>,
    begun: (Instant, u64),
    /// When, and at which step, the last checkpoint was written.
    last: (Instant, u64),
}

impl Watch<'_, '_> {
    fn write(&mut self, state: &State) -> Result<String, String> {
        let file = format!("{}.safetensors", state.step);
        let path = Path::new(&self.start.directory).join(&file);
        let digest = checkpoint::write(&path, &self.job.model, self.job.config.optimizer, state)
            .map_err(|error| explain(&error))?;
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
}

impl Observer for Watch<'_, '_> {
    fn evaluated(&mut self, step: u64, metrics: Vec<(String, f64)>) {
        self.reporter.metrics(step, metrics);
    }

    fn stepped(&mut self, state: &State) -> Result<Flow, String> {
        if let Some(witness) = &mut self.witness {
            witness.saw(state.step)?;
        }
        if self.reporter.should_stop() {
            return Ok(Flow::Stop);
        }
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

struct Witness {
    file: File,
    prefix: String,
}

impl Witness {
    fn open(start: &Start) -> Result<Option<Self>, String> {
        let Some(path) = std::env::var_os(WITNESS) else { return Ok(None) };
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(|error| format!("failed to open {}: {error}", path.display()))?;
        Ok(Some(Self { file, prefix: format!("{} {}", start.trial, start.attempt) }))
    }

    fn saw(&mut self, step: u64) -> Result<(), String> {
        let line = format!("{} {step}\n", self.prefix);
        self.file
            .write_all(line.as_bytes())
            .map_err(|error| format!("failed to write to the witness: {error}"))
    }
}
