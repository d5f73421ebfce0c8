//! `board`: the leaderboard.

use anyhow::Result;
use clap::Args;
use pleach_core::{life::TrialStatus, rank::rank};
use pleach_engine::home::Home;
use pleach_store::{Reader, Which};
use pleach_views::board;

use crate::{
    exit::{Ending, Failure},
    place::Place,
};

/// So many rows are shown if nothing else is said.
const ROWS: usize = 20;

#[derive(Args)]
pub(crate) struct Board {
    /// The name of the sweep, or its file
    sweep: String,
    /// Rows, at most; 0 for all. 20 by default, and all of them as JSON or CSV
    #[arg(long, value_name = "ROWS")]
    limit: Option<usize>,
    /// Only configurations with this value: schedule=cosine
    #[arg(long = "where", value_name = "NAME=VALUE")]
    filters: Vec<String>,
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

impl Board {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let (_, reader) = place.reader(&self.sweep)?;
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
        let board = ranked(&reader, which, &filters, limit)?;
        super::print(&match self.form {
            Form { json: true, .. } => board.json(),
            Form { csv: true, .. } => board.csv(),
            Form { markdown: true, .. } => board.markdown(),
            _ => board.table(super::width()),
        })?;
        Ok(Ending::Good)
    }
}

fn ranked(
    reader: &Reader,
    which: Which,
    filters: &[(String, String)],
    limit: usize,
) -> Result<board::Board> {
    let objective = reader.summary()?.revision.objective;
    let ranked = rank(reader.rows(which)?, objective.goal);
    Ok(board::Board::new(&ranked, &objective, filters, limit))
}

/// The leaderboard of a sweep, for the end of a run.
pub(crate) fn table(home: &Home) -> Result<String> {
    let reader = Reader::open(&home.database())?;
    Ok(ranked(&reader, Which::Current, &[], ROWS)?.table(super::width()))
}

pub(crate) fn has_failures(home: &Home) -> Result<bool> {
    let summary = Reader::open(&home.database())?.summary()?;
    Ok(summary.trials.iter().any(|(status, n)| *status == TrialStatus::Failed && 0 < *n))
}
