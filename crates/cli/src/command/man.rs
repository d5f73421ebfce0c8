//! `man`: pages for the manual.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::{Args, CommandFactory};
use clap_mangen::Man;

use crate::exit::Ending;

#[derive(Args)]
pub(crate) struct Manual {
    /// Write the pages of all commands into this folder instead
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

impl Manual {
    pub(crate) fn run(self) -> Result<Ending> {
        let command = crate::Arguments::command();
        if let Some(folder) = self.to {
            let written = fs::create_dir_all(&folder)
                .and_then(|()| clap_mangen::generate_to(command, &folder));
            written.with_context(|| format!("failed to write pages into {}", folder.display()))?;
            return Ok(Ending::Good);
        }
        let mut page = Vec::new();
        Man::new(command).render(&mut page)?;
        super::data(&String::from_utf8_lossy(&page))?;
        Ok(Ending::Good)
    }
}
