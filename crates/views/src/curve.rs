//! Learning curves: averaged over seeds, thinned to what a screen shows.

use std::collections::BTreeMap;

use pleach_core::statistics::{deviation, mean};
use pleach_schedule::{draw::Axis, resolved::Resolved};

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

/// What a curve in one line is made of, from low to high.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// So many characters has a curve in one line, at most.
const CELLS: usize = 12;

/// Curves in one line each, all on one scale: `▁▃▆█`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sparks {
    low: f64,
    high: f64,
    axis: Axis,
}

impl Sparks {
    /// On the scale of these values, those apart that are not finite, and the twentieth part at each end: a few outliers would
    /// make everything else flat.
    pub fn new(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let cut = values.len() / 20;
        let end = |index: usize| values.get(index).copied().unwrap_or(0.0);
        let (low, high) = (end(cut), end(values.len().saturating_sub(1 + cut)));
        Self { low, high, axis: Axis::between(low, high) }
    }

    /// Empty without points.
    pub fn line(&self, points: &[Point]) -> String {
        let level = |point: Point| {
            let share = self.axis.share(point.mean, self.low, self.high);
            let level = if share.is_finite() { share.clamp(0.0, 1.0) * 7.0 } else { 3.0 };
            LEVELS.get(level.round() as usize).copied().unwrap_or(' ')
        };
        thinned(points, CELLS).into_iter().map(level).collect()
    }
}

/// A schedule in one line, in shares of its highest rate.
pub(crate) fn rates(schedule: &Resolved, steps: u64) -> String {
    let highest = schedule.summary(steps.max(1)).highest;
    let cells = steps.clamp(1, CELLS as u64);
    let step = |cell: u64| (cell * steps.saturating_sub(1)).checked_div(cells - 1).unwrap_or(0);
    let point = |step: u64| Point { step, mean: schedule.at(step), spread: None };
    let points: Vec<Point> = (0..cells).map(step).map(point).collect();
    Sparks { low: 0.0, high: highest, axis: Axis::Linear }.line(&points)
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
    fn a_curve_in_one_line_is_seen_on_the_scale_of_all() {
        let curve = |means: &[f64]| -> Vec<Point> {
            let point = |(step, mean): (u64, &f64)| Point { step, mean: *mean, spread: None };
            (1..).zip(means).map(point).collect()
        };
        let sparks = Sparks::new([0.5, 0.9, f64::NAN, f64::INFINITY]);
        assert_eq!(sparks.line(&curve(&[0.5, 0.6, 0.8, 0.9])), "▁▃▆█");
        assert_eq!(sparks.line(&curve(&[-1e300, 1e300])), "▁█", "what is off the scale");
        assert_eq!(sparks.line(&curve(&[0.7; 40])).chars().count(), CELLS);
        assert_eq!(sparks.line(&[]), "");
        assert_eq!(Sparks::new([0.5]).line(&curve(&[0.5])), "▄", "there is nothing to compare");
        assert_eq!(Sparks::new([]).line(&curve(&[0.5])), "▄");
        let losses = [0.5, 0.05, 5e68, 5e30, 0.5];
        assert_eq!(Sparks::new(losses).line(&curve(&losses)), "▁▁█▄▁", "by factors over decades");
        let with_outlier = (0..20).map(f64::from).chain([1e9]);
        assert_eq!(Sparks::new(with_outlier).line(&curve(&[1.0, 10.0, 19.0])), "▁▅█");
    }

    #[test]
    fn a_schedule_in_one_line_begins_and_ends_where_it_does() {
        let line = |text: &str, steps| {
            let schedule: pleach_schedule::schedule::Schedule = text.parse().unwrap();
            let horizon = pleach_schedule::duration::Horizon { steps, steps_per_epoch: 1 };
            rates(&schedule.resolve(horizon).unwrap(), steps)
        };
        assert_eq!(line("0.3: 1 hold", 1000), "████████████");
        assert_eq!(line("0.3: 0 > 1 50%, > 0 linear", 1000), "▁▂▄▅▆▇▇▆▅▄▂▁");
        assert_eq!(line("0.3: > 0 linear", 3), "█▆▃");
        assert_eq!(line("0.3: 1 hold", 1), "█");
        assert_eq!(line("0.3: 0 hold", 5), "▄▄▄▄▄");
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
