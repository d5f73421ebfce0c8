//! Single decisions, one after the other.

use super::*;

/// Steps with these events and says what is decided, without the facts of metrics.
pub(super) fn step(sweep: &mut Sweep, seconds: u64, events: &[Event]) -> Vec<String> {
    let events: Vec<Event> = events.iter().flat_map(measured).collect();
    let decisions = sweep.step(&events, Moment(seconds * 1_000_000));
    let facts = decisions.facts.iter().filter_map(|fact| match fact {
        Fact::Ended { attempt, ending, .. } => {
            Some(format!("attempt {} ended: {ending:?}", attempt.0))
        }
        Fact::Trial { trial, status, .. } => Some(format!("trial {} is {status:?}", trial.0)),
        Fact::Granted { attempt, stage, purpose: Purpose::Train, .. } => {
            Some(format!("stage {} is attempt {}", stage.0, attempt.0))
        }
        Fact::Granted { attempt, stage, from, .. } => {
            Some(format!("stage {} is trained again from {from} as attempt {}", stage.0, attempt.0))
        }
        Fact::Used { attempt, usage } => Some(format!("attempt {} took {usage:?}", attempt.0)),
        Fact::Halted { why } => Some(format!("nothing more is begun: {why}")),
        Fact::Forgotten { stage, step } => Some(format!("stage {} forgets {step}", stage.0)),
        _ => None,
    });
    let commands = decisions.commands.iter().filter_map(|command| match command {
        Command::Grant { .. } => None,
        other => Some(format!("{other:?}")),
    });
    facts.chain(commands).collect()
}

/// What is done has measured the objective.
fn measured(event: &Event) -> Vec<Event> {
    match event {
        &Event::Finished {
            worker, attempt, step, outcome: Outcome::Done | Outcome::Early, ..
        } => {
            let values = vec![("m".to_owned(), 1.0)];
            vec![Event::Metrics { worker, attempt, step, values }, event.clone()]
        }
        _ => vec![event.clone()],
    }
}

/// Trials of one stage of 20 steps.
pub(super) fn alone(trials: usize) -> Rows {
    let mut rows = forest(&vec![0; trials]);
    for row in &mut rows.stages {
        row.stage.end = 20;
    }
    rows
}

pub(super) const FIRST: WorkerId = WorkerId(1);

pub(super) fn started(settings: Settings, single: usize) -> Sweep {
    let mut sweep = Sweep::new(settings, alone(single));
    let _spawned = step(&mut sweep, 0, &[]);
    let granted = step(&mut sweep, 0, &[Event::WorkerReady { worker: FIRST, queue: 2 }]);
    assert_eq!(granted, ["stage 1 is attempt 1"]);
    sweep
}

pub(super) fn died() -> Event {
    Event::WorkerDied {
        worker: FIRST,
        how: "killed by signal 9".to_owned(),
        class: Class::Crash,
        found: BTreeMap::new(),
    }
}

