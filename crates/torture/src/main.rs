//! The program `pleach-torture`: one lane, or all of them.

use std::{io::Write, process::ExitCode, time::Instant};

use anyhow::Result;
use clap::{Parser, builder::PossibleValue};
use pleach_torture::{
    lane::{LANES, Lane, Plan, disk},
    subject::{
        echo::{self, ECHO},
        program::{self, PROGRAM},
    },
};

/// Hurts the real programs from outside, and looks whether the record is right.
#[derive(Parser)]
#[command(name = "pleach-torture", version)]
struct Arguments {
    /// What to do
    #[arg(value_parser = names())]
    lane: String,
    /// Decides what is done when
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How much of it, in the lane's unit
    #[arg(long)]
    amount: Option<u64>,
    /// So many times as much as is done every day
    #[arg(long, default_value_t = 1, conflicts_with = "amount")]
    times: u64,
    /// Plant the bugs that the lane must catch, instead
    #[arg(long)]
    planted: bool,
}

/// The lanes, and all of them.
const ALL: &str = "all";

fn names() -> Vec<PossibleValue> {
    let lanes = LANES.iter().map(|lane| PossibleValue::new(lane.name).help(lane.about));
    lanes.chain([PossibleValue::new(ALL).help("every lane, and every planted bug")]).collect()
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            // Nobody may be reading.
            drop(writeln!(std::io::stderr(), "error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let words: Vec<String> = words.collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [PROGRAM] => return program::run().map(|()| ExitCode::SUCCESS),
        [ECHO, ..] => return echo::run().map(|()| ExitCode::SUCCESS),
        [disk::INSIDE, seed, what] => {
            return disk::inside(seed.parse()?, what).map(ExitCode::from);
        }
        _ => {}
    }
    let arguments = Arguments::parse();
    let mut is_good = true;
    for lane in LANES.iter().filter(|lane| [lane.name, ALL].contains(&arguments.lane.as_str())) {
        for is_planted in [false, true] {
            if is_planted == arguments.planted || arguments.lane == ALL {
                is_good &= arguments.torture(lane, is_planted)?;
            }
        }
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Arguments {
    /// Whether all laws held.
    fn torture(&self, lane: &Lane, is_planted: bool) -> Result<bool> {
        let deed = if is_planted { lane.planted } else { lane.run };
        let amount = self.amount.unwrap_or(lane.amount * self.times);
        let start = Instant::now();
        let report = deed(Plan { seed: self.seed, amount })?;
        let what = if is_planted { ", with planted bugs" } else { "" };
        let (name, took) = (lane.name, start.elapsed().as_secs());
        writeln!(std::io::stdout(), "{name}{what}: seed {}, {took} s\n{report}", self.seed)?;
        Ok(report.violations.is_empty())
    }
}
