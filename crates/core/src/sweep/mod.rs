//! A running sweep: what happened goes in, what to remember and what to do comes out. One function, [`Sweep::step`],
//! decides everything; it is built from the rows of the database and from nothing else, so a fresh sweep and a resumed
//! one are the same thing.
//!
//! `happen` takes events in, `asked` requests and limits, `device` sets broken devices aside, `lanes` says which stages may be side by side, `found` results that nobody reported, `renew` trials that run again, `place` decides who runs what, `tree` which stages can be placed, `keep` which checkpoints
//! stay, `judge` who is stopped at a rung, `wait` what a trial waits for.

mod asked;
mod device;
mod found;
mod happen;
mod judge;
mod keep;
mod lanes;
mod place;
mod progress;
mod renew;
mod repeat;
mod tree;
mod wait;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::{
    class::{Budgets, Class},
    command::{Again, Command, Message},
    event::{Event, Found, Moment},
    fact::{Checkpoint, Fact},
    life::{
        AttemptId, Charge, ConfigurationId, Ending, Lanes, Place, Purpose, Stage, StageChange,
        StageId, StageStatus, Trial, TrialId, TrialStatus, WorkerId,
    },
    objective::{Evaluated, Objective, Reduction},
    stop::{Ladder, Record, Rule},
    warning::Warnings,
};

pub use progress::{Progress, Running};
pub use repeat::alike;
pub use wait::{Wait, wait};

/// So often may the making again of a state fail, or a state be of no use.
const TROUBLES: u32 = 3;

/// What a person set for a run. Times in microseconds.
#[derive(Clone, Debug)]
pub struct Settings {
    pub objective: Objective,
    pub budgets: Budgets,
    /// Workers at a time; at least 1.
    pub slots: u32,
    /// The name of each slot's device, `cpu` if it has none here. Slots of one device may share it.
    pub devices: Vec<String>,
    /// Stages side by side in a worker at most, whatever it says; 1 for none.
    pub lanes: u32,
    /// Of a trial, over all its stages.
    pub timeout: Option<u64>,
    /// How long a worker may say nothing of what it runs.
    pub stall: Option<u64>,
    /// When the run is to end.
    pub limit: Option<Moment>,
    /// Bytes of checkpoints at the ends of stages that are kept.
    pub keep: u64,
    pub exactness: Exactness,
    /// Of no account without rungs.
    pub stop: Rule,
}

impl Settings {
    /// One slot, and no limits.
    #[must_use]
    pub fn new(objective: Objective) -> Self {
        Self {
            objective,
            budgets: Budgets::default(),
            slots: 1,
            devices: Vec::new(),
            lanes: 1,
            timeout: None,
            stall: None,
            limit: None,
            keep: 0,
            exactness: Exactness::Exact,
            stop: Rule::NONE,
        }
    }
}

/// What comes out when a stage is trained again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exactness {
    /// The same state, to the last bit; another one is a fault.
    Exact,
    /// Whatever its program makes of it: another state will do.
    Loose,
}

/// The rows that a sweep starts from.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    pub trials: Vec<Trial>,
    pub stages: Vec<StageRow>,
    /// Of the trials that have company.
    pub lanes: BTreeMap<TrialId, Lanes>,
    pub next_attempt: AttemptId,
    /// Of rungs; empty if nothing is stopped early.
    pub record: Record,
    /// The durable results of attempts that were running when the last coordinator ended.
    pub found: BTreeMap<AttemptId, Found>,
}

/// A stage, and what is remembered with it.
#[derive(Clone, Debug, PartialEq)]
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
    /// The trials of each configuration that is judged.
    configurations: BTreeMap<ConfigurationId, Vec<TrialId>>,
    ladder: Ladder,
    stages: BTreeMap<StageId, Node>,
    workers: BTreeMap<WorkerId, Worker>,
    /// Stages that may be placed, by their turn.
    ready: lanes::Ready,
    /// Stages whose worker died: they run again alone, when nothing else waits.
    apart: BTreeSet<StageId>,
    /// Stages that are not tried again before then.
    later: BTreeMap<StageId, Moment>,
    devices: device::Devices,
    kept: keep::Kept,
    mode: Mode,
    next_attempt: AttemptId,
    next_worker: WorkerId,
    /// Workers that ended without having run anything, since one last did.
    fruitless: u32,
    /// The same for each slot.
    fruitless_in: BTreeMap<u32, u32>,
    /// Why the last of these ended.
    last_words: String,
    repeats: repeat::Repeats,
    counts: progress::Counts,
    /// What was found at the start and is not yet said.
    recovery: Decisions,
    /// Whether trials are being planned again.
    is_renewing: bool,
}

