//! What is made of results: the best once more.

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
    for seed in 9..14 {
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
