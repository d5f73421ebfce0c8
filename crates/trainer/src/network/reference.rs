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

    /// Logits, of shape (samples, classes), for inputs of shape (samples, rows × columns).
    fn forward(&self, variables: &[Var], inputs: &Tensor) -> Result<Tensor> {
        let n_layers = variables.len() / 2;
        let (mut values, first) = match self.model.architecture {
            Architecture::Mlp { .. } => (inputs.clone(), 0),
            Architecture::Lenet => {
                let samples = inputs.dim(0)?;
                let images = inputs.reshape((samples, 28, 28, 1))?;
                // The largest of four is the same before and after ReLU, which has less to do afterwards.
                let images = convolution::convolve(&images, &variables[0], &variables[1], 2)?;
                let images = convolution::max_pool(&images)?.relu()?;
                let images = convolution::convolve(&images, &variables[2], &variables[3], 0)?;
                let images = convolution::max_pool(&images)?.relu()?;
                (images.reshape((samples, ()))?, 2)
            }
        };
        for index in first..n_layers {
            values = values.matmul(&variables[2 * index])?;
            values = values.broadcast_add(&variables[2 * index + 1])?;
            if index + 1 < n_layers {
                values = values.relu()?;
            }
        }
        Ok(values)
    }

    fn try_update(&self, update: &mut Update, samples: &Samples, batch: &[usize]) -> Result<Step> {
        let Update { state, rule, rate } = update;
        let (inputs, labels) = gather(samples, batch, self.device())?;
        let variables = self.variables(&state.weights)?;
        let logits = self.forward(&variables, &inputs)?;
        let (judged, gradient) = judge(&logits, &labels)?;
        if !judged.loss.is_finite() {
            return Ok(Step { judged, gradient_norm: f64::NAN });
        }
        // The loss and its gradient by the logits are computed by hand; this product has that gradient.
        let gradients = (logits * gradient)?.sum_all()?.backward()?;
        let mut squares = 0.0;
        for (index, variable) in variables.iter().enumerate() {
            let Some(gradient) = gradients.get(variable) else { continue };
            let gradient = gradient.flatten_all()?.to_vec1::<f32>()?;
            squares += gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>();
            let moments = moments(&mut state.optimizer[index], 0..gradient.len());
            rule.update(state.step, *rate, &mut state.weights[index], &gradient, moments);
        }
        Ok(Step { judged, gradient_norm: squares.sqrt() })
    }

    fn try_evaluate(&self, weights: &[Vec<f32>], samples: &Samples) -> Result<Judged> {
        let variables = self.variables(weights)?;
        let mut sum = Judged::default();
        let all: Vec<usize> = (0..samples.len()).collect();
        for chunk in all.chunks(EVALUATED_AT_ONCE) {
            let (inputs, labels) = gather(samples, chunk, self.device())?;
            let (judged, _) = judge(&self.forward(&variables, &inputs)?, &labels)?;
            sum.loss += judged.loss;
            sum.correct += judged.correct;
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
        let steps = lanes.iter_mut().map(|update| self.try_update(update, samples, batch));
        steps.collect::<Result<_>>().map_err(|error| self.failure(error))
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

/// The loss of each row of logits against its label, and the gradient of their mean.
fn judge(logits: &Tensor, labels: &[usize]) -> Result<(Judged, Tensor)> {
    let (n_samples, n_classes) = logits.dims2()?;
    let mut rows = logits.detach().flatten_all()?.to_vec1::<f32>()?;
    let mut judged = Judged::default();
    for (row, &label) in rows.chunks_exact_mut(n_classes).zip(labels) {
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
    Ok((judged, Tensor::from_vec(rows, (n_samples, n_classes), logits.device())?))
}
