//! How values lie in columns. Only the database's side; no queries here.

use pleach_core::{
    class::Class,
    key::Key,
    life::{AttemptId, Ending, StageStatus, TrialStatus},
    objective::{Evaluated, Goal, Objective, Reduce},
    value::Parameters,
};
use rusqlite::{
    Result, Row,
    types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Type, Value, ValueRef},
};
use serde::{Serialize, de::DeserializeOwned};

/// A hexadecimal digest, as its bytes; any other text as it is; an empty one as NULL.
pub(crate) struct DigestColumn(pub(crate) String);

impl ToSql for DigestColumn {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        let text = &self.0;
        Ok(ToSqlOutput::Owned(match bytes_of_hex(text) {
            _ if text.is_empty() => Value::Null,
            Some(bytes) => Value::Blob(bytes),
            None => Value::Text(text.clone()),
        }))
    }
}

impl FromSql for DigestColumn {
    fn column_result(value: ValueRef) -> FromSqlResult<Self> {
        match value {
            ValueRef::Null => Ok(Self(String::new())),
            ValueRef::Blob(bytes) => Ok(Self(hex(bytes))),
            text => String::column_result(text).map(Self),
        }
    }
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).flatten().collect()
}

/// Evaluations bit for bit; none as NULL.
pub(crate) struct EvaluatedColumn(pub(crate) Evaluated);

impl ToSql for EvaluatedColumn {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        let values = &self.0.0;
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Ok(ToSqlOutput::Owned(if values.is_empty() { Value::Null } else { Value::Blob(bytes) }))
    }
}

impl FromSql for EvaluatedColumn {
    fn column_result(value: ValueRef) -> FromSqlResult<Self> {
        let Some(bytes) = value.as_blob_or_null()? else { return Ok(Self(Evaluated::default())) };
        let (values, []) = bytes.as_chunks::<8>() else { return Err(FromSqlError::InvalidType) };
        Ok(Self(Evaluated(values.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect())))
    }
}

/// A trial's number: SQLite has no NaN.
pub(crate) struct ObjectiveColumn(pub(crate) Option<f64>);

const NOT_A_NUMBER: &str = "nan";

impl ToSql for ObjectiveColumn {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            None => ToSqlOutput::Owned(Value::Null),
            Some(value) if value.is_nan() => {
                ToSqlOutput::Borrowed(ValueRef::Text(NOT_A_NUMBER.as_bytes()))
            }
            Some(value) => ToSqlOutput::Owned(Value::Real(value)),
        })
    }
}

impl FromSql for ObjectiveColumn {
    fn column_result(value: ValueRef) -> FromSqlResult<Self> {
        match value {
            ValueRef::Null => Ok(Self(None)),
            ValueRef::Text(_) => Ok(Self(Some(f64::NAN))),
            number => number.as_f64().map(|number| Self(Some(number))),
        }
    }
}

/// A metric's value; NULL is not a number.
pub(crate) fn metric(row: &Row, index: usize) -> Result<f64> {
    Ok(row.get::<_, Option<f64>>(index)?.unwrap_or(f64::NAN))
}

pub(crate) fn key(row: &Row, index: usize) -> Result<Key> {
    row.get(index).map(Key)
}

/// Steps, seeds and points: 64 bits.
pub(crate) fn unsigned(row: &Row, index: usize) -> Result<u64> {
    Ok(row.get::<_, i64>(index)? as u64)
}

pub(crate) fn parameters(row: &Row, index: usize) -> Result<Parameters> {
    json(row, index)
}

pub(crate) fn json<T: DeserializeOwned>(row: &Row, index: usize) -> Result<T> {
    let text = row.get_ref(index)?.as_str()?;
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error))
    })
}

pub(crate) fn json_text<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// The number of a status in the table `status`; none for a trial that waits.
pub(crate) fn status_number(status: TrialStatus) -> Option<u8> {
    match status {
        TrialStatus::Waiting => None,
        TrialStatus::Done => Some(1),
        TrialStatus::Diverged => Some(2),
        TrialStatus::Failed => Some(3),
        TrialStatus::Stopped => Some(4),
    }
}

