//! `init`: a commented sweep file.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use crate::say::eprintln;
use anyhow::{Context, Result};
use clap::Args;
use pleach_core::spec::{TEMPLATE, schema};

use crate::exit::{Ending, Failure};

/// As the template names it.
const SCHEMA: &str = "sweep.schema.json";

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
                    ErrorKind::AlreadyExists => {
                        Failure::NeedsAnswer(format!("{path} is already there; name another file"))
                            .into()
                    }
                    _ => anyhow::Error::new(error).context(format!("failed to write {path}")),
                }
            })?;
        file.write_all(TEMPLATE.as_bytes()).with_context(|| format!("failed to write {path}"))?;
        schema_beside(&self.file)?;
        eprintln!(
            "wrote {path}; see what it would do with `pleach plan {path}`, run it with `pleach run {path}`"
        );
        Ok(Ending::Good)
    }
}

/// The schema that the first line of the file names, for editors. One that is there stays.
fn schema_beside(file: &Path) -> Result<()> {
    let path = file.with_file_name(SCHEMA);
    match OpenOptions::new().write(true).create_new(true).open(&path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        file => file
            .and_then(|mut file| file.write_all(schema().as_bytes()))
            .with_context(|| format!("failed to write {}", path.display())),
    }
}
