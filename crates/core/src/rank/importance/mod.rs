//! How much each parameter matters: the share of the objective's variance that it explains, over what was tried.

mod forest;

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::{
    rank::{Ranked, State},
    statistics::{deviation, mean},
    value::{Parameters, Value},
};
use forest::{Feature, MAX_LEVELS, Points, levels};

/// Each is grown from configurations drawn anew, so that they differ as much as the shares are uncertain.
const TREES: usize = 64;

/// Fewer configurations than this tell nothing.
const LEAST_CONFIGURATIONS: usize = 8;

/// What matters among some configurations.
#[derive(Clone, Debug, PartialEq)]
pub struct Importance {
    /// The branch that they are of: a choice's name and value. `None` for all of them.
    pub branch: Option<(String, Value)>,
    /// Configurations that have a mean.
    pub configurations: usize,
    /// Those without one, which say nothing here: diverged, failed or waiting.
    pub left_out: usize,
    /// The parameters that all of them have and in which they differ, the most important one first.
    pub shares: Vec<Share>,
}

/// What one parameter explains, as shares of the variance of means from 0 to 1: the mean over the trees and their sample
/// standard deviation.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    pub name: String,
    /// By itself, the others averaged.
    pub alone: (f64, f64),
    /// Itself, and together with others; these shares overlap.
    pub total: (f64, f64),
}

/// What matters over all configurations, and inside each branch that has parameters of its own. Parts of which too little
/// is known are missing.
pub fn importance(board: &[Ranked]) -> Vec<Importance> {
    let all: Vec<&Ranked> = board.iter().collect();
    let common = common(&all);
    let mut parts = Vec::from_iter(part(None, &all, &common));
    let choices = common.iter().filter(|name| {
        all.iter().all(|ranked| ranked.row.parameters.get(**name).is_some_and(Value::is_name))
    });
    for choice in choices {
        let mut branches: BTreeMap<String, Vec<&Ranked>> = BTreeMap::new();
        for ranked in &all {
            branches.entry(ranked.row.parameters[*choice].to_string()).or_default().push(ranked);
        }
        for members in branches.into_values() {
            let own = self::common(&members);
            let has_own = own.iter().any(|name| !common.contains(name) && differ(&members, name));
            if has_own {
                let value = members[0].row.parameters[*choice].clone();
                parts.extend(part(Some(((*choice).to_owned(), value)), &members, &own));
            }
        }
    }
    parts
}

/// The names that all of them have.
fn common<'a>(rows: &[&'a Ranked]) -> BTreeSet<&'a str> {
    let names = |parameters: &'a Parameters| parameters.keys().map(String::as_str);
    let mut rows = rows.iter().map(|ranked| &ranked.row.parameters);
    let Some(first) = rows.next() else { return BTreeSet::new() };
    let mut common: BTreeSet<&str> = names(first).collect();
    for parameters in rows {
        common.retain(|name| parameters.contains_key(*name));
    }
    common
}

fn differ(rows: &[&Ranked], name: &str) -> bool {
    rows.iter().any(|ranked| ranked.row.parameters.get(name) != rows[0].row.parameters.get(name))
}

fn part(
    branch: Option<(String, Value)>,
    members: &[&Ranked],
    names: &BTreeSet<&str>,
) -> Option<Importance> {
    let is_known = |ranked: &&&Ranked| matches!(ranked.state, State::Done | State::Partial);
    let known: Vec<(&Parameters, f64)> = members
        .iter()
        .filter(is_known)
        .filter_map(|ranked| Some((&ranked.row.parameters, ranked.mean?)))
        .collect();
    if known.len() < LEAST_CONFIGURATIONS {
        return None;
    }
    let names: Vec<&str> = names.iter().copied().filter(|name| differ(members, name)).collect();
    let points = points(&known, &names);
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut draw = || (random.next_u64() % known.len() as u64) as usize;
    let trees = (0..TREES).filter_map(|_| {
        let drawn = known.iter().map(|_| draw()).collect();
        points.effects(drawn)
    });
    let trees: Vec<_> = trees.collect();
    let over_trees = |of: &dyn Fn(&forest::Effects) -> f64| {
        let values: Vec<f64> = trees.iter().map(of).collect();
        (mean(&values).unwrap_or(0.0), deviation(&values).unwrap_or(0.0))
    };
    let share = |(index, name): (usize, &&str)| Share {
        name: (*name).to_owned(),
        alone: over_trees(&|tree| tree.alone[index]),
        total: over_trees(&|tree| tree.total[index]),
    };
    let mut shares: Vec<Share> = names.iter().enumerate().map(share).collect();
    shares.sort_by(|a, b| b.total.0.total_cmp(&a.total.0));
    Some(Importance {
        branch,
        configurations: known.len(),
        left_out: members.len() - known.len(),
        shares,
    })
}

fn points(known: &[(&Parameters, f64)], names: &[&str]) -> Points {
    let (mut features, mut columns) = (Vec::new(), Vec::new());
    for name in names {
        let values: Vec<&Value> = known.iter().map(|(parameters, _)| &parameters[*name]).collect();
        let numbers = numbers(&values);
        let column = match &numbers {
            Some(numbers) => levels(numbers),
            None => kinds(&values),
        };
        let mut weights = vec![0.0; column.iter().max().map_or(0, |last| last + 1)];
        for level in &column {
            weights[*level] += 1.0 / known.len() as f64;
        }
        features.push(Feature { is_ordered: numbers.is_some(), weights });
        columns.push(column);
    }
    let levels = (0..known.len()).map(|point| columns.iter().map(|column| column[point]).collect());
    Points {
        features,
        levels: levels.collect(),
        values: known.iter().map(|(_, mean)| *mean).collect(),
    }
}

/// How much each of them is, if all are measured alike.
fn numbers(values: &[&Value]) -> Option<Vec<f64>> {
    let (_, unit) = values.first()?.measure()?;
    let number = |value: &&Value| value.measure().filter(|(_, of)| *of == unit);
    values.iter().map(|value| Some(number(value)?.0)).collect()
}

/// A level for each different value; if there are too many, the last ones share one.
fn kinds(values: &[&Value]) -> Vec<usize> {
    let mut known = BTreeMap::new();
    let mut kind = |value: &&Value| {
        let next = known.len();
        (*known.entry(value.to_string()).or_insert(next)).min(MAX_LEVELS - 1)
    };
    values.iter().map(&mut kind).collect()
}

#[cfg(test)]
mod tests;
