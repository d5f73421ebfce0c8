//! `show`: everything about a trial.

use anyhow::Result;
use clap::Args;
use pleach_engine::{command::shown::invocations, home::Home};
use pleach_store::TrialDetail;
use pleach_views::show;

use super::board::check_metrics;
use crate::{
    exit::{Ending, Failure},
    place::{Chosen, Place, trial},
    single::Single,
};

#[derive(Args)]
#[command(override_usage = "pleach show [OPTIONS] [SWEEP] TRIAL")]
pub(crate) struct Show {
    /// The sweep's name or file (the newest if left out), and the trial: its number, the beginning of its key, or `best`;
    /// SWEEP/TRIAL names both
    #[arg(value_name = "SWEEP TRIAL", required = true, num_args = 1..=2)]
    words: Vec<String>,
    /// Only these metrics: `--metrics val_loss,train_loss`
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    metrics: Vec<String>,
    /// Print how the code that it ran differed from the commit that is named, for `git apply`
    #[arg(long)]
    difference: bool,
    /// Print what runs this trial alone: of a program of your own its command line, with its folder and what it is told in
    /// its environment; else a sweep file, for `pleach run`
    #[arg(long, conflicts_with = "difference")]
    command: bool,
    #[command(flatten)]
    drawing: super::Drawing,
}

impl Show {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let Chosen { home, reader, trials } = place.chosen(&self.words, 1)?;
        let revision = reader.revision()?;
        let detail = trial(&reader, &trials[0])?;
        if self.command {
            super::data(&command(place, &home, &detail)?)?;
            return Ok(Ending::Good);
        }
        let attempts = detail.path.iter().flat_map(|stage| &stage.attempts);
        let last = attempts.map(|attempt| attempt.started).max();
        let provenance = last.map(|last| reader.provenance(last)).transpose()?.flatten();
        if self.difference {
            let difference = provenance.and_then(|it| it.difference).ok_or_else(|| {
                Failure::NotFound("no difference from a commit is recorded".to_owned())
            })?;
            super::data(&difference)?;
            return Ok(Ending::Good);
        }
        check_metrics(&reader, &self.metrics)?;
        let budgets = super::budgets(&revision);
        let style = self.drawing.style(8);
        super::print(&show::text(
            &detail,
            &revision.objective,
            &budgets,
            &self.metrics,
            super::columns(),
            style,
        ))?;
        if let Some(provenance) = provenance {
            super::print(&format!("\n{}", show::provenance(&provenance)))?;
        }
        Ok(Ending::Good)
    }
}

/// What runs a trial alone.
fn command(place: &Place, home: &Home, detail: &TrialDetail) -> Result<String> {
    let single = Single::find(place, home, detail)?;
    let Some(invocations) = invocations(&single.prepared, home, single.point, detail) else {
        return Ok(single.file(place));
    };
    let texts = invocations
        .map_err(Failure::Invalid)?
        .iter()
        .map(|it| show::command(&it.directory, &it.environment, &it.arguments))
        .collect::<Vec<_>>();
    Ok(texts.join("\n"))
}
