//! What other programs get of a sweep. `scripts/interop` opens it with the real ones.

use std::fs;

use serde_json::Value;

use crate::stage::Stage;

const SWEEP: &str = r#"
[sweep]
name = "x"
objective = { metric = "loss", goal = "min" }
seeds = [1, 2]
[command]
run = ["sh", "train.sh", "{{ rate }}"]
parameters = { model = "m" }
[space]
rate = [1, 0.5, 2]
text = ["=1+1", "a,b"]
key = [true]
"#;

/// Fails at rate 2.
const TRAIN: &str = r#"case $1 in 2) exit 1;; esac
echo "{\"step\": 1, \"loss\": $1}" >> "$PLEACH_METRICS"
echo "{\"step\": 2, \"loss\": $1, \"time\": \"NaN\"}" >> "$PLEACH_METRICS"
"#;

fn stage() -> Stage {
    let stage = Stage::new("noop");
    stage.write("x.toml", &SWEEP.replace("[space]", "[run]\nretries = 0\n[space]"));
    stage.write("train.sh", TRAIN);
    stage.run("run x.toml", 3);
    stage
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_sweep_is_two_tables() {
    let stage = stage();
    let trials = lines(&stage.run("export x --as jsonl", 0).0);
    assert_eq!(trials.len(), 12);
    let first = &trials[0];
    assert_eq!(first["trial"], 1);
    assert_eq!((&first["rate"], &first["objective"]), (&1.0.into(), &1.0.into()));
    assert_eq!((&first["text"], &first["key_"]), (&"=1+1".into(), &true.into()));
    let failed = trials.iter().filter(|trial| trial["status"] == "failed");
    assert_eq!(failed.filter(|trial| trial["objective"].is_null()).count(), 4);
    let metrics = lines(&stage.run("export x --as jsonl --table metrics", 0).0);
    assert_eq!(metrics.len(), 8 * 3);
    assert_eq!(metrics.iter().filter(|metric| metric["value"] == "NaN").count(), 8);
    let csv = stage.run("export x --as csv", 0).0;
    assert_eq!(
        csv.lines().next(),
        Some("trial,key,configuration,seed,status,objective,steps,key_,rate,text,model")
    );
    assert_eq!(csv.matches(",'=1+1,m\n").count(), 6, "{csv}");
    assert_eq!(csv.matches(",\"a,b\",m\n").count(), 6, "{csv}");
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let stage = stage();
    for form in ["csv", "jsonl", "parquet"] {
        let piped = stage.output(&format!("export x --as {form}")).stdout;
        let (_, err) = stage.run(&format!("export x --as {form} --to out.{form}"), 0);
        assert_eq!(fs::read(stage.path().join(format!("out.{form}"))).unwrap(), piped);
        assert_eq!(err, format!("wrote out.{form}\n"));
    }
    let (_, err) = stage.run("export x --as csv --to nowhere/out.csv", 1);
    assert!(err.contains("failed to write nowhere/out.csv: No such file"), "{err}");
    // `/dev/full` takes no byte.
    for form in ["csv", "jsonl", "parquet"] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = stage.command(&format!("export x --as {form}")).stdout(full).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(err.contains("No space left on device"), "{form}: {err}");
    }
}

#[test]
fn a_sweep_that_cannot_be_read_is_not_exported() {
    let stage = stage();
    let database = stage.path().join("runs/x/pleach.db");
    let check = |said: &str, code: i32| {
        let (out, err) = stage.run("export x --as csv --to out.csv", code);
        assert!(out.is_empty() && err.contains(said), "{err}");
        assert!(!stage.path().join("out.csv").exists());
        assert!(!stage.path().join("out.csv.part").exists());
    };
    let good = fs::read(&database).unwrap();
    let mut newer = good.clone();
    newer[60..64].copy_from_slice(&1000_u32.to_be_bytes());
    fs::write(&database, newer).unwrap();
    check("newer", 1);
    fs::write(&database, "").unwrap();
    check("pleach.db", 66);
    // Cut off in the middle.
    fs::write(&database, &good[..good.len() / 2]).unwrap();
    check("pleach.db", 1);
    stage.run("export y --as csv", 66);
}

