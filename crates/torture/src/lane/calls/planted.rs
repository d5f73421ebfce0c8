//! The bugs: what one does to the record of a sweep that was hurt, and one that nobody is told of.

use anyhow::Result;

use super::{Ambush, Case, INJURIES, Point, Whose, count, hurt};
use crate::{
    arena::Subject,
    lane::{
        Plan,
        storm::{BUGS, When},
    },
    report::Report,
};

/// Tries with each bug.
const TRIES: u64 = 20;

/// Each bug at the last calls of the coordinator, one after another until it is caught.
pub fn planted(_: Plan) -> Result<Report> {
    let mut report = Report::default();
    let Some(ambush) = Ambush::new(&mut report)? else { return Ok(report) };
    let case = Case::new(Subject::Programs)?;
    let most = count(&ambush, Whose::Coordinator, &case)?;
    let point = |call: &'static str, injury, n| Point {
        subject: Subject::Programs,
        whose: Whose::Coordinator,
        call,
        injury,
        n,
    };
    let [killed, failed, ..] = &INJURIES;
    let last = most.get("fsync").map_or(0, Vec::len) as u64;
    for bug in BUGS.iter().filter(|bug| bug.when == When::HalfDone) {
        let mut found = Vec::new();
        for n in (1..=last).rev().take(TRIES as usize) {
            found = match hurt(&ambush, point("fsync", killed, n), &case, Some(bug.plant)) {
                Ok(hurt) => hurt.wrong,
                Err(error) => vec![format!("{error:#}")],
            };
            if found.iter().any(|what| what.contains(bug.law)) {
                break;
            }
        }
        report.caught(bug.name, bug.law, &found);
    }
    let silent = Case { bug: "run) exec \"$0\" \"$@\" 2> /dev/null ;;", ..case };
    let hurt = hurt(&ambush, point("mkdir", failed, 1), &silent, None)?;
    report.caught("it gives up without a word", "did not say why", &hurt.wrong);
    Ok(report)
}
