use pleach_core::{
    plan::{Lengths, PlanError, command, plan},
    spec::{self, ProgramSpec},
};
use proptest::prelude::*;

use super::*;

/// The sweep file that comes out, which can be planned; or what is wrong.
fn imported(sheet: Result<Sheet, ImportError>) -> String {
    let text = match sheet {
        Ok(sheet) => sheet.text("a file"),
        Err(error) => return format!("error: {error}\n"),
    };
    let spec = spec::read("x.toml", &text).unwrap_or_else(|wrong| panic!("{text}\n{wrong}"));
    let program = command::program(&spec, "n".to_owned());
    let ProgramSpec::Command(own) = &spec.program else { panic!("{text}") };
    let mut lengths = Lengths::default();
    loop {
        match plan(&spec, &program, &lengths) {
            Ok(_) => return text,
            Err(PlanError::Invalid(wrong)) => panic!("{text}\n{wrong}"),
            Err(PlanError::Unmeasured(asked)) => {
                for asked in asked {
                    lengths.insert(&asked, command::length(own, &asked));
                }
            }
        }
    }
}

/// Every text after its file.
fn all(files: &[&str], read: impl Fn(&str) -> Result<Sheet, ImportError>) -> String {
    let texts = files.iter().map(|file| [file, "\n=>\n", &imported(read(file)), "\n\n"].concat());
    texts.collect()
}

#[test]
fn a_sweep_of_wandb_becomes_a_sweep_file() {
    let files = [
        // As their documentation begins.
        r#"program: train.py
name: My Sweep
method: bayes
metric:
  name: val/loss
  goal: minimize
parameters:
  learning_rate:
    min: 0.0001
    max: 0.1
  optimizer:
    values: ["adam", "sgd"]
  epochs:
    value: 5
early_terminate:
  type: hyperband
  min_iter: 3"#,
        // Every distribution.
        r"method: random
run_cap: 30
metric: {name: acc, goal: maximize, target: 0.9}
program: a.py
parameters:
  a: {distribution: constant, value: 1}
  b: {distribution: categorical, values: [1, 2.5, x, true, null, [1]]}
  c: {distribution: categorical_w_probabilities, values: [a, b], probabilities: [0.1, 0.9]}
  d: {distribution: int_uniform, min: 1, max: 9}
  e: {min: 1, max: 9}
  f: {distribution: uniform, min: 0, max: 1}
  g: {distribution: q_uniform, min: 0, max: 1, q: 0.25}
  h: {distribution: log_uniform, min: -9.21, max: 0}
  i: {distribution: log_uniform_values, min: 1e-4, max: 1}
  j: {distribution: q_log_uniform, min: 0, max: 5, q: 1}
  k: {distribution: q_log_uniform_values, min: 1, max: 100, q: 1}
  l: {distribution: inv_log_uniform, min: 0, max: 9.21}
  m: {distribution: inv_log_uniform_values, min: 1e-4, max: 1}
  n: {distribution: normal, mu: 1, sigma: 2}
  o: {distribution: q_normal, q: 2}
  p: {distribution: log_normal, mu: 0, sigma: 0.5}
  q: {distribution: beta, a: 1, b: 2}
  r: {distribution: q_uniform, min: 1, max: 9, q: 2}
  s: {distribution: q_log_uniform_values, min: 0.1, max: 1, q: 0.1}",
        // A grid, and a command.
        r#"method: grid
run_cap: 3
project: p
parameters:
  batch: {values: [32, 64]}
  depth: {min: 1, max: 3}
  drop: {min: 0.0, max: 0.5}
  width: {distribution: q_uniform, min: 16, max: 64, q: 16}
  rate: {distribution: q_uniform, min: 0.0, max: 1, q: 0.3}
  once: {distribution: q_uniform, min: 0, max: 1, q: 5}
command: ["${env}", "${interpreter}", -u, "${program}", "${args_no_hyphens}", --n, 3, "${envvar:X}"]
program: train.py"#,
        // Names that are words here, and nested ones.
        r"method: random
run_cap: 2
metric: {name: loss}
parameters:
  schedule: {values: [a, b]}
  budget: {value: 3}
  model:
    parameters:
      size: {values: [1, 2]}
      'odd = name': {value: 'x # y'}
controller: {type: local}",
        // An anchor.
        "method: grid\nparameters:\n  a: &a {values: [1, 2]}\n  b: *a",
    ];
    insta::assert_snapshot!(all(&files, wandb::read));
}

