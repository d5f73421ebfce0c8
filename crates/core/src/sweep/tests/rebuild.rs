//! Stages that many trials share: how they fail, and states that others start from and that are not there any more.

use super::{
    cases::{FIRST, step},
    *,
};

/// A trial of three stages, two of them done; nothing of them is on disk.
fn without_states() -> Rows {
    let mut rows = forest(&[0, 1, 2]);
    for row in &mut rows.stages[..2] {
        row.stage.status = StageStatus::Done;
        row.digest = digest(row.stage.id, row.stage.end);
    }
    rows
}

/// An attempt that writes its state and ends.
fn trained(attempt: u32, end: u64, digest: &str) -> [Event; 2] {
    let (worker, attempt, digest) = (FIRST, AttemptId(attempt), digest.to_owned());
    let (file, outcome) = (end.to_string(), Outcome::Done);
    [
        Event::Checkpoint { worker, attempt, step: end, file, digest: digest.clone(), bytes: 1 },
        Event::Finished { worker, attempt, step: end, outcome, digest },
    ]
}

fn begun(rows: Rows) -> Sweep {
    let mut sweep = Sweep::new(settings(1), rows);
    let _spawned = step(&mut sweep, 0, &[]);
    let granted = step(&mut sweep, 0, &[Event::WorkerReady { worker: FIRST, queue: 0 }]);
    assert_eq!(granted, ["stage 1 is trained again from 0 as attempt 1"]);
    sweep
}