#[test]
fn a_trial_alone_is_the_same_to_the_last_bit() {
    let stage = Stage::new("pleach-mnist");
    stage.write(
        "x.toml",
        "[sweep]\nname = \"x\"\nobjective = { metric = \"val_loss\", goal = \"min\" }\nseeds = [3, 4]\n[trainer]\nmodel = \"mlp-16\"\nvalid = 500\nbudget = \"30st\"\neval = \"10st\"\n[space]\npeak = [0.1, 0.3]\nmomentum = [\"0.9 > 0.8\"]\n[space.schedule.cosine]\nwarmup = \"20%\"\n[space.schedule.mine]\nuse = \"torch.StepLR\"\nstep_size = 10\n",
    );
    stage.run("run x.toml", 0);
    let all = stage.canonical("x");
    let (best, _) = stage.run("export x --best", 0);
    let (third, _) = stage.run("show x 3 --command", 0);
    assert_eq!(stage.run("export x --trial 3", 0).0, third);
    for text in [best, third] {
        stage.write("alone.toml", &text);
        stage.run("run alone.toml", 0);
        let name = text.split('"').nth(1).unwrap();
        let alone = stage.canonical(name);
        assert_eq!(alone.lines().count(), 1);
        assert!(all.contains(&values(&alone)), "{alone}\nis not in\n{all}");
    }
    let (json, _) = stage.run("export x --trial 3 --json", 0);
    let trial: Value = serde_json::from_str(&json).unwrap();
    let (csv, _) = stage.run("schedule x/3 --csv", 0);
    assert_eq!(csv.lines().count(), 31);
    let peak = csv.lines().filter_map(|line| line.split(',').nth(1)?.parse().ok());
    assert_eq!(peak.fold(0.0, f64::max), trial["parameters"]["peak"].as_f64().unwrap());
    let (code, _) = stage.run("schedule x/best --snippet pytorch", 0);
    assert!(code.contains("LambdaLR"), "{code}");
    stage.run("schedule x/99", 66);
    stage.run("schedule y/1", 66);
    let (_, err) = stage.run("schedule y/one.toml", 66);
    assert!(err.contains("there is no file y/one.toml"), "{err}");
}

/// Without the parameters: those of a single trial are not swept.
fn values(line: &str) -> String {
    let line = line.trim();
    line.split_once(",\"seed\"").unwrap().1.to_owned()
}