#[test]
fn what_is_no_sweep_of_wandb_is_told_with_its_line() {
    let bomb = {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let items = vec![format!("*a{}", n - 1); 9].join(", ");
            writeln!(text, "a{n}: &a{n} [{items}]").unwrap();
        }
        text
    };
    let deep = format!("parameters: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let files = [
        "",
        "- a\n- b",
        "method: grid",
        "method: magic\nparameters: {}",
        "method: 3\nparameters: {}",
        "method: grid\nparameters:\n  - a",
        "method: grid\nparameters:\n  a: 3",
        "method: grid\nparameters:\n  a: {}",
        "method: grid\nparameters:\n  a:\n    values: 3",
        "method: random\nparameters:\n  a: {min: x, max: 2}",
        "method: random\nparameters:\n  a: {min: 3, max: 2}",
        "method: random\nparameters:\n  a: {min: .nan, max: 2}",
        "method: random\nparameters:\n  a: {distribution: magic, min: 1, max: 2}",
        "method: random\nparameters:\n  a: {distribution: int_uniform, min: 1, max: 2.5}",
        "method: random\nparameters:\n  a: {distribution: q_uniform, min: 1, max: 2, q: 0}",
        "method: random\nparameters:\n  'a}}': {value: 1}",
        "method: random\nrun_cap: -1\nparameters: {}",
        "method: random\nmetric: {goal: best}\nparameters: {}",
        "method: grid\ncommand: []\nparameters: {}",
        "method: grid\nmethod: grid\nparameters: {}",
        "method: [grid",
        "method: *nothing",
        "a: !!python/object:os.system [ls]",
        "parameters:\n\ta: 1",
    ];
    let mut text = all(&files, wandb::read);
    for (name, file) in [("aliases of aliases", &bomb), ("very deep", &deep)] {
        text += &[name, "\n=>\n", &imported(wandb::read(file)), "\n"].concat();
    }
    insta::assert_snapshot!(text);
}

