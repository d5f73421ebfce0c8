//! Every text that says how a command is used.

use std::process::Command;

const COMMANDS: [&str; 31] = [
    "",
    "init",
    "plan",
    "run",
    "resume",
    "watch",
    "board",
    "importance",
    "list",
    "show",
    "explain",
    "compare",
    "diff",
    "tree",
    "report",
    "logs",
    "stop",
    "pause",
    "retry",
    "extend",
    "verify",
    "rm",
    "schedule",
    "export",
    "import",
    "data",
    "data fetch",
    "doctor",
    "schema",
    "completions",
    "man",
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
    let listed = texts.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.map_while(|line| line.split_whitespace().next());
    let left_out: Vec<_> = listed.filter(|it| *it != "help" && !COMMANDS.contains(it)).collect();
    assert!(left_out.is_empty(), "{left_out:?}");
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

#[test]
fn every_command_has_a_page_in_the_manual() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let man = |arguments: &[&str]| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("pleach"));
        command.arg("man").args(arguments).output().unwrap()
    };
    assert!(man(&["--to", pages.to_str().unwrap()]).status.success());
    for command in COMMANDS {
        let name = format!("pleach {command}").trim().replace(' ', "-");
        let page = std::fs::read_to_string(pages.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{name}");
    }
    let page = String::from_utf8(man(&[]).stdout).unwrap();
    assert!(page.contains("the sweep is being run by somebody else"), "{page}");
    std::fs::write(folder.path().join("file"), "").unwrap();
    let refused = man(&["--to", folder.path().join("file").to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("failed to write pages into"), "{said}");
}
