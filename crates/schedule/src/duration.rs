//! A stretch of training, as a person writes it: `10%` of the budget, `5ep`, `300st`.

use std::{error::Error, fmt, str::FromStr};

/// Finite and not negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Duration {
    /// A fraction of the trial's budget: `10%` is 0.1.
    Fraction(f64),
    /// Passes over the training set.
    Epochs(f64),
    /// Optimizer steps.
    Steps(f64),
}

/// What durations are measured against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// The trial's budget: its number of optimizer steps.
    pub steps: u64,
    /// At least 1.
    pub steps_per_epoch: u64,
}

impl Duration {
    pub const ZERO: Self = Self::Steps(0.0);

    /// In optimizer steps; not rounded.
    pub fn in_steps(self, horizon: Horizon) -> f64 {
        match self {
            Self::Fraction(fraction) => fraction * horizon.steps as f64,
            Self::Epochs(epochs) => epochs * horizon.steps_per_epoch as f64,
            Self::Steps(steps) => steps,
        }
    }

    /// As a fraction of the trial's budget.
    pub fn as_fraction(self, horizon: Horizon) -> f64 {
        match self {
            Self::Fraction(fraction) => fraction,
            other => other.in_steps(horizon) / horizon.steps as f64,
        }
    }

    /// So many times as long.
    #[must_use]
    pub fn times(self, by: f64) -> Self {
        self.map(|number| number * by)
    }

    /// Both together, if they have one unit or one is zero.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Fraction(a), Self::Fraction(b)) => Some(Self::Fraction(a + b)),
            (Self::Epochs(a), Self::Epochs(b)) => Some(Self::Epochs(a + b)),
            (Self::Steps(a), Self::Steps(b)) => Some(Self::Steps(a + b)),
            (_, other) if other.number() == 0.0 => Some(self),
            (zero, _) if zero.number() == 0.0 => Some(other),
            _ => None,
        }
    }

    /// What is left without `other`, perhaps less than nothing, if they have one unit or one is zero.
    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.map(|number| -number))
    }

    fn map(self, change: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Fraction(number) => Self::Fraction(change(number)),
            Self::Epochs(number) => Self::Epochs(change(number)),
            Self::Steps(number) => Self::Steps(change(number)),
        }
    }

    /// The number without its unit: 10 for `10%`.
    pub fn number(self) -> f64 {
        match self {
            Self::Fraction(fraction) => fraction * 100.0,
            Self::Epochs(number) | Self::Steps(number) => number,
        }
    }
}

/// A fraction as a number of percent. 0.07 * 100 is not 7; its shortest decimal form, shifted, is.
fn percent(fraction: f64) -> String {
    let scientific = format!("{fraction:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = mantissa.replace('.', "");
    let before_point = 3 + exponent.parse::<isize>().unwrap_or(0);
    let n_digits = digits.len() as isize;
    let zeros = |n: isize| "0".repeat(n.max(0) as usize);
    if fraction == 0.0 {
        "0".to_owned()
    } else if before_point <= 0 {
        format!("0.{}{digits}", zeros(-before_point))
    } else if n_digits <= before_point {
        format!("{digits}{}", zeros(before_point - n_digits))
    } else {
        let (before, after) = digits.split_at(before_point as usize);
        format!("{before}.{after}")
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurationError {
    text: String,
}

impl fmt::Display for DurationError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(
            formatter,
            "`{}` is not a duration: write a number that is not negative and its unit, `10%` of the budget, `5ep` (epochs) or `300st` (steps)",
            self.text
        )
    }
}

impl Error for DurationError {}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        ["%", "ep", "st"]
            .into_iter()
            .find_map(|unit| {
                let number = text.strip_suffix(unit)?;
                // `inf`, `nan` and a sign are numbers to Rust, not to us.
                number
                    .starts_with(|first: char| first.is_ascii_digit() || first == '.')
                    .then_some(())?;
                let parsed: f64 = number.parse().ok()?;
                parsed.is_finite().then_some(match unit {
                    // As one decimal number: a division would round once more.
                    "%" => Self::Fraction(format!("{number}e-2").parse().unwrap_or(parsed / 100.0)),
                    "ep" => Self::Epochs(parsed),
                    _ => Self::Steps(parsed),
                })
            })
            .ok_or_else(|| DurationError { text: text.to_owned() })
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Fraction(fraction) => write!(formatter, "{}%", percent(*fraction)),
            Self::Epochs(number) => write!(formatter, "{number}ep"),
            Self::Steps(number) => write!(formatter, "{number}st"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_back_from_its_text() {
        for text in [
            "0%",
            "7%",
            "10%",
            "12.5%",
            "100%",
            "5ep",
            "0.5ep",
            "300st",
            "0.1%",
            "33.3%",
            "0.001%",
            "1234567.89%",
        ] {
            assert_eq!(text.parse::<Duration>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_duration_needs_a_number_and_a_unit() {
        for text in ["", "5", "ep", "-5ep", "+5ep", "nan%", "infst", "5 ep", "5epochs", "1e999st"] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_same_stretch_in_three_units() {
        let horizon = Horizon { steps: 1000, steps_per_epoch: 100 };
        for text in ["50%", "5ep", "500st"] {
            let duration: Duration = text.parse().unwrap();
            assert_eq!((duration.in_steps(horizon), duration.as_fraction(horizon)), (500.0, 0.5));
        }
    }
}
