//! `show`: everything about a trial.

use anyhow::Result;
use clap::Args;
use pleach_views::show;

use crate::{
    exit::{Ending, Failure},
    place::Place,
};

#[derive(Args)]
pub(crate) struct Show {
    /// The name of the sweep
    sweep: String,
    /// The trial's number, or the beginning of its key
    trial: String,
    #[command(flatten)]
    drawing: super::Drawing,
}

impl Show {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let (_, reader) = place.reader(&self.sweep)?;
        let objective = reader.summary()?.revision.objective;
        let trial = reader.find(&self.trial)?;
        let detail = reader
            .trial(trial)?
            .ok_or_else(|| Failure::NotFound(format!("there is no trial {}", trial.0)))?;
        super::print(&show::text(&detail, &objective, self.drawing.style(8)))?;
        Ok(Ending::Good)
    }
}
