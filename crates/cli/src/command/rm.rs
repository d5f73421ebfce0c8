//! `rm`: a sweep and all that came out of it.

use std::fs;

use crate::say::eprintln;
use anyhow::{Context, Result};
use clap::Args;

use super::run::confirm;
use crate::{
    exit::{Ending, Failure},
    place::Place,
};

#[derive(Args)]
pub(crate) struct Rm {
    /// The name of the sweep, or its file; the newest if left out. It must not be running
    sweep: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl Rm {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        if self.sweep.is_none() && self.yes {
            let why = "--yes removes only what is named: give the sweep's name";
            return Err(Failure::NeedsAnswer(why.to_owned()).into());
        }
        let home = place.home(self.sweep.as_deref())?;
        let _lock = home.lock()?;
        let folder = home.folder().display();
        if !self.yes && !confirm(&format!("remove {folder} and all its results?"))? {
            return Err(Failure::NeedsAnswer(format!(
                "nothing was removed; say --yes to remove {folder}"
            ))
            .into());
        }
        fs::remove_dir_all(home.folder()).with_context(|| format!("failed to remove {folder}"))?;
        eprintln!("removed {folder}");
        Ok(Ending::Good)
    }
}
