//! `extend`: trains the configurations of some trials with another budget, too, from where they are as far as that is the
//! same training.

use anyhow::Result;
use clap::Args;
use pleach_core::spec::{Extension, with_extension};
use pleach_schedule::duration::Duration;
use pleach_store::Store;

use super::run::{Options, execute};
use crate::accept::Acceptance;
use crate::{
    exit::{Ending, Failure},
    place::{Chosen, Place, find},
    source::Source,
};

#[derive(Args)]
#[command(override_usage = "pleach extend [OPTIONS] --budget <BUDGET> [SWEEP] TRIAL...")]
pub(crate) struct Extend {
    /// The sweep's name or file (the newest if left out; it must not be running), and trials: their numbers, the beginnings
    /// of their keys, or `best`. Their configurations are trained with every seed
    #[arg(value_name = "SWEEP TRIALS", required = true)]
    words: Vec<String>,
    /// How long, in epochs or steps: 20ep
    #[arg(long)]
    budget: Duration,
    #[command(flatten)]
    options: Options,
}

impl Extend {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let Chosen { home, reader, trials } = place.chosen(&self.words, 1)?;
        let points = {
            let _lock = home.lock()?;
            Store::open(&home.database())?.load()?.points
        };
        let mut extended = Vec::new();
        for text in &trials {
            let trial = find(&reader, text)?;
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
        execute(place, source, &self.options, Acceptance::File)
    }
}
