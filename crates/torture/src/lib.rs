//! Torture: the real programs are killed, starved and lied to from outside, and a witness that knows nothing of their
//! database says whether anything was lost, doubled or left behind. Every lane has planted bugs that it must catch.

pub mod arena;
pub mod lane;
pub mod oracle;
pub mod random;
pub mod report;
pub mod subject;
pub mod witness;
