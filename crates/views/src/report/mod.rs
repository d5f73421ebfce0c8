//! A sweep as one HTML file that needs nothing else: no network, no server, no library.
//!
//! [`html`] puts together a page (`page.html`), its style, its scripts and its data. All that the sweep decides is in the data, which is JSON, and
//! the scripts set it as text, never as markup; so nothing that a person calls a parameter can become a part of the page.
//! `page.js` lists the sections; each is one function in a file of its own.

mod columns;
mod curves;
mod failures;
mod schedules;
mod tree;

use std::collections::BTreeMap;

use pleach_core::{
    life::{AttemptId, Ending, StageId, TrialId},
    objective::{Goal, Objective, Reduce},
    plan::Plan,
    rank::{Ranked, importance},
    sweep::Exactness,
};
use pleach_store::{Branch, Effort, Provenance, Revision, Summary, Time};
use serde::Serialize;

pub use self::curves::most_metrics;
use self::{columns::Columns, curves::Curves, failures::Kind, schedules::Schedules, tree::Tree};
use crate::{
    board::{Board, Extent},
    importance,
};

/// A metric of every trial: values by step.
pub type Values = BTreeMap<TrialId, Vec<(u64, f64)>>;

/// What a report tells.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The sweep's.
    pub name: &'a str,
    pub summary: &'a Summary,
    /// Every configuration.
    pub ranked: &'a [Ranked],
    /// Of each metric that is shown, the values of every trial, by step; the objective's first.
    pub metrics: &'a [(String, Values)],
    /// How many metrics are left out.
    pub metrics_left: usize,
    /// What was made of each trial.
    pub efforts: &'a BTreeMap<TrialId, Effort>,
    /// Where the folders of attempts are, as seen from the page: the beginning of a link; none if the page is not near them.
    pub attempts: Option<&'a str>,
    /// Whether the worker program promises results that are equal to the last bit.
    pub exactness: Exactness,
    /// The schedules, or why they are not known.
    pub plan: Result<&'a Plan, &'a str>,
    pub branches: &'a [Branch],
    /// Attempts that ended badly.
    pub failures: &'a [(AttemptId, StageId, Ending)],
    /// With what and where it ran, and since when.
    pub provenances: &'a [(Time, Provenance)],
    /// The version of this program.
    pub version: &'a str,
    pub made: Time,
}

/// The scripts, in the order in which they use each other.
const SCRIPTS: [&str; 17] = [
    include_str!("dom.js"),
    include_str!("number.js"),
    include_str!("sweep.js"),
    include_str!("state.js"),
    include_str!("plot.js"),
    include_str!("lines.js"),
    include_str!("summary.js"),
    include_str!("importance.js"),
    include_str!("parallel.js"),
    include_str!("board.js"),
    include_str!("trials.js"),
    include_str!("curves.js"),
    include_str!("heat.js"),
    include_str!("schedules.js"),
    include_str!("tree.js"),
    include_str!("source.js"),
    include_str!("page.js"),
];

/// The whole file.
pub fn html(source: &Source) -> String {
    let mut page = include_str!("page.html").to_owned();
    let parts = [
        ("/* style */", include_str!("style.css").to_owned()),
        ("/* data */", data(source)),
        ("/* script */", SCRIPTS.join("\n")),
    ];
    // From the end, so that nothing that is put in is searched.
    for (place, part) in parts.into_iter().rev() {
        if let Some(at) = page.find(place) {
            page.replace_range(at..at + place.len(), &part);
        }
    }
    page
}

/// JSON that can stand inside of an element `script`: what would end it is written in another way.
fn data(source: &Source) -> String {
    let Source { summary, ranked, .. } = *source;
    let Revision { text, file, objective, program, numerics } = &summary.revision;
    let board = Board::new(ranked, objective, &Extent { filters: Vec::new(), limit: 0 });
    let places = places(ranked);
    let importance = importance(ranked);
    let data = Data {
        name: source.name,
        version: source.version,
        made: source.made.0,
        objective: Aim::new(objective),
        trials: summary.trials.iter().map(|(status, n)| (status.word(), *n)).collect(),
        running: summary.running,
        started: summary.started.map(|time| time.0),
        changed: summary.changed.map(|time| time.0),
        revision: summary.number,
        accepted: summary.accepted.0,
        program,
        numerics,
        file,
        text,
        notes: board.notes(),
        board: Columns::new(&board, ranked, source.efforts),
        attempts: source.attempts,
        is_exact: source.exactness == Exactness::Exact,
        importance: importance::data(&importance),
        curves: curves::of(source.metrics, ranked),
        metrics_left: source.metrics_left,
        schedules: Schedules::new(source.plan, ranked),
        tree: Tree::new(source.branches, objective.goal, &places),
        failures: failures::kinds(source.failures, source.branches),
        made_by: source.provenances.iter().map(Made::new).collect(),
    };
    // Plain values always serialize.
    serde_json::to_string(&data).unwrap_or_default().replace('<', "\\u003c")
}

/// By trial, its configuration's place on the board, counted from 0.
type Places = BTreeMap<TrialId, usize>;

fn places(ranked: &[Ranked]) -> Places {
    let trials = |(place, ranked): (usize, &Ranked)| {
        ranked.row.trials.iter().map(move |result| (result.trial, place)).collect::<Vec<_>>()
    };
    ranked.iter().enumerate().flat_map(trials).collect()
}

/// With so many significant digits; none of what is no number.
fn short(value: f64, digits: usize) -> Option<f64> {
    value.is_finite().then(|| format!("{value:.*e}", digits - 1).parse().unwrap_or(value))
}

/// Everything that the scripts know of the sweep. What is told of each configuration is in columns, in the order of the
/// board; numbers that are none are null.
#[derive(Serialize)]
struct Data<'a> {
    name: &'a str,
    version: &'a str,
    made: i64,
    objective: Aim<'a>,
    /// Trials by status; statuses of none are absent.
    trials: BTreeMap<&'static str, u64>,
    running: u64,
    started: Option<i64>,
    changed: Option<i64>,
    revision: u32,
    accepted: i64,
    program: &'a str,
    numerics: &'a str,
    file: &'a str,
    text: &'a str,
    notes: &'a [String],
    board: Columns<'a>,
    attempts: Option<&'a str>,
    is_exact: bool,
    importance: Vec<importance::Part<'a>>,
    curves: Vec<Curves<'a>>,
    metrics_left: usize,
    schedules: Schedules<'a>,
    tree: Tree,
    failures: Vec<Kind>,
    made_by: Vec<Made<'a>>,
}

/// With what and where trials ran from some time on.
#[derive(Serialize)]
struct Made<'a> {
    since: i64,
    facts: &'a [(String, String)],
    /// How a person's code differed from the commit that is named.
    difference: Option<&'a str>,
}

impl<'a> Made<'a> {
    fn new((since, provenance): &'a (Time, Provenance)) -> Self {
        let Provenance { facts, difference } = provenance;
        Self { since: since.0, facts, difference: difference.as_deref() }
    }
}

#[derive(Serialize)]
struct Aim<'a> {
    metric: &'a str,
    goal: Goal,
    reduce: String,
}

impl<'a> Aim<'a> {
    fn new(objective: &'a Objective) -> Self {
        let reduce = match objective.reduce {
            Reduce::Last => "last".to_owned(),
            Reduce::Best => "best".to_owned(),
            Reduce::Mean(n) => format!("mean of the last {n}"),
        };
        Self { metric: &objective.metric, goal: objective.goal, reduce }
    }
}

#[cfg(test)]
mod tests;
