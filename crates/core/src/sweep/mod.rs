//! A running sweep: what happened goes in, what to remember and what to do comes out. One function, [`Sweep::step`],
//! decides everything; it is built from the rows of the database and from nothing else, so a fresh sweep and a resumed
//! one are the same thing.
//!
//! `happen` takes events in, `place` decides who runs what, `keep` which checkpoints stay.

mod happen;
mod keep;
mod place;
mod progress;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::{
    command::{Again, Command, Message},
    event::{Event, Moment},
    fact::{Checkpoint, Fact},
    life::{
        AttemptId, Budgets, Ending, Place, Stage, StageChange, StageId, StageStatus, Trial,
        TrialId, TrialStatus, WorkerId,
    },
    objective::{Evaluated, Objective},
};

pub use progress::{Progress, Running};

/// What a person set for a run. Times in microseconds.
#[derive(Clone, Debug)]
pub struct Settings {
    pub objective: Objective,
    pub budgets: Budgets,
    /// Workers at a time; at least 1.
    pub slots: u32,
    /// Of a trial, over all its stages.
    pub timeout: Option<u64>,
    /// How long a worker may say nothing of what it runs.
    pub stall: Option<u64>,
    /// When the run is to end.
    pub limit: Option<Moment>,
    /// Bytes of checkpoints at the ends of stages that are kept.
    pub keep: u64,
}

/// The rows that a sweep starts from.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    pub trials: Vec<Trial>,
    pub stages: Vec<StageRow>,
    pub next_attempt: AttemptId,
}

/// A stage, and what is remembered with it.
#[derive(Clone, Debug)]
pub struct StageRow {
    pub stage: Stage,
    /// Reduced evaluations at its end.
    pub evaluated: Evaluated,
    /// Of its end; empty before.
    pub digest: String,
    /// By step.
    pub checkpoints: Vec<Checkpoint>,
}

/// What [`Sweep::step`] decides: remember first, all together, then do.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Decisions {
    pub facts: Vec<Fact>,
    pub commands: Vec<Command>,
}

#[derive(Debug)]
pub struct Sweep {
    settings: Settings,
    trials: BTreeMap<TrialId, Trial>,
    stages: BTreeMap<StageId, Node>,
    workers: BTreeMap<WorkerId, Worker>,
    /// Stages that may be placed.
    ready: BTreeSet<StageId>,
    /// Stages whose worker died: they run again alone, when nothing else waits.
    apart: BTreeSet<StageId>,
    kept: keep::Kept,
    mode: Mode,
    next_attempt: AttemptId,
    next_worker: WorkerId,
    /// Workers that ended without having run anything, since one last did.
    fruitless: u32,
    /// Why the last of these ended.
    last_words: String,
    counts: progress::Counts,
    /// What was found at the start and is not yet said.
    recovery: Decisions,
}

/// A stage in the tree.
#[derive(Debug)]
struct Node {
    row: StageRow,
    children: Vec<StageId>,
    /// Trials whose path holds it.
    trials: Vec<TrialId>,
    /// Time that attempts of it have taken in this run.
    spent: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Running,
    Paused,
    /// Everything was asked to stop.
    Stopping,
    /// Everything is being killed.
    Killing,
    Finished,
}

#[derive(Debug)]
struct Worker {
    slot: u32,
    state: WorkerState,
    /// What it was granted, in order; it runs the first.
    queue: VecDeque<Grant>,
    /// Time with something to do, and how much of that it did: both halved now and then.
    busy: u64,
    finished: u64,
    /// Since when `busy` is counted.
    busy_since: Moment,
}

#[derive(Debug, PartialEq)]
enum WorkerState {
    Starting,
    /// It can hold so many stages beyond the one that it runs.
    Ready(u32),
    /// Its input was closed: it ends by itself.
    Dismissed,
    /// Killed; what it was running ends so.
    Killed(Ending),
}

