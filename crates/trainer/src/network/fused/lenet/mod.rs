//! LeNet's two convolutions, each with its pooling and ReLU, sample by sample, so that everything is in cache. Windows are
//! read where they lie; the matrix of all windows is never made. Pooling lets one of four places through, and ReLU half of
//! them: backwards, only what is not zero is visited.

use forward::Forward;
use live::{Live, Spread, Windows};
use pulp::{Simd, WithSimd};

use super::vectors;
use crate::data::Samples;

mod forward;
mod live;

/// Numbers that a sample leaves with: 5 × 5 places of 16 channels.
pub(super) const OUTPUTS: usize = SECOND.n_squares() * SECOND.channels;

const IMAGE: usize = 28;
/// The image and two pixels of padding on each side.
const PADDED: usize = IMAGE + 4;

/// Vectors have at most so many numbers; with any fewer, sixteen are a whole number of vectors.
const MAX_LANES: usize = 16;

/// A convolution with a window of 5 × 5 and the pooling after it, which looks at squares of 2 × 2 places.
#[derive(Debug)]
struct Convolution {
    /// Channels that it reads and makes. Images are channels-last.
    channels_in: usize,
    channels: usize,
    /// Pixels to a row of what it reads, and squares to a row of what it makes.
    row: usize,
    squares: usize,
}

const FIRST: Convolution = Convolution { channels_in: 1, channels: 6, row: PADDED, squares: 14 };
const SECOND: Convolution = Convolution { channels_in: 6, channels: 16, row: 14, squares: 5 };

impl Convolution {
    const fn n_squares(&self) -> usize {
        self.squares * self.squares
    }

    const fn row_len(&self) -> usize {
        self.row * self.channels_in
    }

    /// Numbers that lie side by side in a row of a window.
    const fn run_len(&self) -> usize {
        5 * self.channels_in
    }

    const fn n_taps(&self) -> usize {
        5 * self.run_len()
    }

    /// Numbers in what it reads, with room behind it for the vector that begins with its last one.
    const fn room(&self) -> usize {
        self.row * self.row_len() + MAX_LANES
    }

    /// Where the window begins that belongs to one of a square's four places.
    const fn window(&self, square: usize, place: usize) -> usize {
        let (row, column) = (square / self.squares, square % self.squares);
        (2 * row + place / 2) * self.row_len() + (2 * column + place % 2) * self.channels_in
    }
}

/// What is kept of a sample between the two directions.
#[derive(Clone, Debug)]
struct Seen {
    /// The padded image.
    image: [f32; FIRST.room()],
    /// After the first pooling and ReLU.
    pooled: [f32; SECOND.room()],
    /// Which of the four was the largest, 0 to 3 as bits: by channels, with sixteen to a row of squares; and by squares.
    first_places: [[f32; FIRST.squares * MAX_LANES]; FIRST.channels],
    second_places: [f32; OUTPUTS],
}

impl Seen {
    const NOTHING: Self = Self {
        image: [0.0; FIRST.room()],
        pooled: [0.0; SECOND.room()],
        first_places: [[0.0; FIRST.squares * MAX_LANES]; FIRST.channels],
        second_places: [0.0; OUTPUTS],
    };

    fn look(&mut self, mut pixels: impl Iterator<Item = f32>) {
        for row in self.image.chunks_exact_mut(PADDED).skip(2).take(IMAGE) {
            for (pixel, input) in row[2..2 + IMAGE].iter_mut().zip(&mut pixels) {
                *pixel = input;
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Convolutions {
    seen: Vec<Seen>,
    /// What of one sample's gradient is not zero.
    first_live: Live<{ FIRST.channels }, { FIRST.n_squares() }>,
    second_live: Live<{ SECOND.channels }, { SECOND.n_squares() }>,
    /// The gradients of the batch.
    first: Windows<5>,
    second: Windows<10>,
    spread: Spread<10>,
    /// Of one sample, by the second convolution's inputs.
    pooled_gradient: Box<[f32; SECOND.room()]>,
}

impl Default for Convolutions {
    fn default() -> Self {
        Self {
            seen: Vec::new(),
            first_live: Live::new(&FIRST),
            second_live: Live::new(&SECOND),
            first: Windows::default(),
            second: Windows::default(),
            spread: Spread::default(),
            pooled_gradient: Box::new([0.0; SECOND.room()]),
        }
    }
}

impl Convolutions {
    /// Each sample's outputs, before the second ReLU.
    pub(super) fn forward(
        &mut self,
        out: &mut [f32],
        weights: &[Vec<f32>],
        samples: &Samples,
        batch: &[usize],
    ) {
        self.seen.resize(batch.len(), Seen::NOTHING);
        for (seen, &sample) in self.seen.iter_mut().zip(batch) {
            seen.look(samples.inputs(sample));
        }
        vectors().dispatch(Forward { seen: &mut self.seen, weights, out });
    }

    /// Finds the gradient by all weights, from that by the outputs and the second convolution's weights.
    pub(super) fn backward(&mut self, outputs: &[f32], weights: &[f32]) {
        vectors().dispatch(Backward { convolutions: self, outputs, weights });
    }

    /// The gradient by a slot's weights, 0 to 3, as [`Convolutions::backward`] found it.
    pub(super) fn gradient(&self, slot: usize, gradient: &mut Vec<f32>) {
        gradient.clear();
        match slot {
            0 => self.first.weights(gradient),
            1 => gradient.extend_from_slice(self.first.bias()),
            2 => self.second.weights(gradient),
            _ => gradient.extend_from_slice(self.second.bias()),
        }
    }
}

struct Backward<'a> {
    convolutions: &'a mut Convolutions,
    outputs: &'a [f32],
    weights: &'a [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Convolutions { seen, first_live, second_live, .. } = self.convolutions;
        let Convolutions { first, second, spread, pooled_gradient, .. } = self.convolutions;
        first.begin::<S>(&FIRST);
        second.begin::<S>(&SECOND);
        spread.begin::<S>(&SECOND, self.weights);
        for (seen, outputs) in seen.iter().zip(self.outputs.chunks_exact(OUTPUTS)) {
            second_live.find(|square, channel| {
                let at = square * SECOND.channels + channel;
                (outputs[at], seen.second_places[at])
            });
            second.add(simd, &SECOND, second_live, &seen.pooled);
            spread.fold(simd, &SECOND, second_live, &mut **pooled_gradient);
            first_live.find(|square, channel| {
                let at = square * FIRST.channels + channel;
                let gradient = if 0.0 < seen.pooled[at] { pooled_gradient[at] } else { 0.0 };
                let (row, column) = (square / FIRST.squares, square % FIRST.squares);
                (gradient, seen.first_places[channel][row * MAX_LANES + column])
            });
            first.add(simd, &FIRST, first_live, &seen.image);
        }
    }
}

/// The vector that begins there.
#[inline(always)]
fn load<S: Simd>(numbers: &[f32], at: usize) -> S::f32s {
    S::as_simd_f32s(&numbers[at..at + S::F32_LANES]).0[0]
}

#[inline(always)]
fn store<S: Simd>(numbers: &mut [f32], at: usize, vector: S::f32s) {
    S::as_mut_simd_f32s(&mut numbers[at..at + S::F32_LANES]).0[0] = vector;
}
