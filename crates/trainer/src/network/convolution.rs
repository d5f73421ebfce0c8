//! Convolution and pooling. Candle's own backward pass through a convolution is several times slower on a CPU than
//! its forward pass; as a product of matrices both are fast. What a CPU does in loops of ours, other devices do in Candle's
//! operations. Images here are channels-last: (samples, rows, columns, channels).

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor, bail};

/// Convolves images (n, rows, columns, c) with weights (k × k × c, outputs) after padding by zeros on all sides.
pub(super) fn convolve(
    images: &Tensor,
    weights: &Tensor,
    bias: &Tensor,
    padding: usize,
) -> Result<Tensor> {
    let (samples, rows, columns, channels) = images.dims4()?;
    let (patch_len, outputs) = weights.dims2()?;
    let side = (patch_len / channels).isqrt();
    let window = Window { rows, columns, channels, side, padding };
    let (rows, columns) = window.out();
    let patches = match images.device() {
        Device::Cpu => images.contiguous()?.apply_op1(Unfold(window))?,
        _ => unfold(images, window)?,
    };
    patches.matmul(weights)?.broadcast_add(bias)?.reshape((samples, rows, columns, outputs))
}

/// The largest of each 2 × 2 square; an odd last row or column is left out.
pub(super) fn max_pool(images: &Tensor) -> Result<Tensor> {
    match images.device() {
        Device::Cpu => images.contiguous()?.apply_op1(MaxPool),
        _ => pool(images),
    }
}

/// [`Unfold`] in Candle's operations.
fn unfold(images: &Tensor, Window { side, padding, channels, .. }: Window) -> Result<Tensor> {
    let images = images.pad_with_zeros(1, padding, padding)?.pad_with_zeros(2, padding, padding)?;
    let (samples, rows, columns, _) = images.dims4()?;
    let (rows, columns) = (rows + 1 - side, columns + 1 - side);
    let places = (0..side).flat_map(|row| (0..side).map(move |column| (row, column)));
    let shifted =
        places.map(|(row, column)| images.narrow(1, row, rows)?.narrow(2, column, columns));
    let patches = Tensor::cat(&shifted.collect::<Result<Vec<_>>>()?, 3)?;
    patches.reshape((samples * rows * columns, side * side * channels))
}

/// [`MaxPool`] in Candle's operations: of equal inputs the first one has the gradient, here, too.
fn pool(images: &Tensor) -> Result<Tensor> {
    let (samples, rows, columns, channels) = images.dims4()?;
    let images = images.narrow(1, 0, rows / 2 * 2)?.narrow(2, 0, columns / 2 * 2)?.contiguous()?;
    let squares = images.reshape((samples, rows / 2, 2, columns / 2, 2, channels))?;
    let corner = |row, column| {
        let corner = squares.narrow(2, row, 1)?.narrow(4, column, 1)?.contiguous()?;
        corner.reshape((samples, rows / 2, columns / 2, channels))
    };
    let mut best = corner(0, 0)?;
    for (row, column) in [(0, 1), (1, 0), (1, 1)] {
        let other = corner(row, column)?;
        best = best.lt(&other)?.where_cond(&other, &best)?;
    }
    Ok(best)
}

/// A square window that slides over images.
#[derive(Clone, Copy, Debug)]
struct Window {
    rows: usize,
    columns: usize,
    channels: usize,
    side: usize,
    padding: usize,
}

impl Window {
    fn out(&self) -> (usize, usize) {
        let out = |n: usize| (n + 2 * self.padding + 1).saturating_sub(self.side);
        (out(self.rows), out(self.columns))
    }

    fn image_len(&self) -> usize {
        self.rows * self.columns * self.channels
    }

    fn patch_len(&self) -> usize {
        self.side * self.side * self.channels
    }

