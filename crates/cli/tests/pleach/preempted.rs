//! The machine ends processes without asking pleach: SIGTERM to a whole job (`scancel`, `systemctl stop`), a session that
//! closes. Nothing of that is anybody's fault, and nothing that was saved is lost.

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    stage::{Stage, wait_until},
    storm::Storm,
};

const SWEEP: &str = r#"
[sweep]
name = "storm"
objective = { metric = "val_accuracy", goal = "max" }
seeds = [1, 2]
[trainer]
data = "digits"
valid = 500
model = "mlp-64"
budget = "4ep"
batch = 32
[space]
peak = [0.02, 0.1]
[space.schedule.constant]
[space.schedule.wsd]
warmup = "0%"
cooldown = ["20%", "40%"]
[run]
slots = 2
lanes = 2
checkpoint = "100000st"
"#;

/// Everything that was charged to somebody.
const CHARGED: &str = "SELECT count(*) FROM attempts WHERE ending NOT IN ('done', 'interrupted', 'lost', 'preempted')";

/// Sends a signal to every process that the sweep has started.
fn send(signal: Signal, stage: &Stage) {
    for process in stage.processes() {
        let pid = process.split(' ').next().unwrap().parse().unwrap();
        // It may have ended already.
        let _ = kill_process(Pid::from_raw(pid).unwrap(), signal);
    }
}

#[test]
fn a_signal_to_everything_is_charged_to_nobody_and_loses_no_step() {
    let calm = Storm::of(SWEEP);
    calm.run("run storm.toml");
    let storm = Storm::of(SWEEP);
    for signal in [Signal::TERM, Signal::HUP, Signal::TERM, Signal::INT, Signal::TERM, Signal::TERM]
    {
        let mut coordinator = storm.run_for(calm.steps() / 8);
        send(signal, &storm.stage);
        let _ = kill_process(Pid::from_child(&coordinator), signal);
        coordinator.wait().unwrap();
        wait_until("the workers are gone", || storm.stage.processes().is_empty());
    }
    storm.run("resume storm");
    assert_eq!(storm.stage.canonical("storm"), calm.stage.canonical("storm"));
    assert_eq!(storm.count(CHARGED), 0);
}

#[test]
fn workers_that_the_machine_ends_are_preempted_and_go_on_where_they_saved_themselves() {
    let calm = Storm::of(SWEEP);
    calm.run("run storm.toml");
    let storm = Storm::of(SWEEP);
    let mut coordinator = storm.run_for(calm.steps() / 8);
    send(Signal::TERM, &storm.stage);
    assert!(coordinator.wait().unwrap().success(), "it goes on by itself");
    assert_eq!(storm.stage.canonical("storm"), calm.stage.canonical("storm"));
    assert_eq!(storm.count(CHARGED), 0);
    assert!(0 < storm.count("SELECT count(*) FROM attempts WHERE ending = 'preempted'"));
    // There are no checkpoints but those that were written because of the signal.
    assert!(0 < storm.count("SELECT count(*) FROM attempt JOIN stage ON stage.id = stage WHERE first_step < from_step"));
}
