//! The training loop: one for all models. What it computes depends on the job and the state alone.

use std::sync::Arc;

use pleach_schedule::{duration::Horizon, plateau::Plateau, resolved::Resolved};

use crate::{
    average::Average,
    config::Config,
    data::Split,
    model::Model,
    network::{Arithmetic, Network, Step},
    optimizer::{Changing, Rule},
    random::{Purpose, Random},
    state::{State, Sums},
};

/// What to train, but for where to start and to end.
#[derive(Debug)]
pub struct Job {
    pub config: Config,
    pub split: Arc<Split>,
    pub model: Model,
    pub arithmetic: Arithmetic,
    pub rates: Rates,
    pub plateau: Option<Plateau>,
    /// The constants of `config.optimizer` that change from step to step.
    pub profiles: Vec<(Changing, Rates)>,
    pub seed: u64,
    pub horizon: Horizon,
}

#[derive(Debug)]
pub enum Rates {
    Profile(Resolved),
    /// One per step; the last one holds.
    Table(Vec<f64>),
}

impl Rates {
    pub(crate) fn at(&self, step: u64) -> f64 {
        match self {
            Self::Profile(resolved) => resolved.at(step),
            Self::Table(rates) => {
                let last = rates.len().saturating_sub(1);
                rates.get((step as usize).min(last)).copied().unwrap_or(0.0)
            }
        }
    }
}

/// Whoever watches training.
pub trait Observer {
    /// An evaluation after `step` updates.
    fn evaluated(&mut self, step: u64, metrics: Vec<(String, f64)>);

    /// An update was made, and the evaluation after it, if any. `state` may be written.
    fn stepped(&mut self, state: &State) -> Result<Flow, String>;
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Continue,
    Stop,
}

/// How training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    Stopped,
    /// The loss of a batch was not finite; the update was not made.
    Diverged,
}

/// Trains until `state` has made `end` updates.
pub fn train(
    job: &Job,
    state: &mut State,
    end: u64,
    observer: &mut dyn Observer,
) -> Result<End, String> {
    let mut network = job.arithmetic.network(&job.model);
    let mut order = Order { epoch: u64::MAX, samples: Vec::new() };
    while state.step < end {
        let batch = order.batch(job, state.step);
        let stepped = step(job, state, &mut *network, batch)
            .map_err(|error| format!("failed to compute a step: {error}"))?;
        if !stepped {
            return Ok(End::Diverged);
        }
        if job.is_evaluated_after(state.step) {
            let metrics = evaluate(job, state, &mut *network)
                .map_err(|error| format!("failed to evaluate: {error}"))?;
            observer.evaluated(state.step, metrics);
        }
        if observer.stepped(state)? == Flow::Stop && state.step < end {
            return Ok(End::Stopped);
        }
    }
    Ok(End::Done)
}

impl Job {
    /// Evaluations come at every multiple of `eval` and after the last step; a multiple between two steps counts for the
    /// later one.
    fn is_evaluated_after(&self, step: u64) -> bool {
        let every = self.config.eval.in_steps(self.horizon).max(1.0);
        step == self.horizon.steps
            || (step as f64 / every).floor() > ((step - 1) as f64 / every).floor()
    }

    /// The rule of the update with index `step`.
    fn rule(&self, step: u64) -> Rule {
        self.profiles.iter().fold(self.config.optimizer, |rule, (changing, profile)| {
            rule.with(*changing, profile.at(step)).unwrap_or(rule)
        })
    }

    fn rate(&self, state: &State) -> f64 {
        self.rates.at(state.step) * state.plateau.multiplier
    }
}

/// The order of the samples in the epoch at hand.
struct Order {
    epoch: u64,
    samples: Vec<usize>,
}

impl Order {
    fn batch(&mut self, job: &Job, step: u64) -> &[usize] {
        let epoch = step / job.horizon.steps_per_epoch;
        if self.epoch != epoch {
            self.epoch = epoch;
            self.samples = (0..job.split.train.len()).collect();
            Random::new(job.seed, Purpose::Shuffle { epoch }).shuffle(&mut self.samples);
        }
        let first = (step % job.horizon.steps_per_epoch) as usize * job.config.batch;
        let last = (first + job.config.batch).min(self.samples.len());
        &self.samples[first..last]
    }
}

/// Makes one update; `false` if the loss was not finite.
fn step(
    job: &Job,
    state: &mut State,
    network: &mut dyn Network,
    batch: &[usize],
) -> Result<bool, String> {
    let (rule, rate) = (job.rule(state.step), job.rate(state));
    let Step { judged, gradient_norm } =
        network.update(state, rule, rate, &job.split.train, batch)?;
    if !judged.loss.is_finite() {
        return Ok(false);
    }
    state.step += 1;
    let State { averaged, weights, .. } = state;
    job.config.average.learn(averaged, weights, state.step, job.horizon);
    let sums = &mut state.sums;
    sums.samples += batch.len() as u64;
    sums.correct += judged.correct;
    sums.loss += judged.loss;
    sums.steps += 1;
    sums.gradient_norm += gradient_norm;
    Ok(true)
}

/// All metrics, in alphabetical order; begins a new interval for the running means and lets the plateau rule see what it
/// watches: the validation loss unless it says otherwise, or without validation images the training loss.
fn evaluate(
    job: &Job,
    state: &mut State,
    network: &mut dyn Network,
) -> Result<Vec<(String, f64)>, String> {
    let Sums { samples, correct, loss, steps, gradient_norm } = std::mem::take(&mut state.sums);
    let n = samples.max(1) as f64;
    let mut metrics = vec![
        ("gradient_norm".to_owned(), gradient_norm / steps.max(1) as f64),
        // The rate of the update just made.
        ("learning_rate".to_owned(), job.rates.at(state.step - 1) * state.plateau.multiplier),
        ("train_accuracy".to_owned(), correct as f64 / n),
        ("train_loss".to_owned(), loss / n),
    ];
    for (changing, profile) in &job.profiles {
        metrics.push((changing.name().to_owned(), profile.at(state.step - 1)));
    }
    for (name, samples) in [("test", &job.split.test), ("val", &job.split.valid)] {
        if samples.is_empty() {
            continue;
        }
        let mut judge = |prefix: &str, weights: &[Vec<f32>]| {
            let sum = network.evaluate(weights, samples)?;
            let n = samples.len() as f64;
            metrics.push((format!("{prefix}{name}_accuracy"), sum.correct as f64 / n));
            metrics.push((format!("{prefix}{name}_loss"), sum.loss / n));
            Ok::<(), String>(())
        };
        judge("", &state.weights)?;
        if job.config.average != Average::None {
            let averaged = state.averaged.as_ref().map(|averaged| &averaged.weights);
            judge("avg_", averaged.unwrap_or(&state.weights))?;
        }
    }
    metrics.sort_by(|a, b| a.0.cmp(&b.0));
    if let Some(plateau) = &job.plateau {
        let watched = match &plateau.monitor {
            Some(monitor) => monitor.metric.as_str(),
            None if job.split.valid.is_empty() => "train_loss",
            None => "val_loss",
        };
        if let Some((_, value)) = metrics.iter().find(|(name, _)| name == watched) {
            plateau.observe(&mut state.plateau, *value);
        }
    }
    Ok(metrics)
}
