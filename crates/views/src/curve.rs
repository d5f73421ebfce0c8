//! Learning curves: averaged over seeds, thinned to what a screen shows.

use std::collections::BTreeMap;

use pleach_core::statistics::{deviation, mean};

/// One place of a configuration's learning curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub step: u64,
    /// Over the seeds with a finite value at this step.
    pub mean: f64,
    /// The sample standard deviation over the same; `None` with fewer than two.
    pub spread: Option<f64>,
}

/// The mean over seeds at every step at which one of them was evaluated; steps without a finite value are left out.
pub fn average<'a>(seeds: impl IntoIterator<Item = &'a [(u64, f64)]>) -> Vec<Point> {
    let mut steps: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for &(step, value) in seeds.into_iter().flatten() {
        if value.is_finite() {
            steps.entry(step).or_default().push(value);
        }
    }
    let point = |(step, values): (u64, Vec<f64>)| {
        Some(Point { step, mean: mean(&values)?, spread: deviation(&values) })
    };
    steps.into_iter().filter_map(point).collect()
}

/// At most so many of the items (at least two), evenly, the first and the last among them.
pub fn thinned<T: Copy>(items: &[T], count: usize) -> Vec<T> {
    let (count, last) = (count.max(2), items.len().saturating_sub(1));
    if items.len() <= count {
        return items.to_vec();
    }
    (0..count).map(|index| items[index * last / (count - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_the_mean_of_the_seeds_that_have_a_value() {
        let seeds: [&[(u64, f64)]; 3] =
            [&[(5, 1.0), (10, 2.0)], &[(5, 3.0), (10, f64::NAN)], &[(15, f64::INFINITY)]];
        let expected = [
            Point { step: 5, mean: 2.0, spread: Some(2_f64.sqrt()) },
            Point { step: 10, mean: 2.0, spread: None },
        ];
        assert_eq!(average(seeds), expected);
        assert_eq!(average([]), []);
    }

    #[test]
    fn thinning_keeps_both_ends() {
        let items: Vec<u32> = (0..100).collect();
        assert_eq!(thinned(&items, 4), [0, 33, 66, 99]);
        assert_eq!(thinned(&items, 0), [0, 99]);
        assert_eq!(thinned(&items[..3], 4), [0, 1, 2]);
        assert!(thinned(&items[..0], 4).is_empty());
    }
}
