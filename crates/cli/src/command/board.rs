//! `board`: the leaderboard.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Result;
use clap::Args;
use pleach_core::{
    diagnostic::suggest,
    life::TrialStatus,
    objective::Objective,
    plan::Plan,
    rank::{Row, groups, rank},
};
use pleach_engine::{home::Home, prepare};
use pleach_store::{Reader, Summary, Which};
use pleach_views::board::{self, Extent, Made};
use tokio::time::timeout;

use crate::{
    exit::{Ending, Failure},
    place::Place,
};

/// So many rows are shown if nothing else is said.
const ROWS: usize = 20;

#[derive(Args)]
pub(crate) struct Board {
    /// The name of the sweep, or its file; the newest if left out
    sweep: Option<String>,
    /// Rows, at most; 0 for all. 20 by default, and all of them as JSON or CSV
    #[arg(long, value_name = "ROWS")]
    limit: Option<usize>,
    /// Each value of these parameters once, at its best over everything else: --by schedule
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    by: Vec<String>,
    /// Everything once, at its best over these parameters: --best-over peak
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with = "by")]
    best_over: Vec<String>,
    /// Only configurations with this value: schedule=cosine
    #[arg(long = "where", value_name = "NAME=VALUE")]
    filters: Vec<String>,
    /// Further metrics beside the objective, their last values: `--metrics val_loss,train_loss`
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    metrics: Vec<String>,
    /// Also what only older revisions of the file asked for
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    form: Form,
}

#[derive(Args)]
#[group(multiple = false)]
struct Form {
    /// Print an array of rows
    #[arg(long)]
    json: bool,
    /// Print lines of comma-separated values
    #[arg(long)]
    csv: bool,
    /// Print a Markdown table
    #[arg(long)]
    markdown: bool,
}

impl Form {
    fn is_table(&self) -> bool {
        !(self.json || self.csv || self.markdown)
    }
}

impl Board {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let (home, reader) = place.reader(self.sweep.as_deref())?;
        check_metrics(&reader, &self.metrics)?;
        let filters = self.filters.iter().map(|filter| {
            let (name, value) = filter.split_once('=').ok_or_else(|| {
                Failure::NeedsAnswer(format!(
                    "`{filter}` is not NAME=VALUE, such as schedule=cosine"
                ))
            })?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        });
        let filters = filters.collect::<Result<Vec<_>, Failure>>()?;
        let which = if self.all { Which::All } else { Which::Current };
        let is_data = self.form.json || self.form.csv;
        let limit = self.limit.unwrap_or(if is_data { 0 } else { ROWS });
        let board = self.board(&reader, which, &Extent { filters, limit })?;
        let mut board = with_made(board, &home, &reader, &self.metrics)?;
        if self.form.is_table() {
            board = with_pictures(board, &reader, || planned(place, &reader))?;
        }
        match self.form {
            Form { json: true, .. } => super::data(&board.json())?,
            Form { csv: true, .. } => super::data(&board.csv())?,
            Form { markdown: true, .. } => super::data(&board.markdown())?,
            _ => super::print(&board.table(Some(super::columns())))?,
        }
        Ok(Ending::Good)
    }

    fn board(&self, reader: &Reader, which: Which, extent: &Extent) -> Result<board::Board> {
        let objective = reader.revision()?.objective;
        let is_whole = self.by.is_empty() && self.best_over.is_empty() && extent.filters.is_empty();
        if is_whole && which == Which::Current && extent.limit != 0 {
            return best(reader, &objective, extent.limit);
        }
        let rows = reader.rows(which)?;
        check_filters(&rows, &extent.filters)?;
        let asked = [&self.by[..], &self.best_over[..]].concat();
        if asked.is_empty() {
            return Ok(board::Board::new(&rank(rows, objective.goal), &objective, extent));
        }
        let known = names(&rows);
        if let Some(unknown) = asked.iter().find(|name| !known.contains(*name)) {
            return Err(no_parameter(unknown, &known).into());
        }
        let by = if self.by.is_empty() {
            known.into_iter().filter(|name| !asked.contains(name)).collect()
        } else {
            asked
        };
        let groups = groups(&rows, &by, objective.goal);
        Ok(board::Board::of_groups(&groups, &rows, &objective, extent))
    }
}

/// Whether each filter names something that is there.
fn check_filters(rows: &[Row], filters: &[(String, String)]) -> Result<(), Failure> {
    let known = names(rows);
    for (name, value) in filters {
        if !known.contains(name) {
            return Err(no_parameter(name, &known));
        }
        let values =
            rows.iter().filter_map(|row| row.parameters.get(name)).map(ToString::to_string);
        let values: BTreeSet<String> = values.collect();
        if !values.contains(value) {
            let help = suggest(value, values.iter().map(String::as_str));
            let message = format!("no trial has {name}={value}: {help}");
            return Err(Failure::NeedsAnswer(message));
        }
    }
    Ok(())
}

