//! A disk that is full, and one that is read-only: nothing acknowledged is lost, what is there can be read, and when there is
//! room again the sweep goes on. Runs itself in a mount namespace of its own, on a small file system in memory.

mod planted;

use std::{
    env, fs,
    io::Write,
    path::Path,
    process::{Command, Output},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result};

pub use self::planted::planted;
use self::planted::{PLANTED, plant};
use super::Plan;
use crate::{
    arena::{Arena, SWEEP, Subject, end},
    oracle::{Oracle, golden, is_result},
    random::Random,
    report::Report,
};

/// How it calls itself inside.
pub const INSIDE: &str = "__inside";

/// So many rounds.
pub fn run(plan: Plan) -> Result<Report> {
    let mut report = Report::default();
    let Some(said) = within(plan.seed, &plan.amount.to_string(), &mut report)? else {
        return Ok(report);
    };
    for line in said.lines() {
        match line.split_once('\t') {
            Some(("full", _)) => report.count("disks that were full", 1),
            Some(("waited", _)) => report.count("went on when there was room", 1),
            Some(("read-only", _)) => report.count("disks that were read-only", 1),
            _ => report.violations.push(line.to_owned()),
        }
    }
    report.demand("disks that were full", plan.amount);
    report.demand("went on when there was room", 1);
    report.demand("disks that were read-only", 1);
    Ok(report)
}

/// What [`inside`] says; nothing if this machine cannot.
fn within(seed: u64, what: &str, report: &mut Report) -> Result<Option<String>> {
    let mut unshare = Command::new("unshare");
    unshare.args(["-Urm", "--propagation", "private"]).arg(env::current_exe()?);
    let inside = unshare
        .args([INSIDE, &seed.to_string(), what])
        .output()
        .context("there is no `unshare`")?;
    let said = String::from_utf8_lossy(&inside.stdout);
    if inside.status.code() == Some(UNABLE) || inside.status.code().is_none() || said.is_empty() {
        let why = String::from_utf8_lossy(&inside.stderr).trim().to_owned();
        report
            .skipped
            .push(format!("no disk was filled: this machine lets nobody mount one: {why}"));
        return Ok(None);
    }
    Ok(Some(said.into_owned()))
}

/// Exit code when it cannot mount anything.
const UNABLE: i32 = 77;

/// What is run on the disk.
struct Case {
    subject: Subject,
    sweep: String,
    golden: String,
    /// Of the program that runs it: see [`Arena::with_bug`].
    bug: &'static str,
}

impl Case {
    fn new(subject: Subject) -> Result<Self> {
        let sweep = subject.sweep(if subject == Subject::Programs { 24 } else { 6 }, 2)?;
        Ok(Self { subject, golden: golden(&sweep)?, sweep, bug: "" })
    }
}

/// The other side of [`run`] and [`planted`](fn@planted): prints a line for each round, and for whatever is wrong.
pub fn inside(seed: u64, what: &str) -> Result<u8> {
    let folder = tempfile::tempdir()?;
    let disk = folder.path();
    // Temporary folders are made on the small disk from now on.
    if let Err(error) = mount(disk, "size=6m") {
        writeln!(std::io::stderr(), "{error:#}")?;
        return Ok(UNABLE as u8);
    }
    if what == PLANTED {
        plant(disk, seed)?;
        return Ok(0);
    }
    let rounds: u64 = what.parse()?;
    let mut out = std::io::stdout();
    for subject in Subject::BOTH {
        let case = Case::new(subject)?;
        for round in 0..rounds.div_ceil(2) {
            let mut random = Random::new(seed, round);
            let pause = Duration::from_millis(if random.once_in(2) { 1500 } else { 8000 });
            let (wrong, has_waited) = fill(disk, &case, &mut random, pause, None)?;
            writeln!(out, "full\t{round}")?;
            if has_waited {
                writeln!(out, "waited\t{round}")?;
            }
            for what in wrong {
                let what = what.replace('\n', " | ");
                writeln!(out, "seed {seed} round {round} {subject:?}, full: {what}")?;
            }
        }
        for what in read_only(disk, &case)? {
            writeln!(out, "seed {seed} {subject:?}, read-only: {what}")?;
        }
        writeln!(out, "read-only\t0")?;
    }
    Ok(0)
}

fn mount(folder: &Path, options: &str) -> Result<()> {
    let options = format!("{options},mode=0700");
    let status =
        Command::new("mount").args(["-t", "tmpfs", "-o", &options, "none"]).arg(folder).status()?;
    anyhow::ensure!(status.success(), "mount: {status}");
    Ok(())
}

