//! `schema`: for editors.

use anyhow::Result;
use clap::Args;

use crate::exit::Ending;

#[derive(Args)]
pub(crate) struct Schema {}

impl Schema {
    #[expect(clippy::unused_self, reason = "a command like the others")]
    pub(crate) fn run(self) -> Result<Ending> {
        super::data(&pleach_core::spec::schema())?;
        Ok(Ending::Good)
    }
}
