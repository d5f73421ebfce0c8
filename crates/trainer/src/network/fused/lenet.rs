//! LeNet's two convolutions, each with its pooling and ReLU, sample by sample, so that everything is in cache. Windows are
//! read where they lie: the matrix of all windows is never made. Images are channels-last, positions of a convolution in
//! the order of the squares that are pooled.

use pulp::{Simd, WithSimd};

use super::{
    matrix::{Matrix, Panel, Table, for_each_tile, multiply, store},
    slot::{mask, rectify},
    vectors,
};
use crate::data::Samples;

/// Numbers that a sample leaves with: 5 × 5 places of 16 channels.
pub(super) const OUTPUTS: usize = 25 * 16;

const IMAGE: usize = 28;
/// The image and two pixels of padding on each side.
const PADDED: usize = IMAGE + 4;
/// The longest vector: that of a sample's last place must not reach beyond the sample.
const MAX_LANES: usize = 16;

/// Offsets of one convolution with a window of 5 × 5, and of its pooling.
#[derive(Debug)]
struct Convolution {
    /// Of each position's window, four to a square.
    positions: Vec<usize>,
    /// Of each number in a window.
    taps: Vec<usize>,
    channels_in: usize,
    channels_out: usize,
    /// Numbers from one image to the next.
    image_len: usize,
}

impl Convolution {
    fn new(side: usize, channels_in: usize, channels_out: usize, image_len: usize) -> Self {
        let row_len = side * channels_in;
        let pooled = (side - 4) / 2;
        let squares =
            (0..pooled * pooled).map(|square| (2 * (square / pooled), 2 * (square % pooled)));
        let positions = squares.flat_map(|(row, column)| {
            [(0, 0), (0, 1), (1, 0), (1, 1)]
                .map(|(down, right)| (row + down) * row_len + (column + right) * channels_in)
        });
        let taps = (0..25 * channels_in)
            .map(|tap| tap / (5 * channels_in) * row_len + tap % (5 * channels_in));
        let (positions, taps) = (positions.collect(), taps.collect());
        Self { positions, taps, channels_in, channels_out, image_len }
    }

    fn n_squares(&self) -> usize {
        self.positions.len() / 4
    }

    /// Numbers from one sample's pooled outputs to the next.
    fn stride(&self) -> usize {
        (self.n_squares() - 1) * self.channels_out + self.channels_out.max(MAX_LANES)
    }

    /// How many numbers of a square's vector of channels are written: all lanes if there is one vector to a square (the
    /// next square's follows and overwrites what is too much), otherwise those that exist.
    fn reach(&self, lanes: usize, channel: usize) -> usize {
        if self.channels_out <= lanes { lanes } else { lanes.min(self.channels_out - channel) }
    }

    /// The windows of an image: (positions, taps).
    fn windows<'a>(&'a self, numbers: &'a [f32]) -> Matrix<'a> {
        Matrix { numbers, rows: &self.positions, columns: &self.taps }
    }
}

#[derive(Debug)]
pub(super) struct Convolutions {
    first: Convolution,
    second: Convolution,
    /// Of each sample: the padded image, the pooled outputs of the first convolution, and for both poolings which of the
    /// four was the largest.
    images: Vec<[f32; PADDED * PADDED]>,
    pooled: Vec<f32>,
    first_places: Vec<f32>,
    second_places: Vec<f32>,
    /// Of one sample, by the first convolution's pooled outputs and by the second's windows.
    pooled_gradient: Vec<f32>,
    windows_gradient: Vec<f32>,
    first_gradient: Gradient,
    second_gradient: Gradient,
    /// The second convolution's weights, outputs first.
    weights: Vec<f32>,
    weights_table: Table,
    panel: Panel,
}

/// By the outputs of a convolution before pooling, and by its weights. What belongs to `lanes` channels lies together.
#[derive(Debug, Default)]
struct Gradient {
    lanes: usize,
    /// Of one sample: (channels / lanes, positions, lanes).
    spread: Panel,
    /// Of the batch: (channels / lanes, taps and 1 for the bias, lanes).
    sums: Vec<f32>,
    /// Where in `spread` positions and channels are.
    rows: Vec<usize>,
    columns: Vec<usize>,
}

