//! One trial's training once more, beside the sweep: nothing is recorded.

use std::path::{self, PathBuf};

use pleach_core::{fact::Checkpoint, plan::Planner};
use pleach_protocol::message::{Fault, FromWorker, Outcome, Start, ToWorker};

use crate::{
    home::Home,
    prepare::{Dialogue, PrepareError, Prepared, device},
    translate,
};

/// What to train again.
#[derive(Clone, Copy, Debug)]
pub struct Again<'a> {
    /// The point of the trial's configuration in the expansion.
    pub point: u64,
    pub seed: u64,
    /// Where to start; absent: from initialisation.
    pub from: Option<&'a Checkpoint>,
    /// The step before which it ends.
    pub end: u64,
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trained {
    /// Evaluations by step, names in alphabetical order.
    pub metrics: Vec<(u64, Vec<(String, f64)>)>,
    /// Of the training state at the end.
    pub digest: String,
}

/// Trains a part of a trial in one go, wherever the sweep cut it. `None` if the sweep file holds no such point.
pub async fn train_again(
    prepared: &Prepared,
    home: &Home,
    again: &Again<'_>,
) -> Result<Option<Trained>, PrepareError> {
    let planner = Planner::new(&prepared.spec, &prepared.program, &prepared.lengths);
    let Some(configuration) = planner.configuration(again.point) else { return Ok(None) };
    let absolute =
        |path: PathBuf| path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned();
    let start = Start {
        first: again.from.map_or(0, |from| from.step),
        end: again.end,
        from: again.from.map(|from| {
            let file = home.attempt(from.attempt).join(&from.file);
            translate::checkpoint_file(from, absolute(file))
        }),
        // Nothing is written.
        directory: absolute(home.folder().to_owned()),
        ..translate::start(&configuration, prepared.description.schedules, again.seed)
    };
    let mut dialogue =
        Dialogue::start(&prepared.runner, device(&prepared.spec))?.within(&prepared.spec);
    dialogue.hello().await?;
    dialogue.say(&ToWorker::Start(Box::new(start)))?;
    let mut trained = Trained::default();
    loop {
        match dialogue.next().await? {
            FromWorker::Metrics(metrics) => {
                trained.metrics.push((metrics.step, translate::values(metrics.values)));
            }
            FromWorker::Finished(finished) => {
                return match finished.outcome {
                    Outcome::Done | Outcome::Early | Outcome::Diverged => {
                        trained.digest = finished.digest;
                        Ok(Some(trained))
                    }
                    Outcome::Stopped => Err(dialogue.unusable("it stopped early, unasked")),
                    Outcome::Failed(why)
                    | Outcome::Fault(Fault { why, .. })
                    | Outcome::Unusable(why) => Err(dialogue.unusable(why)),
                };
            }
            _ => {}
        }
    }
}
