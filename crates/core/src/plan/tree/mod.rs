//! From trials to stages: trials that do the same until some step share the stages until then.
//!
//! Trials of one kin are sorted by their courses; how much neighbours share gives the tree. It is cut where trials part,
//! but only where that pays: see [`pays`]. Stages that a sweep has trained already stay as they are, and new trials start
//! from them.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{Course, TrialPlan};
use crate::{
    fact::{NewStage, NewTrial},
    key::Key,
    spec::Share,
    stop::Rungs,
};

/// What writing or reading a checkpoint costs, in steps: the most that `scripts/bench/tree --checkpoints` measures with the
/// models of the built-in trainer (from 0.7 for `lenet` to 3.8 for `mlp-512`).
pub(super) const CHECKPOINT: u64 = 4;

/// The same for a person's program, which is started once for each stage. That takes a second or so, and its steps may be
/// of a millisecond or of a second: nobody knows beforehand.
pub(super) const START: u64 = 25;

/// How the trials of a plan are trained.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Parents before their children.
    pub stages: Vec<TreeStage>,
    /// The last stage of each trial, in the order of the plan's trials.
    pub leaves: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TreeStage {
    pub stage: NewStage,
    /// Its place in [`Tree::stages`].
    pub parent: Option<usize>,
    /// How many trials' paths hold it.
    pub trials: u64,
}

/// Stages that were begun, of which new trials make use.
#[derive(Clone, Debug, Default)]
pub struct Known {
    keys: BTreeSet<Key>,
    /// By first step.
    ends: BTreeMap<u64, BTreeSet<u64>>,
}

impl FromIterator<NewStage> for Known {
    fn from_iter<T: IntoIterator<Item = NewStage>>(stages: T) -> Self {
        let mut known = Self::default();
        for NewStage { key, first, end } in stages {
            known.keys.insert(key);
            known.ends.entry(first).or_default().insert(end);
        }
        known
    }
}

impl Known {
    /// The longest stage from step `first` that is the trial's own training.
    fn next(&self, trial: &TrialPlan, first: u64) -> Option<NewStage> {
        // Nobody runs past a rung unseen.
        let rung = trial.cuts().iter().copied().find(|rung| first < *rung);
        let longest = rung.unwrap_or(trial.course.steps());
        let ends = self.ends.get(&first)?.range(..=longest);
        ends.rev()
            .map(|&end| stage(&trial.kin, &trial.course, first, end))
            .find(|stage| self.keys.contains(&stage.key))
    }
}

impl TrialPlan {
    /// Where its stages must end.
    fn cuts(&self) -> &[u64] {
        self.rungs.as_ref().filter(|rungs| rungs.cut).map_or(&[], |rungs| &rungs.steps)
    }
}

/// A stage's key is of everything that acts before its end.
fn stage(kin: &Key, course: &Course, first: u64, end: u64) -> NewStage {
    let key = Key::of(&format!("{kin} {}from {first} to {end}", course.until(end)));
    NewStage { key, first, end }
}

/// Grows the tree of these trials.
/// A stage more costs so many steps for each that writes or reads a state there.
pub(super) fn tree(trials: &[TrialPlan], known: &Known, share: Share, cost: u64) -> Tree {
    let mut tree = Tree { stages: Vec::new(), leaves: vec![0; trials.len()] };
    if share == Share::No {
        for (leaf, trial) in tree.leaves.iter_mut().zip(trials) {
            let TrialPlan { kin, key, course, .. } = trial;
            let (mut first, mut parent, mut kin) = (0, None, *kin);
            if !trial.cuts().is_empty() {
                // Those that end at a rung may be equal to others'.
                kin = Key::of(&format!("{kin} of {key} alone"));
            }
            for &end in trial.cuts().iter().chain([&course.steps()]) {
                let stage = stage(&kin, course, first, end);
                tree.stages.push(TreeStage { stage, parent, trials: 1 });
                (first, parent) = (end, Some(tree.stages.len() - 1));
            }
            *leaf = tree.stages.len() - 1;
        }
        return tree;
    }
    let trunks = tree.follow(trials, known);
    let mut order: Vec<usize> = (0..trials.len()).collect();
    order.sort_by(|&a, &b| {
        let place = |index: usize| (&trials[index].kin, trunks[index]);
        let courses = || trials[a].course.compare(&trials[b].course).1;
        place(a).cmp(&place(b)).then_with(courses).then(a.cmp(&b))
    });
    let is_together =
        |&a: &usize, &b: &usize| trials[a].kin == trials[b].kin && trunks[a] == trunks[b];
    for group in order.chunk_by(is_together) {
        let trunk = trunks[group[0]];
        let start = trunk.map_or(0, |trunk| tree.stages[trunk].stage.end);
        let forks = Forks::new(trials, group, start);
        tree.plant(trials, group, trunk, &forks, cost);
    }
    tree.count();
    tree
}

impl Tree {
    /// Lets every trial follow the stages that are known; the last of them.
    fn follow(&mut self, trials: &[TrialPlan], known: &Known) -> Vec<Option<usize>> {
        let mut places: BTreeMap<Key, usize> = BTreeMap::new();
        let mut last = |trial: &TrialPlan| {
            let mut place = None;
            let mut first = 0;
            while let Some(stage) = known.next(trial, first) {
                first = stage.end;
                place = Some(*places.entry(stage.key).or_insert_with(|| {
                    self.stages.push(TreeStage { stage, parent: place, trials: 0 });
                    self.stages.len() - 1
                }));
            }
            place
        };
        trials.iter().map(&mut last).collect()
    }

