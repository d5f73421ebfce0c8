//! A worker's fault costs the attempts it was running, never the sweep.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use crate::stage::{Stage, wait_until};

/// A sweep over faults, with 2 slots.
fn sweep(faults: &str, rest: &str) -> String {
    format!(
        r#"
[sweep]
name = "faults"
objective = {{ metric = "value", goal = "max" }}
[space]
{faults}
[run]
slots = 2
{rest}
"#
    )
}

/// Every trial's fault and status, as the export says.
fn statuses(stage: &Stage) -> Vec<String> {
    let mut lines: Vec<String> = stage
        .canonical("faults")
        .lines()
        .map(|line| {
            let trial: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |value: &serde_json::Value| value.to_string().replace('"', "");
            // What a lost attempt measured is not counted: that would be -2.
            let lost = format!("{:016x}", (-2.0_f64).to_bits());
            assert!(trial["status"] != "done" || !line.contains(&lost), "{line}");
            format!(
                "{} {} {}",
                text(&trial["parameters"]["fault"]),
                text(&trial["parameters"]["x"]),
                text(&trial["status"])
            )
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn whatever_one_worker_does_every_other_trial_is_done() {
    let stage = Stage::new("faulty");
    let faults = "fault = [\"none\", \"crash\", \"exit\", \"nonsense\", \"flood\", \"lie-step\", \"fail\", \"once-crash\"]\nx = [1, 2]\nlength = 4";
    stage.write("faults.toml", &sweep(faults, "retries = 1"));
    let (_, err) = stage.run("run faults.toml", 3);
    let bad = ["crash", "exit", "fail", "flood", "lie-step", "nonsense"];
    let mut expected = Vec::new();
    for fault in bad {
        expected.extend([format!("{fault} 1 failed"), format!("{fault} 2 failed")]);
    }
    for fault in ["none", "once-crash"] {
        expected.extend([format!("{fault} 1 done"), format!("{fault} 2 done")]);
    }
    expected.sort();
    assert_eq!(statuses(&stage), expected, "{err}");
    for word in ["signal 6", "exit code 3", "not a message", "was not given", "failed for good"] {
        assert!(err.contains(word), "{word} is not said:\n{err}");
    }
    assert_eq!(stage.processes(), Vec::<String>::new());
    // What failed can be run again, beside what there was.
    stage.run("retry faults --failed", 0);
    stage.run("resume faults", 3);
    assert_eq!(statuses(&stage), expected);
}

#[test]
fn want_of_memory_is_no_crash() {
    let stage = Stage::new("faulty");
    let faults = "fault = [\"none\", \"no-memory\", \"allocate\"]\nx = [1]\nlength = 4";
    stage.write("faults.toml", &sweep(faults, "retry = { out_of_memory = 1 }"));
    let (_, err) = stage.run("run faults.toml", 3);
    assert_eq!(statuses(&stage), ["allocate 1 failed", "no-memory 1 failed", "none 1 done"]);
    let explained = [2, 3].map(|trial| stage.run(&format!("explain faults {trial}"), 0).0);
    insta::with_settings!({ filters => [(r"attempt \d+", "attempt N")] }, {
        insta::assert_snapshot!(explained.join("\n"));
    });
    assert!(!err.contains("crash"), "{err}");
}

#[test]
fn a_limit_that_a_person_set_ends_a_worker_that_hangs() {
    let stage = Stage::new("faulty");
    stage.write(
        "faults.toml",
        &sweep(
            "fault = [\"hang\", \"orphan\", \"none\"]\nx = [1]\nlength = 4",
            "stall = \"1s\"\nretries = 0",
        ),
    );
    let (_, err) = stage.run("run faults.toml", 3);
    assert_eq!(statuses(&stage), ["hang 1 failed", "none 1 done", "orphan 1 failed"]);
    assert!(err.contains("`stall`"), "{err}");
    assert_eq!(stage.processes(), Vec::<String>::new());
    let stage = Stage::new("faulty");
    stage.write(
        "faults.toml",
        &sweep(
            "fault = [\"slow\", \"none\"]\nx = [1]\nlength = 4000",
            "timeout = \"1s\"\nretries = 0",
        ),
    );
    let (_, err) = stage.run("run faults.toml", 3);
    assert_eq!(statuses(&stage), ["none 1 done", "slow 1 failed"]);
    assert!(err.contains("`timeout`"), "{err}");
}

/// The processes that workers have started themselves.
fn sleeping(stage: &Stage) -> Vec<String> {
    stage.processes().into_iter().filter(|process| process.contains(" sleep")).collect()
}

#[test]
fn nothing_outlives_a_killed_coordinator() {
    let stage = Stage::new("faulty");
    stage.write("faults.toml", &sweep("fault = [\"hang\", \"orphan\"]\nx = [1]\nlength = 4", ""));
    let mut coordinator = stage.start("run faults.toml");
    let sleeps = || !sleeping(&stage).is_empty();
    wait_until("the worker starts a process of its own", sleeps);
    coordinator.kill().unwrap();
    coordinator.wait().unwrap();
    wait_until("everything is gone", || stage.processes().is_empty());
    // Not even when the guards die with it: then the next coordinator ends what is left.
    let mut coordinator = stage.start("run faults.toml");
    wait_until("the worker starts a process of its own", sleeps);
    let guards =
        Command::new("pkill").args(["-9", "-f", &stage.path().display().to_string()]).status();
    coordinator.kill().unwrap();
    coordinator.wait().unwrap();
    assert!(guards.is_ok());
    let left: Vec<String> = sleeping(&stage);
    let mut coordinator = stage.start("run faults.toml");
    wait_until("what was left is gone", || {
        sleeping(&stage).iter().all(|process| !left.contains(process))
    });
    wait_until("it runs again", || stage.processes().len() >= 4);
    stage.run("stop faults --now", 0);
    assert_eq!(coordinator.wait().unwrap().code(), Some(130));
    assert_eq!(stage.processes(), Vec::<String>::new());
}

#[test]
fn a_second_coordinator_is_refused_and_requests_reach_the_first() {
    let stage = Stage::new("faulty");
    stage.write("faults.toml", &sweep("fault = \"slow\"\nx = [1, 2, 3]\nlength = 1000", ""));
    let mut coordinator = stage.start("run faults.toml");
    wait_until("it runs", || stage.processes().len() >= 4);
    let (_, err) = stage.run("run faults.toml", 75);
    assert!(err.contains("already being run by process"), "{err}");
    let says = |state| wait_until(state, || stage.run("list", 0).0.contains(state));
    stage.run("pause faults", 0);
    says("paused");
    let explained = |trial: u32| stage.run(&format!("explain faults {trial}"), 0).0;
    let why = "trial 3 waits because the sweep is paused, then for a slot to train its steps, first in line";
    assert!(explained(3).starts_with(why), "{}", explained(3));
    stage.run("stop faults --trial 1", 0);
    wait_until("it is stopped", || explained(1).starts_with("trial 1 was stopped by a person"));
    stage.run("pause faults --off", 0);
    says("running");
    wait_until("the next one runs", || explained(3).starts_with("trial 3 runs: attempt"));
    stage.run("stop faults", 0);
    assert_eq!(coordinator.wait().unwrap().code(), Some(130));
    let why = "trial 2 waits because nobody runs the sweep (it was stopped), then for a slot";
    assert!(explained(2).starts_with(why), "{}", explained(2));
    let stopped = statuses(&stage);
    assert_eq!(stopped, ["slow 1 stopped", "slow 2 waiting", "slow 3 waiting"]);
    assert_eq!(fs::read_dir(stage.path().join("runs/faults/inbox")).unwrap().count(), 0);
}

#[test]
fn what_failed_runs_again_while_the_sweep_goes_on() {
    let stage = Stage::new("faulty");
    let faults = "fault = [\"once-crash\", \"slow\"]\nx = [1]\nlength = 1000";
    stage.write("faults.toml", &sweep(faults, "retry = { crash = 0 }"));
    let mut coordinator = stage.start("run faults.toml");
    wait_until("it runs", || 2 <= stage.processes().len());
    let is = |status: &str| statuses(&stage).contains(&format!("once-crash 1 {status}"));
    wait_until("it has failed", || is("failed"));
    let (_, err) = stage.run("retry faults 2", 1);
    assert!(err.contains("trial 2 has not ended"), "{err}");
    // The program is repaired: it has crashed the first time already.
    fs::write(stage.path().join("runs/faults/attempts/crashed-3-0"), "").unwrap();
    let (_, err) = stage.run("retry faults --failed", 0);
    assert_eq!(err, "asked: 1 trial will run again\n");
    wait_until("it is done", || is("done"));
    stage.run("retry faults --failed", 66);
    // What is done may run again as well, and every generation is remembered.
    stage.run("retry faults 3", 0);
    wait_until("it runs again", || stage.run("show faults 4", 0).0.contains("1 attempt"));
    assert!(coordinator.try_wait().unwrap().is_none(), "it has gone on all the time");
    stage.run("stop faults", 0);
    assert_eq!(coordinator.wait().unwrap().code(), Some(130));
    assert_eq!(fs::read_dir(stage.path().join("runs/faults/inbox")).unwrap().count(), 0);
}

#[test]
fn without_a_coordinator_a_command_acts_itself() {
    let stage = Stage::new("faulty");
    stage.write("faults.toml", &sweep("x = [1, 2]\nfault = \"none\"", ""));
    stage.run("run faults.toml --first 1", 0);
    assert_eq!(statuses(&stage), ["none 1 done", "none 2 waiting"]);
    stage.run("stop faults --trial 2", 0);
    assert_eq!(statuses(&stage), ["none 1 done", "none 2 stopped"]);
    stage.run("retry faults --stopped", 0);
    stage.run("resume faults", 0);
    assert_eq!(statuses(&stage), ["none 1 done", "none 2 done"]);
    stage.run("rm faults", 2);
    stage.run("rm faults --yes", 0);
    stage.run("board faults", 66);
}

#[test]
fn at_the_limit_of_file_sizes_it_ends_with_a_word_and_goes_on_without_the_limit() {
    let stage = Stage::new("faulty");
    stage.write("faults.toml", &sweep("x = [1, 2]\nfault = \"none\"", ""));
    let pleach = stage.command("run faults.toml");
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 8; exec \"$0\" \"$@\""]).arg(pleach.get_program());
    limited.args(pleach.get_args()).current_dir(stage.path());
    for (name, value) in pleach.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let output = limited.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("see `ulimit -f`"), "{output:?}");
    stage.run("run faults.toml", 0);
    assert_eq!(statuses(&stage), ["none 1 done", "none 2 done"]);
}

