//! The training loop as a worker: from a coordinator's messages to jobs, from training to messages.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use pleach_protocol::{
    describe::{Description, ScheduleForm},
    message::{Greeting, PROTOCOL, Parameters, Schedule},
    serve::{Arrivals, Attempt, LaneWorker, Length, Refusal},
};

use pleach_schedule::{
    duration::Horizon,
    plateau::{Monitor, Plateau},
    resolved::Resolved,
};

use crate::{
    average::Average,
    config::{self, Config},
    data::{Dataset, Library, Split},
    model::Model,
    network::Arithmetic,
    optimizer::Changing,
    train::{Job, Rates},
};

mod lanes;
mod watch;

/// The version of the arithmetic: raised whenever the same configuration and seed would give other bits.
const ARITHMETIC: u32 = 3;

#[derive(Debug, Default)]
pub struct Trainer {
    library: Library,
    pub arithmetic: Arithmetic,
    /// The last split made, and what it was made from.
    split: Option<(String, Arc<Split>)>,
}

/// The trainer's description; the same for every machine but for `numerics` and the devices.
pub fn description(arithmetic: &Arithmetic) -> Description {
    Description {
        protocol: PROTOCOL,
        program: "pleach-mnist".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        numerics: format!("pleach-mnist-{ARITHMETIC} {}", arithmetic.instructions()),
        exact: arithmetic.is_exact(),
        queue: 1,
        schedules: ScheduleForm::Profile,
        checkpoints: true,
        parameters: config::parameters(),
        devices: Arithmetic::devices(),
        metrics: METRICS.map(str::to_owned).to_vec(),
        needs: needs(),
    }
}

/// What each metric needs: images held out, an average.
fn needs() -> BTreeMap<String, BTreeMap<String, serde_json::Value>> {
    let need = |metric: &str| {
        let valid = metric.contains("val_").then(|| ("valid".to_owned(), 2000.into()));
        let average = metric.starts_with("avg_").then(|| ("average".to_owned(), "swa".into()));
        valid.into_iter().chain(average).collect::<BTreeMap<_, _>>()
    };
    let needs = METRICS.into_iter().map(|metric| (metric.to_owned(), need(metric)));
    needs.filter(|(_, needs)| !needs.is_empty()).collect()
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
        let model = model(&config, &dataset)?;
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
        let (arithmetic, profiles) = (self.arithmetic.clone(), read);
        Ok(Job { config, split, model, arithmetic, rates, plateau, profiles, seed, horizon })
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

fn model(config: &Config, dataset: &Dataset) -> Result<Model, Refusal> {
    Model::new(&config.model, (dataset.rows(), dataset.columns()), dataset.n_classes)
        .map_err(|message| Refusal { parameter: Some("model".to_owned()), message })
}

/// An error with its causes.
fn explain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", explain(cause)),
        None => error.to_string(),
    }
}

impl LaneWorker for Trainer {
    fn describe(&mut self, greeting: &Greeting) -> Result<Description, String> {
        self.arithmetic = greeting.device.parse()?;
        self.library = Library::new(greeting.data.as_ref().map(PathBuf::from));
        Ok(description(&self.arithmetic))
    }

    fn measure(&mut self, parameters: &Parameters) -> Result<Length, Refusal> {
        let config = Config::read(parameters)?;
        let dataset = self.dataset(&config)?;
        let horizon = config.horizon(dataset.n_train())?;
        let model = model(&config, &dataset)?;
        Ok(Length {
            steps: horizon.steps,
            steps_per_epoch: horizon.steps_per_epoch,
            data: dataset.digest.clone(),
            lanes: self.arithmetic.lanes(&model) as u32,
        })
    }

    fn run_lanes<'a>(&mut self, first: Attempt<'a>, arrivals: &mut Arrivals<'a>) {
        lanes::run(self, first, arrivals);
    }
}
