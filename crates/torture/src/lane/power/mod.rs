//! The power goes: a run is recorded, call by call; from the record disks are made as they could be found after a loss of
//! power at any moment. On each, what had been shown is still there, and the sweep goes on to the undisturbed record.

mod image;
mod record;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::Command,
    thread::sleep,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Result;

use self::{
    image::Disk,
    record::{CALLS, Deed, Op},
};
use super::Plan;
use crate::{
    arena::{Arena, SWEEP, Subject},
    oracle::{golden, is_result},
    random::Random,
    report::Report,
    witness::What,
};

/// Of so many disks one is run to its end, and every one with a planted bug; on all of them it is looked for what had been shown.
const FINISHED: usize = 4;

/// A run, recorded.
struct Recording {
    sweep: String,
    golden: String,
    ops: Vec<Op>,
    /// What somebody was shown, and when.
    shown: Vec<(f64, BTreeSet<String>)>,
    /// Programs whose result was on disk, in a folder that was too, before this operation.
    kept: Vec<(usize, String)>,
}

/// So many disks.
pub fn run(plan: Plan) -> Result<Report> {
    let mut report = Report::default();
    for subject in Subject::BOTH {
        let Some(recording) = record(subject, &mut report)? else { return Ok(report) };
        let wrong = cut(&recording, &recording.ops, plan, plan.amount / 2, &mut report)?;
        report.violations.extend(wrong.into_iter().map(|what| format!("{subject:?}: {what}")));
    }
    report.demand("disks", plan.amount / 2 * 2);
    report.demand("ended trials looked for", 1);
    Ok(report)
}

/// Which syncs a bug leaves out of the record, as if nobody had asked for them.
type Bug = fn(&Deed) -> bool;

const BUGS: [(&str, &str, Bug); 3] = [
    (
        "`synchronous = NORMAL`",
        "lost: ",
        |deed| matches!(deed, Deed::SyncFile { path, .. } if path.to_string_lossy().ends_with("-wal")),
    ),
    ("no folder is ever synced", "lost: ", |deed| matches!(deed, Deed::SyncFolder { .. })),
    (
        "a program's result is not synced",
        "run again although",
        |deed| matches!(deed, Deed::SyncFile { path, .. } if path.ends_with("result.jsonl")),
    ),
];

/// With each bug at most so many disks; the first that is wrong suffices.
pub fn planted(plan: Plan) -> Result<Report> {
    let mut report = Report::default();
    let Some(recording) = record(Subject::Programs, &mut report)? else { return Ok(report) };
    for (name, law, is_left_out) in BUGS {
        let ops: Vec<Op> =
            recording.ops.iter().filter(|op| !is_left_out(&op.what)).cloned().collect();
        anyhow::ensure!(ops.len() < recording.ops.len(), "{name}: nothing is left out");
        let mut wrong = Vec::new();
        for round in 0..plan.amount {
            let plan = Plan { seed: plan.seed + round, ..plan };
            wrong = cut(&recording, &ops, plan, 1, &mut report)?;
            if wrong.iter().any(|what| what.contains(law)) {
                break;
            }
        }
        report.caught(name, law, &wrong);
    }
    Ok(report)
}

/// Nothing if this machine cannot.
fn record(subject: Subject, report: &mut Report) -> Result<Option<Recording>> {
    if !Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success()) {
        report.skipped.push("no power was cut: there is no `strace`".to_owned());
        return Ok(None);
    }
    let sweep = subject.sweep(if subject == Subject::Programs { 6 } else { 2 }, 2)?;
    let golden = golden(&sweep)?;
    let arena = Arena::new(&sweep)?;
    let log = arena.path().join("record").display().to_string();
    let strace =
        ["strace", "-f", "-ttt", "-y", "-xx", "-s", "1048576", "-qq", "-o", &log, "-e", CALLS];
    let mut run = arena.pleach_under(&strace, &["run", "storm.toml"])?.spawn()?;
    let mut shown = Vec::new();
    let status = loop {
        let status = run.try_wait()?;
        let record = arena.canonical()?;
        let ended = record.lines().filter(|line| is_result(line)).map(str::to_owned);
        shown.push((now(), ended.collect()));
        match status {
            Some(status) => break status,
            None => sleep(Duration::from_millis(5)),
        }
    };
    anyhow::ensure!(status.success(), "the recorded run ended with {status}");
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    let folder = arena.path().canonicalize()?;
    let mut ops = record::read(&text, &folder)?;
    // The record itself and the witness are not the disk's.
    ops.retain(|op| !is_outside(&op.what));
    let kept = kept(&arena, &ops)?;
    report.count("operations recorded", ops.len() as u64);
    Ok(Some(Recording { sweep, golden, ops, shown, kept }))
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn is_outside(deed: &Deed) -> bool {
    match deed {
        Deed::Create { path, .. }
        | Deed::MakeFolder { path }
        | Deed::Remove { path }
        | Deed::Rename { from: path, .. } => !path.starts_with("runs"),
        // Writes to a file that was never made are written nowhere.
        _ => false,
    }
}

