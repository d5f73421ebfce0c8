//! A sweep as two tables: its trials, and what they measured.

use std::collections::BTreeMap;

use pleach_core::{
    plan::command::OPEN_ENDED,
    rank::Row,
    value::{Parameters, Value},
};
use pleach_store::{Reader, TrialDetail, Which};

use crate::{ExportError, each_trial, fixed};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// A row for each trial.
    Trials,
    /// A row for each number that an evaluation gave.
    Metrics,
}

/// All cells of a column are of one kind, or empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Int,
    Unsigned,
    Float,
    /// Whole numbers and fractions which no type of 64 bits holds together: each is itself.
    Number,
    Text,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Bool(bool),
    Int(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
}

/// A cell for each column; `None` is empty.
pub type Cells = Vec<Option<Cell>>;

/// What takes a table: first [`columns`](Rows::columns), then every row, then [`end`](Rows::end).
pub trait Rows {
    fn columns(&mut self, columns: &[Column]) -> Result<(), ExportError>;
    fn row(&mut self, row: Cells) -> Result<(), ExportError>;
    fn end(&mut self) -> Result<(), ExportError>;
}

impl Table {
    /// Gives the table of the sweep's current trials, in the order of their numbers, and of their steps.
    pub fn write(self, reader: &Reader, out: &mut dyn Rows) -> Result<(), ExportError> {
        let rows = reader.rows(Which::Current)?;
        let fixed = fixed(reader)?;
        let parameters = parameter_kinds(&rows, &fixed);
        out.columns(&self.columns(&parameters))?;
        each_trial(reader, &rows, |detail| {
            if self == Self::Trials {
                return out.row(trial_row(detail, &parameters, &fixed));
            }
            for (step, values) in &detail.metrics {
                for (name, value) in values {
                    out.row(vec![
                        Some(Cell::Unsigned(detail.trial.0.into())),
                        Some(Cell::Unsigned(*step)),
                        Some(Cell::Text(name.clone())),
                        Some(Cell::Float(*value)),
                    ])?;
                }
            }
            Ok(())
        })?;
        out.end()
    }

    fn columns(self, parameters: &[(&str, Kind)]) -> Vec<Column> {
        let fixed: &[(&str, Kind)] = match self {
            Self::Trials => &[
                ("trial", Kind::Unsigned),
                ("key", Kind::Text),
                ("configuration", Kind::Unsigned),
                ("seed", Kind::Unsigned),
                ("status", Kind::Text),
                ("objective", Kind::Float),
                ("steps", Kind::Unsigned),
            ],
            Self::Metrics => &[
                ("trial", Kind::Unsigned),
                ("step", Kind::Unsigned),
                ("name", Kind::Text),
                ("value", Kind::Float),
            ],
        };
        let column = |(name, kind): &(&str, Kind)| Column { name: (*name).to_owned(), kind: *kind };
        let mut columns: Vec<Column> = fixed.iter().map(column).collect();
        if self == Self::Trials {
            for (parameter, kind) in parameters {
                let mut name = (*parameter).to_owned();
                // No two columns have one name.
                while columns.iter().any(|column| column.name == name)
                    || (name != *parameter && parameters.iter().any(|(other, _)| *other == name))
                {
                    name.push('_');
                }
                columns.push(Column { name, kind: *kind });
            }
        }
        columns
    }
}

/// What every parameter is in all configurations: whole and other numbers are numbers, and what is of several kinds is
/// text. First those that are part of configurations, then those that are fixed for all.
fn parameter_kinds<'a>(rows: &'a [Row], fixed: &'a Parameters) -> Vec<(&'a str, Kind)> {
    let mut kinds = BTreeMap::new();
    let swept = rows.iter().flat_map(|row| &row.parameters).map(|pair| (false, pair));
    for (is_fixed, (name, value)) in swept.chain(fixed.iter().map(|pair| (true, pair))) {
        let kind = match value {
            Value::Bool(_) => Kind::Bool,
            Value::Int(_) => Kind::Int,
            Value::Float(_) => Kind::Float,
            Value::Text(_) | Value::List(_) => Kind::Text,
        };
        let (_, known, are_exact) = kinds.entry(name.as_str()).or_insert((is_fixed, kind, true));
        *are_exact &= !matches!(value, Value::Int(value) if !is_exact(*value));
        *known = match (*known, kind) {
            (Kind::Int | Kind::Float, Kind::Int | Kind::Float) if *known != kind => Kind::Float,
            (known, kind) if known == kind => known,
            _ => Kind::Text,
        };
    }
    let (fixed, swept): (Vec<_>, Vec<_>) = kinds.into_iter().partition(|(_, kind)| kind.0);
    let kind = |(name, (_, kind, are_exact)): (_, (bool, _, bool))| match kind {
        Kind::Float if !are_exact => (name, Kind::Number),
        kind => (name, kind),
    };
    swept.into_iter().chain(fixed).map(kind).collect()
}

