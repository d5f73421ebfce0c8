//! What a sweep has cost so far, to tell what the rest will.

use std::collections::BTreeSet;

use pleach_core::key::Key;
use rusqlite::{Connection, Result as SqlResult};

use crate::{column, read::ReadError, read::Reader};

/// What was trained, how long that took, and how large a saved state is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pace {
    /// Of the attempts that ended well.
    pub steps: u64,
    /// While at least one of them ran, whichever worker and lane it was in.
    pub milliseconds: u64,
    /// Bytes of the largest saved state; 0 without any.
    pub state: u64,
    /// The keys of stages that need no training any more.
    pub done: BTreeSet<Key>,
}

impl Reader {
    pub fn pace(&self) -> Result<Pace, ReadError> {
        self.ask(pace)
    }
}

fn pace(connection: &Connection) -> SqlResult<Pace> {
    let (mut steps, mut milliseconds, mut until) = (0, 0, 0);
    let mut query = connection.prepare(
        "SELECT step - from_step, started, started + took FROM attempt WHERE ending = 1 ORDER BY started",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (started, ended) = (column::unsigned(row, 1)?, column::unsigned(row, 2)?);
        steps += column::unsigned(row, 0)?;
        milliseconds += ended.saturating_sub(started.max(until));
        until = until.max(ended);
    }
    let state =
        connection.query_row("SELECT coalesce(max(bytes), 0) FROM checkpoint", [], |row| {
            column::unsigned(row, 0)
        })?;
    let done = connection
        .prepare("SELECT key FROM stage JOIN stage_end ON stage_end.stage = stage.id WHERE replacement IS NULL")?
        .query_map([], |row| column::key(row, 0))?
        .collect::<SqlResult<_>>()?;
    Ok(Pace { steps, milliseconds, state, done })
}