const STUDY: &str = r#"{"op_code":0,"worker_id":"w","study_name":"My study","directions":[2]}
{"op_code":3,"worker_id":"w","study_id":0,"system_attr":{"study:metric_names":["accuracy"]}}
{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":"2026-11-23T10:00:00.000000+00:00"}
{"op_code":5,"worker_id":"w","trial_id":0,"param_name":"lr","param_value_internal":0.01,"distribution":"{\"name\": \"FloatDistribution\", \"attributes\": {\"step\": null, \"low\": 1e-05, \"high\": 0.1, \"log\": true}}"}
{"op_code":5,"worker_id":"w","trial_id":0,"param_name":"opt","param_value_internal":0,"distribution":"{\"name\": \"CategoricalDistribution\", \"attributes\": {\"choices\": [\"sgd\", \"adam\", null]}}"}
{"op_code":5,"worker_id":"w","trial_id":0,"param_name":"momentum","param_value_internal":0.5,"distribution":"{\"name\": \"FloatDistribution\", \"attributes\": {\"step\": 0.25, \"low\": 0.0, \"high\": 1.0, \"log\": false}}"}
{"op_code":6,"worker_id":"w","trial_id":0,"state":1,"values":[0.5],"datetime_complete":"2026-11-23T10:00:01.000000+00:00"}
{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":null,"datetime_complete":"2026-11-23T10:00:01+00:00","state":1,"value":0.4,"values":null,"distributions":{"lr":"{\"name\": \"FloatDistribution\", \"attributes\": {\"step\": null, \"low\": 1e-05, \"high\": 0.2, \"log\": true}}","opt":"{\"name\": \"CategoricalDistribution\", \"attributes\": {\"choices\": [\"sgd\", \"adam\", null]}}","layers":"{\"name\": \"IntDistribution\", \"attributes\": {\"log\": false, \"step\": 2, \"low\": 1, \"high\": 9}}","width":"{\"name\": \"IntDistribution\", \"attributes\": {\"log\": true, \"step\": 1, \"low\": 16, \"high\": 512}}","one":"{\"name\": \"CategoricalDistribution\", \"attributes\": {\"choices\": [true]}}","schedule":"{\"name\": \"CategoricalDistribution\", \"attributes\": {\"choices\": [1, 2.5]}}"},"params":{},"user_attrs":{},"system_attrs":{},"intermediate_values":{}}
{"op_code":4,"worker"#;

#[test]
fn a_study_of_optuna_becomes_a_sweep_file() {
    insta::assert_snapshot!(imported(optuna::read(STUDY, None)));
    let two = r#"{"op_code":0,"study_name":"a","directions":[1,2]}
{"op_code":0,"study_name":"b","directions":[1]}"#;
    insta::assert_snapshot!(imported(optuna::read(two, Some("a"))), @r#"
    # Made of a file.
    # What has no equal here, or was guessed:
    # - a study does not say what it runs: train.py is a guess, which takes its parameters as arguments and writes its metrics, as lines such as {"step": 10, "loss": 0.3}, to the file $PLEACH_METRICS
    # - of several objectives this is the first
    # - the objective has no name in the study: `loss` is a guess

    [sweep]
    name = "a"
    objective = { metric = "loss", goal = "min" }

    [command]
    run = ["python", "train.py"]
    "#);
    let mut wrong = imported(optuna::read(two, None));
    wrong += &imported(optuna::read(two, Some("c")));
    for text in [
        "",
        "nonsense\n{}",
        "{}",
        r#"{"op_code":4,"study_id":7}"#,
        r#"{"op_code":5,"trial_id":7}"#,
        "{\"op_code\":0,\"study_name\":\"a\",\"directions\":[1]}\n{\"op_code\":4,\"study_id\":0,\"distributions\":{\"x\":3}}",
        "{\"op_code\":0,\"study_name\":\"a\",\"directions\":[1]}\n{\"op_code\":4,\"study_id\":0,\"distributions\":{\"x\":\"{\\\"name\\\":\\\"Odd\\\"}\"}}",
        "{\"op_code\":0,\"study_name\":\"a\",\"directions\":[1]}\n{\"op_code\":1,\"study_id\":0}",
    ] {
        wrong += &imported(optuna::read(text, None));
    }
    insta::assert_snapshot!(wrong, @r#"
    error: which study? say --study; there are `a`, `b`
    error: there is no study `c`; there are `a`, `b`
    error: there is no study in it
    error: line 1: no operation of a journal: expected ident at line 1 column 2
    error: line 1: no operation of a journal
    error: line 1: it speaks of a study or trial that is not there
    error: line 1: it speaks of a study or trial that is not there
    error: line 2: a distribution is a text
    error: the distribution of `x` is none that is known: `Odd`
    error: there is no study in it
    "#);
}

/// A database of Optuna with two studies, as its 4.x and 5.x make them; what is not read is left out.
const DATABASE: &str = r#"
CREATE TABLE studies (study_id INTEGER PRIMARY KEY, study_name VARCHAR(512) NOT NULL);
CREATE TABLE study_directions (study_direction_id INTEGER PRIMARY KEY, direction VARCHAR(8), study_id INTEGER, objective INTEGER);
CREATE TABLE study_user_attributes (study_user_attribute_id INTEGER PRIMARY KEY, study_id INTEGER, "key" VARCHAR(512), value_json TEXT);
CREATE TABLE study_system_attributes (study_system_attribute_id INTEGER PRIMARY KEY, study_id INTEGER, "key" VARCHAR(512), value_json TEXT);
CREATE TABLE trials (trial_id INTEGER PRIMARY KEY, number INTEGER, study_id INTEGER, state VARCHAR(8), datetime_start DATETIME, datetime_complete DATETIME);
CREATE TABLE trial_user_attributes (trial_user_attribute_id INTEGER PRIMARY KEY, trial_id INTEGER, "key" VARCHAR(512), value_json TEXT);
CREATE TABLE trial_params (param_id INTEGER PRIMARY KEY, trial_id INTEGER, param_name VARCHAR(512), param_value FLOAT, distribution_json TEXT);
INSERT INTO studies VALUES (1, 'made'), (2, 'other');
INSERT INTO study_directions VALUES (1, 'MAXIMIZE', 1, 0), (2, 'MINIMIZE', 2, 0), (3, 'MAXIMIZE', 2, 1);
INSERT INTO study_system_attributes VALUES (1, 1, 'study:metric_names', '["score"]'), (2, 1, 'other', '3');
INSERT INTO trials VALUES (1, 0, 1, 'COMPLETE', NULL, NULL), (2, 1, 1, 'FAIL', NULL, NULL), (3, 0, 2, 'RUNNING', NULL, NULL);
INSERT INTO trial_user_attributes VALUES (1, 2, 'note', '"x"');
INSERT INTO trial_params VALUES
    (1, 1, 'rate', 0.1, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}'),
    (2, 1, 'kind', 0.0, '{"name": "CategoricalDistribution", "attributes": {"choices": ["a", null, "b"]}}'),
    (3, 2, 'rate', 0.2, '{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.2, "log": true}}'),
    (4, 3, 'x', 2.0, '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 3}}');
"#;

#[test]
fn a_study_in_a_database_of_optuna_becomes_a_sweep_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch(DATABASE).unwrap();
    let read = |study| imported(optuna_database::read(&path, study));
    insta::assert_snapshot!([read(Some("made")), read(Some("other"))].join("=>\n"));
    let mut wrong = read(None) + &read(Some("more"));
    let damage = [
        "UPDATE trial_params SET distribution_json = 'x'",
        "DROP TABLE trial_params",
        "DELETE FROM studies",
        "DROP TABLE studies",
    ];
    for damage in damage {
        database.execute_batch(damage).unwrap();
        wrong += &read(Some("made").filter(|_| !damage.contains("studies")));
    }
    drop(database);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..1000]).unwrap();
    wrong += &read(None);
    insta::assert_snapshot!(wrong);
    assert_eq!(std::fs::read(&path).unwrap(), &bytes[..1000]);
}

proptest! {
    #[test]
    fn no_file_is_too_strange(text in "[a-c:{}\\[\\]&*!|>\"'#%\\-? \n\t0-9.~]{0,60}") {
        drop(wandb::read(&text));
        drop(optuna::read(&text, None));
    }

    #[test]
    fn a_parameter_is_only_a_parameter(name in "[^{}\\p{C}]{1,20}", value in any::<String>()) {
        let node = serde_json::json!({ "method": "grid", "parameters": { name: { "value": value } } });
        // JSON is YAML.
        imported(wandb::read(&node.to_string()));
    }
}
