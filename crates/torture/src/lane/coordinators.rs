//! Two coordinators: of many that are started at once exactly one runs the sweep, the others say so at once and touch
//! nothing; whoever comes after one that was killed has the lock at once.

use std::{
    process::Child,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::Plan;
use crate::{
    arena::{Arena, PATIENCE, Subject, end, kill},
    oracle::{Oracle, golden},
    random::Random,
    report::Report,
};

/// Started at once.
const CROWD: usize = 8;

/// Exit code of one that finds the sweep being run.
const BUSY: i32 = 75;

/// So many rounds, each a sweep of its own.
pub fn run(plan: Plan) -> Result<Report> {
    let mut report = Report::default();
    let sweep = Subject::Programs.sweep(6, 2)?;
    let golden = golden(&sweep)?;
    for round in 0..plan.amount {
        let mut random = Random::new(plan.seed, round);
        let arena = Arena::new(&sweep)?;
        let mut oracle = Oracle::new(Subject::Programs, golden.clone());
        // Sometimes one runs already and is killed as the crowd arrives.
        if random.once_in(2) {
            let mut first = arena.pleach(&["run", "storm.toml"]).spawn()?;
            sleep(Duration::from_micros(random.log_uniform(3000.0, 60_000.0) as u64));
            kill(&mut first)?;
            report.count("came after one that was killed", 1);
        }
        let crowd: Vec<Child> = (0..CROWD)
            .map(|_| arena.pleach(&["run", "storm.toml"]).spawn())
            .collect::<Result<_, _>>()?;
        let mut wrong = Vec::new();
        for child in crowd {
            match end(child)?.status.code() {
                // It ran the sweep, or came when all was done.
                Some(0) => report.count("had the sweep", 1),
                Some(BUSY) => report.count("were refused", 1),
                other => wrong.push(format!("a coordinator ended with {other:?}")),
            }
        }
        wrong.extend(oracle.verdict(&arena)?);
        let place = format!("seed {} round {round}", plan.seed);
        report.violations.extend(wrong.into_iter().map(|what| format!("{place}: {what}")));
    }
    report.demand("were refused", plan.amount);
    Ok(report)
}

/// The bug: a lock that does not hold, since its file was removed while somebody had it.
pub fn planted(plan: Plan) -> Result<Report> {
    let mut report = Report::default();
    let sweep = Subject::Programs.sweep(12, 2)?;
    let golden = golden(&sweep)?;
    let arena = Arena::new(&sweep)?;
    let mut oracle = Oracle::new(Subject::Programs, golden);
    let mut wrong = Vec::new();
    let mut random = Random::new(plan.seed, 0);
    let mut first = arena.pleach(&["run", "storm.toml"]).spawn()?;
    let start = Instant::now();
    while arena.witness()?.is_empty() && start.elapsed() < PATIENCE {
        sleep(Duration::from_millis(1 + random.below(3) as u64));
    }
    std::fs::remove_file(arena.home().join("lock"))?;
    let second = arena.pleach(&["run", "storm.toml"]).spawn()?;
    let code = end(second)?.status.code();
    if code != Some(BUSY) {
        wrong.push(format!("the second coordinator was not refused: {code:?}"));
    }
    kill(&mut first)?;
    drop(arena.finish());
    wrong.extend(oracle.verdict(&arena)?);
    report.caught("a lock that does not hold", "was not refused", &wrong);
    Ok(report)
}
