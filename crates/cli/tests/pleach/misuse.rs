//! Bad input and bad luck: each a message that says what and where and what to do, and nothing lost.

use std::fs;

use crate::stage::Stage;

const SWEEP: &str = "[sweep]\nname = \"x\"\nobjective = { metric = \"value\", goal = \"max\" }\n[space]\nx = [1, 2]\n";

/// What a command says to standard error, without what differs from place to place.
fn said(stage: &Stage, arguments: &str, code: i32) -> String {
    let (_, err) = stage.run(arguments, code);
    let folder = stage.path().canonicalize().unwrap();
    let worker = crate::stage::built("noop").display().to_string();
    let text = err.replace(&worker, "[noop]").replace(&folder.display().to_string(), "[here]");
    let beside =
        crate::stage::built("noop").parent().unwrap().parent().unwrap().display().to_string();
    format!("$ pleach {arguments}\n{}\n", text.replace(&beside, "[bin]").trim_end())
}

#[test]
fn a_wrong_sweep_file_is_told_before_anything_happens() {
    let stage = Stage::new("noop");
    let files = [
        ("unknown.toml", SWEEP.replace("x = [1, 2]", "y = [1, 2]")),
        ("negative.toml", SWEEP.replace("x = [1, 2]", "peak = -0.1")),
        (
            "long.toml",
            SWEEP.replace(
                "x = [1, 2]",
                "peak = 1\n[space.schedule.wsd]\nwarmup = \"60%\"\ncooldown = \"60%\"",
            ),
        ),
        ("empty.toml", SWEEP.replace("x = [1, 2]", "x = []")),
        (
            "huge.toml",
            SWEEP.replace(
                "x = [1, 2]",
                "x = { int = [1, 10000000] }\npeak = { uniform = [0, 1], n = 100000 }",
            ),
        ),
        ("none.toml", SWEEP.replace("x = [1, 2]", "x = [1, 2]\nwhere = [\"x > 2\"]")),
        ("name.toml", SWEEP.replace("\"x\"", "\"../x\"")),
        ("metric.toml", SWEEP.replace("\"value\"", "\"valu\"")),
    ];
    let mut texts = String::new();
    for (name, text) in files {
        stage.write(name, &text);
        texts.push_str(&said(&stage, &format!("run {name}"), 65));
    }
    insta::assert_snapshot!(texts);
    assert!(!stage.path().join("runs").exists(), "nothing was made");
}

#[test]
fn what_is_not_there_is_told() {
    let stage = Stage::new("noop");
    stage.write("x.toml", SWEEP);
    let mut texts = String::new();
    for (arguments, code) in [
        ("run nothing.toml", 66),
        ("run nothing", 66),
        ("resume nothing", 66),
        ("board Not-A-Name", 65),
        ("run x.toml --worker nothing", 69),
        ("run x.toml --worker /dev/null", 69),
        ("run x.toml --worker /bin/true", 69),
        ("run x.toml --data nothing", 1),
        ("run x.toml --set space.x", 2),
        ("run x.toml --set space.x=true", 65),
        ("schedule nonsense", 65),
        ("schedule cosine linear --snippet optax", 2),
        ("schedule cosine --snippet mxnet", 2),
    ] {
        texts.push_str(&said(&stage, arguments, code));
    }
    stage.run("run x.toml", 0);
    for (arguments, code) in [
        ("show x 99", 66),
        ("board y", 66),
        ("board x --where peak", 2),
        ("board x --where y=1", 2),
        ("board x --where x=3", 2),
        ("compare x 1 99", 66),
        ("diff x y", 66),
        ("retry x --failed", 66),
        ("init x.toml", 2),
        ("run x.toml --set space.x=[1,2,3]", 2),
    ] {
        texts.push_str(&said(&stage, arguments, code));
    }
    insta::assert_snapshot!(texts);
}

#[test]
fn missing_data_are_told_with_what_to_do() {
    let stage = Stage::new("pleach-mnist");
    let text = SWEEP
        .replace("\"value\"", "\"test_accuracy\"")
        .replace("x = [1, 2]", "peak = 0.1\ndata = \"mnist\"");
    stage.write("x.toml", &text);
    insta::assert_snapshot!(said(&stage, "run x.toml", 65));
}