#[derive(Debug)]
struct Grant {
    attempt: AttemptId,
    stage: StageId,
    from: u64,
    step: u64,
    /// The step of the last evaluation that held the objective.
    judged: Option<u64>,
    evaluated: Evaluated,
    /// When it came to the head of the queue.
    began: Option<Moment>,
    heard: Moment,
    was_asked: Asked,
    silence: Silence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    No,
    Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    Unreported,
    Reported,
}

impl Default for AttemptId {
    fn default() -> Self {
        Self(1)
    }
}

impl Sweep {
    /// A sweep from its rows. Trials refer to stages among them; whatever else a row says, nothing panics.
    pub fn new(settings: Settings, rows: Rows) -> Self {
        let mut sweep = Self {
            kept: keep::Kept::default(),
            settings,
            trials: rows.trials.into_iter().map(|trial| (trial.id, trial)).collect(),
            stages: BTreeMap::new(),
            workers: BTreeMap::new(),
            ready: BTreeSet::new(),
            apart: BTreeSet::new(),
            mode: Mode::Running,
            next_attempt: rows.next_attempt,
            next_worker: WorkerId(1),
            fruitless: 0,
            last_words: String::new(),
            counts: progress::Counts::default(),
            recovery: Decisions::default(),
        };
        for row in rows.stages {
            let node = Node { row, children: Vec::new(), trials: Vec::new(), spent: 0 };
            sweep.stages.insert(node.row.stage.id, node);
        }
        sweep.link();
        sweep.recover();
        sweep
    }

    /// Everything that happened since last time, in its order. Time never runs backwards.
    pub fn step(&mut self, events: &[Event], now: Moment) -> Decisions {
        let mut decisions = std::mem::take(&mut self.recovery);
        if self.mode == Mode::Finished {
            return decisions;
        }
        for event in events {
            self.happened(event, now, &mut decisions);
        }
        self.watch(now, &mut decisions);
        self.place(now, &mut decisions);
        decisions
    }

    /// Where a stage begins and ends.
    pub fn steps(&self, stage: StageId) -> Option<(u64, u64)> {
        self.stages.get(&stage).map(|node| (node.row.stage.first, node.row.stage.end))
    }

    fn link(&mut self) {
        let parents: Vec<(StageId, StageId)> = self
            .stages
            .values()
            .filter_map(|node| Some((node.row.stage.parent?, node.row.stage.id)))
            .collect();
        for (parent, child) in parents {
            if let Some(parent) = self.stages.get_mut(&parent) {
                parent.children.push(child);
            }
        }
        for trial in self.trials.values() {
            for stage in &trial.path {
                if let Some(node) = self.stages.get_mut(stage) {
                    node.trials.push(trial.id);
                }
            }
        }
    }

    /// What was running when the last coordinator ended is lost; what follows from terminal stages is so.
    fn recover(&mut self) {
        let mut decisions = Decisions::default();
        let stages: Vec<StageId> = self.stages.keys().copied().collect();
        for &id in &stages {
            let Some(node) = self.stages.get(&id) else { continue };
            if let StageStatus::Running(attempt) = node.row.stage.status {
                let step = node
                    .row
                    .checkpoints
                    .last()
                    .map_or(node.row.stage.first, |checkpoint| checkpoint.step);
                self.end(id, attempt, &Ending::Lost, step, "", &mut decisions);
            }
        }
        for id in stages {
            self.settle(id, &mut decisions);
            self.note_ready(id);
            if let Some(node) = self.stages.get(&id) {
                let is_ended = node.row.stage.status.is_terminal();
                let objective = self.settings.objective.value(&node.row.evaluated);
                for checkpoint in
                    node.row.checkpoints.iter().filter(|_| is_ended && node.children.is_empty())
                {
                    self.kept.insert(id, checkpoint.bytes, objective, self.settings.objective.goal);
                }
            }
        }
        self.counts = self.count();
        self.recovery = decisions;
    }

