//! Hostile input: values that shells and terminals would obey, sweep files and databases with damage of every kind. Whatever
//! comes: no panic, no hang, an exit code that is documented, and no file outside the sweep's folder.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::Result;

use super::Plan;
use crate::{
    arena::{Arena, SWEEP, Subject, beside},
    random::Random,
    report::Report,
    subject::echo::{ECHO, hex},
};

/// Sweep files that are right, to be damaged.
const FILES: [&str; 4] = [
    include_str!("../../../../sweeps/quickstart.toml"),
    include_str!("../../../../sweeps/mnist-schedules.toml"),
    include_str!("../../../../sweeps/program.toml"),
    include_str!("../../../../sweeps/random.toml"),
];

/// What is put into them, and into values.
const WORDS: [&str; 24] = [
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "\\",
    "=",
    "\n",
    "\u{0}",
    "\u{feff}",
    "\u{202e}",
    "é",
    "nan",
    "1e999",
    "-1",
    "9223372036854775807",
    "[[[[[[[[[[",
    "{{ x }}",
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned",
    "../../pwned",
    "\u{1b}[2J",
];

/// Exit codes that the help names.
const CODES: [i32; 9] = [0, 1, 2, 3, 65, 66, 69, 75, 130];

/// So many sweep files and values, and a tenth of so many databases.
pub fn run(plan: Plan) -> Result<Report> {
    let mut report = Report::default();
    for deed in [values, files, damage, names] {
        deed(plan, "", &mut report)?;
    }
    Ok(report)
}

/// A part of the lane, with a bug of the program: see [`Arena::with_bug`].
type Deed = fn(Plan, &str, &mut Report) -> Result<()>;

/// Each with words of the law that must notice.
const BUGS: [(&str, &str, Deed, &str); 9] = [
    (
        "a value is trimmed",
        "did not arrive as it is",
        values,
        "run) \"$0\" \"$@\"; sed -i 's/ \\(20\\)\\+/ /g' witness; exit 0 ;;",
    ),
    ("a value is obeyed", "should have made: \"pwned\"", values, "run) touch pwned ;;"),
    ("a panic", "it panicked", files, "plan) echo \"thread 'main' panicked\" >&2; exit 101 ;;"),
    ("a stack overflow", "ended with signal", files, "plan) kill -KILL $$ ;;"),
    ("an exit code of its own", "ended with exit status: 4", files, "plan) echo no >&2; exit 4 ;;"),
    ("no reason", "said nothing", files, "plan) exit 65 ;;"),
    (
        "control characters in a message",
        "gives orders to the terminal",
        files,
        "plan) printf '\\033[2J' >&2; exit 65 ;;",
    ),
    ("a panic over a database", "it panicked", damage, "show) echo panicked >&2; exit 101 ;;"),
    (
        "a name that leads elsewhere",
        "should have made: \"elsewhere\"",
        names,
        "run) mkdir -p runs/elsewhere ;;",
    ),
];

/// Little of the lane's part for each bug: they are not hidden.
pub fn planted(plan: Plan) -> Result<Report> {
    let mut report = Report::default();
    for (name, law, deed, bug) in BUGS {
        let mut found = Report::default();
        deed(Plan { amount: 10, ..plan }, bug, &mut found)?;
        report.caught(name, law, &found.violations);
    }
    Ok(report)
}

/// A text of some of the words, letters and numbers.
fn text(random: &mut Random) -> String {
    let parts = (0..=random.below(6)).map(|_| match random.below(3) {
        0 => WORDS.get(random.below(WORDS.len())).copied().unwrap_or_default().to_owned(),
        1 => format!("{:x}", random.bits()),
        _ => char::from_u32(random.below(0x3000) as u32).map(String::from).unwrap_or_default(),
    });
    parts.collect()
}

/// Every value arrives as it is, as one argument, whatever is in it; and nothing in it is ever obeyed.
fn values(plan: Plan, bug: &str, report: &mut Report) -> Result<()> {
    let mut random = Random::new(plan.seed, 1);
    let mut values: BTreeSet<String> = (0..plan.amount).map(|_| text(&mut random)).collect();
    // No program can be told of these.
    values.retain(|value| !value.contains('\0'));
    values.insert("-rf".to_owned());
    values.insert(" ".repeat(70_000));
    // JSON's quotation is TOML's, for texts.
    let axis: Vec<String> = values.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    let axis = axis.join(", ").replace('\u{7f}', "\\u007f");
    let program = beside("pleach-torture")?;
    let arena = Arena::new(&format!(
        "[sweep]\nname = \"{SWEEP}\"\nobjective = {{ metric = \"value\", goal = \"max\" }}\n[command]\nrun = [\"{}\", {ECHO:?}, \"{{{{ x }}}}\", \"--x={{{{ x }}}}\"]\n[space]\nx = [{axis}]\n",
        program.display()
    ))?
    .with_bug(bug);
    arena.finish()?;
    let told: BTreeSet<String> =
        fs::read_to_string(arena.witness_file())?.lines().map(str::to_owned).collect();
    let expected: BTreeSet<String> = values
        .iter()
        .map(|value| {
            let plain = hex(value.as_bytes());
            format!("{plain} {}{plain} {plain} {plain}", hex(b"--x="))
        })
        .collect();
    if let Some(other) = told.symmetric_difference(&expected).next() {
        report
            .violations
            .push(format!("seed {}: a value did not arrive as it is: {other}", plan.seed));
    }
    report.count("values told in four ways", told.len() as u64);
    strangers(&arena, &[SWEEP], report);
    Ok(())
}

