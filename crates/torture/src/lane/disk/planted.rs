//! The bugs: what one does to the record of a sweep whose disk was full, and programs that do not take a read-only one well.

use std::{io::Write, path::Path, time::Duration};

use anyhow::Result;

use super::{Case, fill, read_only, within};
use crate::{
    arena::{Arena, Subject},
    lane::{Plan, storm},
    random::Random,
    report::Report,
};

/// Instead of a number of rounds.
pub(super) const PLANTED: &str = "planted";

/// So often is a disk filled for one.
const TRIES: u64 = 4;

/// Every bug on a disk of its own.
pub fn planted(plan: Plan) -> Result<Report> {
    let mut report = Report::default();
    let Some(said) = within(plan.seed, PLANTED, &mut report)? else { return Ok(report) };
    for (name, law, _) in BUGS {
        let of = said.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        report.caught(name, law, &of.map(str::to_owned).collect::<Vec<_>>());
    }
    Ok(report)
}

/// What a bug is.
enum Bug {
    /// It loses what it had, when the disk is full.
    Lost(fn(&Arena) -> Result<()>),
    /// Of the program, on a disk that is read-only: see [`Arena::with_bug`].
    Cases(&'static str),
}

/// Each with words of the law that must notice.
const BUGS: [(&str, &str, Bug); 5] = [
    (
        "a full disk loses a result",
        "lost: ",
        Bug::Lost(|arena| match storm::BUGS.first() {
            Some(bug) => (bug.plant)(arena),
            None => Ok(()),
        }),
    ),
    (
        "a full disk makes the record shorter",
        "the record differs",
        Bug::Lost(|arena| {
            let sql = "DELETE FROM metric WHERE (stage, step) = (SELECT min(stage), 1 FROM metric)";
            storm::change(arena, sql)
        }),
    ),
    (
        "it takes what cannot be written for done",
        "it runs on a disk that cannot be written",
        Bug::Cases("run) test -w runs || exit 0 ;;"),
    ),
    (
        "it gives up without a word",
        "and said: ",
        Bug::Cases("run) exec \"$0\" \"$@\" 2> /dev/null ;;"),
    ),
    (
        "who looks on must write",
        "[\"board\", \"storm\"] ended with",
        Bug::Cases("board) test -w runs || exit 74 ;;"),
    ),
];

pub(super) fn plant(disk: &Path, seed: u64) -> Result<()> {
    let mut case = Case::new(Subject::Programs)?;
    for (name, law, bug) in BUGS {
        let found = match bug {
            Bug::Lost(plant) => lose(disk, &case, plant, law, seed),
            Bug::Cases(cases) => {
                case.bug = cases;
                read_only(disk, &case)
            }
        };
        for what in found.unwrap_or_else(|error| vec![format!("{error:#}")]) {
            writeln!(std::io::stdout(), "{name}: {}", what.replace('\n', " | "))?;
        }
    }
    Ok(())
}

/// What is found when a disk was full and the record is made worse. What had no result by then cannot lose it: another try.
fn lose(
    disk: &Path,
    case: &Case,
    plant: fn(&Arena) -> Result<()>,
    law: &str,
    seed: u64,
) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for n in 0..TRIES {
        let (mut random, pause) = (Random::new(seed, n), Duration::from_millis(500));
        (found, _) = fill(disk, case, &mut random, pause, Some(plant))?;
        if found.iter().any(|what| what.contains(law)) {
            break;
        }
    }
    Ok(found)
}
