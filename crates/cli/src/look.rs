//! What a screen shows of a sweep, read again and again, never more often than it costs.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::Result;
use pleach_core::life::{AttemptId, TrialId, WorkerId};
use pleach_engine::{
    home::Home,
    live::{self, look},
    run::Stopping,
};
use pleach_store::{OpenAttempt, Reader, Setting, Summary, Time};
use pleach_views::{
    board::Board,
    failures::kinds,
    watch::{Coordinator, Failure, Live, Running, Seen},
};

use crate::{
    command::board::{best, with_made},
    failures::last_lines,
};

/// So many rows of the board are read.
const ROWS: usize = 100;

/// So many of what runs are told.
const RUNNING: usize = 64;

/// So many failures, the newest.
const FAILURES: usize = 1000;

/// Between two looks at the database passes so many times what the last one took.
const REST: u32 = 5;

/// Whoever looks at a sweep, and what it saw last.
pub(crate) struct Looker {
    home: Home,
    reader: Reader,
    past: Past,
    /// Of the database, when the past was read.
    version: i64,
    when: Instant,
    took: Duration,
}

/// What the database tells.
struct Past {
    summary: Summary,
    open: Vec<OpenAttempt>,
    /// For which trial each of them is, and for how many others.
    trials: Vec<Option<(TrialId, u64)>>,
    board: Board,
    failures: Vec<Failure>,
}

impl Looker {
    pub(crate) fn new(home: Home, reader: Reader) -> Result<Self> {
        let (begun, version) = (Instant::now(), reader.version()?);
        let past = read(&home, &reader)?;
        Ok(Self { home, reader, past, version, when: Instant::now(), took: begun.elapsed() })
    }

    pub(crate) fn look(&mut self) -> Result<Seen> {
        let live = look(&self.home);
        let is_nobody = live.is_none() && !self.home.is_running();
        // The last words of whoever ran it count: without them it would seem to have died.
        if is_nobody || REST * self.took <= self.when.elapsed() {
            self.renew()?;
        }
        let running = match &live {
            Some(live) => self.running(live)?,
            None => self.open()?,
        };
        let coordinator = match live {
            Some(live) => Coordinator::Known(said(live)),
            None if is_nobody => Coordinator::Nobody,
            None => Coordinator::Silent,
        };
        Ok(Seen {
            name: self.home.name().to_owned(),
            summary: self.past.summary.clone(),
            coordinator,
            running,
            board: self.past.board.clone(),
            failures: self.past.failures.clone(),
        })
    }

    /// Reads the database again, if it has changed.
    fn renew(&mut self) -> Result<()> {
        let version = self.reader.version()?;
        if version != self.version {
            let begun = Instant::now();
            self.past = read(&self.home, &self.reader)?;
            (self.version, self.when, self.took) = (version, Instant::now(), begun.elapsed());
        }
        Ok(())
    }

    /// What its coordinator says that runs.
    fn running(&self, live: &live::Seen) -> Result<Vec<Running>> {
        let since: BTreeMap<AttemptId, Time> =
            self.past.open.iter().map(|it| (it.attempt, it.started)).collect();
        let running = live.progress.running.iter().take(RUNNING);
        let running = running.map(|it| Running {
            worker: Some(it.worker),
            attempt: it.attempt,
            trial: it.trial,
            others: it.others,
            setting: None,
            first: it.first,
            step: Some(it.step),
            end: it.end,
            since: since.get(&it.attempt).copied(),
            curve: Vec::new(),
        });
        self.completed(running.collect())
    }

    /// What nobody says has ended.
    fn open(&self) -> Result<Vec<Running>> {
        let open = self.past.open.iter().zip(&self.past.trials).filter_map(|(it, trial)| {
            let (trial, others) = (*trial)?;
            Some(Running {
                worker: None::<WorkerId>,
                attempt: it.attempt,
                trial,
                others,
                setting: None,
                first: it.first,
                step: None,
                end: it.end,
                since: Some(it.started),
                curve: Vec::new(),
            })
        });
        self.completed(open.collect())
    }

    /// With parameters and curves.
    fn completed(&self, mut running: Vec<Running>) -> Result<Vec<Running>> {
        let trials: Vec<TrialId> = running.iter().map(|it| it.trial).collect();
        let metric = &self.past.summary.revision.objective.metric;
        let curves = self.reader.curves(&trials, metric)?;
        for (it, curve) in running.iter_mut().zip(curves) {
            it.setting = self.reader.setting(it.trial)?;
            it.curve = curve;
        }
        Ok(running)
    }
}

fn said(live: live::Seen) -> Live {
    Live {
        process: live.process,
        since: Time(live.since),
        remaining: live.remaining.map(|seconds| seconds as f64),
        is_stopping: live.stopping != Stopping::No,
        progress: live.progress,
    }
}

fn read(home: &Home, reader: &Reader) -> Result<Past> {
    let summary = reader.summary()?;
    let objective = &summary.revision.objective;
    let open = reader.open_attempts(RUNNING as u32)?;
    let failed = reader.failures(FAILURES)?;
    let stages = open.iter().map(|it| it.stage).chain(failed.iter().map(|(_, stage, _)| *stage));
    let mut stages: Vec<_> = stages.collect();
    stages.sort_unstable();
    stages.dedup();
    let through = reader.through(&stages)?;
    let trials = open.iter().map(|it| {
        let trials = through.get(&it.stage)?;
        Some((*trials.keys().next()?, trials.len() as u64 - 1))
    });
    let trials = trials.collect();
    let failures = kinds(&failed, &through).into_iter().map(|kind| {
        let example = kind.trials.keys().next();
        let setting = example.map(|trial| reader.setting(*trial)).transpose()?.flatten();
        let last_words = last_lines(home, kind.attempt);
        Ok(Failure { kind, setting: setting as Option<Setting>, last_words })
    });
    let failures = failures.collect::<Result<Vec<_>>>()?;
    let board = with_made(best(reader, objective, ROWS)?, home, reader, &[])?;
    let curves = board.trials().into_iter().map(|trials| reader.curves(&trials, &objective.metric));
    let curves = curves.collect::<Result<Vec<_>, _>>()?;
    Ok(Past { open, trials, board: board.with_curves(&curves), failures, summary })
}
