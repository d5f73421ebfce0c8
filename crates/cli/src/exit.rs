//! Exit codes, and how errors are said.

use std::process::ExitCode;

use crate::say::{eprintln, is_enough};
use pleach_core::{diagnostic::Color, plain::within};
use pleach_engine::{
    command::CommandError, home::HomeError, prepare::PrepareError, program::NoProgram,
    run::RunError,
};
use pleach_store::{FindError, OpenError};
use thiserror::Error;

pub(crate) const FAILED_TRIALS: u8 = 3;
pub(crate) const INVALID: u8 = 65;
pub(crate) const NOT_FOUND: u8 = 66;
pub(crate) const UNAVAILABLE: u8 = 69;
pub(crate) const BUSY: u8 = 75;
pub(crate) const STOPPED: u8 = 130;

pub(crate) const HELP: &str = "\
Exit codes:
    0  all went well, or whoever read the output has read enough of it (| head)
    1  something failed
    2  the command line makes no sense, or an answer is needed (--accept, --yes)
    3  the sweep is complete, but trials failed
   65  the sweep file, or a schedule, is wrong
   66  there is no such sweep, trial or file
   69  the program of the trials cannot be used
   75  the sweep is being run by somebody else
  130  the sweep was stopped before its end";

/// Characters of a line of an error, at most.
const LONGEST: usize = 2000;

/// How a command ends well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Good,
    Code(u8),
}

/// Errors that have an exit code of their own.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    NeedsAnswer(String),
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    Unavailable(String),
}

/// Says an error, and finds its code.
pub(crate) fn code(result: anyhow::Result<Ending>) -> ExitCode {
    let error = match result {
        Ok(Ending::Good) => return ExitCode::SUCCESS,
        Ok(Ending::Code(code)) => return ExitCode::from(code),
        Err(error) => error,
    };
    if is_enough() {
        // Whoever read the output has read enough of it.
        return ExitCode::SUCCESS;
    }
    match error.downcast_ref::<PrepareError>() {
        Some(PrepareError::Invalid(diagnostics)) => {
            eprintln!("{}", diagnostics.render(Color::Ansi));
        }
        _ => eprintln!("\u{1b}[1;31merror\u{1b}[0m: {}", lines(&chain(&error))),
    }
    ExitCode::from(code_of(&error))
}

/// Causes in one line, each said once: one that only repeats the one before it with a number in front is not another one.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    let mut last: Option<String> = None;
    for cause in error.chain() {
        let cause = cause.to_string();
        let is_known = last.as_ref().is_some_and(|last| cause.contains(last));
        if !text.contains(&cause) && !is_known {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(&cause);
        }
        last = Some(cause);
    }
    text
}

/// Whatever a cause quotes, it begins no line of ours.
fn lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().take(20).map(|line| within(line, LONGEST)).collect();
    lines.join("\n    ")
}

fn code_of(error: &anyhow::Error) -> u8 {
    if let Some(error) = error.downcast_ref::<PrepareError>() {
        return if matches!(error, PrepareError::Invalid(_)) { INVALID } else { UNAVAILABLE };
    }
    if let Some(error) = error.downcast_ref::<Failure>() {
        return match error {
            Failure::NotFound(_) => NOT_FOUND,
            Failure::NeedsAnswer(_) => 2,
            Failure::Invalid(_) => INVALID,
            Failure::Unavailable(_) => UNAVAILABLE,
        };
    }
    if error.downcast_ref::<NoProgram>().is_some() || error.downcast_ref::<CommandError>().is_some()
    {
        return UNAVAILABLE;
    }
    if let Some(FindError::None { .. } | FindError::Several { .. }) = error.downcast_ref() {
        return NOT_FOUND;
    }
    if let Some(OpenError::Missing { .. }) = error.downcast_ref() {
        return NOT_FOUND;
    }
    let home = error.downcast_ref::<HomeError>().or(match error.downcast_ref::<RunError>() {
        Some(RunError::Home(home)) => Some(home),
        _ => None,
    });
    match home {
        Some(HomeError::Held { .. }) => BUSY,
        Some(HomeError::Name { .. }) => INVALID,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_cause_is_said_once() {
        let chain = |causes: &[&'static str]| {
            let (first, rest) = causes.split_first().unwrap();
            let error =
                rest.iter().fold(anyhow::anyhow!(*first), |error, cause| error.context(*cause));
            super::chain(&error)
        };
        assert_eq!(
            chain(&["Error code 11: x is bad", "x is bad", "f: damaged"]),
            "f: damaged: x is bad"
        );
        assert_eq!(chain(&["x is bad", "f: x is bad"]), "f: x is bad");
        assert_eq!(chain(&["why", "what", "where"]), "where: what: why");
    }
}
