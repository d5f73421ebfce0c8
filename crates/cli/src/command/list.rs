//! `list`: all sweeps.

use anyhow::Result;
use clap::Args;
use pleach_core::life::TrialStatus;
use pleach_engine::{
    home::Home,
    live,
    run::{Stopping, wall_time},
};
use pleach_store::Reader;
use pleach_views::list::{State, Sweep, table};

use crate::{exit::Ending, place::Place};

#[derive(Args)]
pub(crate) struct List {}

impl List {
    #[expect(clippy::unused_self, reason = "a command like the others")]
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let sweeps =
            place.names().into_iter().map(|name| Ok(sweep(&Home::new(&place.runs, &name)?)));
        let sweeps = sweeps.collect::<Result<Vec<_>>>()?;
        super::print(&table(&sweeps))?;
        Ok(Ending::Good)
    }
}

fn sweep(home: &Home) -> Sweep {
    let name = home.name().to_owned();
    let summary = Reader::open(&home.database())
        .map_err(|error| error.to_string())
        .and_then(|reader| reader.summary().map_err(|error| error.to_string()));
    match summary {
        Err(why) => {
            Sweep { name, done: 0, trials: 0, failed: 0, state: State::Unreadable(why), age: None }
        }
        Ok(summary) => {
            let count = |status| {
                summary.trials.iter().find(|(other, _)| *other == status).map_or(0, |(_, n)| *n)
            };
            let waiting = count(TrialStatus::Waiting);
            let trials: u64 = summary.trials.iter().map(|(_, n)| n).sum();
            let state = match live::look(home) {
                Some(seen) if seen.stopping != Stopping::No => State::Stopping,
                Some(seen) if seen.progress.is_paused => State::Paused,
                None if !home.is_running() && waiting == 0 => State::Complete,
                None if !home.is_running() => State::Interrupted,
                _ => State::Running,
            };
            let changed = summary.changed.unwrap_or(summary.accepted);
            let age = (wall_time().0 - changed.0).max(0) as f64 / 1000.0;
            Sweep {
                name,
                done: trials - waiting,
                trials,
                failed: count(TrialStatus::Failed),
                state,
                age: Some(age),
            }
        }
    }
}
