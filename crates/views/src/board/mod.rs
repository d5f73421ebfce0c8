//! Leaderboards: configurations in order of merit, and what tells them apart.

use std::collections::{BTreeMap, BTreeSet};

use pleach_core::{
    objective::{Goal, Objective},
    rank::{Distinction, Ranked, State, Versus},
    value::Value,
};
use serde::Serialize;
use tabled::{
    builder::Builder,
    settings::{Alignment, Modify, Style, Width, object::Columns, peaker::Priority},
};

use crate::format::{decimals, plural, with_spread};

/// A leaderboard, ready to be shown in any form.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    metric: String,
    goal: Goal,
    /// Names of the parameters in which configurations differ, choices first.
    columns: Vec<String>,
    rows: Vec<Row>,
    /// Rows that were left out by the limit.
    more: usize,
}

/// One line of a board, and one object of its JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Row {
    /// Absent for a configuration that has not ended well.
    rank: Option<u32>,
    configuration: u32,
    parameters: BTreeMap<String, Value>,
    /// Mean over the seeds that have a number.
    mean: Option<f64>,
    /// Sample standard deviation over the same.
    spread: Option<f64>,
    seeds_done: u32,
    seeds: u32,
    state: String,
    /// Mean difference from the first, over the seeds that both have.
    difference: Option<f64>,
    /// Whether 95 % of such differences would lie on one side of zero.
    distinguishable: Option<bool>,
    /// The trials' numbers, by seed.
    trials: Vec<u32>,
}

