//! A study from the database of Optuna's other storage, of one file: the tables of Optuna 1 to 5.

use std::path::Path;

use rusqlite::{Connection, Error, OpenFlags, Result, Transaction};

use super::{Direction, Distribution, ImportError, State, Study, choose};
use crate::import::{Sheet, word};

/// Reads the only study of a database, or the one that is called so. Nothing is written; another program may be at work on it.
pub fn read(path: &Path, wanted: Option<&str>) -> std::result::Result<Sheet, ImportError> {
    let fail = |error: Error| ImportError::Whole(why(&error));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(fail)?;
    // All of one moment.
    let moment = connection.unchecked_transaction().map_err(fail)?;
    let mut study = choose(names(&moment).map_err(fail)?, wanted)?;
    fill(&mut study, &moment).map_err(fail)?;
    for (name, distribution, times) in distributions(&study, &moment).map_err(fail)? {
        let distribution = Distribution::read(&distribution).map_err(|why| {
            ImportError::Whole(format!("the distribution of `{}` {why}", word(&name)))
        })?;
        study.suggested(&name, distribution, times, None);
    }
    study.sheet()
}

fn why(error: &Error) -> String {
    let text = error.to_string();
    if text.contains("no such table") || text.contains("no such column") {
        return format!(
            "this database has not the tables of Optuna ({text}); those of an old version are brought up to date by `optuna storage upgrade`"
        );
    }
    format!("the database cannot be read: {text}")
}

fn names(moment: &Transaction) -> Result<Vec<Study>> {
    let named = |name| Study { name, ..Study::default() };
    moment
        .prepare("SELECT study_name FROM studies ORDER BY study_id")?
        .query_map([], |row| row.get(0).map(named))?
        .collect()
}

/// With everything but its parameters.
fn fill(study: &mut Study, moment: &Transaction) -> Result<()> {
    let of = |what: &str| format!("{what} WHERE study_name = ?");
    let direction = |text: String| match text.as_str() {
        "MINIMIZE" => Direction::Lower,
        "MAXIMIZE" => Direction::Higher,
        _ => Direction::Unknown,
    };
    let has_directions: bool = moment.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE name = 'study_directions'",
        [],
        |row| row.get(0),
    )?;
    let directions = if has_directions {
        of("SELECT direction FROM study_directions NATURAL JOIN studies") + " ORDER BY objective"
    } else {
        // Before Optuna 2.4 a study had one objective.
        of("SELECT direction FROM studies")
    };
    study.directions = moment
        .prepare(&directions)?
        .query_map([&study.name], |row| row.get(0).map(direction))?
        .collect::<Result<_>>()?;
    let metrics: Option<String> = moment.query_row(
        "SELECT max(value_json) FROM study_system_attributes NATURAL JOIN studies
         WHERE study_name = ? AND key = 'study:metric_names'",
        [&study.name],
        |row| row.get(0),
    )?;
    study.metrics = metrics.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let state = |text: String| match text.as_str() {
        "COMPLETE" => State::Complete,
        "PRUNED" => State::Pruned,
        "FAIL" => State::Failed,
        "WAITING" => State::Waiting,
        _ => State::Running,
    };
    let trials = of("SELECT state, count(*) FROM trials NATURAL JOIN studies") + " GROUP BY state";
    study.trials = moment
        .prepare(&trials)?
        .query_map([&study.name], |row| {
            Ok((state(row.get(0)?), row.get::<_, i64>(1)?.unsigned_abs()))
        })?
        .collect::<Result<_>>()?;
    let count = |sql: &str| moment.query_row(&of(sql), [&study.name], |row| row.get::<_, i64>(0));
    study.has_attributes = 0 < count(
        "SELECT count(*) FROM study_user_attributes NATURAL JOIN studies",
    )? + count(
        "SELECT count(*) FROM trial_user_attributes NATURAL JOIN trials NATURAL JOIN studies",
    )?;
    Ok(())
}

/// Each parameter's distributions, and of how many trials: the newest last.
fn distributions(study: &Study, moment: &Transaction) -> Result<Vec<(String, String, u64)>> {
    moment
        .prepare(
            "SELECT param_name, distribution_json, count(*)
             FROM trial_params NATURAL JOIN trials NATURAL JOIN studies
             WHERE study_name = ? GROUP BY param_name, distribution_json ORDER BY max(trial_id)",
        )?
        .query_map([&study.name], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?.unsigned_abs()))
        })?
        .collect()
}
