//! The points of a space: counted without being enumerated, each found from its number alone, or drawn.
//!
//! A space is a list of combinations (one branch of every choice); a combination is a product of dimensions. Points are
//! numbered combination by combination, the last dimension changing fastest, everything in the order of the file.

use std::{fmt::Write, ops::Range};

use crate::{
    expression::{Expression, round_12},
    stream::Stream,
    value::{Unit, Value},
};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Space {
    /// At least one.
    pub combinations: Vec<Combination>,
    /// Computed parameters, in the order in which they are computed.
    pub derived: Vec<(String, Placed)>,
    pub conditions: Vec<Placed>,
}

/// An expression, and where its text stands in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    pub expression: Expression,
    pub span: Range<usize>,
}

/// One branch of every choice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Combination {
    pub choices: Vec<Choice>,
    pub dimensions: Vec<Dimension>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The parameter that is chosen: `schedule`, `optimizer`.
    pub name: String,
    /// What the branch is called.
    pub branch: String,
    /// What the parameter is: the branch's name unless it says otherwise.
    pub means: String,
    pub span: Range<usize>,
}

/// An axis, or axes that move together.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimension {
    pub names: Vec<String>,
    /// Where each name stands in the file.
    pub keys: Vec<Range<usize>>,
    /// Whose branch it stands in; `None` for shared axes.
    pub choice: Option<String>,
    pub points: Points,
    /// Of the whole dimension.
    pub span: Range<usize>,
}

impl Dimension {
    /// The number that a name has at every point; `None` if it has several values, or no number.
    pub(crate) fn only_number(&self, name: &str) -> Option<f64> {
        let index = self.names.iter().position(|other| other == name)?;
        let Points::Rows(rows) = &self.points else { return None };
        let first = rows.first()?.values[index].number()?;
        rows.iter().all(|row| row.values[index].number() == Some(first)).then_some(first)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Points {
    /// Not empty; every row has a value for each name.
    Rows(Vec<Row>),
    /// So many points of a range, both ends included unless a step says otherwise, for the only name.
    Even { distribution: Distribution, unit: Unit, step: Option<f64>, count: usize },
    /// To draw from, for the only name.
    Range { distribution: Distribution, unit: Unit },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub values: Vec<Value>,
    pub span: Range<usize>,
}

/// Bounds are inclusive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    Uniform { lo: f64, hi: f64 },
    Log { lo: f64, hi: f64 },
    Int { lo: i64, hi: i64 },
    LogInt { lo: i64, hi: i64 },
    Normal { mean: f64, sd: f64 },
}

/// One point: its combination, and the values of its dimensions in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Point<'a> {
    pub combination: &'a Combination,
    pub values: Vec<(&'a str, Option<&'a str>, Value)>,
}

impl Space {
    /// The number of points; `None` if a dimension can only be drawn from, or there are over 2^128.
    #[must_use]
    pub fn count(&self) -> Option<u128> {
        self.combinations
            .iter()
            .try_fold(0_u128, |sum, combination| sum.checked_add(combination.count()?))
    }

    /// `2 batch × 5 peak`, a line for each combination.
    #[must_use]
    pub fn factorisation(&self) -> String {
        let mut text = String::new();
        for combination in &self.combinations {
            let branches: Vec<&str> =
                combination.choices.iter().map(|choice| choice.branch.as_str()).collect();
            if !branches.is_empty() {
                let _infallible = write!(text, "{}: ", branches.join(", "));
            }
            let factors = combination.dimensions.iter().filter_map(|dimension| {
                let n = dimension.count()?;
                (1 < n).then(|| format!("{n} {}", dimension.names.join("+")))
            });
            let factors: Vec<String> = factors.collect();
            text.push_str(if factors.is_empty() { "1" } else { "" });
            text.push_str(&factors.join(" × "));
            text.push('\n');
        }
        text.trim_end().to_owned()
    }

    /// Point number `index` of a grid; `None` past the end.
    #[must_use]
    pub fn point(&self, mut index: u128) -> Option<Point<'_>> {
        let combination = self.combinations.iter().find(|combination| {
            let count = combination.count().unwrap_or(0);
            let is_here = index < count;
            if !is_here {
                index -= count;
            }
            is_here
        })?;
        let mut values: Vec<_> = Vec::with_capacity(combination.dimensions.len());
        for dimension in combination.dimensions.iter().rev() {
            let n = dimension.count()? as u128;
            dimension.push((index % n) as usize, &mut values);
            index /= n;
        }
        values.reverse();
        Some(Point { combination, values })
    }

    /// Draws a point from `stream`: a combination (all equally likely), then each dimension in order.
    pub fn draw(&self, stream: &mut Stream) -> Point<'_> {
        let combination =
            &self.combinations[stream.below(self.combinations.len() as u128) as usize];
        let mut values = Vec::with_capacity(combination.dimensions.len());
        for dimension in &combination.dimensions {
            let before = values.len();
            match &dimension.points {
                Points::Rows(_) | Points::Even { .. } => {
                    let index = stream.below(dimension.count().unwrap_or(0) as u128);
                    dimension.push(index as usize, &mut values);
                }
                Points::Range { distribution, unit } => {
                    values.push((
                        dimension.names[0].as_str(),
                        dimension.choice.as_deref(),
                        unit.value(distribution.draw(stream)),
                    ));
                }
            }
            values[before..].reverse();
        }
        Point { combination, values }
    }
}