    /// Calls `each` for every row of every patch that lies inside the image: where in the patches, where in the image,
    /// and how many numbers. Patches are numbered row by row within one image.
    fn for_each_run(&self, mut each: impl FnMut(usize, usize, usize)) {
        let (out_rows, out_columns) = self.out();
        for out_row in 0..out_rows {
            for out_column in 0..out_columns {
                let patch = (out_row * out_columns + out_column) * self.patch_len();
                for k in 0..self.side {
                    let Some(row) =
                        (out_row + k).checked_sub(self.padding).filter(|&row| row < self.rows)
                    else {
                        continue;
                    };
                    let first = self.padding.saturating_sub(out_column);
                    let last = self.side.min(self.columns + self.padding - out_column);
                    let column = out_column + first - self.padding;
                    each(
                        patch + (k * self.side + first) * self.channels,
                        (row * self.columns + column) * self.channels,
                        (last - first) * self.channels,
                    );
                }
            }
        }
    }
}

fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(numbers), Some((start, end))) => Ok(&numbers[start..end]),
        _ => bail!("expected contiguous f32 numbers"),
    }
}

/// Images (n, rows, columns, c) to their patches (n × rows × columns, side × side × c).
struct Unfold(Window);

impl CustomOp1 for Unfold {
    fn name(&self) -> &'static str {
        "unfold"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let window = &self.0;
        let images = floats(storage, layout)?;
        let samples = images.len() / window.image_len();
        let (out_rows, out_columns) = window.out();
        let n_patches = out_rows * out_columns;
        let mut patches = vec![0.0_f32; samples * n_patches * window.patch_len()];
        for (image, patches) in images
            .chunks_exact(window.image_len())
            .zip(patches.chunks_exact_mut(n_patches * window.patch_len()))
        {
            window.for_each_run(|patch, at, n| {
                patches[patch..patch + n].copy_from_slice(&image[at..at + n]);
            });
        }
        Ok((CpuStorage::F32(patches), Shape::from((samples * n_patches, window.patch_len()))))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        gradient.contiguous()?.apply_op1_no_bwd(&Fold(self.0)).map(Some)
    }
}

/// The gradient of [`Unfold`]: each pixel's sum over the patches that hold it, in the patches' order.
struct Fold(Window);

impl CustomOp1 for Fold {
    fn name(&self) -> &'static str {
        "fold"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let window = &self.0;
        let patches = floats(storage, layout)?;
        let (out_rows, out_columns) = window.out();
        let patches_len = out_rows * out_columns * window.patch_len();
        let samples = patches.len() / patches_len;
        let mut images = vec![0.0_f32; samples * window.image_len()];
        for (image, patches) in
            images.chunks_exact_mut(window.image_len()).zip(patches.chunks_exact(patches_len))
        {
            window.for_each_run(|patch, at, n| {
                for (pixel, gradient) in
                    image[at..at + n].iter_mut().zip(&patches[patch..patch + n])
                {
                    *pixel += gradient;
                }
            });
        }
        let shape = (samples, window.rows, window.columns, window.channels);
        Ok((CpuStorage::F32(images), Shape::from(shape)))
    }
}

struct MaxPool;

