//! A schedule in steps, for one trial: a pure function of the step. Its text is its normal form: equal texts mean
//! bit-equal rates at every step of the budget, so the text is what is hashed, compared and sent.

use crate::{evaluate, normal, phase::Phase, schedule::Sample};

#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    pub(crate) peak: f64,
    pub(crate) factors: Vec<Vec<Phase<f64>>>,
    pub(crate) hold: f64,
    pub(crate) sample: Sample,
}

impl Resolved {
    /// The rate of the update with 0-based index `step`: finite and not negative.
    pub fn at(&self, step: u64) -> f64 {
        let time = self.time(step);
        let rate = self
            .factors
            .iter()
            .fold(self.peak, |rate, phases| rate * evaluate::value(phases, time));
        // A formula may touch zero from below by a rounding error; a gain above 1 may grow beyond all numbers.
        if rate.is_nan() { 0.0 } else { rate.clamp(0.0, f64::MAX) }
    }

    /// When the profile is read for a step; never earlier for a later one.
    pub(crate) fn time(&self, step: u64) -> f64 {
        let step = step as f64;
        let held = if self.hold == 1.0 { step } else { (step / self.hold).floor() * self.hold };
        match self.sample {
            Sample::Left => held,
            Sample::Right => held + self.hold,
        }
    }

    /// The number that all of its values are multiples of.
    pub fn peak(&self) -> f64 {
        self.peak
    }

    /// The value, if it is known to be the same at every step.
    pub fn constant(&self) -> Option<f64> {
        normal::constant(self)
    }

    /// The lowest and the highest value over a budget of `steps`, at least 1; of a very long one, over steps at equal
    /// distances.
    pub fn extremes(&self, steps: u64) -> (f64, f64) {
        const ALL: u64 = 1 << 20;
        let last = self.at(steps.saturating_sub(1));
        let stride = steps.div_ceil(ALL).max(1);
        (0..steps)
            .step_by(stride as usize)
            .map(|step| self.at(step))
            .fold((last, last), |(lowest, highest), value| (lowest.min(value), highest.max(value)))
    }

    /// The rates of the first `steps` updates.
    pub fn table(&self, steps: u64) -> Vec<f64> {
        (0..steps).map(|step| self.at(step)).collect()
    }

    /// What a person compares schedules by, over a budget of `steps`, at least 1.
    pub fn summary(&self, steps: u64) -> Summary {
        // A few thousand points say as much as millions.
        let stride = (steps / 10_000).max(1);
        let rates: Vec<f64> =
            (0..steps).step_by(stride as usize).map(|step| self.at(step)).collect();
        let highest = rates.iter().copied().fold(0.0, f64::max);
        let share = |rates: usize, all: usize| rates as f64 / all.max(1) as f64;
        let before = rates.iter().take_while(|rate| **rate < highest).count();
        let after = rates.iter().rev().take_while(|rate| **rate < highest).count();
        let mean = rates.iter().sum::<f64>() / rates.len().max(1) as f64;
        Summary {
            highest,
            area: if 0.0 < highest { mean / highest } else { 0.0 },
            warmup: share(before, rates.len()),
            cooldown: if 0 < after { share(after + 1, rates.len()) } else { 0.0 },
            last: self.at(steps.saturating_sub(1)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The highest rate.
    pub highest: f64,
    /// Mean rate over highest rate.
    pub area: f64,
    /// Share of the budget before the highest rate is first reached.
    pub warmup: f64,
    /// Share of the budget from the last update at the highest rate on; 0 if that is the last update of all.
    pub cooldown: f64,
    /// The rate of the last update.
    pub last: f64,
}
