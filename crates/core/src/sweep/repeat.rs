//! The same failure again and again: a program that is broken stops the sweep instead of failing every trial.

use super::{Decisions, Mode, Sweep};
use crate::{class::Class, fact::Fact, life::StageStatus};

/// So many failures in a row that nothing can be done about stop a sweep in which nothing is done yet.
const AT_THE_START: u32 = 5;

/// And one in which something is.
const LATER: u32 = 50;

/// Failures for good, all in the same way, since one last was another or something was done.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    class: Option<Class>,
    why: String,
    times: u32,
}

impl Sweep {
    /// Notes how a stage has ended.
    pub(super) fn note_repeat(
        &mut self,
        status: StageStatus,
        class: Option<Class>,
        why: Option<&str>,
        decisions: &mut Decisions,
    ) {
        if self.mode == Mode::Broken {
            return;
        }
        match (status, why) {
            (StageStatus::Failed, Some(why))
                if class == self.repeats.class && alike(why, &self.repeats.why) =>
            {
                self.repeats.times += 1;
            }
            (StageStatus::Failed, Some(why)) => {
                self.repeats = Repeats { class, why: why.to_owned(), times: 1 };
            }
            (StageStatus::Done | StageStatus::Diverged, _) => self.repeats = Repeats::default(),
            _ => {}
        }
        let most = match class {
            _ if !self.counts.is_nothing_done() => LATER,
            // It is the same for every trial.
            Some(Class::Configuration) => 1,
            _ => AT_THE_START,
        };
        if most <= self.repeats.times && matches!(self.mode, Mode::Running | Mode::Paused) {
            let Repeats { why, times, .. } = &self.repeats;
            let text = match times {
                1 => format!("a trial cannot be run so: {why}"),
                _ => format!("{times} trials in a row failed in the same way: {why}"),
            };
            self.halt(&text, decisions);
            self.mode = Mode::Broken;
        }
    }

    /// Remembers why nothing more is begun: the first reason, if there are several.
    pub(super) fn halt(&self, why: &str, decisions: &mut Decisions) {
        if matches!(self.mode, Mode::Running | Mode::Paused) {
            decisions.facts.push(Fact::Halted { why: why.to_owned() });
        }
    }

    /// Why the sweep goes no further, if it is that.
    pub(super) fn repeated(&self) -> (u32, String) {
        (self.repeats.times, self.repeats.why.clone())
    }
}

/// Whether two reasons of failures are the same but for their numbers.
#[must_use]
pub fn alike(a: &str, b: &str) -> bool {
    let without_numbers = |text: &str| {
        let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
        text.split(is_number).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    };
    without_numbers(a) == without_numbers(b)
}
