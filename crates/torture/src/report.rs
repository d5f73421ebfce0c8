//! What a lane has done and found.

use std::{fmt, io::Write};

/// Counts, in the order in which they were first named, and what was wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    counts: Vec<(&'static str, u64)>,
    /// Laws that did not hold; each says with what seed and case.
    pub violations: Vec<String>,
    /// What this machine cannot do, and so was not tried.
    pub skipped: Vec<String>,
}

impl Report {
    pub fn count(&mut self, what: &'static str, more: u64) {
        match self.counts.iter_mut().find(|(name, _)| *name == what) {
            Some((_, count)) => *count += more,
            None => self.counts.push((what, more)),
        }
    }

    pub fn of(&self, what: &str) -> u64 {
        self.counts.iter().find(|(name, _)| *name == what).map_or(0, |(_, count)| *count)
    }

    /// Something that must have happened, or the lane has shown nothing.
    pub fn demand(&mut self, what: &'static str, least: u64) {
        let count = self.of(what);
        if count < least && self.skipped.is_empty() {
            self.violations.push(format!("only {count} {what}: at least {least} must happen"));
        }
    }

    /// What was wrong in one of many cases; said at once, too, since all of them may take an hour.
    pub fn wrong(&mut self, case: &str, what: Vec<String>) {
        for what in what {
            let what = format!("{case}: {what}");
            // Nobody may be reading.
            drop(writeln!(std::io::stderr(), "{what}"));
            self.violations.push(what);
        }
    }

    /// A planted bug must have been found, by the law that is there for it: its words are in what was found.
    pub fn caught(&mut self, bug: &str, law: &str, found: &[String]) {
        let is_caught = found.iter().any(|what| what.contains(law));
        if !is_caught {
            self.violations.push(format!("a planted bug was not caught: {bug}; found: {found:?}"));
        }
        self.count("planted bugs caught", u64::from(is_caught));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        for (name, count) in &self.counts {
            writeln!(formatter, "{count:>9}  {name}")?;
        }
        for what in &self.skipped {
            writeln!(formatter, "  SKIPPED  {what}")?;
        }
        for what in &self.violations {
            writeln!(formatter, "    WRONG  {what}")?;
        }
        Ok(())
    }
}
