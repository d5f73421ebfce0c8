//! From the gradient by a convolution's outputs to that by its weights and by what it read. Every sum is a chain of
//! fused multiplications and additions, over squares or over channels from first to last; what is zero adds
//! nothing to it and is left out.

use pulp::Simd;

use super::{Convolution, load, store};
use crate::network::fused::matrix::Panel;

/// What of one sample's gradient by the outputs, `C` channels of `Q` squares, is not zero.
#[derive(Debug)]
pub(super) struct Live<const C: usize, const Q: usize> {
    /// By channels, in the order of the squares: which place (four to a square), and the gradient.
    places: Box<[[(u32, f32); Q]; C]>,
    counts: [usize; C],
    /// Over all squares.
    sums: [f32; C],
    /// Where the window of each place begins.
    starts: Vec<usize>,
}

impl<const C: usize, const Q: usize> Live<C, Q> {
    pub(super) fn new(convolution: &Convolution) -> Self {
        let starts = (0..4 * Q).map(|place| convolution.window(place / 4, place % 4)).collect();
        Self { places: Box::new([[(0, 0.0); Q]; C]), counts: [0; C], sums: [0.0; C], starts }
    }

    /// Takes down what is not zero: `at` says of a square and a channel the gradient and the place that it belongs to.
    #[inline(always)]
    pub(super) fn find(&mut self, at: impl Fn(usize, usize) -> (f32, f32)) {
        // In registers, where they fit. A count is never as high as its bound, which spares a check.
        let (mut counts, mut sums) = ([0; C], [0.0; C]);
        for square in 0..Q {
            for channel in 0..C {
                let (gradient, place) = at(square, channel);
                sums[channel] += gradient;
                let count = counts[channel].min(Q - 1);
                self.places[channel][count] = (4 * square as u32 + place.to_bits(), gradient);
                counts[channel] = count + usize::from(gradient != 0.0);
            }
        }
        (self.counts, self.sums) = (counts, sums);
    }

    #[inline(always)]
    fn of(&self, channel: usize) -> &[(u32, f32)] {
        &self.places[channel][..self.counts[channel]]
    }
}

impl Convolution {
    /// Vectors that hold a window, row by row.
    #[inline(always)]
    fn n_vectors<S: Simd>(&self) -> usize {
        5 * self.run_len().div_ceil(S::F32_LANES)
    }

    /// The same, rounded up to what is done at once. What is too much repeats the last one.
    #[inline(always)]
    fn n_rounded<S: Simd, const N: usize>(&self) -> usize {
        self.n_vectors::<S>().next_multiple_of(N)
    }

    /// Row of the window, and number in that row, with which a vector begins.
    #[inline(always)]
    fn vector<S: Simd>(&self, index: usize) -> (usize, usize) {
        let to_a_row = self.run_len().div_ceil(S::F32_LANES);
        let index = index.min(self.n_vectors::<S>() - 1);
        (index / to_a_row, index % to_a_row * S::F32_LANES)
    }

    /// Where that is after the window's beginning.
    #[inline(always)]
    fn offset<S: Simd>(&self, index: usize) -> usize {
        let (row, at) = self.vector::<S>(index);
        row * self.row_len() + at
    }

    /// Numbers from a window's beginning to the end of its last vector.
    #[inline(always)]
    fn span<S: Simd>(&self) -> usize {
        self.offset::<S>(usize::MAX) + S::F32_LANES
    }
}

/// The gradient of a batch by a convolution's weights: the sum of all windows, each as often as its place's gradient says. `N`
/// vectors of a window are summed at once.
#[derive(Debug, Default)]
pub(super) struct Windows<const N: usize> {
    /// (channels, vectors, lanes)
    sums: Vec<f32>,
    bias: Vec<f32>,
    /// Where in a channel's sums each tap is.
    taps: Vec<usize>,
}

impl<const N: usize> Windows<N> {
    /// Before the first sample of a batch.
    pub(super) fn begin<S: Simd>(&mut self, convolution: &Convolution) {
        let n_vectors = convolution.n_rounded::<S, N>();
        self.sums.clear();
        self.sums.resize(convolution.channels * n_vectors * S::F32_LANES, 0.0);
        self.bias.clear();
        self.bias.resize(convolution.channels, 0.0);
        self.taps.clear();
        let to_a_row = convolution.n_vectors::<S>() / 5 * S::F32_LANES;
        let run_len = convolution.run_len();
        let taps = 0..convolution.n_taps();
        self.taps.extend(taps.map(|tap| tap / run_len * to_a_row + tap % run_len));
    }

