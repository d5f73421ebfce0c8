//! What computes with a model: the same mathematics in two arithmetics. [`reference`](mod@reference) is written in Candle's operations
//! and is as plain as it can be; [`fused`] is written for one CPU core, and is what trains unless a sweep says otherwise.
//! A test keeps them together, step by step. Checkpoints of one can be read by the other. The reference also computes on
//! NVIDIA's GPUs ([`cuda`]).

use std::{fmt, str::FromStr, sync::Arc};

use cuda::Card;
use failure::Failure;

use crate::{
    data::Samples,
    model::{Architecture, Model, Slot},
    optimizer::Rule,
    state::State,
};

mod convolution;
pub mod cuda;
pub mod failure;
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
    ) -> Result<Vec<Step>, Failure>;

    /// The same for one.
    fn update(
        &mut self,
        mut update: Update,
        samples: &Samples,
        batch: &[usize],
    ) -> Result<Step, Failure> {
        let steps = self.update_lanes(std::slice::from_mut(&mut update), samples, batch)?;
        steps.into_iter().next().ok_or_else(|| "no step was made".into())
    }

    /// The loss of all samples, summed, and how many are right.
    fn evaluate(&mut self, weights: &[Vec<f32>], samples: &Samples) -> Result<Judged, Failure>;
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
#[derive(Clone, Debug, Default)]
pub enum Arithmetic {
    #[default]
    Fused,
    Reference,
    /// The reference on a GPU.
    Cuda(Arc<Card>),
}

impl Arithmetic {
    /// The devices that there are here.
    pub fn devices() -> Vec<String> {
        let mut devices = vec![Self::Fused.device(), Self::Reference.device()];
        devices.extend(cuda::names());
        devices
    }

    pub fn device(&self) -> String {
        match self {
            Self::Fused => "cpu".to_owned(),
            Self::Reference => "cpu-reference".to_owned(),
            Self::Cuda(card) => card.name(),
        }
    }

    pub fn network(&self, model: &Model) -> Box<dyn Network> {
        match self {
            Self::Fused => Box::new(fused::Fused::new(model)),
            Self::Reference => Box::new(reference::Reference::new(model, None)),
            Self::Cuda(card) => Box::new(reference::Reference::new(model, Some(Arc::clone(card)))),
        }
    }

    /// How many trainings of a model are faster side by side than one after the other; 1 for none. What is gained is one
    /// look at the samples for all, and vectors that are full. What it costs is cache: all weights pass through it
    /// in every step.
    pub fn lanes(&self, model: &Model) -> usize {
        /// Bytes of weights with which most is gained, or nearly so.
        const CACHED: usize = 2 << 20;
        match (self, &model.architecture) {
            (Self::Fused, Architecture::Mlp { .. }) => {
                let n_weights: usize = model.slots.iter().map(Slot::count).sum();
                (CACHED / (n_weights * size_of::<f32>())).clamp(1, MAX_LANES)
            }
            // A GPU is told once what to do for all.
            (Self::Cuda(_), Architecture::Mlp { .. }) => MAX_LANES,
            // What is exact depends on no neighbour, not even by rounding.
            (Self::Reference, _) | (_, Architecture::Lenet) => 1,
        }
    }

    /// The instructions that decide the last bit of a result.
    ///
    /// The fused arithmetic gives the same bits with vectors of any width ([`fused`]); only the system's mathematical
    /// functions (the cosine of a schedule) may differ where there is no fused multiplication and addition. The reference
    /// adds in an order that depends on the vectors that there are; on a GPU, on its processors at least.
    pub fn instructions(&self) -> String {
        if let Self::Cuda(card) = self {
            return format!("cuda {}", card.architecture());
        }
        let mut label = format!("{} {}", self.device(), std::env::consts::ARCH);
        #[cfg(target_arch = "x86_64")]
        for (name, is_here) in [
            ("fma", is_x86_feature_detected!("fma")),
            ("avx2", matches!(self, Self::Reference) && is_x86_feature_detected!("avx2")),
            ("avx512f", matches!(self, Self::Reference) && is_x86_feature_detected!("avx512f")),
        ] {
            if is_here {
                label.push(' ');
                label.push_str(name);
            }
        }
        label
    }

    /// Whether equal training gives equal bits, another time, too.
    pub fn is_exact(&self) -> bool {
        !matches!(self, Self::Cuda(_))
    }
}

impl fmt::Display for Arithmetic {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.device())
    }
}

impl FromStr for Arithmetic {
    type Err = String;

    /// Opens what must be.
    fn from_str(device: &str) -> Result<Self, String> {
        let plain = [Self::Fused, Self::Reference];
        if let Some(found) = plain.into_iter().find(|arithmetic| arithmetic.device() == device) {
            return Ok(found);
        }
        if let Some(index) = device.strip_prefix(cuda::PREFIX).and_then(|it| it.parse().ok()) {
            let card = Card::open(index).map(|card| Self::Cuda(Arc::new(card)));
            return card.map_err(|why| format!("cannot use `{device}`: {why}"));
        }
        let names: Vec<String> = Self::devices().iter().map(|name| format!("`{name}`")).collect();
        Err(format!("there is no device `{device}` here, only {}", names.join(", ")))
    }
}
