//! Sweeps of W&B and studies of Optuna, as sweep files.

mod laws;

use pleach_core::{
    plan::{Lengths, PlanError, command, plan},
    spec::{self, ProgramSpec},
};

use super::*;

/// The sweep file that comes out, which can be planned; or what is wrong.
fn imported(sheet: Result<Sheet, ImportError>) -> String {
    let text = match sheet.and_then(|sheet| sheet.checked("a file")) {
        Ok(text) => text,
        Err(ImportError::Refused(wrong)) => panic!("{wrong}"),
        Err(error) => return format!("error: {error}\n"),
    };
    let spec = spec::read("x.toml", &text).unwrap_or_else(|wrong| panic!("{text}\n{wrong}"));
    // To plan millions takes long, and shows no more.
    let count = match spec.search {
        spec::Search::Samples { samples, .. } => u128::from(samples),
        spec::Search::Grid => spec.blocks[0].space.count().unwrap(),
    };
    if 300 < count {
        return text;
    }
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
fn nothing_of_a_sweep_of_wandb_is_lost_without_a_note() {
    let files = [
        // Keys that nobody knows, and keys that mean nothing beside others.
        "method: grid
paramters: 3
metric: {nmae: loss, goal: minimize}
descripton: old
parameters:
  lr: {distribuiton: log_uniform_values, min: 0.001, max: 0.1}
  width: {distribution: q_uniform, min: 1, max: 9, setp: 2, q: 2}
  kind: {values: [a, b], probabilites: [0.1, 0.9]}
  both: {value: 1, values: [2, 3]}
  odd: {values: [1, 2], distribution: uniform, min: 0, max: 1}
  inner: {value: 3, parameters: {x: {value: 1}}}",
        // Words as PyYAML reads them.
        r#"method: grid
parameters:
  words: {values: [x, y, n, z, on, off, yes, No, "off", ~]}
  numbers: {values: [01, 08, 010, 1_000, 1:30, 0x10, 0b11, 1e-3, 1.0e-3, 1e3, .5, 99999999999999999999]}
  odd: {values: [.inf, -.inf, .nan, 2026-12-01, !!str 1, !!float 2, "1e-3"]}
  no: {value: off}
"#,
        // Values that are no numbers and texts.
        r#"method: random
run_cap: 3
parameters:
  optimizer: {values: [{name: adam, betas: [0.9, 0.999]}, {name: sgd, nesterov: true, clip: null}, .nan]}
  layers: {value: [64, 32, {"a\"b": 1.5}]}
  nothing: {value: null}
  amp: {values: [true, false]}
  fast: {value: true}
  slow: {value: false}
command: [env, "${env}", OMP=1, "${interpreter}", "${program}", "${args_no_boolean_flags}", "${args_no_equals}", "${args_append_hydra}", "${args_json}", "${other}", "a{{b", true, null]"#,
        // Names that a sweep file cannot have.
        "name: (ablation) lr
method: grid
parameters:
  schedule: {value: 1}
  schedule_: {value: 2}
  schedule__: {values: [3, 4]}
  ' PLEACH_SEED': {value: 5}
  \"a\\tb\": {value: 6}
  '': {value: 7}
  étude: {value: 8}
  seed: {value: 9}",
        "name: étude 1\nmethod: grid\nparameters: {a: {value: 1}}",
        // Merged keys.
        "base: &base {min: 0.1, max: 1.0}\nmethod: random\nparameters:\n  a: {<<: *base, max: 2.0}\n  b:\n    <<: [*base]",
        // Ranges that no distribution here has.
        "method: random
run_cap: 99999999999
parameters:
  a: {distribution: q_uniform, min: 0, max: 1, q: 0.000000001}
  b: {distribution: q_uniform, min: 0, max: 1000000000000, q: 1}
  c: {distribution: q_log_uniform_values, min: 0.6, max: 1.2}
  d: {distribution: log_uniform, min: 0.001, max: 0.1}",
        "method: grid\nparameters:\n  a: {distribution: normal, mu: 1, sigma: 2}",
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
        "method: grid\nparameters:\n  a: {values: []}",
        "paramters: {a: {value: 1}}",
        "method: random\nparameters:\n  a: {distribution: log_uniform, min: 0, max: 1000}",
        "method: random\nparameters:\n  a: {distribution: log_uniform, min: -1000, max: 1}",
        "method: random\nparameters:\n  a: {distribution: log_uniform_values, min: 0, max: 1}",
        "method: random\nparameters:\n  a: {distribution: log_normal, mu: 0, sigma: 1.0e+300}",
        "method: random\nparameters:\n  a: {min: 0, max: 9223372036854775807}",
        "method: random\nparameters:\n  a: {distribution: categorical}",
        "method: random\nparameters:\n  a: {distribution: constant, min: 1, max: 2}",
        "method: random\nparameters:\n  a: {value: \"x\\0\"}",
        "method: random\nparameters:\n  \"a\\0\": {value: 1}",
        "method: random\nparameters:\n  'a{{b': {value: 1}",
        "method: random\nparameters:\n  a.b: {value: 1}\n  a: {parameters: {b: {value: 2}}}",
        "method: random\n---\nmethod: grid",
        "a: &a [*a]",
        "a: !!int x",
        "? [a]\n: 1",
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
    insta::assert_snapshot!(imported(optuna::journal::read(STUDY, None)));
    let two = r#"{"op_code":0,"study_name":"a","directions":[1,2]}
{"op_code":0,"study_name":"b","directions":[1]}"#;
    insta::assert_snapshot!(imported(optuna::journal::read(two, Some("a"))), @r#"
    # Made of a file.
    # What has no equal here, or was guessed:
    # - a study does not say what it runs: train.py is a guess, which takes its parameters as arguments and writes its metrics, as lines such as {"step": 10, "loss": 0.3}, to the file $PLEACH_METRICS (line 1)
    # - the objective has no name in the study: `loss` is a guess (line 1)
    # - of 2 objectives this is the first, `loss`; left out number 2 (higher is better) (line 1)

    [sweep]
    name = "a"
    objective = { metric = "loss", goal = "min" }

    [command]
    run = ["python", "train.py"]
    "#);
    let mut wrong = imported(optuna::journal::read(two, None));
    wrong += &imported(optuna::journal::read(two, Some("c")));
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
        wrong += &imported(optuna::journal::read(text, None));
    }
    insta::assert_snapshot!(wrong, @r#"
    error: which study? say --study; there are `a`, `b`
    error: there is no study `c`; there are `a`, `b`
    error: there is no study in it
    error: line 1: no operation of a journal: expected ident at line 1 column 2
    error: line 1: no operation of a journal
    error: line 1: it speaks of a study or trial that is not there
    error: line 1: it names no parameter
    error: line 2: the distribution of `x` is no distribution: invalid type: integer `3`, expected a map at line 1 column 1
    error: line 2: the distribution of `x` is none that is known: `Odd`
    error: there is no study in it
    "#);
}

/// As Python writes what is no number, wherever it can: none of it is read, but in a choice.
#[test]
fn words_of_python_are_read_wherever_they_stand() {
    let distribution = |text: &str| serde_json::to_string(text).unwrap();
    let choices = distribution(
        r#"{"name": "CategoricalDistribution", "attributes": {"choices": [NaN, Infinity, -Infinity, "NaN", null, 1e400, 18446744073709551616]}}"#,
    );
    let lr = distribution(
        r#"{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}"#,
    );
    let digits = "9".repeat(400);
    let journal = format!(
        r#"{{"op_code":0,"worker_id":"w","study_name":"s","directions":[1],"odd":NaN}}
{{"op_code":2,"worker_id":"w","study_id":0,"user_attr":{{"a":NaN,"b":[-Infinity,{{"c":Infinity}}],"d":{digits},"e":1e999,"\ud800":"\udfff NaN"}}}}
{{"op_code":3,"worker_id":"w","study_id":0,"system_attr":{{"study:metric_names":["loss"],"x":NaN}}}}
{{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":null}}
{{"op_code":5,"worker_id":"w","trial_id":0,"param_name":"kind","param_value_internal":NaN,"distribution":{choices}}}
{{"op_code":5,"worker_id":"w","trial_id":0,"param_name":"lr","param_value_internal":0.1,"param_value_internal":0.2,"distribution":{lr}}}
{{"op_code":7,"worker_id":"w","trial_id":0,"step":1,"intermediate_value":NaN}}
{{"op_code":7,"worker_id":"w","trial_id":0,"step":{digits},"intermediate_value":-Infinity}}
{{"op_code":8,"worker_id":"w","trial_id":0,"user_attr":{{"a":"\ud83d","b":NaN}}}}
{{"op_code":9,"worker_id":"w","trial_id":0,"system_attr":{{"fixed_params":{{"kind":NaN}}}}}}
{{"op_code":6,"worker_id":"w","trial_id":0,"state":1,"values":[Infinity]}}
{{"op_code":4,"worker_id":"w","study_id":0,"state":4,"values":null,"system_attrs":{{"fixed_params":{{"lr":0.05}}}}}}
{{"op_code":4,"worker_id":"w","study_id":0,"state":2,"value":NaN,"values":[NaN],"distributions":{{"lr":{lr}}},"params":{{"lr":NaN}},"user_attrs":{{}},"intermediate_values":{{"1":NaN}}}}
{{"op_code":4,"worker_id":"w","study_id":0,"state":0}}
"#
    );
    let read = imported(optuna::journal::read(&journal, None));
    insta::assert_snapshot!(read);
    // However its lines end, and whatever marks its beginning.
    let dos = format!("\u{feff}{}", journal.replace('\n', "\r\n"));
    assert!(optuna::journal::is_journal(&dos));
    assert_eq!(imported(optuna::journal::read(&dos, None)), read);
    // Torn anywhere in its last line.
    let whole = journal.trim_end();
    for end in whole.rfind('\n').unwrap() + 2..whole.len() {
        let read = imported(optuna::journal::read(&whole[..end], None));
        assert!(read.contains("this line is torn"), "{}: {read}", &whole[end - 10..end]);
    }
    let mended = journal.replacen("}\n{", "\n{", 1);
    let wrong = imported(optuna::journal::read(&mended, None));
    assert_eq!(
        wrong,
        "error: line 1: no operation of a journal: EOF while parsing an object at line 1 column 74\n"
    );
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
    let read = |study| imported(optuna::database::read(&path, study));
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

/// Before version 2.4 a study had one objective, and no table of directions.
#[test]
fn a_database_of_an_old_optuna_says_its_direction() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch(DATABASE).unwrap();
    let older = "DROP TABLE study_directions; ALTER TABLE studies ADD direction VARCHAR(8); UPDATE studies SET direction = 'MAXIMIZE' WHERE study_id = 1; UPDATE studies SET direction = 'NOT_SET' WHERE study_id = 2";
    database.execute_batch(older).unwrap();
    let read = |study| imported(optuna::database::read(&path, Some(study)));
    assert!(read("made").contains("goal = \"max\""), "{}", read("made"));
    let other = read("other");
    assert!(other.contains("the study does not say whether lower or higher is better"), "{other}");
}
