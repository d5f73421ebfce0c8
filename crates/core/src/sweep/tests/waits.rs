//! What trials wait for, told from rows.

use super::*;

/// A trunk with two branches (stages 1, 2, 3; trials 1 and 2), and a trial by itself (stage 4, trial 3).
fn tree() -> Rows {
    forest(&[0, 1, 1, 0])
}

fn check(change: impl FnOnce(&mut Rows), expected: &str) {
    let mut rows = tree();
    change(&mut rows);
    let objective = settings(1).objective;
    let trials: Vec<TrialId> = rows.trials.iter().map(|trial| trial.id).collect();
    let waits = trials.iter().map(|&trial| match wait(objective.clone(), rows.clone(), trial) {
        None => format!("{}: nothing", trial.0),
        Some(Wait::Trains { stage, attempt }) => {
            format!("{}: attempt {} trains {}", trial.0, attempt.0, stage.0)
        }
        Some(Wait::Turn { stage, ahead }) => format!("{}: turn of {}, {ahead}", trial.0, stage.0),
        Some(Wait::Apart { stage, ahead }) => format!("{}: apart {}, {ahead}", trial.0, stage.0),
        Some(Wait::Verdict { step, on }) => format!("{}: verdict at {step}, {on:?}", trial.0),
        Some(Wait::State { stage, missing, attempt, ahead }) => {
            let attempt = attempt.map(|attempt| attempt.0);
            format!("{}: {} needs {}, {attempt:?}, {ahead}", trial.0, stage.0, missing.0)
        }
    });
    assert_eq!(waits.collect::<Vec<_>>().join("; "), expected);
}

fn is(rows: &mut Rows, stage: usize, status: StageStatus) {
    rows.stages[stage - 1].stage.status = status;
}

fn state(rows: &mut Rows, stage: usize) {
    let end = rows.stages[stage - 1].stage.end;
    rows.stages[stage - 1].checkpoints.push(Checkpoint {
        attempt: AttemptId(1),
        step: end,
        file: "x".to_owned(),
        digest: String::new(),
        bytes: 1,
        evaluated: Evaluated::default(),
    });
}

#[test]
fn a_trial_waits_for_the_first_stage_of_its_path_that_is_not_done() {
    let seven = AttemptId(7);
    check(|_| {}, "1: turn of 1, 0; 2: turn of 1, 0; 3: turn of 4, 1");
    check(
        |rows| is(rows, 1, StageStatus::Running(seven)),
        "1: attempt 7 trains 1; 2: attempt 7 trains 1; 3: turn of 4, 0",
    );
    let branches = |rows: &mut Rows| {
        is(rows, 1, StageStatus::Done);
        state(rows, 1);
        is(rows, 2, StageStatus::Running(seven));
    };
    check(branches, "1: attempt 7 trains 2; 2: turn of 3, 0; 3: turn of 4, 1");
}

#[test]
fn a_stage_whose_worker_died_is_placed_after_all_others() {
    check(
        |rows| assert_eq!(rows.stages[0].stage.tally.count(Class::Crash), 1),
        "1: apart 1, 1; 2: apart 1, 1; 3: turn of 4, 0",
    );
}

#[test]
fn a_state_that_is_missing_is_made_again_from_the_nearest_above() {
    let gone = |rows: &mut Rows| is(rows, 1, StageStatus::Done);
    check(gone, "1: 2 needs 1, None, 0; 2: 3 needs 1, None, 0; 3: turn of 4, 1");
    check(
        |rows| is(rows, 1, StageStatus::Rebuilding(AttemptId(9))),
        "1: 2 needs 1, Some(9), 0; 2: 3 needs 1, Some(9), 0; 3: turn of 4, 0",
    );
    // It can itself not be begun before the one above it.
    let chain = |rows: &mut Rows| {
        *rows = forest(&[0, 1, 2]);
        is(rows, 1, StageStatus::Done);
        is(rows, 2, StageStatus::Done);
    };
    check(chain, "1: 3 needs 1, None, 0");
}

#[test]
fn a_trial_that_has_ended_waits_for_nothing() {
    check(
        |rows| {
            for trial in &mut rows.trials {
                trial.status = TrialStatus::Stopped;
            }
        },
        "1: nothing; 2: nothing; 3: nothing",
    );
}

#[test]
fn the_next_coordinator_places_it_after_all_others_too() {
    let mut rows = forest(&[0, 0]);
    rows.stages[0].stage.tally.count(Class::Crash);
    let sweep = Sweep::new(settings(1), rows);
    assert_eq!(sweep.ready.place(StageId(1)), None);
    assert_eq!(sweep.ready.place(StageId(2)), Some(0));
    assert_eq!(sweep.apart, BTreeSet::from([StageId(1)]));
}
