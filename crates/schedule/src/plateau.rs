//! The one stateful part of a schedule: a multiplier that is lowered when a metric stops improving. One machine for the
//! rules of several libraries, which differ in what they count:
//!
//! | | falls after | an improvement | becomes the best | a cooldown of c skips |
//! | --- | --- | --- | --- | --- |
//! | PyTorch `ReduceLROnPlateau` | more than `patience` without one | exceeds a threshold relative to the best | if it is one | c evaluations |
//! | Keras `ReduceLROnPlateau` | `patience` without one | exceeds an absolute threshold | if it is one | c - 1 evaluations |
//! | scikit-learn `learning_rate="adaptive"` | more than (`SGDClassifier`: so many as) `n_iter_no_change` without one | reaches an absolute threshold | whenever lower | none |
//!
//! The fields are PyTorch's; [`Plateau::keras`] and [`Plateau::scikit_learn`] translate. NaN is never an improvement.

use std::{error::Error, fmt, str::FromStr};

#[derive(Clone, Debug, PartialEq)]
pub struct Plateau {
    /// In (0, 1): what the multiplier is multiplied by.
    pub factor: f64,
    /// Evaluations in a row without improvement that are forgiven; the next one lowers the multiplier.
    pub patience: u32,
    /// An improvement must exceed this...
    pub threshold: f64,
    /// ...times the best so far, or as it is.
    pub threshold_is: Threshold,
    pub best: Best,
    /// Evaluations after a fall that are not counted.
    pub cooldown: u32,
    /// The multiplier never falls below this.
    pub min: f64,
    /// The multiplier never falls by this or less.
    pub eps: f64,
    /// What it watches; absent for the worker's loss on held-out data, which is to be low.
    pub monitor: Option<Monitor>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    Relative,
    Absolute,
}

/// What later evaluations are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Best {
    /// The last improvement: small steps add up to one (PyTorch, Keras).
    Improved,
    /// The best of all, improvement or not, and an improvement need only reach the threshold: small steps never are one
    /// (scikit-learn).
    Any,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    pub metric: String,
    pub goal: Direction,
}

/// Whether small or large values of the watched metric are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Min,
    Max,
}

impl Direction {
    /// As it is written: `min` or `max`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
        }
    }
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_is: Threshold::Relative,
            best: Best::Improved,
            cooldown: 0,
            min: 0.0,
            eps: 0.0,
            monitor: None,
        }
    }
}

/// What the rule remembers between evaluations; part of a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct PlateauState {
    pub multiplier: f64,
    /// Absent before the first evaluation.
    pub best: Option<f64>,
    pub bad: u32,
    pub cooldown: u32,
}

impl Default for PlateauState {
    fn default() -> Self {
        Self { multiplier: 1.0, best: None, bad: 0, cooldown: 0 }
    }
}

impl Plateau {
    /// Keras's `ReduceLROnPlateau(patience, min_delta, cooldown)`. It falls at the evaluation number `patience` without
    /// improvement, and a cooldown's last evaluation counts.
    #[must_use]
    pub fn keras(patience: u32, min_delta: f64, cooldown: u32) -> Self {
        Self {
            patience: patience.saturating_sub(1),
            threshold: min_delta,
            threshold_is: Threshold::Absolute,
            cooldown: cooldown.saturating_sub(1),
            ..Self::default()
        }
    }

    /// scikit-learn's `learning_rate="adaptive"`: a fifth after more than `patience` epochs without a gain of `tol`, until the
    /// rate is 1e-6 or less (where scikit-learn stops). Its `MLPClassifier` has `n_iter_no_change` for a patience, its
    /// `SGDClassifier` one less. `peak` is the rate at first.
    #[must_use]
    pub fn scikit_learn(patience: u32, tol: f64, peak: f64) -> Self {
        let factor = 0.2;
        let mut min = 1.0;
        while 1e-6 < peak * min {
            min *= factor;
        }
        Self {
            factor,
            patience,
            threshold: tol,
            threshold_is: Threshold::Absolute,
            best: Best::Any,
            min,
            ..Self::default()
        }
    }

    /// Learns one evaluation.
    pub fn observe(&self, state: &mut PlateauState, metric: f64) {
        if self.is_better(metric, state.best) {
            state.bad = 0;
        } else {
            state.bad = state.bad.saturating_add(1);
        }
        if self.becomes_best(metric, state.best) {
            state.best = Some(metric);
        }
        if 0 < state.cooldown {
            state.cooldown -= 1;
            state.bad = 0;
        }
        if self.patience < state.bad {
            let lower = (state.multiplier * self.factor).max(self.min);
            if self.eps < state.multiplier - lower {
                state.multiplier = lower;
            }
            state.cooldown = self.cooldown;
            state.bad = 0;
        }
    }

