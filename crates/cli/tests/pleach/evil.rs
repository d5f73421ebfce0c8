//! Names, values, reasons and logs that would give orders to a terminal, on a real terminal, as far as a program can be one:
//! `script` lends it. On a pipe colours are left out, which would hide a mistake here.

use std::process::{Command, Stdio};

use pleach_core::plain::safe;

use crate::{stage::Stage, watch::Watcher};

/// A title, hidden text, a turned direction of writing, the escape of 8 bits, and keys that move the cursor.
const EVIL: &str = "\u{1b}]0;owned\u{7}\u{1b}[8m\u{202e}\u{9b}2J\n\r\u{8}";

/// One trial is done, one fails.
const SWEEP: &str = r#"
[sweep]
name = "evil"
objective = { metric = "loss", goal = "min" }
[command]
run = ["sh", "-c", 'echo "{\"step\": 1, \"loss\": 0.5, \"extra\": 1}" >> "$PLEACH_METRICS"; test {{ x }} != 2']
metrics = "jsonl"
[space]
x = [1, 2, 3]
text = "a\u001b]0;owned\u0007\u202e\u009b2J\nb"
[run]
slots = 1
retries = 0
"#;

/// A finished sweep in which everything that others can write is evil.
fn stage() -> Stage {
    let stage = Stage::new("noop");
    stage.write("evil.toml", SWEEP);
    stage.run("run evil.toml", 3);
    let folder = stage.path().join("runs/evil");
    let database = rusqlite::Connection::open(folder.join("pleach.db")).unwrap();
    database.execute_batch("DROP TRIGGER attempt_ends_once").unwrap();
    let json = serde_json::to_string(&format!("{EVIL}v")).unwrap();
    let long = format!("{EVIL}{}", "why ".repeat(800_000));
    for (sql, text) in [
        ("UPDATE metric_name SET name = name || ?1 WHERE name <> 'loss'", EVIL),
        ("UPDATE attempt SET detail = ?1 WHERE ending > 2", &long),
        ("UPDATE provenance SET facts = json_insert(facts, '$[#]', json_array(?1, ?1))", EVIL),
        (
            "UPDATE revision SET program = program || ?1, numerics = numerics || ?1, file = file || ?1",
            EVIL,
        ),
        (
            "UPDATE configuration SET parameters = json_set(parameters, '$.\"n' || char(27, 10, 8238) || '\"', json(?1) )",
            &json,
        ),
    ] {
        database.execute(sql, [text]).unwrap();
    }
    // The names of parameters in which trials differ are kept for the board.
    drop(database);
    for attempt in std::fs::read_dir(folder.join("attempts")).unwrap().flatten() {
        let log = format!("one\n{EVIL}\u{1b}[31mred\u{1b}[0m\n50 %\r100 %\nlast {EVIL}");
        std::fs::write(attempt.path().join("log"), log).unwrap();
    }
    stage
}

/// What a command writes to a terminal, with colours.
fn on_a_terminal(stage: &Stage, command: &str) -> String {
    let program = assert_cmd::cargo::cargo_bin("pleach");
    let command = format!("stty cols 150 rows 50; {} {command}", program.display());
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .current_dir(stage.path())
        .env("TERM", "xterm-256color")
        .env("SHELL", "/bin/sh")
        .env("LANG", "C.UTF-8")
        .env_remove("NO_COLOR")
        .env_remove("PLEACH_RUNS")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    // A bar that is drawn again is our own.
    String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n").replace("\r\u{1b}[2K", "\n")
}

#[test]
fn no_command_gives_a_terminal_what_others_wrote() {
    let stage = stage();
    let words = r#""$(printf '\033]0;owned\007\342\200\256')""#;
    for command in [
        "board",
        "board --metrics loss",
        "board --csv",
        "board --json",
        "board --markdown",
        "board --by x",
        "show 1",
        "show 2",
        "explain 2",
        "explain 2 --json",
        "compare 1 2 3",
        "logs 2",
        "list",
        "list --metrics loss",
        "diff evil evil",
        "importance",
        "tree",
        "tree --svg",
        "plan",
        "plan evil.toml",
        "export --as csv",
        "export --as jsonl --table metrics",
        "export --best --json",
        "export --canonical",
        "export --trial best",
        "show --command best",
        "report --output -",
        "retry 2",
        "run --accept",
        "verify 1",
        "doctor",
        &format!("board {words}"),
        &format!("show evil {words}"),
        &format!("board --metrics {words}"),
        &format!("board --where {words}=1"),
        &format!("schedule {words}"),
        &format!("plan {words}.toml"),
        &format!("run evil.toml --set sweep.seeds={words}"),
        &format!("import {words}"),
        words,
    ] {
        let out = on_a_terminal(&stage, command);
        assert!(!out.trim().is_empty(), "{command}");
        assert_eq!(out, safe(&out), "{command}");
        assert!(out.len() < 200_000, "{command}: {} bytes", out.len());
    }
}

#[test]
fn a_screen_shows_what_others_wrote_and_does_not_obey_it() {
    let stage = stage();
    let mut watcher = Watcher::new(&stage, "evil");
    watcher.sees("complete");
    watcher.press("\r\u{1b}\t\t\r");
    watcher.sees("owned");
    watcher.press("\u{1b}q");
    let all = watcher.leaves();
    for order in ["\u{1b}]", "\u{1b}[8m", "\u{202e}", "\u{9b}", "\u{7}"] {
        assert!(!all.contains(order), "{order:?} in {all:?}");
    }
}
