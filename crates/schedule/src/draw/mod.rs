//! Pictures of schedules: [`terminal`] for a terminal, [`svg`] for everything else. Both draw the same [`Picture`].

use crate::resolved::Resolved;

pub mod svg;
pub mod terminal;

/// Curves over training steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub curves: Vec<Curve>,
    /// The end of the horizontal axis, which starts at 0.
    pub steps: u64,
    pub floor: Floor,
}

/// Where the vertical axis starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Floor {
    /// At 0, or at the lowest value if that is negative: for rates.
    Zero,
    /// At the lowest value: for what is measured, which may be far from 0. Both ends of the axis are labelled.
    Lowest,
}

/// One line of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    pub name: String,
    /// Step and value, in the order of steps. A value that is not finite is a gap.
    pub points: Vec<(f64, f64)>,
    /// Set if the values are only the highest possible ones: they may turn out as low as this multiple of them.
    pub lowest: Option<f64>,
}

impl Curve {
    /// The rates of the first `steps` updates.
    pub fn of(name: impl Into<String>, schedule: &Resolved, steps: u64) -> Self {
        const FEW: u64 = 200;
        const POINTS: u64 = 2000;
        let points = if steps <= FEW {
            // Each update is seen: its rate, from its step to the next.
            let stair = |step: u64| {
                let (x, rate) = (step as f64, schedule.at(step));
                [(x, rate), (x + 1.0, rate)]
            };
            (0..steps).flat_map(stair).collect()
        } else {
            let stride = steps.div_ceil(POINTS) as usize;
            let sampled = (0..steps - 1).step_by(stride).chain([steps - 1]);
            sampled.map(|step| (step as f64, schedule.at(step))).collect()
        };
        Self { name: name.into(), points, lowest: None }
    }
}

/// How heights follow from values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    Linear,
    /// By their logarithms: equal factors are equal distances.
    Log,
}

impl Axis {
    /// Of what is measured between these values: over decades a linear axis would show the highest alone.
    #[must_use]
    pub fn between(low: f64, high: f64) -> Self {
        if 0.0 < low && 1e3 <= high / low { Self::Log } else { Self::Linear }
    }

    /// 0 at `low`, 1 at `high`. Not finite where they are equal.
    #[must_use]
    pub fn share(self, value: f64, low: f64, high: f64) -> f64 {
        match self {
            // Halves, since the difference may be too large for a number.
            Self::Linear => (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0),
            Self::Log => (value.ln() - low.ln()) / (high.ln() - low.ln()),
        }
    }

    /// Round numbers from `low` to `high`, about `count` of them.
    fn ticks(self, low: f64, high: f64, count: usize) -> Vec<f64> {
        match self {
            Self::Linear => ticks(low, high, count),
            Self::Log => {
                let (first, last) = (low.log10().ceil() as i32, high.log10().floor() as i32);
                let stride = (last - first).unsigned_abs() as usize / count.max(1) + 1;
                (first..=last).step_by(stride).map(|power| 10_f64.powi(power)).collect()
            }
        }
    }
}

impl Picture {
    fn axis(&self, bottom: f64, top: f64) -> Axis {
        match self.floor {
            Floor::Zero => Axis::Linear,
            Floor::Lowest => Axis::between(bottom, top),
        }
    }

    /// The lowest and the highest value, never equal; `None` if there is nothing to draw.
    fn range(&self) -> Option<(f64, f64)> {
        let values = || {
            let points = self.curves.iter().flat_map(|curve| &curve.points);
            points.map(|(_, value)| *value).filter(|value| value.is_finite())
        };
        let top = values().fold(f64::NEG_INFINITY, f64::max);
        let highest_floor = match self.floor {
            Floor::Zero => 0.0,
            Floor::Lowest => f64::INFINITY,
        };
        let bottom = values().fold(highest_floor, f64::min);
        let above = bottom + bottom.abs().max(1.0);
        (f64::NEG_INFINITY < top).then_some((bottom, if bottom < top { top } else { above }))
    }
}

