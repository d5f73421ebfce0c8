//! The loop: take everything that has happened; decide; commit; perform.

use std::{
    collections::BTreeMap,
    fs, io,
    path::PathBuf,
    time::{Duration, Instant},
};

use pleach_core::{
    command::{Command, Finish, Message},
    event::{Event, Moment, Request},
    fact::Fact,
    life::{TrialId, WorkerId},
    plan::Planner,
    sweep::{Decisions, Progress, Sweep},
};
use pleach_protocol::message::{Stop, ToWorker};
use pleach_store::{CommitError, DatabaseError, Lost, OpenError, ReadError, Store, Time};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::{sync::mpsc, time::timeout};

mod act;
mod begin;
mod estimate;
mod hear;
mod lost;
mod renew;
mod signals;

use begin::{Device, devices, state};
pub use begin::{cores, waits_for};
pub use lost::rescued;
use signals::listen;

use self::estimate::Estimate;
use crate::{
    home::{Home, HomeError, Lock},
    inbox, leftovers,
    live::Live,
    logs::Logs,
    prepare::Prepared,
    process::{Input, Process},
    provenance::provenance,
};

/// How often time passes when nothing else happens: requests from outside are looked for, progress is shown.
const TICK: Duration = Duration::from_millis(200);

/// So many inputs are taken at once.
const BATCH: usize = 4096;

/// So many failed commits in a row, a second apart, end the run.
const MAX_FAILED_COMMITS: u32 = 5;

/// What a run needs to know.
#[derive(Debug)]
pub struct Job<'a> {
    pub home: &'a Home,
    pub prepared: &'a Prepared,
    /// Instead of the sweep file's.
    pub slots: Option<u32>,
    /// Seconds, instead of the sweep file's.
    pub limit: Option<f64>,
    /// Only so many configurations, the first.
    pub first: Option<usize>,
}

/// Is told what goes on.
pub trait Reporter {
    fn message(&mut self, message: &Message);
    /// Called a few times a second.
    fn progress(&mut self, status: &Status);
}

/// How far a run is.
#[derive(Clone, Debug)]
pub struct Status {
    pub progress: Progress,
    pub elapsed: Duration,
    /// Absent until something can be said.
    pub remaining: Option<Duration>,
    /// The best number of a trial so far.
    pub best: Option<(TrialId, f64)>,
    /// Whether it was asked to stop.
    pub stopping: Stopping,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stopping {
    No,
    /// What runs saves itself.
    Asked,
    /// What runs is killed.
    Killing,
}

#[derive(Debug, Error)]
pub enum RunError {
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] DatabaseError),
    #[error(
        "the sweep cannot go on: {source}. Everything acknowledged so far is kept; when the cause is gone, go on with `pleach resume {name}`"
    )]
    Commit {
        name: String,
        #[source]
        source: CommitError,
    },
    #[error("the sweep cannot go on: {} {lost}; {left}", database.display())]
    Lost { database: PathBuf, lost: Lost, left: String },
    #[error("the sweep asks for the device `{device}`; `{program}` can use {}", known.join(", "))]
    Device { device: String, program: String, known: Vec<String> },
    #[error("the sweep asks for the device `{device}`, which is not there: {there}")]
    Gpu { device: String, there: String },
    #[error("failed to listen for signals")]
    Signals(#[source] io::Error),
}

