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
    exit::{Ending, Failure},
    place::Place,
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
        let trial = reader.find(&self.trial)?;
        let detail = reader
            .trial(trial)?
            .ok_or_else(|| Failure::NotFound(format!("there is no trial {}", trial.0)))?;
        let revision = reader.summary()?.revision;
        let explanation = explain(&Known {
            sweep: home.name(),
            objective: &revision.objective,
            detail: &detail,
            budgets: &super::budgets(&revision),
            coordinator: coordinator(&home, &reader)?,
            wait: waits_for(&home, reader.load()?, trial),
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
