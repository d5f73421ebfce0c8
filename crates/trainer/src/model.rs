//! The models: what they are made of, and how their weights start and lie in memory.

use std::{fmt, str::FromStr};

use crate::{
    config::Init,
    random::{Purpose, Random},
};

/// Which model.
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

/// One weight tensor: its name and shape in checkpoints (PyTorch's: outputs first), and how many inputs and outputs a
/// unit of it has.
///
/// In memory outputs come last, so that the weights of one input lie side by side: a file's order is (output, channel,
/// place), memory's is (place, channel, output). Places are those of a convolution's window, or those of the images that
/// a fully connected layer sees; elsewhere there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub name: String,
    pub shape: Vec<usize>,
    n_places: usize,
    fan_in: usize,
    fan_out: usize,
    is_bias: bool,
}

impl Slot {
    /// How many numbers it holds.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// For each number in memory, its index in a file.
    fn indices_in_file(&self) -> impl Iterator<Item = usize> {
        let (n_outputs, n_places) = (self.shape[0], self.n_places);
        let n_channels = self.count() / (n_outputs * n_places);
        (0..n_places).flat_map(move |place| {
            (0..n_channels).flat_map(move |channel| {
                (0..n_outputs).map(move |output| (output * n_channels + channel) * n_places + place)
            })
        })
    }

    /// Numbers in a file's order to memory's.
    pub fn from_file(&self, numbers: &[f32]) -> Vec<f32> {
        self.indices_in_file().map(|index| numbers[index]).collect()
    }

    /// Numbers in memory's order to a file's.
    pub fn to_file(&self, numbers: &[f32]) -> Vec<f32> {
        let mut filed = vec![0.0; numbers.len()];
        for (index, &number) in self.indices_in_file().zip(numbers) {
            filed[index] = number;
        }
        filed
    }
}

/// A model for images of one size and a number of classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    pub architecture: Architecture,
    /// Weight and bias of each layer, from the first to the last.
    pub slots: Vec<Slot>,
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
                    add_layer(&mut slots, &format!("fc{}", index + 1), &[pair[1], pair[0]], 1);
                }
            }
            Architecture::Lenet if (rows, columns) != (28, 28) => {
                return Err(format!(
                    "lenet takes images of 28 × 28 pixels, these have {rows} × {columns}"
                ));
            }
            Architecture::Lenet => {
                add_layer(&mut slots, "conv1", &[6, 1, 5, 5], 25);
                add_layer(&mut slots, "conv2", &[16, 6, 5, 5], 25);
                add_layer(&mut slots, "fc1", &[120, 400], 25);
                add_layer(&mut slots, "fc2", &[84, 120], 1);
                add_layer(&mut slots, "fc3", &[n_classes, 84], 1);
            }
        }
        Ok(Self { architecture: architecture.clone(), slots })
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
                let numbers = match init {
                    Init::Torch => uniform(1.0 / fan_in.sqrt()),
                    Init::Glorot | Init::Kaiming if slot.is_bias => vec![0.0; slot.count()],
                    Init::Glorot => uniform((6.0 / (fan_in + fan_out)).sqrt()),
                    Init::Kaiming => (0..slot.count())
                        .map(|_| (random.normal() * (2.0 / fan_in).sqrt()) as f32)
                        .collect(),
                };
                slot.from_file(&numbers)
            })
            .collect()
    }
}

fn add_layer(slots: &mut Vec<Slot>, name: &str, shape: &[usize], n_places: usize) {
    let receptive: usize = shape[2..].iter().product();
    let (fan_out, fan_in) = (shape[0] * receptive, shape[1] * receptive);
    let mut slot = |part: &str, shape: &[usize], n_places, is_bias| {
        slots.push(Slot {
            name: format!("{name}.{part}"),
            shape: shape.to_vec(),
            n_places,
            fan_in,
            fan_out,
            is_bias,
        });
    };
    slot("weight", shape, n_places, false);
    slot("bias", &shape[..1], 1, true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_outputs_first_and_memory_has_them_last() {
        let model = Model::new(&Architecture::Lenet, (28, 28), 10).unwrap();
        let slot = &model.slots[2];
        let numbers: Vec<f32> = (0..slot.count()).map(|index| index as f32).collect();
        let memory = slot.from_file(&numbers);
        // Output 3, channel 1, place 7 of (16, 6, 5 × 5).
        assert_eq!(memory[(7 * 6 + 1) * 16 + 3], ((3 * 6 + 1) * 25 + 7) as f32);
        assert_eq!(slot.to_file(&memory), numbers);
    }
}
