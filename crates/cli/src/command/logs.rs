//! `logs`: what workers wrote while they ran a trial.

use crate::say::eprintln;
use anyhow::Result;
use clap::Args;
use pleach_engine::logs;

use crate::{
    exit::Ending,
    place::{Chosen, Place, trial},
};

#[derive(Args)]
#[command(override_usage = "pleach logs [OPTIONS] [SWEEP] TRIAL")]
pub(crate) struct Logs {
    /// The sweep's name or file (the newest if left out), and the trial: its number, the beginning of its key, or `best`;
    /// SWEEP/TRIAL names both
    #[arg(value_name = "SWEEP TRIAL", required = true, num_args = 1..=2)]
    words: Vec<String>,
}

impl Logs {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let Chosen { home, reader, trials } = place.chosen(&self.words, 1)?;
        let detail = trial(&reader, &trials[0])?;
        let mut is_empty = true;
        for attempt in detail.path.iter().flat_map(|stage| &stage.attempts) {
            if let Some(bytes) = logs::read(&home, attempt.attempt) {
                is_empty = false;
                eprintln!("attempt {}:", attempt.attempt.0);
                super::print(&shown(&String::from_utf8_lossy(&bytes)))?;
            }
        }
        if is_empty {
            eprintln!("trial {} has written nothing", detail.trial.0);
        }
        Ok(Ending::Good)
    }
}

/// A progress bar's `\r` ends a line, and what a program coloured does not colour what stands below.
fn shown(log: &str) -> String {
    let lines = log.replace("\r\n", "\n").replace('\r', "\n");
    if lines.contains('\u{1b}') { format!("{}\u{1b}[0m\n", lines.trim_end()) } else { lines }
}