/// Sweep files with damage: `plan` explains itself.
fn files(plan: Plan, bug: &str, report: &mut Report) -> Result<()> {
    let arena = Arena::new("")?.with_bug(bug);
    for case in 0..plan.amount {
        let mut random = Random::new(plan.seed, 1000 + case);
        let mut file: Vec<char> =
            FILES.get(random.below(FILES.len())).copied().unwrap_or_default().chars().collect();
        for _ in 0..=random.below(3) {
            let at = random.below(file.len() + 1);
            let end = (at + random.below(12)).min(file.len());
            let new = if random.once_in(3) { String::new() } else { text(&mut random) };
            file.splice(at..end, new.chars());
        }
        fs::write(arena.path().join("hostile.toml"), file.iter().collect::<String>())?;
        let place = format!("seed {} file {case}", plan.seed);
        judge(&arena, &["plan", "hostile.toml"], &place, report);
        report.count("damaged sweep files", 1);
    }
    strangers(&arena, &[], report);
    Ok(())
}

/// Runs a command that may fail, but not anyhow.
fn judge(arena: &Arena, arguments: &[&str], place: &str, report: &mut Report) {
    let wrong = match arena.output(&mut arena.pleach(arguments)) {
        Err(error) => Some(format!("{error:#}")),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let code = output.status.code();
            if !code.is_some_and(|code| CODES.contains(&code)) {
                Some(format!("{arguments:?} ended with {}: {said}", output.status))
            } else if code != Some(0) && said.is_empty() {
                Some(format!("{arguments:?} ended with {code:?} and said nothing"))
            } else if said.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
                Some(format!("{arguments:?} gives orders to the terminal: {said:?}"))
            } else {
                None
            }
        }
    };
    report.violations.extend(wrong.map(|what| format!("{place}: {what}")));
}

/// A sweep's files with damage: whoever reads them explains himself.
fn damage(plan: Plan, bug: &str, report: &mut Report) -> Result<()> {
    let arena = Arena::new(&Subject::Walkers.sweep(1, 2)?)?.with_bug(bug);
    arena.finish()?;
    let whole = arena.path().join("whole");
    fs::rename(arena.home(), &whole)?;
    for case in 0..plan.amount / 10 {
        let mut random = Random::new(plan.seed, 1_000_000 + case);
        drop(fs::remove_dir_all(arena.home()));
        copy(&whole, &arena.home())?;
        let names = ["pleach.db", "pleach.db", "pleach.db-wal", "sweep.toml", "lock"];
        let name = names.get(random.below(names.len())).copied().unwrap_or_default();
        let path = arena.home().join(name);
        let mut bytes = fs::read(&path).unwrap_or_default();
        match random.below(4) {
            0 => bytes.truncate(random.below(bytes.len() + 1)),
            1 => bytes = text(&mut random).into_bytes(),
            _ => {
                for _ in 0..=random.below(8) {
                    let at = random.below(bytes.len().max(1));
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = random.bits() as u8;
                    }
                }
            }
        }
        fs::write(path, bytes)?;
        fs::create_dir_all(arena.home().join("inbox"))?;
        fs::write(arena.home().join("inbox").join("stop-99999999999"), "")?;
        let place = format!("seed {} damage {case}, {name}", plan.seed);
        for command in [
            &["board", SWEEP][..],
            &["list"],
            &["show", SWEEP, "1"],
            &["export", SWEEP, "--canonical"],
            &["tree", SWEEP],
            &["report", SWEEP],
            &["resume", SWEEP],
        ] {
            judge(&arena, command, &place, report);
        }
        report.count("damaged sweeps", 1);
    }
    strangers(&arena, &[SWEEP], report);
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)?.flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Names that lead elsewhere, wherever a person may name a sweep.
fn names(_: Plan, bug: &str, report: &mut Report) -> Result<()> {
    let long = "x".repeat(65);
    let evil =
        ["../pwned", "/tmp/pwned", "..", ".", "", "a/b", "A", "-rf", "a b", "é", "con.", &long];
    for name in evil {
        let quoted = serde_json::to_string(name)?;
        let sweep = Subject::Programs.sweep(1, 1)?.replace(&format!("{SWEEP:?}"), &quoted);
        let arena = Arena::new(&sweep)?.with_bug(bug);
        for command in [&["run", "storm.toml"][..], &["board", name], &["rm", "--yes", name]] {
            judge(&arena, command, &format!("the name {name:?}"), report);
        }
        strangers(&arena, &[], report);
        report.count("evil names", 1);
    }
    Ok(())
}

/// Files that nobody should have made.
fn strangers(arena: &Arena, sweeps: &[&str], report: &mut Report) {
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let known = ["storm.toml", "hostile.toml", "runs", "witness", "witness.locks", "whole"];
    let beside = names(arena.path()).into_iter().filter(|name| !known.contains(&name.as_str()));
    let runs = names(&arena.path().join("runs"));
    let runs = runs.into_iter().filter(|name| !sweeps.contains(&name.as_str()));
    let parent = arena.path().parent().map(|parent| parent.join("pwned"));
    let parent = parent.filter(|path| path.exists()).map(|path| path.display().to_string());
    for name in beside.chain(runs).chain(parent) {
        report.violations.push(format!("a file that nobody should have made: {name:?}"));
    }
}
