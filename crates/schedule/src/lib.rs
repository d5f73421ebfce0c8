//! Learning-rate schedules as values: built from presets or phases, read and written as one line of text,
//! resolved against a budget, evaluated exactly, compared, drawn, and written as code for other libraries. No dependencies, no I/O.
//!
//! ```text
//! eta(t) = peak * F(hold * floor(t / hold) + offset * hold)      t: 0-based index of the update that uses eta(t)
//! ```
//!
//! `F` is a list of [`phase::Phase`]s, each a bounded shape, an unbounded law, a cycle or a table; all of its values are
//! multiples of the peak. A [`schedule::Schedule`] has durations in `%` of the budget, epochs or steps;
//! [`schedule::Schedule::resolve`] turns it into a [`resolved::Resolved`], everything in steps and in normal form.
//!
//! Reading order: [`duration`], [`phase`], [`schedule`], [`resolved`], [`pieces`], [`preset`], [`library`], [`call`], [`line`](mod@line), [`plateau`],
//! [`follow`], [`draw`], [`snippet`].

pub mod call;
pub mod draw;
pub mod duration;
mod evaluate;
pub mod follow;
pub mod library;
pub mod line;
mod normal;
pub mod phase;
pub mod pieces;
pub mod plateau;
pub mod preset;
pub mod resolved;
pub mod schedule;
pub mod snippet;
