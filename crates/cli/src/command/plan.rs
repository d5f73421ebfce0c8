//! `plan`: what would run.

use anyhow::Result;
use clap::Args;
use pleach_core::{fact::NewTrial, plan::Tree};
use pleach_engine::{
    home::Home,
    prepare::{Prepared, prepare},
    reuse::Others,
};
use pleach_store::{Planned, Store};
use pleach_views::plan::{self, Difference, Extent};

use super::{block_on, run::source};
use crate::{exit::Ending, place::Place};

#[derive(Args)]
pub(crate) struct Plan {
    /// A sweep file, or the name of a sweep that was run before
    sweep: String,
    /// Override a key of the file: trainer.budget=1ep
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Every configuration and every schedule
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    drawing: super::Drawing,
}

impl Plan {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let (name, text) = source(place, &self.sweep, &self.set)?;
        let worker = place.worker()?;
        let prepared = block_on(async { Ok(prepare(&worker, &name, &text).await?) })?;
        let home = Home::new(&place.runs, &prepared.spec.name)?;
        let extent = if self.all {
            Extent { configurations: 0, schedules: 0 }
        } else {
            Extent { configurations: 12, schedules: 12 }
        };
        let store = if home.exists() { Some(Store::open(&home.database())?) } else { None };
        let tree = tree(&prepared, store.as_ref(), &Others::default())?;
        let difference = difference(store.as_ref(), &prepared, &tree)?;
        let Prepared { spec, plan, .. } = &prepared;
        super::print(&plan::text(spec, plan, &tree, difference, extent, self.drawing.style(5)))?;
        Ok(Ending::Good)
    }
}

/// Against what exists, if anything does.
fn difference(
    store: Option<&Store>,
    prepared: &Prepared,
    tree: &Tree,
) -> Result<Option<Difference>> {
    let Some(store) = store else { return Ok(None) };
    let trials = tree.trials(&prepared.plan.trials);
    let difference = store.compare(&planned(prepared, &trials))?;
    let pleach_store::Difference { added, kept, removed } = difference;
    Ok(Some(Difference { added, kept, removed }))
}

/// In which pieces the trials are trained, beside what the sweep has begun already and what others have done.
pub(crate) fn tree(prepared: &Prepared, store: Option<&Store>, others: &Others) -> Result<Tree> {
    let begun = store.map(Store::begun).transpose()?.unwrap_or_default();
    Ok(prepared.plan.tree(&begun.into_iter().chain(others.stages()).collect()))
}

/// The trials of a plan, as they are trained, with what was swept.
pub(crate) fn planned<'a>(prepared: &'a Prepared, trials: &'a [NewTrial]) -> Vec<Planned<'a>> {
    let Prepared { spec, plan, .. } = prepared;
    let parameters = plan
        .configurations
        .iter()
        .flat_map(|configuration| std::iter::repeat_n(&configuration.parameters, spec.seeds.len()));
    trials.iter().zip(parameters).map(|(trial, parameters)| Planned { trial, parameters }).collect()
}