/// A stage in the tree.
#[derive(Debug)]
struct Node {
    row: StageRow,
    children: Vec<StageId>,
    /// Trials whose path holds it.
    trials: Vec<TrialId>,
    /// Those of its trials, which are alike in this.
    lanes: Option<Lanes>,
    /// Steps from its start to the end of the longest trial through it.
    way: u64,
    /// Stages are placed in this order, as far as they are ready.
    turn: u32,
    /// Time that attempts of it have taken in this run.
    spent: u64,
    /// Attempts to train it again that did not end well, and states at its end that were of no use, in this run.
    troubles: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Running,
    Paused,
    /// Everything was asked to stop.
    Stopping,
    /// Everything is being killed.
    Killing,
    /// It makes no sense to begin more; what runs goes on to its end.
    Broken,
    Finished,
}

#[derive(Debug)]
struct Worker {
    slot: u32,
    state: WorkerState,
    /// What it was granted, in order; it runs the first, or the first of them ([`Worker::lanes`]).
    queue: VecDeque<Grant>,
    /// Time with something to do, and how much of that it did: both halved now and then.
    busy: u64,
    finished: u64,
    /// Since when `busy` is counted.
    busy_since: Moment,
    /// Since when it is waited for, while it starts and while it ends.
    waited_since: Option<Moment>,
    silence: Silence,
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
    slot: u32,
    stage: StageId,
    purpose: Purpose,
    from: u64,
    /// With which others it may be side by side, and with how many.
    company: Option<(lanes::Group, usize)>,
    /// The stage whose state it starts from, and the attempt that wrote it.
    origin: Option<(StageId, AttemptId)>,
    step: u64,
    /// The step before which nothing can be measured any more: that of the last evaluation or state.
    measured: u64,
    reduction: Reduction,
    warnings: Warnings,
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

impl Sweep {
    /// A sweep from its rows. Trials refer to stages among them; whatever else a row says, nothing panics.
    pub fn new(settings: Settings, mut rows: Rows) -> Self {
        let found = std::mem::take(&mut rows.found);
        let mut sweep = Self::linked(settings, rows);
        sweep.recover(&found);
        sweep
    }

