//! The reference: a step in Candle's operations, with its gradients, on a CPU or a GPU. Weights and the optimizer's state are
//! in the CPU's memory: the update is the same code everywhere.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor, Var};

use super::{Judged, Network, Step, Update, convolution, cuda::Card, failure::Failure};
use crate::{
    data::Samples,
    model::{Architecture, Model},
    optimizer::moments,
};

/// Samples that are evaluated at once.
const EVALUATED_AT_ONCE: usize = 1000;

#[derive(Debug)]
pub struct Reference {
    model: Model,
    /// Where it computes, if not on the CPU.
    card: Option<Arc<Card>>,
}

impl Reference {
    pub fn new(model: &Model, card: Option<Arc<Card>>) -> Self {
        Self { model: model.clone(), card }
    }

    fn device(&self) -> &Device {
        self.card.as_deref().map_or(&Device::Cpu, Card::device)
    }

    /// Says of which GPU something failed, and how full that is.
    fn failure(&self, error: candle_core::Error) -> Failure {
        let failure = Failure::from(error);
        match &self.card {
            Some(card) => failure.told(|why| format!("{why}; {}", card.describe())),
            None => failure,
        }
    }

    /// Weights as Candle variables: (inputs, outputs), a convolution's inputs being those of its window.
    fn variables(&self, weights: &[Vec<f32>]) -> Result<Vec<Var>> {
        let slots = self.model.slots.iter().zip(weights);
        slots
            .map(|(slot, weights)| {
                let outputs = slot.shape[0];
                match slot.shape.len() {
                    1 => Var::from_slice(weights, outputs, self.device()),
                    _ => {
                        Var::from_slice(weights, (weights.len() / outputs, outputs), self.device())
                    }
                }
            })
            .collect()
    }

    /// Logits of some lanes, of shape (lanes, samples, classes), for inputs of shape (samples, rows × columns). Each lane's are
    /// those of its own variables; dense layers of all are multiplied together.
    fn forward(&self, lanes: &[Vec<Var>], inputs: &Tensor) -> Result<Tensor> {
        let samples = inputs.dim(0)?;
        let fronts = lanes.iter().map(|variables| match self.model.architecture {
            Architecture::Mlp { .. } => Ok(inputs.clone()),
            Architecture::Lenet => {
                let images = inputs.reshape((samples, 28, 28, 1))?;
                // The largest of four is the same before and after ReLU, which has less to do afterwards.
                let images = convolution::convolve(&images, &variables[0], &variables[1], 2)?;
                let images = convolution::max_pool(&images)?.relu()?;
                let images = convolution::convolve(&images, &variables[2], &variables[3], 0)?;
                let images = convolution::max_pool(&images)?.relu()?;
                images.reshape((samples, ()))
            }
        });
        let mut values = Tensor::stack(&fronts.collect::<Result<Vec<_>>>()?, 0)?;
        let first = match self.model.architecture {
            Architecture::Mlp { .. } => 0,
            Architecture::Lenet => 2,
        };
        let n_layers = self.model.slots.len() / 2;
        let all = |slot: usize| {
            let slots: Vec<&Tensor> =
                lanes.iter().map(|variables| variables[slot].as_tensor()).collect();
            Tensor::stack(&slots, 0)
        };
        for index in first..n_layers {
            values = values.matmul(&all(2 * index)?)?;
            values = values.broadcast_add(&all(2 * index + 1)?.unsqueeze(1)?)?;
            if index + 1 < n_layers {
                values = values.relu()?;
            }
        }
        Ok(values)
    }

