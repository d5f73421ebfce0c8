//! From a spec and a worker program's description to trials with keys: what would run. Nothing here acts.
//!
//! How long a configuration trains, and on what data, only the worker program knows: whatever is missing from
//! [`Lengths`] comes back as [`PlanError::Unmeasured`], all of it at once; the caller asks and plans again.

pub mod command;
mod configuration;
mod course;
mod identity;
mod names;
mod profiles;
mod rungs;
mod schedule;
mod single;
mod tree;
mod values;
mod view;
mod warnings;

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    key::Key,
    life::Lanes,
    program::{Program, Takes},
    spec::{Extension, RunSpec, Search, Share, SweepSpec},
    stop::Rungs,
    value::Parameters,
};

pub use configuration::{Configuration, Planner};
pub use course::Course;
pub use schedule::Scheduled;
pub(crate) use schedule::{Wrong, schedule_of, scheduled_alone};
pub use tree::{Known, Tree, TreeStage};
pub use warnings::warnings;

/// More configurations than this are refused, with their factorisation.
pub const MAX_CONFIGURATIONS: u128 = 10_000_000;

/// After so many mistakes the rest is left out.
const MAX_DIAGNOSTICS: usize = 50;

/// What a worker program answered about how long configurations train.
#[derive(Clone, Debug, Default)]
pub struct Lengths(BTreeMap<String, Result<Rc<Length>, Refused>>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Length {
    /// Updates of a whole trial; at least 1.
    pub steps: u64,
    /// At least 1.
    pub steps_per_epoch: u64,
    /// Digest of the data.
    pub data: String,
    /// How many such trials are faster side by side; 1 for none.
    pub lanes: u32,
}

/// The worker program says that a configuration makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub parameter: Option<String>,
    pub message: String,
}

impl Lengths {
    /// The digests of all data that is trained on, each with the parameters of one configuration that trains on it, as JSON.
    pub fn data(&self) -> BTreeMap<&str, &str> {
        let known = self.0.iter().filter_map(|(parameters, length)| {
            let length = length.as_ref().ok()?;
            (!length.data.is_empty()).then_some((length.data.as_str(), parameters.as_str()))
        });
        known.collect()
    }

    pub fn insert(&mut self, asked: &Parameters, answer: Result<Length, Refused>) {
        self.0.insert(canonical(asked), answer.map(Rc::new));
    }

    fn get(&self, asked: &Parameters) -> Option<&Result<Rc<Length>, Refused>> {
        self.0.get(&canonical(asked))
    }
}

/// Equal parameters give equal texts.
fn canonical(parameters: &Parameters) -> String {
    // Text keys and plain values always serialize.
    serde_json::to_string(parameters).unwrap_or_default()
}

#[derive(Clone, Debug)]
pub enum PlanError {
    /// How long these train is not known: each is a set of parameters to ask about.
    Unmeasured(Vec<Parameters>),
    Invalid(Diagnostics),
}

/// What would run.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// In the order of their points; no two the same computation.
    pub configurations: Vec<Configuration>,
    /// Configuration by configuration, seeds inside.
    pub trials: Vec<TrialPlan>,
    /// Whether trials may share stages: the person wants it and the program can save its state.
    pub share: Share,
    /// What it costs to save or load a state, in steps: where trials part too early to be worth it, each trains by itself.
    pub cost: u64,
    /// Points that are the same computation as an earlier one.
    pub merged: Vec<Merged>,
    /// Points for which `where` does not hold (of a grid).
    pub removed: u64,
    /// The factors of the number of points.
    pub factorisation: String,
}

/// A point that is not run, since an earlier one is the same computation.
#[derive(Clone, Debug)]
pub struct Merged {
    pub point: u64,
    /// As [`Configuration::parameters`].
    pub parameters: Parameters,
    /// The point that is run.
    pub into: u64,
}

/// A trial, before it is known in which pieces it is trained.
#[derive(Clone, Debug)]
pub struct TrialPlan {
    /// Index of its configuration's point in the expansion.
    pub point: u64,
    pub seed: u64,
    /// Of everything that decides its result.
    pub key: Key,
    /// Of everything that decides what it computes, but for its course, and of the numerics: trials of one kin are the same
    /// training for as long as their courses are equal.
    pub kin: Key,
    pub course: Rc<Course>,
    /// Absent if it is trained alone.
    pub lanes: Option<Lanes>,
    /// Absent if it is never judged.
    pub rungs: Option<Rc<Rungs>>,
}