impl Board {
    /// `filters`: only configurations whose parameter has that value, as it is shown. `limit`: so many rows, 0 for all.
    pub fn new(
        ranked: &[Ranked],
        objective: &Objective,
        filters: &[(String, String)],
        limit: usize,
    ) -> Self {
        let matches = |ranked: &&Ranked| {
            filters.iter().all(|(name, value)| {
                ranked.row.parameters.get(name).is_some_and(|other| other.to_string() == *value)
            })
        };
        let mut rows: Vec<Row> = ranked.iter().filter(matches).map(row).collect();
        let shown = if limit == 0 { rows.len() } else { limit.min(rows.len()) };
        let more = rows.len() - shown;
        rows.truncate(shown);
        Self {
            metric: objective.metric.clone(),
            goal: objective.goal,
            columns: differing(ranked),
            rows,
            more,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A table for a terminal of so many columns.
    pub fn table(&self, width: Option<usize>) -> String {
        if self.is_empty() {
            return "no configurations\n".to_owned();
        }
        let mut table = self.builder().build();
        table.with(Style::rounded());
        table.with(Modify::new(Columns::first()).with(Alignment::right()));
        if let Some(width) = width {
            table.with(Width::truncate(width.max(40)).suffix("…").priority(Priority::max(true)));
        }
        let mut text = format!("{table}\n");
        if 0 < self.more {
            text.push_str("… ");
            text.push_str(&self.more.to_string());
            text.push_str(" more; --limit 0 shows all\n");
        }
        if self.rows.iter().any(|row| row.distinguishable == Some(false)) {
            text.push_str("≈ not distinguishable from the first at 95 %, seed by seed\n");
        }
        text
    }

    pub fn markdown(&self) -> String {
        if self.is_empty() {
            return "no configurations\n".to_owned();
        }
        let mut table = self.builder().build();
        table.with(Style::markdown());
        format!("{table}\n")
    }

    /// An array of rows.
    pub fn json(&self) -> String {
        // Plain values always serialize.
        let mut text = serde_json::to_string_pretty(&self.rows).unwrap_or_default();
        text.push('\n');
        text
    }

    pub fn csv(&self) -> String {
        let mut header = vec!["rank".to_owned(), "configuration".to_owned()];
        header.extend(self.columns.iter().cloned());
        header.extend(
            ["mean", "spread", "seeds_done", "seeds", "state", "difference"].map(str::to_owned),
        );
        let mut lines = vec![header];
        for row in &self.rows {
            let optional =
                |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
            let mut line = vec![
                row.rank.map_or(String::new(), |rank| rank.to_string()),
                row.configuration.to_string(),
            ];
            line.extend(
                self.columns
                    .iter()
                    .map(|name| row.parameters.get(name).map_or(String::new(), Value::to_string)),
            );
            line.extend([
                optional(row.mean),
                optional(row.spread),
                row.seeds_done.to_string(),
                row.seeds.to_string(),
                row.state.clone(),
                optional(row.difference),
            ]);
            lines.push(line);
        }
        let line = |line: &Vec<String>| {
            line.iter().map(|cell| crate::export::quoted(cell)).collect::<Vec<_>>().join(",") + "\n"
        };
        lines.iter().map(line).collect()
    }

    fn builder(&self) -> Builder {
        let arrow = if self.goal == Goal::Max { "↑" } else { "↓" };
        let mut header = vec!["#".to_owned()];
        header.extend(self.columns.iter().cloned());
        header.extend([
            format!("{} {arrow}", self.metric),
            "vs first".to_owned(),
            "seeds".to_owned(),
            "state".to_owned(),
        ]);
        let mut builder = Builder::new();
        builder.push_record(header);
        for row in &self.rows {
            let mut cells = vec![row.rank.map_or("–".to_owned(), |rank| rank.to_string())];
            cells.extend(
                self.columns
                    .iter()
                    .map(|name| row.parameters.get(name).map_or(String::new(), Value::to_string)),
            );
            cells.push(row.mean.map_or("–".to_owned(), |mean| with_spread(mean, row.spread)));
            cells.push(match (row.difference, row.distinguishable) {
                (None, _) => String::new(),
                (Some(_), Some(false)) => "≈".to_owned(),
                (Some(difference), _) => {
                    let decimals = decimals(row.spread);
                    if difference.abs() < 1e-6 {
                        format!("{difference:+.1e}")
                    } else {
                        format!("{difference:+.decimals$}")
                    }
                }
            });
            cells.push(format!("{}/{}", row.seeds_done, row.seeds));
            cells.push(row.state.clone());
            builder.push_record(cells);
        }
        builder
    }
}

fn row(ranked: &Ranked) -> Row {
    // A number that only some seeds have is no fair comparison.
    let is_compared = matches!(ranked.state, State::Done | State::Partial);
    let versus = ranked.versus_first.as_ref().filter(|_| is_compared);
    Row {
        rank: ranked.rank,
        configuration: ranked.row.configuration.0,
        parameters: ranked.row.parameters.clone(),
        mean: ranked.mean,
        spread: ranked.spread,
        seeds_done: ranked.seeds_done,
        seeds: ranked.seeds_total,
        state: state(ranked.state),
        difference: versus.map(|versus| versus.difference),
        distinguishable: versus.and_then(is_distinguishable),
        trials: ranked.row.trials.iter().map(|result| result.trial.0).collect(),
    }
}

fn is_distinguishable(versus: &Versus) -> Option<bool> {
    match versus.distinction {
        Distinction::Different { .. } => Some(true),
        Distinction::Same { .. } => Some(false),
        Distinction::Unknown => None,
    }
}

fn state(state: State) -> String {
    match state {
        State::Done => "done".to_owned(),
        State::Partial => "partial".to_owned(),
        State::Diverged(seeds) => plural(u64::from(seeds), "seed") + " diverged",
        State::Failed(seeds) => plural(u64::from(seeds), "seed") + " failed",
        State::Stopped(seeds) => plural(u64::from(seeds), "seed") + " stopped",
        State::Waiting => "waiting".to_owned(),
    }
}

/// Names whose value is not the same everywhere: first those that every configuration has (the choices among them), then
/// those of single branches. What a branch always has is not told: its name says it.
fn differing(ranked: &[Ranked]) -> Vec<String> {
    let mut values: BTreeMap<&str, (BTreeSet<String>, usize)> = BTreeMap::new();
    for ranked in ranked {
        for (name, value) in &ranked.row.parameters {
            let (seen, count) = values.entry(name).or_default();
            *count += 1;
            // Two are enough to differ.
            if seen.len() < 2 {
                seen.insert(value.to_string());
            }
        }
    }
    let is_partial = |count: usize| count < ranked.len();
    let choices: Vec<&str> = values
        .iter()
        .filter(|(_, (seen, count))| 1 < seen.len() && !is_partial(*count))
        .map(|(name, _)| *name)
        .filter(|name| matches!(ranked[0].row.parameters.get(*name), Some(Value::Text(_))))
        .collect();
    let mut names: Vec<(bool, bool, &str)> = values
        .iter()
        .filter(|(_, (seen, count))| 1 < seen.len() || is_partial(*count))
        .filter(|(name, (_, count))| {
            !is_partial(*count) || !choices.iter().any(|choice| follows(ranked, name, choice))
        })
        .map(|(name, (_, count))| (*name != "schedule", is_partial(*count), *name))
        .collect();
    names.sort_unstable();
    names.into_iter().map(|(_, _, name)| name.to_owned()).collect()
}

/// Whether a parameter's value, or its absence, is known from that of `choice`.
fn follows(ranked: &[Ranked], name: &str, choice: &str) -> bool {
    let mut known: BTreeMap<String, Option<&Value>> = BTreeMap::new();
    ranked.iter().all(|ranked| {
        let parameters = &ranked.row.parameters;
        let branch = parameters.get(choice).map(Value::to_string).unwrap_or_default();
        let value = parameters.get(name);
        *known.entry(branch).or_insert(value) == value
    })
}

#[cfg(test)]
mod tests;
