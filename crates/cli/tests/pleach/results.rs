//! What is made of results: the best once more.

use std::process::Command;

use crate::stage::Stage;

const SWEEP: &str = r#"
[sweep]
name = "best"
objective = { metric = "val_accuracy", goal = "max" }
seeds = [3, 8]
[trainer]
data = "digits"
valid = 500
model = "mlp-16"
batch = 128
budget = "40st"
eval = "40st"
[space]
peak = [0.01, 0.03, 0.1, 0.3, 1]
[space.schedule.constant]
[space.schedule.cosine]
"#;

#[test]
fn the_best_are_retested_with_fresh_seeds_once() {
    let stage = Stage::new("pleach-mnist");
    stage.write("best.toml", SWEEP);
    let (out, err) = stage.run("run best.toml --retest 3", 0);
    assert!(err.contains("best-retest: 15 trials = 3 configurations × 5 seeds"), "{err}");
    assert!(out.contains("retested at") && out.contains("on average"), "{out}");
    let chosen = stage.run("board best --json --limit 3", 0).0;
    let retested = stage.run("board best-retest --json", 0).0;
    let parameters = |json: &str| -> Vec<String> {
        let rows: serde_json::Value = serde_json::from_str(json).unwrap();
        let rows = rows.as_array().unwrap().iter();
        let mut all: Vec<String> = rows.map(|row| row["parameters"].to_string()).collect();
        all.sort();
        all
    };
    assert_eq!(parameters(&chosen), parameters(&retested));
    let seeds = stage.canonical("best-retest");
    for seed in [1, 2, 4, 5, 6] {
        assert_eq!(seeds.matches(&format!("\"seed\":{seed},")).count(), 3, "{seeds}");
    }
    // All of it is there already, and what was chosen stays as it is.
    let before = stage.canonical("best");
    let (again, _) = stage.run("run best.toml --retest 3", 0);
    assert_eq!(again, out);
    assert_eq!(stage.canonical("best-retest"), seeds);
    assert_eq!(stage.canonical("best"), before);
    // Still the best three, of a board that says what matters.
    let (matters, _) = stage.run("importance best", 0);
    assert!(matters.contains("over 10 configurations") && matters.contains("peak"), "{matters}");
}

const PROGRAM: &str = r#"
[sweep]
name = "mine"
objective = { metric = "loss", goal = "min" }
[command]
run = ["sh", "train.sh"]
"#;

#[test]
fn a_trial_remembers_the_code_that_it_ran() {
    let stage = Stage::new("pleach-mnist");
    let git = |arguments: &str| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@b"]).current_dir(stage.path());
        let output = command.args(arguments.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    let train = |loss: &str| format!("echo '{{\"loss\": {loss}}}' >> \"$PLEACH_METRICS\"\n");
    stage.write("mine.toml", PROGRAM);
    stage.write("train.sh", &train("1"));
    git("init -q");
    git("add train.sh");
    git("commit -q -m first");
    stage.write("train.sh", &train("2"));
    stage.run("run mine.toml", 0);
    let (shown, _) = stage.run("show mine 1", 0);
    assert!(shown.contains("and changes that are not committed"), "{shown}");
    // As it was, whatever the code is now.
    let difference = stage.run("show mine 1 --difference", 0).0;
    git("checkout -q train.sh");
    stage.write("changes", &difference);
    git("apply changes");
    let now = std::fs::read_to_string(stage.path().join("train.sh")).unwrap();
    assert_eq!(now, train("2"));
}