/// For each output of a 2 × 2 pooling of images with these dimensions: the place of the first largest input.
fn largest(
    images: &[f32],
    (rows, columns, channels): (usize, usize, usize),
    mut each: impl FnMut(usize, usize),
) {
    let mut out = 0;
    for start in (0..images.len()).step_by(rows * columns * channels) {
        for row in (0..rows / 2 * 2).step_by(2) {
            for column in (0..columns / 2 * 2).step_by(2) {
                for channel in 0..channels {
                    let corner = start + (row * columns + column) * channels + channel;
                    let below = corner + columns * channels;
                    let place = [corner + channels, below, below + channels].into_iter().fold(
                        corner,
                        |best, place| if images[best] < images[place] { place } else { best },
                    );
                    each(out, place);
                    out += 1;
                }
            }
        }
    }
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max-pool"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let images = floats(storage, layout)?;
        let (samples, rows, columns, channels) = layout.shape().dims4()?;
        let mut pooled = vec![0.0_f32; samples * (rows / 2) * (columns / 2) * channels];
        largest(images, (rows, columns, channels), |out, place| pooled[out] = images[place]);
        Ok((CpuStorage::F32(pooled), Shape::from((samples, rows / 2, columns / 2, channels))))
    }

    fn bwd(&self, images: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (_, rows, columns, channels) = images.dims4()?;
        let values = images.flatten_all()?.to_vec1::<f32>()?;
        let gradient = gradient.contiguous()?.flatten_all()?.to_vec1::<f32>()?;
        let mut spread = vec![0.0_f32; values.len()];
        largest(&values, (rows, columns, channels), |out, place| spread[place] = gradient[out]);
        Tensor::from_vec(spread, images.shape(), images.device()).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Var;

    use super::*;

    fn numbers(n: usize) -> Vec<f32> {
        (0..n).map(|index| ((index * 7919 % 101) as f32 - 50.0) / 50.0).collect()
    }

    fn assert_close(ours: &Tensor, theirs: &Tensor) {
        let largest =
            |tensor: &Tensor| tensor.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        let (difference, size) = (largest(&(ours - theirs).unwrap()), largest(theirs));
        assert!(difference < 1e-5 * size, "{difference} of {size}");
    }

    #[test]
    fn values_and_gradients_are_those_of_candles_own_convolution_and_pooling() {
        let cpu = &Device::Cpu;
        for (channels, padding) in [(1, 2), (3, 0)] {
            let images =
                Var::from_vec(numbers(2 * channels * 64), (2, channels, 8, 8), cpu).unwrap();
            let weights =
                Var::from_vec(numbers(4 * channels * 25), (4, channels, 5, 5), cpu).unwrap();
            let bias = Var::from_vec(numbers(4), 4, cpu).unwrap();
            let last = images.permute((0, 2, 3, 1)).unwrap();
            let ours = weights.permute((2, 3, 1, 0)).unwrap().contiguous().unwrap();
            let ours = ours.reshape((25 * channels, 4)).unwrap();
            let ours = max_pool(&convolve(&last, &ours, &bias, padding).unwrap()).unwrap();
            let ours = ours.permute((0, 3, 1, 2)).unwrap().contiguous().unwrap();
            let theirs = images.conv2d(&weights, padding, 1, 1, 1).unwrap();
            let theirs = theirs.broadcast_add(&bias.reshape((1, 4, 1, 1)).unwrap()).unwrap();
            // Candle's own pooling has a quarter of the right gradient.
            let side = 8 + 2 * padding - 4;
            let squares = theirs.reshape((2, 4, side / 2, 2, side / 2, 2)).unwrap();
            let theirs = squares.max(5).unwrap().max(3).unwrap();
            assert_close(&ours, &theirs);
            let (a, b) = (
                ours.sqr().unwrap().backward().unwrap(),
                theirs.sqr().unwrap().backward().unwrap(),
            );
            for variable in [&images, &weights, &bias] {
                assert_close(a.get(variable).unwrap(), b.get(variable).unwrap());
            }
        }
    }

    #[test]
    fn candles_operations_do_what_our_loops_do() {
        let values = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (rows, columns, channels, padding) in [(8, 8, 1, 2), (7, 9, 3, 0)] {
            // Many of these are equal.
            let numbers: Vec<f32> =
                numbers(2 * rows * columns * channels).iter().map(|x| (4.0 * x).round()).collect();
            let images =
                Var::from_vec(numbers, (2, rows, columns, channels), &Device::Cpu).unwrap();
            let window = Window { rows, columns, channels, side: 5, padding };
            let pairs = [
                (images.apply_op1(Unfold(window)).unwrap(), unfold(&images, window).unwrap()),
                (images.apply_op1(MaxPool).unwrap(), pool(&images).unwrap()),
            ];
            for (ours, theirs) in pairs {
                assert_eq!((ours.dims(), values(&ours)), (theirs.dims(), values(&theirs)));
                let gradient = |tensor: &Tensor| {
                    let gradients = (tensor.sqr().unwrap() + tensor).unwrap().backward().unwrap();
                    values(gradients.get(&images).unwrap())
                };
                assert_eq!(gradient(&ours), gradient(&theirs));
            }
        }
    }
}