fn no_parameter(name: &str, known: &BTreeSet<String>) -> Failure {
    let help = suggest(name, known.iter().map(String::as_str));
    Failure::NeedsAnswer(format!("no trial has a parameter `{name}`: {help}"))
}

/// The names of all parameters that configurations have.
fn names(rows: &[Row]) -> BTreeSet<String> {
    rows.iter().flat_map(|row| row.parameters.keys()).cloned().collect()
}

/// So many rows of a leaderboard. Of a sweep that an older version ran everything is read for that.
pub(crate) fn best(reader: &Reader, objective: &Objective, rows: usize) -> Result<board::Board> {
    if let Some(best) = reader.best(objective.goal, rows)? {
        return Ok(board::Board::of_best(best, objective));
    }
    let ranked = rank(reader.rows(Which::Current)?, objective.goal);
    let extent = Extent { filters: Vec::new(), limit: rows };
    Ok(board::Board::new(&ranked, objective, &extent))
}

/// The leaderboard of a sweep, for the end of a run.
pub(crate) fn table(home: &Home, plan: Plan) -> Result<String> {
    let reader = Reader::open(&home.database())?;
    let board = best(&reader, &reader.revision()?.objective, ROWS)?;
    let board = with_made(board, home, &reader, &[])?;
    Ok(with_pictures(board, &reader, || Some(plan))?.table(Some(super::columns())))
}

/// Whether each of these names something that was measured.
pub(crate) fn check_metrics(reader: &Reader, metrics: &[String]) -> Result<()> {
    if metrics.is_empty() {
        return Ok(());
    }
    let known = reader.metric_names()?;
    match metrics.iter().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(unknown) => {
            let help = suggest(unknown, known.iter().map(String::as_str));
            let message = format!("no trial has measured `{unknown}`: {help}");
            Err(Failure::NeedsAnswer(message).into())
        }
    }
}

/// With steps, times and last values. Of boards with very many rows that would take longer than anybody waits.
pub(crate) fn with_made(
    board: board::Board,
    home: &Home,
    reader: &Reader,
    metrics: &[String],
) -> Result<board::Board> {
    const TRIALS: usize = 50_000;
    let rows = board.trials();
    let number: usize = rows.iter().map(Vec::len).sum();
    if TRIALS < number && metrics.is_empty() {
        return Ok(board);
    }
    let last = |curves: Vec<Vec<(u64, f64)>>| -> Vec<Option<f64>> {
        curves.iter().map(|curve| curve.last().map(|(_, value)| *value)).collect()
    };
    let objective = reader.revision()?.objective.metric;
    let mut made = Vec::with_capacity(rows.len());
    for (trials, has_result) in rows.iter().zip(board.have_results()) {
        let efforts = reader.efforts(trials)?;
        let objective =
            if has_result { Vec::new() } else { last(reader.curves(trials, &objective)?) };
        let further = reader.curves_of_each(trials, metrics)?;
        made.push(Made { efforts, objective, further: further.into_iter().map(last).collect() });
    }
    Ok(board.with_made(&made, metrics, home.is_running()))
}

/// The plan of a sweep, unless that takes longer than anybody waits for small pictures: it is very large, or its worker
/// program is slow to say what it can do.
fn planned(place: &Place, reader: &Reader) -> Option<Plan> {
    const TRIALS: u64 = 20_000;
    const PATIENCE: Duration = Duration::from_secs(1);
    let Summary { trials, revision, .. } = reader.summary().ok()?;
    if TRIALS < trials.iter().map(|(_, n)| n).sum() {
        return None;
    }
    let spec = prepare::read(&revision.file, &revision.text).ok()?;
    let runner = place.runner(&spec).ok()?;
    let prepared = async { Ok(timeout(PATIENCE, prepare::prepare(spec, runner)).await??) };
    super::block_on(prepared).ok().map(|prepared| prepared.plan)
}

/// With the schedule and the learning curve of each row, if the terminal can show it.
fn with_pictures(
    board: board::Board,
    reader: &Reader,
    plan: impl FnOnce() -> Option<Plan>,
) -> Result<board::Board> {
    const COLUMNS: usize = 100;
    if super::width().is_none_or(|width| width < COLUMNS) || !super::is_utf8() {
        return Ok(board);
    }
    let metric = reader.revision()?.objective.metric;
    let curves = board.trials().into_iter().map(|trials| reader.curves(&trials, &metric));
    let curves = curves.collect::<Result<Vec<_>, _>>()?;
    let board = board.with_curves(&curves);
    Ok(match board.has_schedules().then(plan).flatten() {
        Some(plan) => board.with_schedules(&plan),
        None => board,
    })
}

pub(crate) fn has_failures(home: &Home) -> Result<bool> {
    let summary = Reader::open(&home.database())?.summary()?;
    Ok(summary.trials.iter().any(|(status, n)| *status == TrialStatus::Failed && 0 < *n))
}
