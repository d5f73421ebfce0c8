//! Results that a dead worker has left.

use super::{
    cases::{FIRST, started, step},
    *,
};

#[test]
fn a_result_that_a_dead_worker_left_is_counted_even_if_it_was_killed() {
    let found = |outcome| Event::WorkerDied {
        worker: FIRST,
        how: "killed by signal 9".to_owned(),
        class: Class::Crash,
        found: BTreeMap::from([(
            AttemptId(1),
            Found {
                metrics: vec![(5, vec![("m".to_owned(), 0.25)])],
                step: 20,
                outcome,
                digest: String::new(),
                state: None,
                usage: Some(Usage { memory: 5, cpu: 6 }),
                warnings: Vec::new(),
            },
        )]),
    };
    let mut sweep = started(settings(1), 1);
    let _killed = step(&mut sweep, 1, &[Event::Asked(Request::Kill)]);
    // Nobody listens to it any more when it says so.
    let finished = Event::Finished {
        worker: FIRST,
        attempt: AttemptId(1),
        step: 20,
        outcome: Outcome::Done,
        digest: String::new(),
    };
    assert!(step(&mut sweep, 2, &[finished]).is_empty());
    insta::assert_debug_snapshot!(step(&mut sweep, 2, &[found(Outcome::Done)]), @r#"
    [
        "attempt 1 took Usage { memory: 5, cpu: 6 }",
        "attempt 1 ended: Done",
        "trial 1 is Done",
        "Say(TrialEnded { trial: TrialId(1) })",
        "Finish(Complete)",
    ]
    "#);
    let mut sweep = started(settings(1), 1);
    insta::assert_debug_snapshot!(step(&mut sweep, 2, &[found(Outcome::Failed(Class::Error, "no data".to_owned()))]), @r#"
    [
        "attempt 1 took Usage { memory: 5, cpu: 6 }",
        "attempt 1 ended: Failed(Error, \"no data\")",
        "Say(AttemptFailed { trial: TrialId(1), others: 0, attempt: AttemptId(1), class: Some(Error), why: \"no data\", again: Yes })",
        "Spawn { worker: WorkerId(2), slot: 0 }",
    ]
    "#);
    // What is no result of the stage is none.
    let mut sweep = started(settings(1), 1);
    insta::assert_debug_snapshot!(step(&mut sweep, 2, &[found(Outcome::Stopped)]), @r#"
    [
        "attempt 1 ended: Failed(Crash, \"killed by signal 9\")",
        "Say(AttemptFailed { trial: TrialId(1), others: 0, attempt: AttemptId(1), class: Some(Crash), why: \"killed by signal 9\", again: Yes })",
        "Spawn { worker: WorkerId(2), slot: 0 }",
    ]
    "#);
}
