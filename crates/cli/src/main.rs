//! The program `pleach`: arguments, wiring, exit codes. What it prints to standard output is data; the rest goes to
//! standard error.

mod accept;
mod command;
mod exit;
mod failures;
mod look;
mod place;
mod progress;
mod say;
mod single;
mod source;

use std::{
    ffi::OsString,
    io::Write,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use clap::Parser;
use pleach_engine::{
    command::guard::{COMMAND, serve},
    guard::{BECOME, GUARD, become_worker, guard, unstarted},
};
use signal_hook::consts::SIGXFSZ;

use crate::{command::Command, place::Place, say::eprintln};

/// Sweeps hyperparameters, above all learning-rate schedules.
#[derive(Parser)]
#[command(name = "pleach", version, after_help = exit::HELP)]
struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    // Under `ulimit -f` a write that goes too far would end us without a word; with a handler it fails, and the error is said.
    // Programs that we start do not inherit it. Where it cannot be set, all else still works.
    let is_too_large = Arc::new(AtomicBool::new(false));
    drop(signal_hook::flag::register(SIGXFSZ, Arc::clone(&is_too_large)));
    let code = run();
    if is_too_large.load(Ordering::Relaxed) {
        eprintln!("a file would have become larger than this shell allows: see `ulimit -f`");
    }
    code
}

fn run() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    match words.next() {
        Some(word) if word == GUARD || word == BECOME || word == COMMAND => hidden(&word, words),
        _ => {
            match Arguments::try_parse() {
                Ok(arguments) => exit::code(arguments.command.run(&arguments.place)),
                // It may quote a file's name.
                Err(error) if error.use_stderr() => {
                    eprintln!("{}", error.render().ansi().to_string().trim_end());
                    ExitCode::from(error.exit_code() as u8)
                }
                Err(help) => help.exit(),
            }
        }
    }
}

/// What this program calls itself with, to stand between a coordinator and its workers.
fn hidden(word: &OsString, mut words: impl Iterator<Item = OsString>) -> ExitCode {
    let parent = words.next().and_then(|parent| parent.to_str()?.parse().ok()).unwrap_or(0);
    let program: Vec<OsString> = words.collect();
    let result = if word == GUARD {
        guard(parent, &program)
    } else if word == COMMAND {
        serve(parent).map(|()| 0)
    } else {
        become_worker(parent, &program).map(|()| 0)
    };
    result.map_or_else(
        |error| {
            let program = program
                .first()
                .map_or(String::new(), |program| program.to_string_lossy().into_owned());
            // The coordinator reads it as the worker's last words.
            drop(writeln!(std::io::stderr(), "failed to run {program}: {error}"));
            let is_program = word == BECOME;
            ExitCode::from(if is_program { unstarted(&error) } else { exit::UNAVAILABLE })
        },
        ExitCode::from,
    )
}
