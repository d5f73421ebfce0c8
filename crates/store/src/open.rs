//! Opening the file: making it, bringing an older one up to date, refusing what is not ours.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use pleach_files::{self as files, Link};
use rusqlite::{Connection, OpenFlags, Transaction};
use rusqlite_migration::{M, Migrations};
use thiserror::Error;

use crate::{
    fault::{DatabaseError, Fault},
    results,
};

/// Every version that was ever released, oldest first. Never edit one that was.
static VERSIONS: LazyLock<[M; VERSION as usize]> = LazyLock::new(|| {
    [
        M::up(include_str!("schema.sql")),
        M::up(include_str!("schema-2.sql")),
        M::up(include_str!("schema-3.sql")),
        M::up(include_str!("schema-4.sql")),
        M::up(include_str!("schema-5.sql")),
        M::up(include_str!("schema-6.sql")),
        M::up_with_hook(include_str!("schema-7.sql"), |transaction: &Transaction| {
            Ok(results::pack_first(transaction)?)
        }),
        M::up(include_str!("schema-8.sql")),
        M::up(include_str!("schema-9.sql")),
        M::up(include_str!("schema-10.sql")),
    ]
});
const VERSION: i64 = 10;
/// Marks the file as ours for `file(1)` and for us: "plea" in ASCII.
const APPLICATION: i64 = 0x706c_6561;
/// A person may hold the file open in another client for a moment.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Error)]
pub enum OpenError {
    #[error(
        "{path}: the database is of version {found}, and this pleach knows versions up to {known}; use a newer pleach"
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("{path}: this SQLite database is not a sweep's; move it away, or name another sweep")]
    Foreign { path: PathBuf },
    #[error("{path}: the sweep has no database yet; start it with `pleach run`")]
    Missing { path: PathBuf },
    #[error("{path}: {why}: no database")]
    Irregular { path: PathBuf, why: String },
    #[error("{path}: the database could not be brought to version {VERSION}")]
    Migrate {
        path: PathBuf,
        #[source]
        source: rusqlite_migration::Error,
    },
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// The connection that writes.
pub(crate) fn writer(path: &Path) -> Result<Connection, OpenError> {
    let fail = |source| DatabaseError::new(path, source);
    expect_regular(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    prepare(Connection::open_with_flags(path, flags).map_err(fail)?, path)
}

/// A database that is forgotten: for tests and simulations.
pub(crate) fn in_memory() -> Result<Connection, OpenError> {
    let path = Path::new(":memory:");
    prepare(Connection::open_in_memory().map_err(|source| DatabaseError::new(path, source))?, path)
}

/// A connection that cannot write. A writer may be at work.
pub(crate) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let fail = |source| DatabaseError::new(path, source);
    expect_regular(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|source| {
        let error = fail(source);
        match error.fault {
            Fault::CannotOpen => OpenError::Missing { path: path.to_owned() },
            _ => error.into(),
        }
    })?;
    connection.busy_timeout(PATIENCE).map_err(fail)?;
    // Who reads needs no disk.
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(fail)?;
    match version(&connection, path) {
        // An empty file: its writer died, or has only just begun.
        Ok(0) => Err(OpenError::Missing { path: path.to_owned() }),
        Err(OpenError::Database(error)) if is_half_made(&error) => {
            Err(OpenError::Missing { path: path.to_owned() })
        }
        version => version.map(|_| connection),
    }
}

/// SQLite would wait for a pipe.
fn expect_regular(path: &Path) -> Result<(), OpenError> {
    match files::expect_regular(path, Link::Follow) {
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            Err(OpenError::Irregular { path: path.to_owned(), why: error.to_string() })
        }
        // Whatever else is wrong with it, SQLite says.
        _ => Ok(()),
    }
}

/// Whether its writer died while it made the file: that has a journal which only a writer may roll back. Later there is no
/// such journal, since the file is in WAL mode.
fn is_half_made(error: &DatabaseError) -> bool {
    matches!(&error.source, rusqlite::Error::SqliteFailure(failure, _)
        if failure.extended_code == rusqlite::ffi::SQLITE_READONLY_ROLLBACK)
}

