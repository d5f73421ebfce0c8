//! Tests of the store as a whole: sweeps of plain trials, and what several files of tests need.

mod errors;
mod laws;
mod reader;
mod results;
mod revisions;
mod round_trip;
mod size;

use std::collections::BTreeMap;

use pleach_core::{
    class::Class,
    fact::{Fact, NewStage, NewTrial},
    key::Key,
    life::{AttemptId, Ending, Purpose, StageId, StageStatus, TrialId, TrialStatus, WorkerId},
    objective::{Evaluated, Goal, Objective, Reduce},
    value::{Parameters, Value},
};

use crate::{Accepted, Planned, Revision, Store, Time, WriteError};

const NOW: Time = Time(1_700_000_000_000);

fn revision() -> Revision {
    Revision {
        text: "name = \"x\"".to_owned(),
        file: "x.toml".to_owned(),
        objective: Objective { metric: "loss".to_owned(), goal: Goal::Min, reduce: Reduce::Last },
        program: "noop".to_owned(),
        numerics: "none".to_owned(),
    }
}

/// A trial of ten steps per stage. Stages are named by their keys' texts; the trial by theirs and its seed.
fn trial(point: u64, seed: u64, path: &[&str]) -> (NewTrial, Parameters) {
    let stages = path.iter().enumerate().map(|(index, name)| {
        let first = 10 * index as u64;
        NewStage { key: Key::of(name), first, end: first + 10 }
    });
    let key = Key::of(&format!("{path:?} {seed}"));
    let parameters = Parameters::from([("x".to_owned(), Value::Int(point as i64))]);
    (NewTrial { point, seed, key, path: stages.collect(), rungs: None }, parameters)
}

fn planned(trials: &[(NewTrial, Parameters)]) -> Vec<Planned<'_>> {
    trials.iter().map(|(trial, parameters)| Planned { trial, parameters }).collect()
}

fn accept(store: &mut Store, trials: &[(NewTrial, Parameters)]) -> Result<Accepted, WriteError> {
    store.accept(&revision(), &planned(trials), NOW)
}

fn store(trials: &[(NewTrial, Parameters)]) -> Store {
    let mut store = Store::in_memory().unwrap();
    accept(&mut store, trials).unwrap();
    store
}

fn granted(attempt: u32, stage: u32) -> Fact {
    let (attempt, stage) = (AttemptId(attempt), StageId(stage));
    Fact::Granted { attempt, stage, worker: WorkerId(1), from: 0, purpose: Purpose::Train }
}

fn rebuilding(attempt: u32, stage: u32) -> Fact {
    let (attempt, stage) = (AttemptId(attempt), StageId(stage));
    Fact::Granted { attempt, stage, worker: WorkerId(1), from: 0, purpose: Purpose::Rebuild }
}

fn ended(attempt: u32, ending: Ending) -> Fact {
    Fact::Ended { attempt: AttemptId(attempt), ending, step: 10 }
}

fn stage(stage: u32, status: StageStatus, evaluated: &[f64]) -> Fact {
    Fact::Stage {
        stage: StageId(stage),
        status,
        digest: String::new(),
        evaluated: Evaluated(evaluated.to_vec()),
    }
}

fn trial_is(trial: u32, status: TrialStatus, objective: Option<f64>) -> Fact {
    Fact::Trial { trial: TrialId(trial), status, objective }
}

/// All facts of a stage that is trained without trouble.
fn trained(attempt: u32, id: u32, loss: f64) -> Vec<Fact> {
    vec![
        granted(attempt, id),
        Fact::Metrics { stage: StageId(id), step: 10, values: vec![("loss".to_owned(), loss)] },
        ended(attempt, Ending::Done),
        stage(id, StageStatus::Done, &[loss]),
    ]
}
