//! The machine under a simulator: workers that crash, lie and fail, and a coordinator that is killed at any point,
//! also when nobody knows whether its last transaction happened.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;

mod cases;
mod devices;
mod forest;
mod lanes;
mod laws;
mod rebuild;
mod waits;

use forest::{beside, bushes, forest, parents};

use super::*;
use crate::{
    class::Tally,
    command::Finish,
    event::{Found, Outcome, Request, Usage},
    key::Key,
    life::{ConfigurationId, Lanes},
    objective::{Goal, Reduce},
};

fn settings(slots: u32) -> Settings {
    Settings {
        objective: Objective { metric: "m".to_owned(), goal: Goal::Max, reduce: Reduce::Last },
        budgets: Budgets::default(),
        slots,
        devices: Vec::new(),
        lanes: u32::MAX,
        timeout: None,
        stall: None,
        limit: None,
        keep: 1000,
        exactness: Exactness::Exact,
    }
}

/// With a device for each slot.
fn apart(slots: u32) -> Settings {
    let devices = (0..slots).map(|slot| slot.to_string()).collect();
    Settings { devices, ..settings(slots) }
}

/// The truth on disk: rows and metrics, changed by facts alone.
#[derive(Clone, Default)]
struct Database {
    rows: Rows,
    metrics: BTreeMap<(StageId, u64), f64>,
    objectives: BTreeMap<TrialId, f64>,
    counted: BTreeMap<StageId, u32>,
    granted: BTreeMap<AttemptId, StageId>,
}

impl Database {
    fn stage(&mut self, id: StageId) -> &mut StageRow {
        self.rows.stages.iter_mut().find(|row| row.stage.id == id).unwrap()
    }

    fn commit(&mut self, facts: &[Fact]) {
        for fact in facts {
            match fact {
                Fact::Granted { attempt, stage, from, purpose, .. } => {
                    assert!(
                        self.granted.insert(*attempt, *stage).is_none(),
                        "an attempt's number is used once"
                    );
                    let row = self.stage(*stage);
                    let (before, after) = match purpose {
                        Purpose::Train => (StageStatus::Waiting, StageStatus::Running(*attempt)),
                        Purpose::Rebuild => (StageStatus::Done, StageStatus::Rebuilding(*attempt)),
                    };
                    assert_eq!(row.stage.status, before);
                    row.stage.status = after;
                    self.rows.next_attempt = AttemptId(attempt.0 + 1);
                    if *purpose == Purpose::Train {
                        self.metrics.retain(|(other, step), _| other != stage || step <= from);
                    }
                }
                Fact::Ended { attempt, ending, .. } => {
                    let row = self.stage(self.granted[attempt]);
                    if let StageStatus::Rebuilding(_) = row.stage.status {
                        row.stage.status = StageStatus::Done;
                    }
                    if let Charge::Class(class) = ending.charge() {
                        let (times, is_training) =
                            (row.stage.tally.count(class), !row.stage.status.is_terminal());
                        let most = Budgets::default().of(class) + 1;
                        assert!(!is_training || times <= most, "budgets hold, whoever counts");
                    }
                    if matches!(ending, Ending::Done | Ending::Diverged) {
                        *self.counted.entry(self.granted[attempt]).or_default() += 1;
                    }
                }
                Fact::Stage { stage, status, digest, evaluated } => {
                    let row = self.stage(*stage);
                    assert!(!row.stage.status.is_terminal(), "terminal is terminal");
                    row.stage.status = *status;
                    (row.digest, row.evaluated) = (digest.clone(), evaluated.clone());
                }
                Fact::Trial { trial, status, objective } => {
                    let row = self.rows.trials.iter_mut().find(|row| row.id == *trial).unwrap();
                    assert!(!row.status.is_terminal(), "terminal is terminal");
                    row.status = *status;
                    self.objectives.extend(objective.map(|value| (*trial, value)));
                }
                Fact::Metrics { stage, step, values } => {
                    self.metrics.insert((*stage, *step), values[0].1);
                }
                Fact::Checkpoint { stage, checkpoint } => {
                    let checkpoints = &mut self.stage(*stage).checkpoints;
                    checkpoints.retain(|other| other.step != checkpoint.step);
                    checkpoints.push(checkpoint.clone());
                    checkpoints.sort_by_key(|checkpoint| checkpoint.step);
                }
                Fact::Forgotten { stage, step } => {
                    self.stage(*stage).checkpoints.retain(|other| other.step != *step);
                }
                Fact::Used { .. } | Fact::Halted { .. } | Fact::Note { .. } => {}
            }
        }
        assert!(self.counted.values().all(|&n| n == 1), "counted once");
    }
}

