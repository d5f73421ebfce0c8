//! A trial and its training once more, side by side.

use std::fmt::Write;

use pleach_core::plain::plain;
use pleach_store::TrialDetail;

use crate::{
    format::{count, plural},
    table::{Look, PIPE, Table, columns},
};

/// So many differences are shown.
const SHOWN: usize = 12;

/// What is recorded, and what came out again.
#[derive(Debug)]
pub struct Comparison<'a> {
    pub trial: &'a TrialDetail,
    /// From where it was trained again, and to where.
    pub steps: (u64, u64),
    /// Of the state at the end; empty if the worker has none.
    pub digests: (&'a str, &'a str),
    pub numerics: (&'a str, &'a str),
    /// What came out again: evaluations by step, names in alphabetical order.
    pub metrics: &'a [(u64, Vec<(String, f64)>)],
}

/// A number that is not what it was; absent where there was no such evaluation.
#[derive(Debug, PartialEq)]
struct Difference<'a> {
    step: u64,
    metric: &'a str,
    recorded: Option<f64>,
    again: Option<f64>,
}

type Metrics = [(u64, Vec<(String, f64)>)];

impl Comparison<'_> {
    pub fn is_equal(&self) -> bool {
        self.digests.0 == self.digests.1 && self.differences().is_empty()
    }

    /// The recorded evaluations of the steps that were trained again.
    fn recorded(&self) -> &Metrics {
        let (first, last) = self.steps;
        let metrics = &self.trial.metrics;
        let from = metrics.partition_point(|(step, _)| *step <= first);
        let to = metrics.partition_point(|(step, _)| *step <= last);
        &metrics[from..to]
    }

    fn differences(&self) -> Vec<Difference<'_>> {
        let (recorded, again) = (self.recorded(), self.metrics);
        let is_equal = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            _ => false,
        };
        let mut names: Vec<(u64, &str)> = [recorded, again]
            .into_iter()
            .flatten()
            .flat_map(|(step, values)| values.iter().map(|(name, _)| (*step, name.as_str())))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
            .into_iter()
            .map(|(step, metric)| Difference {
                step,
                metric,
                recorded: value(recorded, step, metric),
                again: value(again, step, metric),
            })
            .filter(|difference| !is_equal(difference.recorded, difference.again))
            .collect()
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        // A `String` takes everything.
        let _infallible = writeln!(
            text,
            "trial {}, trained again from step {} to {}",
            self.trial.trial.0,
            count(self.steps.0),
            count(self.steps.1)
        );
        if self.numerics.0 != self.numerics.1 {
            let _infallible = writeln!(
                text,
                "numerics were `{}` and are now `{}`: other bits are to be expected",
                plain(self.numerics.0),
                plain(self.numerics.1)
            );
        }
        let differences = self.differences();
        let evaluations = plural(self.recorded().len() as u64, "evaluation");
        if differences.is_empty() {
            let _infallible = writeln!(text, "{evaluations}: equal to the last bit");
        } else {
            let _infallible =
                writeln!(text, "{evaluations}: {}", plural(differences.len() as u64, "difference"));
            let mut rows =
                vec![["step", "metric", "recorded", "again"].map(str::to_owned).to_vec()];
            for Difference { step, metric, recorded, again } in differences.iter().take(SHOWN) {
                let number =
                    |value: &Option<f64>| value.map_or("–".to_owned(), |v| v.to_string());
                rows.push(vec![
                    count(*step),
                    (*metric).to_owned(),
                    number(recorded),
                    number(again),
                ]);
            }
            let table = Table::new(columns(&rows, rows.len()), Some(PIPE));
            text.push_str(&table.text(Look::Blank));
        }
        let _infallible = match self.digests {
            ("", "") => writeln!(text, "the worker gives no digest of its state"),
            (recorded, again) if recorded == again => {
                writeln!(text, "state: equal, {}", plain(again))
            }
            (recorded, again) => {
                writeln!(text, "state: {} was recorded, now {}", plain(recorded), plain(again))
            }
        };
        text
    }
}

fn value(metrics: &Metrics, step: u64, name: &str) -> Option<f64> {
    let index = metrics.binary_search_by_key(&step, |(step, _)| *step).ok()?;
    metrics[index].1.iter().find(|(other, _)| other == name).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::{
        key::Key,
        life::{ConfigurationId, TrialId, TrialStatus},
    };
    use pleach_store::Standing;

    type Evaluations = Vec<(u64, Vec<(String, f64)>)>;

    fn evaluations(losses: &[f64]) -> Evaluations {
        let steps = (10..).step_by(10);
        steps.zip(losses).map(|(step, &loss)| (step, vec![("loss".to_owned(), loss)])).collect()
    }

    fn check(again: &[f64], digest: &str, numerics: &str) -> String {
        let trial = TrialDetail {
            verdicts: Vec::new(),
            trial: TrialId(3),
            configuration: ConfigurationId(1),
            parameters: [].into(),
            seed: 2,
            key: Key::of("x"),
            status: TrialStatus::Done,
            objective: None,
            standing: Standing::Current,
            path: Vec::new(),
            metrics: evaluations(&[2.0, 0.1, f64::NAN]),
        };
        let metrics = evaluations(again).split_off(1);
        let comparison = Comparison {
            trial: &trial,
            steps: (15, 30),
            digests: ("ab", digest),
            numerics: ("toy-1", numerics),
            metrics: &metrics,
        };
        format!("{}equal: {}", comparison.text(), comparison.is_equal())
    }

    #[test]
    fn what_is_equal_is_said_so() {
        insta::assert_snapshot!(check(&[9.0, 0.1, f64::NAN], "ab", "toy-1"), @r"
        trial 3, trained again from step 15 to 30
        2 evaluations: equal to the last bit
        state: equal, ab
        equal: true
        ");
    }

    #[test]
    fn every_difference_is_shown() {
        insta::assert_snapshot!(check(&[9.0, 0.1 + 0.2 - 0.2], "cd", "toy-2"), @r"
        trial 3, trained again from step 15 to 30
        numerics were `toy-1` and are now `toy-2`: other bits are to be expected
        2 evaluations: 2 differences
         step   metric   recorded   again               
         20     loss     0.1        0.10000000000000003 
         30     loss     NaN        –                   
        state: ab was recorded, now cd
        equal: false
        ");
    }
}
