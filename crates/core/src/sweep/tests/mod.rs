//! The machine under a simulator: workers that crash, lie and fail, and a coordinator that is killed at any point,
//! also when nobody knows whether its last transaction happened.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;

mod cases;
mod database;
mod devices;
mod disasters;
mod forest;
mod lanes;
mod laws;
mod left;
mod rebuild;
mod renew;
mod rungs;
mod useless;
mod waits;
mod world;

use database::Database;
use forest::{beside, bushes, forest, parents};
use world::{Keep, World};

use super::*;
use crate::{
    class::Tally,
    command::Finish,
    event::{Found, Outcome, Renewed, Request, Usage},
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
        stop: Rule { keep: 0.5, least: 2 },
    }
}

/// With a device for each slot.
fn apart(slots: u32) -> Settings {
    let devices = (0..slots).map(|slot| slot.to_string()).collect();
    Settings { devices, ..settings(slots) }
}

/// What a stage measures at a step, whoever trains it.
fn value(stage: StageId, step: u64) -> f64 {
    f64::from(stage.0) * 100.0 + step as f64
}

fn digest(stage: StageId, step: u64) -> String {
    format!("{} at {step}", stage.0)
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
            happened: BTreeMap::new(),
        };
        Self { database: Database { rows, ..Database::default() }, world, sweep, slots, ends }
    }

    /// One turn of the loop; the coordinator may die in it, before or after its commit, or while it acts.
    fn turn(&mut self) {
        self.world.run(&self.ends);
        if self.world.faults && self.world.once_in(30) {
            self.world.damage();
        }
        if self.world.faults && self.world.once_in(50) && self.database.renewals < 10 {
            // Some of them have not ended, some do not exist.
            let trials = (1..8).filter(|_| self.world.once_in(3)).map(TrialId).collect();
            self.world.events.push(Event::Asked(Request::Retry(trials)));
        }
        let events = std::mem::take(&mut self.world.events);
        let decisions = self.sweep.step(&events, self.world.now);
        let dies = self.world.faults && self.world.once_in(25);
        let is_committed = !dies || self.world.once_in(2);
        if is_committed {
            self.database.commit(&decisions.facts);
            for fact in &decisions.facts {
                if let Fact::Ended { ending, .. } = fact {
                    self.world.note(situation(ending));
                }
            }
        }
        let mut commands = decisions.commands;
        if dies {
            commands.truncate(if is_committed { commands.len() / 2 } else { 0 });
        }
        for command in commands {
            match command {
                Command::Renew { trials } => self.renew(&trials),
                command => self.world.perform(command, &self.database),
            }
        }
        if dies && self.world.finish.is_none() {
            self.world.note(if is_committed {
                "the coordinator dies between its commit and its acts"
            } else {
                "the coordinator dies and its commit with it"
            });
            self.world.processes.clear();
            self.world.training.clear();
            self.world.events.clear();
            if self.world.once_in(2) {
                // Someone makes room.
                if self.world.files.pop_first().is_some() {
                    self.world.note("a checkpoint is gone");
                }
            }
            self.begin();
        }
    }

    /// Plans trials again.
    fn renew(&mut self, trials: &[TrialId]) {
        self.world.note("trials run again while others run");
        let renewed = self.database.renew(trials);
        self.ends.extend(renewed.stages.iter().map(|row| (row.stage.id, row.stage.end)));
        self.world.events.push(Event::Renewed(renewed));
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
        let running = |attempt: &AttemptId| {
            rows.stages.iter().any(|row| row.stage.status == StageStatus::Running(*attempt))
        };
        if rows.found.keys().any(running) {
            self.world.note("a coordinator finds a result that nobody told");
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

/// An ending, in words.
fn situation(ending: &Ending) -> &'static str {
    match ending {
        Ending::Done => "ended: done",
        Ending::Diverged => "ended: diverged",
        Ending::Rebuilt => "ended: rebuilt",
        Ending::Interrupted => "ended: interrupted",
        Ending::Unusable(_) => "ended: unusable",
        Ending::Lost => "ended: lost",
        Ending::Failed(class, _) => class.name(),
    }
}
