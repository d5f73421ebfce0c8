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

use super::{Judged, Network, Step, Update, failure::Failure};
use crate::{
    data::Samples,
    model::{Architecture, Model},
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

/// Outputs of the first layer that are computed at once, over lanes: as many as fill the registers.
const AT_ONCE: usize = 128;

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
    /// The first layer's outputs of several lanes, the gradient by them, and its sum over the samples.
    beside: [Vec<f32>; 3],
    panels: [Panel; 2],
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
            beside: Default::default(),
            panels: Default::default(),
        }
    }

    /// Looks at the samples that the lanes have in common.
    fn see(&mut self, samples: &Samples, batch: &[usize]) {
        self.labels.clear();
        self.labels.extend(batch.iter().map(|&sample| samples.label(sample)));
        if let Front::Inked(inked) = &mut self.front {
            inked.fill(samples, batch);
        }
    }

    /// How many lanes of these the front takes at once.
    fn n_at_once(&self, weights: &[Vec<f32>]) -> usize {
        match self.front {
            Front::Inked(_) => (AT_ONCE / weights[1].len()).max(1),
            Front::Convolutions(_) => 1,
        }
    }

    /// The first layer's outputs of some lanes, side by side, for samples that were seen.
    fn forward_front(&mut self, lanes: &[&[Vec<f32>]], samples: &Samples, batch: &[usize]) {
        let [outputs, ..] = &mut self.beside;
        match &mut self.front {
            Front::Inked(inked) => {
                outputs.resize(batch.len() * lanes.len() * lanes[0][1].len(), 0.0);
                inked.forward(outputs, lanes, &mut self.panels[0]);
            }
            Front::Convolutions(convolutions) => {
                outputs.resize(batch.len() * lenet::OUTPUTS, 0.0);
                convolutions.forward(outputs, lanes[0], samples, batch);
            }
        }
    }

    /// One lane's logits, from what the front made.
    fn forward(&mut self, weights: &[Vec<f32>], lane: usize, n_lanes: usize) {
        slot::take(&mut self.beside[0], lane, n_lanes, self.labels.len(), &mut self.values[0]);
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let (before, after) = self.values.split_at_mut(index + 1);
            let (inputs, outputs) = (&mut before[index], &mut after[0]);
            let bias = &weights[layer.slot + 1];
            layer.inputs.reserve(self.labels.len());
            layer.outputs.reserve(self.labels.len());
            outputs.resize(self.labels.len() * bias.len(), 0.0);
            slot::rectify(inputs);
            let weights = layer.weights.of(&weights[layer.slot]);
            let (inputs, panel) = (layer.inputs.of(inputs), &mut self.panels[0]);
            matrix::multiply(outputs, inputs, weights, Some(bias), panel);
        }
    }

    /// Updates the layers behind the front, from the gradient by the logits, which becomes that by the front's outputs;
    /// answers with the sum of the gradient's squares.
    fn descend(&mut self, update: &mut Update) -> f64 {
        let mut squares = 0.0;
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let gradient = layer.outputs.of(&self.gradient);
            let inputs = layer.inputs.of(&self.values[index]);
            let slot = Descent::new(update, layer.slot);
            self.gradient_before.resize(self.values[index].len(), 0.0);
            let weights = layer.weights.of(slot.weights).transposed();
            let panel = &mut self.panels[0];
            matrix::multiply(&mut self.gradient_before, gradient, weights, None, panel);
            slot::mask(&mut self.gradient_before, &self.values[index]);
            self.slot_gradient.resize(slot.len(), 0.0);
            matrix::multiply(&mut self.slot_gradient, inputs.transposed(), gradient, None, panel);
            squares += slot.descend_all(&self.slot_gradient);
            self.bias_gradient.resize(gradient.columns.len(), 0.0);
            slot::sum_rows(&self.gradient, &mut self.bias_gradient);
            squares += Descent::new(update, layer.slot + 1).descend_all(&self.bias_gradient);
            std::mem::swap(&mut self.gradient, &mut self.gradient_before);
        }
        squares
    }

    /// Updates the front of some lanes, whose gradients by its outputs are side by side; adds to each lane's sum of
    /// squares, which is absent where no update is made.
    fn descend_front(&mut self, lanes: &mut [Update], squares: &mut [Option<f64>]) {
        let [_, gradient, sums] = &mut self.beside;
        match &mut self.front {
            Front::Inked(inked) => {
                sums.resize(gradient.len() / self.labels.len(), 0.0);
                slot::sum_rows(gradient, sums);
                let descents = lanes.iter_mut().zip(&*squares);
                let mut descents: Vec<_> = descents
                    .map(|(update, squares)| (squares.map(|_| Descent::new(update, 0)), 0.0))
                    .collect();
                inked.descend(gradient, sums, &mut descents, &mut self.panels);
                let by_weights: Vec<f64> = descents.into_iter().map(|(_, sum)| sum).collect();
                let biases = sums.chunks_exact(sums.len() / lanes.len());
                let lanes = lanes.iter_mut().zip(squares).zip(by_weights).zip(biases);
                for (((update, squares), by_weights), bias) in lanes {
                    if let Some(squares) = squares {
                        *squares += by_weights;
                        *squares += Descent::new(update, 1).descend_all(bias);
                    }
                }
            }
            Front::Convolutions(convolutions) => {
                let ([update], [Some(squares)]) = (lanes, squares) else { return };
                convolutions.backward(gradient, Descent::new(update, 2).weights);
                for slot in 0..4 {
                    convolutions.gradient(slot, &mut self.slot_gradient);
                    *squares += Descent::new(update, slot).descend_all(&self.slot_gradient);
                }
            }
        }
    }
}

