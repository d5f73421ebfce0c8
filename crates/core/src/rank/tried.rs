//! What was tried, over all configurations of a board: in which parameters they differ, and between which ends. It depends on
//! the sweep file alone and is small, so that whoever shows the best few need not read all.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    rank::Ranked,
    value::{Parameters, Unit, Value},
};

/// Fewer different values have no inside.
const LEAST_VALUES: usize = 3;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Names of the parameters in which configurations differ, as [`differing`] has them.
    pub columns: Vec<String>,
    /// By [`branch`] and name: the lowest and the highest number, of at least three.
    ranges: BTreeMap<String, BTreeMap<String, [f64; 2]>>,
}

/// A number of the first configuration that is the lowest or the highest of those tried in its branch.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    pub name: String,
    pub value: Value,
    pub side: Side,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Lowest,
    Highest,
}

impl Tried {
    pub fn new(configurations: &[&Parameters]) -> Self {
        let mut ranges: BTreeMap<String, BTreeMap<&str, Range>> = BTreeMap::new();
        for parameters in configurations {
            let of_branch = ranges.entry(branch(parameters)).or_default();
            for (name, value) in *parameters {
                if let Some(measure) = value.measure() {
                    of_branch.entry(name).or_default().add(measure);
                }
            }
        }
        let ends = |(name, range): (&str, Range)| Some((name.to_owned(), range.ends()?));
        let ranges = ranges.into_iter().map(|(branch, of_branch)| {
            (branch, of_branch.into_iter().filter_map(ends).collect::<BTreeMap<_, _>>())
        });
        let ranges = ranges.filter(|(_, of_branch)| !of_branch.is_empty()).collect();
        Self { columns: differing(configurations), ranges }
    }

    /// The numbers of a configuration that are at an edge of what was tried in its branch, by name: better ones may lie
    /// beyond it.
    pub fn edges(&self, of: &Ranked) -> Vec<Edge> {
        let Some(ranges) = self.ranges.get(&branch(&of.row.parameters)) else { return Vec::new() };
        let edge = |(name, value): (&String, &Value)| {
            let [lowest, highest] = *ranges.get(name)?;
            let side = match value.measure()? {
                // What is counted from zero on does not go below it, nor beyond all of a budget.
                (0.0, _) | (100.0, Unit::Percent) => return None,
                (number, _) if number == lowest => Side::Lowest,
                (number, _) if number == highest => Side::Highest,
                _ => return None,
            };
            Some(Edge { name: name.clone(), value: value.clone(), side })
        };
        of.row.parameters.iter().filter_map(edge).collect()
    }
}

/// A configuration's branch is what has the same names: choices are names, and what they bring along.
fn branch(parameters: &Parameters) -> String {
    let texts = parameters.iter().filter(|(_, value)| value.is_name());
    // Texts always serialize.
    serde_json::to_string(&texts.collect::<Vec<_>>()).unwrap_or_default()
}

/// The ends of what is measured alike.
#[derive(Default)]
struct Range {
    /// The first few that differ.
    different: Vec<f64>,
    lowest: f64,
    highest: f64,
    unit: Option<Unit>,
    has_two_units: bool,
}

impl Range {
    fn add(&mut self, (number, unit): (f64, Unit)) {
        if self.different.is_empty() {
            (self.lowest, self.highest) = (number, number);
        }
        self.has_two_units |= *self.unit.get_or_insert(unit) != unit;
        (self.lowest, self.highest) = (self.lowest.min(number), self.highest.max(number));
        if self.different.len() < LEAST_VALUES && !self.different.contains(&number) {
            self.different.push(number);
        }
    }

    fn ends(&self) -> Option<[f64; 2]> {
        let is_range = LEAST_VALUES <= self.different.len() && !self.has_two_units;
        is_range.then_some([self.lowest, self.highest])
    }
}