    /// Adds one sample's part.
    #[inline(always)]
    pub(super) fn add<S: Simd, const C: usize, const Q: usize>(
        &mut self,
        simd: S,
        convolution: &Convolution,
        live: &Live<C, Q>,
        image: &[f32],
    ) {
        let n_vectors = convolution.n_rounded::<S, N>();
        let sums = self.sums.chunks_exact_mut(n_vectors * S::F32_LANES);
        for (channel, (sums, bias)) in sums.zip(&mut self.bias).enumerate() {
            *bias += live.sums[channel];
            for first in (0..n_vectors).step_by(N) {
                let mut parts = [simd.splat_f32s(0.0); N];
                for &(place, gradient) in live.of(channel) {
                    let window = &image[live.starts[place as usize]..][..convolution.span::<S>()];
                    let gradient = simd.splat_f32s(gradient);
                    for (index, part) in parts.iter_mut().enumerate() {
                        let pixels = load::<S>(window, convolution.offset::<S>(first + index));
                        *part = simd.mul_add_f32s(pixels, gradient, *part);
                    }
                }
                for (index, part) in parts.into_iter().enumerate() {
                    let at = (first + index) * S::F32_LANES;
                    store::<S>(sums, at, simd.add_f32s(load::<S>(sums, at), part));
                }
            }
        }
    }

    /// By the weights, in their order: (taps, channels).
    pub(super) fn weights(&self, gradient: &mut Vec<f32>) {
        let stride = self.sums.len() / self.bias.len();
        for tap in &self.taps {
            gradient.extend(self.sums.iter().skip(*tap).step_by(stride));
        }
    }

    pub(super) fn bias(&self) -> &[f32] {
        &self.bias
    }
}

/// The gradient by what a convolution read: the sum of its weights, for each place where that lies.
#[derive(Debug, Default)]
pub(super) struct Spread<const N: usize> {
    /// (channels, vectors, lanes); 0 where a vector is longer than the window.
    weights: Panel,
    /// By places: the channels that are not zero, and their gradients.
    channels: Vec<[(usize, f32); MOST_CHANNELS]>,
    counts: Vec<usize>,
}

const MOST_CHANNELS: usize = super::SECOND.channels;

impl<const N: usize> Spread<N> {
    /// Before the first sample of a batch: `weights` are (taps, channels).
    pub(super) fn begin<S: Simd>(&mut self, convolution: &Convolution, weights: &[f32]) {
        let n_vectors = convolution.n_rounded::<S, N>();
        let packed = self.weights.room(convolution.channels * n_vectors * S::F32_LANES);
        for (vector, packed) in packed.chunks_exact_mut(S::F32_LANES).enumerate() {
            let (channel, index) = (vector / n_vectors, vector % n_vectors);
            let (row, first) = convolution.vector::<S>(index);
            for (lane, packed) in packed.iter_mut().enumerate() {
                let (tap, at) = (row * convolution.run_len() + first + lane, first + lane);
                let is_there = at < convolution.run_len() && index < convolution.n_vectors::<S>();
                *packed =
                    if is_there { weights[tap * convolution.channels + channel] } else { 0.0 };
            }
        }
        self.channels.resize(4 * convolution.n_squares(), [(0, 0.0); MOST_CHANNELS]);
    }

    /// One sample's.
    #[inline(always)]
    pub(super) fn fold<S: Simd, const C: usize, const Q: usize>(
        &mut self,
        simd: S,
        convolution: &Convolution,
        live: &Live<C, Q>,
        image: &mut [f32],
    ) {
        self.counts.clear();
        self.counts.resize(4 * Q, 0);
        for channel in 0..C {
            for &(place, gradient) in live.of(channel) {
                let count = &mut self.counts[place as usize];
                self.channels[place as usize][*count] = (channel, gradient);
                *count += 1;
            }
        }
        let n_vectors = convolution.n_rounded::<S, N>();
        let weights = self.weights.room(C * n_vectors * S::F32_LANES);
        image.fill(0.0);
        for ((channels, &count), &start) in self.channels.iter().zip(&self.counts).zip(&live.starts)
        {
            if count == 0 {
                continue;
            }
            let window = &mut image[start..][..convolution.span::<S>()];
            for first in (0..n_vectors).step_by(N) {
                let mut sums = [simd.splat_f32s(0.0); N];
                for &(channel, gradient) in &channels[..count] {
                    let at = (channel * n_vectors + first) * S::F32_LANES;
                    let weights = &weights[at..][..N * S::F32_LANES];
                    let gradient = simd.splat_f32s(gradient);
                    for (index, sum) in sums.iter_mut().enumerate() {
                        let weights = load::<S>(weights, index * S::F32_LANES);
                        *sum = simd.mul_add_f32s(gradient, weights, *sum);
                    }
                }
                for (index, sum) in sums.into_iter().enumerate() {
                    let at = convolution.offset::<S>(first + index);
                    store::<S>(window, at, simd.add_f32s(load::<S>(window, at), sum));
                }
            }
        }
    }
}
