//! What computes with a model: the same mathematics in two arithmetics. [`reference`] is written in Candle's operations
//! and is as plain as it can be; [`fused`] is written for one CPU core, and is what trains unless a sweep says otherwise.
//! A test keeps them together, step by step. Checkpoints of one can be read by the other.

use std::{fmt, str::FromStr};

use crate::{
    data::Samples,
    model::{Architecture, Model, Slot},
    optimizer::Rule,
    state::State,
};

mod convolution;
pub mod fused;
pub mod reference;

/// A model in some arithmetic, with room for what it computes on the way.
pub trait Network {
    /// Makes one update in each of some lanes, from the mean loss over the same samples, those numbered in `batch`; makes
    /// none where that loss is not finite. What comes out of a lane does not depend on those beside it.
    fn update_lanes(
        &mut self,
        lanes: &mut [Update],
        samples: &Samples,
        batch: &[usize],
    ) -> Result<Vec<Step>, String>;

    /// The same for one.
    fn update(
        &mut self,
        mut update: Update,
        samples: &Samples,
        batch: &[usize],
    ) -> Result<Step, String> {
        let steps = self.update_lanes(std::slice::from_mut(&mut update), samples, batch)?;
        steps.into_iter().next().ok_or_else(|| "no step was made".to_owned())
    }

    /// The loss of all samples, summed, and how many are right.
    fn evaluate(&mut self, weights: &[Vec<f32>], samples: &Samples) -> Result<Judged, String>;
}

/// An update of weights and optimizer state: that with index `state.step`.
#[derive(Debug)]
pub struct Update<'a> {
    pub state: &'a mut State,
    pub rule: Rule,
    pub rate: f64,
}

/// Cross-entropy of some samples, summed, and how many of them are right.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Judged {
    pub loss: f64,
    pub correct: u64,
}

/// What was seen on the way to an update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    pub judged: Judged,
    /// Euclidean, of the gradient over all weights; without meaning if the loss is not finite.
    pub gradient_norm: f64,
}

/// So many trainings go on side by side at most.
pub const MAX_LANES: usize = 16;

/// Which arithmetic: named like a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arithmetic {
    #[default]
    Fused,
    Reference,
}

impl Arithmetic {
    pub const ALL: [Self; 2] = [Self::Fused, Self::Reference];

    pub fn device(self) -> &'static str {
        match self {
            Self::Fused => "cpu",
            Self::Reference => "cpu-reference",
        }
    }

    pub fn network(self, model: &Model) -> Box<dyn Network> {
        match self {
            Self::Fused => Box::new(fused::Fused::new(model)),
            Self::Reference => Box::new(reference::Reference::new(model)),
        }
    }

    /// How many trainings of a model are faster side by side than one after the other; 1 for none. What is gained is one
    /// look at the samples for all, and vectors that are full. What it costs is cache: all weights pass through it
    /// in every step.
    pub fn lanes(self, model: &Model) -> usize {
        /// Bytes of weights with which most is gained, or nearly so.
        const CACHED: usize = 2 << 20;
        match (self, &model.architecture) {
            (Self::Fused, Architecture::Mlp { .. }) => {
                let n_weights: usize = model.slots.iter().map(Slot::count).sum();
                (CACHED / (n_weights * size_of::<f32>())).clamp(1, MAX_LANES)
            }
            (Self::Fused, Architecture::Lenet) | (Self::Reference, _) => 1,
        }
    }

    /// The instructions that decide the last bit of a result.
    ///
    /// The fused arithmetic gives the same bits with vectors of any width ([`fused`]); only the system's mathematical
    /// functions (the cosine of a schedule) may differ where there is no fused multiplication and addition. The reference
    /// adds in an order that depends on the vectors that there are.
    pub fn instructions(self) -> String {
        let mut label = format!("{} {}", self.device(), std::env::consts::ARCH);
        #[cfg(target_arch = "x86_64")]
        for (name, is_here) in [
            ("fma", is_x86_feature_detected!("fma")),
            ("avx2", self == Self::Reference && is_x86_feature_detected!("avx2")),
            ("avx512f", self == Self::Reference && is_x86_feature_detected!("avx512f")),
        ] {
            if is_here {
                label.push(' ');
                label.push_str(name);
            }
        }
        label
    }
}

impl fmt::Display for Arithmetic {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.device())
    }
}

impl FromStr for Arithmetic {
    type Err = String;

    fn from_str(device: &str) -> Result<Self, String> {
        let names = Self::ALL.map(|arithmetic| format!("`{arithmetic}`")).join(" and ");
        Self::ALL
            .into_iter()
            .find(|arithmetic| arithmetic.device() == device)
            .ok_or_else(|| format!("there is no device `{device}` here, only {names}"))
    }
}
