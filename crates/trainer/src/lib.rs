//! Trains small image classifiers with Candle, bit for bit reproducibly: the same configuration and seed give the same
//! weights and metrics, whatever runs beside, and training `a` steps and resuming for `b` more gives what `a + b` give.
//!
//! Reading order: [`config`] (what can be set), [`data`], [`fetch`](mod@fetch) (its files, which lie at [`sources`]), [`model`], [`network`] (what computes with one), [`optimizer`], [`average`], [`state`] (everything that a
//! checkpoint holds), [`checkpoint`] (its file), [`train`](mod@train) (the loop), [`worker`] (the loop as a worker).

pub mod average;
pub mod checkpoint;
pub mod config;
pub mod data;
pub mod fetch;
pub mod model;
pub mod network;
pub mod optimizer;
pub mod random;
pub mod sources;
pub mod state;
pub mod train;
pub mod worker;

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
