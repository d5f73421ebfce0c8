//! What can go wrong between us and the file, in words that say what to do.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;
use thiserror::Error;

/// SQLite refused something.
#[derive(Debug, Error)]
#[error("{path}: {fault}")]
pub struct DatabaseError {
    pub path: PathBuf,
    pub fault: Fault,
    #[source]
    pub source: rusqlite::Error,
}

/// The kinds of refusal that a person can do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    ReadOnly,
    DiskFull,
    Busy,
    NotADatabase,
    Damaged,
    CannotOpen,
    /// What was read makes no sense here.
    Unexpected,
    Other,
}

impl DatabaseError {
    pub(crate) fn new(path: &Path, source: rusqlite::Error) -> Self {
        Self { path: path.to_owned(), fault: Fault::of(&source), source }
    }
}

impl Fault {
    fn of(error: &rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Self::ReadOnly,
                ErrorCode::DiskFull => Self::DiskFull,
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
                ErrorCode::NotADatabase => Self::NotADatabase,
                ErrorCode::DatabaseCorrupt => Self::Damaged,
                ErrorCode::CannotOpen => Self::CannotOpen,
                _ => Self::Other,
            },
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::QueryReturnedNoRows => Self::Unexpected,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(match self {
            Self::ReadOnly => {
                "the database cannot be written; make it and its folder writable for you"
            }
            Self::DiskFull => {
                "the disk is full; free some space and resume: what was acknowledged is kept"
            }
            Self::Busy => {
                "another program holds the database for writing; close it and try again"
            }
            Self::NotADatabase => {
                "this is not an SQLite database; move it away, or name another sweep"
            }
            Self::Damaged => {
                "the database is damaged; restore it from a copy, or remove the sweep and run it again"
            }
            Self::CannotOpen => {
                "the database cannot be opened; check that it exists and that you may read it and its folder"
            }
            Self::Unexpected => {
                "the database holds something that pleach never writes; restore it from a copy"
            }
            Self::Other => "SQLite failed",
        })
    }
}
