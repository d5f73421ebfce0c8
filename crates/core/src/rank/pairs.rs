//! Configurations compared with each other, on the seeds that both have: fast, since every row that is shown is compared with
//! all there are.

use std::cmp::Ordering;

use crate::{
    objective::Goal,
    statistics::{Interval, bound_95},
};

/// So many configurations are compared side by side.
const SIDE_BY_SIDE: usize = 64;

/// The numbers of configurations, in some order.
#[derive(Debug)]
pub(super) struct Pairs {
    goal: Goal,
    /// For each seed the numbers of all configurations; NaN where one has none.
    seeds: Vec<Vec<f64>>,
    /// The square of an interval's half length is so many times the sum of the squares of the distances from the mean, if
    /// no seed is missing.
    factor: f64,
    /// Of every few configurations, side by side, the lowest and the highest end of their intervals.
    ends: Vec<(f64, f64)>,
}

impl Pairs {
    pub(super) fn new(goal: Goal, seeds: Vec<Vec<f64>>) -> Self {
        let n = seeds.len() as f64;
        let factor = match seeds.len() {
            ..2 => f64::NAN,
            n_seeds => bound_95(n_seeds as u32 - 1).powi(2) / (n * (n - 1.0)),
        };
        let mut pairs = Self { goal, seeds, factor, ends: Vec::new() };
        pairs.ends = (0..pairs.len()).step_by(SIDE_BY_SIDE).map(|it| pairs.ends(it)).collect();
        pairs
    }

    pub(super) fn goal(&self) -> Goal {
        self.goal
    }

    pub(super) fn seeds(&self) -> &[Vec<f64>] {
        &self.seeds
    }

    /// How many configurations there are.
    pub(super) fn len(&self) -> usize {
        self.seeds.first().map_or(0, Vec::len)
    }

    /// Whether each configuration, in order, is better (less) or worse (greater) than this one, or cannot be told from it; `None`
    /// without two seeds in common. Of a board of a million trials millions of pairs are compared: roots and room are for the
    /// few that need them, the others are compared side by side, and whole sides at once where no interval meets this one's.
    pub(super) fn each(&self, one: usize, mut see: impl FnMut(usize, Option<Ordering>)) {
        if self.len() <= one {
            return;
        }
        let (means, squares) = self.side(one, 1, None);
        let own = self.interval(means[0], squares[0]);
        for (first, ends) in (0..self.len()).step_by(SIDE_BY_SIDE).zip(&self.ends) {
            let n = SIDE_BY_SIDE.min(self.len() - first);
            if let Some(ordering) = self.apart(*ends, own) {
                (first..first + n).for_each(|other| see(other, Some(ordering)));
                continue;
            }
            let (means, squares) = self.side(first, n, Some(one));
            for (other, (mean, squares)) in (first..first + n).zip(means.into_iter().zip(squares)) {
                let clear = self.clear(mean, squares);
                see(other, clear.or_else(|| self.compare(other, one)));
            }
        }
    }

    /// Of so many configurations from the first on the mean over all seeds, or of the difference from another one, and the sum of
    /// the squares of the distances from it; NaN where a seed is missing.
    fn side(
        &self,
        first: usize,
        n: usize,
        from: Option<usize>,
    ) -> ([f64; SIDE_BY_SIDE], [f64; SIDE_BY_SIDE]) {
        let share = 1.0 / self.seeds.len() as f64;
        let (mut means, mut squares) = ([0.0; SIDE_BY_SIDE], [0.0; SIDE_BY_SIDE]);
        let zero = |seed: &[f64]| from.map_or(0.0, |from| seed[from]);
        for seed in &self.seeds {
            let zero = zero(seed);
            for (mean, number) in means.iter_mut().zip(&seed[first..first + n]) {
                *mean += share * (number - zero);
            }
        }
        for seed in &self.seeds {
            let zero = zero(seed);
            let numbers = means.iter().zip(&seed[first..first + n]);
            for (squares, (mean, number)) in squares.iter_mut().zip(numbers) {
                *squares += (number - zero - mean).powi(2);
            }
        }
        (means, squares)
    }

    fn interval(&self, mean: f64, squares: f64) -> (f64, f64) {
        let half = (self.factor * squares).sqrt();
        (mean - half, mean + half)
    }

