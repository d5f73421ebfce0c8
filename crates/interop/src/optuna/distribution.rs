//! What a parameter may be, in Optuna's words: one distribution for all trials of a study.

use pleach_core::{
    rank::Row,
    space::{Distribution as Range, Points},
    spec::SweepSpec,
    value::Value as Parameter,
};
use serde_json::{Value, json};

use super::external;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Distribution {
    Float {
        low: f64,
        high: f64,
        log: bool,
    },
    Int {
        low: i64,
        high: i64,
        log: bool,
    },
    /// No two equal.
    Categorical(Vec<Parameter>),
}

impl Distribution {
    /// As JSON, in the log itself a text.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Float { low, high, log } => json!({
                "name": "FloatDistribution",
                "attributes": { "step": null, "low": low, "high": high, "log": log },
            }),
            Self::Int { low, high, log } => json!({
                "name": "IntDistribution",
                "attributes": { "log": log, "step": 1, "low": low, "high": high },
            }),
            Self::Categorical(choices) => {
                let choices: Vec<Value> = choices.iter().map(external).collect();
                json!({ "name": "CategoricalDistribution", "attributes": { "choices": choices } })
            }
        }
        .to_string()
    }

    /// A value as the log holds it: a number, or which of the choices.
    pub(super) fn internal(&self, value: &Parameter) -> Value {
        match self {
            Self::Float { .. } | Self::Int { .. } => external(value),
            Self::Categorical(choices) => {
                choices.iter().position(|choice| is_same(choice, value)).into()
            }
        }
    }
}

/// Python's equality: 1, 1.0 and True are one choice.
fn is_same(a: &Parameter, b: &Parameter) -> bool {
    let number = |value: &Parameter| match value {
        Parameter::Bool(value) => Some(f64::from(u8::from(*value))),
        other => other.number(),
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a.to_string() == b.to_string() && number(a).is_none() && number(b).is_none(),
    }
}

/// Values of a parameter that are different here, and one choice to Python.
pub(super) fn merged(values: &[&Parameter]) -> Vec<[Parameter; 2]> {
    let mut kept: Vec<&Parameter> = Vec::new();
    let mut merged: Vec<[Parameter; 2]> = Vec::new();
    for value in values {
        match kept.iter().find(|other| is_same(other, value)) {
            None => kept.push(value),
            Some(other) if *other == *value => {}
            Some(other) => {
                let pair = [(*other).clone(), (*value).clone()];
                if !merged.contains(&pair) {
                    merged.push(pair);
                }
            }
        }
    }
    merged
}

/// Of every parameter, in the order of their names: ranges as the sweep file has them; a list's values, and everything that is
/// not a number, are choices.
pub(super) fn of<'a>(
    rows: &'a [Row],
    spec: Option<&SweepSpec>,
    notes: &mut Vec<String>,
) -> Vec<(&'a str, Distribution)> {
    let mut names: Vec<&str> =
        rows.iter().flat_map(|row| row.parameters.keys()).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let distribution = |name: &'a str| {
        let values: Vec<&Parameter> =
            rows.iter().filter_map(|row| row.parameters.get(name)).collect();
        let distribution = one(&values, &ranges(name, spec));
        if matches!(distribution, Distribution::Categorical(_)) {
            notes.extend(merged(&values).iter().map(|[one, other]| {
                let [one, other] = [one, other].map(|value| format!("{}", external(value)));
                format!("`{name}`: to Python {one} and {other} are one value: they are one choice in the study")
            }));
        }
        (name, distribution)
    };
    names.into_iter().map(distribution).collect()
}

/// The ranges over which a parameter was swept, in whichever branch.
fn ranges(name: &str, spec: Option<&SweepSpec>) -> Vec<Range> {
    let blocks = spec.iter().flat_map(|spec| &spec.blocks);
    let combinations = blocks.flat_map(|block| &block.space.combinations);
    let dimensions = combinations.flat_map(|combination| &combination.dimensions);
    dimensions
        .filter(|dimension| dimension.names.iter().any(|other| other == name))
        .filter_map(|dimension| match dimension.points {
            Points::Even { distribution, .. } | Points::Range { distribution, .. } => {
                Some(distribution)
            }
            Points::Rows(_) => None,
        })
        .collect()
}