#[test]
fn a_crash_is_charged_to_the_worker_and_its_stage_runs_again_apart() {
    let mut sweep = started(settings(1), 2);
    insta::assert_debug_snapshot!(step(&mut sweep, 1, &[died()]), @r#"
    [
        "attempt 1 ended: Failed(Crash, \"killed by signal 9\")",
        "Say(AttemptFailed { trial: TrialId(1), others: 0, attempt: AttemptId(1), class: Some(Crash), why: \"killed by signal 9\", again: Yes })",
        "Spawn { worker: WorkerId(2), slot: 0 }",
    ]
    "#);
    let second = WorkerId(2);
    // The other trial goes first; the suspect follows, alone.
    insta::assert_debug_snapshot!(step(&mut sweep, 2, &[Event::WorkerReady { worker: second, queue: 2 }]), @r#"
    [
        "stage 2 is attempt 2",
    ]
    "#);
}

#[test]
fn only_limits_that_a_person_set_kill_a_silent_worker() {
    let mut sweep = started(settings(1), 1);
    insta::assert_debug_snapshot!(step(&mut sweep, 61, &[]), @r#"
    [
        "Say(WorkerSilent { worker: WorkerId(1), trial: TrialId(1), seconds: 61 })",
    ]
    "#);
    assert!(step(&mut sweep, 9999, &[]).is_empty(), "it is said once");
    let mut sweep = started(Settings { stall: Some(30_000_000), ..settings(1) }, 1);
    insta::assert_debug_snapshot!(step(&mut sweep, 31, &[]), @r#"
    [
        "Kill { worker: WorkerId(1) }",
    ]
    "#);
    insta::assert_debug_snapshot!(step(&mut sweep, 32, &[died()]), @r#"
    [
        "attempt 1 ended: Failed(Stall, \"it said nothing for longer than `stall` allows\")",
        "Say(AttemptFailed { trial: TrialId(1), others: 0, attempt: AttemptId(1), class: Some(Stall), why: \"it said nothing for longer than `stall` allows\", again: Yes })",
        "Spawn { worker: WorkerId(2), slot: 0 }",
    ]
    "#);
    let mut sweep = started(Settings { timeout: Some(30_000_000), ..settings(1) }, 1);
    let said = Event::Progress { worker: FIRST, attempt: AttemptId(1), step: 1 };
    insta::assert_debug_snapshot!(step(&mut sweep, 31, &[said]), @r#"
    [
        "Kill { worker: WorkerId(1) }",
    ]
    "#);
}

#[test]
fn a_program_may_end_its_trial_early_but_no_stage_that_others_go_on_from() {
    let early = Event::Finished {
        worker: FIRST,
        attempt: AttemptId(1),
        step: 9,
        outcome: Outcome::Early,
        digest: String::new(),
    };
    let mut sweep = started(settings(1), 1);
    let last = step(&mut sweep, 1, std::slice::from_ref(&early));
    assert_eq!(last[..2], ["attempt 1 ended: Done", "trial 1 is Done"]);
    let mut sweep = Sweep::new(settings(1), forest(&[0, 1]));
    let _spawned = step(&mut sweep, 0, &[]);
    let _granted = step(&mut sweep, 0, &[Event::WorkerReady { worker: FIRST, queue: 2 }]);
    let inner = step(&mut sweep, 1, std::slice::from_ref(&early));
    assert_eq!(inner, ["Kill { worker: WorkerId(1) }"]);
}

#[test]
fn a_worker_that_lies_is_killed() {
    let attempt = AttemptId(1);
    let done = |step| Event::Finished {
        worker: FIRST,
        attempt,
        step,
        outcome: Outcome::Done,
        digest: String::new(),
    };
    let lies = [
        done(3),
        done(21),
        Event::Progress { worker: FIRST, attempt: AttemptId(7), step: 1 },
        Event::Finished {
            worker: FIRST,
            attempt,
            step: 3,
            outcome: Outcome::Stopped,
            digest: String::new(),
        },
        Event::Checkpoint {
            worker: FIRST,
            attempt,
            step: 5,
            file: "../../x".to_owned(),
            digest: String::new(),
            bytes: 1,
        },
    ];
    let mut decisions = Vec::new();
    for lie in lies {
        let mut sweep = started(settings(1), 1);
        decisions.extend(step(&mut sweep, 1, &[lie]));
        decisions.extend(
            step(&mut sweep, 1, &[died()]).into_iter().filter(|line| line.starts_with("attempt")),
        );
    }
    insta::assert_debug_snapshot!(decisions, @r#"
    [
        "Kill { worker: WorkerId(1) }",
        "attempt 1 ended: Failed(Protocol, \"it says that it is done at step 3 of 20\")",
        "Kill { worker: WorkerId(1) }",
        "attempt 1 ended: Failed(Protocol, \"it speaks of step 21 after step 20, in a stage that ends at 20\")",
        "Kill { worker: WorkerId(1) }",
        "attempt 1 ended: Failed(Protocol, \"it speaks of attempt 7, which it was not given\")",
        "Kill { worker: WorkerId(1) }",
        "attempt 1 ended: Failed(Protocol, \"it stopped without being asked\")",
        "Kill { worker: WorkerId(1) }",
        "attempt 1 ended: Failed(Protocol, \"it calls a checkpoint `../../x`\")",
    ]
    "#);
}

#[test]
fn retries_are_for_failures() {
    let mut sweep = started(settings(1), 1);
    let failed = |attempt| Event::Finished {
        worker: FIRST,
        attempt: AttemptId(attempt),
        step: 3,
        outcome: Outcome::Failed(Class::Error, "no data".to_owned()),
        digest: String::new(),
    };
    // It failed after more steps than it knows of.
    let said = Event::Progress { worker: FIRST, attempt: AttemptId(1), step: 9 };
    let mut decisions = step(&mut sweep, 1, &[said, failed(1)]);
    decisions.extend(step(&mut sweep, 2, &[failed(2)]));
    insta::assert_debug_snapshot!(decisions, @r#"
    [
        "attempt 1 ended: Failed(Error, \"no data\")",
        "stage 1 is attempt 2",
        "Say(AttemptFailed { trial: TrialId(1), others: 0, attempt: AttemptId(1), class: Some(Error), why: \"no data\", again: Yes })",
        "attempt 2 ended: Failed(Error, \"no data\")",
        "trial 1 is Failed",
        "Say(AttemptFailed { trial: TrialId(1), others: 0, attempt: AttemptId(2), class: Some(Error), why: \"no data\", again: No })",
        "Say(TrialEnded { trial: TrialId(1) })",
        "Dismiss { worker: WorkerId(1) }",
    ]
    "#);
}

/// An attempt of the first worker ends so.
fn fails(attempt: u32, class: Class) -> Event {
    Event::Finished {
        worker: FIRST,
        attempt: AttemptId(attempt),
        step: 0,
        outcome: Outcome::Failed(class, "no".to_owned()),
        digest: String::new(),
    }
}

#[test]
fn each_class_has_a_budget_of_its_own() {
    let tries = Class::ALL.map(|class| {
        let mut sweep = started(settings(1), 1);
        let mut attempts = 0;
        // Longer than any pause.
        while sweep.progress().failed == 0 {
            attempts += 1;
            let _decided = step(&mut sweep, 1000 * u64::from(attempts), &[fails(attempts, class)]);
            let _granted = step(&mut sweep, 1000 * u64::from(attempts) + 999, &[]);
        }
        (class, attempts)
    });
    assert_eq!(tries, Class::ALL.map(|class| (class, class.retries() + 1)));
}

#[test]
fn what_may_be_better_later_is_tried_after_a_pause_that_doubles() {
    let mut sweep = started(settings(1), 2);
    let mut decisions = step(&mut sweep, 1, &[fails(1, Class::Preempted)]);
    decisions.extend(step(&mut sweep, 2, &[fails(2, Class::Error)]));
    decisions.extend(step(&mut sweep, 3, &[fails(3, Class::Preempted)]));
    decisions.extend(step(&mut sweep, 4, &[]));
    decisions.push("two seconds are over".to_owned());
    decisions.extend(step(&mut sweep, 5, &[fails(4, Class::Error)]));
    decisions.retain(|line| !line.starts_with("Say"));
    insta::assert_debug_snapshot!(decisions, @r#"
    [
        "attempt 1 ended: Failed(Preempted, \"no\")",
        "stage 2 is attempt 2",
        "attempt 2 ended: Failed(Error, \"no\")",
        "stage 1 is attempt 3",
        "attempt 3 ended: Failed(Preempted, \"no\")",
        "stage 2 is attempt 4",
        "two seconds are over",
        "attempt 4 ended: Failed(Error, \"no\")",
        "trial 2 is Failed",
        "stage 1 is attempt 5",
    ]
    "#);
}

#[test]
fn a_configuration_that_cannot_be_run_stops_the_sweep_at_once_while_nothing_is_done() {
    let mut sweep = started(settings(1), 9);
    let decisions = step(&mut sweep, 1, &[fails(1, Class::Configuration)]);
    insta::assert_debug_snapshot!(decisions, @r#"
    [
        "attempt 1 ended: Failed(Configuration, \"no\")",
        "nothing more is begun: a trial cannot be run so: no",
        "trial 1 is Failed",
        "Say(AttemptFailed { trial: TrialId(1), others: 0, attempt: AttemptId(1), class: Some(Configuration), why: \"no\", again: No })",
        "Say(TrialEnded { trial: TrialId(1) })",
        "Dismiss { worker: WorkerId(1) }",
    ]
    "#);
}

#[test]
fn workers_that_cannot_be_used_end_the_run() {
    let mut sweep = Sweep::new(settings(1), alone(1));
    let mut decisions = step(&mut sweep, 0, &[]);
    for worker in 1..=3 {
        decisions = step(
            &mut sweep,
            1,
            &[Event::WorkerUnusable {
                worker: WorkerId(worker),
                why: "no such program".to_owned(),
            }],
        );
    }
    insta::assert_debug_snapshot!(decisions, @r#"
    [
        "nothing more is begun: no worker can be used: no such program",
        "Finish(Unusable(\"no such program\"))",
    ]
    "#);
}

#[test]
fn a_pause_grants_nothing_and_a_limit_stops() {
    let mut sweep = started(settings(1), 2);
    assert!(step(&mut sweep, 1, &[Event::Asked(Request::Pause)]).is_empty());
    let finished = Event::Finished {
        worker: FIRST,
        attempt: AttemptId(1),
        step: 20,
        outcome: Outcome::Done,
        digest: String::new(),
    };
    insta::assert_debug_snapshot!(step(&mut sweep, 2, &[finished]), @r#"
    [
        "attempt 1 ended: Done",
        "trial 1 is Done",
        "Say(TrialEnded { trial: TrialId(1) })",
    ]
    "#);
    insta::assert_debug_snapshot!(step(&mut sweep, 3, &[Event::Asked(Request::Continue)]), @r#"
    [
        "stage 2 is attempt 2",
    ]
    "#);
    let mut sweep = started(Settings { limit: Some(Moment(5_000_000)), ..settings(1) }, 2);
    insta::assert_debug_snapshot!(step(&mut sweep, 5, &[]), @r#"
    [
        "nothing more is begun: its `limit` was reached",
        "AskStop { worker: WorkerId(1), attempt: AttemptId(1) }",
    ]
    "#);
}

#[test]
fn a_second_request_to_stop_kills() {
    let mut sweep = started(settings(1), 2);
    insta::assert_debug_snapshot!(step(&mut sweep, 1, &[Event::Asked(Request::Stop)]), @r#"
    [
        "nothing more is begun: it was stopped",
        "AskStop { worker: WorkerId(1), attempt: AttemptId(1) }",
    ]
    "#);
    insta::assert_debug_snapshot!(step(&mut sweep, 2, &[Event::Asked(Request::Kill)]), @r#"
    [
        "Kill { worker: WorkerId(1) }",
    ]
    "#);
    insta::assert_debug_snapshot!(step(&mut sweep, 3, &[died()]), @r#"
    [
        "attempt 1 ended: Interrupted",
        "Finish(Stopped)",
    ]
    "#);
}

#[test]
fn a_stopped_trial_leaves_the_others_alone() {
    let mut sweep = started(settings(1), 2);
    insta::assert_debug_snapshot!(step(&mut sweep, 1, &[Event::Asked(Request::StopTrial(TrialId(1)))]), @r#"
    [
        "trial 1 is Stopped",
        "AskStop { worker: WorkerId(1), attempt: AttemptId(1) }",
    ]
    "#);
    let finished = Event::Finished {
        worker: FIRST,
        attempt: AttemptId(1),
        step: 4,
        outcome: Outcome::Stopped,
        digest: String::new(),
    };
    insta::assert_debug_snapshot!(step(&mut sweep, 2, &[finished]), @r#"
    [
        "attempt 1 ended: Interrupted",
        "stage 2 is attempt 2",
    ]
    "#);
}

#[test]
fn a_broken_program_stops_the_sweep_and_what_runs_goes_on() {
    let failed = |worker: u32, attempt: u32, why: &str| Event::Finished {
        worker: WorkerId(worker),
        attempt: AttemptId(attempt),
        step: 3,
        outcome: Outcome::Failed(Class::Error, why.to_owned()),
        digest: String::new(),
    };
    let no_retries = Budgets::default().with(Class::Error, 0);
    let mut sweep = Sweep::new(Settings { budgets: no_retries, ..settings(2) }, alone(100));
    let ready = |worker: u32| Event::WorkerReady { worker: WorkerId(worker), queue: 0 };
    let _started = (step(&mut sweep, 0, &[]), step(&mut sweep, 0, &[ready(1), ready(2)]));
    // The second worker is busy with attempt 2.
    let why = |attempt: u32| format!("no such file: {attempt}.5e-3");
    let mut said = step(&mut sweep, 1, &[failed(1, 1, "another failure")]);
    for attempt in 3..=7 {
        said = step(&mut sweep, 1, &[failed(1, attempt, &why(attempt))]);
    }
    insta::assert_debug_snapshot!(said, @r#"
    [
        "attempt 7 ended: Failed(Error, \"no such file: 7.5e-3\")",
        "nothing more is begun: 5 trials in a row failed in the same way: no such file: 3.5e-3",
        "trial 7 is Failed",
        "Say(AttemptFailed { trial: TrialId(7), others: 0, attempt: AttemptId(7), class: Some(Error), why: \"no such file: 7.5e-3\", again: No })",
        "Say(TrialEnded { trial: TrialId(7) })",
        "Dismiss { worker: WorkerId(1) }",
    ]
    "#);
    let last = [Event::WorkerDied {
        worker: FIRST,
        how: String::new(),
        class: Class::Crash,
        found: BTreeMap::new(),
    }];
    assert!(step(&mut sweep, 2, &last).is_empty());
    insta::assert_debug_snapshot!(step(&mut sweep, 3, &[failed(2, 2, "other")]), @r#"
    [
        "attempt 2 ended: Failed(Error, \"other\")",
        "trial 2 is Failed",
        "Say(AttemptFailed { trial: TrialId(2), others: 0, attempt: AttemptId(2), class: Some(Error), why: \"other\", again: No })",
        "Say(TrialEnded { trial: TrialId(2) })",
        "Dismiss { worker: WorkerId(2) }",
    ]
    "#);
    let last = Event::WorkerDied {
        worker: WorkerId(2),
        how: String::new(),
        class: Class::Crash,
        found: BTreeMap::new(),
    };
    insta::assert_debug_snapshot!(step(&mut sweep, 4, &[last]), @r#"
    [
        "Finish(Broken { times: 5, why: \"no such file: 3.5e-3\" })",
    ]
    "#);
}
