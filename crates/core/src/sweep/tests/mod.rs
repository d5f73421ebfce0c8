//! The machine under a simulator: workers that crash, lie and fail, and a coordinator that is killed at any point,
//! also when nobody knows whether its last transaction happened.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;

mod cases;

use super::*;
use crate::{
    command::Finish,
    event::{Outcome, Request},
    key::Key,
    life::ConfigurationId,
    objective::{Goal, Reduce},
};

fn settings(slots: u32) -> Settings {
    Settings {
        objective: Objective { metric: "m".to_owned(), goal: Goal::Max, reduce: Reduce::Last },
        budgets: Budgets { retries: 1, crashes: 3 },
        slots,
        timeout: None,
        stall: None,
        limit: None,
        keep: 1000,
    }
}

/// Trials that share a trunk: stage 1 from 0 to 10, then a leaf of their own to 20; and some of one stage.
fn rows(trunk: u32, single: u32) -> Rows {
    let stage = |id: u32, parent: Option<u32>, first, end| StageRow {
        stage: Stage {
            id: StageId(id),
            key: Key::of(&id.to_string()),
            parent: parent.map(StageId),
            first,
            end,
            status: StageStatus::Waiting,
            failures: 0,
            crashes: 0,
        },
        evaluated: Evaluated::default(),
        digest: String::new(),
        checkpoints: Vec::new(),
    };
    let mut rows = Rows::default();
    let mut path_of = Vec::new();
    if 0 < trunk {
        rows.stages.push(stage(1, None, 0, 10));
    }
    for leaf in 0..trunk {
        rows.stages.push(stage(2 + leaf, Some(1), 10, 20));
        path_of.push(vec![StageId(1), StageId(2 + leaf)]);
    }
    for index in 0..single {
        let id = 2 + trunk + index;
        rows.stages.push(stage(id, None, 0, 20));
        path_of.push(vec![StageId(id)]);
    }
    for (index, path) in path_of.into_iter().enumerate() {
        let id = index as u32 + 1;
        rows.trials.push(Trial {
            id: TrialId(id),
            configuration: ConfigurationId(id),
            seed: 1,
            key: Key::of(&format!("trial {id}")),
            status: TrialStatus::Waiting,
            path,
        });
    }
    rows
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
                Fact::Granted { attempt, stage, from, .. } => {
                    assert!(
                        self.granted.insert(*attempt, *stage).is_none(),
                        "an attempt's number is used once"
                    );
                    let row = self.stage(*stage);
                    assert_eq!(row.stage.status, StageStatus::Waiting);
                    row.stage.status = StageStatus::Running(*attempt);
                    self.rows.next_attempt = AttemptId(attempt.0 + 1);
                    self.metrics.retain(|(other, step), _| other != stage || step <= from);
                }
                Fact::Ended { attempt, ending, .. } => {
                    if matches!(ending, Ending::Done | Ending::Diverged) {
                        *self.counted.entry(self.granted[attempt]).or_default() += 1;
                    }
                }
                Fact::Stage { stage, status, failures, crashes, digest, evaluated } => {
                    let row = self.stage(*stage);
                    assert!(!row.stage.status.is_terminal(), "terminal is terminal");
                    (row.stage.status, row.stage.failures, row.stage.crashes) =
                        (*status, *failures, *crashes);
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
                Fact::Note { .. } => {}
            }
        }
        assert!(self.counted.values().all(|&n| n == 1), "counted once");
    }
}

/// What a stage measures at a step, whoever trains it.
fn value(stage: StageId, step: u64) -> f64 {
    f64::from(stage.0) * 100.0 + step as f64
}

struct Process {
    ready: bool,
    dismissed: bool,
    queue: VecDeque<(AttemptId, StageId, u64)>,
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
    files: BTreeSet<(AttemptId, String)>,
    faults: bool,
}

