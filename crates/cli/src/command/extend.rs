//! `extend`: trains the configurations of some trials with another budget, too, from where they are as far as that is the
//! same training.

use anyhow::Result;
use clap::Args;
use pleach_core::spec::{Extension, with_extension};
use pleach_schedule::duration::Duration;
use pleach_store::Store;

use super::run::{Acceptance, Options, execute};
use crate::{
    exit::{Ending, Failure},
    place::Place,
    source::Source,
};

#[derive(Args)]
pub(crate) struct Extend {
    /// The name of the sweep; it must not be running
    sweep: String,
    /// Numbers of trials, or the beginnings of their keys; their configurations are trained with every seed
    #[arg(required = true)]
    trials: Vec<String>,
    /// How long, in epochs or steps: 20ep
    #[arg(long)]
    budget: Duration,
    #[command(flatten)]
    options: Options,
}

impl Extend {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let (home, reader) = place.reader(&self.sweep)?;
        let points = {
            let _lock = home.lock()?;
            Store::open(&home.database())?.load()?.points
        };
        let mut extended = Vec::new();
        for text in &self.trials {
            let trial = reader.find(text)?;
            let point = points.get(&trial).ok_or_else(|| {
                Failure::NotFound(format!("the current sweep file does not hold trial {}", trial.0))
            })?;
            extended.push(*point);
        }
        extended.sort_unstable();
        extended.dedup();
        let extension = Extension { budget: self.budget.to_string(), points: extended };
        let mut source = Source::of_sweep(&home)?;
        source.text = with_extension(&source.text, &extension);
        execute(place, source, &self.options, Acceptance::Given)
    }
}
