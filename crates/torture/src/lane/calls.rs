//! Every system call: the coordinator, or whoever works for it, is killed at its n-th call of one kind, or that call fails
//! (once, or from then on). `strace` does it, from outside.

use std::{collections::BTreeMap, fs, process::Command};

use anyhow::{Context, Result};

use super::Plan;
use crate::{
    arena::{Arena, SWEEP, Subject},
    oracle::{Oracle, golden},
    random::Random,
    report::Report,
};

/// The calls by which anything becomes durable.
const CALLS: [&str; 9] =
    ["pwrite64", "fdatasync", "fsync", "rename", "unlink", "mkdir", "ftruncate", "openat", "write"];

/// What happens at a call.
#[derive(Debug)]
struct Injury {
    /// As `strace` puts it; `N` stands for the number of the call.
    how: &'static str,
    /// In words.
    what: &'static str,
    /// How much it is worth to be tried: what fails from some moment on takes its time.
    weight: f64,
}

const INJURIES: [Injury; 5] = [
    Injury { how: "signal=SIGKILL:when=N", what: "killed at a call", weight: 6.0 },
    Injury { how: "error=EIO:when=N", what: "calls failed with EIO", weight: 3.0 },
    Injury { how: "error=ENOSPC:when=N", what: "calls failed with ENOSPC", weight: 3.0 },
    Injury { how: "error=EIO:when=N+", what: "calls failed with EIO from then on", weight: 0.5 },
    Injury {
        how: "error=ENOSPC:when=N+",
        what: "calls failed with ENOSPC from then on",
        weight: 0.5,
    },
];

/// Whose calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Coordinators,
    /// Each process's, those of guards and workers too.
    Everybodys,
}

/// One thing to do.
#[derive(Clone, Copy, Debug)]
struct Point {
    subject: Subject,
    whose: Whose,
    call: &'static str,
    injury: &'static Injury,
    n: u64,
}

impl Point {
    /// How much it is worth to be tried: many calls open files and talk, few make anything durable.
    fn weight(self) -> f64 {
        let call = if matches!(self.call, "openat" | "write") { 0.1 } else { 1.0 };
        call * self.injury.weight
    }
}

/// So many points, drawn from all of them; or all of them.
pub fn run(plan: Plan) -> Result<Report> {
    let mut report = Report::default();
    if !Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success()) {
        report.skipped.push("no system call was hurt: there is no `strace`".to_owned());
        return Ok(report);
    }
    let mut goldens = BTreeMap::new();
    let mut points = Vec::new();
    for subject in Subject::BOTH {
        let sweep = sweep(subject)?;
        for whose in [Whose::Coordinators, Whose::Everybodys] {
            points.extend(enumerate(subject, whose, &sweep)?);
        }
        goldens.insert(subject, (golden(&sweep)?, sweep));
    }
    report.count("points there are", points.len() as u64);
    let mut random = Random::new(plan.seed, 0);
    // A sample without replacement, by weight (Efraimidis and Spirakis, 2006).
    let key = |point: &Point| random.unit().powf(1.0 / point.weight());
    let mut keyed: Vec<(f64, Point)> = points.iter().map(key).zip(points.iter().copied()).collect();
    keyed.sort_by(|a, b| b.0.total_cmp(&a.0));
    keyed.truncate(plan.amount as usize);
    let points = keyed.into_iter().map(|(_, point)| point);
    for point in points {
        let (golden, sweep) = goldens.get(&point.subject).context("no sweep")?;
        let wrong = hurt(point, sweep, golden, &mut report)
            .unwrap_or_else(|error| vec![format!("{error:#}")]);
        report.violations.extend(wrong.into_iter().map(|what| format!("{point:?}: {what}")));
    }
    report.demand("points", 1);
    Ok(report)
}

fn sweep(subject: Subject) -> Result<String> {
    subject.sweep(if subject == Subject::Programs { 3 } else { 1 }, 1)
}

/// All points of an undisturbed run.
fn enumerate(subject: Subject, whose: Whose, sweep: &str) -> Result<Vec<Point>> {
    let arena = Arena::new(sweep)?;
    let (trace, log) = (format!("trace={}", CALLS.join(",")), arena.path().join("trace"));
    let log_name = log.display().to_string();
    let mut strace = vec!["strace", "-qq", "-o", &log_name, "-e", &trace];
    if whose == Whose::Everybodys {
        strace.insert(1, "-ff");
    }
    let run = arena.output(&mut arena.pleach_under(&strace, &["run", "storm.toml"])?)?;
    anyhow::ensure!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    // By call, of the process that makes most of them.
    let mut most = BTreeMap::<&str, u64>::new();
    for file in fs::read_dir(arena.path())?.flatten() {
        if !file.file_name().to_string_lossy().starts_with("trace") {
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(file.path())?).into_owned();
        for call in CALLS {
            let start = format!("{call}(");
            let count = text.lines().filter(|line| line.starts_with(&start)).count() as u64;
            let most = most.entry(call).or_default();
            *most = count.max(*most);
        }
    }
    let mut points = Vec::new();
    // What a program opens and writes is its own affair.
    let is_ours = |call: &str| whose == Whose::Coordinators || !matches!(call, "openat" | "write");
    for (call, most) in most.into_iter().filter(|(call, _)| is_ours(call)) {
        for injury in &INJURIES {
            points.extend((1..=most).map(|n| Point { subject, whose, call, injury, n }));
        }
    }
    Ok(points)
}

fn hurt(point: Point, sweep: &str, golden: &str, report: &mut Report) -> Result<Vec<String>> {
    let Point { subject, whose, call, injury, n } = point;
    let arena = Arena::new(sweep)?;
    let mut oracle = Oracle::new(subject, golden.to_owned());
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:{}", injury.how.replace("when=N", &format!("when={n}")));
    let mut strace = vec!["strace", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    if whose == Whose::Everybodys {
        strace.insert(1, "-f");
    }
    let output = arena.output(&mut arena.pleach_under(&strace, &["run", "storm.toml"])?)?;
    report.count("points", 1);
    report.count(injury.what, 1);
    let mut wrong = oracle.look(&arena)?;
    oracle.note_results(&arena)?;
    if output.status.success() {
        report.count("went on by themselves", 1);
    } else if output.status.code().is_some() && output.stderr.is_empty() {
        wrong.push(format!("it ended with {} and did not say why", output.status));
    }
    // What hurt everybody may have hurt a trial until it failed.
    if whose == Whose::Everybodys {
        drop(arena.output(&mut arena.pleach(&["retry", SWEEP, "--failed"]))?);
    }
    arena.finish()?;
    wrong.extend(oracle.verdict(&arena)?);
    Ok(wrong)
}