#[test]
fn an_edited_file_is_a_new_revision_after_a_yes() {
    let stage = Stage::new("noop");
    stage.write("x.toml", SWEEP);
    stage.run("run x.toml", 0);
    stage.write("x.toml", &SWEEP.replace("[1, 2]", "[2, 3, 4]"));
    let (_, err) = stage.run("run x.toml", 2);
    assert!(err.contains("2 trials added, 1 kept, 1 removed"), "{err}");
    stage.run("run x.toml --accept", 0);
    assert_eq!(stage.canonical("x").lines().count(), 3);
    let all: serde_json::Value =
        serde_json::from_str(&stage.run("board x --all --json", 0).0).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 4);
    let numbers = |stage: &Stage| {
        let rows: serde_json::Value =
            serde_json::from_str(&stage.run("board x --json", 0).0).unwrap();
        let trials = rows.as_array().unwrap().iter().map(|row| row["trials"][0].as_u64().unwrap());
        let mut trials: Vec<u64> = trials.collect();
        trials.sort_unstable();
        trials
    };
    assert_eq!(numbers(&stage), [2, 3, 4], "numbers are never reused");
    // What was removed and comes back is still done.
    stage.write("x.toml", SWEEP);
    stage.run("run x.toml --accept", 0);
    assert_eq!(numbers(&stage), [1, 2]);
}

#[test]
fn a_database_that_cannot_be_used_is_left_as_it_is() {
    let stage = Stage::new("noop");
    stage.write("x.toml", SWEEP);
    stage.run("run x.toml", 0);
    let database = stage.path().join("runs/x/pleach.db");
    let good = fs::read(&database).unwrap();
    fs::write(
        &database,
        b"this is no database, whatever its name says. this is no database, whatever its name says",
    )
    .unwrap();
    for arguments in ["run x.toml", "board x", "resume x"] {
        let (_, err) = stage.run(arguments, 1);
        assert!(err.contains("pleach.db"), "{err}");
    }
    // A newer version: SQLite keeps the number of the schema at byte 60.
    let mut newer = good.clone();
    newer[60..64].copy_from_slice(&1000_u32.to_be_bytes());
    fs::write(&database, &newer).unwrap();
    let (_, err) = stage.run("board x", 1);
    assert!(err.contains("newer"), "{err}");
    let (_, err) = stage.run("resume x", 1);
    assert!(err.contains("newer"), "{err}");
    assert_eq!(fs::read(&database).unwrap(), newer);
    fs::write(&database, &good).unwrap();
    stage.run("board x", 0);
}

#[test]
fn a_full_or_forbidden_disk_loses_nothing() {
    let stage = Stage::new("noop");
    stage.write("x.toml", SWEEP);
    // A file where the folder should be: nothing can be made there, whoever asks.
    stage.write("runs", "in the way");
    let (_, err) = stage.run("run x.toml", 1);
    assert!(err.contains("runs/x"), "{err}");
    fs::remove_file(stage.path().join("runs")).unwrap();
    stage.run("run x.toml", 0);
    // `/dev/full` takes no byte: the export fails and says so.
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = stage.command("export x --canonical").stdout(full).status().unwrap();
    assert_eq!(status.code(), Some(1));
}

#[test]
fn a_trainer_without_cuda_says_so_before_anything_is_run() {
    let stage = Stage::new("pleach-mnist");
    let sweep = "[sweep]\nname = \"x\"\nobjective = { metric = \"test_loss\", goal = \"min\" }\n[trainer]\nbudget = \"1st\"\npeak = 0.1\n[run]\ndevices = [\"cuda:0\"]\n";
    stage.write("x.toml", sweep);
    let said = ["plan", "run"].map(|command| {
        let (_, err) = stage.run(&format!("{command} x.toml"), 69);
        err.split_once("pleach-mnist: ").unwrap().1.to_owned()
    });
    insta::assert_snapshot!(said.concat(), @"
    cannot use `cuda:0`: this program was built without CUDA: build one with `scripts/cuda-build`, and name it with `--worker` (docs/cuda.md)
    cannot use `cuda:0`: this program was built without CUDA: build one with `scripts/cuda-build`, and name it with `--worker` (docs/cuda.md)
    ");
    assert!(!stage.path().join("runs").exists(), "nothing was made");
}
