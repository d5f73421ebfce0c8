//! A person's own program, run by a guard: five evaluations in some milliseconds.

use std::{env, fs::OpenOptions, io::Write, path::PathBuf, thread::sleep, time::Duration};

use anyhow::{Context, Result};

use super::value;
use crate::{
    random::Random,
    witness::{Testimony, WITNESS},
};

/// How it is called.
pub const PROGRAM: &str = "__program";

/// Evaluations of one run.
const EVALUATIONS: u64 = 5;

/// The longest pause before an evaluation, in microseconds.
const PAUSE: usize = 4000;

/// Runs as the environment says.
pub fn run() -> Result<()> {
    let told = |name: &str| env::var(name).with_context(|| format!("{name} is not told"));
    let seed: u64 = told("PLEACH_SEED")?.parse()?;
    let attempt: u64 = told("PLEACH_ATTEMPT")?.parse()?;
    let x = told("PLEACH_PARAMETER_x")?;
    let witness = PathBuf::from(told(WITNESS)?);
    let testimony = Testimony::begin(&witness, &format!("x={x} seed={seed}"), attempt)?;
    let mut metrics = OpenOptions::new().create(true).append(true).open(told("PLEACH_METRICS")?)?;
    let mut pauses = Random::new(seed, attempt);
    for step in 1..=EVALUATIONS {
        sleep(Duration::from_micros(pauses.below(PAUSE) as u64));
        let value = value(seed, &x, step);
        writeln!(metrics, "{{\"step\": {step}, \"value\": {value}}}")?;
        writeln!(std::io::stdout(), "step {step}: {value}")?;
    }
    testimony.end()?;
    Ok(())
}
