//! One trial of a sweep as a sweep file of its own.

use anyhow::Result;
use pleach_core::{
    key::Key,
    plan::{Configuration, Planner},
    spec::with_retest,
};
use pleach_engine::{home::Home, prepare::Prepared};
use pleach_store::TrialDetail;

use crate::{command::prepared, exit::Failure, place::Place, source::Source};

/// A trial, and the sweep that it is one of as it is planned now.
pub(crate) struct Single {
    pub(crate) prepared: Prepared,
    pub(crate) point: u64,
    text: String,
    name: String,
    key: Key,
    seed: u64,
}

impl Single {
    /// An error if the sweep's present file does not hold the trial.
    pub(crate) fn find(place: &Place, home: &Home, detail: &TrialDetail) -> Result<Self> {
        let source = Source::of_sweep(home)?;
        let prepared = prepared(place, &source.name, &source.text)?;
        let found = prepared.plan.trials.iter().find(|trial| trial.key == detail.key);
        let point = found.map(|trial| trial.point).ok_or_else(|| {
            Failure::NotFound(format!("trial {} is not in the current sweep file", detail.trial.0))
        })?;
        // A sweep's name has 64 letters at most.
        let name = format!("{:.53}-{}", home.name(), detail.trial.0);
        Ok(Self { prepared, point, text: source.text, name, key: detail.key, seed: detail.seed })
    }

    pub(crate) fn configuration(&self) -> Option<Configuration> {
        self.planner().configuration(self.point)
    }

    /// A sweep file that holds this trial and nothing else: what is run from it has the same key.
    pub(crate) fn file(&self, place: &Place) -> String {
        let is_it = |text: &String| {
            let trials = prepared(place, &self.name, text).map(|prepared| prepared.plan.trials);
            trials.is_ok_and(|trials| matches!(&trials[..], [trial] if trial.key == self.key))
        };
        let short = self.planner().single(self.point, self.seed, &self.name);
        // What cannot be written for itself is a part of the whole.
        short
            .filter(is_it)
            .unwrap_or_else(|| with_retest(&self.text, &self.name, &[self.point], &[self.seed]))
    }

    fn planner(&self) -> Planner<'_> {
        let Prepared { spec, program, lengths, .. } = &self.prepared;
        Planner::new(spec, program, lengths)
    }
}