impl Network for Fused {
    fn update_lanes(
        &mut self,
        lanes: &mut [Update],
        samples: &Samples,
        batch: &[usize],
    ) -> Result<Vec<Step>, Failure> {
        let mut steps = Vec::with_capacity(lanes.len());
        let Some(first) = lanes.first() else { return Ok(steps) };
        let n_at_once = self.n_at_once(&first.state.weights);
        self.see(samples, batch);
        for lanes in lanes.chunks_mut(n_at_once) {
            let weights: Vec<&[Vec<f32>]> =
                lanes.iter().map(|update| update.state.weights.as_slice()).collect();
            self.forward_front(&weights, samples, batch);
            let n_lanes = lanes.len();
            let mut squares = Vec::with_capacity(n_lanes);
            for (lane, update) in lanes.iter_mut().enumerate() {
                self.forward(&update.state.weights, lane, n_lanes);
                let n_outputs = self.values[0].len();
                let logits = self.values.last_mut().ok_or("a network without layers")?;
                let judged = loss::judge(logits, &self.labels);
                steps.push(Step { judged, gradient_norm: f64::NAN });
                std::mem::swap(&mut self.gradient, logits);
                squares.push(if judged.loss.is_finite() {
                    Some(self.descend(update))
                } else {
                    // Whatever stands there is not used.
                    self.gradient.resize(n_outputs, 0.0);
                    None
                });
                slot::give(&mut self.gradient, lane, n_lanes, batch.len(), &mut self.beside[1]);
            }
            self.descend_front(lanes, &mut squares);
            let begin = steps.len() - n_lanes;
            for (step, squares) in steps[begin..].iter_mut().zip(squares) {
                step.gradient_norm = squares.map_or(f64::NAN, f64::sqrt);
            }
        }
        Ok(steps)
    }

    fn evaluate(&mut self, weights: &[Vec<f32>], samples: &Samples) -> Result<Judged, Failure> {
        let mut sum = Judged::default();
        for first in (0..samples.len()).step_by(EVALUATED_AT_ONCE) {
            let end = samples.len().min(first + EVALUATED_AT_ONCE);
            let chunk: Vec<usize> = (first..end).collect();
            self.see(samples, &chunk);
            self.forward_front(&[weights], samples, &chunk);
            self.forward(weights, 0, 1);
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
    use crate::{state::State, worker::Trainer};

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
                    steps.push(
                        network
                            .update(Update { state: &mut state, rule, rate: 0.01 }, train, &batch)
                            .unwrap(),
                    );
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