fn prepare(mut connection: Connection, path: &Path) -> Result<Connection, OpenError> {
    let fail = |source| DatabaseError::new(path, source);
    connection.busy_timeout(PATIENCE).map_err(fail)?;
    connection.set_prepared_statement_cache_capacity(64);
    let found = version(&connection, path)?;
    if connection.is_readonly(rusqlite::MAIN_DB).map_err(fail)? {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY);
        return Err(fail(rusqlite::Error::SqliteFailure(code, None)).into());
    }
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;",
        )
        .map_err(fail)?;
    if found < VERSION {
        Migrations::from_slice(&*VERSIONS)
            .to_latest(&mut connection)
            .map_err(|source| OpenError::Migrate { path: path.to_owned(), source })?;
    }
    Ok(connection)
}

/// The version of a database of ours, 0 for an empty file; everything else is refused.
fn version(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
    let fail = |source| DatabaseError::new(path, source);
    // All of one moment: it may just be being made.
    let moment = connection.unchecked_transaction().map_err(fail)?;
    let pragma = |name| moment.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, found) =
        (pragma("application_id").map_err(fail)?, pragma("user_version").map_err(fail)?);
    let tables: i64 = moment
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(fail)?;
    match (application, found) {
        (0, 0) if tables == 0 => Ok(0),
        (APPLICATION, found) if VERSION < found => {
            Err(OpenError::Newer { path: path.to_owned(), found, known: VERSION })
        }
        (APPLICATION, found) => Ok(found),
        _ => Err(OpenError::Foreign { path: path.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use pleach_core::objective::Goal;

    use super::*;

    #[test]
    fn every_version_can_be_made_from_nothing() {
        Migrations::from_slice(&*VERSIONS).validate().unwrap();
        let connection = in_memory().unwrap();
        assert_eq!(version(&connection, Path::new("x")).unwrap(), VERSION);
    }

    #[test]
    fn a_database_whose_writer_died_while_making_it_is_not_there_yet() {
        let folder = tempfile::tempdir().unwrap();
        let (half, path) = (folder.path().join("half.db"), folder.path().join("sweep.db"));
        let mut maker = Connection::open(&half).unwrap();
        let transaction = maker.transaction().unwrap();
        // More than a page, so that some of it is in the file already.
        transaction
            .execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; CREATE TABLE x (y);")
            .unwrap();
        let insert = "INSERT INTO x SELECT zeroblob(4000) FROM (VALUES (1), (2), (3), (4), (5), (6), (7), (8))";
        transaction.execute(insert, []).unwrap();
        for ending in ["", "-journal"] {
            let with = |path: &Path| format!("{}{ending}", path.display());
            std::fs::copy(with(&half), with(&path)).unwrap();
        }
        assert!(matches!(reader(&path), Err(OpenError::Missing { .. })));
        drop(writer(&path).unwrap());
        assert!(reader(&path).is_ok());
    }

    #[test]
    fn a_database_of_an_older_version_is_read_and_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sweep.db");
        let mut older = Connection::open(&path).unwrap();
        Migrations::from_slice(&VERSIONS[..6]).to_latest(&mut older).unwrap();
        older
            .execute_batch(
                "INSERT INTO revision VALUES (1, 'x', '', 0, 'x', 'min', 'last', NULL, 'x', 'x', 1, 0, 0);
                 INSERT INTO configuration VALUES (7, '{\"x\":1}', 0);
                 INSERT INTO stage (id, key, first_step, end_step) VALUES (1, zeroblob(16), 0, 1);
                 INSERT INTO trial VALUES (1, 7, 1, zeroblob(16), 1, 1, NULL);
                 INSERT INTO trial_end VALUES (1, 1, 0.5);",
            )
            .unwrap();
        drop(older);
        let old = crate::Reader::open(&path).unwrap();
        assert_eq!(version(&old.connection, &path).unwrap(), 6);
        let rows = old.rows(crate::Which::Current).unwrap();
        assert!(old.best(Goal::Min, 9).unwrap().is_none(), "everything must be read");
        assert_eq!(version(&writer(&path).unwrap(), &path).unwrap(), VERSION);
        let best = crate::Reader::open(&path).unwrap().best(Goal::Min, 9).unwrap().unwrap();
        assert_eq!(best.rows, rows);
    }
}
