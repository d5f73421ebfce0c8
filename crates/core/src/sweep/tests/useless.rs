//! Workers that are of no use while they hold nothing.

use super::{
    cases::{FIRST, alone, started, step},
    *,
};

fn ready(worker: u32) -> Event {
    Event::WorkerReady { worker: WorkerId(worker), queue: 0 }
}

fn nonsense(worker: u32) -> Event {
    Event::WorkerTalkedNonsense { worker: WorkerId(worker), what: "`boo`".to_owned() }
}

fn dead(worker: u32) -> Event {
    let (how, class, found) = ("killed by signal 15".to_owned(), Class::Crash, BTreeMap::new());
    Event::WorkerDied { worker: WorkerId(worker), how, class, found }
}

#[test]
fn one_that_greets_and_talks_nonsense_at_once_is_not_started_for_ever() {
    let mut sweep = Sweep::new(settings(1), alone(1));
    let mut decisions = step(&mut sweep, 0, &[]);
    for worker in 1..=3 {
        decisions.extend(step(&mut sweep, 1, &[ready(worker), nonsense(worker)]));
        decisions.extend(step(&mut sweep, 2, &[dead(worker)]));
    }
    insta::assert_debug_snapshot!(decisions, @r#"
    [
        "Spawn { worker: WorkerId(1), slot: 0 }",
        "Kill { worker: WorkerId(1) }",
        "Spawn { worker: WorkerId(2), slot: 0 }",
        "Kill { worker: WorkerId(2) }",
        "Spawn { worker: WorkerId(3), slot: 0 }",
        "Kill { worker: WorkerId(3) }",
        "nothing more is begun: no worker can be used: `boo`",
        "Finish(Unusable(\"`boo`\"))",
    ]
    "#);
}

#[test]
fn one_that_dies_while_only_suspects_wait_is_not_started_for_ever() {
    let mut sweep = started(settings(1), 1);
    let mut decisions = step(&mut sweep, 1, &[dead(1)]);
    for worker in 2..=4 {
        decisions.extend(step(&mut sweep, 2, &[ready(worker), dead(worker)]));
    }
    let last = decisions.last().unwrap();
    assert_eq!(last, "Finish(Unusable(\"killed by signal 15\"))", "{decisions:?}");
}

#[test]
fn a_slot_where_workers_are_of_no_use_gets_no_more_while_others_go_on() {
    let mut sweep = Sweep::new(settings(2), alone(5));
    let mut decisions = step(&mut sweep, 0, &[]);
    decisions.extend(step(&mut sweep, 0, &[ready(1)]));
    for worker in 2..=4 {
        decisions.extend(step(&mut sweep, 1, &[dead(worker)]));
    }
    insta::assert_debug_snapshot!(decisions, @r#"
    [
        "Spawn { worker: WorkerId(1), slot: 0 }",
        "Spawn { worker: WorkerId(2), slot: 1 }",
        "stage 1 is attempt 1",
        "Spawn { worker: WorkerId(3), slot: 1 }",
        "Spawn { worker: WorkerId(4), slot: 1 }",
        "Say(SlotGivenUp { slot: 1, why: \"killed by signal 15\" })",
    ]
    "#);
    let finished = Event::Finished {
        worker: FIRST,
        attempt: AttemptId(1),
        step: 20,
        outcome: Outcome::Done,
        digest: String::new(),
    };
    let decisions = step(&mut sweep, 2, &[finished]);
    assert!(decisions.contains(&"stage 2 is attempt 2".to_owned()), "{decisions:?}");
    assert!(!decisions.iter().any(|it| it.contains("Spawn")), "{decisions:?}");
}

#[test]
fn one_that_does_not_greet_is_reported_and_ended_when_a_person_asks() {
    let mut sweep = Sweep::new(settings(1), alone(1));
    let _spawned = step(&mut sweep, 0, &[]);
    let _waits = step(&mut sweep, 1, &[]);
    insta::assert_debug_snapshot!(step(&mut sweep, 11, &[]), @r#"
    [
        "Say(WorkerMute { worker: WorkerId(1), seconds: 10 })",
    ]
    "#);
    assert!(step(&mut sweep, 9999, &[]).is_empty(), "it is said once, and nothing else is done");
    insta::assert_debug_snapshot!(step(&mut sweep, 10_000, &[Event::Asked(Request::Stop)]), @r#"
    [
        "nothing more is begun: it was stopped",
        "Kill { worker: WorkerId(1) }",
    ]
    "#);
    assert_eq!(step(&mut sweep, 10_001, &[dead(1)]), ["Finish(Stopped)"]);
}

#[test]
fn one_that_does_not_greet_is_killed_by_a_limit_of_the_person() {
    let mut sweep = Sweep::new(Settings { stall: Some(5_000_000), ..settings(1) }, alone(1));
    let _spawned = step(&mut sweep, 0, &[]);
    let _waits = step(&mut sweep, 1, &[]);
    assert_eq!(step(&mut sweep, 6, &[]), ["Kill { worker: WorkerId(1) }"]);
    assert_eq!(step(&mut sweep, 7, &[dead(1)]), ["Spawn { worker: WorkerId(2), slot: 0 }"]);
}

#[test]
fn one_that_does_not_end_when_all_is_done_is_reported_and_ended_when_a_person_asks() {
    let mut sweep = started(settings(1), 1);
    let finished = Event::Finished {
        worker: FIRST,
        attempt: AttemptId(1),
        step: 20,
        outcome: Outcome::Done,
        digest: String::new(),
    };
    let _dismissed = step(&mut sweep, 1, &[finished]);
    // It may close its output as it ends.
    assert!(step(&mut sweep, 2, &[Event::WorkerClosed { worker: FIRST }]).is_empty());
    insta::assert_debug_snapshot!(step(&mut sweep, 12, &[]), @r#"
    [
        "Say(WorkerLingers { worker: WorkerId(1), seconds: 10 })",
    ]
    "#);
    let asked = step(&mut sweep, 13, &[Event::Asked(Request::Stop)]);
    assert!(asked.contains(&"Kill { worker: WorkerId(1) }".to_owned()), "{asked:?}");
    assert_eq!(step(&mut sweep, 14, &[dead(1)]), ["Finish(Complete)"]);
}

#[test]
fn one_that_closes_its_output_has_crashed() {
    let mut sweep = started(settings(1), 1);
    let killed = step(&mut sweep, 1, &[Event::WorkerClosed { worker: FIRST }]);
    assert_eq!(killed, ["Kill { worker: WorkerId(1) }"]);
    let ended = step(&mut sweep, 2, &[dead(1)]);
    assert_eq!(ended[0], "attempt 1 ended: Failed(Crash, \"it closed its output and lived on\")");
}

#[test]
fn what_is_done_without_the_objective_has_failed() {
    let mut sweep = started(settings(1), 1);
    let worker = FIRST;
    let (attempt, step, digest) = (AttemptId(1), 20, String::new());
    let other = vec![("other".to_owned(), 1.0)];
    let events = [
        Event::Metrics { worker, attempt, step, values: other },
        Event::Finished { worker, attempt, step, outcome: Outcome::Done, digest },
    ];
    let decisions = sweep.step(&events, Moment(1));
    let why = "it was done and had not measured `m`".to_owned();
    let ending = Ending::Failed(Class::NoObjective, why);
    let fact = Fact::Ended { attempt, ending, step };
    assert!(decisions.facts.contains(&fact), "{:?}", decisions.facts);
}
