//! `resume`: go on with a sweep as it was accepted.

use anyhow::Result;
use clap::Args;

use super::run::{Acceptance, Options, execute};
use crate::{exit::Ending, place::Place, source::Source};

#[derive(Args)]
pub(crate) struct Resume {
    /// The name of the sweep
    sweep: String,
    #[command(flatten)]
    options: Options,
}

impl Resume {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let name = place.home(&self.sweep)?.name().to_owned();
        let source = Source::read(place, &name, &[])?;
        execute(place, source, &self.options, Acceptance::Given)
    }
}
