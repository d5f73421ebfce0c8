//! Exchanges sweeps with other programs: what they can open of ours, and what of theirs becomes a sweep file.
//!
//! Reading order: [`table`] (a sweep as rows and columns) and how tables are written, [`delimited`] and [`columnar`].

pub mod columnar;
pub mod delimited;
pub mod table;

use std::io;

use pleach_store::ReadError;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum ExportError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] io::Error),
}
