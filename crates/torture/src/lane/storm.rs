//! The kill storm: coordinators, guards and workers are killed with `kill -9` at any moment, and the sweep is run again, until
//! it is complete. Nothing that anybody was shown is lost, nothing is counted twice, no program runs again whose result
//! was on disk, and the record is the undisturbed one's, byte for byte.

use std::{process::Command, thread::sleep, time::Duration};

use anyhow::Result;
use rusqlite::Connection;

use super::Plan;
use crate::{
    arena::{Arena, Subject, kill, kill_all},
    oracle::{Oracle, golden},
    random::Random,
    report::Report,
    subject::program::PROGRAM,
};

/// Values of a sweep's axis, and slots.
const SIZES: [(Subject, usize, usize); 2] = [(Subject::Programs, 12, 4), (Subject::Walkers, 3, 3)];

/// The delay before a kill, in milliseconds.
const DELAY: (f64, f64) = (2.0, 250.0);

/// In one sweep so many workers are killed while their coordinator lives: each costs an attempt, and a stage has only so
/// many of them.
const WORKERS: u64 = 3;

/// Kills so many times.
pub fn run(plan: Plan) -> Result<Report> {
    let mut report = Report::default();
    let mut goldens = Vec::new();
    for (subject, values, slots) in SIZES {
        let sweep = subject.sweep(values, slots)?;
        goldens.push((subject, golden(&sweep)?, sweep));
    }
    let mut case = 0;
    while report.of("kills") < plan.amount {
        let Some((subject, golden, sweep)) = goldens.get(case as usize % goldens.len()) else {
            break;
        };
        let mut storm = Storm {
            arena: Arena::new(sweep)?,
            oracle: Oracle::new(*subject, golden.clone()),
            random: Random::new(plan.seed, case),
            report: &mut report,
            workers: 0,
        };
        let left = plan.amount - storm.report.of("kills");
        let wrong = storm.sweep(left)?;
        let place = format!("seed {} sweep {case}", plan.seed);
        report.violations.extend(wrong.into_iter().map(|what| format!("{place}: {what}")));
        case += 1;
    }
    report.count("sweeps completed", case);
    report.demand("ended trials shown while it ran", 1);
    Ok(report)
}

struct Storm<'a> {
    arena: Arena,
    oracle: Oracle,
    random: Random,
    report: &'a mut Report,
    workers: u64,
}

impl Storm<'_> {
    /// One sweep, killed until it is complete, but not more often than `most`.
    fn sweep(&mut self, most: u64) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        let begin = self.report.of("kills");
        while self.report.of("kills") - begin < most {
            let mut coordinator = self.start()?;
            self.pause();
            if self.random.once_in(4) {
                wrong.extend(self.oracle.look(&self.arena)?);
            }
            if self.workers < WORKERS && self.random.once_in(8) {
                self.kill_a_worker();
                self.pause();
            }
            if coordinator.try_wait()?.is_some_and(|status| status.success()) {
                break;
            }
            if self.random.once_in(3) {
                let mut all = self.arena.processes();
                let middle = self.random.below(all.len().max(1));
                all.rotate_left(middle);
                // Some before the coordinator, some after it.
                let after = all.split_off(all.len() / 2);
                kill_all(all.into_iter().map(|(pid, _)| pid));
                kill(&mut coordinator)?;
                kill_all(after.into_iter().map(|(pid, _)| pid));
                self.report.count("kills of everything", 1);
            } else {
                kill(&mut coordinator)?;
                self.report.count("kills of the coordinator", 1);
            }
            self.report.count("kills", 1);
            self.oracle.note_results(&self.arena)?;
        }
        self.arena.finish()?;
        wrong.extend(self.oracle.verdict(&self.arena)?);
        self.report.count("ended trials shown while it ran", self.oracle.shown());
        self.report
            .count("programs killed after their last line", self.oracle.cut_short(&self.arena)?);
        Ok(wrong)
    }

    /// Sometimes two at once, of which one must give way.
    fn start(&mut self) -> Result<std::process::Child> {
        let run = || self.arena.pleach(&["run", "storm.toml"]);
        let mut first = run().spawn()?;
        if !self.random.once_in(10) {
            return Ok(first);
        }
        self.report.count("started twice at once", 1);
        let mut second = run().spawn()?;
        loop {
            match (first.try_wait()?, second.try_wait()?) {
                // The other one has the lock, or has found all done.
                (Some(_), _) => return Ok(second),
                (_, Some(_)) => return Ok(first),
                (None, None) => sleep(Duration::from_millis(1)),
            }
        }
    }

    fn pause(&mut self) {
        let milliseconds = self.random.log_uniform(DELAY.0, DELAY.1);
        sleep(Duration::from_micros((milliseconds * 1000.0) as u64));
    }

    fn kill_a_worker(&mut self) {
        let all = self.arena.processes();
        if all.is_empty() {
            return;
        }
        if let Some((pid, is_guard)) = all.get(self.random.below(all.len())) {
            kill_all([*pid]);
            self.workers += 1;
            let what = if *is_guard { "kills of a guard" } else { "kills of a worker" };
            self.report.count(what, 1);
            self.report.count("kills", 1);
        }
    }
}

