//! The board in columns: a thousand rows of equal shape are told once what they are made of.

use std::collections::BTreeMap;

use pleach_core::{
    life::TrialId,
    rank::{Ranked, Result as Outcome},
    value::Value,
};
use pleach_store::Effort;
use serde::Serialize;

use super::short;
use crate::board::{Board, Row};

/// Digits of a number that people compare.
const DIGITS: usize = 9;

/// Every configuration, best first; each column has a value for each.
#[derive(Debug, Serialize)]
pub(super) struct Columns<'a> {
    configuration: Vec<u32>,
    parameters: Vec<Parameter<'a>>,
    rank: Vec<Option<u32>>,
    /// The ranks that its seeds leave it.
    ranks: Vec<Option<[u32; 2]>>,
    mean: Vec<Option<f64>>,
    spread: Vec<Option<f64>>,
    interval: Vec<Option<[Option<f64>; 2]>>,
    difference: Vec<Option<f64>>,
    difference_interval: Vec<Option<[Option<f64>; 2]>>,
    probability_best: Vec<Option<f64>>,
    state: Vec<&'a str>,
    trials: Vec<Vec<Trial>>,
}

/// Number, seed (a text: it may have more digits than a number of JavaScript), objective, status, steps made, milliseconds that its
/// attempts took, and the newest of these.
type Trial = (u32, String, Option<f64>, &'static str, u64, u64, Option<u32>);

/// A parameter in which configurations differ.
#[derive(Debug, Serialize)]
pub(super) struct Parameter<'a> {
    name: &'a str,
    /// Each once, in order.
    values: Vec<Told>,
    /// Of each configuration the index of its value; -1 if it has none.
    index: Vec<i32>,
}

/// A value as a number, or as it is shown.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Told {
    Int(i64),
    Float(f64),
    Text(String),
}

impl<'a> Columns<'a> {
    /// `ranked` is what the board was made of, and it shows all.
    pub(super) fn new(
        board: &'a Board,
        ranked: &[Ranked],
        efforts: &BTreeMap<TrialId, Effort>,
    ) -> Self {
        fn column<T>(rows: &[Row], of: impl Fn(&Row) -> T) -> Vec<T> {
            rows.iter().map(of).collect()
        }
        let rows = board.rows();
        let number = |value: Option<f64>| value.and_then(|value| short(value, DIGITS));
        let ends = |ends: Option<[f64; 2]>| ends.map(|ends| ends.map(|end| short(end, DIGITS)));
        let trial = |it: &Outcome| {
            let Effort { steps, milliseconds, attempt, .. } =
                efforts.get(&it.trial).copied().unwrap_or_default();
            let (seed, status) = (it.seed.to_string(), it.status.word());
            let attempt = attempt.map(|attempt| attempt.0);
            (it.trial.0, seed, number(it.objective), status, steps, milliseconds, attempt)
        };
        let trials = |ranked: &Ranked| ranked.row.trials.iter().map(trial).collect();
        Self {
            configuration: column(rows, |row| row.configuration),
            parameters: board.columns().iter().map(|name| parameter(name, rows)).collect(),
            rank: column(rows, |row| row.rank),
            ranks: column(rows, |row| row.ranks),
            mean: column(rows, |row| number(row.mean)),
            spread: column(rows, |row| number(row.spread)),
            interval: column(rows, |row| ends(row.interval)),
            difference: column(rows, |row| number(row.difference)),
            difference_interval: column(rows, |row| ends(row.difference_interval)),
            probability_best: column(rows, |row| number(row.probability_best)),
            state: rows.iter().map(|row| row.state.as_str()).collect(),
            trials: ranked.iter().map(trials).collect(),
        }
    }
}

fn parameter<'a>(name: &'a str, rows: &[Row]) -> Parameter<'a> {
    let mut places: BTreeMap<String, i32> = BTreeMap::new();
    let mut values = Vec::new();
    let place = |value: &Value| {
        let text = value.to_string();
        *places.entry(text.clone()).or_insert_with(|| {
            values.push(match value {
                Value::Int(number) => Told::Int(*number),
                Value::Float(number) if number.is_finite() => Told::Float(*number),
                _ => Told::Text(text),
            });
            values.len() as i32 - 1
        })
    };
    let mut place = place;
    let index = rows.iter().map(|row| row.parameters.get(name).map_or(-1, &mut place)).collect();
    Parameter { name, values, index }
}
