//! Stages side by side in one worker.

use super::{
    cases::{FIRST, step},
    *,
};

const SECOND: WorkerId = WorkerId(2);

/// Trials of one stage of ten steps, the odd ones and the even ones of equal shape.
fn begun(settings: Settings, trials: usize, most: u32) -> Sweep {
    let mut sweep = Sweep::new(settings, beside(&vec![0; trials], most));
    let _spawned = step(&mut sweep, 0, &[]);
    sweep
}

fn ready(sweep: &mut Sweep, worker: WorkerId) -> Vec<String> {
    step(sweep, 0, &[Event::WorkerReady { worker, queue: 0 }])
}

fn done(worker: WorkerId, attempt: u32) -> Event {
    let (attempt, outcome, digest) = (AttemptId(attempt), Outcome::Done, String::new());
    Event::Finished { worker, attempt, step: 10, outcome, digest }
}

#[test]
fn a_worker_runs_those_of_equal_shape_and_another_takes_the_place_of_one_that_ends() {
    let mut sweep = begun(settings(1), 9, 3);
    insta::assert_debug_snapshot!(ready(&mut sweep, FIRST), @r#"
    [
        "stage 1 is attempt 1",
        "stage 3 is attempt 2",
        "stage 5 is attempt 3",
    ]
    "#);
    // Any of them may speak.
    let said = |attempt| Event::Progress { worker: FIRST, attempt: AttemptId(attempt), step: 5 };
    assert!(step(&mut sweep, 1, &[said(3), said(1), said(2)]).is_empty());
    insta::assert_debug_snapshot!(step(&mut sweep, 1, &[done(FIRST, 2)]), @r#"
    [
        "attempt 2 ended: Done",
        "trial 3 is Done",
        "stage 7 is attempt 4",
        "Say(TrialEnded { trial: TrialId(3) })",
    ]
    "#);
    assert_eq!(sweep.progress().running.len(), 3);
}

#[test]
fn every_slot_has_something_to_do_before_lanes_are_filled() {
    let mut sweep = begun(settings(2), 6, 16);
    // Six for two: three for each; those of the other shape are left.
    insta::assert_debug_snapshot!(ready(&mut sweep, FIRST), @r#"
    [
        "stage 1 is attempt 1",
        "stage 3 is attempt 2",
        "stage 5 is attempt 3",
    ]
    "#);
    insta::assert_debug_snapshot!(ready(&mut sweep, SECOND), @r#"
    [
        "stage 2 is attempt 4",
        "stage 4 is attempt 5",
        "stage 6 is attempt 6",
    ]
    "#);
    let mut sweep = begun(settings(2), 2, 16);
    assert_eq!(ready(&mut sweep, FIRST), ["stage 1 is attempt 1"]);
    assert_eq!(ready(&mut sweep, SECOND), ["stage 2 is attempt 2"]);
}

#[test]
fn a_person_can_do_with_fewer_lanes_or_without() {
    let granted = |lanes| ready(&mut begun(Settings { lanes, ..settings(1) }, 9, 16), FIRST).len();
    assert_eq!([1, 2, 100].map(granted), [1, 2, 5]);
}

#[test]
fn a_crash_costs_all_that_ran_and_each_runs_again_alone() {
    let mut sweep = begun(settings(1), 4, 16);
    assert_eq!(ready(&mut sweep, FIRST), ["stage 1 is attempt 1", "stage 3 is attempt 2"]);
    let died = Event::WorkerDied {
        worker: FIRST,
        how: "killed by signal 9".to_owned(),
        class: Class::Crash,
        found: BTreeMap::new(),
    };
    insta::assert_debug_snapshot!(step(&mut sweep, 1, &[died]), @r#"
    [
        "attempt 1 ended: Failed(Crash, \"killed by signal 9\")",
        "attempt 2 ended: Failed(Crash, \"killed by signal 9\")",
        "Say(AttemptFailed { trial: TrialId(1), others: 0, attempt: AttemptId(1), class: Some(Crash), why: \"killed by signal 9\", again: Yes })",
        "Say(AttemptFailed { trial: TrialId(3), others: 0, attempt: AttemptId(2), class: Some(Crash), why: \"killed by signal 9\", again: Yes })",
        "Spawn { worker: WorkerId(2), slot: 0 }",
    ]
    "#);
    assert_eq!(ready(&mut sweep, SECOND), ["stage 2 is attempt 3", "stage 4 is attempt 4"]);
    let both = [done(SECOND, 3), done(SECOND, 4)];
    let again = step(&mut sweep, 2, &both);
    assert!(again.contains(&"stage 1 is attempt 5".to_owned()), "{again:?}");
    assert!(!again.contains(&"stage 3 is attempt 6".to_owned()), "{again:?}");
    let last = step(&mut sweep, 3, &[done(SECOND, 5)]);
    assert!(last.contains(&"stage 3 is attempt 6".to_owned()), "{last:?}");
}

#[test]
fn want_of_memory_is_charged_to_who_ran_alone() {
    let ended = |trials, granted: &[&str]| {
        let mut sweep = begun(settings(1), trials, 16);
        assert_eq!(ready(&mut sweep, FIRST), granted);
        let died = Event::WorkerDied {
            worker: FIRST,
            how: "aborted".to_owned(),
            class: Class::OutOfMemory,
            found: BTreeMap::new(),
        };
        let ended = step(&mut sweep, 1, &[died]).into_iter();
        ended.filter(|it| it.starts_with("attempt")).collect::<Vec<_>>()
    };
    let alone = ended(2, &["stage 1 is attempt 1"]);
    assert_eq!(alone, [r#"attempt 1 ended: Failed(OutOfMemory, "aborted")"#]);
    let both = ended(4, &["stage 1 is attempt 1", "stage 3 is attempt 2"]);
    let crash =
        [1, 2].map(|attempt| format!(r#"attempt {attempt} ended: Failed(Crash, "aborted")"#));
    assert_eq!(both, crash);
}

#[test]
fn words_on_more_attempts_than_there_are_lanes_are_nonsense() {
    let mut sweep = begun(settings(1), 9, 3);
    let _granted = ready(&mut sweep, FIRST);
    let lie = Event::Progress { worker: FIRST, attempt: AttemptId(4), step: 5 };
    assert_eq!(step(&mut sweep, 1, &[lie]), ["Kill { worker: WorkerId(1) }"]);
}
