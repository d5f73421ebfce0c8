//! Which metric is good, in which direction, and how a trial's evaluations become one number.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// The metric's name, as the worker reports it.
    pub metric: String,
    pub goal: Goal,
    pub reduce: Reduce,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    Min,
    Max,
}

/// How the values of a trial's evaluations become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reduce {
    /// That of the last evaluation.
    Last,
    /// The best of all; a value that is not finite is never best.
    Best,
    /// The mean of the last so many; of all, when there are fewer.
    Mean(u32),
}

/// What must be known of a trial's past evaluations to reduce the next one; kept with checkpoints, so that
/// metric rows are never read to resume. At most as many values as [`Reduce::Mean`] asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluated(pub Vec<f64>);

impl Objective {
    /// Adds one evaluation.
    pub fn add(&self, evaluated: &mut Evaluated, value: f64) {
        let values = &mut evaluated.0;
        match self.reduce {
            Reduce::Last => *values = vec![value],
            Reduce::Best => match values.first() {
                Some(&best) if self.goal.compare(best, value) != Ordering::Greater => {}
                _ => *values = vec![value],
            },
            Reduce::Mean(n) => {
                values.push(value);
                let surplus = values.len().saturating_sub(n.max(1) as usize);
                values.drain(..surplus);
            }
        }
    }

    /// The trial's number; `None` without any evaluation.
    #[must_use]
    pub fn value(&self, evaluated: &Evaluated) -> Option<f64> {
        let values = &evaluated.0;
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}

/// A trial's evaluations reduced one after the other. The objective measured again at the last step replaces what it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reduction {
    evaluated: Evaluated,
    /// The last step with the objective, its value, and everything before it, reduced.
    last: Option<(u64, f64, Evaluated)>,
}

impl Reduction {
    /// Goes on from these.
    #[must_use]
    pub fn new(evaluated: Evaluated) -> Self {
        Self { evaluated, last: None }
    }

    /// Adds the objective as measured at a step, which is not before the last one. Answers with the other value that it replaces.
    pub fn add(&mut self, objective: &Objective, step: u64, value: f64) -> Option<f64> {
        let replaced = match self.last.take() {
            Some((last, known, before)) if last == step => {
                self.evaluated = before;
                Some(known).filter(|known| !is_same(*known, value))
            }
            _ => None,
        };
        self.last = Some((step, value, self.evaluated.clone()));
        objective.add(&mut self.evaluated, value);
        replaced
    }

    #[must_use]
    pub fn evaluated(&self) -> &Evaluated {
        &self.evaluated
    }
}

/// Whether two values are one: NaN is itself.
#[must_use]
pub fn is_same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

impl Goal {
    /// A finite number's place in [`Goal::compare`]'s order: that of the better one is less, and none is the highest.
    #[must_use]
    pub fn place(self, value: f64) -> u64 {
        // Zero is one number.
        let bits = (value + 0.0).to_bits();
        let ascending = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
        match self {
            Self::Min => ascending,
            Self::Max => !ascending,
        }
    }

    /// A total order in which the better value is less; everything that is not finite comes last, and all of
    /// that is equal.
    #[must_use]
    pub fn compare(self, a: f64, b: f64) -> Ordering {
        match (a.is_finite(), b.is_finite()) {
            (true, true) if a == b => Ordering::Equal,
            (true, true) => match self {
                Self::Min => a.total_cmp(&b),
                Self::Max => b.total_cmp(&a),
            },
            (a, b) => b.cmp(&a),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(goal: Goal, reduce: Reduce, values: &[f64], expected: Option<f64>) {
        let objective = Objective { metric: String::new(), goal, reduce };
        let mut evaluated = Evaluated::default();
        for &value in values {
            objective.add(&mut evaluated, value);
        }
        assert_eq!(objective.value(&evaluated), expected);
    }

    #[test]
    fn a_trial_has_no_number_before_its_first_evaluation() {
        check(Goal::Max, Reduce::Last, &[], None);
    }

    #[test]
    fn the_last_the_best_or_the_mean_of_the_last_counts() {
        check(Goal::Max, Reduce::Last, &[3.0, 1.0, 2.0], Some(2.0));
        check(Goal::Max, Reduce::Best, &[1.0, 3.0, 2.0], Some(3.0));
        check(Goal::Min, Reduce::Best, &[3.0, 1.0, 2.0], Some(1.0));
        check(Goal::Max, Reduce::Mean(2), &[9.0, 1.0, 2.0], Some(1.5));
        check(Goal::Max, Reduce::Mean(9), &[1.0, 2.0], Some(1.5));
    }

    #[test]
    fn a_value_that_is_not_finite_is_never_best() {
        check(Goal::Max, Reduce::Best, &[1.0, f64::INFINITY, f64::NAN], Some(1.0));
        check(Goal::Min, Reduce::Best, &[f64::NAN, 1.0, f64::NEG_INFINITY], Some(1.0));
    }

    #[test]
    fn measured_again_at_the_last_step_it_is_another_value_and_no_further_evaluation() {
        let said = [(1, 3.0), (2, 9.0), (2, 5.0), (2, 5.0), (3, f64::NAN), (3, f64::NAN), (3, 4.0)];
        let replaced = [None, None, Some(9.0), None, None, None, Some(f64::NAN)];
        for (reduce, expected) in [
            (Reduce::Last, 4.0),
            (Reduce::Best, 3.0),
            (Reduce::Mean(2), 4.5),
            (Reduce::Mean(9), 4.0),
        ] {
            let objective = Objective { metric: String::new(), goal: Goal::Min, reduce };
            let mut reduction = Reduction::default();
            for ((step, value), replaced) in said.into_iter().zip(replaced) {
                let before = reduction.add(&objective, step, value);
                assert_eq!(format!("{before:?}"), format!("{replaced:?}"));
            }
            assert_eq!(objective.value(reduction.evaluated()), Some(expected));
        }
    }
}