impl Combination {
    fn count(&self) -> Option<u128> {
        self.dimensions
            .iter()
            .try_fold(1_u128, |product, dimension| product.checked_mul(dimension.count()? as u128))
    }
}

impl Dimension {
    pub(crate) fn count(&self) -> Option<usize> {
        match &self.points {
            Points::Rows(rows) => Some(rows.len()),
            Points::Even { count, .. } => Some(*count),
            Points::Range { .. } => None,
        }
    }

    /// Adds the values of a point, the last one first.
    fn push<'a>(&'a self, index: usize, values: &mut Vec<(&'a str, Option<&'a str>, Value)>) {
        let choice = self.choice.as_deref();
        match &self.points {
            Points::Rows(rows) => {
                for (name, value) in self.names.iter().zip(&rows[index].values).rev() {
                    values.push((name, choice, value.clone()));
                }
            }
            Points::Even { distribution, unit, step, count } => {
                let point = distribution.point(*step, index as u64, *count as u64);
                values.push((&self.names[0], choice, unit.value(point)));
            }
            Points::Range { .. } => {}
        }
    }
}

impl Distribution {
    /// Point number `index` of `count` at equal distances (of the logarithm), or a step apart.
    pub(crate) fn point(self, step: Option<f64>, index: u64, count: u64) -> Value {
        let share = if count < 2 { 0.0 } else { index as f64 / (count - 1) as f64 };
        match (self, step) {
            (Self::Uniform { lo, hi }, Some(step)) => {
                Value::Float(uniform_point(lo, hi, index as f64 * step / (hi - lo)))
            }
            (Self::Uniform { lo, hi }, None) => Value::Float(uniform_point(lo, hi, share)),
            (Self::Log { lo, hi }, _) => Value::Float(log_point(lo, hi, share)),
            (Self::Int { lo, .. }, Some(step)) => Value::Int(lo + index as i64 * step as i64),
            (Self::Int { lo, hi }, None) => {
                Value::Int((uniform_point(lo as f64, hi as f64, share)).round() as i64)
            }
            (Self::LogInt { lo, hi }, _) => Value::Int(log_int_point(lo, hi, share)),
            (Self::Normal { mean, .. }, _) => Value::Float(mean),
        }
    }

    /// Numbers are rounded to 6 significant digits: a person can write them, and no last bit of a library matters.
    fn draw(self, stream: &mut Stream) -> Value {
        match self {
            Self::Uniform { lo, hi } => {
                Value::Float(round_6(lo + (hi - lo) * stream.unit()).clamp(lo, hi))
            }
            Self::Log { lo, hi } => Value::Float(log_point(lo, hi, stream.unit())),
            Self::Int { lo, hi } => {
                let n = (i128::from(hi) - i128::from(lo) + 1) as u128;
                Value::Int((i128::from(lo) + stream.below(n) as i128) as i64)
            }
            Self::LogInt { lo, hi } => Value::Int(log_int_point(lo, hi, stream.unit())),
            Self::Normal { mean, sd } => {
                // Box and Muller 1958; 1 - u is never zero.
                let radius = (-2.0 * (1.0 - stream.unit()).ln()).sqrt();
                let angle = std::f64::consts::TAU * stream.unit();
                Value::Float(round_6(mean + sd * radius * angle.cos()))
            }
        }
    }
}

/// To 6 significant digits.
fn round_6(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// The point at a share of the way from `lo` to `hi`, in the logarithm; the ends are exact.
fn log_point(lo: f64, hi: f64, share: f64) -> f64 {
    if share <= 0.0 {
        lo
    } else if 1.0 <= share {
        hi
    } else {
        round_6((lo.ln() + (hi.ln() - lo.ln()) * share).exp()).clamp(lo, hi)
    }
}

fn log_int_point(lo: i64, hi: i64, share: f64) -> i64 {
    (log_point(lo as f64, hi as f64, share).round() as i64).clamp(lo, hi)
}

/// The point at a share of the way from `lo` to `hi`, without the dust of binary fractions; the ends are exact.
fn uniform_point(lo: f64, hi: f64, share: f64) -> f64 {
    if share <= 0.0 {
        lo
    } else if 1.0 <= share {
        hi
    } else {
        round_12(lo + (hi - lo) * share).clamp(lo, hi)
    }
}