    /// Adds the stages of trials that part below `trunk`.
    fn plant(
        &mut self,
        trials: &[TrialPlan],
        group: &[usize],
        trunk: Option<usize>,
        forks: &Forks,
        cost: u64,
    ) {
        let start = trunk.map_or(0, |trunk| self.stages[trunk].stage.end);
        let mut planted: Vec<Option<usize>> = vec![trunk; forks.0.len()];
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); forks.0.len()];
        let mut open = Vec::new();
        for (index, fork) in forks.0.iter().enumerate() {
            match fork.parent {
                Some(parent) => children[parent].push(index),
                None => open.push((index, start, trunk)),
            }
        }
        while let Some((index, first, parent)) = open.pop() {
            let fork = &forks.0[index];
            let (length, branches) = (fork.end - first, children[index].len() as u64);
            let place = if fork.ends || pays(length, branches, cost) {
                let TrialPlan { kin, course, .. } = &trials[fork.trial];
                let stage = stage(kin, course, first, fork.end);
                self.stages.push(TreeStage { stage, parent, trials: 0 });
                Some(self.stages.len() - 1)
            } else {
                parent
            };
            planted[index] = place;
            let first = place.map_or(start, |place| self.stages[place].stage.end);
            open.extend(children[index].iter().map(|&child| (child, first, place)));
        }
        for (&trial, &fork) in group.iter().zip(&forks.1) {
            // A trial's last fork ends with it, so that it has a stage; without any fork, the trunk is all of it.
            if let Some(leaf) = fork.map_or(trunk, |fork| planted[fork]) {
                self.leaves[trial] = leaf;
            }
        }
    }

    fn count(&mut self) {
        for index in 0..self.leaves.len() {
            let mut next = Some(self.leaves[index]);
            while let Some(stage) = next {
                self.stages[stage].trials += 1;
                next = self.stages[stage].parent;
            }
        }
    }

    /// A trial's stages from the root.
    pub fn path(&self, trial: usize) -> Vec<NewStage> {
        let parent = |&stage: &usize| self.stages[stage].parent;
        let mut path: Vec<NewStage> =
            std::iter::successors(self.leaves.get(trial).copied(), parent)
                .map(|stage| self.stages[stage].stage)
                .collect();
        path.reverse();
        path
    }

    /// The trials of the plan that this is the tree of, with their paths.
    pub fn trials(&self, trials: &[TrialPlan]) -> Vec<NewTrial> {
        let trial = |(index, trial): (usize, &TrialPlan)| NewTrial {
            point: trial.point,
            seed: trial.seed,
            key: trial.key,
            path: self.path(index),
            rungs: trial.rungs.clone(),
        };
        trials.iter().enumerate().map(trial).collect()
    }

    /// Steps to train when every stage is trained once.
    pub fn steps(&self) -> u64 {
        self.stages.iter().map(|stage| stage.stage.end - stage.stage.first).sum()
    }
}

/// Whether a stage of `length` steps at whose end `branches` part should be one of its own: it saves its steps in all
/// branches but one; it costs a checkpoint that is written once and read by each, every time `cost` steps.
fn pays(length: u64, branches: u64, cost: u64) -> bool {
    cost * (branches + 1) < length * branches.saturating_sub(1)
}

/// Where trials that are sorted by their courses part: the forks, and for each trial the one at which it ends (absent when
/// it ends where all begin).
struct Forks(Vec<Fork>, Vec<Option<usize>>);

struct Fork {
    parent: Option<usize>,
    end: u64,
    /// One of the trials through it.
    trial: usize,
    /// Whether a trial ends here, or is judged.
    ends: bool,
}

impl Forks {
    fn new(trials: &[TrialPlan], group: &[usize], start: u64) -> Self {
        // Of everyone here: where one is judged, stages of all end.
        let mut cuts = BTreeSet::new();
        let mut before: Option<&Rc<Rungs>> = None;
        for &trial in group {
            let rungs = trials[trial].rungs.as_ref();
            if rungs.is_some() && rungs != before {
                cuts.extend(trials[trial].cuts().iter().copied());
                before = rungs;
            }
        }
        let mut forks: Vec<Fork> = Vec::new();
        let mut leaves = Vec::with_capacity(group.len());
        // The forks that the trial at hand goes through.
        let mut path: Vec<usize> = Vec::new();
        let mut before: Option<&Rc<Course>> = None;
        for &trial in group {
            let course = &trials[trial].course;
            let shared = before.map_or(start, |before| before.compare(course).0);
            before = Some(course);
            let mut beyond = None;
            while let Some(last) = path.pop_if(|last| shared < forks[*last].end) {
                beyond = Some(last);
            }
            let reached = path.last().map_or(start, |last| forks[*last].end);
            if let (Some(beyond), true) = (beyond, reached < shared) {
                let fork = Fork { parent: path.last().copied(), end: shared, trial, ends: false };
                forks.push(fork);
                path.push(forks.len() - 1);
                forks[beyond].parent = path.last().copied();
            }
            let ends =
                cuts.iter().copied().filter(|cut| (shared + 1..course.steps()).contains(cut));
            let last = (shared < course.steps()).then(|| course.steps());
            for end in ends.chain(last) {
                forks.push(Fork { parent: path.last().copied(), end, trial, ends: true });
                path.push(forks.len() - 1);
            }
            leaves.push(path.last().copied());
            if let Some(&last) = path.last() {
                forks[last].ends = true;
            }
        }
        Self(forks, leaves)
    }
}

#[cfg(test)]
mod tests;
