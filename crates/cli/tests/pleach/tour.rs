//! The tour is typed, command for command, and says what really comes out. `UPDATE=1 cargo test -p pleach tour` renews it.

use std::{fmt::Write, fs, path::Path};

use crate::stage::{Stage, built};

/// A part of a page.
enum Part<'a> {
    Text(&'a str),
    /// A file that the reader writes: its name and content.
    File(&'a str, Vec<&'a str>),
    /// What is typed, and what comes out.
    Console(Vec<(&'a str, Vec<&'a str>)>),
}

fn parts(page: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let block =
            |lines: &mut std::str::Lines<'_>| lines.take_while(|line| *line != "```").count();
        let mut inside = lines.clone();
        match line.strip_prefix("```") {
            Some("console") => {
                let length = block(&mut lines);
                let mut typed: Vec<(&str, Vec<&str>)> = Vec::new();
                for line in inside.by_ref().take(length) {
                    match (line.strip_prefix("$ "), typed.last_mut()) {
                        (Some(command), _) => typed.push((command, Vec::new())),
                        (None, Some((_, said))) => said.push(line),
                        (None, None) => panic!("`{line}` comes out of nothing"),
                    }
                }
                parts.push(Part::Console(typed));
            }
            Some(file) if file.contains(' ') => {
                let length = block(&mut lines);
                let (_, name) = file.split_once(' ').unwrap();
                parts.push(Part::File(name, inside.by_ref().take(length).collect()));
            }
            _ => parts.push(Part::Text(line)),
        }
    }
    parts
}

/// Without what differs from run to run: times, how attempts are numbered, the room that columns leave for these, and what a
/// slow machine says on the way.
fn timeless(text: &str) -> String {
    let is_on_the_way = |line: &str| {
        let progress = line.split_once(" trials · ").and_then(|(count, _)| count.split_once('/'));
        let done = progress.map(|(done, all)| (done.rsplit(' ').next().unwrap_or(done), all));
        done.is_some_and(|(done, all)| done != all)
    };
    let is_time = |word: &str| {
        let number = word.trim_end_matches([',', ')']).strip_suffix('s');
        number.is_some_and(|number| number.parse::<f64>().is_ok())
    };
    let mut said = String::new();
    for line in text.lines().filter(|line| !is_on_the_way(line)) {
        let mut before = "";
        for word in line.split_whitespace() {
            let is_other = is_time(word) || before == "attempt";
            said += if is_other { "…" } else { word };
            said += " ";
            before = word;
        }
        said += "\n";
    }
    said
}

#[test]
fn the_tour_says_what_comes_out() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tour.md");
    let written = fs::read_to_string(&page).unwrap();
    let stage = Stage::new("pleach-mnist");
    let programs = built("pleach").parent().unwrap().to_owned();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let run = |command: &str| -> String {
        let output = std::process::Command::new("sh")
            .args(["-c", &format!("{{ {command}\n}} 2>&1")])
            .current_dir(stage.path())
            .env("PATH", &path)
            .env("NO_COLOR", "1")
            .env_remove("PLEACH_DATA")
            .env_remove("PLEACH_RUNS")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    let mut renewed = String::new();
    for part in parts(&written) {
        match part {
            Part::Text(line) => writeln!(renewed, "{line}").unwrap(),
            Part::File(name, lines) => {
                let content = lines.join("\n") + "\n";
                let (_, kind) = name.rsplit_once('.').unwrap();
                writeln!(renewed, "```{kind} {name}\n{content}```").unwrap();
                stage.write(name, &content);
            }
            Part::Console(typed) => {
                writeln!(renewed, "```console").unwrap();
                for (command, said) in typed {
                    let (before, now) = (said.join("\n"), run(command));
                    let same = timeless(&before) == timeless(&now);
                    let said = if same { before } else { now };
                    writeln!(renewed, "$ {command}").unwrap();
                    if !said.is_empty() {
                        writeln!(renewed, "{said}").unwrap();
                    }
                }
                writeln!(renewed, "```").unwrap();
            }
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&page, &renewed).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&page).unwrap(),
        renewed,
        "renew it: UPDATE=1 cargo test -p pleach tour"
    );
}
