//! The program as people use it: real processes, real files. And the rules that hold the sources.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod changed;
mod dependencies;
mod evil;
mod exchange;
mod faults;
mod help;
mod misbehaving;
mod misuse;
mod named;
mod outcomes;
mod packages;
mod planted;
mod preempted;
mod programs;
mod programs_tree;
mod reference;
mod report;
mod results;
mod rungs;
mod shipped;
mod stage;
mod storm;
mod tidy;
mod tour;
mod tree;
mod vanished;
mod verify;
mod versions;
mod watch;
