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
    /// Their time, added up over workers.
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
    let (steps, milliseconds) = connection.query_row(
        "SELECT coalesce(sum(step - from_step), 0), coalesce(sum(took), 0) FROM attempt WHERE ending = 1",
        [],
        |row| Ok((column::unsigned(row, 0)?, column::unsigned(row, 1)?)),
    )?;
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
