//! The page about sweep files: what its examples are is what they are said to be.

use std::{fs, path::PathBuf, process::Command};

use serde_json::Value;

use crate::stage::{Stage, built};

fn page() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/sweep-file.md");
    fs::read_to_string(path).unwrap()
}

/// What is said of each block of TOML, and the block.
fn examples(page: &str) -> Vec<(&str, &str)> {
    let blocks = page.split("```toml ").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().split_once('\n').unwrap()).collect()
}

#[test]
fn every_example_has_as_many_configurations_as_it_says() {
    let page = page();
    let [("base", base), examples @ ..] = &examples(&page)[..] else { panic!("{page}") };
    assert!(8 <= examples.len());
    for (said, example) in examples {
        let stage = Stage::new("pleach-mnist");
        stage.write("example.toml", &format!("{base}\n{example}"));
        let (plan, _) = stage.run("plan example.toml", 0);
        let number = said.split(' ').next().unwrap();
        assert!(
            plan.contains(&format!("{number} trials = {number} configurations × 1 seed")),
            "{example}\n{plan}"
        );
    }
}

#[test]
fn every_parameter_and_metric_of_the_trainer_is_on_the_page() {
    let output = Command::new(built("pleach-mnist")).arg("describe").output().unwrap();
    let described: Value = serde_json::from_slice(&output.stdout).unwrap();
    let page = page();
    let mut rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows: String = rows.by_ref().filter_map(|row| row.split(" |").next()).collect();
    for parameter in described["parameters"].as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        assert!(rows.contains(&format!("{name}`")), "{name}");
    }
    for metric in described["metrics"].as_array().unwrap() {
        assert!(page.contains(&format!("`{}`", metric.as_str().unwrap())), "{metric}");
    }
}
