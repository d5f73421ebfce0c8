//! What is run under torture: programs whose results are a pure function of what they are told.

pub mod echo;
pub mod program;
pub mod walker;

use crate::random::{mix, unit};

/// What an evaluation yields: a number that depends on everything and means nothing.
fn value(seed: u64, what: &str, step: u64) -> f64 {
    let fold = |bits, byte: u8| mix(bits ^ u64::from(byte));
    unit(mix(what.bytes().fold(mix(seed), fold) ^ step))
}
