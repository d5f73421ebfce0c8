//! Which point of a space to try next. A sampler is a pure function of a seed and an index, so the same point comes out on
//! every machine, in any order. No dependencies, no I/O.
//!
//! [`sobol`] covers the unit cube evenly.

mod joe_kuo;
pub mod sobol;
