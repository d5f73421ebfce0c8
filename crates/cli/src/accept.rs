//! What has changed since a sweep was last run: its file, the data, the program. Shown, and accepted by the person, before
//! anything is trained; so that no result is ever one of two things under one name.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, IsTerminal, Write},
    path::Path,
};

use anyhow::{Context, Result};
use pleach_core::{
    fact::NewTrial,
    plain::plain,
    spec::{Extension, extensions},
};
use pleach_engine::{
    home::Home,
    prepare::Prepared,
    program::{Runner, WorkerProgram},
    provenance::{DATA, PROGRAM, data, program},
    reuse::Others,
    run::{rescued, wall_time},
};
use pleach_store::{Difference, Planned, Reader, Revision, Store};
use pleach_views::format::{count, plural};

use crate::{command::run::Options, exit::Failure, say::eprintln};

/// Which changes a person has accepted beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acceptance {
    Nothing,
    /// The command itself changes the file.
    File,
    /// `--accept`.
    All,
}

/// What a person asked for.
pub(crate) struct Asked<'a> {
    /// The file's name and text.
    pub(crate) file: (&'a str, &'a str),
    pub(crate) options: &'a Options,
    pub(crate) acceptance: Acceptance,
    pub(crate) others: &'a Others,
}

/// Where attempts have left files and there is no database that knows them, everything would be trained again: not without
/// a yes.
pub(crate) fn begin_anew(home: &Home, acceptance: Acceptance) -> Result<()> {
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
    if acceptance != Acceptance::All && !confirm("train everything again?")? {
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
pub(crate) fn accept(home: &Home, prepared: &Prepared, asked: &Asked) -> Result<()> {
    let &Asked { file: (name, text), options, acceptance, others } = asked;
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
    if let Some(known) = &known {
        let difference = store.compare(&prepared.plan.keys())?;
        let changes = changes(home, prepared, (known, &revision), difference)?;
        for change in &changes {
            eprintln!("{}", change.what);
        }
        let is_open = |change: &&Change| match acceptance {
            Acceptance::Nothing => change.needs != Needs::Nothing,
            Acceptance::File => change.needs == Needs::Acceptance,
            Acceptance::All => false,
        };
        if let Some(change) = changes.iter().find(is_open)
            && !confirm(change.question)?
        {
            return Err(Failure::NeedsAnswer(change.remedy.clone()).into());
        }
        // Beside what others have done, what waits may be cut otherwise.
        if changes.is_empty() && known.program == revision.program && !options.reuse {
            return Ok(());
        }
    }
    // In pieces that make use of what the sweep has begun already and of what others have done.
    let begun = store.begun()?.into_iter().chain(others.stages()).collect();
    let trials = prepared.plan.tree(&begun).trials(&prepared.plan.trials);
    let planned = planned(prepared, &trials);
    store.accept(&revision, &planned, wall_time()).context("failed to accept the sweep file")?;
    home.write_sweep_file(text)?;
    Ok(())
}

/// One thing that is not as it was when the sweep was last run.
struct Change {
    /// For people.
    what: String,
    needs: Needs,
    question: &'static str,
    /// What to do if the answer is no.
    remedy: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// The person has to accept it, unless the command itself has made the change.
    AcceptanceOfFile,
    /// The person has to accept it.
    Acceptance,
}

fn changes(
    home: &Home,
    prepared: &Prepared,
    (known, now): (&Revision, &Revision),
    difference: Difference,
) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    let Difference { added, kept, removed } = difference;
    if known.text != now.text {
        let mut what = format!(
            "the sweep file has changed: {} added, {} kept, {} removed",
            plural(added, "trial"),
            count(kept),
            count(removed)
        );
        if let Some(text) = extended(&extensions(&known.text), &prepared.spec.extensions) {
            what = format!("{what}\n{text}");
        }
        changes.push(Change {
            what,
            needs: Needs::AcceptanceOfFile,
            question: "run it as it is now?",
            remedy: "the changed file was not accepted; run it with --accept, or undo the change"
                .to_owned(),
        });
    }
    let before = newest_fact(home, DATA)?;
    let is_other = before.as_deref().is_some_and(|before| is_other_data(before, prepared));
    // The same file gives the same trials, unless its data is another.
    if is_other || (known.text == now.text && 0 < added + removed) {
        changes.push(changed_data(home, prepared, before, removed));
    }
    changes.extend(changed_program(home, prepared, (known, now))?);
    Ok(changes)
}

/// Whether a data set of the same name has another digest now.
fn is_other_data(before: &str, prepared: &Prepared) -> bool {
    let now = data(prepared).unwrap_or_default();
    let sets = |text: &str| -> BTreeMap<String, String> {
        let sets = text.split(", ").filter_map(|set| set.rsplit_once(' '));
        sets.map(|(name, digest)| (name.to_owned(), digest.to_owned())).collect()
    };
    let before = sets(before);
    sets(&now).iter().any(|(name, digest)| before.get(name).is_some_and(|it| it != digest))
}

fn changed_data(home: &Home, prepared: &Prepared, before: Option<String>, trials: u64) -> Change {
    let before = before.map_or(String::new(), |it| format!(" was {it}, and"));
    let now = data(prepared).unwrap_or_else(|| "unknown".to_owned());
    let place = match &prepared.runner {
        Runner::Worker(WorkerProgram { data: Some(folder), .. }) => {
            format!(" (in {})", folder.display())
        }
        _ => String::new(),
    };
    Change {
        what: format!(
            "the data has changed since this sweep was last run: it{before} is {now} now{place}. On the new data {} would be trained anew, beside the old results",
            plural(trials, "trial")
        ),
        needs: Needs::Acceptance,
        question: "train it on the data that is there now?",
        remedy: format!(
            "the changed data was not accepted; put the old data back, give a sweep on the new data another name, or train anew with `pleach run {} --accept`",
            home.name()
        ),
    }
}

/// Another program than the one that has trained what is there.
fn changed_program(
    home: &Home,
    prepared: &Prepared,
    (known, now): (&Revision, &Revision),
) -> Result<Option<Change>> {
    let is_other = known.numerics != now.numerics;
    // One that promises equal results under equal numerics may be a newer build.
    if !is_other && prepared.description.exact {
        return Ok(None);
    }
    let made_by = Reader::open(&home.database())?.made_by(PROGRAM)?;
    let program = program(prepared);
    let by_another = |programs: &&BTreeSet<String>| programs.iter().any(|it| *it != program);
    let old = made_by.values().filter(by_another).count() as u64;
    if !is_other && old == 0 {
        return Ok(None);
    }
    let finished = match old {
        0 => "nothing is finished yet".to_owned(),
        _ => format!(
            "{} of another version stay as they are (`pleach retry {} --changed` runs them again)",
            plural(old, "finished trial"),
            home.name()
        ),
    };
    Ok(Some(Change {
        what: format!("the program has changed since this sweep began: {finished}"),
        needs: if old == 0 { Needs::Nothing } else { Needs::Acceptance },
        question: "go on with the program as it is now?",
        remedy: format!(
            "the changed program was not accepted; undo the change, or go on with `pleach run {} --accept`",
            home.name()
        ),
    }))
}

/// What is known of the last run that said it.
fn newest_fact(home: &Home, fact: &str) -> Result<Option<String>> {
    let provenances = Reader::open(&home.database())?.provenances()?;
    let facts = provenances.into_iter().rev().flat_map(|(_, provenance)| provenance.facts);
    Ok(facts.into_iter().find_map(|(name, value)| (name == fact).then_some(value)))
}

/// The trials of a plan, as they are trained, with what was swept.
fn planned<'a>(prepared: &'a Prepared, trials: &'a [NewTrial]) -> Vec<Planned<'a>> {
    let Prepared { spec, plan, .. } = prepared;
    let parameters = plan
        .configurations
        .iter()
        .flat_map(|configuration| std::iter::repeat_n(&configuration.parameters, spec.seeds.len()));
    trials.iter().zip(parameters).map(|(trial, parameters)| Planned { trial, parameters }).collect()
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
