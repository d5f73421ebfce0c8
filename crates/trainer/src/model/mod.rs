//! The networks: what they are made of, and their forward pass on Candle tensors. Weights live in plain vectors (the
//! optimizer's and the checkpoint's business); a pass sees them as Candle variables.

use std::{fmt, str::FromStr};

use candle_core::{Device, Result, Tensor, Var};

use crate::{
    config::Init,
    random::{Purpose, Random},
};

mod convolution;

/// Which network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// Hidden layers with ReLU between; none for a linear model.
    Mlp { hidden: Vec<usize> },
    /// Dive into Deep Learning's LeNet with ReLU and max-pooling: conv 6×5×5 (padding 2), pool, conv 16×5×5, pool,
    /// 400-120-84-classes. For images of 28 × 28.
    Lenet,
}

#[derive(Debug, PartialEq, Eq)]
pub struct ArchitectureError(String);

impl fmt::Display for ArchitectureError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(
            formatter,
            "`{}` is no model: linear, mlp-H[-H…] with layers of 1 to 65536 units, or lenet",
            self.0
        )
    }
}

impl FromStr for Architecture {
    type Err = ArchitectureError;

    fn from_str(text: &str) -> std::result::Result<Self, ArchitectureError> {
        let fail = || ArchitectureError(text.to_owned());
        match text {
            "linear" => Ok(Self::Mlp { hidden: Vec::new() }),
            "lenet" => Ok(Self::Lenet),
            _ => {
                let widths = text.strip_prefix("mlp-").ok_or_else(fail)?;
                let hidden: Vec<usize> = widths
                    .split('-')
                    .map(|width| {
                        width
                            .parse()
                            .ok()
                            .filter(|width| (1..=65_536).contains(width))
                            .ok_or_else(fail)
                    })
                    .collect::<std::result::Result<_, _>>()?;
                if 16 < hidden.len() { Err(fail()) } else { Ok(Self::Mlp { hidden }) }
            }
        }
    }
}

/// One weight tensor: its name in checkpoints, its shape (PyTorch's: outputs first), and how many inputs and outputs a
/// unit of it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub name: String,
    pub shape: Vec<usize>,
    fan_in: usize,
    fan_out: usize,
    is_bias: bool,
}

impl Slot {
    /// How many numbers it holds.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A network for images of one size and a number of classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    architecture: Architecture,
    pub slots: Vec<Slot>,
    side: (usize, usize),
}

impl Model {
    pub fn new(
        architecture: &Architecture,
        (rows, columns): (usize, usize),
        n_classes: usize,
    ) -> std::result::Result<Self, String> {
        let mut slots = Vec::new();
        match architecture {
            Architecture::Mlp { hidden } => {
                let widths: Vec<usize> = [rows * columns]
                    .into_iter()
                    .chain(hidden.iter().copied())
                    .chain([n_classes])
                    .collect();
                for (index, pair) in widths.windows(2).enumerate() {
                    add_layer(&mut slots, &format!("fc{}", index + 1), &[pair[1], pair[0]]);
                }
            }
            Architecture::Lenet if (rows, columns) != (28, 28) => {
                return Err(format!(
                    "lenet takes images of 28 × 28 pixels, these have {rows} × {columns}"
                ));
            }
            Architecture::Lenet => {
                add_layer(&mut slots, "conv1", &[6, 1, 5, 5]);
                add_layer(&mut slots, "conv2", &[16, 6, 5, 5]);
                add_layer(&mut slots, "fc1", &[120, 400]);
                add_layer(&mut slots, "fc2", &[84, 120]);
                add_layer(&mut slots, "fc3", &[n_classes, 84]);
            }
        }
        Ok(Self { architecture: architecture.clone(), slots, side: (rows, columns) })
    }

    /// Fresh weights, slot by slot.
    pub fn init(&self, init: Init, seed: u64) -> Vec<Vec<f32>> {
        let mut random = Random::new(seed, Purpose::Weights);
        self.slots
            .iter()
            .map(|slot| {
                let (fan_in, fan_out) = (slot.fan_in as f64, slot.fan_out as f64);
                let mut uniform = |bound: f64| -> Vec<f32> {
                    (0..slot.count()).map(|_| random.between(-bound, bound) as f32).collect()
                };
                match init {
                    Init::Torch => uniform(1.0 / fan_in.sqrt()),
                    Init::Glorot | Init::Kaiming if slot.is_bias => vec![0.0; slot.count()],
                    Init::Glorot => uniform((6.0 / (fan_in + fan_out)).sqrt()),
                    Init::Kaiming => (0..slot.count())
                        .map(|_| (random.normal() * (2.0 / fan_in).sqrt()) as f32)
                        .collect(),
                }
            })
            .collect()
    }

    /// Weights as Candle variables.
    pub fn variables(&self, weights: &[Vec<f32>]) -> Result<Vec<Var>> {
        self.slots
            .iter()
            .zip(weights)
            .map(|(slot, weights)| Var::from_slice(weights, slot.shape.as_slice(), &Device::Cpu))
            .collect()
    }

    /// Logits, of shape (samples, classes), for inputs of shape (samples, rows × columns).
    pub fn forward(&self, variables: &[Var], inputs: &Tensor) -> Result<Tensor> {
        let layer = |index: usize, inputs: &Tensor| {
            inputs.matmul(&variables[2 * index].t()?)?.broadcast_add(&variables[2 * index + 1])
        };
        let n_layers = variables.len() / 2;
        let (mut values, first) = match self.architecture {
            Architecture::Mlp { .. } => (inputs.clone(), 0),
            Architecture::Lenet => {
                let samples = inputs.dim(0)?;
                let (rows, columns) = self.side;
                let images = inputs.reshape((samples, rows, columns, 1))?;
                // The largest of four is the same before and after ReLU, which has less to do afterwards.
                let images = convolution::convolve(&images, &variables[0], &variables[1], 2)?;
                let images = convolution::max_pool(&images)?.relu()?;
                let images = convolution::convolve(&images, &variables[2], &variables[3], 0)?;
                let images = convolution::max_pool(&images)?.relu()?;
                // Channels first, as everybody flattens them.
                (images.permute((0, 3, 1, 2))?.contiguous()?.reshape((samples, ()))?, 2)
            }
        };
        for index in first..n_layers {
            values = layer(index, &values)?;
            if index + 1 < n_layers {
                values = values.relu()?;
            }
        }
        Ok(values)
    }
}

fn add_layer(slots: &mut Vec<Slot>, name: &str, shape: &[usize]) {
    let receptive: usize = shape[2..].iter().product();
    let (fan_out, fan_in) = (shape[0] * receptive, shape[1] * receptive);
    let mut slot = |part: &str, shape: &[usize], is_bias| {
        slots.push(Slot {
            name: format!("{name}.{part}"),
            shape: shape.to_vec(),
            fan_in,
            fan_out,
            is_bias,
        });
    };
    slot("weight", shape, false);
    slot("bias", &shape[..1], true);
}
