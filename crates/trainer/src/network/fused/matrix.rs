//! The product of two matrices, in one order: each entry is a chain of fused multiplications and additions, along the
//! inner dimension from its first index to its last. Neither the width of the vectors nor the size of the tiles can be
//! seen in the result, because different entries never meet.

use std::array;

use pulp::{Simd, WithSimd};

use super::vectors;

/// Numbers seen as a matrix: the entry (r, c) is `numbers[rows[r] + columns[c]]`, so that a table can be read by rows as
/// well as by columns.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub(super) numbers: &'a [f32],
    pub(super) rows: &'a [usize],
    pub(super) columns: &'a [usize],
}

impl Matrix<'_> {
    pub(super) fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, ..self }
    }
}

/// Offsets that make a matrix of a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    width: usize,
    rows: Vec<usize>,
    columns: Vec<usize>,
}

impl Table {
    pub(super) fn new(n_rows: usize, width: usize) -> Self {
        let mut table = Self { width, rows: Vec::new(), columns: (0..width).collect() };
        table.reserve(n_rows);
        table
    }

    /// Makes room for so many rows.
    pub(super) fn reserve(&mut self, n_rows: usize) {
        self.rows.extend((self.rows.len()..n_rows).map(|row| row * self.width));
    }

    /// All of `numbers`, row by row.
    pub(super) fn of<'a>(&'a self, numbers: &'a [f32]) -> Matrix<'a> {
        let rows = &self.rows[..numbers.len() / self.width];
        Matrix { numbers, rows, columns: &self.columns }
    }
}

/// Room for the right factor, laid out as it is read.
#[derive(Debug, Default)]
pub(super) struct Panel(Vec<f32>);

impl Panel {
    /// So many numbers, on a cache line's boundary.
    #[inline(always)]
    pub(super) fn room(&mut self, len: usize) -> &mut [f32] {
        const LINE: usize = 16;
        if self.0.len() < len + LINE {
            self.0.resize(len + LINE, 0.0);
        }
        let skipped = self.0.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        &mut self.0[skipped..skipped + len]
    }

    /// The columns of `right` from `first` on, `width` of them; 0 where there are none.
    #[inline(always)]
    pub(super) fn pack(&mut self, right: Matrix, first: usize, width: usize) -> &[f32] {
        let columns = &right.columns[first..right.columns.len().min(first + width)];
        // Offsets ascend, so these are neighbours.
        let is_contiguous = columns[columns.len() - 1] - columns[0] == columns.len() - 1;
        let panel = self.room(right.rows.len() * width);
        for (row, packed) in right.rows.iter().zip(panel.chunks_exact_mut(width)) {
            let (packed, rest) = packed.split_at_mut(columns.len());
            rest.fill(0.0);
            if is_contiguous {
                packed.copy_from_slice(&right.numbers[row + columns[0]..][..columns.len()]);
            } else {
                for (number, column) in packed.iter_mut().zip(columns) {
                    *number = right.numbers[row + column];
                }
            }
        }
        panel
    }
}

/// Computes products of `R` rows of the left factor with a panel of `V` vectors, and hands them over with the number of
/// the first row. Rows beyond the last repeat it.
#[inline(always)]
fn for_each_tile<S: Simd, const R: usize, const V: usize>(
    simd: S,
    left: Matrix,
    panel: &[f32],
    start: [S::f32s; V],
    mut each: impl FnMut(usize, [[S::f32s; V]; R]),
) {
    let (panel, _) = S::as_simd_f32s(panel).0.as_chunks::<V>();
    let span = left.columns.iter().max().map_or(0, |last| last + 1);
    for first in (0..left.rows.len()).step_by(R) {
        let rows: [&[f32]; R] = array::from_fn(|row| {
            let row = left.rows[(first + row).min(left.rows.len() - 1)];
            &left.numbers[row..][..span]
        });
        let mut sums = [start; R];
        for (&column, right) in left.columns.iter().zip(panel) {
            for (sums, row) in sums.iter_mut().zip(rows) {
                let left = simd.splat_f32s(row[column]);
                for (sum, &right) in sums.iter_mut().zip(right) {
                    *sum = simd.mul_add_f32s(left, right, *sum);
                }
            }
        }
        each(first, sums);
    }
}

/// Writes what fits.
#[inline(always)]
fn store<S: Simd, const V: usize>(simd: S, values: [S::f32s; V], out: &mut [f32]) {
    let (whole, rest) = S::as_mut_simd_f32s(out);
    let n_whole = whole.len();
    for (vector, value) in values.into_iter().enumerate() {
        if vector < n_whole {
            whole[vector] = value;
        } else if vector == n_whole && !rest.is_empty() {
            simd.partial_store_f32s(rest, value);
        }
    }
}

/// `out = start + left · right`, row by row; `start` is one row for all, 0 if absent.
pub(super) fn multiply(
    out: &mut [f32],
    left: Matrix,
    right: Matrix,
    start: Option<&[f32]>,
    panel: &mut Panel,
) {
    vectors().dispatch(Multiply { out, left, right, start, panel });
}

struct Multiply<'a> {
    out: &'a mut [f32],
    left: Matrix<'a>,
    right: Matrix<'a>,
    start: Option<&'a [f32]>,
    panel: &'a mut Panel,
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut first = 0;
        while first < self.right.columns.len() {
            let left_over = (self.right.columns.len() - first).div_ceil(S::F32_LANES);
            // As many sums as there are registers for, and no lonely last vector.
            first += match (left_over, 32 <= S::REGISTER_COUNT) {
                (1, _) => self.columns::<S, 8, 1>(simd, first),
                (2 | 4, true) => self.columns::<S, 8, 2>(simd, first),
                (2 | 4, false) => self.columns::<S, 4, 2>(simd, first),
                (_, true) => self.columns::<S, 8, 3>(simd, first),
                (_, false) => self.columns::<S, 4, 3>(simd, first),
            };
        }
    }
}

impl Multiply<'_> {
    /// Computes the columns that fit into `V` vectors; answers with how many.
    #[inline(always)]
    fn columns<S: Simd, const R: usize, const V: usize>(&mut self, simd: S, first: usize) -> usize {
        let (n_rows, width) = (self.left.rows.len(), self.right.columns.len());
        let n_columns = (V * S::F32_LANES).min(width - first);
        let start = array::from_fn(|vector| match self.start {
            Some(start) => {
                let from = (first + vector * S::F32_LANES).min(width);
                simd.partial_load_f32s(&start[from..(from + S::F32_LANES).min(width)])
            }
            None => simd.splat_f32s(0.0),
        });
        let panel = self.panel.pack(self.right, first, V * S::F32_LANES);
        let out = &mut *self.out;
        for_each_tile::<S, R, V>(simd, self.left, panel, start, |row, sums| {
            for (row, sums) in (row..n_rows).zip(sums) {
                store(simd, sums, &mut out[row * width + first..][..n_columns]);
            }
        });
        n_columns
    }
}
