//! `stop`: a running sweep, or one trial of any sweep.

use crate::say::eprintln;
use anyhow::Result;
use clap::Args;
use pleach_core::{event::Request, fact::Fact, life::TrialStatus};
use pleach_engine::{home::Home, inbox, run::wall_time};
use pleach_store::Store;

use crate::{
    exit::{Ending, Failure},
    place::{Chosen, Place, find},
};

#[derive(Args)]
#[command(override_usage = "pleach stop [OPTIONS] [SWEEP] [TRIAL]")]
pub(crate) struct Stop {
    /// The sweep's name or file; the newest if left out. With a trial (its number, the beginning of its key, or `best`), only
    /// that one is stopped, for good
    #[arg(value_name = "SWEEP TRIAL", num_args = 0..=2)]
    words: Vec<String>,
    /// The trial, named as an option
    #[arg(long, value_name = "TRIAL")]
    trial: Option<String>,
    /// Kill what runs instead of letting it save itself
    #[arg(long, conflicts_with = "trial")]
    now: bool,
}

impl Stop {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let words: Vec<String> = self.words.into_iter().chain(self.trial).collect();
        let Chosen { home, reader, trials } = place.chosen(&words, 0)?;
        let request = match (trials.as_slice(), self.now) {
            ([], true) => Request::Kill,
            ([], false) => Request::Stop,
            ([trial], false) => Request::StopTrial(find(&reader, trial)?),
            ([_], true) => {
                let why = "`--now` is for a whole sweep: leave it out to stop a trial";
                return Err(Failure::NeedsAnswer(why.to_owned()).into());
            }
            _ => {
                let why = "one trial is stopped at a time: `pleach stop SWEEP TRIAL`";
                return Err(Failure::NeedsAnswer(why.to_owned()).into());
            }
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
