//! Training on one CPU core with nothing but the arithmetic: buffers are made once, sums end where they are used, and an
//! update follows its gradient while both are in cache.
//!
//! Every number is defined by a formula whose order of operations is fixed: a chain of fused multiplications and additions
//! over the inputs of a unit, the places of a window or the samples of a batch, from first to last. Vectors hold
//! different numbers, never parts of one sum, so that their width, which differs between machines, cannot be seen; nor
//! can a sample's place in its batch, or anything that runs beside.

#![expect(
    clippy::inline_always,
    reason = "what is inlined is compiled for the vectors that its caller is compiled for"
)]

use pulp::Arch;

use super::{Judged, Network, Step};
use crate::{
    data::Samples,
    model::{Architecture, Model},
    optimizer::Rule,
    state::State,
};
use matrix::{Panel, Table};
use slot::Descent;

mod inked;
mod lenet;
mod loss;
mod matrix;
mod slot;

/// Samples that are evaluated at once.
const EVALUATED_AT_ONCE: usize = 250;

/// The widest vectors that there are here.
fn vectors() -> Arch {
    #[cfg(test)]
    if let Some(narrower) = tests::NARROWER.get() {
        return narrower;
    }
    Arch::new()
}

#[derive(Debug)]
pub struct Fused {
    front: Front,
    layers: Vec<Layer>,
    /// What each layer sees, sample by sample, and last the logits.
    values: Vec<Vec<f32>>,
    labels: Vec<usize>,
    /// By the values at hand, and by those before them.
    gradient: Vec<f32>,
    gradient_before: Vec<f32>,
    /// By one slot's weights, and by one bias.
    slot_gradient: Vec<f32>,
    bias_gradient: Vec<f32>,
    panel: Panel,
}

/// What sees the pixels.
#[derive(Debug)]
enum Front {
    /// A fully connected layer.
    Inked(inked::Batch),
    /// Two convolutions with their pooling.
    Convolutions(Box<lenet::Convolutions>),
}

/// A fully connected layer behind the front.
#[derive(Debug)]
struct Layer {
    /// Index of its weights' slot; the bias follows.
    slot: usize,
    weights: Table,
    inputs: Table,
    outputs: Table,
}

impl Fused {
    pub fn new(model: &Model) -> Self {
        let (front, first) = match model.architecture {
            Architecture::Mlp { .. } => (Front::Inked(inked::Batch::default()), 2),
            Architecture::Lenet => (Front::Convolutions(Box::default()), 4),
        };
        let layer = |slot: usize| {
            let n_outputs = model.slots[slot + 1].count();
            let n_inputs = model.slots[slot].count() / n_outputs;
            Layer {
                slot,
                weights: Table::new(n_inputs, n_outputs),
                inputs: Table::new(0, n_inputs),
                outputs: Table::new(0, n_outputs),
            }
        };
        let layers: Vec<Layer> = (first..model.slots.len()).step_by(2).map(layer).collect();
        Self {
            front,
            values: vec![Vec::new(); layers.len() + 1],
            layers,
            labels: Vec::new(),
            gradient: Vec::new(),
            gradient_before: Vec::new(),
            slot_gradient: Vec::new(),
            bias_gradient: Vec::new(),
            panel: Panel::default(),
        }
    }

