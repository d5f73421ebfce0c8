//! A sweep as a study of Optuna: the log of a journal storage, which Optuna opens and goes on with.
//!
//! A line is an operation, as JSON; studies and trials are numbered in the order of their lines. Read by Optuna from 4.0
//! (`optuna/storages/journal/_storage.py`) and by optuna-dashboard.

mod distribution;

use std::io::Write;

use pleach_core::{
    life::TrialStatus,
    objective::{Goal, Objective},
    value::Value as Parameter,
};
use pleach_store::{Reader, Time, TrialDetail, Which};
use serde_json::{Map, Value, json};

use crate::{ExportError, each_trial, ended, started, time};
use distribution::Distribution;

/// Operations of the log.
const CREATE_STUDY: u8 = 0;
const SET_STUDY_USER_ATTRIBUTE: u8 = 2;
const SET_STUDY_SYSTEM_ATTRIBUTE: u8 = 3;
const CREATE_TRIAL: u8 = 4;

/// States of a trial.
const COMPLETE: u8 = 1;
const PRUNED: u8 = 2;
const FAIL: u8 = 3;
const WAITING: u8 = 4;

/// Writes the current trials, in the order of their numbers, as the study `name`. Answers with what a person should know of it.
pub fn journal(
    reader: &Reader,
    name: &str,
    out: &mut dyn Write,
) -> Result<Vec<String>, ExportError> {
    let revision = reader.revision()?;
    let Objective { metric, goal, .. } = &revision.objective;
    let rows = reader.rows(Which::Current)?;
    // What cannot be read any more says nothing of its axes.
    let spec = pleach_core::spec::read(&revision.file, &revision.text).ok();
    let mut notes = Vec::new();
    let distributions = distribution::of(&rows, spec.as_ref(), &mut notes);
    let direction = match goal {
        Goal::Min => 1,
        Goal::Max => 2,
    };
    let mut line = |code: u8, fields: Value| {
        let mut line = json!({ "op_code": code, "worker_id": "pleach" });
        if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), fields) {
            line.extend(fields);
        }
        writeln!(out, "{line}")
    };
    line(CREATE_STUDY, json!({ "study_name": name, "directions": [direction] }))?;
    let names = json!({ "study:metric_names": [metric] });
    line(SET_STUDY_SYSTEM_ATTRIBUTE, json!({ "study_id": 0, "system_attr": names }))?;
    let metric_attribute = json!({ "study_id": 0, "user_attr": { "metric": metric } });
    line(SET_STUDY_USER_ATTRIBUTE, metric_attribute)?;
    each_trial(reader, &rows, |detail| {
        Ok(line(CREATE_TRIAL, create_trial(detail, metric, &distributions))?)
    })?;
    out.flush()?;
    Ok(notes)
}

fn create_trial(detail: &TrialDetail, metric: &str, all: &[(&str, Distribution)]) -> Value {
    let value = detail.objective.filter(|value| value.is_finite());
    let state = match (detail.status, value) {
        (TrialStatus::Done, Some(_)) => COMPLETE,
        (TrialStatus::Stopped, _) => PRUNED,
        (TrialStatus::Waiting, _) => WAITING,
        _ => FAIL,
    };
    let mut user = json!({
        "trial": detail.trial.0,
        "key": detail.key.to_string(),
        "configuration": detail.configuration.0,
        "seed": detail.seed,
        "status": detail.status.word(),
    });
    if let Some(number) = detail.objective.filter(|value| !value.is_finite()) {
        user["objective"] = format!("{number:?}").into();
    }
    let (mut distributions, mut params, mut waiting) = (Map::new(), Map::new(), Map::new());
    for (name, distribution) in all {
        let Some(parameter) = detail.parameters.get(*name) else { continue };
        if state == WAITING {
            waiting.insert((*name).to_owned(), external(parameter));
        } else {
            distributions.insert((*name).to_owned(), distribution.text().into());
            params.insert((*name).to_owned(), distribution.internal(parameter));
        }
    }
    // Optuna runs it with these when it goes on.
    let system = if state == WAITING { json!({ "fixed_params": waiting }) } else { json!({}) };
    // Other readers of the log than Python's know no number that is not finite.
    let intermediate: Map<String, Value> = detail
        .curve(metric)
        .into_iter()
        .filter(|(_, value)| value.is_finite())
        .map(|(step, value)| (step.to_string(), value.into()))
        .collect();
    let mut line = json!({
        "study_id": 0,
        "datetime_start": null,
        "state": state,
        "value": value.filter(|_| state == COMPLETE || state == PRUNED),
        "values": null,
        "distributions": distributions,
        "params": params,
        "user_attrs": user,
        "system_attrs": system,
        "intermediate_values": if state == WAITING { Map::new() } else { intermediate },
    });
    if state != WAITING {
        // Results that another sweep gave have no times here.
        let ended = ended(detail).or_else(|| started(detail)).unwrap_or(Time(0));
        line["datetime_start"] = time::text(started(detail).unwrap_or(ended)).into();
        line["datetime_complete"] = time::text(ended).into();
    }
    line
}

/// A value as the person's program has it.
fn external(value: &Parameter) -> Value {
    match value {
        Parameter::Bool(value) => (*value).into(),
        Parameter::Int(value) => (*value).into(),
        Parameter::Float(value) => (*value).into(),
        Parameter::Text(text) => text.as_str().into(),
        Parameter::List(_) => value.to_string().into(),
    }
}

#[cfg(test)]
mod tests;