#[test]
fn a_missing_state_is_made_again_from_the_nearest_one_above() {
    let mut sweep = begun(without_states());
    insta::assert_debug_snapshot!(step(&mut sweep, 1, &trained(1, 10, "1 at 10")), @r#"
    [
        "attempt 1 ended: Rebuilt",
        "stage 2 is trained again from 10 as attempt 2",
    ]
    "#);
    insta::assert_debug_snapshot!(step(&mut sweep, 2, &trained(2, 20, "2 at 20")), @r#"
    [
        "attempt 2 ended: Rebuilt",
        "stage 3 is attempt 3",
    ]
    "#);
    insta::assert_debug_snapshot!(step(&mut sweep, 3, &trained(3, 30, "3 at 30")), @r#"
    [
        "attempt 3 ended: Done",
        "trial 1 is Done",
        "Say(TrialEnded { trial: TrialId(1) })",
        "Dismiss { worker: WorkerId(1) }",
    ]
    "#);
}

#[test]
fn a_stage_that_can_go_on_from_inside_misses_nothing() {
    let mut rows = without_states();
    rows.stages[2].checkpoints.push(Checkpoint {
        attempt: AttemptId(7),
        step: 25,
        file: "25".to_owned(),
        digest: String::new(),
        bytes: 1,
        evaluated: Evaluated::default(),
    });
    let mut sweep = Sweep::new(settings(1), rows);
    let _spawned = step(&mut sweep, 0, &[]);
    let granted = step(&mut sweep, 0, &[Event::WorkerReady { worker: FIRST, queue: 0 }]);
    assert_eq!(granted, ["stage 3 is attempt 1"]);
}

#[test]
fn a_state_that_comes_out_otherwise_fails_what_needs_it() {
    let mut sweep = begun(without_states());
    for attempt in 1..4 {
        let again = step(&mut sweep, 1, &trained(attempt, 10, "another"));
        let next = format!("stage 1 is trained again from 0 as attempt {}", attempt + 1);
        assert!(again.contains(&next), "{again:?}");
    }
    insta::assert_debug_snapshot!(step(&mut sweep, 2, &trained(4, 10, "another")), @r#"
    [
        "attempt 4 ended: Failed(Error, \"it does not train to the state that it had before: this machine or program computes otherwise\")",
        "trial 1 is Failed",
        "Remove { attempt: AttemptId(4), file: \"10\" }",
        "Say(AttemptFailed { trial: TrialId(1), others: 0, attempt: AttemptId(4), class: Some(Error), why: \"it does not train to the state that it had before: this machine or program computes otherwise\", again: No })",
        "Say(TrialEnded { trial: TrialId(1) })",
        "Dismiss { worker: WorkerId(1) }",
    ]
    "#);
}

#[test]
fn a_trunk_that_fails_is_tried_again_once_for_all_and_told_once() {
    let mut sweep = Sweep::new(settings(1), forest(&[0, 1, 1, 1]));
    let _spawned = step(&mut sweep, 0, &[]);
    let _granted = step(&mut sweep, 0, &[Event::WorkerReady { worker: FIRST, queue: 0 }]);
    let failed = |attempt| Event::Finished {
        worker: FIRST,
        attempt: AttemptId(attempt),
        step: 3,
        outcome: Outcome::Failed(Class::Error, "no".to_owned()),
        digest: String::new(),
    };
    insta::assert_debug_snapshot!(step(&mut sweep, 1, &[failed(1)]), @r#"
    [
        "attempt 1 ended: Failed(Error, \"no\")",
        "stage 1 is attempt 2",
        "Say(AttemptFailed { trial: TrialId(1), others: 2, attempt: AttemptId(1), class: Some(Error), why: \"no\", again: Yes })",
    ]
    "#);
    insta::assert_debug_snapshot!(step(&mut sweep, 2, &[failed(2)]), @r#"
    [
        "attempt 2 ended: Failed(Error, \"no\")",
        "trial 1 is Failed",
        "trial 2 is Failed",
        "trial 3 is Failed",
        "Say(AttemptFailed { trial: TrialId(1), others: 2, attempt: AttemptId(2), class: Some(Error), why: \"no\", again: No })",
        "Say(TrialEnded { trial: TrialId(1) })",
        "Say(TrialEnded { trial: TrialId(2) })",
        "Say(TrialEnded { trial: TrialId(3) })",
        "Dismiss { worker: WorkerId(1) }",
    ]
    "#);
    assert_eq!(sweep.progress().steps_left, 0);
}

#[test]
fn a_trunk_that_diverges_is_the_result_of_all_its_trials() {
    let mut sweep = Sweep::new(settings(1), forest(&[0, 1, 1]));
    let _spawned = step(&mut sweep, 0, &[]);
    let _granted = step(&mut sweep, 0, &[Event::WorkerReady { worker: FIRST, queue: 0 }]);
    let diverged = Event::Finished {
        worker: FIRST,
        attempt: AttemptId(1),
        step: 3,
        outcome: Outcome::Diverged,
        digest: String::new(),
    };
    insta::assert_debug_snapshot!(step(&mut sweep, 1, &[diverged]), @r#"
    [
        "attempt 1 ended: Diverged",
        "trial 1 is Diverged",
        "trial 2 is Diverged",
        "Say(TrialEnded { trial: TrialId(1) })",
        "Say(TrialEnded { trial: TrialId(2) })",
        "Dismiss { worker: WorkerId(1) }",
    ]
    "#);
}

#[test]
fn the_longest_way_goes_first_and_a_tree_is_finished_before_the_next_begins() {
    // 1 has 2 and 3 below it, and 3 has 5; 4 is a tree of its own.
    let rows = forest(&[0, 1, 1, 0, 3]);
    let end = |stage: usize| rows.stages[stage - 1].stage.end;
    let mut sweep = Sweep::new(settings(1), rows.clone());
    let _spawned = step(&mut sweep, 0, &[]);
    let mut events = vec![Event::WorkerReady { worker: FIRST, queue: 0 }];
    for (attempt, stage) in [1, 3, 5, 2, 4].into_iter().enumerate() {
        let attempt = attempt as u32 + 1;
        let granted = step(&mut sweep, 1, &events);
        assert!(granted.contains(&format!("stage {stage} is attempt {attempt}")), "{granted:?}");
        events = trained(attempt, end(stage), "").to_vec();
    }
}

/// A worker that cannot use the state that its attempt was told to start from.
fn unusable(attempt: u32, step: u64) -> [Event; 1] {
    let (worker, attempt, digest) = (FIRST, AttemptId(attempt), String::new());
    [Event::Finished {
        worker,
        attempt,
        step,
        outcome: Outcome::Unusable("damaged".to_owned()),
        digest,
    }]
}

/// A trunk that is done and whose state is on disk, with two stages below it, the first of which has come half-way.
fn with_states() -> Rows {
    let mut rows = forest(&[0, 1, 1]);
    let checkpoint = |attempt, step: u64| Checkpoint {
        attempt: AttemptId(attempt),
        step,
        file: step.to_string(),
        digest: "1 at 10".to_owned(),
        bytes: 1,
        evaluated: Evaluated::default(),
    };
    let trunk = &mut rows.stages[0];
    trunk.stage.status = StageStatus::Done;
    trunk.digest = "1 at 10".to_owned();
    trunk.checkpoints.push(checkpoint(1, 10));
    rows.stages[1].checkpoints.push(checkpoint(2, 15));
    rows.next_attempt = AttemptId(3);
    rows
}

#[test]
fn a_state_that_is_of_no_use_is_passed_over_for_the_one_before_and_made_again() {
    let mut sweep = Sweep::new(settings(1), with_states());
    let _spawned = step(&mut sweep, 0, &[]);
    let granted = step(&mut sweep, 0, &[Event::WorkerReady { worker: FIRST, queue: 0 }]);
    assert_eq!(granted, ["stage 2 is attempt 3"]);
    insta::assert_debug_snapshot!(step(&mut sweep, 1, &unusable(3, 15)), @r#"
    [
        "stage 2 forgets 15",
        "attempt 3 ended: Unusable(\"damaged\")",
        "stage 2 is attempt 4",
        "Remove { attempt: AttemptId(2), file: \"15\" }",
        "Say(AttemptFailed { trial: TrialId(1), others: 0, attempt: AttemptId(3), class: None, why: \"the checkpoint that it was to start from cannot be used: damaged\", again: Yes })",
    ]
    "#);
    insta::assert_debug_snapshot!(step(&mut sweep, 2, &unusable(4, 10)), @r#"
    [
        "stage 1 forgets 10",
        "attempt 4 ended: Unusable(\"damaged\")",
        "stage 1 is trained again from 0 as attempt 5",
        "Remove { attempt: AttemptId(1), file: \"10\" }",
        "Say(AttemptFailed { trial: TrialId(1), others: 0, attempt: AttemptId(4), class: None, why: \"the checkpoint that it was to start from cannot be used: damaged\", again: Yes })",
    ]
    "#);
    insta::assert_debug_snapshot!(step(&mut sweep, 3, &trained(5, 10, "1 at 10")), @r#"
    [
        "attempt 5 ended: Rebuilt",
        "stage 2 is attempt 6",
    ]
    "#);
    insta::assert_debug_snapshot!(step(&mut sweep, 4, &trained(6, 20, "")), @r#"
    [
        "attempt 6 ended: Done",
        "trial 1 is Done",
        "stage 3 is attempt 7",
        "Say(TrialEnded { trial: TrialId(1) })",
    ]
    "#);
}

#[test]
fn a_state_that_is_of_no_use_again_and_again_fails_what_needs_it() {
    let mut sweep = Sweep::new(settings(1), with_states());
    let _spawned = step(&mut sweep, 0, &[]);
    let _granted = step(&mut sweep, 0, &[Event::WorkerReady { worker: FIRST, queue: 0 }]);
    let _inside = step(&mut sweep, 0, &unusable(3, 15));
    let mut attempt = 4;
    for _ in 0..3 {
        let _lost = step(&mut sweep, 1, &unusable(attempt, 10));
        let _rebuilt = step(&mut sweep, 1, &trained(attempt + 1, 10, "1 at 10"));
        attempt += 2;
    }
    insta::assert_debug_snapshot!(step(&mut sweep, 2, &unusable(attempt, 10)), @r#"
    [
        "stage 1 forgets 10",
        "attempt 10 ended: Unusable(\"damaged\")",
        "trial 1 is Failed",
        "trial 2 is Failed",
        "Remove { attempt: AttemptId(9), file: \"10\" }",
        "Say(AttemptFailed { trial: TrialId(1), others: 0, attempt: AttemptId(10), class: None, why: \"the checkpoint that it was to start from cannot be used: damaged\", again: No })",
        "Say(TrialEnded { trial: TrialId(1) })",
        "Say(TrialEnded { trial: TrialId(2) })",
        "Dismiss { worker: WorkerId(1) }",
    ]
    "#);
}

#[test]
fn a_worker_that_was_given_no_state_cannot_find_it_of_no_use() {
    let mut sweep = Sweep::new(settings(1), forest(&[0]));
    let _spawned = step(&mut sweep, 0, &[]);
    let _granted = step(&mut sweep, 0, &[Event::WorkerReady { worker: FIRST, queue: 0 }]);
    assert_eq!(step(&mut sweep, 1, &unusable(1, 0)), ["Kill { worker: WorkerId(1) }"]);
}

#[test]
fn a_program_that_does_not_repeat_itself_goes_on_from_what_it_comes_to() {
    let settings = Settings { exactness: Exactness::Loose, ..settings(1) };
    let mut sweep = Sweep::new(settings, without_states());
    let _spawned = step(&mut sweep, 0, &[]);
    let _granted = step(&mut sweep, 0, &[Event::WorkerReady { worker: FIRST, queue: 0 }]);
    insta::assert_debug_snapshot!(step(&mut sweep, 1, &trained(1, 10, "another")), @r#"
    [
        "attempt 1 ended: Rebuilt",
        "stage 2 is trained again from 10 as attempt 2",
        "Say(StateDiffers { trial: TrialId(1), step: 10 })",
    ]
    "#);
    insta::assert_debug_snapshot!(step(&mut sweep, 2, &trained(2, 20, "2 at 20")), @r#"
    [
        "attempt 2 ended: Rebuilt",
        "stage 3 is attempt 3",
    ]
    "#);
}

#[test]
fn a_state_that_was_made_again_and_that_nobody_heard_of_is_found() {
    let mut rows = without_states();
    rows.stages[0].stage.status = StageStatus::Rebuilding(AttemptId(1));
    rows.next_attempt = AttemptId(2);
    let found = Found {
        metrics: vec![(10, vec![("m".to_owned(), 0.25)])],
        step: 10,
        outcome: Outcome::Done,
        digest: "1 at 10".to_owned(),
        state: Some(("10".to_owned(), 1)),
        usage: None,
        warnings: Vec::new(),
    };
    rows.found.insert(AttemptId(1), found);
    let mut sweep = Sweep::new(settings(1), rows);
    insta::assert_debug_snapshot!(step(&mut sweep, 0, &[]), @r#"
    [
        "attempt 1 ended: Rebuilt",
        "Spawn { worker: WorkerId(1), slot: 0 }",
    ]
    "#);
    let granted = step(&mut sweep, 0, &[Event::WorkerReady { worker: FIRST, queue: 0 }]);
    assert_eq!(granted, ["stage 2 is trained again from 10 as attempt 2"]);
}
