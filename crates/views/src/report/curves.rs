//! Learning curves, averaged over seeds, with no more points than a screen shows.

use std::collections::BTreeMap;

use pleach_core::{life::TrialId, rank::Ranked};
use serde::Serialize;

use super::{Values, short};
use crate::curve::{Point, average, thinned};

/// Points of all curves together.
const POINTS: usize = 300_000;

/// Points of one curve, at least and at most.
const LEAST: usize = 24;
const MOST: usize = 200;

/// Metrics that a person can choose from: more of them do not fit a menu.
const METRICS: usize = 100;

/// So many significant digits are more than a screen shows.
const DIGITS: usize = 5;

/// One metric's curves, by configuration, in the order of the board.
#[derive(Debug, Serialize)]
pub(super) struct Curves<'a> {
    metric: &'a str,
    /// Different lists of steps: most curves have the same.
    steps: Vec<Vec<u64>>,
    /// Index of a curve's list.
    index: Vec<usize>,
    mean: Vec<Vec<Option<f64>>>,
    /// Sample standard deviation; empty where there is none of any step.
    spread: Vec<Vec<Option<f64>>>,
}

/// How many metrics a report shows, beside so many configurations: as many as there is room for, at least one.
pub fn most_metrics(configurations: usize) -> usize {
    (POINTS / configurations.max(1) / LEAST).clamp(1, METRICS)
}

pub(super) fn of<'a>(metrics: &'a [(String, Values)], ranked: &[Ranked]) -> Vec<Curves<'a>> {
    let room = POINTS / ranked.len().max(1);
    let most = (room / metrics.len().max(1)).clamp(LEAST, MOST);
    metrics.iter().map(|(metric, trials)| curves(metric, trials, ranked, most)).collect()
}

fn curves<'a>(
    metric: &'a str,
    trials: &BTreeMap<TrialId, Vec<(u64, f64)>>,
    ranked: &[Ranked],
    most: usize,
) -> Curves<'a> {
    let mut places: BTreeMap<Vec<u64>, usize> = BTreeMap::new();
    let (steps, index) = (Vec::new(), Vec::new());
    let mut curves = Curves { metric, steps, index, mean: Vec::new(), spread: Vec::new() };
    for ranked in ranked {
        let seeds = ranked.row.trials.iter().filter_map(|result| trials.get(&result.trial));
        let points: Vec<Point> = thinned(&average(seeds.map(Vec::as_slice)), most);
        let steps: Vec<u64> = points.iter().map(|point| point.step).collect();
        let next = places.len();
        curves.index.push(*places.entry(steps.clone()).or_insert(next));
        if curves.steps.len() < places.len() {
            curves.steps.push(steps);
        }
        let number = |value: Option<f64>| value.and_then(|value| short(value, DIGITS));
        curves.mean.push(points.iter().map(|point| number(Some(point.mean))).collect());
        let spread: Vec<_> = points.iter().map(|point| number(point.spread)).collect();
        let is_known = spread.iter().any(Option::is_some);
        curves.spread.push(if is_known { spread } else { Vec::new() });
    }
    curves
}