/// Runs what is not yet done of the accepted revision. `lock` shows that nobody else does.
pub async fn run(
    job: &Job<'_>,
    lock: &Lock,
    reporter: &mut dyn Reporter,
) -> Result<Finish, RunError> {
    let mark = job.home.mark()?;
    leftovers::end(&leftovers::sweep_marks(&mark), leftovers::GRACE);
    job.home.end_abandoned();
    let devices = devices(job)?;
    let (sender, inputs) = mpsc::channel(256);
    listen(&sender)?;
    let start = Instant::now();
    let mut store = Store::open(&job.home.database())?;
    store.note_provenance(&provenance(job.prepared), wall_time())?;
    store.forget_halt()?;
    let (sweep, points, seeds) = state(job, &devices, store.load()?);
    let best = store.best(job.prepared.spec.objective.goal)?;
    let mut run = Run {
        job,
        lock,
        mark,
        devices,
        planner: Planner::new(&job.prepared.spec, &job.prepared.program, &job.prepared.lengths),
        store,
        sweep,
        points,
        seeds,
        workers: BTreeMap::new(),
        sender,
        inputs,
        logs: Logs::default(),
        start,
        events: Vec::new(),
        signals: 0,
        stopping: Stopping::No,
        failed_commits: 0,
        best,
        estimate: Estimate::default(),
    };
    let finish = run.run(reporter).await;
    run.bury().await;
    // What lies there now may be another run's.
    if !matches!(finish, Err(RunError::Lost { .. })) {
        Live::remove(job.home);
        job.home.forget_bases();
    }
    finish
}

/// A worker and what it was given.
struct Handle {
    process: Process,
    /// Whether it has answered the greeting.
    greeted: bool,
    /// The digests of data that it still has to say, by the number of the question.
    asked: BTreeMap<u64, String>,
    /// Attempts that it can hold beside those that it runs.
    queue: u32,
    /// The end of what it wrote to standard error.
    log: Vec<u8>,
}

struct Run<'a> {
    job: &'a Job<'a>,
    lock: &'a Lock,
    mark: String,
    /// One for each slot.
    devices: Vec<Device>,
    planner: Planner<'a>,
    store: Store,
    sweep: Sweep,
    points: BTreeMap<TrialId, u64>,
    seeds: BTreeMap<TrialId, u64>,
    workers: BTreeMap<WorkerId, Handle>,
    sender: mpsc::Sender<Input>,
    inputs: mpsc::Receiver<Input>,
    logs: Logs,
    start: Instant,
    events: Vec<Event>,
    signals: u32,
    stopping: Stopping,
    failed_commits: u32,
    best: Option<(TrialId, f64)>,
    estimate: Estimate,
}

