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
    place::{Chosen, Place, trial},
};

#[derive(Args)]
#[command(override_usage = "pleach explain [OPTIONS] [SWEEP] TRIAL")]
pub(crate) struct Explain {
    /// The sweep's name or file (the newest if left out), and the trial: its number, the beginning of its key, or `best`;
    /// SWEEP/TRIAL names both
    #[arg(value_name = "SWEEP TRIAL", required = true, num_args = 1..=2)]
    words: Vec<String>,
    /// Print it for a program
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let Chosen { home, reader, trials } = place.chosen(&self.words, 1)?;
        let detail = trial(&reader, &trials[0])?;
        let revision = reader.revision()?;
        let explanation = explain(&Known {
            sweep: home.name(),
            objective: &revision.objective,
            detail: &detail,
            budgets: &super::budgets(&revision),
            coordinator: coordinator(&home, &reader)?,
            wait: waits_for(&home, reader.load()?, detail.trial),
        });
        if self.json {
            super::data(&explanation.json())?;
        } else {
            super::print(&explanation.text())?;
        }
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
