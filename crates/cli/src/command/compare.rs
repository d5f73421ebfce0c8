//! `compare`: trials side by side.

use anyhow::Result;
use clap::Args;
use pleach_views::compare::text;

use crate::{
    exit::Ending,
    place::{Chosen, Place, trial},
};

#[derive(Args)]
#[command(override_usage = "pleach compare [OPTIONS] [SWEEP] TRIAL TRIAL...")]
pub(crate) struct Compare {
    /// The sweep's name or file (the newest if left out), and two trials or more: their numbers, the beginnings of their keys,
    /// or `best`
    #[arg(value_name = "SWEEP TRIALS", required = true)]
    words: Vec<String>,
    #[command(flatten)]
    drawing: super::Drawing,
}

impl Compare {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let Chosen { reader, trials, .. } = place.chosen(&self.words, 2)?;
        let objective = reader.revision()?.objective;
        let trials = trials.iter().map(|text| trial(&reader, text)).collect::<Result<Vec<_>>>()?;
        super::print(&text(&trials, &objective, super::columns(), self.drawing.style(12)))?;
        Ok(Ending::Good)
    }
}