    /// The ends of the intervals of what is side by side from this one on; NaN where a seed is missing.
    fn ends(&self, first: usize) -> (f64, f64) {
        let n = SIDE_BY_SIDE.min(self.len() - first);
        let (means, squares) = self.side(first, n, None);
        let intervals = means
            .into_iter()
            .zip(squares)
            .take(n)
            .map(|(mean, squares)| self.interval(mean, squares));
        // A NaN stays one.
        intervals
            .reduce(|(lowest, highest), (low, high)| {
                (
                    if lowest < low || lowest.is_nan() { lowest } else { low },
                    if high < highest || highest.is_nan() { highest } else { high },
                )
            })
            .unwrap_or((f64::NAN, f64::NAN))
    }

    /// How all compare whose intervals lie between these ends with one whose interval is this: where intervals do not meet, that of
    /// the difference leaves zero out, since a deviation of differences is at most the sum of both deviations.
    fn apart(&self, (lowest, highest): (f64, f64), (low, high): (f64, f64)) -> Option<Ordering> {
        // No rounding makes so much of a difference, no square is too small for a number, and no difference too large.
        let is_below = |a: f64, b: f64| {
            let size = a.abs() + b.abs();
            size < 1e300 && 1e-9 * size + 1e-140 < b - a
        };
        if is_below(highest, low) {
            Some(self.by_sign(true))
        } else if is_below(high, lowest) {
            Some(self.by_sign(false))
        } else {
            None
        }
    }

    /// How one compares that differs, and is lower or higher.
    fn by_sign(&self, is_lower: bool) -> Ordering {
        if is_lower == (self.goal == Goal::Min) { Ordering::Less } else { Ordering::Greater }
    }

    /// How a configuration compares by the mean of differences and the sum of the squares of their distances from it; `None` if
    /// a rounding could decide, or if something is missing.
    fn clear(&self, mean: f64, squares: f64) -> Option<Ordering> {
        // No rounding makes so much of a difference.
        const CLEARLY: f64 = 1.0 - 1e-6;
        // What lies between has lost no digit.
        const SMALL: f64 = 1e-280;
        const LARGE: f64 = 1e280;
        let (distance, half) = (mean * mean, self.factor * squares);
        if half < CLEARLY * distance && SMALL < distance && distance < LARGE {
            Some(self.by_sign(mean < 0.0))
        } else if distance < CLEARLY * half && SMALL < half && half < LARGE {
            Some(Ordering::Equal)
        } else {
            None
        }
    }

    /// One of [`Pairs::each`], to the last bit.
    fn compare(&self, one: usize, other: usize) -> Option<Ordering> {
        if self.seeds.len() < 2 {
            return None;
        }
        // Equal numbers are many where a metric has few values.
        if self.seeds.iter().all(|seed| seed[one] == seed[other]) {
            return Some(Ordering::Equal);
        }
        let interval = Interval::of(&self.differences(one, other))?;
        Some(if interval.contains(0.0) {
            Ordering::Equal
        } else {
            self.goal.compare(interval.mean, 0.0)
        })
    }

    /// By common seed, one configuration's number minus the other's.
    pub(super) fn differences(&self, one: usize, other: usize) -> Vec<f64> {
        self.seeds.iter().map(|seed| seed[one] - seed[other]).filter(|d| d.is_finite()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn side_by_side_is_as_one_by_one(
            mut rows in (1..6_usize).prop_flat_map(|width| {
                vec((-60..60_i32, vec(-3..4_i32, width)), 1..200)
            }),
            scale in prop_oneof![-320..-200_i32, -160..-120_i32, -2..2_i32, 130..306_i32],
            noise in any::<u64>(),
            is_max in any::<bool>(),
        ) {
            // In the order of boards many lie far apart, as sides do.
            rows.sort();
            // Whole numbers meet the ends of intervals; others, of any size, come close.
            let blur = |index: usize| 1.0 + f64::from((noise >> (8 * index)) as u8) * 1e-15;
            let seed = |index: usize| {
                let scale = blur(index) * 10_f64.powi(scale);
                let number = |(far, near): &(i32, Vec<i32>)| f64::from(25 * far + near[index]) * scale;
                rows.iter().map(number).collect::<Vec<f64>>()
            };
            let goal = if is_max { Goal::Max } else { Goal::Min };
            let pairs = Pairs::new(goal, (0..rows[0].1.len()).map(seed).collect());
            for one in [0, rows.len() / 2, rows.len() - 1] {
                let mut seen = Vec::new();
                pairs.each(one, |other, ordering| seen.push((other, ordering)));
                let exact = (0..rows.len()).map(|other| (other, pairs.compare(other, one)));
                prop_assert_eq!(seen, exact.collect::<Vec<_>>());
            }
        }
    }
}
