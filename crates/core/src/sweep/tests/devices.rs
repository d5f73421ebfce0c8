//! A device that fails what runs elsewhere.

use super::{cases::step, *};

const OTHER: WorkerId = WorkerId(2);

/// Two slots on two devices, and single trials.
fn sweep(devices: [&str; 2]) -> Sweep {
    let devices = devices.map(str::to_owned).into();
    let mut sweep = Sweep::new(Settings { devices, ..settings(2) }, forest(&[0; 8]));
    let _spawned = step(&mut sweep, 0, &[]);
    let ready = |worker| Event::WorkerReady { worker, queue: 0 };
    let _granted = step(&mut sweep, 0, &[ready(cases::FIRST), ready(OTHER)]);
    sweep
}

fn ends(worker: WorkerId, attempt: u32, outcome: Outcome) -> Event {
    let (attempt, step, digest) = (AttemptId(attempt), 10, "d".to_owned());
    Event::Finished { worker, attempt, step, outcome, digest }
}

fn crashes(worker: WorkerId, attempt: u32) -> Event {
    ends(worker, attempt, Outcome::Failed(Class::Crash, "signal 6".to_owned()))
}

#[test]
fn a_device_that_fails_twice_in_a_row_what_runs_elsewhere_is_set_aside() {
    let mut sweep = sweep(["cuda:0", "cuda:1"]);
    let mut decisions = step(&mut sweep, 1, &[ends(cases::FIRST, 1, Outcome::Done)]);
    decisions.extend(step(&mut sweep, 2, &[crashes(OTHER, 2)]));
    decisions.extend(step(&mut sweep, 3, &[crashes(OTHER, 4)]));
    decisions.extend(step(
        &mut sweep,
        4,
        &[Event::WorkerDied {
            worker: OTHER,
            how: "exit code 0".to_owned(),
            class: Class::Crash,
            found: BTreeMap::new(),
        }],
    ));
    decisions.extend(step(&mut sweep, 9, &[ends(cases::FIRST, 3, Outcome::Done)]));
    insta::assert_debug_snapshot!(decisions, @r#"
    [
        "attempt 1 ended: Done",
        "trial 1 is Done",
        "stage 3 is attempt 3",
        "Say(TrialEnded { trial: TrialId(1) })",
        "attempt 2 ended: Failed(Crash, \"signal 6\")",
        "stage 4 is attempt 4",
        "Say(AttemptFailed { trial: TrialId(2), others: 0, attempt: AttemptId(2), class: Some(Crash), why: \"signal 6\", again: Yes })",
        "attempt 4 ended: Failed(Infrastructure, \"cuda:1 is set aside, since others do what fails on it: signal 6\")",
        "Say(DeviceSetAside { why: \"cuda:1 is set aside, since others do what fails on it: signal 6\" })",
        "Say(AttemptFailed { trial: TrialId(4), others: 0, attempt: AttemptId(4), class: Some(Infrastructure), why: \"cuda:1 is set aside, since others do what fails on it: signal 6\", again: Yes })",
        "Dismiss { worker: WorkerId(2) }",
        "attempt 3 ended: Done",
        "trial 3 is Done",
        "stage 4 is attempt 5",
        "Say(TrialEnded { trial: TrialId(3) })",
    ]
    "#);
}

/// Whether the second slot goes on after these.
fn goes_on(devices: [&str; 2], events: &[Event]) -> bool {
    let mut sweep = sweep(devices);
    let mut decisions = Vec::new();
    for (second, event) in events.iter().enumerate() {
        decisions.extend(step(&mut sweep, second as u64, std::slice::from_ref(event)));
    }
    !decisions.iter().any(|line| line.contains("DeviceSetAside"))
}

#[test]
fn nothing_is_set_aside_without_proof_that_it_is_the_device() {
    let two = ["cuda:0", "cuda:1"];
    let done = |attempt| ends(cases::FIRST, attempt, Outcome::Done);
    let error = ends(OTHER, 2, Outcome::Failed(Class::Error, "no".to_owned()));
    let (first, again) = (crashes(OTHER, 2), crashes(OTHER, 4));
    assert!(!goes_on(two, &[done(1), first.clone(), again.clone()]));
    assert!(goes_on(["cpu", "cpu"], &[done(1), first.clone(), again.clone()]), "the same one");
    assert!(goes_on(two, &[first.clone(), crashes(OTHER, 3)]), "nothing is done elsewhere");
    assert!(goes_on(two, &[done(1), error, again.clone()]), "the program's own word");
    let between = ends(OTHER, 4, Outcome::Done);
    assert!(goes_on(two, &[done(1), first, between, crashes(OTHER, 5)]), "it can");
}
