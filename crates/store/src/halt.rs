//! Why nobody goes on with a sweep.

use rusqlite::{Connection, OptionalExtension, Result as SqlResult};

use crate::{
    fault::DatabaseError,
    read::{ReadError, Reader},
    store::Store,
};

impl Store {
    /// Somebody runs the sweep from now on.
    pub fn forget_halt(&mut self) -> Result<(), DatabaseError> {
        let deleted = self.connection.execute("DELETE FROM halt", []);
        deleted.map(drop).map_err(|source| self.error(source))
    }
}

impl Reader {
    /// Why whoever ran the sweep last began nothing more, for people; none while it is run, and after a sudden death.
    pub fn halt(&self) -> Result<Option<String>, ReadError> {
        self.ask(halt)
    }
}

fn halt(connection: &Connection) -> SqlResult<Option<String>> {
    let exists = "SELECT 1 FROM sqlite_schema WHERE name = 'halt'";
    match connection.query_row(exists, [], |_| Ok(())).optional()? {
        Some(()) => connection.query_row("SELECT why FROM halt", [], |row| row.get(0)).optional(),
        // Written by an older version, and not since.
        None => Ok(None),
    }
}
