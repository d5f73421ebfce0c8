//! The first fully connected layer, which visits only the pixels with ink. An input is background + ink, so that
//! input · weights = background · (sum of all weights) + ink · weights, and the sum is the same for a whole batch: images
//! normalised to mean 0 have as little work as those in [0, 1].
//!
//! Each output of a sample is a chain of fused multiplications and additions over its own inked pixels, each weight's
//! gradient one over the batch.

use pulp::NullaryFnOnce;

use super::{matrix::Panel, slot::Descent, vectors};
use crate::data::{Ink, Samples};

/// The inked pixels of a batch, sample by sample and in each band by band: where in the band, and the number.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pixels: Vec<(u32, f32)>,
    starts: Vec<usize>,
    n_bands: usize,
    background: f32,
}

impl Batch {
    pub(super) fn fill(&mut self, samples: &Samples, batch: &[usize]) {
        self.n_bands = samples.sample_len.div_ceil(Ink::BAND);
        self.background = samples.background();
        self.pixels.clear();
        self.starts.clear();
        for &sample in batch {
            let (starts, pixels) = samples.ink(sample);
            let first = self.pixels.len();
            self.starts
                .extend(starts[..self.n_bands].iter().map(|start| first + start - starts[0]));
            self.pixels.extend(pixels.map(|(place, number)| (u32::from(place), number)));
        }
        self.starts.push(self.pixels.len());
    }

    /// Each sample's outputs.
    pub(super) fn forward(
        &self,
        out: &mut [f32],
        weights: &[f32],
        bias: &[f32],
        panel: &mut Panel,
    ) {
        vectors().dispatch(Forward { batch: self, out, weights, bias, panel });
    }

    /// Makes an update from the gradient by this layer's outputs and their sum over the samples; answers with the sum of
    /// the squared gradient of the weights.
    pub(super) fn descend(
        &self,
        outputs: &[f32],
        sums: &[f32],
        descent: Descent,
        panel: &mut Panel,
    ) -> f64 {
        vectors().dispatch(Descend { batch: self, outputs, sums, descent, panel })
    }

    /// The pixels of each sample in one band.
    #[inline(always)]
    fn band(&self, band: usize) -> impl Iterator<Item = &[(u32, f32)]> {
        let ends = self.starts[band..].windows(2).step_by(self.n_bands);
        ends.map(|ends| &self.pixels[ends[0]..ends[1]])
    }
}

/// Calls a generic function for runs of 128, 64, … and 1 of `n` columns.
macro_rules! for_each_run {
    ($n:expr, $first:ident, $function:ident $arguments:tt) => {
        let mut $first = 0;
        for_each_run!(@ $n, $first, 128, $function $arguments);
        for_each_run!(@ $n, $first, 64, $function $arguments);
        for_each_run!(@ $n, $first, 32, $function $arguments);
        for_each_run!(@ $n, $first, 16, $function $arguments);
        for_each_run!(@ $n, $first, 8, $function $arguments);
        for_each_run!(@ $n, $first, 4, $function $arguments);
        for_each_run!(@ $n, $first, 2, $function $arguments);
        for_each_run!(@ $n, $first, 1, $function $arguments);
    };
    (@ $n:expr, $first:ident, $width:literal, $function:ident $arguments:tt) => {
        while $width <= $n - $first {
            $function::<$width> $arguments;
            $first += $width;
        }
    };
}

struct Forward<'a> {
    batch: &'a Batch,
    out: &'a mut [f32],
    weights: &'a [f32],
    bias: &'a [f32],
    panel: &'a mut Panel,
}

impl NullaryFnOnce for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { batch, out, weights, bias, panel } = self;
        let width = bias.len();
        let (first, others) = out.split_at_mut(width);
        first.copy_from_slice(bias);
        if batch.background != 0.0 {
            for weights in weights.chunks_exact(width) {
                for (sum, &weight) in first.iter_mut().zip(weights) {
                    *sum = batch.background.mul_add(weight, *sum);
                }
            }
        }
        others.chunks_exact_mut(width).for_each(|out| out.copy_from_slice(first));
        for (band, weights) in weights.chunks(Ink::BAND * width).enumerate() {
            // A vector that lies across two cache lines takes twice as long to read.
            let aligned = panel.room(weights.len());
            aligned.copy_from_slice(weights);
            for_each_run!(width, first, forward(batch, band, &mut *out, aligned, width, first));
        }
    }
}

/// Adds one band's part to `W` outputs of each sample, from `first` on.
#[inline(always)]
fn forward<const W: usize>(
    batch: &Batch,
    band: usize,
    out: &mut [f32],
    weights: &[f32],
    width: usize,
    first: usize,
) {
    for (out, pixels) in out.chunks_exact_mut(width).zip(batch.band(band)) {
        let Some(out) = out[first..].first_chunk_mut::<W>() else { return };
        let mut sums = *out;
        for &(place, number) in pixels {
            let weights = &weights[place as usize * width + first..][..W];
            for (sum, &weight) in sums.iter_mut().zip(weights) {
                *sum = number.mul_add(weight, *sum);
            }
        }
        *out = sums;
    }
}

struct Descend<'a> {
    batch: &'a Batch,
    outputs: &'a [f32],
    sums: &'a [f32],
    descent: Descent<'a>,
    panel: &'a mut Panel,
}

impl NullaryFnOnce for Descend<'_> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        let Self { batch, outputs, sums, mut descent, panel } = self;
        let width = sums.len();
        let band_len = Ink::BAND * width;
        let mut squares = 0.0;
        for band in 0..descent.len().div_ceil(band_len) {
            let from = band * band_len;
            let to = descent.len().min(from + band_len);
            let gradient = panel.room(to - from);
            for gradient in gradient.chunks_exact_mut(width) {
                for (gradient, &sum) in gradient.iter_mut().zip(sums) {
                    *gradient = batch.background * sum;
                }
            }
            for_each_run!(
                width,
                first,
                scatter(batch, band, outputs, &mut *gradient, width, first)
            );
            squares += descent.descend(from, gradient);
        }
        squares
    }
}

/// Adds the products of each sample's `W` outputs from `first` on and its pixels to one band's gradient.
#[inline(always)]
fn scatter<const W: usize>(
    batch: &Batch,
    band: usize,
    outputs: &[f32],
    gradient: &mut [f32],
    width: usize,
    first: usize,
) {
    for (outputs, pixels) in outputs.chunks_exact(width).zip(batch.band(band)) {
        let Some(outputs) = outputs[first..].first_chunk::<W>() else { return };
        let outputs = *outputs;
        for &(place, number) in pixels {
            let gradient = &mut gradient[place as usize * width + first..][..W];
            for (gradient, output) in gradient.iter_mut().zip(outputs) {
                *gradient = number.mul_add(output, *gradient);
            }
        }
    }
}
