//! `logs`: what workers wrote while they ran a trial.

use std::fs;

use crate::say::eprintln;
use anyhow::Result;
use clap::Args;
use pleach_engine::logs::LOG;

use crate::{
    exit::Ending,
    place::{Place, trial},
};

#[derive(Args)]
pub(crate) struct Logs {
    /// The name of the sweep
    sweep: String,
    /// The trial's number, or the beginning of its key
    trial: String,
}

impl Logs {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let (home, reader) = place.reader(&self.sweep)?;
        let detail = trial(&reader, &self.trial)?;
        let mut is_empty = true;
        for attempt in detail.path.iter().flat_map(|stage| &stage.attempts) {
            if let Ok(bytes) = fs::read(home.attempt(attempt.attempt).join(LOG)) {
                is_empty = false;
                eprintln!("attempt {}:", attempt.attempt.0);
                super::print(&String::from_utf8_lossy(&bytes))?;
            }
        }
        if is_empty {
            eprintln!("trial {} has written nothing", detail.trial.0);
        }
        Ok(Ending::Good)
    }
}