/// Names whose value is not the same everywhere: first those that every configuration has (the choices among them), then
/// those of single branches. What a branch always has is not told: its name says it.
pub fn differing(configurations: &[&Parameters]) -> Vec<String> {
    let mut values: BTreeMap<&str, Values> = BTreeMap::new();
    for parameters in configurations {
        for (name, value) in *parameters {
            values.entry(name).or_default().add(value);
        }
    }
    let is_partial = |values: &Values| values.count < configurations.len();
    let is_told = |values: &Values| 1 < values.different.len() || is_partial(values);
    let choices: Vec<&str> = values
        .iter()
        .filter(|(_, values)| is_told(values) && !is_partial(values) && !values.has_measure)
        .map(|(name, _)| *name)
        .collect();
    let mut names: Vec<(bool, bool, &str)> = values
        .iter()
        .filter(|(_, values)| is_told(values))
        .filter(|(name, values)| {
            !is_partial(values)
                || !choices.iter().any(|choice| follows(configurations, name, choice))
        })
        .map(|(name, values)| (*name != "schedule", is_partial(values), *name))
        .collect();
    names.sort_unstable();
    names.into_iter().map(|(_, _, name)| name.to_owned()).collect()
}

/// The values of one parameter.
#[derive(Default)]
struct Values {
    count: usize,
    /// Two are enough to differ.
    different: BTreeSet<String>,
    /// Something that is not a name.
    has_measure: bool,
}

impl Values {
    fn add(&mut self, value: &Value) {
        self.count += 1;
        self.has_measure |= !value.is_name();
        if self.different.len() < 2 {
            self.different.insert(value.to_string());
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objective::Goal,
        rank::{Row, rank, tests::done},
    };

    fn row(number: u32, schedule: &str, peak: f64, value: f64) -> Row {
        let parameters = [
            ("schedule".to_owned(), Value::Text(schedule.to_owned())),
            ("peak".to_owned(), Value::Float(peak)),
        ];
        Row { parameters: parameters.into(), ..done(number, &[value]) }
    }

    /// Of the first on the board.
    fn edges(rows: Vec<Row>) -> Vec<Edge> {
        let board = rank(rows, Goal::Max);
        let parameters: Vec<_> = board.iter().map(|ranked| &ranked.row.parameters).collect();
        Tried::new(&parameters).edges(&board[0])
    }

    #[track_caller]
    fn check(values: [f64; 3], expected: Option<Side>) {
        let mut rows = vec![row(9, "constant", 100.0, 0.0)];
        rows.extend(
            (1..)
                .zip([0.01, 0.1, 1.0])
                .map(|(number, peak)| row(number, "cosine", peak, values[number as usize - 1])),
        );
        assert_eq!(edges(rows).first().map(|edge| edge.side), expected);
    }

    #[test]
    fn the_best_is_at_an_edge_or_between() {
        check([1.0, 2.0, 3.0], Some(Side::Highest));
        check([3.0, 2.0, 1.0], Some(Side::Lowest));
        check([1.0, 3.0, 2.0], None);
    }

    #[test]
    fn durations_have_edges_if_they_are_measured_alike_and_nothing_but_nature_ends_there() {
        let side = |warmups: [&str; 4], best: usize| {
            let rows = (0..).zip(warmups).map(|(number, warmup)| {
                let mut row = row(number, "cosine", 1.0, f64::from(number == best as u32));
                row.parameters.extend([("warmup".to_owned(), Value::Text(warmup.to_owned()))]);
                row
            });
            edges(rows.collect()).first().map(|edge| edge.side)
        };
        assert_eq!(side(["2%", "5%", "10%", "20%"], 3), Some(Side::Highest));
        assert_eq!(side(["2%", "5%", "10%", "20%"], 0), Some(Side::Lowest));
        assert_eq!(side(["2%", "5%", "10%", "20%"], 2), None);
        assert_eq!(side(["0%", "5%", "10%", "100%"], 0), None);
        assert_eq!(side(["0%", "5%", "10%", "100%"], 3), None);
        assert_eq!(side(["2%", "5%", "10%", "2ep"], 0), None);
    }

    #[test]
    fn two_values_have_no_inside() {
        assert_eq!(edges(vec![row(1, "cosine", 0.1, 1.0), row(2, "cosine", 1.0, 2.0)]), []);
    }

    #[test]
    fn what_was_tried_is_the_same_after_it_was_kept() {
        let rows = [0.1, 1e300, -1.0 / 3.0].map(|peak| row(1, "cosine", peak, 1.0));
        let tried = Tried::new(&rows.each_ref().map(|row| &row.parameters));
        let text = serde_json::to_string(&tried).unwrap();
        assert_eq!(serde_json::from_str::<Tried>(&text).unwrap(), tried);
    }
}
