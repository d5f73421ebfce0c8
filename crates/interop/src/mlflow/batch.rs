//! What a trial tried and measured, in portions that MLflow takes.

use std::collections::{BTreeMap, BTreeSet};

use pleach_core::{rank::Row, value::Parameters};
use pleach_store::TrialDetail;
use serde_json::{Value, json};

use crate::{all_parameters, ended, measured};

/// In one request.
const METRICS: usize = 1000;
const PARAMETERS: usize = 100;

/// Characters of a parameter's value.
pub const LONGEST: usize = 6000;

/// The reduced objective, beside the metrics that an evaluation gave.
const OBJECTIVE: &str = "objective";

/// What parameters are called there, so that no two are one.
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    pub(super) fn of(rows: &[Row], fixed: &Parameters) -> Self {
        distinct(rows.iter().flat_map(|row| row.parameters.keys()).chain(fixed.keys()))
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Names {
    let names: BTreeSet<&String> = names.collect();
    let mut taken: BTreeSet<String> =
        names.iter().filter(|name| legal(name) == ***name).map(|name| (*name).clone()).collect();
    let mut all = BTreeMap::new();
    for name in names {
        let mut there = legal(name);
        while there != *name && !taken.insert(there.clone()) {
            there.push('_');
        }
        all.insert(name.clone(), there);
    }
    Names(all)
}

/// A name with the characters that MLflow takes; slashes make groups, but no paths.
fn legal(name: &str) -> String {
    let is_path = name.split('/').any(|part| matches!(part, "" | "." | ".."));
    let is_legal = |c: char| c.is_alphanumeric() || " _-.".contains(c) || (c == '/' && !is_path);
    let legal: String = name.chars().map(|c| if is_legal(c) { c } else { '_' }).collect();
    if matches!(&*legal, "" | "." | "..") { format!("{legal}_") } else { legal }
}

/// Bodies of requests, without the run.
pub(super) fn batches(trial: &TrialDetail, fixed: &Parameters, names: &Names) -> Vec<Value> {
    let parameters: Vec<Value> = all_parameters(trial, fixed)
        .iter()
        .filter_map(|(name, value)| {
            let value: String = value.to_string().chars().take(LONGEST).collect();
            Some(json!({ "key": names.0.get(name)?, "value": value }))
        })
        .collect();
    let mut metrics = metrics(trial);
    let last = trial.metrics.last().map_or(0, |(step, _)| *step);
    let is_taken =
        trial.metrics.iter().flat_map(|(_, values)| values).any(|(name, _)| name == OBJECTIVE);
    if let Some(value) = trial.objective.filter(|_| !is_taken) {
        metrics.push(metric(OBJECTIVE, value, last, ended(trial).map_or(0, |time| time.0)));
    }
    let parameters = parameters.chunks(PARAMETERS).map(|some| json!({ "params": some }));
    parameters.chain(metrics.chunks(METRICS).map(|some| json!({ "metrics": some }))).collect()
}

fn metrics(trial: &TrialDetail) -> Vec<Value> {
    let names = distinct(trial.metrics.iter().flat_map(|(_, values)| values).map(|(name, _)| name));
    let mut metrics = Vec::new();
    for (step, values) in &trial.metrics {
        let time = measured(trial, *step).or_else(|| ended(trial)).map_or(0, |time| time.0);
        for (name, value) in values {
            metrics.extend(names.0.get(name).map(|name| metric(name, *value, *step, time)));
        }
    }
    metrics
}

fn metric(name: &str, value: f64, step: u64, time: i64) -> Value {
    // As Protocol Buffers write what JSON has no number for.
    let value = if value.is_finite() {
        value.into()
    } else if value.is_nan() {
        Value::from("NaN")
    } else {
        Value::from(if 0.0 < value { "Infinity" } else { "-Infinity" })
    };
    json!({ "key": name, "value": value, "timestamp": time, "step": step })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_is_taken_there_and_nobody_elses() {
        let names = ["val/loss", "../x", "/a", "a=b", "a_b", "a:b", "ä.1-2 c", "..", ""];
        let names = names.map(str::to_owned);
        let Names(found) = distinct(names.iter());
        let found: Vec<&str> = names.iter().map(|name| found[name].as_str()).collect();
        assert_eq!(
            found,
            ["val/loss", ".._x", "_a", "a_b__", "a_b", "a_b_", "ä.1-2 c", ".._", "_"]
        );
    }
}