#[test]
fn a_removed_sweep_leaves_what_links_led_to_and_says_so() {
    let stage = Stage::new("faulty");
    stage.write("faults.toml", &sweep("x = 1\nfault = \"none\"", ""));
    stage.run("run faults.toml", 0);
    let (link, real) = (stage.path().join("runs/faults"), stage.path().join("elsewhere"));
    let said = |real: &Path| {
        let (_, err) = stage.run("rm faults --yes", 0);
        assert!(real.exists() && !link.exists(), "{err}");
        err.replace(&stage.path().canonicalize().unwrap().display().to_string(), "HERE")
    };
    fs::rename(&link, &real).unwrap();
    symlink(&real, &link).unwrap();
    let linked = said(&real);
    insta::assert_snapshot!(linked, @"removed the link runs/faults; the sweep itself is still there: HERE/elsewhere");

    fs::rename(&real, &link).unwrap();
    let attempts = stage.path().join("attempts");
    fs::rename(link.join("attempts"), &attempts).unwrap();
    symlink(&attempts, link.join("attempts")).unwrap();
    let inside = said(&attempts);
    insta::assert_snapshot!(inside, @r"
    removed runs/faults
    runs/faults/attempts was a link: what it led to is still there, HERE/attempts
    ");
}

#[test]
fn a_trainer_that_cannot_save_its_state_is_tried_again_and_charged_to_nobody() {
    let stage = Stage::new("pleach-mnist");
    stage.write(
        "full.toml",
        r#"
[sweep]
name = "full"
objective = { metric = "test_accuracy", goal = "max" }
[trainer]
data = "digits"
model = "linear"
peak = 0.1
budget = "30st"
[run]
slots = 1
checkpoint = "10st"
retries = 0
"#,
    );
    // Where its folder should be there is a file; as little can be written on a full disk.
    fs::create_dir_all(stage.path().join("runs/full/attempts")).unwrap();
    fs::write(stage.path().join("runs/full/attempts/1"), "").unwrap();
    let (_, err) = stage.run("run full.toml", 0);
    assert!(err.contains("trial 1: infrastructure: failed to write the checkpoint"), "{err}");
    let (shown, _) = stage.run("show full 1", 0);
    assert!(shown.contains("infrastructure, tried again: 1 of 20"), "{shown}");
}
