//! `verify`: a trial trained once more, and compared with what is recorded.

use anyhow::Result;
use clap::Args;
use pleach_core::{fact::Checkpoint, life::StageStatus};
use pleach_engine::{
    home::Home,
    program::Runner,
    provenance::data,
    verify::{Again, train_again},
};
use pleach_store::{Store, TrialDetail};
use pleach_views::verify::Comparison;

use crate::{
    exit::{Ending, Failure},
    place::{Chosen, Place, trial},
};

#[derive(Args)]
#[command(override_usage = "pleach verify [OPTIONS] [SWEEP] TRIAL")]
pub(crate) struct Verify {
    /// The sweep's name or file (the newest if left out; it must not be running), and the trial: its number, the beginning of its key, or `best`;
    /// SWEEP/TRIAL names both
    #[arg(value_name = "SWEEP TRIAL", required = true, num_args = 1..=2)]
    words: Vec<String>,
    /// Start from the last checkpoint that is not after this step, instead of from the beginning
    #[arg(long, value_name = "STEP", default_value_t = 0)]
    from: u64,
}

impl Verify {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let Chosen { home, reader, trials } = place.chosen(&self.words, 1)?;
        let detail = trial(&reader, &trials[0])?;
        let id = detail.trial;
        let none = |why: &str| Failure::NotFound(format!("trial {} {why}", id.0));
        let (point, recorded) = {
            let _lock = home.lock()?;
            let loaded = Store::open(&home.database())?.load()?;
            (loaded.points.get(&id).copied(), loaded.revision.numerics)
        };
        let point = point.ok_or_else(|| none("is not in the current sweep file"))?;
        let ended = |status| matches!(status, StageStatus::Done | StageStatus::Diverged);
        let last = detail.path.iter().take_while(|stage| ended(stage.status)).last();
        let last = last.ok_or_else(|| none("has no result yet that could be compared"))?;
        let from = newest(&detail, &home, self.from.min(last.end - 1));

        let file = home.sweep_file().display().to_string();
        let prepared = super::prepared(place, &file, &home.read_sweep_file()?)?;
        if matches!(prepared.runner, Runner::Command { .. }) {
            return Err(Failure::Invalid(
                "a program of your own writes what it likes where it likes: `verify` trains only what a worker program does. `retry` runs the trial again"
                    .to_owned(),
            )
            .into());
        }
        let planned =
            prepared.plan.trials.iter().find(|it| (it.point, it.seed) == (point, detail.seed));
        if planned.is_some_and(|planned| planned.key != detail.key) {
            let now = data(&prepared).unwrap_or_default();
            return Err(Failure::Invalid(format!(
                "trial {} was trained on other data than there is now ({now}), so nothing can be compared; put its data back",
                id.0
            ))
            .into());
        }
        let again = Again { point, seed: detail.seed, from, end: last.end };
        let trained = super::block_on(async { Ok(train_again(&prepared, &home, &again).await?) })?;
        let trained = trained.ok_or_else(|| none("is not in the current sweep file"))?;
        let comparison = Comparison {
            trial: &detail,
            steps: (from.map_or(0, |from| from.step), last.end),
            digests: (&last.digest, &trained.digest),
            numerics: (&recorded, &prepared.program.numerics),
            metrics: &trained.metrics,
        };
        super::print(&comparison.text())?;
        Ok(if comparison.is_equal() { Ending::Good } else { Ending::Code(1) })
    }
}

/// The last training state of a trial on disk that is not after `step`.
fn newest<'a>(detail: &'a TrialDetail, home: &Home, step: u64) -> Option<&'a Checkpoint> {
    let checkpoints = detail.path.iter().flat_map(|stage| &stage.checkpoints);
    checkpoints
        .filter(|checkpoint| checkpoint.step <= step)
        .filter(|checkpoint| home.attempt(checkpoint.attempt).join(&checkpoint.file).is_file())
        .max_by_key(|checkpoint| checkpoint.step)
}
