//! `run`: from a file to a leaderboard. The same file again goes on; an edited one adds what is missing, after the
//! difference was shown and accepted.

use crate::say::eprintln;
use anyhow::Result;
use clap::Args;
use pleach_core::{command::Finish, diagnostic::Color, spec::read_time};
use pleach_engine::{
    groups::{Limits, can_limit},
    home::Home,
    prepare::{self, Prepared},
    program::Runner,
    reuse::Others,
    run::{Job, run},
};
use pleach_store::{Reader, Store};
use pleach_views::{format::plural, plan::headline, warnings};

use super::{block_on, board, retest::retest};
use crate::{
    accept::{Acceptance, Asked, accept, begin_anew},
    exit::{self, Ending, Failure},
    place::Place,
    progress::Shown,
    source::Source,
};

#[derive(Args)]
pub(crate) struct Run {
    /// A sweep file, or the name of a sweep that was run before; the newest of those if left out
    sweep: Option<String>,
    #[command(flatten)]
    options: Options,
    /// Override a key of the file: trainer.budget=1ep
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Accept without asking what has changed: the file, the data, the program
    #[arg(long)]
    accept: bool,
    /// When all is done, train so many of the best again with fresh seeds, as a sweep NAME-retest: a winner's own
    /// result is flattered by having been chosen
    #[arg(long, value_name = "N", conflicts_with = "first")]
    retest: Option<usize>,
}

/// What `run` and `resume` have in common.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Run only so many configurations, the first: a smoke test
    #[arg(long, value_name = "N")]
    first: Option<usize>,
    /// Stop after so long (90s, 30min, 2h); what is left waits for the next run
    #[arg(long, value_name = "TIME", value_parser = time)]
    limit: Option<f64>,
    /// Take what other sweeps in the same folder have trained already
    #[arg(long)]
    pub(crate) reuse: bool,
    /// Workers at a time, instead of the file's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    slots: Option<u32>,
}

/// Seconds.
fn time(text: &str) -> Result<f64, &'static str> {
    read_time(text).ok_or("a number above zero and its unit: 90s, 30min, 2h, 1d")
}

impl Run {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let source = Source::read(place, self.sweep.as_deref(), &self.set)?;
        let acceptance = if self.accept { Acceptance::All } else { Acceptance::Nothing };
        let name = prepare::read(&source.name, &source.text)?.name;
        let ending = execute(place, source, &self.options, acceptance)?;
        match (self.retest, &ending) {
            (Some(best), Ending::Good) => {
                retest(place, &Home::new(&place.runs, &name)?, best, &self.options)
            }
            _ => Ok(ending),
        }
    }
}

pub(crate) fn execute(
    place: &Place,
    mut source: Source,
    options: &Options,
    acceptance: Acceptance,
) -> Result<Ending> {
    let mut prepared = source.prepare(place)?;
    let (name, text) = (source.name.as_str(), source.text.as_str());
    let (home, finish) = block_on(async {
        let home = Home::new(&place.runs, &prepared.spec.name)?;
        warn(&prepared);
        let others = if options.reuse { others(place, &home)? } else { Others::default() };
        let asked = Asked { file: (name, text), options, acceptance, others: &others };
        let finish = locked(&home, &mut prepared, &asked).await?;
        anyhow::Ok((home, finish))
    })?;
    super::print(&board::table(&home, prepared.plan)?)?;
    let name = home.name();
    for line in warnings::lines(name, &Reader::open(&home.database())?.warnings()?) {
        eprintln!("{line}");
    }
    match finish {
        Finish::Complete if board::has_failures(&home)? => {
            eprintln!(
                "trials failed: see why with `pleach logs {name} TRIAL`, run them again with `pleach retry {name} --failed`"
            );
            Ok(Ending::Code(exit::FAILED_TRIALS))
        }
        Finish::Complete => Ok(Ending::Good),
        Finish::Stopped => {
            eprintln!("stopped; nothing is lost: go on with `pleach resume {name}`");
            Ok(Ending::Code(exit::STOPPED))
        }
        Finish::Broken { times, why } => {
            let how = match times {
                1 => format!("a trial cannot be run so ({why})"),
                _ => format!("{times} trials in a row failed in the same way ({why})"),
            };
            eprintln!(
                "stopped: {how}; when it is repaired, `pleach retry {name} --failed` and `pleach resume {name}`"
            );
            Ok(Ending::Code(exit::FAILED_TRIALS))
        }
        Finish::Unusable(why) => {
            Err(Failure::Unavailable(format!("no worker could be used: {why}")).into())
        }
    }
}

/// Says what of the file this machine cannot do.
pub(crate) fn warn(prepared: &Prepared) {
    let warnings = prepared.warnings();
    if !warnings.list.is_empty() {
        eprintln!("{}", warnings.render_warnings(Color::Ansi));
    }
    let run = &prepared.spec.run;
    for limit in (Limits { memory: run.memory, cpus: run.cpus }).all() {
        let why = match &prepared.runner {
            Runner::Command { .. } => can_limit(limit).err(),
            Runner::Worker(_) => Some("it is for programs of your own, `[command]`".to_owned()),
        };
        if let Some(why) = why {
            eprintln!("warning: `[run] {}` limits nothing here: {why}", limit.key());
        }
    }
}

/// Every other sweep in the same folder.
fn others(place: &Place, home: &Home) -> Result<Others> {
    let names = place.names();
    let others = names.iter().filter(|name| *name != home.name());
    let homes = others.map(|name| Home::new(&place.runs, name)).collect::<Result<_, _>>()?;
    Ok(Others::open(homes)?)
}

async fn locked(home: &Home, prepared: &mut Prepared, asked: &Asked<'_>) -> Result<Finish> {
    let lock = home.lock()?;
    let Asked { options, .. } = asked;
    begin_anew(home, asked.acceptance)?;
    accept(home, prepared, asked)?;
    if options.reuse {
        let mut store = Store::open(&home.database())?;
        let taken = asked.others.give(&mut store, home)?;
        eprintln!("{} taken from other sweeps", plural(taken as u64, "stage"));
    }
    eprintln!("{}", headline(&prepared.spec, &prepared.plan));
    // Of a large sweep it would be most of what a coordinator holds, to its end.
    prepared.plan.forget_configurations();
    let job =
        Job { home, prepared, slots: options.slots, limit: options.limit, first: options.first };
    let mut shown = Shown::new(&prepared.spec, home);
    let finish = run(&job, &lock, &mut shown).await?;
    shown.finish();
    Ok(finish)
}
