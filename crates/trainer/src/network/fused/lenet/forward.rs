//! From pixels to what the fully connected layers see. Each output is its bias and then a chain of fused multiplications
//! and additions over the window, row by row.

use pulp::{Simd, WithSimd};

use super::{FIRST, IMAGE, MAX_LANES, OUTPUTS, PADDED, SECOND, Seen, load, store};

pub(super) struct Forward<'a> {
    pub(super) seen: &'a mut [Seen],
    /// By slots: those of the first convolution, (taps, channels); its biases; the same of the second.
    pub(super) weights: &'a [Vec<f32>],
    /// Sample by sample.
    pub(super) out: &'a mut [f32],
}

/// The even columns of each row of a padded image, and after them the odd ones; so a vector of every second pixel
/// can be read as it lies. Behind the last one is room for a vector.
type Parted = [f32; PADDED * PADDED + MAX_LANES];

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut parted: Parted = [0.0; PADDED * PADDED + MAX_LANES];
        for (seen, out) in self.seen.iter_mut().zip(self.out.chunks_exact_mut(OUTPUTS)) {
            part(&seen.image, &mut parted);
            for row in 0..FIRST.squares {
                // As many sums at once as there are registers for.
                if 32 <= S::REGISTER_COUNT {
                    first::<S, 6>(simd, seen, &parted, self.weights, row, 0);
                } else {
                    for channel in (0..FIRST.channels).step_by(2) {
                        first::<S, 2>(simd, seen, &parted, self.weights, row, channel);
                    }
                }
            }
            for row in 0..SECOND.squares {
                if S::F32_LANES == SECOND.channels {
                    second::<S, 5, 1>(simd, seen, self.weights, out, row, 0, 0);
                } else {
                    for channel in (0..SECOND.channels).step_by(2 * S::F32_LANES) {
                        for square in 0..SECOND.squares {
                            second::<S, 1, 2>(simd, seen, self.weights, out, row, square, channel);
                        }
                    }
                }
            }
        }
    }
}

/// Puts the image's columns where the first convolution reads them; the padding stays.
#[inline(always)]
fn part(image: &[f32], parted: &mut Parted) {
    let rows = image.chunks_exact(PADDED).zip(parted.chunks_exact_mut(PADDED));
    for (row, parted) in rows.skip(2).take(IMAGE) {
        let (even, odd) = parted.split_at_mut(PADDED / 2);
        for ((pair, even), odd) in row.as_chunks::<2>().0.iter().zip(even).zip(odd) {
            [*even, *odd] = *pair;
        }
    }
}

/// `C` channels of a row of the first convolution's squares, side by side in a vector.
#[inline(always)]
fn first<S: Simd, const C: usize>(
    simd: S,
    seen: &mut Seen,
    parted: &Parted,
    weights: &[Vec<f32>],
    row: usize,
    channel: usize,
) {
    let mut pooled = [[0.0; MAX_LANES]; C];
    for lane in (0..MAX_LANES).step_by(S::F32_LANES) {
        let mut sums = [[simd.splat_f32s(0.0); 4]; C];
        for (sums, &bias) in sums.iter_mut().zip(&weights[1][channel..]) {
            *sums = [simd.splat_f32s(bias); 4];
        }
        let (taps, _) = weights[0].as_chunks::<{ FIRST.channels }>();
        for (tap, weights) in taps.iter().enumerate() {
            let (tap_row, tap_column) = (tap / 5, tap % 5);
            let mut inputs = [simd.splat_f32s(0.0); 4];
            for (place, inputs) in inputs.iter_mut().enumerate() {
                let (row, column) = (2 * row + tap_row + place / 2, tap_column + place % 2);
                let half = column % 2 * (PADDED / 2);
                *inputs = load::<S>(parted, row * PADDED + half + column / 2 + lane);
            }
            for (sums, &weight) in sums.iter_mut().zip(&weights[channel..]) {
                let weight = simd.splat_f32s(weight);
                for (sum, input) in sums.iter_mut().zip(inputs) {
                    *sum = simd.mul_add_f32s(input, weight, *sum);
                }
            }
        }
        for (index, (sums, pooled)) in sums.into_iter().zip(&mut pooled).enumerate() {
            let (largest, place) = largest(simd, sums);
            let is_negative = simd.less_than_f32s(largest, simd.splat_f32s(0.0));
            let rectified = simd.select_f32s(is_negative, simd.splat_f32s(0.0), largest);
            store::<S>(pooled, lane, rectified);
            let places = &mut seen.first_places[channel + index];
            store::<S>(places, row * MAX_LANES + lane, place);
        }
    }
    let row = seen.pooled[row * SECOND.row_len()..].chunks_exact_mut(FIRST.channels);
    for (square, numbers) in row.take(FIRST.squares).enumerate() {
        for (number, pooled) in numbers[channel..].iter_mut().zip(&pooled) {
            *number = pooled[square];
        }
    }
}