/// When each program's result, and the way to it, was synced.
fn kept(arena: &Arena, ops: &[Op]) -> Result<Vec<(usize, String)>> {
    let witness = arena.witness()?;
    let attempts = Path::new("runs").join(SWEEP).join("attempts");
    let mut kept = Vec::new();
    // Attempts whose result is synced, and those whose folder is, too; with the folder above, the way to it is.
    let (mut results, mut folders) = (BTreeSet::new(), BTreeSet::new());
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u64>().ok();
    for (index, op) in ops.iter().enumerate() {
        match &op.what {
            Deed::SyncFile { path, .. } if path.ends_with("result.jsonl") => {
                results.extend(path.parent().and_then(number));
            }
            Deed::SyncFolder { path } if *path == attempts => {
                for attempt in std::mem::take(&mut folders) {
                    let line = witness.iter().find(|line| line.attempt == attempt);
                    kept.extend(line.map(|line| (index + 1, line.subject.clone())));
                }
            }
            Deed::SyncFolder { path } => {
                folders.extend(number(path).filter(|attempt| results.remove(attempt)));
            }
            _ => {}
        }
    }
    Ok(kept)
}

/// Cuts the power so many times. `ops` may be fewer than the recording's: then some syncs were left out.
fn cut(
    recording: &Recording,
    ops: &[Op],
    plan: Plan,
    times: u64,
    report: &mut Report,
) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for case in 0..times {
        let mut random = Random::new(plan.seed, case);
        // At any moment, or just when a program's result was synced.
        let result = recording.kept.get(random.below(recording.kept.len().max(1)));
        let whole = match result.filter(|_| random.once_in(2)) {
            Some((after, _)) => *after,
            None => random.below(recording.ops.len() + 1),
        };
        // The same moment, where something was left out.
        let moment = recording.ops.get(whole).map_or(f64::INFINITY, |op| op.at);
        let left_out = recording.ops.len() - ops.len();
        let index = if left_out == 0 {
            whole
        } else {
            ops.iter().position(|op| moment <= op.at).unwrap_or(ops.len())
        };
        let arena = Arena::new(&recording.sweep)?;
        Disk::after(ops.get(..index).unwrap_or_default()).leave(arena.path(), &mut random)?;
        report.count("disks", 1);
        let place = format!("seed {} case {case}, power cut before operation {index}", plan.seed);
        let shown: BTreeSet<&String> = recording
            .shown
            .iter()
            .filter(|(at, _)| *at < moment)
            .flat_map(|(_, lines)| lines)
            .collect();
        let found = match look(&arena, &shown) {
            Ok(found) => found,
            Err(error) => vec![format!("{error:#}")],
        };
        report.count("ended trials looked for", shown.len() as u64);
        wrong.extend(found.into_iter().map(|what| format!("{place}: {what}")));
        if random.once_in(if left_out == 0 { FINISHED } else { 1 }) {
            report.count("disks on which the sweep was run to its end", 1);
            let found = match finish(&arena, recording, whole) {
                Ok(found) => found,
                Err(error) => vec![format!("{error:#}")],
            };
            wrong.extend(found.into_iter().map(|what| format!("{place}: {what}")));
        }
    }
    Ok(wrong)
}

fn look(arena: &Arena, shown: &BTreeSet<&String>) -> Result<Vec<String>> {
    let record = arena.canonical()?;
    let there: BTreeSet<&str> = record.lines().collect();
    let lost = shown.iter().find(|line| !there.contains(line.as_str()));
    Ok(lost.map(|line| format!("lost: this had been shown: {line}")).into_iter().collect())
}

fn finish(arena: &Arena, recording: &Recording, index: usize) -> Result<Vec<String>> {
    arena.finish()?;
    let mut wrong = Vec::new();
    if arena.canonical()? != recording.golden {
        wrong.push("the record at the end is another one".to_owned());
    }
    let kept = recording.kept.iter().filter(|(before, _)| *before <= index);
    let kept: BTreeSet<&String> = kept.map(|(_, subject)| subject).collect();
    let lines = arena.witness()?;
    let again = lines.iter().find(|line| line.what == What::Begins && kept.contains(&line.subject));
    wrong.extend(
        again.map(|line| format!("run again although its result was on disk: {}", line.subject)),
    );
    Ok(wrong)
}
