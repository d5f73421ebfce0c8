//! `tree`: how the trials of a sweep share their training.

use anyhow::Result;
use clap::Args;
use pleach_views::tree;

use crate::{exit::Ending, place::Place};

#[derive(Args)]
pub(crate) struct Tree {
    /// The name of the sweep, or its file; the newest if left out
    sweep: Option<String>,
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
        let (_, reader) = place.reader(self.sweep.as_deref())?;
        let objective = reader.revision()?.objective;
        let branches = reader.branches(objective.goal)?;
        if self.svg {
            super::data(&tree::svg(&branches, &objective))?;
        } else {
            let limit = if self.all { 0 } else { LINES };
            let style = self.drawing.style(LINES);
            super::print(&tree::text(&branches, &objective, limit, style))?;
        }
        Ok(Ending::Good)
    }
}
