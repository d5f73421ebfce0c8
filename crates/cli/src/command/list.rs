//! `list`: all sweeps.

use anyhow::Result;
use clap::Args;
use pleach_core::{diagnostic::suggest, life::TrialStatus, plain::within};
use pleach_engine::{
    home::Home,
    live,
    run::{Stopping, wall_time},
};
use pleach_store::{Reader, Summary};
use pleach_views::{
    format::number,
    list::{State, Sweep, table},
};

use crate::{
    exit::{Ending, Failure},
    place::{Place, best},
};

#[derive(Args)]
pub(crate) struct List {
    /// Further metrics beside the objective, of the best trial: `--metrics val_loss,train_loss`
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    metrics: Vec<String>,
}

impl List {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let homes = place.names().into_iter().map(|name| Home::new(&place.runs, &name));
        let homes = homes.collect::<Result<Vec<_>, _>>()?;
        self.check(&homes)?;
        let sweeps: Vec<Sweep> = homes.iter().map(|home| sweep(home, &self.metrics)).collect();
        super::print(&table(&sweeps, Some(super::columns())))?;
        Ok(Ending::Good)
    }

    /// Whether each metric was measured in one of the sweeps.
    fn check(&self, homes: &[Home]) -> Result<()> {
        let readers = homes.iter().filter_map(|home| Reader::open(&home.database()).ok());
        let known: Vec<String> = match self.metrics.len() {
            0 => return Ok(()),
            _ => readers.flat_map(|reader| reader.metric_names().unwrap_or_default()).collect(),
        };
        let Some(unknown) = self.metrics.iter().find(|name| !known.contains(name)) else {
            return Ok(());
        };
        let help = suggest(unknown, known.iter().map(String::as_str));
        Err(Failure::NeedsAnswer(format!("no trial has measured `{unknown}`: {help}")).into())
    }
}

fn sweep(home: &Home, metrics: &[String]) -> Sweep {
    let name = home.name().to_owned();
    let read = || {
        anyhow::Ok({
            let reader = Reader::open(&home.database())?;
            let summary = reader.summary()?;
            (reader, summary)
        })
    };
    match read() {
        Err(why) => Sweep {
            name,
            done: 0,
            trials: 0,
            failed: 0,
            share: None,
            best: None,
            metrics: Vec::new(),
            seconds: None,
            state: State::Unreadable(why.to_string()),
            age: None,
        },
        Ok((reader, summary)) => {
            let count = |status| {
                summary.trials.iter().find(|(other, _)| *other == status).map_or(0, |(_, n)| *n)
            };
            let waiting = count(TrialStatus::Waiting);
            let trials: u64 = summary.trials.iter().map(|(_, n)| n).sum();
            let live = live::look(home);
            let share = live.as_ref().and_then(|seen| seen.progress.share());
            let state = match live {
                Some(seen) if seen.stopping != Stopping::No => State::Stopping,
                Some(seen) if seen.progress.is_paused => State::Paused,
                None if !home.is_running() && waiting == 0 => State::Complete,
                None if !home.is_running() => State::Interrupted,
                _ => State::Running,
            };
            let changed = summary.changed.unwrap_or(summary.accepted);
            let age = (wall_time().0 - changed.0).max(0) as f64 / 1000.0;
            let (best, metrics) = results(&reader, &summary, metrics);
            Sweep {
                name,
                done: trials - waiting,
                trials,
                failed: count(TrialStatus::Failed),
                share,
                best,
                metrics,
                seconds: seconds(&reader, trials),
                state,
                age: Some(age),
            }
        }
    }
}

/// How long it trained. Of very many trials that would take longer than anybody waits for a list.
fn seconds(reader: &Reader, trials: u64) -> Option<f64> {
    const TRIALS: u64 = 20_000;
    (trials <= TRIALS)
        .then(|| reader.pace().ok())
        .flatten()
        .map(|it| it.milliseconds as f64 / 1000.0)
}

/// The best result, and further metrics of its trial. A sweep without one has none.
fn results(
    reader: &Reader,
    summary: &Summary,
    metrics: &[String],
) -> (Option<String>, Vec<(String, Option<f64>)>) {
    let none = || metrics.iter().map(|name| (name.clone(), None)).collect();
    let Ok(trial) = best(reader) else { return (None, none()) };
    let Ok(Some(detail)) = reader.trial(trial) else { return (None, none()) };
    let metric = within(&summary.revision.objective.metric, 24).into_owned();
    let shown = detail.objective.map(|value| format!("{metric} {}", number(value, 4)));
    let last = |name: &String| (name.clone(), detail.curve(name).last().map(|(_, value)| *value));
    (shown, metrics.iter().map(last).collect())
}
