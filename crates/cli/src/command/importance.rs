//! `importance`: how much each parameter matters.

use anyhow::Result;
use clap::Args;
use pleach_core::rank::{importance, rank};
use pleach_store::Which;
use pleach_views::importance::{json, text};

use crate::{exit::Ending, place::Place};

#[derive(Args)]
pub(crate) struct Importance {
    /// The name of the sweep, or its file; the newest if left out
    sweep: Option<String>,
    /// Also what only older revisions of the file asked for
    #[arg(long)]
    all: bool,
    /// Print an array
    #[arg(long)]
    json: bool,
    /// Draw with ASCII characters
    #[arg(long)]
    ascii: bool,
}

impl Importance {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let (_, reader) = place.reader(self.sweep.as_deref())?;
        let objective = reader.revision()?.objective;
        let which = if self.all { Which::All } else { Which::Current };
        let parts = importance(&rank(reader.rows(which)?, objective.goal));
        if self.json {
            super::data(&json(&parts))?;
        } else {
            super::print(&text(&parts, &objective.metric, self.ascii))?;
        }
        Ok(Ending::Good)
    }
}