    fn becomes_best(&self, metric: f64, best: Option<f64>) -> bool {
        match self.best {
            Best::Improved => self.is_better(metric, best),
            Best::Any => match (self.goal(), best) {
                (_, None) => !metric.is_nan(),
                (Direction::Min, Some(best)) => metric < best,
                (Direction::Max, Some(best)) => best < metric,
            },
        }
    }

    fn is_better(&self, metric: f64, best: Option<f64>) -> bool {
        let goal = self.goal();
        // Before the first evaluation everything but the worst is better.
        let enough = match (best, goal, self.threshold_is) {
            (None, Direction::Min, _) => f64::INFINITY,
            (None, Direction::Max, _) => f64::NEG_INFINITY,
            (Some(best), Direction::Min, Threshold::Relative) => best * (1.0 - self.threshold),
            (Some(best), Direction::Min, Threshold::Absolute) => best - self.threshold,
            (Some(best), Direction::Max, Threshold::Relative) => best * (1.0 + self.threshold),
            (Some(best), Direction::Max, Threshold::Absolute) => best + self.threshold,
        };
        let reaches = self.best == Best::Any && metric == enough;
        reaches
            || match goal {
                Direction::Min => metric < enough,
                Direction::Max => enough < metric,
            }
    }

    /// Whether what it watches is to be low or high.
    pub(crate) fn goal(&self) -> Direction {
        self.monitor.as_ref().map_or(Direction::Min, |monitor| monitor.goal)
    }
}

/// As it reads back; what is rare is left out unless it differs from the default.
impl fmt::Display for Plateau {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let is = match self.threshold_is {
            Threshold::Relative => "relative",
            Threshold::Absolute => "absolute",
        };
        write!(
            formatter,
            "plateau(factor={},patience={},threshold={},threshold_is={is},cooldown={},min={}",
            self.factor, self.patience, self.threshold, self.cooldown, self.min
        )?;
        if self.best == Best::Any {
            formatter.write_str(",best=any")?;
        }
        if self.eps != 0.0 {
            write!(formatter, ",eps={}", self.eps)?;
        }
        if let Some(Monitor { metric, goal }) = &self.monitor {
            write!(formatter, ",monitor={metric},goal={}", goal.word())?;
        }
        formatter.write_str(")")
    }
}

/// Why a text is not a plateau rule or its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlateauError(String);

impl fmt::Display for PlateauError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "`{}` is not a plateau rule: plateau(factor=0.1,patience=10,…)", self.0)
    }
}

impl Error for PlateauError {}

impl FromStr for Plateau {
    type Err = PlateauError;

    fn from_str(text: &str) -> Result<Self, PlateauError> {
        let fail = || PlateauError(text.to_owned());
        let inner = text.trim().strip_prefix("plateau").ok_or_else(fail)?.trim();
        let inner = match inner {
            "" => "",
            _ => inner
                .strip_prefix('(')
                .and_then(|inner| inner.strip_suffix(')'))
                .ok_or_else(fail)?,
        };
        let mut plateau = Self::default();
        let (mut metric, mut goal) = (None, None);
        for pair in inner.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(fail)?;
            let number = || {
                value.parse::<f64>().ok().filter(|n| n.is_finite() && 0.0 <= *n).ok_or_else(fail)
            };
            let count = || value.parse::<u32>().map_err(|_| fail());
            match name {
                "factor" => plateau.factor = number()?,
                "patience" => plateau.patience = count()?,
                "threshold" => plateau.threshold = number()?,
                "threshold_is" if value == "relative" => plateau.threshold_is = Threshold::Relative,
                "threshold_is" if value == "absolute" => plateau.threshold_is = Threshold::Absolute,
                "cooldown" => plateau.cooldown = count()?,
                "min" => plateau.min = number()?,
                "best" if value == "improved" => plateau.best = Best::Improved,
                "best" if value == "any" => plateau.best = Best::Any,
                "eps" => plateau.eps = number()?,
                "monitor" if is_metric(value) => metric = Some(value.to_owned()),
                "goal" if value == "min" => goal = Some(Direction::Min),
                "goal" if value == "max" => goal = Some(Direction::Max),
                _ => return Err(fail()),
            }
        }
        plateau.monitor = match (metric, goal) {
            (None, None) => None,
            (Some(metric), Some(goal)) => Some(Monitor { metric, goal }),
            _ => return Err(fail()),
        };
        if plateau.factor <= 0.0 || 1.0 <= plateau.factor { Err(fail()) } else { Ok(plateau) }
    }
}

/// Whether a text can be a metric's name in a rule's text.
pub(crate) fn is_metric(text: &str) -> bool {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    !text.is_empty() && text.chars().all(is_legal)
}
