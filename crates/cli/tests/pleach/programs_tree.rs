//! A person's own programs that save their state: what they do alike is run once, and nothing shows it but the time.

use std::{
    fs,
    process::{Command, Output},
};

use crate::stage::{Stage, skipped};

/// As `scripts/programs/plain_tree.py`; it also tells `WITNESS` its steps, takes its time over them, and misbehaves as it
/// is told.
const SCRIPT: &str = r#"
import json, os, random, time
told = os.environ
fault = told["PLEACH_PARAMETER_fault"]
rates = [float(line) for line in open(told["PLEACH_SCHEDULE"])]
first, end = int(told["PLEACH_FIRST"]), int(told["PLEACH_END"])
state = {"x": 5.0, "velocity": 0.0, "size": "x" * 2000}
if "PLEACH_LOAD" in told:
    state = json.load(open(told["PLEACH_LOAD"]))
assert len(rates) == end and ("PLEACH_LOAD" in told) == (0 < first)
assert not {"PLEACH_STEPS", "PLEACH_PARAMETER_peak", "PLEACH_PARAMETER_schedule"} & told.keys()
assert set(json.load(open(told["PLEACH_PARAMETERS"]))) == {"fault", "momentum"}
with open(told["PLEACH_METRICS"], "a", buffering=1) as metrics, open(told["WITNESS"], "a", buffering=1) as witness:
    for step in range(first + 1, end + 1):
        state["velocity"] = float(told["PLEACH_PARAMETER_momentum"]) * state["velocity"] + state["x"]
        state["x"] -= rates[step - 1] * state["velocity"]
        print(step, file=witness)
        time.sleep(0.0005)
        if step % 50 == 0 or ("PLEACH_LAST" in told and step == end and fault != "unmeasured"):
            print(json.dumps({"step": step, "loss": state["x"] ** 2 / 2}), file=metrics)
if fault == "fickle":
    state["token"] = random.random()
if "PLEACH_SAVE" in told and fault != "unsaved":
    json.dump(state, open(told["PLEACH_SAVE"], "w"))
"#;

/// Of 430 steps: 258, then 86 and 86 for the constant rate, 172 and 86 for the cooldowns.
const COOLDOWNS: &str = "\"20%\", \"40%\"";
const SHARED: usize = 258 + 86 + 86 + 172 + 86;

fn sweep(cooldowns: &str, fault: &str) -> String {
    format!(
        r#"
[sweep]
name = "own"
objective = {{ metric = "loss", goal = "min" }}
[command]
run = ["python3", "script.py"]
checkpoint = true
budget = "430st"
parameters = {{ momentum = 0.5, fault = "{fault}" }}
[space]
peak = 0.01
[space.schedule.constant]
[space.schedule.wsd]
cooldown = [{cooldowns}]
[run]
slots = 2
retries = 0
"#
    )
}

struct Own(Stage);

impl Own {
    /// `None`, and a line that says so, where there is no Python.
    fn new(fault: &str) -> Option<Self> {
        if Command::new("python3").arg("--version").output().is_err() {
            skipped("this test needs python3");
            return None;
        }
        let stage = Stage::new("noop");
        stage.write("script.py", SCRIPT);
        stage.write("own.toml", &sweep(COOLDOWNS, fault));
        Some(Self(stage))
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = self.0.command(arguments);
        command.env("WITNESS", self.0.path().join("witness"));
        command
    }

    fn try_to_run(&self, arguments: &str) -> (Output, String) {
        let output = self.command(&format!("run own.toml {arguments}")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output, said)
    }

    /// What it said to standard error.
    fn run(&self, arguments: &str) -> String {
        let (output, said) = self.try_to_run(arguments);
        assert!(output.status.success(), "{said}");
        said
    }

    fn steps(&self) -> usize {
        fs::read_to_string(self.0.path().join("witness")).map_or(0, |text| text.lines().count())
    }

    fn canonical(&self) -> String {
        self.0.canonical("own")
    }

    fn states(&self) -> Vec<std::path::PathBuf> {
        self.0.checkpoints("own", "state")
    }
}

#[test]
fn what_programs_do_alike_is_run_once() {
    let Some(alone) = Own::new("none") else { return };
    alone.run("--set run.share=false");
    assert_eq!(alone.steps(), 3 * 430);
    let expected = alone.canonical();
    assert!(expected.lines().count() == 3 && !expected.contains("failed"), "{expected}");
    let shared = Own::new("none").unwrap();
    let (planned, _) = shared.0.run("plan own.toml", 0);
    assert!(planned.contains("688 steps to train instead of 1 290"), "{planned}");
    shared.run("");
    assert_eq!(shared.canonical(), expected);
    assert_eq!(shared.steps(), SHARED);
    // The states at the ends of the five stages; of nothing else.
    assert_eq!(shared.states().len(), 5);
}

#[test]
fn a_tree_of_programs_that_is_killed_again_and_again_comes_out_the_same() {
    let Some(calm) = Own::new("none") else { return };
    calm.run("");
    let own = Own::new("none").unwrap();
    let mut kills = 0;
    for steps in [100, 300, 20, 150, 250, 60] {
        let begin = own.steps();
        let mut coordinator = own.command("run own.toml").spawn().unwrap();
        while own.steps() < begin + steps && coordinator.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        kills += usize::from(coordinator.try_wait().unwrap().is_none());
        coordinator.kill().unwrap();
        coordinator.wait().unwrap();
    }
    own.run("");
    assert_eq!(own.canonical(), calm.canonical());
    assert!(3 <= kills, "{kills} kills");
    // What finished was not run again: only what was cut off was, two stages at a time.
    let attempts = fs::read_dir(own.0.path().join("runs/own/attempts")).unwrap().flatten();
    let finished = attempts.filter(|attempt| attempt.path().join("result.jsonl").exists()).count();
    assert_eq!(finished, 5);
}

#[test]
fn a_state_that_is_lost_is_made_again_even_if_it_is_another() {
    for (fault, keep) in
        [("none", "1KiB"), ("fickle", "1KiB"), ("none", "2GiB"), ("fickle", "2GiB")]
    {
        let Some(own) = Own::new(fault) else { return };
        own.run(&format!("--set run.keep={keep}"));
        let before = own.steps();
        // Of those that are kept, each is damaged.
        for state in own.states() {
            fs::write(state, "{}").unwrap();
        }
        own.0.write("own.toml", &sweep(&format!("{COOLDOWNS}, \"10%\""), fault));
        let said = own.run(&format!("--accept --set run.keep={keep}"));
        assert_eq!(own.steps() - before, 430, "{said}");
        let canonical = own.canonical();
        assert!(canonical.lines().count() == 4 && !canonical.contains("failed"), "{canonical}");
        assert_eq!(said.contains("is damaged: "), keep != "1KiB", "{said}");
        let differs = said.matches("was trained again and is not what it was").count();
        assert_eq!(differs, if fault == "fickle" { 2 } else { 0 }, "{said}");
    }
}

#[test]
fn a_program_that_does_not_do_its_part_is_told_what_is_missing() {
    let Some(own) = Own::new("unsaved") else { return };
    let (_, said) = own.try_to_run("");
    assert!(said.contains("ended well and saved no file at $PLEACH_SAVE"), "{said}");
    let own = Own::new("unmeasured").unwrap();
    let (_, said) = own.try_to_run("");
    assert!(said.contains("did not measure `loss` after step 430, the last one"), "{said}");
}
