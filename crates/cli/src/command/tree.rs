//! `tree`: how the trials of a sweep share their training.

use anyhow::Result;
use clap::Args;
use pleach_views::tree;

use crate::{exit::Ending, place::Place};

#[derive(Args)]
pub(crate) struct Tree {
    /// The name of the sweep, or its file
    sweep: String,
    /// Every trial, not only the best
    #[arg(long)]
    all: bool,
    /// Print an SVG picture
    #[arg(long, conflicts_with = "all")]
    svg: bool,
    #[command(flatten)]
    drawing: super::Drawing,
}

impl Tree {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        const LINES: usize = 40;
        let (_, reader) = place.reader(&self.sweep)?;
        let objective = reader.revision()?.objective;
        let branches = reader.branches(objective.goal)?;
        super::print(&if self.svg {
            tree::svg(&branches, &objective)
        } else {
            let limit = if self.all { 0 } else { LINES };
            tree::text(&branches, &objective, limit, self.drawing.style(LINES))
        })?;
        Ok(Ending::Good)
    }
}
