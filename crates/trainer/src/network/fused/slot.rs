//! The update of one slot, and what else is done number by number.

use pulp::NullaryFnOnce;

use super::vectors;
use crate::{
    network::Update,
    optimizer::{Rule, moments},
};

/// What an update changes, and how.
pub(super) struct Descent<'a> {
    pub(super) rule: Rule,
    pub(super) step: u64,
    pub(super) rate: f64,
    pub(super) weights: &'a mut [f32],
    /// The optimizer's state, as long as the weights each.
    pub(super) moments: &'a mut [Vec<f32>],
}

impl<'a> Descent<'a> {
    pub(super) fn new(update: &'a mut Update, slot: usize) -> Self {
        let Update { state, rule, rate } = update;
        let (weights, moments) = (&mut state.weights[slot], &mut state.optimizer[slot]);
        Self { rule: *rule, step: state.step, rate: *rate, weights, moments }
    }

    pub(super) fn len(&self) -> usize {
        self.weights.len()
    }

    /// Updates the weights from `from` on, as many as there are gradients; answers with the sum of the gradients'
    /// squares.
    #[inline(always)]
    pub(super) fn descend(&mut self, from: usize, gradient: &[f32]) -> f64 {
        let range = from..from + gradient.len();
        let moments = moments(self.moments, range.clone());
        self.rule.update(self.step, self.rate, &mut self.weights[range], gradient, moments);
        sum_of_squares(gradient)
    }

    /// Updates all weights; answers with the sum of the gradients' squares.
    pub(super) fn descend_all(self, gradient: &[f32]) -> f64 {
        struct All<'a, 'b>(Descent<'a>, &'b [f32]);
        impl NullaryFnOnce for All<'_, '_> {
            type Output = f64;

            #[inline(always)]
            fn call(mut self) -> f64 {
                self.0.descend(0, self.1)
            }
        }
        vectors().dispatch(All(self, gradient))
    }
}

/// In f64, as sixteen sums of every sixteenth square.
#[inline(always)]
fn sum_of_squares(numbers: &[f32]) -> f64 {
    let (sixteens, rest) = numbers.as_chunks::<16>();
    let mut sums = [0.0_f64; 16];
    for sixteen in sixteens {
        for (sum, &number) in sums.iter_mut().zip(sixteen) {
            *sum += f64::from(number) * f64::from(number);
        }
    }
    for (sum, &number) in sums.iter_mut().zip(rest) {
        *sum += f64::from(number) * f64::from(number);
    }
    sums.iter().sum()
}

/// ReLU; a NaN stays one.
pub(super) fn rectify(values: &mut [f32]) {
    struct Rectify<'a>(&'a mut [f32]);
    impl NullaryFnOnce for Rectify<'_> {
        type Output = ();

        #[inline(always)]
        fn call(self) {
            for value in self.0 {
                *value = if *value < 0.0 { 0.0 } else { *value };
            }
        }
    }
    vectors().dispatch(Rectify(values));
}

/// The gradient by ReLU's inputs, from that by its outputs.
pub(super) fn mask(gradient: &mut [f32], outputs: &[f32]) {
    struct Mask<'a>(&'a mut [f32], &'a [f32]);
    impl NullaryFnOnce for Mask<'_> {
        type Output = ();

        #[inline(always)]
        fn call(self) {
            for (gradient, &output) in self.0.iter_mut().zip(self.1) {
                *gradient = if 0.0 < output { *gradient } else { 0.0 };
            }
        }
    }
    vectors().dispatch(Mask(gradient, outputs));
}

/// Adds up the rows of a table.
pub(super) fn sum_rows(rows: &[f32], sums: &mut [f32]) {
    struct SumRows<'a>(&'a [f32], &'a mut [f32]);
    impl NullaryFnOnce for SumRows<'_> {
        type Output = ();

        #[inline(always)]
        fn call(self) {
            let Self(rows, sums) = self;
            sums.fill(0.0);
            for row in rows.chunks_exact(sums.len()) {
                for (sum, &number) in sums.iter_mut().zip(row) {
                    *sum += number;
                }
            }
        }
    }
    vectors().dispatch(SumRows(rows, sums));
}

/// Takes one lane's columns out of tables side by side of so many rows; all of it, if there is but one.
pub(super) fn take(
    beside: &mut Vec<f32>,
    lane: usize,
    n_lanes: usize,
    n_rows: usize,
    own: &mut Vec<f32>,
) {
    if n_lanes == 1 {
        return std::mem::swap(beside, own);
    }
    let all = beside.len() / n_rows;
    let width = all / n_lanes;
    own.clear();
    for row in beside.chunks_exact(all) {
        own.extend_from_slice(&row[lane * width..][..width]);
    }
}

/// Puts one lane's columns where [`take`] finds them.
pub(super) fn give(
    own: &mut Vec<f32>,
    lane: usize,
    n_lanes: usize,
    n_rows: usize,
    beside: &mut Vec<f32>,
) {
    if n_lanes == 1 {
        return std::mem::swap(beside, own);
    }
    let width = own.len() / n_rows;
    beside.resize(own.len() * n_lanes, 0.0);
    for (row, own) in beside.chunks_exact_mut(width * n_lanes).zip(own.chunks_exact(width)) {
        row[lane * width..][..width].copy_from_slice(own);
    }
}
