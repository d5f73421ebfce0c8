//! One trial with everything that is worth keeping of it.

use std::{fs, path::Path};

use crate::say::eprintln;
use anyhow::{Context, Result};
use pleach_core::plan::{Configuration, Scheduled};
use pleach_engine::home::{Home, write_whole};
use pleach_files::{self as files, Link};
use pleach_schedule::snippet::{Framework, Optimizer, TABLE};
use pleach_store::{Reader, TrialDetail};
use pleach_views::{
    export,
    schedule::{self, Named},
};

use crate::{place::Place, single::Single};

/// Writes its sweep file, parameters and metrics, schedules and weights.
pub(super) fn write(
    place: &Place,
    home: &Home,
    reader: &Reader,
    detail: &TrialDetail,
    folder: &Path,
) -> Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("failed to make the folder {}", folder.display()))?;
    let mut files = vec![("trial.json".to_owned(), export::trial_json(detail).into_bytes())];
    match Single::find(place, home, detail) {
        Ok(single) => {
            files.push(("sweep.toml".to_owned(), single.file(place).into_bytes()));
            files.extend(single.configuration().iter().flat_map(schedules));
        }
        Err(error) => eprintln!("its sweep file and schedule are left out: {error}"),
    }
    let metric = reader.revision()?.objective.metric;
    match weights(home, detail, &metric)? {
        Some(weights) => files.push(("weights.safetensors".to_owned(), weights)),
        None => eprintln!(
            "the weights of trial {} are not on disk: its worker program keeps none, or `[run] keep` is too small",
            detail.trial.0
        ),
    }
    for (name, bytes) in &files {
        let path = folder.join(name);
        write_whole(&path, bytes).with_context(|| format!("failed to write {}", path.display()))?;
    }
    eprintln!("wrote trial {} into {}", detail.trial.0, folder.display());
    Ok(())
}

/// A worker program's checkpoints are read whole.
const MAX_WEIGHTS: u64 = 64 << 30;

/// Those at its end. A trial judged by the average of its weights is that average.
fn weights(home: &Home, detail: &TrialDetail, metric: &str) -> Result<Option<Vec<u8>>> {
    let last = detail.path.last().and_then(|stage| Some((stage.end, stage.checkpoints.last()?)));
    let Some((_, checkpoint)) = last.filter(|(end, checkpoint)| *end == checkpoint.step) else {
        return Ok(None);
    };
    let from = home.attempt(checkpoint.attempt).join(&checkpoint.file);
    let file = files::read(&from, Link::Follow, MAX_WEIGHTS)
        .with_context(|| format!("failed to read {}", from.display()))?;
    let average = if metric.starts_with("avg_") { export::averaged(&file) } else { None };
    Ok(Some(average.unwrap_or(file)))
}

/// That of the trial, as far as code has it.
pub(crate) fn optimizer(configuration: &Configuration) -> Optimizer {
    let told = configuration.worker.get("optimizer").or(configuration.parameters.get("optimizer"));
    let name = told.map(ToString::to_string).unwrap_or_default();
    Optimizer::named(&name).unwrap_or_default()
}

/// Files with the learning rate as a table and as code, and with every other parameter that follows a schedule as a table.
fn schedules(configuration: &Configuration) -> Vec<(String, Vec<u8>)> {
    let steps = configuration.length.steps;
    let named = |name: &str, scheduled: &Scheduled| Named {
        name: name.to_owned(),
        scheduled: scheduled.clone(),
    };
    let mut files = Vec::new();
    if let Some(scheduled) = &configuration.schedule {
        let rate = named("learning_rate", scheduled);
        files.push((TABLE.to_owned(), schedule::csv(std::slice::from_ref(&rate), steps)));
        let optimizer = optimizer(configuration);
        files.extend(Framework::ALL.map(|framework| {
            let name = format!("schedule_{}.{}", framework.name(), framework.extension());
            (name, schedule::snippet(&rate, steps, (framework, optimizer)))
        }));
    }
    for (name, scheduled) in &configuration.profiles {
        let values = schedule::csv(&[named(name, scheduled)], steps);
        files.push((format!("schedule_{name}.csv"), values));
    }
    files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect()
}
