//! `init`: a commented sweep file.

use std::{fs::OpenOptions, io::Write, path::PathBuf};

use crate::say::eprintln;
use anyhow::{Context, Result};
use clap::Args;
use pleach_core::spec::TEMPLATE;

use crate::exit::{Ending, Failure};

#[derive(Args)]
pub(crate) struct Init {
    /// Where to write it; nothing is overwritten
    #[arg(default_value = "sweep.toml")]
    file: PathBuf,
}

impl Init {
    pub(crate) fn run(self) -> Result<Ending> {
        let path = self.file.display();
        let mut file =
            OpenOptions::new().write(true).create_new(true).open(&self.file).map_err(|error| {
                match error.kind() {
                    std::io::ErrorKind::AlreadyExists => {
                        Failure::NeedsAnswer(format!("{path} is already there; name another file"))
                            .into()
                    }
                    _ => anyhow::Error::new(error).context(format!("failed to write {path}")),
                }
            })?;
        file.write_all(TEMPLATE.as_bytes()).with_context(|| format!("failed to write {path}"))?;
        eprintln!(
            "wrote {path}; see what it would do with `pleach plan {path}`, run it with `pleach run {path}`"
        );
        Ok(Ending::Good)
    }
}
