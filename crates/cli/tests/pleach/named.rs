//! How sweeps and trials are named, and what is seen of them: on boards of every width, and on pipes that nobody reads.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use crate::stage::{Stage, wait_until};

/// A program of which `x` decides everything; of 3 it fails.
fn sweep(name: &str) -> String {
    format!(
        r#"
[sweep]
name = "{name}"
objective = {{ metric = "loss", goal = "min" }}
[command]
run = ["sh", "-c", 'printf "step=10 loss=%s extra=0.25\n" $(( {{{{ x }}}} * {{{{ x }}}} )); echo told; test {{{{ x }}}} != 3']
metrics = '(?<step>\d+) loss=(?<loss>\S+) extra=(?<extra>\S+)'
budget = "10st"
[space]
x = [2, 1, 3]
[run]
slots = 1
retries = 0
"#
    )
}

fn stage() -> Stage {
    let stage = Stage::new("noop");
    for name in ["older", "newer"] {
        stage.write("x.toml", &sweep(name));
        stage.run("run x.toml", 3);
    }
    stage
}

#[test]
fn a_trial_is_named_by_its_number_or_as_the_best_of_any_sweep() {
    let stage = stage();
    let own = stage.run("show newer 2", 0).0;
    assert!(own.contains("loss 1.0000") && own.contains("10 of 10 steps, in "), "{own}");
    for command in ["show 2", "show best", "show newer best", "show newer/best", "show x.toml 2"] {
        assert_eq!(stage.run(command, 0).0, own, "{command}");
    }
    let other = stage.run("show older/best", 0).0;
    assert!(other.contains("loss 1.0000"), "{other}");
    for command in [
        "explain best",
        "explain older/best",
        "logs best",
        "logs older 2",
        "compare best 1",
        "compare older/best older/1",
        "export --trial best",
        "export older --trial best",
        "export --trial older/best --json",
        "board",
        "list",
        "tree",
        "plan",
        "importance",
        "diff older",
    ] {
        stage.run(command, 0);
    }
    let of_which = |command: &str| stage.run(command, 0).1;
    assert_eq!(of_which("board"), "of the newest sweep, `newer`:\n");
    assert_eq!(of_which("board newer"), "");
    for (command, code, said) in [
        ("show", 2, ""),
        ("show older", 2, "name a trial of `older`"),
        ("show older 99", 66, "there is no trial `99`"),
        ("show nothing 1", 66, "there is no sweep `nothing`"),
        ("compare best", 2, "name 2 trials of `newer` at least"),
        ("compare older/1 newer/1", 2, "trial of another sweep"),
        ("stop 1 2", 2, "one trial is stopped at a time"),
        ("stop older 1 --now", 2, "--now"),
        ("rm --yes", 2, "give the sweep's name"),
    ] {
        let (_, err) = stage.run(command, code);
        assert!(err.contains(said), "{command}: {err}");
    }
    let (_, err) = stage.run("retry 3", 0);
    assert!(err.contains("1 trial will run again"), "{err}");
    // As documentation says it.
    let (_, err) = stage.run("stop newer 4", 0);
    assert!(err.contains("trial 4 is stopped"), "{err}");
    let (_, err) = stage.run("stop", 0);
    assert!(err.contains("`newer` is not running"), "{err}");
}

#[test]
fn further_metrics_are_columns_by_their_right_names() {
    let stage = stage();
    let (board, _) = stage.run("board --metrics extra", 0);
    assert!(board.contains("│ extra ") && board.contains("│ 0.2500 "), "{board}");
    let (csv, _) = stage.run("board --csv --metrics extra", 0);
    let head = csv.lines().next().unwrap();
    assert!(head.ends_with(",trials,last,steps,steps_of,seconds,extra"), "{csv}");
    let (shown, _) = stage.run("show 1 --metrics extra", 0);
    assert!(shown.contains("│ step │ extra "), "{shown}");
    assert!(stage.run("list --metrics extra", 0).0.contains("│ extra "));
    for command in ["board --metrics extr", "show 1 --metrics extr", "list --metrics extr"] {
        let (_, err) = stage.run(command, 2);
        assert!(err.contains("no trial has measured `extr`: did you mean `extra`?"), "{err}");
    }
}