/// Plans all of a sweep.
pub fn plan(spec: &SweepSpec, program: &Program, lengths: &Lengths) -> Result<Plan, PlanError> {
    let invalid = |list| PlanError::Invalid(Diagnostics { source: spec.source.clone(), list });
    let count = count(spec).map_err(|mistake| invalid(vec![mistake]))?;
    let mistakes = names::check(spec, program);
    if !mistakes.is_empty() {
        return Err(invalid(mistakes));
    }
    let planner = Planner::new(spec, program, lengths);
    let mut walk = Walk::default();
    let extended = spec.extensions.iter().enumerate().flat_map(|(index, extension)| {
        extension.points.iter().map(move |&point| configuration::extended(index, point))
    });
    let is_wanted = |point: &u64| spec.only.as_ref().is_none_or(|only| only.contains(point));
    for point in (0..count).chain(extended).filter(is_wanted) {
        walk.take(point, planner.at(point), &spec.seeds, program);
    }
    if !walk.mistakes.is_empty() {
        return Err(invalid(walk.mistakes.into_values().collect()));
    }
    if !walk.unmeasured.is_empty() {
        return Err(PlanError::Unmeasured(walk.unmeasured.into_values().collect()));
    }
    if walk.plan.configurations.is_empty() {
        let first = spec.blocks.iter().find_map(|block| block.space.conditions.first());
        return Err(invalid(vec![Diagnostic {
            message: "nothing is left to run".to_owned(),
            span: first.map(|condition| condition.span.clone()),
            label: format!("removes all of {count} configurations"),
            help: "loosen the condition".to_owned(),
        }]));
    }
    walk.plan.share = if program.checkpoints { spec.run.share } else { Share::No };
    walk.plan.cost = match program.takes {
        Takes::Listed => tree::CHECKPOINT,
        Takes::Anything => tree::START,
    };
    let factors = spec.blocks.iter().map(|block| block.space.factorisation());
    let extensions = spec
        .extensions
        .iter()
        .map(|Extension { budget, points }| format!("{} of them also for {budget}", points.len()));
    let only = spec.only.iter().map(|only| format!("of all these, {}", only.len()));
    walk.plan.factorisation = factors.chain(extensions).chain(only).collect::<Vec<_>>().join("\n");
    Ok(walk.plan)
}

/// The number of points, before any is looked at.
fn count(spec: &SweepSpec) -> Result<u64, Diagnostic> {
    let too_many = |count: String, factors: String| Diagnostic {
        message: format!("the sweep has {count} configurations, more than {MAX_CONFIGURATIONS}"),
        span: None,
        label: String::new(),
        help: format!(
            "{factors}\nremove values, or draw some of them: [search] method = \"random\""
        ),
    };
    match spec.search {
        Search::Samples { samples, .. } => {
            let count = u128::from(samples) * spec.blocks.len() as u128;
            if MAX_CONFIGURATIONS < count {
                return Err(too_many(
                    count.to_string(),
                    "these are the samples of every block".to_owned(),
                ));
            }
            Ok(count as u64)
        }
        Search::Grid => {
            let mut counts = spec.blocks.iter().map(|block| block.space.count());
            let count = counts.try_fold(0_u128, |sum, count| sum.checked_add(count?));
            match count {
                Some(count) if count <= MAX_CONFIGURATIONS => Ok(count as u64),
                _ => {
                    let factors: Vec<String> =
                        spec.blocks.iter().map(|block| block.space.factorisation()).collect();
                    let count =
                        count.map_or_else(|| "over 2^128".to_owned(), |count| count.to_string());
                    Err(too_many(count, factors.join("\n")))
                }
            }
        }
    }
}

/// What came of one point.
pub(crate) enum Outcome {
    Configuration(Box<Configuration>),
    Removed,
    Unmeasured(Parameters),
    Wrong(Vec<Diagnostic>),
}

#[derive(Default)]
struct Walk {
    plan: Plan,
    /// By what a trial computes, its seed apart.
    seen: BTreeMap<Key, u64>,
    unmeasured: BTreeMap<String, Parameters>,
    mistakes: BTreeMap<(usize, String), Diagnostic>,
}