    /// From pixels to logits.
    fn forward(&mut self, weights: &[Vec<f32>], samples: &Samples, batch: &[usize]) {
        self.labels.clear();
        self.labels.extend(batch.iter().map(|&sample| samples.label(sample)));
        match &mut self.front {
            Front::Inked(inked) => {
                let (weights, bias) = (&weights[0], &weights[1]);
                self.values[0].resize(batch.len() * bias.len(), 0.0);
                inked.fill(samples, batch);
                inked.forward(&mut self.values[0], weights, bias, &mut self.panel);
            }
            Front::Convolutions(convolutions) => {
                self.values[0].resize(batch.len() * lenet::OUTPUTS, 0.0);
                convolutions.forward(&mut self.values[0], weights, samples, batch);
            }
        }
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let (before, after) = self.values.split_at_mut(index + 1);
            let (inputs, outputs) = (&mut before[index], &mut after[0]);
            let bias = &weights[layer.slot + 1];
            layer.inputs.reserve(batch.len());
            layer.outputs.reserve(batch.len());
            outputs.resize(batch.len() * bias.len(), 0.0);
            slot::rectify(inputs);
            let weights = layer.weights.of(&weights[layer.slot]);
            matrix::multiply(
                outputs,
                layer.inputs.of(inputs),
                weights,
                Some(bias),
                &mut self.panel,
            );
        }
    }

    /// Updates everything, from the gradient by the logits; answers with the sum of the gradient's squares.
    fn descend(&mut self, state: &mut State, rule: Rule, rate: f64, batch: &[usize]) -> f64 {
        let mut squares = 0.0;
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let gradient = layer.outputs.of(&self.gradient);
            let inputs = layer.inputs.of(&self.values[index]);
            let slot = Descent::new(state, layer.slot, rule, rate);
            self.gradient_before.resize(batch.len() * inputs.columns.len(), 0.0);
            let weights = layer.weights.of(slot.weights).transposed();
            matrix::multiply(&mut self.gradient_before, gradient, weights, None, &mut self.panel);
            slot::mask(&mut self.gradient_before, &self.values[index]);
            self.slot_gradient.resize(slot.len(), 0.0);
            let (by_weights, panel) = (&mut self.slot_gradient, &mut self.panel);
            matrix::multiply(by_weights, inputs.transposed(), gradient, None, panel);
            squares += slot.descend_all(&self.slot_gradient);
            self.bias_gradient.resize(gradient.columns.len(), 0.0);
            slot::sum_rows(&self.gradient, &mut self.bias_gradient);
            squares +=
                Descent::new(state, layer.slot + 1, rule, rate).descend_all(&self.bias_gradient);
            std::mem::swap(&mut self.gradient, &mut self.gradient_before);
        }
        match &mut self.front {
            Front::Inked(inked) => {
                self.bias_gradient.resize(self.gradient.len() / batch.len(), 0.0);
                slot::sum_rows(&self.gradient, &mut self.bias_gradient);
                let first = Descent::new(state, 0, rule, rate);
                squares +=
                    inked.descend(&self.gradient, &self.bias_gradient, first, &mut self.panel);
                squares + Descent::new(state, 1, rule, rate).descend_all(&self.bias_gradient)
            }
            Front::Convolutions(convolutions) => {
                convolutions.backward(&self.gradient, Descent::new(state, 2, rule, rate).weights);
                for slot in 0..4 {
                    convolutions.gradient(slot, &mut self.slot_gradient);
                    let descent = Descent::new(state, slot, rule, rate);
                    squares += descent.descend_all(&self.slot_gradient);
                }
                squares
            }
        }
    }
}

impl Network for Fused {
    fn update(
        &mut self,
        state: &mut State,
        rule: Rule,
        rate: f64,
        samples: &Samples,
        batch: &[usize],
    ) -> Result<Step, String> {
        self.forward(&state.weights, samples, batch);
        let logits = self.values.last_mut().ok_or("a network without layers")?;
        let judged = loss::judge(logits, &self.labels);
        if !judged.loss.is_finite() {
            return Ok(Step { judged, gradient_norm: f64::NAN });
        }
        std::mem::swap(&mut self.gradient, logits);
        let squares = self.descend(state, rule, rate, batch);
        Ok(Step { judged, gradient_norm: squares.sqrt() })
    }

    fn evaluate(&mut self, weights: &[Vec<f32>], samples: &Samples) -> Result<Judged, String> {
        let mut sum = Judged::default();
        for first in (0..samples.len()).step_by(EVALUATED_AT_ONCE) {
            let end = samples.len().min(first + EVALUATED_AT_ONCE);
            let chunk: Vec<usize> = (first..end).collect();
            self.forward(weights, samples, &chunk);
            let logits = self.values.last_mut().ok_or("a network without layers")?;
            let judged = loss::judge(logits, &self.labels);
            sum.loss += judged.loss;
            sum.correct += judged.correct;
        }
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use pleach_protocol::message::Schedule;

    use super::*;
    use crate::worker::Trainer;

    thread_local! {
        pub(super) static NARROWER: Cell<Option<Arch>> = const { Cell::new(None) };
    }

    #[test]
    fn the_width_of_the_vectors_cannot_be_seen_in_the_result() {
        let mut trainer = Trainer::default();
        for model in ["linear", "mlp-37-11", "mlp-130", "lenet"] {
            let parameters = [("model", model), ("optimizer", "adam")];
            let parameters = parameters.map(|(name, value)| (name.to_owned(), value.into()));
            let schedule = Schedule::Table(vec![0.01]);
            let job = trainer.job(&parameters.into(), Some(&schedule), &[].into(), 1).unwrap();
            let train = |arch| {
                NARROWER.set(arch);
                let mut network = Fused::new(&job.model);
                let rule = job.config.optimizer;
                let mut state = State::new(&job.model, rule, job.config.init, 1);
                let mut steps = Vec::new();
                for batch in [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]] {
                    let train = &job.split.train;
                    steps.push(network.update(&mut state, rule, 0.01, train, &batch).unwrap());
                    state.step += 1;
                }
                (steps, state)
            };
            let widest = train(None);
            let mut narrower = vec![Arch::Scalar];
            #[cfg(target_arch = "x86_64")]
            narrower.extend(pulp::x86::V3::try_new().map(Arch::V3));
            for arch in narrower {
                assert!(train(Some(arch)) == widest, "{model}");
            }
        }
    }
}