impl Default for Convolutions {
    fn default() -> Self {
        let first = Convolution::new(PADDED, 1, 6, PADDED * PADDED);
        let second = Convolution::new(14, 6, 16, first.stride());
        Self {
            images: Vec::new(),
            pooled: Vec::new(),
            first_places: Vec::new(),
            second_places: Vec::new(),
            pooled_gradient: vec![0.0; first.stride()],
            windows_gradient: vec![0.0; second.positions.len() * second.taps.len()],
            first_gradient: Gradient::default(),
            second_gradient: Gradient::default(),
            weights: vec![0.0; second.taps.len() * second.channels_out],
            weights_table: Table::new(second.channels_out, second.taps.len()),
            panel: Panel::default(),
            first,
            second,
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
        let stride = self.first.stride();
        self.images.resize(batch.len(), [0.0; PADDED * PADDED]);
        self.pooled.resize(batch.len() * stride, 0.0);
        self.first_places.resize(batch.len() * stride, 0.0);
        self.second_places.resize(batch.len() * OUTPUTS, 0.0);
        for (image, &sample) in self.images.iter_mut().zip(batch) {
            let mut inputs = samples.inputs(sample);
            for row in image.chunks_exact_mut(PADDED).skip(2).take(IMAGE) {
                for (pixel, input) in row[2..2 + IMAGE].iter_mut().zip(&mut inputs) {
                    *pixel = input;
                }
            }
        }
        vectors().dispatch(Forward {
            convolution: &self.first,
            images: self.images.as_flattened(),
            weights: &weights[0],
            bias: &weights[1],
            pooled: &mut self.pooled,
            places: &mut self.first_places,
            panel: &mut self.panel,
        });
        rectify(&mut self.pooled);
        vectors().dispatch(Forward {
            convolution: &self.second,
            images: &self.pooled,
            weights: &weights[2],
            bias: &weights[3],
            pooled: out,
            places: &mut self.second_places,
            panel: &mut self.panel,
        });
    }

    /// Finds the gradient by all weights, from that by the outputs.
    pub(super) fn backward(&mut self, outputs: &[f32], weights: &[f32]) {
        let n_channels = self.second.channels_out;
        for (tap, weights) in weights.chunks_exact(n_channels).enumerate() {
            for (channel, &weight) in weights.iter().enumerate() {
                self.weights[channel * self.second.taps.len() + tap] = weight;
            }
        }
        vectors().dispatch(Backward { convolutions: self, outputs });
    }

    /// The gradient by a slot's weights, 0 to 3, as [`Convolutions::backward`] found it.
    pub(super) fn gradient(&self, slot: usize, gradient: &mut Vec<f32>) {
        let (convolution, sums) = match slot / 2 {
            0 => (&self.first, &self.first_gradient),
            _ => (&self.second, &self.second_gradient),
        };
        let n_taps = convolution.taps.len();
        let rows = if slot.is_multiple_of(2) { 0..n_taps } else { n_taps..n_taps + 1 };
        gradient.clear();
        for row in rows {
            gradient.extend((0..convolution.channels_out).map(|channel| {
                let (block, lane) = (channel / sums.lanes, channel % sums.lanes);
                sums.sums[(block * (n_taps + 1) + row) * sums.lanes + lane]
            }));
        }
    }
}

struct Forward<'a> {
    convolution: &'a Convolution,
    /// Image after image, as are the two results.
    images: &'a [f32],
    weights: &'a [f32],
    bias: &'a [f32],
    pooled: &'a mut [f32],
    /// Which of the four in a square was the largest: 0 to 3, the first of equals.
    places: &'a mut [f32],
    panel: &'a mut Panel,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let convolution = self.convolution;
        let n_channels = convolution.channels_out;
        let table = Table::new(convolution.taps.len(), n_channels);
        for channel in (0..n_channels).step_by(S::F32_LANES) {
            let reach = convolution.reach(S::F32_LANES, channel);
            let bias = &self.bias[channel..n_channels.min(channel + S::F32_LANES)];
            let bias = [simd.partial_load_f32s(bias)];
            let panel = self.panel.pack(table.of(self.weights), channel, S::F32_LANES);
            let pooled = self.pooled.chunks_exact_mut(convolution.stride());
            let places = self.places.chunks_exact_mut(convolution.stride());
            let images = self.images.chunks_exact(convolution.image_len);
            for (image, (pooled, places)) in images.zip(pooled.zip(places)) {
                let windows = convolution.windows(image);
                for_each_tile::<S, 8, 1>(simd, windows, panel, bias, |position, sums| {
                    let (squares, _) = sums.as_chunks::<4>();
                    for (square, sums) in (position / 4..convolution.n_squares()).zip(squares) {
                        let ([mut largest], mut place) = (sums[0], simd.splat_f32s(0.0));
                        for (index, [sum]) in sums.iter().enumerate().skip(1) {
                            let is_larger = simd.less_than_f32s(largest, *sum);
                            largest = simd.select_f32s(is_larger, *sum, largest);
                            let index = simd.splat_f32s(index as f32);
                            place = simd.select_f32s(is_larger, index, place);
                        }
                        let at = square * n_channels + channel;
                        store(simd, [largest], &mut pooled[at..at + reach]);
                        store(simd, [place], &mut places[at..at + reach]);
                    }
                });
            }
        }
    }
}