fn one(values: &[&Parameter], ranges: &[Range]) -> Distribution {
    let numbers: Option<Vec<f64>> = values.iter().map(|value| value.number()).collect();
    let Some(numbers) = numbers.filter(|_| !ranges.is_empty()) else {
        let mut choices: Vec<Parameter> = Vec::new();
        for value in values {
            if !choices.iter().any(|choice| is_same(choice, value)) {
                choices.push((*value).clone());
            }
        }
        return Distribution::Categorical(choices);
    };
    let ends = |range: &Range| match *range {
        Range::Uniform { lo, hi } | Range::Log { lo, hi } => [lo, hi],
        Range::Int { lo, hi } | Range::LogInt { lo, hi } => [lo as f64, hi as f64],
        // Optuna knows no normal one; hardly anything is drawn beyond.
        Range::Normal { mean, sd } => [mean - 4.0 * sd, mean + 4.0 * sd],
    };
    let all = || ranges.iter().flat_map(ends).chain(numbers.iter().copied());
    let (low, high) =
        (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let is_log = |range: &Range| matches!(range, Range::Log { .. } | Range::LogInt { .. });
    let log = ranges.iter().all(is_log) && 0.0 < low;
    let is_int = |range: &Range| matches!(range, Range::Int { .. } | Range::LogInt { .. });
    let are_whole = values.iter().all(|value| matches!(value, Parameter::Int(_)));
    if are_whole && ranges.iter().all(is_int) {
        Distribution::Int { low: low as i64, high: high as i64, log }
    } else {
        Distribution::Float { low, high, log }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[Parameter], ranges: &[Range], expected: &str) {
        let found = one(&values.iter().collect::<Vec<_>>(), ranges);
        let internal: Vec<Value> = values.iter().map(|value| found.internal(value)).collect();
        assert_eq!(format!("{} {}", found.text(), Value::from(internal)), expected);
    }

    #[test]
    fn what_python_takes_for_one_is_said() {
        use Parameter::{Bool, Float, Int, List, Text};
        let text = |text: &str| Text(text.to_owned());
        let values = [
            Int(0),
            Bool(false),
            Float(0.0),
            Int(0),
            Int(1),
            Float(0.1),
            text("[1]"),
            List(vec![Int(1)]),
            text("1"),
        ];
        let merged = merged(&values.iter().collect::<Vec<_>>());
        assert_eq!(
            merged,
            [[Int(0), Bool(false)], [Int(0), Float(0.0)], [text("[1]"), List(vec![Int(1)])]]
        );
    }

    #[test]
    fn a_range_stays_one_and_everything_else_is_a_choice() {
        use Parameter::{Bool, Float, Int, List, Text};
        let text = |text: &str| Text(text.to_owned());
        let log = Range::Log { lo: 0.01, hi: 1.0 };
        check(
            &[Float(0.1), Float(0.01)],
            &[log],
            r#"{"attributes":{"high":1.0,"log":true,"low":0.01,"step":null},"name":"FloatDistribution"} [0.1,0.01]"#,
        );
        check(
            &[Float(0.1), Float(3.0)],
            &[log, Range::Uniform { lo: 0.0, hi: 2.0 }],
            r#"{"attributes":{"high":3.0,"log":false,"low":0.0,"step":null},"name":"FloatDistribution"} [0.1,3.0]"#,
        );
        check(
            &[Int(16), Int(32)],
            &[Range::LogInt { lo: 16, hi: 512 }],
            r#"{"attributes":{"high":512,"log":true,"low":16,"step":1},"name":"IntDistribution"} [16,32]"#,
        );
        check(
            &[Float(0.5), Int(1), Float(1.0)],
            &[],
            r#"{"attributes":{"choices":[0.5,1]},"name":"CategoricalDistribution"} [0,1,1]"#,
        );
        check(
            &[text("a"), Bool(true), Int(1), text("1"), List(vec![Int(1)])],
            &[log],
            r#"{"attributes":{"choices":["a",true,"1","[1]"]},"name":"CategoricalDistribution"} [0,1,1,2,3]"#,
        );
    }
}
