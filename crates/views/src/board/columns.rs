//! Which parameters are columns of a board: those in which configurations differ.

use std::collections::{BTreeMap, BTreeSet};

use pleach_core::value::{Parameters, Value};

/// Names whose value is not the same everywhere: first those that every configuration has (the choices among them), then
/// those of single branches. What a branch always has is not told: its name says it.
pub(crate) fn differing(configurations: &[&Parameters]) -> Vec<String> {
    let mut values: BTreeMap<&str, (BTreeSet<String>, usize)> = BTreeMap::new();
    for parameters in configurations {
        for (name, value) in *parameters {
            let (seen, count) = values.entry(name).or_default();
            *count += 1;
            // Two are enough to differ.
            if seen.len() < 2 {
                seen.insert(value.to_string());
            }
        }
    }
    let is_partial = |count: usize| count < configurations.len();
    let choices: Vec<&str> = values
        .iter()
        .filter(|(_, (seen, count))| 1 < seen.len() && !is_partial(*count))
        .map(|(name, _)| *name)
        .filter(|name| matches!(configurations[0].get(*name), Some(Value::Text(_))))
        .collect();
    let mut names: Vec<(bool, bool, &str)> = values
        .iter()
        .filter(|(_, (seen, count))| 1 < seen.len() || is_partial(*count))
        .filter(|(name, (_, count))| {
            !is_partial(*count)
                || !choices.iter().any(|choice| follows(configurations, name, choice))
        })
        .map(|(name, (_, count))| (*name != "schedule", is_partial(*count), *name))
        .collect();
    names.sort_unstable();
    names.into_iter().map(|(_, _, name)| name.to_owned()).collect()
}

/// Whether a parameter's value, or its absence, is known from that of `choice`.
fn follows(configurations: &[&Parameters], name: &str, choice: &str) -> bool {
    let mut known: BTreeMap<String, Option<&Value>> = BTreeMap::new();
    configurations.iter().all(|parameters| {
        let branch = parameters.get(choice).map(Value::to_string).unwrap_or_default();
        let value = parameters.get(name);
        *known.entry(branch).or_insert(value) == value
    })
}