/// `V` vectors of channels of `Q` squares of the second convolution.
#[inline(always)]
fn second<S: Simd, const Q: usize, const V: usize>(
    simd: S,
    seen: &mut Seen,
    weights: &[Vec<f32>],
    out: &mut [f32],
    row: usize,
    square: usize,
    channel: usize,
) {
    // From the first square's first place to the last one's last.
    let span = SECOND.window(Q - 1, 3) + 1;
    let square = row * SECOND.squares + square;
    let mut sums = [[[simd.splat_f32s(0.0); V]; 4]; Q];
    let mut bias = [simd.splat_f32s(0.0); V];
    for (vector, bias) in bias.iter_mut().enumerate() {
        *bias = load::<S>(&weights[3], channel + vector * S::F32_LANES);
    }
    for sums in sums.as_flattened_mut() {
        *sums = bias;
    }
    let (taps, _) = weights[2].as_chunks::<{ SECOND.channels }>();
    let window = &seen.pooled[SECOND.window(square, 0)..];
    for (tap_row, taps) in taps.chunks_exact(SECOND.run_len()).enumerate() {
        for (at, weights) in taps.iter().enumerate() {
            let inputs = &window[tap_row * SECOND.row_len() + at..][..span];
            let mut factors = bias;
            for (vector, factor) in factors.iter_mut().enumerate() {
                *factor = load::<S>(weights, channel + vector * S::F32_LANES);
            }
            for (square, sums) in sums.iter_mut().enumerate() {
                for (place, sums) in sums.iter_mut().enumerate() {
                    let input = simd.splat_f32s(inputs[SECOND.window(square, place)]);
                    for (sum, factor) in sums.iter_mut().zip(factors) {
                        *sum = simd.mul_add_f32s(input, factor, *sum);
                    }
                }
            }
        }
    }
    for (index, sums) in sums.into_iter().enumerate() {
        for vector in 0..V {
            let (largest, place) = largest(simd, sums.map(|sums| sums[vector]));
            let at = (square + index) * SECOND.channels + channel + vector * S::F32_LANES;
            store::<S>(out, at, largest);
            store::<S>(&mut seen.second_places, at, place);
        }
    }
}

/// The largest of a square's four sums, and which it was, the first of equals.
#[inline(always)]
fn largest<S: Simd>(simd: S, sums: [S::f32s; 4]) -> (S::f32s, S::f32s) {
    let (mut largest, mut place) = (sums[0], simd.splat_f32s(0.0));
    for (index, sum) in sums.into_iter().enumerate().skip(1) {
        let is_larger = simd.less_than_f32s(largest, sum);
        largest = simd.select_f32s(is_larger, sum, largest);
        place = simd.select_f32s(is_larger, simd.splat_f32s(f32::from_bits(index as u32)), place);
    }
    (largest, place)
}