/// An arena whose sweeps live on the small disk.
fn arena(disk: &Path, case: &Case) -> Result<Arena> {
    let arena = Arena::new(&case.sweep)?.with_bug(case.bug);
    let runs = disk.join("runs");
    drop(fs::remove_dir_all(&runs));
    fs::create_dir(&runs)?;
    std::os::unix::fs::symlink(runs, arena.path().join("runs"))?;
    Ok(arena)
}

/// The disk is filled while a sweep runs; room is made again, sometimes soon enough for it to go on by itself. `plant` does to
/// the record what a bug would.
fn fill(
    disk: &Path,
    case: &Case,
    random: &mut Random,
    pause: Duration,
    plant: Option<fn(&Arena) -> Result<()>>,
) -> Result<(Vec<String>, bool)> {
    let arena = arena(disk, case)?;
    let mut oracle = Oracle::new(case.subject, case.golden.clone());
    let mut wrong = Vec::new();
    let coordinator =
        arena.pleach(&["run", "storm.toml"]).stderr(std::process::Stdio::piped()).spawn()?;
    while arena.witness()?.is_empty() {
        sleep(Duration::from_millis(1));
    }
    sleep(Duration::from_micros(random.log_uniform(1000.0, 100_000.0) as u64));
    let ballast = disk.join("ballast");
    fill_up(&ballast)?;
    let is_waiting = !arena.canonical()?.lines().all(is_result);
    wrong.extend(readable(&arena, &mut oracle)?);
    sleep(pause);
    fs::remove_file(&ballast)?;
    let output = end(coordinator)?;
    wrong.extend(spoken(&output));
    let has_waited = is_waiting && output.status.success();
    wrong.extend(oracle.look(&arena)?);
    oracle.note_results(&arena)?;
    if let Some(plant) = plant {
        plant(&arena)?;
        wrong.extend(oracle.look(&arena)?);
    }
    if case.subject == Subject::Programs {
        // A program that cannot write its own metrics has failed by itself.
        drop(arena.output(&mut arena.pleach(&["retry", SWEEP, "--failed"]))?);
    }
    arena.finish()?;
    wrong.extend(oracle.verdict(&arena)?);
    Ok((wrong, has_waited))
}

/// Whoever ends badly says why.
fn spoken(output: &Output) -> Option<String> {
    let said = String::from_utf8_lossy(&output.stderr);
    let is_good =
        output.status.success() || output.status.code().is_some() && said.contains("error");
    (!is_good).then(|| format!("it ended with {} and said: {said}", output.status))
}

/// Takes all room there is.
fn fill_up(ballast: &Path) -> Result<()> {
    let mut file = fs::File::create(ballast)?;
    for size in [1 << 16, 1 << 12, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    Ok(())
}

/// What is there can be read, whatever the disk is like.
fn readable(arena: &Arena, oracle: &mut Oracle) -> Result<Vec<String>> {
    let mut wrong = oracle.look(arena)?;
    for command in [&["board", SWEEP][..], &["list"], &["show", SWEEP, "1"]] {
        let output = arena.output(&mut arena.pleach(command))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            wrong.push(format!("{command:?} ended with {}: {said}", output.status));
        }
    }
    Ok(wrong)
}

fn read_only(disk: &Path, case: &Case) -> Result<Vec<String>> {
    let arena = arena(disk, case)?;
    let mut oracle = Oracle::new(case.subject, case.golden.clone());
    let half = arena.output(&mut arena.pleach(&["run", "storm.toml", "--first", "2"]))?;
    anyhow::ensure!(half.status.success(), "{}", String::from_utf8_lossy(&half.stderr));
    let remount = |how: &str| -> Result<()> {
        let options = format!("remount,{how}");
        let status = Command::new("mount").args(["-o", &options]).arg(disk).status()?;
        anyhow::ensure!(status.success(), "mount: {status}");
        Ok(())
    };
    remount("ro")?;
    let mut wrong = readable(&arena, &mut oracle)?;
    let run = arena.output(&mut arena.pleach(&["run", "storm.toml"]))?;
    if run.status.success() {
        wrong.push("it runs on a disk that cannot be written".to_owned());
    }
    wrong.extend(spoken(&run));
    remount("rw")?;
    arena.finish()?;
    wrong.extend(oracle.verdict(&arena)?);
    Ok(wrong)
}
