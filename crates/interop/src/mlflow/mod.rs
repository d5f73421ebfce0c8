//! A sweep as an experiment of a running MLflow server, a run for each trial that has ended, over its REST API 2.0
//! (<https://mlflow.org/docs/latest/api_reference/rest-api.html>). Nothing is there twice: a run says of which trial it is,
//! and is only finished when everything of it is there.

mod batch;
mod server;

use std::collections::BTreeMap;

use pleach_core::{life::TrialStatus, rank::Row, value::Parameters};
use pleach_store::{Reader, TrialDetail, Which};
use serde_json::{Value, json};

use crate::{ExportError, all_parameters, each_trial, ended, fixed, started};
pub use batch::LONGEST;
pub use server::{MlflowError, Server};

/// Runs of one answer.
const PAGE: u32 = 1000;

const KEY: &str = "pleach.key";
const TRIAL: &str = "pleach.trial";

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    pub new: usize,
    /// Runs that were there.
    pub kept: usize,
    /// Trials that have not ended.
    pub waiting: usize,
    /// Values of parameters, of new runs, that were too long.
    pub cut: usize,
}

/// Sends all current trials that have ended and are not there yet to the experiment `name`.
pub fn send(reader: &Reader, name: &str, server: &Server) -> Result<Sent, ExportError> {
    let rows = reader.rows(Which::Current)?;
    let fixed = fixed(reader)?;
    send_all(&rows, &fixed, name, server, |take| each_trial(reader, &rows, take))
}

type Take<'a> = &'a mut dyn FnMut(&TrialDetail) -> Result<(), ExportError>;

fn send_all(
    rows: &[Row],
    fixed: &Parameters,
    name: &str,
    server: &Server,
    each: impl FnOnce(Take<'_>) -> Result<(), ExportError>,
) -> Result<Sent, ExportError> {
    let names = batch::Names::of(rows, fixed);
    let experiment = experiment(server, name)?;
    let known = runs(server, &experiment)?;
    let mut sent = Sent::default();
    each(&mut |trial| {
        if trial.status == TrialStatus::Waiting {
            sent.waiting += 1;
            return Ok(());
        }
        match known.get(&(trial.key.to_string(), trial.trial.0.to_string())) {
            Some(Run { is_whole: true, .. }) => {
                sent.kept += 1;
                return Ok(());
            }
            // An earlier export was broken off. What is in it cannot be told from what is not.
            Some(Run { id, .. }) => {
                server.post("runs/delete", &json!({ "run_id": id }))?;
            }
            None => {}
        }
        send_one(server, &experiment, trial, (fixed, &names))?;
        sent.new += 1;
        let all = all_parameters(trial, fixed);
        let is_cut =
            |value: &&pleach_core::value::Value| value.to_string().chars().nth(LONGEST).is_some();
        sent.cut += all.values().filter(is_cut).count();
        Ok(())
    })?;
    Ok(sent)
}

/// The experiment's number; it is made if it is not there.
fn experiment(server: &Server, name: &str) -> Result<String, MlflowError> {
    // A sweep's name has no character that an address could not hold.
    let found = server.get(&format!("experiments/get-by-name?experiment_name={name}"))?;
    if let Some(found) = found {
        if found["experiment"]["lifecycle_stage"] == "deleted" {
            return Err(MlflowError::Deleted { name: name.to_owned() });
        }
        return text(&found["experiment"]["experiment_id"]);
    }
    text(&server.post("experiments/create", &json!({ "name": name }))?["experiment_id"])
}

struct Run {
    id: String,
    is_whole: bool,
}

/// The runs that are there, by key and number of their trials.
fn runs(server: &Server, experiment: &str) -> Result<BTreeMap<(String, String), Run>, MlflowError> {
    let mut runs = BTreeMap::new();
    let mut question = json!({ "experiment_ids": [experiment], "max_results": PAGE });
    loop {
        let answer = server.post("runs/search", &question)?;
        for run in answer["runs"].as_array().into_iter().flatten() {
            let tags = run["data"]["tags"].as_array();
            let tag = |name: &str| {
                let tag = tags?.iter().find(|tag| tag["key"] == name)?;
                Some(tag["value"].as_str()?.to_owned())
            };
            if let (Some(key), Some(trial)) = (tag(KEY), tag(TRIAL)) {
                let id = text(&run["info"]["run_id"])?;
                runs.insert((key, trial), Run { id, is_whole: run["info"]["status"] != "RUNNING" });
            }
        }
        match answer["next_page_token"].as_str() {
            None | Some("") => return Ok(runs),
            Some(page) => question["page_token"] = page.into(),
        }
    }
}

fn send_one(
    server: &Server,
    experiment: &str,
    trial: &TrialDetail,
    (fixed, names): (&Parameters, &batch::Names),
) -> Result<(), MlflowError> {
    let tag = |key: &str, value: String| json!({ "key": key, "value": value });
    let created = server.post(
        "runs/create",
        &json!({
            "experiment_id": experiment,
            "run_name": format!("trial {}", trial.trial.0),
            "start_time": started(trial).map_or(0, |time| time.0),
            "tags": [
                tag(KEY, trial.key.to_string()),
                tag(TRIAL, trial.trial.0.to_string()),
                tag("pleach.configuration", trial.configuration.0.to_string()),
                tag("pleach.seed", trial.seed.to_string()),
                tag("pleach.status", trial.status.word().to_owned()),
            ],
        }),
    )?;
    let run = text(&created["run"]["info"]["run_id"])?;
    for mut batch in batch::batches(trial, fixed, names) {
        batch["run_id"] = run.as_str().into();
        server.post("runs/log-batch", &batch)?;
    }
    let status = match trial.status {
        TrialStatus::Done => "FINISHED",
        TrialStatus::Stopped => "KILLED",
        TrialStatus::Waiting | TrialStatus::Diverged | TrialStatus::Failed => "FAILED",
    };
    let end = ended(trial).map_or(0, |time| time.0);
    server.post("runs/update", &json!({ "run_id": run, "status": status, "end_time": end }))?;
    Ok(())
}

fn text(value: &Value) -> Result<String, MlflowError> {
    value.as_str().map(str::to_owned).ok_or(MlflowError::Strange)
}

#[cfg(test)]
mod tests;
