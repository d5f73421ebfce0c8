//! Trials that run again while the sweep goes on.

use super::{
    cases::{FIRST, alone, died, started, step},
    *,
};

#[test]
fn what_has_failed_runs_again_before_the_sweep_ends() {
    let no_retries = Budgets::default().with(Class::Crash, 0);
    let mut sweep = started(Settings { budgets: no_retries, ..settings(1) }, 1);
    let ask = |trials: &[u32]| {
        Event::Asked(Request::Retry(trials.iter().map(|trial| TrialId(*trial)).collect()))
    };
    assert!(step(&mut sweep, 1, &[ask(&[1])]).is_empty(), "it has not ended");
    // It does not end before it knows what is to be run again.
    insta::assert_debug_snapshot!(step(&mut sweep, 2, &[died(), ask(&[1, 9])]), @r#"
    [
        "attempt 1 ended: Failed(Crash, \"killed by signal 9\")",
        "trial 1 is Failed",
        "Say(AttemptFailed { trial: TrialId(1), others: 0, attempt: AttemptId(1), class: Some(Crash), why: \"killed by signal 9\", again: No })",
        "Say(TrialEnded { trial: TrialId(1) })",
        "Renew { trials: [TrialId(1)] }",
    ]
    "#);
    let mut rows = alone(1);
    (rows.trials[0].id, rows.stages[0].stage.id) = (TrialId(2), StageId(2));
    rows.trials[0].path = vec![StageId(2)];
    let renewed = Event::Renewed(Renewed {
        instead_of: vec![TrialId(1)],
        trials: rows.trials,
        stages: rows.stages,
        lanes: BTreeMap::new(),
    });
    insta::assert_debug_snapshot!(step(&mut sweep, 3, &[renewed]), @r#"
    [
        "Spawn { worker: WorkerId(2), slot: 0 }",
    ]
    "#);
    let progress = sweep.progress();
    assert_eq!((progress.trials, progress.waiting, progress.failed), (1, 1, 0));
}

#[test]
fn what_runs_again_goes_to_a_worker_that_has_nothing_to_do() {
    let ready = |worker| Event::WorkerReady { worker: WorkerId(worker), queue: 2 };
    let finished = |attempt| Event::Finished {
        worker: FIRST,
        attempt: AttemptId(attempt),
        step: 20,
        outcome: Outcome::Done,
        digest: String::new(),
    };
    let mut sweep = Sweep::new(settings(2), alone(2));
    let _spawned = step(&mut sweep, 0, &[]);
    assert_eq!(step(&mut sweep, 0, &[ready(1)]), ["stage 1 is attempt 1"]);
    // It is so fast that it could take some ahead.
    let second = step(&mut sweep, 0, &[finished(1)]);
    assert_eq!(second.last().unwrap(), "Say(TrialEnded { trial: TrialId(1) })");
    assert!(second.contains(&"stage 2 is attempt 2".to_owned()), "{second:?}");
    assert!(step(&mut sweep, 0, &[ready(2)]).is_empty());
    let mut rows = alone(3);
    let again = Renewed {
        instead_of: vec![TrialId(1)],
        trials: rows.trials.split_off(2),
        stages: rows.stages.split_off(2),
        lanes: BTreeMap::new(),
    };
    let decisions = sweep.step(&[Event::Renewed(again)], Moment(0));
    let [Command::Grant { worker, trial, .. }] = &decisions.commands[..] else {
        panic!("{decisions:?}")
    };
    assert_eq!((*worker, *trial), (WorkerId(2), TrialId(3)));
}
