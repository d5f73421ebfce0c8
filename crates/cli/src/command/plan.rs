//! `plan`: what would run.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use pleach_core::spec::ProgramSpec;
use pleach_engine::{
    home::Home,
    prepare::{self, Prepared},
    run::cores,
};
use pleach_files::{self as files, Link};
use pleach_store::Reader;
use pleach_views::{
    measured::{self, Judgement},
    plan::{self, Difference, Existing, Extent},
};

use super::run::warn;
use crate::{
    exit::{self, Ending, Failure},
    place::Place,
    source::Source,
};

#[derive(Args)]
pub(crate) struct Plan {
    /// A sweep file, or the name of a sweep that was run before; the newest of those if left out
    sweep: Option<String>,
    /// Override a key of the file: trainer.budget=1ep
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Every configuration and every schedule
    #[arg(long)]
    all: bool,
    /// Show instead what your own program would measure if it said what is in this file
    #[arg(long, value_name = "FILE")]
    check_metrics: Option<PathBuf>,
    #[command(flatten)]
    drawing: super::Drawing,
}

impl Plan {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let mut source = Source::read(place, self.sweep.as_deref(), &self.set)?;
        if let Some(sample) = &self.check_metrics {
            return check_metrics(&source, sample);
        }
        let prepared = source.prepare(place)?;
        warn(&prepared);
        let home = Home::new(&place.runs, &prepared.spec.name)?;
        let extent = if self.all {
            Extent { configurations: 0, schedules: 0 }
        } else {
            Extent { configurations: 12, schedules: 12 }
        };
        let reader = if home.exists() { Some(Reader::open(&home.database())?) } else { None };
        let begun = reader.as_ref().map(Reader::begun).transpose()?.unwrap_or_default();
        let tree = prepared.plan.tree(&begun.into_iter().collect());
        let existing = reader.map(|reader| existing(&reader, &prepared)).transpose()?;
        let Prepared { spec, plan, .. } = &prepared;
        super::print(&plan::text(
            spec,
            plan,
            &tree,
            existing.as_ref(),
            extent,
            super::columns(),
            self.drawing.style(5),
        ))?;
        Ok(Ending::Good)
    }
}

/// The longest output of a program that is read to try a pattern on it.
const MAX_SAMPLE: u64 = 256 << 20;

fn check_metrics(source: &Source, sample: &Path) -> Result<Ending> {
    let spec = prepare::read(&source.name, &source.text)?;
    let ProgramSpec::Command(command) = &spec.program else {
        let message = "this sweep has no [command]: a worker program says what it measures itself";
        return Err(Failure::Invalid(message.to_owned()).into());
    };
    let form = command.metrics.parse().context("failed to read `metrics`")?;
    let sample = files::read(sample, Link::Follow, MAX_SAMPLE)
        .map_err(|error| Failure::NotFound(format!("cannot read {}: {error}", sample.display())))?;
    let (shown, judgement) =
        measured::text(form, &spec.objective.metric, command.strictness, &sample);
    super::print(&shown)?;
    Ok(match judgement {
        Judgement::Good => Ending::Good,
        Judgement::Bad => Ending::Code(exit::INVALID),
    })
}

fn existing(reader: &Reader, prepared: &Prepared) -> Result<Existing> {
    let difference = reader.compare(&prepared.plan.keys())?;
    let pleach_store::Difference { added, kept, removed } = difference;
    let slots = &prepared.spec.run.slots;
    Ok(Existing {
        difference: Difference { added, kept, removed },
        pace: reader.pace()?,
        at_once: slots.count(cores()).saturating_mul(prepared.plan.lanes(&prepared.spec.run)),
    })
}
