//! The training loop: one for all models. What it computes depends on the job and the state alone.

use std::sync::Arc;

use pleach_schedule::{duration::Horizon, plateau::Plateau, resolved::Resolved};

use crate::{
    average::Average,
    config::Config,
    data::Split,
    model::Model,
    network::{Arithmetic, MAX_LANES, Network, Step, Update, failure::Failure},
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
    fn stepped(&mut self, state: &State) -> Result<Flow, Failure>;
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

/// One training among those that go on side by side.
pub struct Lane<'a> {
    pub job: &'a Job,
    pub state: &'a mut State,
    /// Before which step it ends.
    pub end: u64,
    pub observer: &'a mut dyn Observer,
}

/// Trains until `state` has made `end` updates.
pub fn train(
    job: &Job,
    state: &mut State,
    end: u64,
    observer: &mut dyn Observer,
) -> Result<End, Failure> {
    let mut common = Common::new(job);
    while state.step < end {
        let lane = Lane { job, state: &mut *state, end, observer: &mut *observer };
        if let Some(ended) = common.step(&mut [lane]).into_iter().flatten().next() {
            return ended;
        }
    }
    Ok(End::Done)
}

/// What lanes have in common. They are of one shape ([`Config::has_shape_of`]).
pub struct Common {
    network: Box<dyn Network>,
    /// One for each seed, the newest last.
    orders: Vec<Order>,
}

/// So many orders are kept: one for each lane.
const ORDERS: usize = MAX_LANES;

impl Common {
    /// For lanes of the shape of `job`.
    pub fn new(job: &Job) -> Self {
        Self { network: job.arithmetic.network(&job.model), orders: Vec::new() }
    }

    /// Makes one step in each of some lanes, all of one seed and at the same step before their ends, so that they see the
    /// same samples. Says of each how it has ended, if it has.
    pub fn step(&mut self, lanes: &mut [Lane]) -> Vec<Option<Result<End, Failure>>> {
        let Some(Lane { job, state, .. }) = lanes.first() else { return Vec::new() };
        let (job, step) = (*job, state.step);
        let batch = batch(&mut self.orders, job, step);
        let mut updates: Vec<Update> = lanes.iter_mut().map(Lane::update).collect();
        let steps = self.network.update_lanes(&mut updates, &job.split.train, batch);
        match steps {
            Ok(steps) => {
                let ends = lanes.iter_mut().zip(steps);
                ends.map(|(lane, step)| lane.after(&step, batch.len(), &mut *self.network))
                    .collect()
            }
            Err(error) => {
                let error = error.told(|why| format!("failed to compute a step: {why}"));
                lanes.iter().map(|_| Some(Err(error.clone()))).collect()
            }
        }
    }
}

impl Lane<'_> {
    fn update(&mut self) -> Update<'_> {
        let (rule, rate) = (self.job.rule(self.state.step), self.job.rate(self.state));
        Update { state: self.state, rule, rate }
    }

    /// What follows an update, if it was made: how the lane ends by it.
    fn after(
        &mut self,
        Step { judged, gradient_norm }: &Step,
        n_samples: usize,
        network: &mut dyn Network,
    ) -> Option<Result<End, Failure>> {
        let Self { job, state, end, observer } = self;
        if !judged.loss.is_finite() {
            return Some(Ok(End::Diverged));
        }
        state.step += 1;
        let State { step, averaged, weights, sums, .. } = &mut **state;
        job.config.average.learn(averaged, weights, *step, job.horizon);
        sums.samples += n_samples as u64;
        sums.correct += judged.correct;
        sums.loss += judged.loss;
        sums.steps += 1;
        sums.gradient_norm += gradient_norm;
        if job.is_evaluated_after(state.step) {
            match evaluate(job, state, network) {
                Ok(metrics) => observer.evaluated(state.step, metrics),
                Err(error) => {
                    return Some(Err(error.told(|why| format!("failed to evaluate: {why}"))));
                }
            }
        }
        match observer.stepped(state) {
            Err(error) => Some(Err(error)),
            Ok(_) if state.step == *end => Some(Ok(End::Done)),
            Ok(Flow::Stop) => Some(Ok(End::Stopped)),
            Ok(Flow::Continue) => None,
        }
    }
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

/// The order of the samples in an epoch.
struct Order {
    seed: u64,
    epoch: u64,
    samples: Vec<usize>,
}

/// The samples of a step.
fn batch<'a>(orders: &'a mut Vec<Order>, job: &Job, step: u64) -> &'a [usize] {
    let (seed, epoch) = (job.seed, step / job.horizon.steps_per_epoch);
    let index = orders.iter().position(|order| order.seed == seed).unwrap_or_else(|| {
        if orders.len() == ORDERS {
            orders.remove(0);
        }
        orders.push(Order { seed, epoch: u64::MAX, samples: Vec::new() });
        orders.len() - 1
    });
    let order = &mut orders[index];
    if order.epoch != epoch {
        order.epoch = epoch;
        order.samples = (0..job.split.train.len()).collect();
        Random::new(seed, Purpose::Shuffle { epoch }).shuffle(&mut order.samples);
    }
    let first = (step % job.horizon.steps_per_epoch) as usize * job.config.batch;
    let last = (first + job.config.batch).min(order.samples.len());
    &order.samples[first..last]
}

/// All metrics, in alphabetical order; begins a new interval for the running means and lets the plateau rule see what it
/// watches: the validation loss unless it says otherwise, or without validation images the training loss.
fn evaluate(
    job: &Job,
    state: &mut State,
    network: &mut dyn Network,
) -> Result<Vec<(String, f64)>, Failure> {
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
            Ok::<(), Failure>(())
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
