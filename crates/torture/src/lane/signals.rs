//! The signal matrix: every signal by which people and systems end programs, once and twice, at any moment, with programs that
//! end when they are asked and with programs that do not.

use std::{
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::Result;
use rustix::process::{Pid, Signal, kill_process};

use super::Plan;
use crate::{
    arena::{Arena, Subject, end, kill},
    oracle::{Oracle, golden},
    random::Random,
    report::Report,
};

/// By which it is stopped.
const SIGNALS: [(&str, Signal); 4] = [
    ("SIGINT", Signal::INT),
    ("SIGTERM", Signal::TERM),
    ("SIGHUP", Signal::HUP),
    ("SIGQUIT", Signal::QUIT),
];

/// Exit code of a sweep that was stopped before its end.
const STOPPED: i32 = 130;

/// Every signal, once and twice, with both subjects; as many rounds of all that.
pub fn run(plan: Plan) -> Result<Report> {
    let mut report = Report::default();
    for subject in Subject::BOTH {
        let sweep = subject.sweep(if subject == Subject::Programs { 16 } else { 4 }, 2)?;
        let golden = golden(&sweep)?;
        for round in 0..plan.amount {
            for (case, (name, signal)) in SIGNALS.iter().enumerate() {
                for times in [1, 2] {
                    let mut random = Random::new(plan.seed, round * 100 + case as u64 * 2 + times);
                    let arena = Arena::new(&sweep)?;
                    let mut oracle = Oracle::new(subject, golden.clone());
                    let mut wrong = Vec::new();
                    let is_late = random.once_in(2);
                    let coordinator = arena.pleach(&["run", "storm.toml"]).spawn()?;
                    // Sometimes once something runs, sometimes at any moment.
                    while is_late && arena.witness()?.is_empty() {
                        sleep(Duration::from_millis(1));
                    }
                    sleep(Duration::from_micros(random.log_uniform(1000.0, 100_000.0) as u64));
                    wrong.extend(stop(
                        &arena,
                        coordinator,
                        (*signal, times),
                        &mut random,
                        &mut report,
                    )?);
                    wrong.extend(oracle.look(&arena)?);
                    oracle.note_results(&arena)?;
                    arena.finish()?;
                    wrong.extend(oracle.verdict(&arena)?);
                    let place = format!("seed {} round {round}, {name} × {times}", plan.seed);
                    report
                        .violations
                        .extend(wrong.into_iter().map(|what| format!("{place}: {what}")));
                }
            }
            freeze(subject, &sweep, &golden, &mut report)?;
        }
    }
    report.demand("stopped before the end", 1);
    Ok(report)
}

/// Sends a signal so many times; says what is wrong with what comes of it.
fn stop(
    arena: &Arena,
    coordinator: Child,
    (signal, times): (Signal, u64),
    random: &mut Random,
    report: &mut Report,
) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for _ in 0..times {
        let _ = kill_process(Pid::from_child(&coordinator), signal);
        sleep(Duration::from_micros(random.below(5000) as u64));
    }
    let (status, took) = until_end(coordinator)?;
    report.count("signals", times);
    // Before it listens it ends by the signal itself, and after its end it has ended.
    let is_good =
        matches!(status.code(), Some(0 | STOPPED)) || status.signal() == Some(signal.as_raw());
    if !is_good {
        wrong.push(format!("it ended with {status}"));
    }
    if Duration::from_secs(10) < took {
        wrong.push(format!("it took {took:?} to end"));
    }
    if status.code() == Some(STOPPED) {
        report.count("stopped before the end", 1);
        let left = arena.processes();
        if !left.is_empty() {
            wrong.push(format!("it left {} processes behind", left.len()));
        }
    }
    Ok(wrong)
}

/// The bug: a process is left behind.
pub fn planted(plan: Plan) -> Result<Report> {
    let mut report = Report::default();
    let mut random = Random::new(plan.seed, 0);
    let arena = Arena::new(&Subject::Programs.sweep(16, 2)?)?;
    let coordinator = arena.pleach(&["run", "storm.toml"]).spawn()?;
    while arena.witness()?.is_empty() {
        sleep(Duration::from_millis(1));
    }
    let (name, value) = arena.mark()?;
    let mut left = Command::new("sleep").arg("60").env(name, value).spawn()?;
    let wrong = stop(&arena, coordinator, (Signal::INT, 1), &mut random, &mut Report::default());
    kill(&mut left)?;
    report.caught("a process is left behind", "processes behind", &wrong?);
    Ok(report)
}

/// Ctrl-Z and `fg`: everything stands still for a while and goes on.
fn freeze(subject: Subject, sweep: &str, golden: &str, report: &mut Report) -> Result<()> {
    let arena = Arena::new(sweep)?;
    let mut oracle = Oracle::new(subject, golden.to_owned());
    let coordinator = arena.pleach(&["run", "storm.toml"]).spawn()?;
    for (signal, pause) in [(Signal::TSTP, 400), (Signal::CONT, 0)] {
        sleep(Duration::from_millis(40));
        let _ = kill_process(Pid::from_child(&coordinator), signal);
        sleep(Duration::from_millis(pause));
    }
    let (status, _) = until_end(coordinator)?;
    report.count("stood still and went on", 1);
    let mut wrong = oracle.verdict(&arena)?;
    if !status.success() {
        wrong.push(format!("it ended with {status}"));
    }
    report.violations.extend(wrong.into_iter().map(|what| format!("SIGTSTP, SIGCONT: {what}")));
    Ok(())
}

fn until_end(child: Child) -> Result<(ExitStatus, Duration)> {
    let start = Instant::now();
    Ok((end(child)?.status, start.elapsed()))
}
