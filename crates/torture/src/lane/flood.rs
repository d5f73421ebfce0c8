//! Floods: programs that print without end, in lines without end, in bytes that are no text, and that measure without end. The
//! coordinator stays small, logs stay short, every number arrives, and the neighbours do not notice.

use std::{fs, path::Path, process::Stdio, thread::sleep, time::Duration};

use anyhow::{Context, Result};

use super::Plan;
use crate::{
    arena::{Arena, SWEEP, kill},
    report::Report,
};

/// What the programs do; `SIZE` stands for mebibytes, `TIMES` for a number of evaluations.
const HABITS: [(&str, &str); 6] = [
    ("prints lines", "yes 'a line of text' | head -c SIZEM; MEASURE"),
    ("prints one line", "head -c SIZEM /dev/zero | tr '\\0' x; MEASURE"),
    ("prints no text", "head -c SIZEM /dev/urandom >&2; MEASURE"),
    ("orders the terminal about", "printf '\\033]0;title\\007\\033[2J\\r\\n'; MEASURE"),
    (
        "measures",
        "awk 'BEGIN { for (i = 1; i <= TIMES; i++) printf \"{\\\"step\\\": %d, \\\"value\\\": %d}\\n\", i, i }' > $PLEACH_METRICS",
    ),
    ("does little", "MEASURE"),
];

const MEASURE: &str = "echo '{\"step\": 1, \"value\": 1}' > $PLEACH_METRICS";

/// No attempt's log is longer, in bytes.
const LOG: u64 = (1 << 20) + (1 << 12);

/// The coordinator needs no more memory, in KiB.
const MEMORY: u64 = 128 << 10;

/// So many MiB are printed by each, and a hundred times as many evaluations made.
pub fn run(plan: Plan) -> Result<Report> {
    flood(plan, |_| Ok(()))
}

/// The bugs: a number is lost, and a log is kept as it comes.
pub fn planted(plan: Plan) -> Result<Report> {
    let mut report = Report::default();
    let found = flood(Plan { amount: 2, ..plan }, |arena| {
        let database = rusqlite::Connection::open(arena.database())?;
        database.execute("DELETE FROM metric WHERE step = 7", [])?;
        let log = arena.home().join("attempts/1/log");
        Ok(fs::OpenOptions::new().append(true).open(log)?.set_len(2 * LOG)?)
    })?;
    report.caught("a number is lost", "evaluations were kept", &found.violations);
    report.caught("a log is kept as it comes", "bytes long", &found.violations);
    Ok(report)
}

/// `plant` does to the record what a bug would.
fn flood(plan: Plan, plant: fn(&Arena) -> Result<()>) -> Result<Report> {
    let mut report = Report::default();
    let times = plan.amount * 100;
    let habits: Vec<String> = HABITS
        .iter()
        .map(|(_, habit)| {
            let habit = habit.replace("SIZE", &plan.amount.to_string());
            let habit = habit.replace("TIMES", &times.to_string()).replace("MEASURE", MEASURE);
            // As TOML quotes it.
            format!("'''{habit}'''")
        })
        .collect();
    let arena = Arena::new(&format!(
        "[sweep]\nname = \"{SWEEP}\"\nobjective = {{ metric = \"value\", goal = \"max\" }}\n[command]\nrun = [\"sh\", \"-c\", \"{{{{ habit }}}}\"]\n[space]\nhabit = [{}]\n[run]\nslots = 3\n",
        habits.join(", ")
    ))?;
    let said = arena.path().join("said");
    let mut coordinator = arena
        .pleach(&["run", "storm.toml"])
        .stdout(Stdio::null())
        .stderr(fs::File::create(&said)?)
        .spawn()?;
    let mut memory = 0;
    let start = std::time::Instant::now();
    let status = loop {
        if let Some(status) = coordinator.try_wait()? {
            break status;
        }
        memory = memory.max(peak(coordinator.id()).unwrap_or(0));
        if Duration::from_mins(5) < start.elapsed() {
            kill(&mut coordinator)?;
        }
        sleep(Duration::from_millis(5));
    };
    let said = fs::read(&said)?;
    plant(&arena)?;
    let mut wrong = Vec::new();
    if !status.success() {
        wrong.push(format!("it ended with {status}: {}", String::from_utf8_lossy(&said)));
    }
    if MEMORY < memory {
        wrong.push(format!("the coordinator needed {memory} KiB"));
    }
    let logs = logs(&arena.home().join("attempts"))?;
    if let Some(length) = logs.iter().find(|length| LOG < **length) {
        wrong.push(format!("a log is {length} bytes long"));
    }
    let database = rusqlite::Connection::open(arena.database())?;
    let kept: i64 = database.query_row("SELECT count(*) FROM metric", [], |row| row.get(0))?;
    let made = times as i64 + HABITS.len() as i64 - 1;
    if kept != made {
        wrong.push(format!("{kept} of {made} evaluations were kept"));
    }
    let shown = arena.output(&mut arena.pleach(&["logs", SWEEP, "4"]))?;
    for (what, bytes) in [("the progress", &said), ("a log", &shown.stdout)] {
        if bytes.contains(&0x1b) {
            wrong.push(format!("{what} gives orders to the terminal"));
        }
    }
    report.count("MiB printed", plan.amount * 3);
    report.count("evaluations", kept as u64);
    report.count("KiB at most in the coordinator", memory);
    report.count("bytes at most in a log", logs.into_iter().max().unwrap_or(0));
    report.violations = wrong;
    Ok(report)
}

/// The most memory that a process has ever had, in KiB.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The lengths of all logs.
fn logs(attempts: &Path) -> Result<Vec<u64>> {
    let folders = fs::read_dir(attempts).context("there are no attempts")?.flatten();
    Ok(folders
        .filter_map(|folder| Some(fs::metadata(folder.path().join("log")).ok()?.len()))
        .collect())
}
