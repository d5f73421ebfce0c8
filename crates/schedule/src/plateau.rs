//! The one stateful part of a schedule: a multiplier that is lowered when a metric stops improving. PyTorch's rules
//! (`ReduceLROnPlateau`): after more than `patience` evaluations in a row without improvement the multiplier is
//! multiplied by `factor`; then `cooldown` evaluations are not counted. NaN is never an improvement.

use std::{error::Error, fmt, str::FromStr};

#[derive(Clone, Debug, PartialEq)]
pub struct Plateau {
    /// In (0, 1).
    pub factor: f64,
    /// Evaluations without improvement that are forgiven.
    pub patience: u32,
    /// An improvement must exceed this...
    pub threshold: f64,
    /// ...times the best so far, or as it is.
    pub threshold_is: Threshold,
    pub cooldown: u32,
    /// The multiplier never falls below this.
    pub min: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    Relative,
    Absolute,
}

/// Whether small or large values of the watched metric are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Min,
    Max,
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_is: Threshold::Relative,
            cooldown: 0,
            min: 0.0,
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
    /// Learns one evaluation.
    pub fn observe(&self, state: &mut PlateauState, metric: f64, direction: Direction) {
        if self.is_better(metric, state.best, direction) {
            state.best = Some(metric);
            state.bad = 0;
        } else {
            state.bad += 1;
        }
        if 0 < state.cooldown {
            state.cooldown -= 1;
            state.bad = 0;
        }
        if self.patience < state.bad {
            state.multiplier = (state.multiplier * self.factor).max(self.min);
            state.cooldown = self.cooldown;
            state.bad = 0;
        }
    }

    fn is_better(&self, metric: f64, best: Option<f64>, direction: Direction) -> bool {
        let Some(best) = best else { return !metric.is_nan() };
        let margin = match self.threshold_is {
            Threshold::Relative => self.threshold * best,
            Threshold::Absolute => self.threshold,
        };
        match direction {
            Direction::Min => metric < best - margin,
            Direction::Max => best + margin < metric,
        }
    }
}

impl fmt::Display for Plateau {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let is = match self.threshold_is {
            Threshold::Relative => "relative",
            Threshold::Absolute => "absolute",
        };
        write!(
            formatter,
            "plateau(factor={},patience={},threshold={},threshold_is={is},cooldown={},min={})",
            self.factor, self.patience, self.threshold, self.cooldown, self.min
        )
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
                _ => return Err(fail()),
            }
        }
        if plateau.factor <= 0.0 || 1.0 <= plateau.factor { Err(fail()) } else { Ok(plateau) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(plateau: &Plateau, metrics: &[f64], expected: &[f64]) {
        let mut state = PlateauState::default();
        let multipliers: Vec<f64> = metrics
            .iter()
            .map(|&metric| {
                plateau.observe(&mut state, metric, Direction::Min);
                state.multiplier
            })
            .collect();
        assert_eq!(multipliers, expected);
    }

    #[test]
    fn the_rate_falls_after_more_bad_evaluations_than_are_forgiven() {
        let plateau = Plateau { factor: 0.5, patience: 1, ..Plateau::default() };
        check(&plateau, &[1.0, 1.0, 1.0, 0.5, 0.5, f64::NAN], &[1.0, 1.0, 0.5, 0.5, 0.5, 0.25]);
    }

    #[test]
    fn evaluations_during_a_cooldown_do_not_count() {
        let plateau = Plateau { factor: 0.5, patience: 0, cooldown: 2, ..Plateau::default() };
        check(&plateau, &[1.0, 1.0, 1.0, 1.0, 1.0], &[1.0, 0.5, 0.5, 0.5, 0.25]);
    }

    #[test]
    fn the_multiplier_has_a_floor() {
        let plateau = Plateau { factor: 0.1, patience: 0, min: 0.05, ..Plateau::default() };
        check(&plateau, &[1.0, 1.0, 1.0], &[1.0, 0.1, 0.05]);
    }

    #[test]
    fn a_rule_reads_back_from_its_text() {
        let plateau =
            Plateau { patience: 3, threshold_is: Threshold::Absolute, ..Plateau::default() };
        assert_eq!(plateau.to_string().parse(), Ok(plateau));
        assert_eq!("plateau".parse(), Ok(Plateau::default()));
        for bad in
            ["", "plateau(factor=2)", "plateau(patience=-1)", "plateau(x=1)", "plateau(factor"]
        {
            assert!(bad.parse::<Plateau>().is_err(), "{bad}");
        }
    }
}
