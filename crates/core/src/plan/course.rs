//! What a trial does at every step, so that two trials can be compared without looking at every step.

use std::{cmp::Ordering, fmt::Write};

use pleach_schedule::pieces::Piece;

use crate::key::Key;

/// Runs of steps, each under one rule. At a step where two courses of the same kin (see [`super::TrialPlan`]) have the
/// same rule, the trials do the same to the last bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course(Vec<Run>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// The first step after it.
    end: u64,
    rule: Key,
}

impl Course {
    /// Of a schedule's pieces; `pieces` is not empty.
    pub(crate) fn new(pieces: &[Piece]) -> Self {
        Self(
            pieces.iter().map(|piece| Run { end: piece.end, rule: Key::of(&piece.rule) }).collect(),
        )
    }

    /// The same with a last step that is the last one, whatever another trial does at that step.
    pub(crate) fn ending(&self) -> Self {
        let mut runs = self.0.clone();
        if let Some(last) = runs.pop() {
            let begin = runs.last().map_or(0, |run| run.end);
            if begin + 1 < last.end {
                runs.push(Run { end: last.end - 1, rule: last.rule });
            }
            let rule = Key::of(&format!("{} and the end", last.rule));
            runs.push(Run { end: last.end, rule });
        }
        Self(runs)
    }

    /// Both at the same time: a step's rule is that of each. They are equally long.
    pub(crate) fn beside(&self, other: &Self) -> Self {
        let (mut mine, mut others) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut runs = Vec::with_capacity(self.0.len() + other.0.len());
        while let (Some(a), Some(b)) = (mine.peek(), others.peek()) {
            let end = a.end.min(b.end);
            runs.push(Run { end, rule: Key::of(&format!("{} beside {}", a.rule, b.rule)) });
            let is_over = |run: &&Run| run.end == end;
            let _mine = mine.next_if(is_over);
            let _other = others.next_if(is_over);
        }
        Self(runs)
    }

    /// The trial's last step and one, which is its number of steps.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.0.last().map_or(0, |run| run.end)
    }

    /// A text of everything before step `end`: equal for courses that are equal until then.
    pub(crate) fn until(&self, end: u64) -> String {
        let mut text = String::new();
        for run in &self.0 {
            // A `String` takes everything.
            let _infallible = write!(text, "{} until {}, ", run.rule, run.end.min(end));
            if end <= run.end {
                break;
            }
        }
        text
    }

    /// The number of steps from the start at which two courses have the same rules, and an order in which courses that
    /// share more are closer: by their rules, step by step, a course before its continuations.
    pub(crate) fn compare(&self, other: &Self) -> (u64, Ordering) {
        let (mut mine, mut others) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut shared = 0;
        loop {
            match (mine.peek(), others.peek()) {
                (Some(a), Some(b)) if a.rule == b.rule => {
                    shared = a.end.min(b.end);
                    let is_over = |run: &&Run| run.end == shared;
                    let _mine = mine.next_if(is_over);
                    let _other = others.next_if(is_over);
                }
                (Some(a), Some(b)) => return (shared, a.rule.cmp(&b.rule)),
                (a, b) => return (shared, a.is_some().cmp(&b.is_some())),
            }
        }
    }
}
