//! `stop`: a running sweep, or one trial of any sweep.

use crate::say::eprintln;
use anyhow::Result;
use clap::Args;
use pleach_core::{event::Request, fact::Fact, life::TrialStatus};
use pleach_engine::{home::Home, inbox, run::wall_time};
use pleach_store::Store;

use crate::{exit::Ending, place::Place};

#[derive(Args)]
pub(crate) struct Stop {
    /// The name of the sweep
    sweep: String,
    /// Stop only this trial, for good: its number, or the beginning of its key
    #[arg(long, value_name = "TRIAL")]
    trial: Option<String>,
    /// Kill what runs instead of letting it save itself
    #[arg(long, conflicts_with = "trial")]
    now: bool,
}

impl Stop {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let (home, reader) = place.reader(&self.sweep)?;
        let trial = self.trial.map(|text| reader.find(&text)).transpose()?;
        let request = match (trial, self.now) {
            (Some(trial), _) => Request::StopTrial(trial),
            (None, true) => Request::Kill,
            (None, false) => Request::Stop,
        };
        eprintln!("{}", stop(&home, &request)?);
        Ok(Ending::Good)
    }
}

/// Asks whoever runs the sweep; if nobody does, a trial is stopped here. What is to be said of it.
pub(super) fn stop(home: &Home, request: &Request) -> Result<String> {
    let name = home.name();
    if home.is_running() {
        inbox::put(home, request)?;
        return Ok(format!("asked; go on later with `pleach resume {name}`"));
    }
    let &Request::StopTrial(trial) = request else {
        return Ok(format!("the sweep `{name}` is not running"));
    };
    let _lock = home.lock()?;
    let mut store = Store::open(&home.database())?;
    let is_open =
        store.load()?.trials.iter().any(|other| other.id == trial && !other.status.is_terminal());
    if !is_open {
        return Ok(format!("trial {} has ended already", trial.0));
    }
    let stopped = Fact::Trial { trial, status: TrialStatus::Stopped, objective: None };
    store.commit(&[stopped], wall_time())?;
    Ok(format!("trial {} is stopped", trial.0))
}