#[test]
fn a_command_line_can_be_typed() {
    let stage = stage();
    let (text, _) = stage.run("show x 1 --command", 0);
    let folder = stage.path().canonicalize().unwrap().display().to_string();
    insta::assert_snapshot!(text.replace(&folder, "/here"), @r#"
    cd /here &&
    PLEACH_ATTEMPT=1 \
    PLEACH_DIRECTORY=/here/runs/x/attempts/1 \
    PLEACH_METRICS=/here/runs/x/attempts/1/metrics.jsonl \
    PLEACH_PARAMETERS=/here/runs/x/attempts/1/parameters.json \
    PLEACH_PARAMETER_key=true \
    PLEACH_PARAMETER_model=m \
    PLEACH_PARAMETER_rate=1 \
    PLEACH_PARAMETER_text='=1+1' \
    PLEACH_SEED=1 \
    PLEACH_STOP=/here/runs/x/attempts/1/stop \
    PLEACH_TRIAL=1 \
    sh train.sh 1
    "#);
    let metrics =
        || fs::read_to_string(stage.path().join("runs/x/attempts/1/metrics.jsonl")).unwrap();
    let before = metrics();
    let status = std::process::Command::new("sh").args(["-c", &text]).status().unwrap();
    assert!(status.success());
    assert_eq!(metrics(), before.repeat(2));
}

#[test]
fn a_study_has_a_line_for_each_trial_and_is_not_overwritten() {
    let stage = stage();
    stage.run("export x --as optuna --to x.log", 0);
    let text = fs::read_to_string(stage.path().join("x.log")).unwrap();
    let lines = lines(&text);
    assert_eq!(lines.len(), 3 + 12);
    let states: Vec<u64> = lines[3..].iter().map(|line| line["state"].as_u64().unwrap()).collect();
    assert_eq!(states.iter().filter(|state| **state == 1).count(), 8);
    assert_eq!(states.iter().filter(|state| **state == 3).count(), 4);
    let (_, err) = stage.run("export x --as optuna --to x.log", 2);
    assert!(err.contains("x.log exists"), "{err}");
}

#[test]
fn a_trial_is_a_folder_with_a_number() {
    let stage = stage();
    let (_, err) = stage.run("export x --as tensorboard", 2);
    assert!(err.contains("--to DIR"), "{err}");
    let (_, err) = stage.run("export x --as mlflow", 2);
    assert!(err.contains("--to http"), "{err}");
    let (_, err) = stage.run("export x --as mlflow --to http://127.0.0.1:1", 1);
    assert!(err.contains("nobody listens there"), "{err}");
    for _ in 0..2 {
        stage.run("export x --as tensorboard --to logs", 0);
        let trials: Vec<_> = fs::read_dir(stage.path().join("logs")).unwrap().flatten().collect();
        let mut names: Vec<u32> = trials
            .iter()
            .map(|trial| trial.file_name().to_str().unwrap().parse().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(names, (1..=12).collect::<Vec<_>>());
        for trial in trials {
            assert_eq!(fs::read_dir(trial.path()).unwrap().count(), 1, "{trial:?}");
        }
    }
}

#[test]
fn a_sweep_of_another_program_is_imported_and_runs() {
    let stage = Stage::new("noop");
    let train = "case $2 in --rate=*) echo \"{\\\"loss\\\": ${2#--rate=}}\" >> \"$PLEACH_METRICS\";; esac\n";
    stage.write("train.sh", train);
    stage.write(
        "wandb.yaml",
        "method: grid\nmetric: {name: loss}\nprogram: train.sh\ncommand: [sh, '${program}', x, '${args}']\nparameters:\n  rate: {values: [1, 2]}\nearly_terminate: {type: hyperband}\n",
    );
    let (text, notes) = stage.run("import wandb.yaml", 0);
    assert!(notes.contains("`early_terminate`: no trial is stopped early (line 7)"), "{notes}");
    assert!(text.contains("# - `early_terminate`"), "{text}");
    stage.write("x.toml", &text);
    stage.run("run x.toml", 0);
    let trials = lines(&stage.run("export imported --as jsonl", 0).0);
    let objectives: Vec<f64> =
        trials.iter().map(|trial| trial["objective"].as_f64().unwrap()).collect();
    assert_eq!(objectives, [1.0, 2.0]);
    // To Optuna, and back.
    stage.run("export imported --as optuna --to study.log", 0);
    let (text, _) = stage.run("import study.log", 0);
    assert!(text.contains("rate = [1, 2]") && text.contains("metric = \"loss\""), "{text}");
    stage.write("y.toml", &text.replace("train.py", "train.sh").replace("python", "sh"));
    stage.run("plan y.toml", 0);

    stage.write("bad.yaml", "method: grid\nparameters: [");
    let (_, err) = stage.run("import bad.yaml", 65);
    assert!(err.contains("bad.yaml: line 2"), "{err}");
    let (_, err) = stage.run("import runs/imported/pleach.db", 65);
    assert!(err.contains("this database has not the tables of Optuna"), "{err}");
    stage.write("study.db", "SQLite format 3\0 and more");
    let (_, err) = stage.run("import study.db", 65);
    assert!(err.contains("the database cannot be read: file is not a database"), "{err}");
    stage.run("import nothing.yaml", 66);
}