struct Backward<'a> {
    convolutions: &'a mut Convolutions,
    outputs: &'a [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Convolutions { first, second, first_gradient, second_gradient, .. } = self.convolutions;
        let Convolutions { images, pooled, first_places, second_places, .. } = self.convolutions;
        let Convolutions { pooled_gradient, windows_gradient, panel, .. } = self.convolutions;
        first_gradient.begin(first, S::F32_LANES);
        second_gradient.begin(second, S::F32_LANES);
        let weights = self.convolutions.weights_table.of(&self.convolutions.weights);
        let of_outputs =
            self.outputs.chunks_exact(OUTPUTS).zip(second_places.chunks_exact(OUTPUTS));
        let of_pooled =
            pooled.chunks_exact(first.stride()).zip(first_places.chunks_exact(first.stride()));
        for (((outputs, places), (pooled, first_places)), image) in
            of_outputs.zip(of_pooled).zip(images)
        {
            second_gradient.add(simd, second, pooled, outputs, places);
            multiply(windows_gradient, second_gradient.spread(second), weights, None, panel);
            fold(second, windows_gradient, pooled_gradient);
            mask(pooled_gradient, pooled);
            first_gradient.add(simd, first, image, pooled_gradient, first_places);
        }
    }
}

/// The gradient by an image's pixels: each one's sum over the windows that hold it, in the order of the positions.
#[inline(always)]
fn fold(convolution: &Convolution, windows: &[f32], image: &mut [f32]) {
    let run_len = 5 * convolution.channels_in;
    image.fill(0.0);
    for (position, window) in convolution.positions.iter().zip(windows.chunks_exact(5 * run_len)) {
        for (tap, run) in convolution.taps.iter().step_by(run_len).zip(window.chunks(run_len)) {
            for (pixel, &number) in image[position + tap..].iter_mut().zip(run) {
                *pixel += number;
            }
        }
    }
}

impl Gradient {
    /// Before the first sample of a batch.
    fn begin(&mut self, convolution: &Convolution, lanes: usize) {
        self.lanes = lanes;
        let n_positions = convolution.positions.len();
        let n_blocks = convolution.channels_out.div_ceil(lanes);
        self.sums.clear();
        self.sums.resize(n_blocks * (convolution.taps.len() + 1) * lanes, 0.0);
        self.rows.clear();
        self.rows.extend((0..n_positions).map(|position| position * lanes));
        self.columns.clear();
        self.columns.extend(
            (0..convolution.channels_out)
                .map(|channel| channel / lanes * n_positions * lanes + channel % lanes),
        );
    }

    /// By the outputs before pooling: (positions, channels).
    fn spread<'a>(&'a mut self, convolution: &Convolution) -> Matrix<'a> {
        let n_blocks = convolution.channels_out.div_ceil(self.lanes);
        let numbers = self.spread.room(n_blocks * convolution.positions.len() * self.lanes);
        Matrix { numbers, rows: &self.rows, columns: &self.columns }
    }

    /// Adds one sample's part, from the gradient by its pooled outputs.
    #[inline(always)]
    fn add<S: Simd>(
        &mut self,
        simd: S,
        convolution: &Convolution,
        image: &[f32],
        outputs: &[f32],
        places: &[f32],
    ) {
        let n_channels = convolution.channels_out;
        let block_len = convolution.positions.len() * S::F32_LANES;
        let spread = self.spread.room(n_channels.div_ceil(S::F32_LANES) * block_len);
        let sums = self.sums.chunks_exact_mut((convolution.taps.len() + 1) * S::F32_LANES);
        for ((block, spread), sums) in spread.chunks_exact_mut(block_len).enumerate().zip(sums) {
            let channel = block * S::F32_LANES;
            let reach = convolution.reach(S::F32_LANES, channel);
            let (squares, _) = S::as_mut_simd_f32s(spread).0.as_chunks_mut::<4>();
            let zero = simd.splat_f32s(0.0);
            let mut bias = zero;
            for (square, spread) in squares.iter_mut().enumerate() {
                let at = square * n_channels + channel;
                let output = simd.partial_load_f32s(&outputs[at..at + reach]);
                let place = simd.partial_load_f32s(&places[at..at + reach]);
                bias = simd.add_f32s(bias, output);
                for (index, spread) in spread.iter_mut().enumerate() {
                    let is_here = simd.equal_f32s(place, simd.splat_f32s(index as f32));
                    *spread = simd.select_f32s(is_here, output, zero);
                }
            }
            let (sums, _) = S::as_mut_simd_f32s(sums);
            let windows = convolution.windows(image).transposed();
            for_each_tile::<S, 8, 1>(simd, windows, spread, [zero], |tap, parts| {
                for (sum, [part]) in
                    sums[tap..].iter_mut().zip(parts).take(convolution.taps.len() - tap)
                {
                    *sum = simd.add_f32s(*sum, part);
                }
            });
            if let Some(sum) = sums.last_mut() {
                *sum = simd.add_f32s(*sum, bias);
            }
        }
    }
}