#[test]
fn what_runs_or_was_stopped_shows_its_last_value() {
    let stage = Stage::new("noop");
    let script =
        "echo step=5 loss=0.125; echo step=6 loss=0.125; while ! test -e go; do sleep 0.1; done";
    let long = sweep("long").replace("test {{ x }} != 3", script).replace("[2, 1, 3]", "[1]");
    let long = long.replace(
        "(?<step>\\d+) loss=(?<loss>\\S+) extra=(?<extra>\\S+)",
        "step=(?<step>\\d+) loss=(?<loss>\\S+)",
    );
    let long = long.replace("step=10 loss=%s extra=0.25", "").replace("10st", "1000st");
    stage.write("long.toml", &long);
    let mut coordinator = stage.start("run long.toml");
    wait_until("it is seen", || {
        let output = stage.output("board");
        let board = String::from_utf8_lossy(&output.stdout).into_owned();
        board.contains("(0.1250)") && board.contains("running") && board.contains("5/1 000")
    });
    stage.run("stop long 1", 0);
    wait_until("it is stopped", || {
        let output = stage.output("board");
        String::from_utf8_lossy(&output.stdout).contains("1 seed stopped")
    });
    coordinator.wait().unwrap();
    let (board, _) = stage.run("board", 0);
    assert!(board.contains("(0.1250)"), "{board}");
}

#[test]
fn whoever_has_read_enough_of_a_pipe_is_not_told_that_it_broke() {
    let stage = stage();
    for (command, code) in [
        ("export --as csv", 0),
        ("export --as jsonl --table metrics", 0),
        ("export --as optuna", 0),
        ("export --as parquet", 0),
        ("export --canonical", 0),
        ("export --best", 0),
        ("board", 0),
        ("board --json", 0),
        ("show 1", 0),
        ("report --output -", 0),
        ("schedule cosine --steps 100000 --csv", 0),
        ("schema", 0),
        ("plan", 0),
        ("man", 0),
        ("completions bash", 0),
        // Whatever is read of it, trials failed.
        ("run newer", 3),
    ] {
        let mut child =
            stage.command(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        while lines.read_line(&mut err).unwrap() != 0 {}
        assert_eq!(child.wait().unwrap().code(), Some(code), "{command}: {err}");
        assert!(!err.contains("roken pipe") && !err.contains("panicked"), "{command}: {err}");
    }
}

const WIDE: &str = r#"
[sweep]
name = "wide"
objective = { metric = "value", goal = "max" }
[command]
run = ["echo", "value=1e69"]
metrics = '(?<name>value)=(?<value>\S+)'
budget = "10st"
[search]
method = "random"
samples = 60
seed = 1
[space]
peak = { log = [0.001, 1.0] }
NAMES
[space.schedule.cosine]
"#;

#[test]
fn nothing_on_a_pipe_is_wider_than_it_should_be() {
    let stage = Stage::new("noop");
    let names: Vec<String> = (0..30).map(|n| format!("a_long_parameter_{n} = [1, 2{n}]")).collect();
    stage.write("wide.toml", &WIDE.replace("NAMES", &names.join("\n")));
    stage.run("run wide.toml", 0);
    for command in
        ["plan", "board", "show 1", "list", "compare 1 2 3 4 5 6 7 8 9", "explain 1", "tree"]
    {
        let (out, _) = stage.run(command, 0);
        for line in out.lines() {
            assert!(line.chars().count() <= 120, "{command}: {line}");
        }
        assert!(!out.contains("00000000"), "{command}: {out}");
    }
}