/// What a stage measures at a step, whoever trains it.
fn value(stage: StageId, step: u64) -> f64 {
    f64::from(stage.0) * 100.0 + step as f64
}

fn digest(stage: StageId, step: u64) -> String {
    format!("{} at {step}", stage.0)
}

struct Process {
    ready: bool,
    dismissed: bool,
    queue: VecDeque<(AttemptId, StageId, u64)>,
}

/// What processes leave on disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Checkpoints,
    Results,
}

/// Everything outside the machine.
struct World {
    random: u64,
    now: Moment,
    processes: BTreeMap<WorkerId, Process>,
    events: Vec<Event>,
    /// Stages that are being trained: by one process at most.
    training: BTreeSet<StageId>,
    finish: Option<Finish>,
    /// What stages have in common with those that they run beside, and how many these can be.
    company: BTreeMap<StageId, (Key, u64, usize)>,
    /// Of which stage each is the state.
    files: BTreeMap<(AttemptId, String), StageId>,
    faults: bool,
    keep: Keep,
    /// Files that nobody can read any more.
    damaged: BTreeSet<(AttemptId, String)>,
    /// Attempts that were told to start from such a file.
    astray: BTreeSet<AttemptId>,
    /// What attempts left on disk at their end.
    results: BTreeMap<AttemptId, (StageId, Found)>,
    /// Stages whose loss stops being finite.
    diverge: BTreeSet<StageId>,
}

