//! How the classes of this folder read their arguments.

use crate::{
    duration::Duration,
    phase::{Body, Cycle, GainOn, Phase, Shape},
    preset::{Argument, Given, PresetError},
    schedule::Schedule,
};

pub(super) type Phases = Vec<Phase<Duration>>;

pub(super) const COSINE: Shape = Shape::Cosine { e: 1.0, k: 1.0 };

impl Given<'_> {
    /// The number given for an argument, or its default; 0 if it has none.
    pub(super) fn value(&self, name: &str) -> f64 {
        self.number(name).or_else(|| self.default(name).parse().ok()).unwrap_or(0.0)
    }

    pub(super) fn word(&self, name: &str) -> &str {
        self.text(name).unwrap_or_else(|| self.default(name))
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        match self.arguments.get(name) {
            Some(Argument::Bool(value)) => *value,
            _ => self.default(name) == "true",
        }
    }

    pub(super) fn is_compatible(&self) -> bool {
        self.flag("compat")
    }

    /// What whole numbers count.
    pub(super) fn per(&self) -> Duration {
        let one = match self.arguments.get("t_in_epochs") {
            Some(Argument::Bool(true)) => Duration::Epochs(1.0),
            _ => Duration::Steps(1.0),
        };
        self.duration("per").unwrap_or(one)
    }

    /// So many times what whole numbers count.
    pub(super) fn counted(&self, number: f64) -> Duration {
        self.per().times(number)
    }

    /// A stretch of time, given or by default; `None` if it has no default.
    pub(super) fn time(&self, name: &str) -> Option<Duration> {
        self.duration(name).or_else(|| {
            let number = self.number(name).or_else(|| self.default(name).parse().ok())?;
            Some(self.counted(number))
        })
    }

    /// A stretch of time as a number of what whole numbers count, for what a library computes with it.
    pub(super) fn count(&self, name: &str) -> Option<f64> {
        match self.time(name)? {
            _ if self.number(name).is_some() => self.number(name),
            time => Some(time.in_steps(self.horizon) / self.per().in_steps(self.horizon)),
        }
    }

    /// A stretch of time that cannot be zero.
    pub(super) fn span(&self, name: &str) -> Result<Duration, PresetError> {
        match self.time(name) {
            Some(time) if time.number() <= 0.0 => {
                Err(self.wrong(name, "it must be more than zero"))
            }
            Some(time) => Ok(time),
            None => Err(self.missing(name)),
        }
    }

    pub(super) fn times(&self, name: &str) -> Vec<Duration> {
        match self.arguments.get(name) {
            Some(Argument::Durations(times)) => times.clone(),
            Some(Argument::Numbers(numbers)) => {
                numbers.iter().map(|number| self.counted(*number)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Rates, or factors of them: not negative.
    pub(super) fn rates(&self, name: &str) -> Result<&[f64], PresetError> {
        match self.arguments.get(name) {
            Some(Argument::Numbers(rates)) if rates.iter().any(|&rate| rate < 0.0) => {
                Err(self.wrong(name, "numbers that are not negative"))
            }
            Some(Argument::Numbers(rates)) => Ok(rates),
            _ => Ok(&[]),
        }
    }

    /// The number of an argument, which must be above zero.
    pub(super) fn positive(&self, name: &str) -> Result<f64, PresetError> {
        match self.value(name) {
            value if 0.0 < value => Ok(value),
            _ => Err(self.wrong(name, "a number above zero")),
        }
    }

    /// The number of an argument, which cannot be negative.
    pub(super) fn natural(&self, name: &str) -> Result<f64, PresetError> {
        match self.value(name) {
            value if 0.0 <= value => Ok(value),
            _ => Err(self.wrong(name, "a number that is not negative")),
        }
    }

    /// How many times as long as the one before each cycle is. Cycles that shrink must be counted.
    pub(super) fn growth(&self, name: &str) -> Result<f64, PresetError> {
        match self.value(name) {
            grow if grow == 1.0 || 1.01 <= grow => Ok(grow),
            _ => Err(self.wrong(name, "1, or at least 1.01")),
        }
    }

    /// A number of cycles.
    pub(super) fn cycles(&self, name: &str) -> Result<u32, PresetError> {
        match self.value(name) {
            count if (1.0..=10_000.0).contains(&count) => Ok(count as u32),
            _ => Err(self.wrong(name, "a whole number between 1 and 10000")),
        }
    }

    /// The number of an argument, or the highest of its numbers.
    pub(super) fn highest(&self, name: &str) -> Option<f64> {
        match self.arguments.get(name)? {
            Argument::Number(number) => Some(*number),
            Argument::Numbers(numbers) => numbers.iter().copied().reduce(f64::max),
            _ => None,
        }
    }

    /// The rate that the library's own argument for it sets, or `peak`, or its default.
    pub(super) fn rate(&self) -> Result<f64, PresetError> {
        let name = super::find(self.info.name).map_or("peak", |class| class.rate);
        let default = || self.default(name).parse().ok();
        match self.number(name).or(self.peak).or_else(default) {
            Some(rate) if 0.0 <= rate => Ok(rate),
            Some(_) if self.number(name).is_none() => {
                Err(self.wrong("peak", "a rate that is not negative"))
            }
            Some(_) => Err(self.wrong(name, "a rate that is not negative")),
            None => Err(self.missing(name)),
        }
    }

    /// An absolute rate as a multiple of `peak`.
    pub(super) fn multiple(&self, name: &str, peak: f64) -> Result<f64, PresetError> {
        match self.natural(name)? {
            value if 0.0 < value && peak <= 0.0 => {
                Err(self.wrong(name, "a rate of 0 has no multiples: write 0"))
            }
            value => Ok(multiple(value, peak)),
        }
    }

    /// `whole` without `part`; in steps if their units differ.
    pub(super) fn rest(
        &self,
        whole: (&str, Duration),
        part: (&str, Duration),
    ) -> Result<Duration, PresetError> {
        let rest = self.minus(whole.1, part.1);
        if rest.number() < 0.0 {
            return Err(self.wrong(part.0, format!("it is longer than `{}`", whole.0)));
        }
        Ok(rest)
    }

    /// The same, but at least `least` where the library takes the part for the whole.
    pub(super) fn rest_or(
        &self,
        whole: (&str, Duration),
        part: (&str, Duration),
        least: Duration,
    ) -> Result<Duration, PresetError> {
        let missing = self.minus(self.minus(whole.1, part.1), least).number();
        if self.is_compatible() && missing < 0.0 {
            return Ok(least);
        }
        self.rest(whole, part)
    }

    /// What is left of a stretch, perhaps less than nothing; in steps if the units differ.
    pub(super) fn minus(&self, whole: Duration, part: Duration) -> Duration {
        let in_steps = |time: Duration| time.in_steps(self.horizon);
        let rest = || Duration::Steps(in_steps(whole) - in_steps(part));
        whole.minus(part).unwrap_or_else(rest)
    }

    /// Both together; in steps if their units differ.
    pub(super) fn plus(&self, one: Duration, other: Duration) -> Duration {
        let in_steps = |time: Duration| time.in_steps(self.horizon);
        let sum = || Duration::Steps(in_steps(one) + in_steps(other));
        one.plus(other).unwrap_or_else(sum)
    }

    /// How long each stretch between ascending boundaries is, from the start on.
    pub(super) fn stretches(
        &self,
        name: &str,
        boundaries: &[Duration],
    ) -> Result<Vec<Duration>, PresetError> {
        let starts = std::iter::once(&Duration::ZERO).chain(boundaries);
        let stretches = starts.zip(boundaries).map(|(start, end)| self.minus(*end, *start));
        let stretches: Vec<Duration> = stretches.collect();
        if stretches.iter().any(|stretch| stretch.number() < 0.0) {
            return Err(self.wrong(name, "they must ascend: each is a step of the whole training"));
        }
        Ok(stretches)
    }

    /// Phases at a peak, the rate held as `per` says.
    pub(super) fn schedule(&self, peak: f64, phases: Phases) -> Schedule {
        let mut schedule = Schedule::new(peak, phases);
        schedule.hold = self.per();
        schedule
    }
}

/// A rate as a multiple of the highest one, which may be zero like all of them.
pub(super) fn multiple(rate: f64, peak: f64) -> f64 {
    if rate == 0.0 { 0.0 } else { rate / peak }
}

/// A cycle that starts at its peak and falls to `lo` along a shape; the gain is of the amplitude.
pub(super) fn falling(length: Duration, lo: f64, shape: Shape) -> Cycle<Duration> {
    Cycle {
        length,
        grow: 1.0,
        gain: 1.0,
        gain_on: GainOn::Amplitude,
        fade: None,
        lo,
        hi: 1.0,
        count: None,
        body: vec![Phase::shape(Some(1.0), 0.0, shape).starting_at(1.0)],
    }
}

/// Waves of a cosine between the peak and `lo`, each so long; they start at the peak.
pub(super) fn waves(length: Duration, lo: f64) -> Cycle<Duration> {
    let half = |to| Phase::shape(Some(0.5), to, COSINE);
    Cycle { body: vec![half(0.0).starting_at(1.0), half(1.0)], ..falling(length, lo, COSINE) }
}

pub(super) fn cycle(length: Option<Duration>, cycle: Cycle<Duration>) -> Phase<Duration> {
    Phase { length, from: None, skip: None, body: Body::Cycle(cycle) }
}

pub(super) fn table(every: Duration, values: Vec<f64>) -> Phase<Duration> {
    Phase { length: None, from: None, skip: None, body: Body::Table { every, values } }
}
