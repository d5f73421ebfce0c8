//! `data fetch`: the worker program knows its data sets and gets them; a plain run opens no network sockets.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Subcommand;

use crate::{exit::Ending, place::Place};

#[derive(Subcommand)]
pub(crate) enum Data {
    /// Download data sets; go on where an earlier try broke off
    Fetch {
        /// mnist, fashion-mnist, or all
        #[arg(required = true, value_name = "DATASET")]
        names: Vec<String>,
    },
}

impl Data {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let Self::Fetch { names } = self;
        let program = pleach_engine::program::find(place.worker.as_deref())?;
        let data = place.data.clone().unwrap_or_else(|| PathBuf::from("data"));
        let status = std::process::Command::new(&program)
            .arg("fetch")
            .args(names)
            .arg("--data")
            .arg(data)
            .status()
            .with_context(|| format!("failed to start {}", program.display()))?;
        match status.code() {
            Some(0) => Ok(Ending::Good),
            code => Ok(Ending::Code(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))),
        }
    }
}
