//! `report`: a sweep's results as a page.

use std::path::{Path, PathBuf};

use crate::say::eprintln;
use anyhow::{Context, Result};
use clap::Args;
use pleach_core::{life::TrialId, rank::rank, sweep::Exactness};
use pleach_engine::{home::write_whole, run::wall_time};
use pleach_store::{Reader, Which};
use pleach_views::report::{self, Source};

use crate::{exit::Ending, place::Place};

/// A page for a browser that needs nothing else: the leaderboard, learning curves, what the parameters did, every
/// schedule, the tree, failures, the sweep file, how to run it again. It is written into the sweep's folder
#[derive(Args)]
pub(crate) struct Report {
    /// The name of the sweep, or its file; the newest if left out
    sweep: Option<String>,
    /// Write the page there instead; - for standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Report {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let (home, reader) = place.reader(self.sweep.as_deref())?;
        // Only beside the attempts a page can lead to them.
        let attempts = self.output.is_none().then_some("attempts");
        let page = page(place, home.name(), &reader, attempts)?;
        if self.output.as_deref() == Some(Path::new("-")) {
            super::data(&page)?;
            return Ok(Ending::Good);
        }
        let path = self.output.unwrap_or_else(|| home.folder().join("report.html"));
        write_whole(&path, page.as_bytes())
            .with_context(|| format!("failed to write {}", path.display()))?;
        eprintln!("wrote {} ({} KiB)", path.display(), page.len().div_ceil(1024));
        Ok(Ending::Good)
    }
}

fn page(place: &Place, name: &str, reader: &Reader, attempts: Option<&str>) -> Result<String> {
    let summary = reader.summary()?;
    let objective = &summary.revision.objective;
    let ranked = rank(reader.rows(Which::Current)?, objective.goal);
    let trials: Vec<TrialId> =
        ranked.iter().flat_map(|it| it.row.trials.iter().map(|result| result.trial)).collect();
    let mut names = reader.metric_names()?;
    names.sort_by_key(|name| *name != objective.metric);
    let shown = names.len().min(report::most_metrics(ranked.len()));
    let metrics_left = names.split_off(shown).len();
    let curves = reader.curves_of_each(&trials, &names)?;
    let by_trial = curves.into_iter().map(|curves| trials.iter().copied().zip(curves).collect());
    let metrics: Vec<_> = names.into_iter().zip(by_trial).collect();
    let efforts = trials.iter().copied().zip(reader.efforts(&trials)?).collect();
    let prepared = super::prepared(place, &summary.revision.file, &summary.revision.text);
    // What cannot be asked promises nothing.
    let is_exact = prepared.as_ref().is_ok_and(|prepared| prepared.description.exact);
    let exactness = if is_exact { Exactness::Exact } else { Exactness::Loose };
    let plan = prepared.map(|prepared| prepared.plan).map_err(|error| error.to_string());
    if let Err(why) = &plan {
        eprintln!("the schedules are left out: {why}");
    }
    Ok(report::html(&Source {
        name,
        summary: &summary,
        ranked: &ranked,
        metrics: &metrics,
        metrics_left,
        efforts: &efforts,
        attempts,
        exactness,
        plan: plan.as_ref().map_err(String::as_str),
        branches: &reader.branches(objective.goal)?,
        failures: &reader.failures(usize::MAX)?,
        provenances: &reader.provenances()?,
        version: env!("CARGO_PKG_VERSION"),
        made: wall_time(),
    }))
}
