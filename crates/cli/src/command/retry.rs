//! `retry`: new generations of trials that ended; the old ones stay beside them.

use std::collections::BTreeSet;

use crate::say::eprintln;
use anyhow::Result;
use clap::Args;
use pleach_core::{
    event::Request,
    life::{Trial, TrialId, TrialStatus},
};
use pleach_engine::{
    home::Home,
    inbox,
    provenance::{PROGRAM, program},
    run::wall_time,
};
use pleach_store::{Reader, Store};

use crate::{
    exit::{Ending, Failure},
    place::{Chosen, Place, find},
};

#[derive(Args)]
#[command(override_usage = "pleach retry [OPTIONS] [SWEEP] [TRIAL]...")]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub(crate) struct Retry {
    /// The sweep's name or file (the newest if left out; it may be running), and trials: their numbers, the beginnings of
    /// their keys, or `best`
    #[arg(value_name = "SWEEP TRIALS", required_unless_present_any = ["failed", "diverged", "stopped", "changed"])]
    words: Vec<String>,
    /// All that failed
    #[arg(long)]
    failed: bool,
    /// All that diverged
    #[arg(long)]
    diverged: bool,
    /// All that were stopped
    #[arg(long)]
    stopped: bool,
    /// All that were made by a program that has changed since
    #[arg(long)]
    changed: bool,
}

impl Retry {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let any_kind = self.failed || self.diverged || self.stopped || self.changed;
        let least = usize::from(!any_kind);
        let Chosen { home, reader, trials } = place.chosen(&self.words, least)?;
        let named = trials.iter().map(|text| find(&reader, text)).collect::<Result<Vec<_>>>()?;
        let is_chosen = |status: TrialStatus| match status {
            TrialStatus::Failed => self.failed,
            TrialStatus::Diverged => self.diverged,
            TrialStatus::Stopped => self.stopped,
            TrialStatus::Waiting | TrialStatus::Done => false,
        };
        let said = retry(&home, |all| {
            let mut trials = named;
            trials.extend(all.iter().filter(|trial| is_chosen(trial.status)).map(|it| it.id));
            if self.changed {
                let revision = reader.revision()?;
                let now = program(&super::prepared(place, &revision.file, &revision.text)?);
                let made_by = reader.made_by(PROGRAM)?.into_iter();
                let is_changed = |programs: &BTreeSet<String>| programs.iter().any(|it| *it != now);
                trials.extend(made_by.filter(|(_, by)| is_changed(by)).map(|(trial, _)| trial));
            }
            Ok(trials)
        })?;
        eprintln!("{said}");
        Ok(Ending::Good)
    }
}

/// Makes new generations of those that are chosen of all trials, or has whoever runs the sweep make them; what is to be said of
/// it.
pub(super) fn retry(
    home: &Home,
    choose: impl FnOnce(&[Trial]) -> Result<Vec<TrialId>>,
) -> Result<String> {
    let database = home.database();
    let loaded = Reader::open(&database)?.load()?;
    let trials = choose(&loaded.trials)?;
    if trials.is_empty() {
        return Err(Failure::NotFound("there are no such trials".to_owned()).into());
    }
    let n = loaded.ended(&trials, &database)?.len();
    let will = if n == 1 { "trial will" } else { "trials will" };
    if home.is_running() && inbox::reaches(home, &Request::Retry(trials.clone()))? {
        return Ok(format!("asked: {n} {will} run again"));
    }
    let _lock = home.lock()?;
    Store::open(&database)?.retry(&trials, wall_time())?;
    Ok(format!("{n} {will} run again: go on with `pleach resume {}`", home.name()))
}