impl World {
    /// True once in `n` times.
    fn once_in(&mut self, n: u64) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random.is_multiple_of(n)
    }

    fn perform(&mut self, command: Command, database: &Database) {
        match command {
            Command::Spawn { worker, .. } => {
                let process = Process { ready: false, dismissed: false, queue: VecDeque::new() };
                assert!(self.processes.insert(worker, process).is_none());
            }
            Command::Grant { worker, attempt, stage, from, .. } => {
                let start = from.as_ref().map_or(0, |checkpoint| checkpoint.step);
                if let Some(from) = &from {
                    assert!(
                        self.files.contains(&(from.attempt, from.file.clone())),
                        "its checkpoint is on disk"
                    );
                }
                assert_eq!(
                    database.granted.get(&attempt),
                    Some(&stage),
                    "remembered before acting"
                );
                assert!(self.training.insert(stage), "a stage is trained by one worker at a time");
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

    fn die(&mut self, worker: WorkerId, how: &str) {
        if let Some(process) = self.processes.remove(&worker) {
            for (_, stage, _) in process.queue {
                self.training.remove(&stage);
            }
            self.events.push(Event::WorkerDied { worker, how: how.to_owned() });
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
            let Some((attempt, stage, step)) = process.queue.front_mut() else {
                if process.dismissed {
                    self.die(worker, "exit code 0");
                }
                continue;
            };
            let (attempt, stage) = (*attempt, *stage);
            if nonsense {
                let step = *step + 1000;
                self.events.push(Event::Progress { worker, attempt, step });
                continue;
            }
            if fails {
                let (step, digest, outcome) =
                    (*step, String::new(), Outcome::Failed("no".to_owned()));
                process.queue.pop_front();
                self.training.remove(&stage);
                self.events.push(Event::Finished { worker, attempt, step, outcome, digest });
                continue;
            }
            *step += 5;
            let step = *step;
            let values = vec![("m".to_owned(), value(stage, step))];
            self.events.push(Event::Metrics { worker, attempt, step, values });
            let file = format!("{step}");
            self.files.insert((attempt, file.clone()));
            self.events.push(Event::Checkpoint {
                worker,
                attempt,
                step,
                file,
                digest: "d".to_owned(),
                bytes: 300,
            });
            if step == ends[&stage] {
                let (outcome, digest) = (Outcome::Done, format!("of {}", stage.0));
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
        let sweep = Sweep::new(settings(slots), rows.clone());
        let world = World {
            random: random | 1,
            now: Moment(0),
            processes: BTreeMap::new(),
            events: Vec::new(),
            training: BTreeSet::new(),
            finish: None,
            files: BTreeSet::new(),
            faults,
        };
        Self { database: Database { rows, ..Database::default() }, world, sweep, slots, ends }
    }

    /// One turn of the loop; the coordinator may die in it, before or after its commit, or while it acts.
    fn turn(&mut self) {
        self.world.run(&self.ends);
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
            self.sweep = Sweep::new(settings(self.slots), self.database.rows.clone());
        }
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_happens_every_trial_ends_and_what_is_done_is_right(
        random in any::<u64>(), trunk in 0_u32..5, single in 0_u32..5, slots in 1_u32..4,
    ) {
        let mut simulation = Simulation::new(rows(trunk, single), slots, random, true);
        simulation.run();
        prop_assert_eq!(simulation.world.finish.clone(), Some(Finish::Complete));
        let database = &simulation.database;
        for trial in &database.rows.trials {
            prop_assert!(trial.status.is_terminal());
            let leaf = *trial.path.last().unwrap();
            if trial.status == TrialStatus::Done {
                prop_assert_eq!(database.objectives[&trial.id], value(leaf, 20));
                for &stage in &trial.path {
                    let row = database.rows.stages.iter().find(|row| row.stage.id == stage).unwrap();
                    for step in (row.stage.first + 5..=row.stage.end).step_by(5) {
                        prop_assert_eq!(database.metrics.get(&(stage, step)), Some(&value(stage, step)));
                    }
                }
            }
        }
    }

    #[test]
    fn without_faults_each_stage_is_granted_once(trunk in 0_u32..6, single in 0_u32..6, slots in 1_u32..5) {
        let mut simulation = Simulation::new(rows(trunk, single), slots, 1, false);
        simulation.run();
        prop_assert!(simulation.status().iter().all(|status| *status == TrialStatus::Done));
        prop_assert_eq!(simulation.database.granted.len(), simulation.database.rows.stages.len());
    }

    #[test]
    fn no_event_is_too_strange(numbers in prop::collection::vec((0_u8..8, 0_u32..4, 0_u32..6, 0_u64..40), 0..60)) {
        let mut sweep = Sweep::new(settings(2), rows(2, 2));
        let mut database = Database { rows: rows(2, 2), ..Database::default() };
        for (index, (kind, worker, attempt, step)) in numbers.into_iter().enumerate() {
            let (worker, attempt) = (WorkerId(worker), AttemptId(attempt));
            let text = || "../x".to_owned();
            let event = match kind {
                0 => Event::WorkerReady { worker, queue: 3 },
                1 => Event::WorkerDied { worker, how: text() },
                2 => Event::Metrics { worker, attempt, step, values: vec![("m".to_owned(), f64::NAN)] },
                3 => Event::Checkpoint { worker, attempt, step, file: text(), digest: text(), bytes: 1 },
                4 => Event::Finished { worker, attempt, step, outcome: Outcome::Done, digest: text() },
                5 => Event::Asked(Request::StopTrial(TrialId(attempt.0))),
                6 => Event::WorkerTalkedNonsense { worker, what: text() },
                _ => Event::Tick,
            };
            let decisions = sweep.step(&[event], Moment(index as u64));
            database.commit(&decisions.facts);
        }
    }
}

#[test]
fn a_stop_ends_what_runs_and_a_resume_goes_on_from_there() {
    let mut simulation = Simulation::new(rows(3, 3), 2, 1, false);
    (0..4).for_each(|_| simulation.turn());
    simulation.world.events.push(Event::Asked(Request::Stop));
    simulation.run();
    assert_eq!(simulation.world.finish, Some(Finish::Stopped));
    let before = simulation.database.granted.len();
    assert!(simulation.status().contains(&TrialStatus::Waiting));
    simulation.world.finish = None;
    simulation.sweep = Sweep::new(settings(2), simulation.database.rows.clone());
    simulation.run();
    assert_eq!(simulation.world.finish, Some(Finish::Complete));
    assert!(simulation.status().iter().all(|status| *status == TrialStatus::Done));
    assert!(simulation.database.granted.len() <= before + 7, "finished stages are not run again");
}

#[test]
fn checkpoints_at_the_end_are_kept_within_a_budget_the_best_first() {
    // Six of 300 bytes, room for three: those of the highest objective, the latest stages.
    let mut simulation = Simulation::new(rows(0, 6), 1, 1, false);
    simulation.run();
    let kept: Vec<u32> = simulation
        .database
        .rows
        .stages
        .iter()
        .filter(|row| !row.checkpoints.is_empty())
        .map(|row| row.stage.id.0)
        .collect();
    assert_eq!(kept, [5, 6, 7]);
    assert_eq!(simulation.world.files.len(), 3);
}