/// Round numbers from `low` to `high`, about `count` of them.
pub fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let rough = high / count.max(1) as f64 - low / count.max(1) as f64;
    let unit = 10_f64.powf(rough.log10().floor());
    let factor =
        [1.0, 2.0, 2.5, 5.0].into_iter().find(|factor| rough <= factor * unit * (1.0 + 1e-9));
    let step = factor.unwrap_or(10.0) * unit;
    let first = (low / step).ceil() as i64;
    let last = (high / step * (1.0 + 1e-9)).floor() as i64;
    // At a hundred something went wrong with numbers that are too large to count with.
    (first..=last).take(100).map(|index| index as f64 * step).collect()
}

/// The same for whole steps, from 0.
fn step_ticks(steps: f64, count: usize) -> Vec<f64> {
    ticks(0.0, steps, count).into_iter().filter(|step| step.fract() == 0.0).collect()
}

/// A number on an axis.
fn label(value: f64) -> String {
    short(value, 4)
}

/// A number with at most so many significant digits, none of them idle.
pub fn short(value: f64, digits: u32) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let (magnitude, digits) = (value.abs(), digits.max(1) as usize);
    let without_zeros = |text: &str| {
        let end = if text.contains('.') { '0' } else { ' ' };
        text.trim_end_matches(end).trim_end_matches('.').to_owned()
    };
    if (1e-4..1e6).contains(&magnitude) {
        let decimals = digits as f64 - 1.0 - magnitude.log10().floor();
        return without_zeros(&format!(
            "{value:.decimals$}",
            decimals = decimals.max(0.0) as usize
        ));
    }
    let text = format!("{value:.decimals$e}", decimals = digits - 1);
    let (number, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{}e{exponent}", without_zeros(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers() {
        let cases = [
            ((0.0, 0.3, 4), "0 0.1 0.2 0.3"),
            ((0.0, 938.0, 5), "0 200 400 600 800"),
            ((0.0, 1e6, 4), "0 250000 500000 750000 1e6"),
            ((0.0, 4e-6, 2), "0 2e-6 4e-6"),
            ((-1.0, 1.0, 2), "-1 0 1"),
            ((0.0, 7.0, 3), "0 2.5 5"),
        ];
        for ((low, high, count), expected) in cases {
            let labels: Vec<String> = ticks(low, high, count).into_iter().map(label).collect();
            assert_eq!(labels.join(" "), expected);
        }
    }

    #[test]
    fn an_axis_survives_every_range() {
        for (low, high, axis) in [
            (0.5, 2.3, Axis::Linear),
            (0.5, 1e69, Axis::Log),
            (1e-300, 1e300, Axis::Log),
            (-1e308, 1e308, Axis::Linear),
            (0.0, f64::MAX, Axis::Linear),
        ] {
            assert_eq!(Axis::between(low, high), axis, "{low} to {high}");
            let shares = [low, high].map(|value| axis.share(value, low, high));
            assert!(shares[0].abs() < 1e-12 && (shares[1] - 1.0).abs() < 1e-12, "{shares:?}");
            let ticks = axis.ticks(low, high, 4);
            assert!((1..12).contains(&ticks.len()), "{low} to {high}: {ticks:?}");
            assert!(ticks.iter().all(|tick| tick.is_finite()), "{ticks:?}");
        }
    }

    #[test]
    fn a_label_has_at_most_four_digits() {
        let labels: Vec<String> =
            [0.0, 0.1, 0.031_622_8, 12.5, 1000.0, 123_456.0, 0.000_123_46, 2e9]
                .into_iter()
                .map(label)
                .collect();
        assert_eq!(labels, ["0", "0.1", "0.03162", "12.5", "1000", "123456", "0.0001235", "2e9"]);
    }
}