    /// The rows as they are, as a tree.
    fn linked(settings: Settings, rows: Rows) -> Self {
        let mut configurations: BTreeMap<ConfigurationId, Vec<TrialId>> = BTreeMap::new();
        let is_judged = |it: &&Trial| rows.record.rungs.contains_key(&it.configuration);
        for trial in rows.trials.iter().filter(is_judged) {
            configurations.entry(trial.configuration).or_default().push(trial.id);
        }
        let mut sweep = Self {
            configurations,
            ladder: Ladder::new(rows.record),
            devices: device::Devices::default(),
            kept: keep::Kept::default(),
            settings,
            trials: rows.trials.into_iter().map(|trial| (trial.id, trial)).collect(),
            stages: rows.stages.into_iter().map(|row| (row.stage.id, Node::new(row))).collect(),
            workers: BTreeMap::new(),
            ready: lanes::Ready::default(),
            apart: BTreeSet::new(),
            later: BTreeMap::new(),
            mode: Mode::Running,
            next_attempt: rows.next_attempt,
            next_worker: WorkerId(1),
            fruitless: 0,
            fruitless_in: BTreeMap::new(),
            last_words: String::new(),
            repeats: repeat::Repeats::default(),
            counts: progress::Counts::default(),
            recovery: Decisions::default(),
            is_renewing: false,
        };
        // Their workers have died under another coordinator.
        let is_suspicious = |(_, node): &(_, &Node)| node.row.stage.tally.is_suspicious();
        sweep.apart.extend(sweep.stages.iter().filter(is_suspicious).map(|(id, _)| *id));
        sweep.link(&rows.lanes);
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

    /// Where a stage begins and ends, in steps of its trials.
    pub fn steps(&self, stage: StageId) -> Option<(u64, u64)> {
        self.stages.get(&stage).map(|node| (node.row.stage.first, node.row.stage.end))
    }

    /// The last step that was heard of an attempt.
    fn reached(&self, worker: WorkerId, attempt: AttemptId) -> u64 {
        let grants = self.workers.get(&worker).into_iter().flat_map(|worker| &worker.queue);
        grants.filter(|grant| grant.attempt == attempt).map(|grant| grant.step).max().unwrap_or(0)
    }

    /// What was running when the last coordinator ended is lost, unless it left a result; what follows from terminal stages
    /// is so.
    fn recover(&mut self, found: &BTreeMap<AttemptId, Found>) {
        let mut decisions = Decisions::default();
        let stages: Vec<StageId> = self.stages.keys().copied().collect();
        for &id in &stages {
            let Some(node) = self.stages.get(&id) else { continue };
            if let StageStatus::Running(attempt) | StageStatus::Rebuilding(attempt) =
                node.row.stage.status
            {
                let step = node
                    .row
                    .checkpoints
                    .last()
                    .map_or(node.row.stage.first, |checkpoint| checkpoint.step);
                let found = found.get(&attempt);
                match found.and_then(|it| Some((it, self.found(id, attempt, it, &mut decisions)?)))
                {
                    Some((found, (ending, evaluated))) => {
                        if let Some(node) = self.stages.get_mut(&id)
                            && ending.charge() == Charge::Counted
                        {
                            node.row.evaluated = evaluated;
                        }
                        self.end(id, attempt, &ending, found.step, &found.digest, &mut decisions);
                    }
                    None => self.end(id, attempt, &Ending::Lost, step, "", &mut decisions),
                }
            }
        }
        for &id in &stages {
            self.settle(id, &mut decisions);
        }
        for id in stages {
            self.note_ready(id);
            self.note_kept(id);
        }
        self.judge_all(&mut decisions);
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
        // Otherwise it does not count any more.
        let is_wanted = self.stages.get(&id).is_some_and(|node| self.is_wanted(node));
        let Some(node) = self.stages.get_mut(&id) else { return };
        let stage = &mut node.row.stage;
        let was_done = stage.status == StageStatus::Rebuilding(attempt);
        if stage.change(&StageChange::Ended(attempt, ending, &self.settings.budgets)).is_err() {
            return;
        }
        decisions.facts.push(Fact::Ended { attempt, ending: ending.clone(), step });
        let charge = ending.charge();
        if was_done {
            node.troubles += u32::from(matches!(charge, Charge::Class(_)));
        } else {
            digest.clone_into(&mut node.row.digest);
            decisions.facts.push(Fact::Stage {
                stage: id,
                status: stage.status,
                digest: digest.to_owned(),
                evaluated: node.row.evaluated.clone(),
            });
            if stage.status.is_terminal() && is_wanted {
                self.counts.stage_ended(stage);
            }
        }
        let (status, parent) = (stage.status, stage.parent);
        // Whose state at its end cannot be had.
        let barred = match ending {
            Ending::Unusable(_) => parent,
            _ => was_done.then_some(id),
        };
        let is_hopeless = |id: &StageId| {
            let troubles = self.stages.get(id).map_or(0, |node| node.troubles);
            TROUBLES < troubles
        };
        let barred = barred.filter(is_hopeless);
        let again = match status {
            StageStatus::Waiting | StageStatus::Done if barred.is_none() => Again::Yes,
            _ => Again::No,
        };
        let (class, why) = match ending {
            Ending::Failed(class, why) => (Some(*class), Some(why.clone())),
            Ending::Unusable(why) => {
                let why = format!("the checkpoint that it was to start from cannot be used: {why}");
                (None, Some(why))
            }
            _ => (None, None),
        };
        let trials = self.stages.get(&id).map_or(&[][..], |node| &node.trials);
        if let (Some(why), [trial, others @ ..]) = (why.clone(), trials) {
            decisions.commands.push(Command::Say(Message::AttemptFailed {
                trial: *trial,
                others: others.len(),
                attempt,
                class,
                why,
                again,
            }));
        }
        if class.is_some_and(Class::is_suspicious) && again == Again::Yes {
            self.apart.insert(id);
        }
        if let Some(barred) = barred {
            self.bar(barred, decisions);
        }
        self.forget_superseded(id, decisions);
        if !was_done {
            self.note_repeat(status, class, why.as_deref(), decisions);
        }
    }

    /// Brings the trials through a stage in line with its status, and readies what follows.
    fn settle(&mut self, id: StageId, decisions: &mut Decisions) {
        let Some(node) = self.stages.get(&id) else { return };
        let status = node.row.stage.status;
        if !status.is_terminal() {
            return;
        }
        let trials = node.trials.clone();
        for &trial in &trials {
            self.settle_trial(trial, id, decisions);
        }
        if status != StageStatus::Done {
            self.give_up_below(id);
        }
        self.note_ready_below(id);
        self.judge(&trials, decisions);
    }

    /// Brings a trial in line with a stage of its path, unless the verdict whether it goes on to that is still to come.
    fn settle_trial(&mut self, trial: TrialId, id: StageId, decisions: &mut Decisions) {
        let Some(node) = self.stages.get(&id) else { return };
        let Some(trial) = self.trials.get_mut(&trial) else { return };
        let place = if trial.path.last() == Some(&id) { Place::Last } else { Place::Inside };
        let before = trial.status;
        let after = before.after_stage(node.row.stage.status, place);
        let is_held = self.ladder.held(trial.configuration, node.row.stage.first).is_some();
        if after == before || is_held {
            return;
        }
        trial.status = after;
        let objective = match after {
            TrialStatus::Done => self.settings.objective.value(&node.row.evaluated),
            TrialStatus::Diverged => Some(f64::NAN),
            _ => None,
        };
        let (trial, status) = (trial.id, after);
        self.counts.trial_changed(before, status);
        decisions.facts.push(Fact::Trial { trial, status, objective });
        decisions.commands.push(Command::Say(Message::TrialEnded { trial }));
    }
}

#[cfg(test)]
mod tests;