impl Walk {
    fn take(&mut self, point: u64, outcome: Outcome, seeds: &[u64], program: &Program) {
        match outcome {
            Outcome::Removed => self.plan.removed += 1,
            Outcome::Unmeasured(asked) => {
                self.unmeasured.insert(canonical(&asked), asked);
            }
            Outcome::Wrong(mistakes) => {
                for mistake in mistakes {
                    if self.mistakes.len() < MAX_DIAGNOSTICS {
                        let start = mistake.span.as_ref().map_or(0, |span| span.start);
                        self.mistakes.entry((start, mistake.message.clone())).or_insert(mistake);
                    }
                }
            }
            // Once it is known that there will be no plan, only what else is missing is of interest.
            Outcome::Configuration(_)
                if !self.mistakes.is_empty() || !self.unmeasured.is_empty() => {}
            Outcome::Configuration(configuration) => {
                let content = identity::content(&configuration, program);
                if let Some(&into) = self.seen.get(&Key::of(&content)) {
                    let parameters = configuration.parameters;
                    self.plan.merged.push(Merged { point, parameters, into });
                    return;
                }
                self.seen.insert(Key::of(&content), point);
                for &seed in seeds {
                    self.plan.trials.push(identity::trial(&configuration, &content, seed, program));
                }
                self.plan.configurations.push(*configuration);
            }
        }
    }
}

impl Plan {
    /// The keys of all trials.
    pub fn keys(&self) -> BTreeSet<Key> {
        self.trials.iter().map(|trial| trial.key).collect()
    }

    /// In which pieces the trials are trained, beside the stages that were begun already.
    #[must_use]
    pub fn tree(&self, known: &Known) -> Tree {
        tree::tree(&self.trials, known, self.share, self.cost)
    }

    /// What the extensions of an earlier file are in this one: an extension goes with the configuration that it extends, for
    /// as long as that is here. `trials` are the points and keys of what the earlier file asked for.
    #[must_use]
    pub fn extensions_of(&self, earlier: &[Extension], trials: &[(u64, Key)]) -> Vec<Extension> {
        let is_files = |point: u64| configuration::base(point) == point;
        let here: BTreeMap<Key, u64> =
            self.trials.iter().map(|trial| (trial.key, trial.point)).collect();
        let moved: BTreeMap<u64, u64> = trials
            .iter()
            .filter_map(|(point, key)| Some((*point, *here.get(key)?)))
            .filter(|(then, now)| is_files(*then) && is_files(*now))
            .collect();
        let extension = |Extension { budget, points }: &Extension| {
            let points = points.iter().map(|&point| configuration::base(point));
            let points: Vec<u64> = points.filter_map(|point| moved.get(&point).copied()).collect();
            (!points.is_empty()).then(|| Extension { budget: budget.clone(), points })
        };
        earlier.iter().filter_map(extension).collect()
    }

    /// Forgets what trials look like: whoever runs them needs to know which there are, and asks a [`Planner`] for each in its turn.
    pub fn forget_configurations(&mut self) {
        self.configurations = Vec::new();
        self.merged = Vec::new();
    }

    /// How many stages a worker trains side by side at most.
    #[must_use]
    pub fn lanes(&self, run: &RunSpec) -> u32 {
        let lanes = self.trials.iter().filter_map(|trial| trial.lanes);
        lanes.map(|lanes| lanes.most).max().unwrap_or(1).min(run.most_lanes())
    }

    /// Names that have more than one value among the configurations, and those that only some have.
    #[must_use]
    pub fn differing(&self) -> BTreeSet<&str> {
        let mut seen: BTreeMap<&str, (&crate::value::Value, usize)> = BTreeMap::new();
        let mut differing = BTreeSet::new();
        for configuration in &self.configurations {
            for (name, value) in &configuration.parameters {
                let (first, count) = seen.entry(name).or_insert((value, 0));
                *count += 1;
                if *first != value {
                    differing.insert(name.as_str());
                }
            }
        }
        let partial = seen.iter().filter(|(_, (_, count))| *count < self.configurations.len());
        differing.extend(partial.map(|(name, _)| *name));
        differing
    }
}

#[cfg(test)]
mod tests;
