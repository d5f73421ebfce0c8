//! `resume`: go on with a sweep as it was accepted.

use anyhow::Result;
use clap::Args;

use super::run::{Options, execute};
use crate::accept::Acceptance;
use crate::{exit::Ending, place::Place, source::Source};

#[derive(Args)]
pub(crate) struct Resume {
    /// The name of the sweep, or its file; the newest if left out
    sweep: Option<String>,
    #[command(flatten)]
    options: Options,
}

impl Resume {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let source = Source::of_sweep(&place.home(self.sweep.as_deref())?)?;
        execute(place, source, &self.options, Acceptance::Nothing)
    }
}
