//! The first fully connected layer, which visits only the pixels with ink. An input is background + ink, so that
//! input · weights = background · (sum of all weights) + ink · weights, and the sum is the same for a whole batch: images
//! normalised to mean 0 have as little work as those in [0, 1].
//!
//! Each output of a sample is a chain of fused multiplications and additions over its own inked pixels, each weight's
//! gradient one over the batch. Lanes see the same pixels: side by side, their outputs fill vectors and pipelines that a
//! narrow layer's alone do not.

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

    /// The outputs of each sample, lane by lane. `lanes` holds the weights of all slots of each.
    pub(super) fn forward(&self, out: &mut [f32], lanes: &[&[Vec<f32>]], panel: &mut Panel) {
        vectors().dispatch(Forward { batch: self, out, lanes, panel });
    }

    /// Makes an update of each lane from the gradient by this layer's outputs, laid out as they are, and its sum over the
    /// samples; adds the sum of each lane's squared gradient of the weights to its number.
    pub(super) fn descend(
        &self,
        outputs: &[f32],
        sums: &[f32],
        lanes: &mut [(Option<Descent>, f64)],
        panels: &mut [Panel; 2],
    ) {
        vectors().dispatch(Descend { batch: self, outputs, sums, lanes, panels });
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
    lanes: &'a [&'a [Vec<f32>]],
    panel: &'a mut Panel,
}

impl NullaryFnOnce for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { batch, out, lanes, panel } = self;
        let [weights, bias, ..] = lanes[0] else { return };
        let (n_weights, width) = (weights.len(), bias.len());
        let all = lanes.len() * width;
        let (first, others) = out.split_at_mut(all);
        for (first, lane) in first.chunks_exact_mut(width).zip(lanes) {
            first.copy_from_slice(&lane[1]);
            if batch.background != 0.0 {
                let number = batch.background;
                for_each_run!(width, from, add_rows(&mut *first, &lane[0], number, width, from));
            }
        }
        others.chunks_exact_mut(all).for_each(|out| out.copy_from_slice(first));
        for (band, from) in (0..n_weights).step_by(Ink::BAND * width).enumerate() {
            let to = n_weights.min(from + Ink::BAND * width);
            // A vector that lies across two cache lines takes twice as long to read.
            let aligned = panel.room((to - from) * lanes.len());
            for (lane, weights) in lanes.iter().enumerate() {
                let (weights, place) = (&weights[0][from..to], lane * width);
                for_each_run!(
                    width,
                    run,
                    copy((&mut *aligned, place, all), (weights, 0, width), run)
                );
            }
            for_each_run!(all, run, forward(batch, band, &mut *out, aligned, all, run));
        }
    }
}

/// Adds a multiple of each row to `W` sums, from `first` on.
#[inline(always)]
fn add_rows<const W: usize>(
    sums: &mut [f32],
    rows: &[f32],
    number: f32,
    width: usize,
    first: usize,
) {
    let Some(sums) = sums[first..].first_chunk_mut::<W>() else { return };
    let mut added = *sums;
    for row in rows.chunks_exact(width) {
        for (sum, &weight) in added.iter_mut().zip(&row[first..][..W]) {
            *sum = number.mul_add(weight, *sum);
        }
    }
    *sums = added;
}

/// Copies `W` columns, from `first` on, of a table into another one. A table is its numbers, its first column among those
/// of a row, and the length of a row.
#[inline(always)]
fn copy<const W: usize>(
    (to, to_first, to_width): (&mut [f32], usize, usize),
    (from, from_first, from_width): (&[f32], usize, usize),
    first: usize,
) {
    for (to, from) in to.chunks_exact_mut(to_width).zip(from.chunks_exact(from_width)) {
        let to = to[to_first + first..].first_chunk_mut::<W>();
        let from = from[from_first + first..].first_chunk::<W>();
        if let (Some(to), Some(from)) = (to, from) {
            *to = *from;
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

struct Descend<'a, 'b> {
    batch: &'a Batch,
    outputs: &'a [f32],
    sums: &'a [f32],
    lanes: &'a mut [(Option<Descent<'b>>, f64)],
    panels: &'a mut [Panel; 2],
}

impl NullaryFnOnce for Descend<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { batch, outputs, sums, lanes, panels: [gradients, alone] } = self;
        let (all, n_lanes) = (sums.len(), lanes.len());
        let width = all / n_lanes;
        let n_weights = lanes.iter().flat_map(|(descent, _)| descent).map(Descent::len).max();
        let n_weights = n_weights.unwrap_or(0);
        for (band, from) in (0..n_weights).step_by(Ink::BAND * width).enumerate() {
            let to = n_weights.min(from + Ink::BAND * width);
            let gradient = gradients.room((to - from) * n_lanes);
            for gradient in gradient.chunks_exact_mut(all) {
                for (gradient, &sum) in gradient.iter_mut().zip(sums) {
                    *gradient = batch.background * sum;
                }
            }
            for_each_run!(all, run, scatter(batch, band, outputs, &mut *gradient, all, run));
            for (lane, (descent, squares)) in lanes.iter_mut().enumerate() {
                let Some(descent) = descent else { continue };
                let own = if n_lanes == 1 {
                    &*gradient
                } else {
                    let (own, place) = (alone.room(to - from), lane * width);
                    for_each_run!(
                        width,
                        run,
                        copy((&mut *own, 0, width), (gradient, place, all), run)
                    );
                    own
                };
                *squares += descent.descend(from, own);
            }
        }
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