/// What would happen if the programs under torture had a bug, done to a sweep from outside.
pub(super) struct Bug {
    pub(super) name: &'static str,
    /// Words of the law that must notice.
    pub(super) law: &'static str,
    pub(super) when: When,
    pub(super) plant: fn(&Arena) -> Result<()>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    HalfDone,
    Complete,
}

pub(super) const BUGS: [Bug; 6] = [
    Bug {
        name: "a result that was shown is lost",
        law: "lost: ",
        when: When::HalfDone,
        plant: |arena| {
            let sql = "DROP TRIGGER trial_end_stays; DELETE FROM trial_end WHERE trial = 1;
                   DROP TRIGGER stage_end_stays; DELETE FROM stage_end WHERE stage = 1;
                   DELETE FROM metric WHERE stage = 1; DELETE FROM attempt WHERE stage = 1;";
            change(arena, sql)
        },
    },
    Bug {
        name: "a result is counted twice",
        law: "counted twice",
        when: When::HalfDone,
        plant: |arena| {
            let sql = "DROP INDEX attempt_counted; INSERT INTO attempt (id, stage, from_step, started, ending)
                   SELECT 1000000, stage, 0, 0, 1 FROM attempt WHERE ending = 1 LIMIT 1;";
            // Its stage has ended, which another rule forbids.
            change(arena, &format!("DROP TRIGGER stage_that_ended_badly_is_not_run; {sql}"))
        },
    },
    Bug {
        name: "a number is wrong in its last bit",
        law: "not what an undisturbed sweep records",
        when: When::HalfDone,
        plant: |arena| {
            let sql = "UPDATE metric SET value = value * (1 + 3e-16)
                   WHERE (stage, step) = (SELECT stage, step FROM metric WHERE value > 0 LIMIT 1);";
            change(arena, sql)
        },
    },
    Bug {
        name: "a program whose result is on disk runs again",
        law: "run again although",
        when: When::HalfDone,
        plant: |arena| program(arena, "1"),
    },
    Bug {
        name: "a program runs twice at a time",
        law: "two at a time",
        when: When::HalfDone,
        plant: |arena| {
            std::thread::scope(|scope| {
                let two =
                    [scope.spawn(|| program(arena, "7")), scope.spawn(|| program(arena, "7"))];
                two.into_iter().try_for_each(|run| {
                    run.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked")))
                })
            })
        },
    },
    Bug {
        name: "a process is left behind",
        law: "orphans",
        when: When::Complete,
        plant: |arena| {
            let (name, value) = arena.mark()?;
            Command::new("sleep").arg("8").env(name, value).spawn()?;
            Ok(())
        },
    },
];

/// Plants every bug in a sweep of its own.
pub fn planted(_: Plan) -> Result<Report> {
    let mut report = Report::default();
    let sweep = Subject::Programs.sweep(4, 2)?;
    let golden = golden(&sweep)?;
    for Bug { name, law, when, plant } in BUGS {
        let arena = Arena::new(&sweep)?;
        let mut oracle = Oracle::new(Subject::Programs, golden.clone());
        let half = arena.output(&mut arena.pleach(&["run", "storm.toml", "--first", "2"]))?;
        anyhow::ensure!(half.status.success(), "{}", String::from_utf8_lossy(&half.stderr));
        let mut wrong = oracle.look(&arena)?;
        oracle.note_results(&arena)?;
        // Undisturbed, nothing is wrong.
        anyhow::ensure!(wrong.is_empty() && 0 < oracle.shown(), "{wrong:?}");
        if when == When::HalfDone {
            plant(&arena)?;
            wrong.extend(oracle.look(&arena)?);
        }
        // With a bug, it may not even come to its end.
        drop(arena.finish());
        if when == When::Complete {
            plant(&arena)?;
        }
        wrong.extend(oracle.verdict(&arena)?);
        report.caught(name, law, &wrong);
        kill_all(arena.processes().into_iter().map(|(pid, _)| pid));
    }
    Ok(report)
}

pub(super) fn change(arena: &Arena, sql: &str) -> Result<()> {
    Ok(Connection::open(arena.database())?.execute_batch(sql)?)
}

/// Runs the program of a trial as the guard of attempt 1 would.
fn program(arena: &Arena, x: &str) -> Result<()> {
    let status = Command::new(crate::arena::beside("pleach-torture")?)
        .arg(PROGRAM)
        .envs([("PLEACH_SEED", "1"), ("PLEACH_ATTEMPT", "1"), ("PLEACH_PARAMETER_x", x)])
        .env("PLEACH_METRICS", arena.path().join("metrics"))
        .env(crate::witness::WITNESS, arena.witness_file())
        .stdout(std::process::Stdio::null())
        .status()?;
    anyhow::ensure!(status.success(), "the program failed");
    Ok(())
}