pub(crate) fn status(row: &Row, index: usize) -> Result<TrialStatus> {
    Ok(match row.get::<_, Option<u8>>(index)? {
        None => TrialStatus::Waiting,
        Some(1) => TrialStatus::Done,
        Some(2) => TrialStatus::Diverged,
        Some(3) => TrialStatus::Failed,
        Some(4) => TrialStatus::Stopped,
        Some(other) => return Err(rusqlite::Error::IntegralValueOutOfRange(index, other.into())),
    })
}

/// From the column of its end and its attempt without ending.
pub(crate) fn stage_status(
    row: &Row,
    index: usize,
    running: Option<AttemptId>,
) -> Result<StageStatus> {
    Ok(match (status(row, index)?, running) {
        (TrialStatus::Waiting, None) => StageStatus::Waiting,
        (TrialStatus::Waiting, Some(attempt)) => StageStatus::Running(attempt),
        (TrialStatus::Done, None) => StageStatus::Done,
        (TrialStatus::Done, Some(attempt)) => StageStatus::Rebuilding(attempt),
        (TrialStatus::Diverged, _) => StageStatus::Diverged,
        // The table allows no other.
        (TrialStatus::Failed | TrialStatus::Stopped, _) => StageStatus::Failed,
    })
}

/// The number of an ending in the table `ending`, and its text.
pub(crate) fn ending_number(ending: &Ending) -> (u8, Option<&str>) {
    match ending {
        Ending::Done => (1, None),
        Ending::Diverged => (2, None),
        Ending::Failed(class, text) => (class_number(*class), Some(text)),
        Ending::Interrupted => (8, None),
        Ending::Lost => (9, None),
        Ending::Rebuilt => (10, None),
        Ending::Unusable(text) => (11, Some(text)),
    }
}

/// The number of an ending of this class.
fn class_number(class: Class) -> u8 {
    match class {
        Class::Error => 3,
        Class::Crash => 4,
        Class::Protocol => 5,
        Class::Timeout => 6,
        Class::Stall => 7,
        Class::NoObjective => 12,
        Class::Configuration => 13,
        Class::Preempted => 14,
        Class::OutOfMemory => 15,
        Class::Infrastructure => 16,
    }
}

/// The class of an ending; none of one that is nobody's failure.
pub(crate) fn class(number: u8) -> Option<Class> {
    Class::ALL.into_iter().find(|class| class_number(*class) == number)
}

/// An ending from its number and the text beside it; none while the attempt runs.
pub(crate) fn ending(row: &Row, number: usize, detail: usize) -> Result<Option<Ending>> {
    let text =
        || -> Result<String> { Ok(row.get::<_, Option<String>>(detail)?.unwrap_or_default()) };
    let Some(id) = row.get::<_, Option<u8>>(number)? else { return Ok(None) };
    if let Some(class) = class(id) {
        return Ok(Some(Ending::Failed(class, text()?)));
    }
    Ok(Some(match id {
        1 => Ending::Done,
        2 => Ending::Diverged,
        8 => Ending::Interrupted,
        9 => Ending::Lost,
        10 => Ending::Rebuilt,
        11 => Ending::Unusable(text()?),
        other => return Err(rusqlite::Error::IntegralValueOutOfRange(number, other.into())),
    }))
}

pub(crate) fn goal_word(goal: Goal) -> &'static str {
    match goal {
        Goal::Min => "min",
        Goal::Max => "max",
    }
}

pub(crate) fn reduce_words(reduce: Reduce) -> (&'static str, Option<u32>) {
    match reduce {
        Reduce::Last => ("last", None),
        Reduce::Best => ("best", None),
        Reduce::Mean(n) => ("mean", Some(n)),
    }
}

/// From four columns: metric, goal, reduce, `mean_of`. Their words are checked by the table.
pub(crate) fn objective(row: &Row, first: usize) -> Result<Objective> {
    let goal = match row.get_ref(first + 1)?.as_str()? {
        "min" => Goal::Min,
        _ => Goal::Max,
    };
    let reduce = match row.get_ref(first + 2)?.as_str()? {
        "last" => Reduce::Last,
        "best" => Reduce::Best,
        _ => Reduce::Mean(row.get(first + 3)?),
    };
    Ok(Objective { metric: row.get(first)?, goal, reduce })
}
