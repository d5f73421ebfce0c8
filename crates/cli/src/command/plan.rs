//! `plan`: what would run.

use anyhow::Result;
use clap::Args;
use pleach_engine::{
    home::Home,
    prepare::{Prepared, prepare},
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
        let difference = difference(&home, &prepared)?;
        super::print(&plan::text(
            &prepared.spec,
            &prepared.plan,
            difference,
            extent,
            self.drawing.style(5),
        ))?;
        Ok(Ending::Good)
    }
}

/// Against what exists, if anything does.
fn difference(home: &Home, prepared: &Prepared) -> Result<Option<Difference>> {
    if !home.exists() {
        return Ok(None);
    }
    let planned = planned(prepared);
    let difference = Store::open(&home.database())?.compare(&planned)?;
    let pleach_store::Difference { added, kept, removed } = difference;
    Ok(Some(Difference { added, kept, removed }))
}

/// The trials of a plan with what was swept.
pub(crate) fn planned(prepared: &Prepared) -> Vec<Planned<'_>> {
    let Prepared { spec, plan, .. } = prepared;
    let parameters = plan
        .configurations
        .iter()
        .flat_map(|configuration| std::iter::repeat_n(&configuration.parameters, spec.seeds.len()));
    plan.trials
        .iter()
        .zip(parameters)
        .map(|(trial, parameters)| Planned { trial, parameters })
        .collect()
}
