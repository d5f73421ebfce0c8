//! What one configuration trains and is judged on: which images, in which order, as which numbers.

use std::sync::Arc;

use super::{Dataset, Ink, Part};
use crate::{
    config::{Config, Normalize},
    random::{Purpose, Random},
};

/// Some images of a data set as inputs of a model.
#[derive(Debug)]
pub struct Samples {
    part: Arc<Part>,
    order: Vec<usize>,
    /// The input number of each pixel value.
    table: [f32; 256],
    /// Input numbers of one sample: rows × columns.
    pub sample_len: usize,
}

impl Samples {
    pub fn len(&self) -> usize {
        self.order.len()
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub fn label(&self, sample: usize) -> usize {
        usize::from(self.part.labels[self.order[sample]])
    }

    /// A sample's input numbers, row after row.
    pub fn inputs(&self, sample: usize) -> impl Iterator<Item = f32> {
        let first = self.order[sample] * self.sample_len;
        let pixels = &self.part.pixels[first..first + self.sample_len];
        pixels.iter().map(|&pixel| self.table[usize::from(pixel)])
    }

    /// The input number of a pixel without ink.
    pub fn background(&self) -> f32 {
        self.table[0]
    }

    /// The inked pixels of a sample ([`Ink`]), band after band: where the bands begin and the last ends, as indices that
    /// count from an arbitrary one; and of each pixel where in its band it is, and how far its input number is above the
    /// background.
    pub fn ink(&self, sample: usize) -> (&[usize], impl Iterator<Item = (u8, f32)>) {
        let ink = self.part.ink.get_or_init(|| Ink::new(&self.part.pixels, self.sample_len));
        let (starts, pixels) = ink.image(self.order[sample]);
        let above = |pixel: u8| self.table[usize::from(pixel)] - self.table[0];
        (starts, pixels.iter().map(move |&(place, pixel)| (place, above(pixel))))
    }
}

#[derive(Debug)]
pub struct Split {
    pub train: Samples,
    /// Empty when nothing is held out.
    pub valid: Samples,
    pub test: Samples,
}

impl Split {
    /// Shuffles the training images by the split's own seed; the first `valid` are held out, the next `subset` (or all)
    /// are trained on.
    pub fn new(dataset: &Dataset, config: &Config) -> Self {
        let mut order: Vec<usize> = (0..dataset.n_train()).collect();
        let n_valid = config.valid.min(order.len());
        let n_train = config.n_train(dataset.n_train());
        if 0 < n_valid || n_train < order.len() {
            Random::new(config.split_seed, Purpose::Split).shuffle(&mut order);
        }
        let table = pixel_table(dataset, config.normalize);
        let sample_len = dataset.rows() * dataset.columns();
        let samples =
            |part: &Arc<Part>, order| Samples { part: Arc::clone(part), order, table, sample_len };
        Self {
            test: samples(&dataset.test, (0..dataset.test.labels.len()).collect()),
            valid: samples(&dataset.train, order[..n_valid].to_vec()),
            train: samples(&dataset.train, order[n_valid..n_valid + n_train].to_vec()),
        }
    }
}

fn pixel_table(dataset: &Dataset, normalize: Normalize) -> [f32; 256] {
    let (mean, deviation) = match normalize {
        Normalize::Unit => (0.0, 1.0),
        Normalize::Standard => dataset.moments,
    };
    std::array::from_fn(|pixel| ((pixel as f64 / 255.0 - mean) / deviation) as f32)
}