/// Whether a fraction of 64 bits has all its digits.
fn is_exact(value: i64) -> bool {
    (value as f64) as i128 == i128::from(value)
}

fn trial_row(detail: &TrialDetail, parameters: &[(&str, Kind)], fixed: &Parameters) -> Cells {
    let end = detail.path.last().map(|stage| stage.end).filter(|end| *end < OPEN_ENDED);
    let steps = detail.early().map(|[step, _]| step).or(end);
    let mut row = vec![
        Some(Cell::Unsigned(detail.trial.0.into())),
        Some(Cell::Text(detail.key.to_string())),
        Some(Cell::Unsigned(detail.configuration.0.into())),
        Some(Cell::Unsigned(detail.seed)),
        Some(Cell::Text(detail.status.word().to_owned())),
        detail.objective.map(Cell::Float),
        steps.map(Cell::Unsigned),
    ];
    row.extend(parameters.iter().map(|(name, kind)| {
        let value = detail.parameters.get(*name).or_else(|| fixed.get(*name))?;
        cell(value, *kind)
    }));
    row
}

fn cell(value: &Value, kind: Kind) -> Option<Cell> {
    Some(match (kind, value) {
        (Kind::Bool, Value::Bool(value)) => Cell::Bool(*value),
        (Kind::Int, Value::Int(value)) => Cell::Int(*value),
        (Kind::Number, Value::Int(value)) => Cell::Int(*value),
        (Kind::Float | Kind::Number, value) => Cell::Float(value.number()?),
        (_, value) => Cell::Text(value.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use pleach_core::life::ConfigurationId;

    use super::*;

    fn row(parameters: &[(&str, Value)]) -> Row {
        let parameters =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Row { configuration: ConfigurationId(1), parameters, trials: Vec::new() }
    }

    #[test]
    fn a_parameter_is_a_column_of_one_kind_and_a_name_of_its_own() {
        let text = || Value::Text("x".to_owned());
        let rows = [
            row(&[("a", Value::Int(1)), ("b", Value::Bool(true)), ("seed", Value::Int(3))]),
            row(&[("a", Value::Float(0.5)), ("b", text()), ("seed_", text())]),
            row(&[("e", Value::Float(0.1)), ("f", Value::Int(1 << 53))]),
            row(&[("e", Value::Int((1 << 53) + 1)), ("f", Value::Float(0.5))]),
            row(&[("a", Value::Int(2)), ("c", Value::Bool(false)), ("d", Value::Float(1.0))]),
        ];
        let fixed = [("0", Value::Int(1)), ("a", Value::Int(1)), ("steps", text())];
        let fixed = row(&fixed).parameters;
        let columns = Table::Trials.columns(&parameter_kinds(&rows, &fixed));
        let told: Vec<String> = columns[7..]
            .iter()
            .map(|column| format!("{} {:?}", column.name, column.kind))
            .collect();
        assert_eq!(
            told,
            [
                "a Float",
                "b Text",
                "c Bool",
                "d Float",
                "e Number",
                "f Float",
                "seed__ Int",
                "seed_ Text",
                "0 Int",
                "steps_ Text"
            ]
        );
        let number = |value| cell(&value, Kind::Number);
        assert_eq!(number(Value::Int((1 << 53) + 1)), Some(Cell::Int((1 << 53) + 1)));
        assert_eq!(number(Value::Float(0.1)), Some(Cell::Float(0.1)));
    }
}
