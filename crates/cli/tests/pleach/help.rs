//! Every text that says how a command is used.

use std::process::Command;

const COMMANDS: [&str; 23] = [
    "",
    "init",
    "plan",
    "run",
    "resume",
    "watch",
    "board",
    "list",
    "show",
    "explain",
    "logs",
    "stop",
    "pause",
    "retry",
    "rm",
    "schedule",
    "export",
    "import",
    "data",
    "data fetch",
    "doctor",
    "schema",
    "completions",
];

#[test]
fn every_command_says_how_it_is_used() {
    let mut texts = String::new();
    for command in COMMANDS {
        let output = Command::new(assert_cmd::cargo::cargo_bin("pleach"))
            .args(command.split_whitespace())
            .arg("--help")
            .env_remove("PLEACH_DATA")
            .env_remove("PLEACH_RUNS")
            .env_remove("PLEACH_WORKER")
            .env("COLUMNS", "100")
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}");
        let text = String::from_utf8(output.stdout).unwrap();
        texts.extend(["$ pleach ", command, " --help\n", &text, "\n"]);
    }
    insta::assert_snapshot!(texts);
}

#[test]
fn completions_are_written_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("pleach"));
        let output = command.args(["completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && script.contains("resume"), "{shell}");
    }
}
