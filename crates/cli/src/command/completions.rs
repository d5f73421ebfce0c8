//! `completions`: for shells.

use anyhow::Result;
use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::exit::Ending;

#[derive(Args)]
pub(crate) struct Completions {
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Result<Ending> {
        let mut script = Vec::new();
        generate(self.shell, &mut crate::Arguments::command(), "pleach", &mut script);
        super::data(&String::from_utf8_lossy(&script))?;
        Ok(Ending::Good)
    }
}