    /// An attempt has ended: the one place where a stage's status changes after a grant.
    fn end(
        &mut self,
        id: StageId,
        attempt: AttemptId,
        ending: &Ending,
        step: u64,
        digest: &str,
        decisions: &mut Decisions,
    ) {
        let Some(node) = self.stages.get_mut(&id) else { return };
        let stage = &mut node.row.stage;
        if stage.change(&StageChange::Ended(attempt, ending, self.settings.budgets)).is_err() {
            return;
        }
        digest.clone_into(&mut node.row.digest);
        decisions.facts.push(Fact::Ended { attempt, ending: ending.clone(), step });
        decisions.facts.push(Fact::Stage {
            stage: id,
            status: stage.status,
            failures: stage.failures,
            crashes: stage.crashes,
            digest: digest.to_owned(),
            evaluated: node.row.evaluated.clone(),
        });
        let why = match ending {
            Ending::Failed(why) | Ending::Crashed(why) | Ending::Nonsense(why) => Some(why.clone()),
            Ending::TimedOut => Some("it took longer than `timeout` allows".to_owned()),
            Ending::Stalled => Some("it said nothing for longer than `stall` allows".to_owned()),
            Ending::Done | Ending::Diverged | Ending::Interrupted | Ending::Lost => None,
        };
        if let (Some(why), Some(&trial)) = (why, node.trials.first()) {
            let again = if stage.status == StageStatus::Waiting { Again::Yes } else { Again::No };
            decisions.commands.push(Command::Say(Message::AttemptFailed {
                trial,
                attempt,
                why,
                again,
            }));
        }
        if matches!(ending, Ending::Crashed(_) | Ending::Nonsense(_))
            && stage.status == StageStatus::Waiting
        {
            self.apart.insert(id);
        }
        if stage.status.is_terminal() {
            self.counts.stage_ended(stage);
        }
        self.forget_superseded(id, decisions);
    }

    /// Brings the trials through a stage in line with its status, and readies what follows.
    fn settle(&mut self, id: StageId, decisions: &mut Decisions) {
        let Some(node) = self.stages.get(&id) else { return };
        let (status, children) = (node.row.stage.status, node.children.clone());
        if !status.is_terminal() {
            return;
        }
        for trial in node.trials.clone() {
            let Some(trial) = self.trials.get_mut(&trial) else { continue };
            let place = if trial.path.last() == Some(&id) { Place::Last } else { Place::Inside };
            let before = trial.status;
            trial.status = before.after_stage(status, place);
            if trial.status == before {
                continue;
            }
            let objective = match trial.status {
                TrialStatus::Done => self.settings.objective.value(&node.row.evaluated),
                TrialStatus::Diverged => Some(f64::NAN),
                _ => None,
            };
            let (trial, status) = (trial.id, trial.status);
            self.counts.trial_changed(before, status);
            decisions.facts.push(Fact::Trial { trial, status, objective });
            decisions.commands.push(Command::Say(Message::TrialEnded { trial }));
        }
        for child in children {
            self.note_ready(child);
        }
    }

    /// A stage may be placed if some trial still wants it, it waits, and its parent is done.
    fn note_ready(&mut self, id: StageId) {
        let Some(node) = self.stages.get(&id) else { return };
        let stage = &node.row.stage;
        let is_done = |id: &StageId| {
            self.stages.get(id).is_some_and(|node| node.row.stage.status == StageStatus::Done)
        };
        let is_ready = stage.status == StageStatus::Waiting
            && self.is_wanted(node)
            && stage.parent.iter().all(is_done);
        if !is_ready {
            self.ready.remove(&id);
            self.apart.remove(&id);
        } else if !self.apart.contains(&id) {
            self.ready.insert(id);
        }
    }

    fn is_wanted(&self, node: &Node) -> bool {
        node.trials
            .iter()
            .any(|trial| self.trials.get(trial).is_some_and(|trial| !trial.status.is_terminal()))
    }
}

#[cfg(test)]
mod tests;
