//! The sweeps that come with pleach do what their comments say.

use std::{fs, path::PathBuf, process::Command};

use crate::stage::{Stage, skipped};

fn sweeps(folder: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files
}

/// With the built-in data, a linear model, one seed and epochs of one step: durations in epochs still fit.
#[test]
fn every_article_is_planned_and_runs_shortened() {
    const SHORT: &str = "--set trainer.data='digits' --set trainer.valid=50 --set trainer.subset=64 --set trainer.model='linear' --set trainer.eval='50%' --set sweep.seeds=[1]";
    let stage = Stage::new("pleach-mnist");
    let page = fs::read_to_string(sweeps("sweeps")[0].with_file_name("README.md")).unwrap();
    for file in sweeps("sweeps/articles") {
        let name = file.file_stem().unwrap().to_str().unwrap();
        assert!(page.contains(&format!("articles/{name}.toml")), "the page lists no {name}");
        let path = file.display();
        stage.run(&format!("run {path} --slots 1 {SHORT}"), 0);
        let (board, _) = stage.run("board --csv", 0);
        assert!(!board.contains("failed") && board.contains(",1,1,done,"), "{path}\n{board}");
    }
}

#[test]
fn every_sweep_is_planned_and_begins() {
    let data = std::env::var_os("PLEACH_DATA").map(|data| fs::canonicalize(data).unwrap());
    assert!(4 <= sweeps("sweeps").len());
    for file in sweeps("sweeps") {
        let text = fs::read_to_string(&file).unwrap();
        let needs_files = text.contains("\"mnist\"") || text.contains("\"fashion-mnist\"");
        if needs_files && data.is_none() {
            let what = "needs PLEACH_DATA, a folder with mnist/ and fashion-mnist/";
            skipped(&format!("{} {what}", file.display()));
            continue;
        }
        let is_command = text.contains("[command]");
        let import = if text.contains("torch") { "import torch" } else { "" };
        let python = || Command::new("python3").args(["-c", import]).output();
        if is_command && !python().is_ok_and(|it| it.status.success()) {
            skipped(&format!("{} needs python3 ({import})", file.display()));
            continue;
        }
        let stage = Stage::new("pleach-mnist");
        let run = |arguments: &str| {
            let mut command = stage.command(arguments);
            command.arg(&file);
            if is_command {
                let root = file.parent().unwrap().parent().unwrap().canonicalize().unwrap();
                command.arg(format!("--set=command.directory='{}'", root.display()));
            }
            if let Some(data) = &data {
                command.env("PLEACH_DATA", data);
            }
            let output = command.output().unwrap();
            let err = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{arguments} {}: {err}", file.display());
            String::from_utf8(output.stdout).unwrap()
        };
        assert!(run("plan").contains("trials = "));
        let section = if is_command { "command" } else { "trainer" };
        let short = format!("run --first 1 --set {section}.budget=20st --set sweep.seeds=[1]");
        assert!(run(&short).contains("trial"));
        let (board, _) = stage.run("board --csv", 0);
        assert!(board.contains(",1,1,done,"), "{board}");
    }
}

#[test]
fn the_template_of_init_runs() {
    let stage = Stage::new("pleach-mnist");
    stage.run("init", 0);
    let schema = fs::read_to_string(stage.path().join("sweep.schema.json")).unwrap();
    assert!(schema.contains("\"$schema\""), "the file's first line names it: {schema}");
    let (out, _) =
        stage.run("run sweep.toml --first 1 --set trainer.budget=20st --set sweep.seeds=1", 0);
    assert!(out.contains("1/1"), "{out}");
}

#[test]
fn the_best_trial_is_exported_with_its_weights() {
    let stage = Stage::new("pleach-mnist");
    stage.write(
        "x.toml",
        "[sweep]\nname = \"x\"\nobjective = { metric = \"val_loss\", goal = \"min\" }\n[trainer]\nvalid = 500\nbudget = \"40st\"\neval = \"20st\"\nmomentum = \"0.9 > 0.8\"\n[space]\npeak = [0.001, 0.1]\n",
    );
    stage.run("run x.toml", 0);
    stage.run("export x --best --to best", 0);
    let trial: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(stage.path().join("best/trial.json")).unwrap())
            .unwrap();
    assert_eq!(trial["parameters"]["peak"], 0.1);
    let weights = fs::read(stage.path().join("best/weights.safetensors")).unwrap();
    // Its header, as JSON, begins after its length.
    assert!(weights.len() > 100_000 && weights[8] == b'{');
    let kept = |name: &str| fs::read_to_string(stage.path().join("best").join(name)).unwrap();
    assert_eq!(kept("schedule.csv").lines().nth(40), Some("39,0.1"));
    assert!(kept("schedule_pytorch.py").contains("torch.optim.SGD(model.parameters(), lr=0.1)"));
    assert_eq!(kept("schedule_momentum.csv").lines().nth(21), Some("20,0.8500000000000001"));
    for name in ["schedule_keras.py", "schedule_optax.py", "schedule_candle.rs"] {
        assert!(kept(name).contains("0.1"), "{name}");
    }
    let (shown, _) = stage.run("show x 2", 0);
    assert!(
        shown.contains("peak = 0.1") && shown.contains("attempt 2: from step 0 to 40"),
        "{shown}"
    );
    let (plan, _) = stage.run("plan x.toml", 0);
    assert!(plan.contains("0 trials added, 2 kept, 0 removed"), "{plan}");
    assert!(stage.run("list", 0).0.contains("2/2"));
    assert!(stage.run("doctor", 0).0.contains("pleach-mnist"));
    assert!(
        stage.run("schedule cosine --steps 4 --csv", 0).0.starts_with("step,value\n0,1\n1,0.85")
    );
}
