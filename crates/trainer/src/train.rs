//! The training loop: one for all models. What it computes depends on the job and the state alone.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor};
use pleach_schedule::{duration::Horizon, plateau::Plateau, resolved::Resolved};

use crate::{
    config::Config,
    data::{Samples, Split},
    model::Model,
    random::{Purpose, Random},
    state::{State, Sums},
};

/// Samples that are evaluated at once.
const EVALUATED_AT_ONCE: usize = 1000;

/// What to train, but for where to start and to end.
#[derive(Debug)]
pub struct Job {
    pub config: Config,
    pub split: Arc<Split>,
    pub model: Model,
    pub rates: Rates,
    pub plateau: Option<Plateau>,
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
    fn at(&self, step: u64) -> f64 {
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
    fn stepped(&mut self, state: &State) -> std::result::Result<Flow, String>;
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
) -> std::result::Result<End, String> {
    let mut order = Order { epoch: u64::MAX, samples: Vec::new() };
    while state.step < end {
        let batch = order.batch(job, state.step);
        let stepped = step(job, state, &batch)
            .map_err(|error| format!("failed to compute a step: {error}"))?;
        if !stepped {
            return Ok(End::Diverged);
        }
        if job.is_evaluated_after(state.step) {
            let metrics =
                evaluate(job, state).map_err(|error| format!("failed to evaluate: {error}"))?;
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
    fn batch(&mut self, job: &Job, step: u64) -> Vec<usize> {
        let epoch = step / job.horizon.steps_per_epoch;
        if self.epoch != epoch {
            self.epoch = epoch;
            self.samples = (0..job.split.train.len()).collect();
            Random::new(job.seed, Purpose::Shuffle { epoch }).shuffle(&mut self.samples);
        }
        let first = (step % job.horizon.steps_per_epoch) as usize * job.config.batch;
        let last = (first + job.config.batch).min(self.samples.len());
        self.samples[first..last].to_vec()
    }
}

/// Makes one update; `false` if the loss was not finite.
fn step(job: &Job, state: &mut State, batch: &[usize]) -> Result<bool> {
    let (inputs, labels) = gather(&job.split.train, job.split.sample_len, batch)?;
    let variables = job.model.variables(&state.weights)?;
    let logits = job.model.forward(&variables, &inputs)?;
    let (judged, gradient) = judge(&logits, &labels)?;
    if !judged.loss.is_finite() {
        return Ok(false);
    }
    // The loss and its gradient by the logits are computed by hand; this product has that gradient.
    let gradients = (logits * gradient)?.sum_all()?.backward()?;
    let rate = job.rate(state);
    let mut squared_norm = 0.0;
    for (index, variable) in variables.iter().enumerate() {
        let Some(gradient) = gradients.get(variable) else { continue };
        let gradient = gradient.flatten_all()?.to_vec1::<f32>()?;
        squared_norm += gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>();
        let (weights, optimizer) = (&mut state.weights[index], &mut state.optimizer[index]);
        job.config.optimizer.update(state.step, rate, weights, &gradient, optimizer);
    }
    state.step += 1;
    let sums = &mut state.sums;
    sums.samples += labels.len() as u64;
    sums.correct += judged.correct;
    sums.loss += judged.loss;
    sums.steps += 1;
    sums.gradient_norm += squared_norm.sqrt();
    Ok(true)
}

fn gather(samples: &Samples, sample_len: usize, indices: &[usize]) -> Result<(Tensor, Vec<u8>)> {
    let mut inputs = Vec::with_capacity(indices.len() * sample_len);
    for &index in indices {
        inputs.extend_from_slice(&samples.inputs[index * sample_len..(index + 1) * sample_len]);
    }
    let labels = indices.iter().map(|&index| samples.labels[index]).collect();
    Ok((Tensor::from_vec(inputs, (indices.len(), sample_len), &Device::Cpu)?, labels))
}

/// Cross-entropy of some samples, summed, and how many of them are right.
#[derive(Clone, Copy, Debug, Default)]
struct Judged {
    loss: f64,
    correct: u64,
}

/// The loss of each row of logits against its label, and the gradient of their mean.
fn judge(logits: &Tensor, labels: &[u8]) -> Result<(Judged, Tensor)> {
    let (n_samples, n_classes) = logits.dims2()?;
    let mut rows = logits.detach().flatten_all()?.to_vec1::<f32>()?;
    let mut judged = Judged::default();
    for (row, &label) in rows.chunks_exact_mut(n_classes).zip(labels) {
        let label = usize::from(label);
        let best =
            (1..row.len()).fold(0, |best, class| if row[best] < row[class] { class } else { best });
        let largest = row[best];
        let sum: f32 = row.iter().map(|logit| (logit - largest).exp()).sum();
        judged.loss += f64::from(sum.ln() + largest - row[label]);
        judged.correct += u64::from(best == label);
        for (class, logit) in row.iter_mut().enumerate() {
            let probability = (*logit - largest).exp() / sum;
            *logit = (probability - f32::from(u8::from(class == label))) / n_samples as f32;
        }
    }
    Ok((judged, Tensor::from_vec(rows, (n_samples, n_classes), &Device::Cpu)?))
}

/// All metrics, in alphabetical order; begins a new interval for the running means and lets the plateau rule see what it
/// watches: the validation loss unless it says otherwise, or without validation images the training loss.
fn evaluate(job: &Job, state: &mut State) -> Result<Vec<(String, f64)>> {
    let Sums { samples, correct, loss, steps, gradient_norm } = std::mem::take(&mut state.sums);
    let n = samples.max(1) as f64;
    let mut metrics = vec![
        ("gradient_norm".to_owned(), gradient_norm / steps.max(1) as f64),
        // The rate of the update just made.
        ("learning_rate".to_owned(), job.rates.at(state.step - 1) * state.plateau.multiplier),
        ("train_accuracy".to_owned(), correct as f64 / n),
        ("train_loss".to_owned(), loss / n),
    ];
    let variables = job.model.variables(&state.weights)?;
    for (name, samples) in [("test", &job.split.test), ("val", &job.split.valid)] {
        if samples.is_empty() {
            continue;
        }
        let mut sum = Judged::default();
        for chunk in (0..samples.len()).collect::<Vec<_>>().chunks(EVALUATED_AT_ONCE) {
            let (inputs, labels) = gather(samples, job.split.sample_len, chunk)?;
            let (judged, _) = judge(&job.model.forward(&variables, &inputs)?, &labels)?;
            sum.loss += judged.loss;
            sum.correct += judged.correct;
        }
        let n = samples.len() as f64;
        metrics.push((format!("{name}_accuracy"), sum.correct as f64 / n));
        metrics.push((format!("{name}_loss"), sum.loss / n));
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
