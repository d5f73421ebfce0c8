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
    /// Print how the code that it ran differed from the commit that is named, for `git apply`
    #[arg(long)]
    difference: bool,
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
        let attempts = detail.path.iter().flat_map(|stage| &stage.attempts);
        let last = attempts.map(|attempt| attempt.started).max();
        let provenance = last.map(|last| reader.provenance(last)).transpose()?.flatten();
        if self.difference {
            let difference = provenance.and_then(|it| it.difference).ok_or_else(|| {
                Failure::NotFound("no difference from a commit is recorded".to_owned())
            })?;
            super::print(&difference)?;
            return Ok(Ending::Good);
        }
        super::print(&show::text(&detail, &objective, self.drawing.style(8)))?;
        if let Some(provenance) = provenance {
            super::print(&format!("\n{}", show::provenance(&provenance)))?;
        }
        Ok(Ending::Good)
    }
}