impl World {
    /// True once in `n` times.
    fn once_in(&mut self, n: u64) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random.is_multiple_of(n)
    }

    /// How a program fails that could at all be run.
    fn class(&mut self) -> Class {
        let class = Class::ALL[self.random as usize / 7 % Class::ALL.len()];
        if class == Class::Configuration { Class::Error } else { class }
    }

    fn perform(&mut self, command: Command, database: &Database) {
        match command {
            Command::Spawn { worker, .. } => {
                let process = Process { ready: false, dismissed: false, queue: VecDeque::new() };
                assert!(self.processes.insert(worker, process).is_none());
            }
            Command::Grant { worker, attempt, stage, from, .. } => {
                let start = from.as_ref().map_or(0, |checkpoint| checkpoint.step);
                let Stage { first, end, parent, .. } =
                    database.rows.stages.iter().find(|row| row.stage.id == stage).unwrap().stage;
                assert!((first..end).contains(&start));
                if let Some(from) = &from {
                    let file = self.files.get(&(from.attempt, from.file.clone()));
                    let owner = *file.expect("its checkpoint is on disk");
                    if self.damaged.contains(&(from.attempt, from.file.clone())) {
                        self.astray.insert(attempt);
                    }
                    assert!(owner == stage || Some(owner) == parent && start == first);
                }
                assert_eq!(
                    database.granted.get(&attempt),
                    Some(&stage),
                    "remembered before acting"
                );
                assert!(self.training.insert(stage), "a stage is trained by one worker at a time");
                let is_for_its_result = database.rows.stages.iter().any(|row| {
                    row.stage.id == stage && row.stage.status == StageStatus::Running(attempt)
                });
                assert!(
                    !is_for_its_result || self.results.values().all(|(other, _)| *other != stage),
                    "what finished is not run again"
                );
                if let Some(process) = self.processes.get_mut(&worker) {
                    process.queue.push_back((attempt, stage, start));
                }
            }
            Command::AskStop { worker, attempt } => {
                let Some(process) = self.processes.get_mut(&worker) else { return };
                let Some(index) = process.queue.iter().position(|(other, ..)| *other == attempt)
                else {
                    return;
                };
                if let Some((attempt, stage, step)) = process.queue.remove(index) {
                    self.training.remove(&stage);
                    let (outcome, digest) = (Outcome::Stopped, String::new());
                    self.events.push(Event::Finished { worker, attempt, step, outcome, digest });
                }
            }
            Command::Dismiss { worker } => {
                if let Some(process) = self.processes.get_mut(&worker) {
                    process.dismissed = true;
                }
            }
            Command::Kill { worker } => self.die(worker, "killed"),
            Command::Remove { attempt, file } => {
                self.files.remove(&(attempt, file));
            }
            Command::Say(_) => {}
            Command::Finish(finish) => self.finish = Some(finish),
        }
    }

    /// Damages one of the files.
    fn damage(&mut self) {
        let number = self.files.len().max(1) as u64;
        let index = (0..number).take_while(|_| !self.once_in(number)).count();
        let file = self.files.keys().nth(index).cloned();
        self.damaged.extend(file);
    }

    fn die(&mut self, worker: WorkerId, how: &str) {
        if let Some(process) = self.processes.remove(&worker) {
            let found = process.queue.front().and_then(|(head, ..)| self.results.get(head));
            let found = found.map(|(_, found)| found.clone());
            for (_, stage, _) in process.queue {
                self.training.remove(&stage);
            }
            self.events.push(Event::WorkerDied { worker, how: how.to_owned(), found });
        }
    }

    /// Leaves a result, and then dies or says so.
    fn finish_durably(&mut self, worker: WorkerId, attempt: AttemptId, stage: StageId, end: u64) {
        let metrics = [end - 5, end];
        let metrics = metrics.map(|step| (step, vec![("m".to_owned(), value(stage, step))]));
        let (outcome, digest) = (Outcome::Done, digest(stage, end));
        let (file, bytes) = (end.to_string(), 300);
        self.files.insert((attempt, file.clone()), stage);
        let found = Found {
            metrics: metrics.into(),
            step: end,
            outcome: outcome.clone(),
            digest: digest.clone(),
            state: Some((file.clone(), bytes)),
            usage: None,
        };
        self.results.insert(attempt, (stage, found));
        if self.faults && self.once_in(4) {
            self.die(worker, "killed by signal 9");
        } else if let Some(process) = self.processes.get_mut(&worker) {
            process.queue.pop_front();
            self.training.remove(&stage);
            let (step, of) = (end, digest.clone());
            self.events.push(Event::Checkpoint { worker, attempt, step, file, digest: of, bytes });
            self.events.push(Event::Finished { worker, attempt, step, outcome, digest });
        }
    }

    /// Lets every process do a little.
    fn run(&mut self, ends: &BTreeMap<StageId, u64>) {
        self.now.0 += 1000;
        let workers: Vec<WorkerId> = self.processes.keys().copied().collect();
        for worker in workers {
            if self.faults && self.once_in(60) {
                self.die(worker, "killed by signal 9");
                continue;
            }
            let nonsense = self.faults && self.once_in(80);
            let fails = self.faults && self.once_in(80);
            let Some(process) = self.processes.get_mut(&worker) else { continue };
            if !process.ready {
                process.ready = true;
                self.events.push(Event::WorkerReady { worker, queue: 2 });
                continue;
            }
            let company = |index: usize| self.company.get(&process.queue.get(index)?.1);
            if let Some(&(.., most)) = company(0) {
                let beside: Vec<usize> =
                    (0..most).filter(|&index| company(index) == company(0)).collect();
                // Any of those that run goes on; whoever is first does not matter.
                process.queue.swap(0, beside[self.random as usize % beside.len()]);
            }
            let Some((attempt, stage, step)) = process.queue.front_mut() else {
                if process.dismissed {
                    self.die(worker, "exit code 0");
                }
                continue;
            };
            let (attempt, stage) = (*attempt, *stage);
            if self.astray.contains(&attempt) {
                let (step, digest, outcome) =
                    (*step, String::new(), Outcome::Unusable("damaged".to_owned()));
                process.queue.pop_front();
                self.training.remove(&stage);
                self.events.push(Event::Finished { worker, attempt, step, outcome, digest });
                continue;
            }
            if nonsense {
                let step = *step + 1000;
                self.events.push(Event::Progress { worker, attempt, step });
                continue;
            }
            if fails {
                let (step, digest) = (*step, String::new());
                process.queue.pop_front();
                self.training.remove(&stage);
                let class = self.class();
                let outcome = Outcome::Failed(class, class.name().to_owned());
                self.events.push(Event::Finished { worker, attempt, step, outcome, digest });
                continue;
            }
            *step += 5;
            let step = *step;
            if self.diverge.contains(&stage) {
                process.queue.pop_front();
                self.training.remove(&stage);
                let (outcome, digest) = (Outcome::Diverged, String::new());
                self.events.push(Event::Finished { worker, attempt, step, outcome, digest });
                continue;
            }
            let values = vec![("m".to_owned(), value(stage, step))];
            self.events.push(Event::Metrics { worker, attempt, step, values });
            if self.keep == Keep::Results {
                if step == ends[&stage] {
                    self.finish_durably(worker, attempt, stage, step);
                }
                continue;
            }
            let file = format!("{step}");
            self.files.insert((attempt, file.clone()), stage);
            self.events.push(Event::Checkpoint {
                worker,
                attempt,
                step,
                file,
                digest: digest(stage, step),
                bytes: 300,
            });
            if step == ends[&stage] {
                let (outcome, digest) = (Outcome::Done, digest(stage, step));
                process.queue.pop_front();
                self.training.remove(&stage);
                self.events.push(Event::Finished { worker, attempt, step, outcome, digest });
            }
        }
    }
}

