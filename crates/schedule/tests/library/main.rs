//! The schedules of other libraries, against the libraries' own numbers and against laws.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod golden;
mod laws;
mod parity;
mod signatures;