impl Run<'_> {
    async fn run(&mut self, reporter: &mut dyn Reporter) -> Result<Finish, RunError> {
        let mut shown = Instant::now();
        let mut live = Live::new(wall_time());
        live.show(self.job.home, &self.status());
        loop {
            let decisions = self.sweep.step(&std::mem::take(&mut self.events), self.now());
            let finish = self.keep_and_perform(decisions, reporter).await?;
            if finish.is_some() || TICK <= shown.elapsed() {
                shown = Instant::now();
                let status = self.status();
                reporter.progress(&status);
                live.show(self.job.home, &status);
            }
            if let Some(finish) = finish {
                return Ok(finish);
            }
            self.take().await;
        }
    }

    /// The coordinator's own time.
    fn now(&self) -> Moment {
        Moment(self.start.elapsed().as_micros() as u64)
    }

    /// Waits until something happens, and takes everything that has.
    async fn take(&mut self) {
        if let Ok(Some(input)) = timeout(TICK, self.inputs.recv()).await {
            self.input(input);
            for _ in 0..BATCH {
                let Ok(input) = self.inputs.try_recv() else { break };
                self.input(input);
            }
        }
        for request in inbox::take(self.job.home) {
            self.ask(request);
        }
        self.events.push(Event::Tick);
    }

    /// Commits, then acts. A commit whose outcome is unknown drops the state: it is read again from what is there.
    async fn keep_and_perform(
        &mut self,
        decisions: Decisions,
        reporter: &mut dyn Reporter,
    ) -> Result<Option<Finish>, RunError> {
        if !decisions.facts.is_empty()
            && let Err(error) = self.store.commit(&decisions.facts, wall_time())
        {
            self.begin_again(error).await?;
            return Ok(None);
        }
        self.check_place()?;
        if !decisions.facts.is_empty() {
            self.failed_commits = 0;
            self.note_best(&decisions.facts);
        }
        let mut finish = None;
        for command in decisions.commands {
            match command {
                Command::Spawn { worker, slot } => self.spawn(worker, slot),
                Command::Grant { worker, attempt, stage, trial, from, keep } => {
                    self.grant(worker, (attempt, stage, trial), from.as_ref(), keep);
                }
                Command::AskStop { worker, attempt } => {
                    if let Some(handle) = self.workers.get(&worker) {
                        // It is short.
                        let stop = Stop { attempt: u64::from(attempt.0) };
                        let _said = handle.process.say(&ToWorker::Stop(stop));
                    }
                }
                Command::Dismiss { worker } => {
                    if let Some(handle) = self.workers.get_mut(&worker) {
                        handle.process.dismiss();
                    }
                }
                Command::Kill { worker } => {
                    if let Some(handle) = self.workers.get(&worker) {
                        handle.process.kill();
                    }
                }
                Command::Remove { attempt, file } => {
                    let folder = self.job.home.attempt(attempt);
                    // What cannot be removed only takes space; the folder goes when nothing is left in it.
                    drop(fs::remove_file(folder.join(file)).and_then(|()| fs::remove_dir(folder)));
                }
                Command::Renew { trials } => {
                    if let Err(error) = self.renew(trials) {
                        self.begin_again(error).await?;
                        return Ok(None);
                    }
                }
                Command::Say(message) => reporter.message(&message),
                Command::Finish(how) => finish = Some(how),
            }
        }
        Ok(finish)
    }

    fn note_best(&mut self, facts: &[Fact]) {
        let goal = self.job.prepared.spec.objective.goal;
        for fact in facts {
            if let Fact::Trial { trial, objective: Some(value), .. } = fact
                && value.is_finite()
                && self.best.is_none_or(|(_, best)| goal.compare(*value, best).is_lt())
            {
                self.best = Some((*trial, *value));
            }
        }
    }

    async fn begin_again(&mut self, error: CommitError) -> Result<(), RunError> {
        // Workers hold grants that may not be remembered.
        self.bury().await;
        let (store, loaded) = loop {
            self.check_place()?;
            self.failed_commits += 1;
            if MAX_FAILED_COMMITS < self.failed_commits {
                let name = self.job.home.name().to_owned();
                return Err(RunError::Commit { name, source: error });
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            let opened = Store::open(&self.job.home.database()).ok();
            if let Some(read) = opened.and_then(|store| store.load().ok().map(|rows| (store, rows)))
            {
                break read;
            }
        };
        self.store = store;
        let was_paused = self.sweep.progress().is_paused;
        (self.sweep, self.points, self.seeds) = state(self.job, &self.devices, loaded);
        self.events.clear();
        match self.stopping {
            Stopping::No if was_paused => self.events.push(Event::Asked(Request::Pause)),
            Stopping::No => {}
            Stopping::Asked | Stopping::Killing => self.events.push(Event::Asked(Request::Stop)),
        }
        Ok(())
    }

    /// Kills every worker and waits until all are dead.
    async fn bury(&mut self) {
        const PATIENCE: Duration = Duration::from_secs(5);
        for handle in self.workers.values() {
            handle.process.kill();
        }
        let start = Instant::now();
        while !self.workers.is_empty() && start.elapsed() < PATIENCE {
            if let Ok(Some(Input::Died { worker, .. })) = timeout(TICK, self.inputs.recv()).await {
                self.workers.remove(&worker);
            }
        }
        self.workers.clear();
    }

    fn status(&mut self) -> Status {
        let progress = self.sweep.progress();
        let now = Instant::now();
        self.estimate.note(now, progress.steps_left);
        let remaining = progress.share().and_then(|_| self.estimate.remaining(now));
        Status {
            progress,
            elapsed: self.start.elapsed(),
            remaining,
            best: self.best,
            stopping: self.stopping,
        }
    }
}

/// For people, in rows.
pub fn wall_time() -> Time {
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time(since.as_millis() as i64)
}
