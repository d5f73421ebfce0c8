//! Everything outside the machine: processes, their files, and what goes wrong with them.

use super::*;

pub(super) struct Process {
    pub(super) ready: bool,
    pub(super) dismissed: bool,
    pub(super) queue: VecDeque<(AttemptId, StageId, u64)>,
}

/// What processes leave on disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Checkpoints,
    Results,
}

/// Everything outside the machine.
pub(super) struct World {
    pub(super) random: u64,
    pub(super) now: Moment,
    pub(super) processes: BTreeMap<WorkerId, Process>,
    pub(super) events: Vec<Event>,
    /// Stages that are being trained: by one process at most.
    pub(super) training: BTreeSet<StageId>,
    pub(super) finish: Option<Finish>,
    /// What stages have in common with those that they run beside, and how many these can be.
    pub(super) company: BTreeMap<StageId, (Key, u64, usize)>,
    /// Of which stage each is the state.
    pub(super) files: BTreeMap<(AttemptId, String), StageId>,
    pub(super) faults: bool,
    pub(super) keep: Keep,
    /// Files that nobody can read any more.
    pub(super) damaged: BTreeSet<(AttemptId, String)>,
    /// Attempts that were told to start from such a file.
    pub(super) astray: BTreeSet<AttemptId>,
    /// What attempts left on disk at their end.
    pub(super) results: BTreeMap<AttemptId, (StageId, Found)>,
    /// Stages whose loss stops being finite.
    pub(super) diverge: BTreeSet<StageId>,
    /// How often what has happened.
    pub(super) happened: BTreeMap<&'static str, u64>,
}

impl World {
    pub(super) fn note(&mut self, situation: &'static str) {
        *self.happened.entry(situation).or_default() += 1;
    }

    /// True once in `n` times.
    pub(super) fn once_in(&mut self, n: u64) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random.is_multiple_of(n)
    }

    /// How a program fails that could at all be run.
    pub(super) fn class(&mut self) -> Class {
        // Whether it fails at all was drawn before: the number for that says little more.
        self.once_in(1);
        let class = Class::ALL[(self.random >> 16) as usize % Class::ALL.len()];
        if class == Class::Configuration { Class::Error } else { class }
    }

    pub(super) fn perform(&mut self, command: Command, database: &Database) {
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
            Command::Say(_) | Command::Renew { .. } => {}
            Command::Finish(finish) => self.finish = Some(finish),
        }
    }

    /// Damages one of the files.
    pub(super) fn damage(&mut self) {
        let number = self.files.len().max(1) as u64;
        let index = (0..number).take_while(|_| !self.once_in(number)).count();
        let file = self.files.keys().nth(index).cloned();
        if file.is_some() {
            self.note("a checkpoint is damaged");
        }
        self.damaged.extend(file);
    }

    pub(super) fn die(&mut self, worker: WorkerId, how: &str) {
        if let Some(process) = self.processes.remove(&worker) {
            if process.queue.front().is_some_and(|(head, ..)| self.results.contains_key(head)) {
                self.note("a worker dies and leaves a result that it told nobody");
            }
            // The core knows which of them were this one's.
            let found = self.results.iter();
            let found = found.map(|(attempt, (_, found))| (*attempt, found.clone())).collect();
            if 1 < process.queue.len() {
                self.note("a worker dies with several stages");
            }
            for (_, stage, _) in process.queue {
                self.training.remove(&stage);
            }
            self.events.push(Event::WorkerDied {
                worker,
                how: how.to_owned(),
                class: Class::Crash,
                found,
            });
        }
    }

    /// Leaves a result, and then dies or says so.
    pub(super) fn finish_durably(
        &mut self,
        worker: WorkerId,
        attempt: AttemptId,
        stage: StageId,
        end: u64,
    ) {
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
            warnings: Vec::new(),
        };
        self.results.insert(attempt, (stage, found));
        if self.faults && self.once_in(4) {
            self.die(worker, "killed by signal 9");
        } else if let Some(process) = self.processes.get_mut(&worker) {
            process.queue.pop_front();
            self.training.remove(&stage);
            if self.faults && self.once_in(20) {
                self.note("a worker says that it has finished while it is being killed");
                let what = "a line that is none".to_owned();
                self.events.push(Event::WorkerTalkedNonsense { worker, what });
            }
            let (step, of) = (end, digest.clone());
            self.events.push(Event::Checkpoint { worker, attempt, step, file, digest: of, bytes });
            self.events.push(Event::Finished { worker, attempt, step, outcome, digest });
        }
    }

    /// Lets every process do a little.
    pub(super) fn run(&mut self, ends: &BTreeMap<StageId, u64>) {
        self.now.0 += 1000;
        let workers: Vec<WorkerId> = self.processes.keys().copied().collect();
        for worker in workers {
            if self.faults && self.once_in(60) {
                self.die(worker, "killed by signal 9");
                continue;
            }
            let nonsense = self.faults && self.once_in(80);
            let fails = self.faults && self.once_in(80);
            for (happens, what) in
                [(nonsense, "a worker talks nonsense"), (fails, "a program fails")]
            {
                if happens {
                    self.note(what);
                }
            }
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
                let next = beside[self.random as usize % beside.len()];
                process.queue.swap(0, next);
                *self.happened.entry("stages run side by side").or_default() +=
                    u64::from(next != 0);
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
