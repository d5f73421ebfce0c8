//! The sweep's SQLite file: what was asked, what is planned, what happened, what came out. `schema.sql` is its
//! description. Decides nothing: it keeps [facts](pleach_core::fact) and gives them back.
//!
//! Reading order: [`store`] (the one writer; [`accept`], [`retry`], [`adopt`] and [`load`] are the rest of it), [`read`] (the
//! readers for views; [`detail`], `warning`, [`curves`], [`live`], [`provenance`], `effort`, [`tree`], [`results`] and [`canonical`] are the rest), [`open`] and [`fault`] (how it goes wrong).

pub mod accept;
pub mod adopt;
pub mod canonical;
mod column;
pub mod curves;
pub mod detail;
mod effort;
pub mod fault;
mod halt;
pub mod live;
pub mod load;
pub mod open;
mod pace;
mod place;
mod plan;
pub mod provenance;
pub mod read;
pub mod results;
pub mod retry;
mod stop;
pub mod store;
pub mod tree;
mod warning;

#[cfg(test)]
mod tests;

pub use accept::{Accepted, Difference, Planned, Revision, WriteError};
pub use canonical::CanonicalTrial;
pub use detail::{AttemptDetail, StageDetail, Standing, TrialDetail};
pub use effort::Effort;
pub use fault::{DatabaseError, Fault};
pub use live::{OpenAttempt, Setting};
pub use load::{Loaded, StageEnd};
pub use open::OpenError;
pub use pace::Pace;
pub use place::Lost;
pub use provenance::Provenance;
pub use read::{FindError, ReadError, Reader, Summary, Which};
pub use results::Best;
pub use store::{CommitError, Store, Time};
pub use tree::Branch;
pub use warning::Warned;