    /// Updates all lanes, or none if it fails.
    fn try_update(
        &self,
        lanes: &mut [Update],
        samples: &Samples,
        batch: &[usize],
    ) -> Result<Vec<Step>> {
        let (inputs, labels) = gather(samples, batch, self.device())?;
        let variables = lanes.iter().map(|update| self.variables(&update.state.weights));
        let variables = variables.collect::<Result<Vec<_>>>()?;
        let logits = self.forward(&variables, &inputs)?;
        let (judged, gradient) = judge(&logits, &labels)?;
        // The loss and its gradient by the logits are computed by hand; this product has that gradient.
        let gradients = (logits * gradient)?.sum_all()?.backward()?;
        let numbers = |variable| {
            let gradient = gradients.get(variable);
            gradient.map(|it| it.flatten_all()?.to_vec1::<f32>()).transpose()
        };
        let all =
            variables.iter().map(|lane| lane.iter().map(|it| numbers(it.as_tensor())).collect());
        let all = all.collect::<Result<Vec<Vec<_>>>>()?;
        let steps = lanes.iter_mut().zip(judged).zip(all).map(|((update, judged), gradients)| {
            if !judged.loss.is_finite() {
                return Step { judged, gradient_norm: f64::NAN };
            }
            let Update { state, rule, rate } = update;
            let mut squares = 0.0;
            for (index, gradient) in gradients.into_iter().enumerate() {
                let Some(gradient) = gradient else { continue };
                squares += gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>();
                let moments = moments(&mut state.optimizer[index], 0..gradient.len());
                rule.update(state.step, *rate, &mut state.weights[index], &gradient, moments);
            }
            Step { judged, gradient_norm: squares.sqrt() }
        });
        Ok(steps.collect())
    }

    fn try_evaluate(&self, weights: &[Vec<f32>], samples: &Samples) -> Result<Judged> {
        let variables = [self.variables(weights)?];
        let mut sum = Judged::default();
        let all: Vec<usize> = (0..samples.len()).collect();
        for chunk in all.chunks(EVALUATED_AT_ONCE) {
            let (inputs, labels) = gather(samples, chunk, self.device())?;
            let (judged, _) = judge(&self.forward(&variables, &inputs)?, &labels)?;
            sum.loss += judged.iter().map(|judged| judged.loss).sum::<f64>();
            sum.correct += judged.iter().map(|judged| judged.correct).sum::<u64>();
        }
        Ok(sum)
    }
}

impl Network for Reference {
    fn update_lanes(
        &mut self,
        lanes: &mut [Update],
        samples: &Samples,
        batch: &[usize],
    ) -> std::result::Result<Vec<Step>, Failure> {
        let failure = match self.try_update(lanes, samples, batch) {
            Ok(steps) => return Ok(steps),
            Err(error) => self.failure(error),
        };
        match failure {
            // There may be enough for one at a time.
            Failure::OutOfMemory(_) if 1 < lanes.len() => {
                let mut steps = Vec::with_capacity(lanes.len());
                for lane in lanes.chunks_mut(1) {
                    steps.extend(self.update_lanes(lane, samples, batch)?);
                }
                Ok(steps)
            }
            failure => Err(failure),
        }
    }

    fn evaluate(
        &mut self,
        weights: &[Vec<f32>],
        samples: &Samples,
    ) -> std::result::Result<Judged, Failure> {
        self.try_evaluate(weights, samples).map_err(|error| self.failure(error))
    }
}

fn gather(samples: &Samples, indices: &[usize], device: &Device) -> Result<(Tensor, Vec<usize>)> {
    let mut inputs = Vec::with_capacity(indices.len() * samples.sample_len);
    for &index in indices {
        inputs.extend(samples.inputs(index));
    }
    let labels = indices.iter().map(|&index| samples.label(index)).collect();
    Ok((Tensor::from_vec(inputs, (indices.len(), samples.sample_len), device)?, labels))
}

/// For logits of shape (lanes, samples, classes): the loss of each lane against the labels, and the gradient of its mean.
fn judge(logits: &Tensor, labels: &[usize]) -> Result<(Vec<Judged>, Tensor)> {
    let (n_lanes, n_samples, n_classes) = logits.dims3()?;
    let mut rows = logits.detach().flatten_all()?.to_vec1::<f32>()?;
    let mut all = vec![Judged::default(); n_lanes];
    for (lane, judged) in rows.chunks_exact_mut(n_samples * n_classes).zip(&mut all) {
        for (row, &label) in lane.chunks_exact_mut(n_classes).zip(labels) {
            let best = (1..row.len())
                .fold(0, |best, class| if row[best] < row[class] { class } else { best });
            let largest = row[best];
            let sum: f32 = row.iter().map(|logit| (logit - largest).exp()).sum();
            judged.loss += f64::from(sum.ln() + largest - row[label]);
            judged.correct += u64::from(best == label);
            for (class, logit) in row.iter_mut().enumerate() {
                let probability = (*logit - largest).exp() / sum;
                *logit = (probability - f32::from(u8::from(class == label))) / n_samples as f32;
            }
        }
    }
    Ok((all, Tensor::from_vec(rows, logits.shape(), logits.device())?))
}
