//! Everything that decides how training goes on: what a checkpoint holds.

use pleach_schedule::plateau::PlateauState;
use sha2::{Digest, Sha256};

use crate::{average::Averaged, config::Init, hex, model::Model, optimizer::Rule};

#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Updates made. With the seed it is also the position in the data.
    pub step: u64,
    /// Slot by slot of the model.
    pub weights: Vec<Vec<f32>>,
    /// For each slot, one vector for each of the rule's state names.
    pub optimizer: Vec<Vec<Vec<f32>>>,
    /// Since the last evaluation.
    pub sums: Sums,
    pub plateau: PlateauState,
    /// Absent until an average of the weights begins.
    pub averaged: Option<Averaged>,
}

/// What running means are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    pub samples: u64,
    pub correct: u64,
    /// Of the samples.
    pub loss: f64,
    pub steps: u64,
    /// Of the steps' gradient norms.
    pub gradient_norm: f64,
}

impl State {
    /// Before the first update.
    pub fn new(model: &Model, rule: Rule, init: Init, seed: u64) -> Self {
        let weights = model.init(init, seed);
        let zeros = |weights: &Vec<f32>| vec![vec![0.0; weights.len()]; rule.state_names().len()];
        Self {
            step: 0,
            optimizer: weights.iter().map(zeros).collect(),
            weights,
            sums: Sums::default(),
            plateau: PlateauState::default(),
            averaged: None,
        }
    }

    /// SHA-256 of all of it, hexadecimal; independent of how it is filed.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.counters_text());
        let averaged = self.averaged.iter().flat_map(|averaged| &averaged.weights);
        for vector in self.weights.iter().chain(self.optimizer.iter().flatten()).chain(averaged) {
            hash.update((vector.len() as u64).to_le_bytes());
            let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
            hash.update(&bytes);
        }
        hex(&hash.finalize())
    }

    /// Everything but the tensors, exactly: floats as their bits.
    pub fn counters_text(&self) -> String {
        let Self { step, sums, plateau, averaged, .. } = self;
        let averaged =
            averaged.as_ref().map_or(String::new(), |averaged| format!(" averaged={}", averaged.n));
        let best =
            plateau.best.map_or("none".to_owned(), |best| format!("{:016x}", best.to_bits()));
        format!(
            "step={step} samples={} correct={} loss={:016x} steps={} gradient_norm={:016x} multiplier={:016x} best={best} bad={} cooldown={}{averaged}",
            sums.samples,
            sums.correct,
            sums.loss.to_bits(),
            sums.steps,
            sums.gradient_norm.to_bits(),
            plateau.multiplier.to_bits(),
            plateau.bad,
            plateau.cooldown,
        )
    }

    /// Reads back what [`State::counters_text`] wrote; an average is left without its weights.
    pub fn set_counters(&mut self, text: &str) -> Option<()> {
        let mut values = text.split(' ');
        let mut next = |name: &str| values.next()?.strip_prefix(name)?.strip_prefix('=');
        let bits = |text: &str| u64::from_str_radix(text, 16).ok().map(f64::from_bits);
        self.step = next("step")?.parse().ok()?;
        self.sums = Sums {
            samples: next("samples")?.parse().ok()?,
            correct: next("correct")?.parse().ok()?,
            loss: bits(next("loss")?)?,
            steps: next("steps")?.parse().ok()?,
            gradient_norm: bits(next("gradient_norm")?)?,
        };
        self.plateau = PlateauState {
            multiplier: bits(next("multiplier")?)?,
            best: match next("best")? {
                "none" => None,
                text => Some(bits(text)?),
            },
            bad: next("bad")?.parse().ok()?,
            cooldown: next("cooldown")?.parse().ok()?,
        };
        self.averaged = match values.next() {
            None => None,
            Some(text) => {
                let n = text.strip_prefix("averaged=")?.parse().ok()?;
                Some(Averaged { n, weights: Vec::new() })
            }
        };
        values.next().is_none().then_some(())
    }
}
