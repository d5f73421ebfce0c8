//! `compare`: trials side by side.

use anyhow::Result;
use clap::Args;
use pleach_views::compare::text;

use crate::{
    exit::Ending,
    place::{Place, trial},
};

#[derive(Args)]
pub(crate) struct Compare {
    /// The name of the sweep
    sweep: String,
    /// The trials' numbers, or the beginnings of their keys
    #[arg(required = true, num_args = 2..)]
    trials: Vec<String>,
    #[command(flatten)]
    drawing: super::Drawing,
}

impl Compare {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let (_, reader) = place.reader(&self.sweep)?;
        let objective = reader.revision()?.objective;
        let trials =
            self.trials.iter().map(|text| trial(&reader, text)).collect::<Result<Vec<_>>>()?;
        super::print(&text(&trials, &objective, self.drawing.style(12)))?;
        Ok(Ending::Good)
    }
}
