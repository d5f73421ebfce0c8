//! `explain`: why a trial is not running.

use anyhow::Result;
use clap::Args;
use pleach_engine::{
    home::Home,
    live,
    run::{Stopping, waits_for},
};
use pleach_store::Reader;
use pleach_views::explain::{Coordinator, Known, explain};

use crate::{
    exit::Ending,
    place::{Place, trial},
};

#[derive(Args)]
pub(crate) struct Explain {
    /// The name of the sweep
    sweep: String,
    /// The trial's number, or the beginning of its key
    trial: String,
    /// Print it for a program
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let (home, reader) = place.reader(&self.sweep)?;
        let detail = trial(&reader, &self.trial)?;
        let revision = reader.revision()?;
        let explanation = explain(&Known {
            sweep: home.name(),
            objective: &revision.objective,
            detail: &detail,
            budgets: &super::budgets(&revision),
            coordinator: coordinator(&home, &reader)?,
            wait: waits_for(&home, reader.load()?, detail.trial),
        });
        super::print(&if self.json { explanation.json() } else { explanation.text() })?;
        Ok(Ending::Good)
    }
}

fn coordinator(home: &Home, reader: &Reader) -> Result<Coordinator> {
    Ok(match live::look(home) {
        Some(seen) if seen.stopping != Stopping::No => Coordinator::Stopping,
        Some(seen) => Coordinator::Running(Some(seen.progress)),
        None if home.is_running() => Coordinator::Running(None),
        None => Coordinator::Nobody(reader.halt()?),
    })
}
