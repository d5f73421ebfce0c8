//! What people see of a sweep, as text: pure functions from rows to strings. Nothing here reads or decides.
//!
//! [`board`] (leaderboards), [`plan`] (what would run), [`measured`] (what a sample of output measures), [`schedule`] (drawn and tabulated), [`show`] (one trial), [`explain`] (why it is not running), [`compare`] (several), [`diff`] (two boards), [`importance`] (what matters), [`list`] (all sweeps), [`retest`] (the best once more), [`report`] (all of it as a page), [`progress`] (while it
//! runs), [`warnings`] (what was odd), [`tree`](mod@tree) (what trials share), [`verify`] (a trial and its repetition), [`watch`] (all of it on a screen that is renewed), [`export`] (for other programs); [`format`](mod@format) has the numbers and times in all of them.

pub mod board;
pub mod compare;
pub mod curve;
pub mod diff;
mod distinct;
pub mod explain;
pub mod export;
pub mod failures;
pub mod forecast;
pub mod format;
pub mod importance;
pub mod list;
pub mod measured;
pub mod plan;
pub mod progress;
pub mod report;
pub mod retest;
pub mod schedule;
pub mod show;
pub mod table;
pub mod tree;
pub mod verify;
pub mod warnings;
pub mod watch;