struct Simulation {
    database: Database,
    world: World,
    sweep: Sweep,
    slots: u32,
    ends: BTreeMap<StageId, u64>,
}

impl Simulation {
    fn new(rows: Rows, slots: u32, random: u64, faults: bool) -> Self {
        let ends = rows.stages.iter().map(|row| (row.stage.id, row.stage.end)).collect();
        let paths = rows.trials.iter().flat_map(|trial| {
            let lanes = rows.lanes.get(&trial.id);
            trial.path.iter().filter_map(move |stage| Some((*stage, lanes?)))
        });
        let first = |id: StageId| rows.stages[id.0 as usize - 1].stage.first;
        let company = paths
            .map(|(stage, lanes)| (stage, (lanes.shape, first(stage), lanes.most as usize)))
            .collect();
        let sweep = Sweep::new(apart(slots), rows.clone());
        let world = World {
            random: random | 1,
            now: Moment(0),
            processes: BTreeMap::new(),
            events: Vec::new(),
            training: BTreeSet::new(),
            finish: None,
            company,
            files: BTreeMap::new(),
            faults,
            keep: Keep::Checkpoints,
            damaged: BTreeSet::new(),
            astray: BTreeSet::new(),
            results: BTreeMap::new(),
            diverge: BTreeSet::new(),
        };
        Self { database: Database { rows, ..Database::default() }, world, sweep, slots, ends }
    }

    /// One turn of the loop; the coordinator may die in it, before or after its commit, or while it acts.
    fn turn(&mut self) {
        self.world.run(&self.ends);
        if self.world.faults && self.world.once_in(30) {
            self.world.damage();
        }
        let events = std::mem::take(&mut self.world.events);
        let decisions = self.sweep.step(&events, self.world.now);
        let dies = self.world.faults && self.world.once_in(25);
        let is_committed = !dies || self.world.once_in(2);
        if is_committed {
            self.database.commit(&decisions.facts);
        }
        let mut commands = decisions.commands;
        if dies {
            commands.truncate(if is_committed { commands.len() / 2 } else { 0 });
        }
        for command in commands {
            self.world.perform(command, &self.database);
        }
        if dies && self.world.finish.is_none() {
            self.world.processes.clear();
            self.world.training.clear();
            self.world.events.clear();
            if self.world.once_in(2) {
                // Someone makes room.
                self.world.files.pop_first();
            }
            self.begin();
        }
    }

    /// A new coordinator, which finds those checkpoints that are still there.
    fn begin(&mut self) {
        let mut rows = self.database.rows.clone();
        for row in &mut rows.stages {
            row.checkpoints.retain(|checkpoint| {
                self.world.files.contains_key(&(checkpoint.attempt, checkpoint.file.clone()))
            });
        }
        let results = self.world.results.iter();
        rows.found = results.map(|(attempt, (_, found))| (*attempt, found.clone())).collect();
        for (&attempt, found) in &mut rows.found {
            found
                .state
                .take_if(|(file, _)| !self.world.files.contains_key(&(attempt, file.clone())));
        }
        self.sweep = Sweep::new(apart(self.slots), rows);
    }

    fn run(&mut self) {
        for _ in 0..100_000 {
            self.turn();
            if self.world.finish.is_some() {
                return;
            }
        }
        panic!("it never ends: {:?}", self.sweep.progress());
    }

    fn status(&self) -> Vec<TrialStatus> {
        self.database.rows.trials.iter().map(|trial| trial.status).collect()
    }
}
