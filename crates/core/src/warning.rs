//! What was odd in what a program said of its metrics, for people: what could not be used, or not as it was said. Nothing
//! depends on it: no key, no ranking, no retry.

use std::fmt;

use serde::Serialize;

use crate::plain::within;

/// An attempt has at most so many kinds of warnings; further ones are not kept.
const KINDS: usize = 16;

/// The longest text of a warning, in characters.
const LONGEST: usize = 300;

/// One kind of oddity, counted, with its first case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Names the kind: `a line that is no JSON object was left out`.
    pub what: String,
    /// How often; at least 1.
    pub count: u64,
    /// The line of the first case, counted from 1, if it is one in a file or an output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The first case: what was said, or why it could not be used.
    pub first: String,
}

impl Warning {
    /// With texts of bounded length.
    #[must_use]
    pub fn new(what: &str, count: u64, line: Option<u64>, first: &str) -> Self {
        let text = |text| within(text, LONGEST).into_owned();
        Self { what: text(what), count: count.max(1), line, first: text(first) }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { what, count, line, first } = self;
        match (count, line) {
            (1, Some(line)) => write!(f, "{what} (line {line}: {first})"),
            (1, None) => write!(f, "{what} ({first})"),
            (_, Some(line)) => {
                write!(f, "{what}, {count} times (the first on line {line}: {first})")
            }
            (_, None) => write!(f, "{what}, {count} times (the first: {first})"),
        }
    }
}

/// The warnings of an attempt, a kind at most once, in the order of their first cases.
#[derive(Clone, Debug, Default)]
pub struct Warnings {
    all: Vec<Warning>,
    /// The count of each that was told last.
    told: Vec<u64>,
}

impl Warnings {
    /// Counts one more case of a kind.
    pub fn add(&mut self, what: &str, line: Option<u64>, first: impl FnOnce() -> String) {
        match self.all.iter_mut().find(|it| it.what == what) {
            Some(known) => known.count += 1,
            None => self.insert(Warning::new(what, 1, line, &first())),
        }
    }

    /// Takes over what somebody else has counted: a later count of a kind replaces the earlier one.
    pub fn replace(&mut self, warning: &Warning) {
        let Warning { what, count, line, first } = warning;
        let warning = Warning::new(what, *count, *line, first);
        match self.all.iter_mut().find(|it| it.what == warning.what) {
            Some(known) => *known = warning,
            None => self.insert(warning),
        }
    }

    fn insert(&mut self, warning: Warning) {
        if self.all.len() < KINDS {
            self.all.push(warning);
            self.told.push(0);
        }
    }

    #[must_use]
    pub fn all(&self) -> &[Warning] {
        &self.all
    }

    /// The new kinds, and those whose count has doubled since they were told last: however often something is said, few are told.
    pub fn news(&mut self) -> Vec<Warning> {
        self.tell(|told, count| 2 * told <= count)
    }

    /// Those whose count has changed since they were told last.
    pub fn untold(&mut self) -> Vec<Warning> {
        self.tell(|told, count| told != count)
    }

    fn tell(&mut self, is_new: impl Fn(u64, u64) -> bool) -> Vec<Warning> {
        let mut news = Vec::new();
        for (warning, told) in self.all.iter().zip(&mut self.told) {
            if *told != warning.count && is_new(*told, warning.count) {
                *told = warning.count;
                news.push(warning.clone());
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_often_something_is_said_few_are_told() {
        let mut warnings = Warnings::default();
        let mut told = Vec::new();
        for number in 1..=1000 {
            warnings.add("odd", Some(number), || number.to_string());
            told.extend(warnings.news().iter().map(|it| it.count));
        }
        told.extend(warnings.untold().iter().map(|it| it.count));
        assert_eq!(told, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000]);
        assert!(warnings.untold().is_empty());
        insta::assert_snapshot!(warnings.all()[0], @"odd, 1000 times (the first on line 1: 1)");
    }

    #[test]
    fn warnings_are_few_and_short_and_plain() {
        let mut warnings = Warnings::default();
        for number in 0..100 {
            warnings.add(&format!("kind {number}"), None, || "\u{1b}[31m".repeat(1_000_000));
            warnings.replace(&Warning::new(&format!("kind {number}"), 7, None, "\0\n\u{202e}"));
        }
        assert_eq!(warnings.all().len(), KINDS);
        assert_eq!(warnings.all()[0].to_string(), r"kind 0, 7 times (the first: \x00\n\u{202e})");
        let long = Warning::new("x", 0, None, &"é\u{1b}".repeat(1000));
        assert!(long.first.chars().count() <= LONGEST && !long.first.contains('\u{1b}'));
    }
}
