//! `run`: from a file to a leaderboard. The same file again goes on; an edited one adds what is missing, after the
//! difference was shown and accepted.

use std::{
    io::{BufRead, IsTerminal, Write},
    path::Path,
};

use crate::say::eprintln;
use anyhow::{Context, Result};
use clap::Args;
use pleach_core::{
    command::Finish,
    plain::plain,
    spec::{Extension, extensions, read_time},
};
use pleach_engine::{
    groups::{Limits, can_limit},
    home::Home,
    prepare::{self, Prepared},
    program::Runner,
    reuse::Others,
    run::{Job, rescued, run, wall_time},
};
use pleach_store::{Revision, Store};
use pleach_views::{
    format::{count, plural},
    plan::headline,
};

use super::{block_on, board, plan::planned, retest::retest};
use crate::{
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
    /// Accept what has changed in the file without asking
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
    reuse: bool,
    /// Workers at a time, instead of the file's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    slots: Option<u32>,
}

/// Seconds.
fn time(text: &str) -> Result<f64, &'static str> {
    read_time(text).ok_or("a number above zero and its unit: 90s, 30min, 2h, 1d")
}

/// Whether a changed file needs a yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acceptance {
    Ask,
    Given,
}

impl Run {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let source = Source::read(place, self.sweep.as_deref(), &self.set)?;
        let acceptance = if self.accept { Acceptance::Given } else { Acceptance::Ask };
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

/// What a person asked for.
struct Asked<'a> {
    /// The file's name and text.
    file: (&'a str, &'a str),
    options: &'a Options,
    acceptance: Acceptance,
    others: &'a Others,
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

/// Where attempts have left files and there is no database that knows them, everything would be trained again: not without
/// a yes.
fn begin_anew(home: &Home, acceptance: Acceptance) -> Result<()> {
    let attempts = home.number_of_attempts();
    if home.exists() || attempts == 0 {
        return Ok(());
    }
    let (folder, database) = (home.folder().display(), home.database());
    let database = database.display();
    let lost = format!(
        "{folder} holds the files of {}, and no database: it was removed or moved away",
        plural(attempts as u64, "attempt")
    );
    if let Some(rescued) = rescued(home.folder()) {
        let rescued = rescued.display();
        eprintln!("{lost}; all results are in {rescued}: move that to {database} to go on");
    } else {
        eprintln!("{lost}; put back {database}, if you have it, to go on");
    }
    if acceptance == Acceptance::Ask && !confirm("train everything again?")? {
        return Err(Failure::NeedsAnswer(
            "nothing was trained; run it with --accept to train everything again".to_owned(),
        )
        .into());
    }
    let aside = home.set_attempts_aside()?;
    eprintln!(
        "everything is trained again; the files of earlier attempts are now in {}",
        aside.display()
    );
    Ok(())
}

/// Makes the file the sweep's current revision, if it is not.
fn accept(
    home: &Home,
    prepared: &Prepared,
    &Asked { file: (name, text), options, acceptance, others }: &Asked,
) -> Result<()> {
    let Prepared { spec, program, .. } = prepared;
    let mut store = Store::open(&home.database())?;
    let known = store.revision()?;
    let file = Path::new(name)
        .file_name()
        .map_or_else(|| name.to_owned(), |name| name.to_string_lossy().into_owned());
    let revision = Revision {
        text: text.to_owned(),
        file,
        objective: spec.objective.clone(),
        program: program.name.clone(),
        numerics: program.numerics.clone(),
    };
    let is_same = known.as_ref().is_some_and(|known| {
        (&known.text, &known.program, &known.numerics)
            == (&revision.text, &revision.program, &revision.numerics)
    });
    // Beside what others have done, what waits may be cut otherwise.
    if is_same && !options.reuse {
        return Ok(());
    }
    // In pieces that make use of what the sweep has begun already and of what others have done.
    let begun = store.begun()?.into_iter().chain(others.stages()).collect();
    let trials = prepared.plan.tree(&begun).trials(&prepared.plan.trials);
    let planned = planned(prepared, &trials);
    if let Some(known) = &known {
        let difference = store.compare(&planned)?;
        if known.numerics != revision.numerics {
            eprintln!(
                "the worker's numerics were `{}` and are now `{}`: finished trials stay as they are",
                plain(&known.numerics),
                plain(&revision.numerics)
            );
        }
        if known.text != revision.text {
            let changed = format!(
                "the sweep file has changed: {} added, {} kept, {} removed",
                plural(difference.added, "trial"),
                count(difference.kept),
                count(difference.removed)
            );
            eprintln!("{changed}");
            if let Some(text) = extended(&extensions(&known.text), &spec.extensions) {
                eprintln!("{text}");
            }
            if acceptance == Acceptance::Ask && !confirm("run it as it is now?")? {
                return Err(Failure::NeedsAnswer(
                    "the changed file was not accepted; run it with --accept, or undo the change"
                        .to_owned(),
                )
                .into());
            }
        }
    }
    store.accept(&revision, &planned, wall_time()).context("failed to accept the sweep file")?;
    home.write_sweep_file(text)?;
    Ok(())
}

/// What becomes of configurations that were extended.
fn extended(before: &[Extension], now: &[Extension]) -> Option<String> {
    let number = |extensions: &[Extension]| {
        extensions.iter().map(|extension| extension.points.len() as u64).sum::<u64>()
    };
    let (before, now) = (number(before), number(now));
    let (all, stay) = (plural(before, "configuration"), count(now));
    match before {
        0 => None,
        _ if before <= now => Some(format!("all that was extended stays so: {all}")),
        _ => Some(format!("of {all} that were extended {stay} stay so; the file holds no others")),
    }
}

/// Asks on a terminal; without one the answer is no.
pub(crate) fn confirm(question: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(false);
    }
    let mut stderr = std::io::stderr();
    write!(stderr, "{} [y/N] ", plain(question))?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
