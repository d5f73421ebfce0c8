//! What a careful experimenter says of a few numbers: mean, spread, and how sure a difference is. Pure arithmetic;
//! the values are finite, and few enough to be listed.

use std::sync::OnceLock;

/// The arithmetic mean; `None` of no values. Finite for every finite input, however large.
pub fn mean(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let sum: f64 = values.iter().sum();
    match values {
        [] => None,
        _ if sum.is_finite() => Some(sum / n),
        _ => Some(values.iter().map(|value| value / n).sum::<f64>().clamp(f64::MIN, f64::MAX)),
    }
}

/// The sample standard deviation (divided by n - 1); `None` of fewer than two values.
pub fn deviation(values: &[f64]) -> Option<f64> {
    let (2.., Some(mean)) = (values.len(), mean(values)) else { return None };
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// A mean and the range that holds the true one with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// Student's interval of a mean: mean ± t s / √n with n - 1 degrees of freedom. Given the differences of pairs it
    /// is that of the paired comparison. `None` of fewer than two values.
    pub fn of(values: &[f64]) -> Option<Self> {
        let (mean, deviation) = (mean(values)?, deviation(values)?);
        let t = bound_95(values.len() as u32 - 1);
        let half = t * deviation / (values.len() as f64).sqrt();
        Some(Self { mean, low: mean - half, high: mean + half })
    }

    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// [`student_bound`] at 95 %; of a board with few seeds the same few are needed again and again.
pub(crate) fn bound_95(freedom: u32) -> f64 {
    static FEW: [OnceLock<f64>; 64] = [const { OnceLock::new() }; 64];
    let bound = || student_bound(0.95, freedom);
    FEW.get(freedom as usize).map_or_else(bound, |known| *known.get_or_init(bound))
}

/// The t for which a Student variable with `freedom` degrees of freedom (at least 1) lies between -t and t with
/// probability `share`, between 0 and 1 exclusive.
pub fn student_bound(share: f64, freedom: u32) -> f64 {
    // The angle θ = atan(t / √ν) turns the endless axis into a bounded one, on which halving always ends.
    let (mut low, mut high) = (0.0, std::f64::consts::FRAC_PI_2);
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        if within(middle, freedom) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::from(freedom).sqrt() * f64::midpoint(low, high).tan()
}

/// The probability that a Student variable with ν degrees of freedom lies between -t and t, where t = √ν tan θ.
/// Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 (ν odd) and 26.7.4 (ν even): a finite sum.
fn within(angle: f64, freedom: u32) -> f64 {
    let (sin, cos) = angle.sin_cos();
    let odd = freedom % 2 == 1;
    // The terms of the sum after the first have the factors 2/3, 4/5, … (ν odd) or 1/2, 3/4, … (ν even).
    let (mut term, first) = if odd { (cos, 2) } else { (1.0, 1) };
    let mut sum = if freedom == 1 { 0.0 } else { term };
    for factor in (first..freedom.saturating_sub(2)).step_by(2) {
        term *= cos * cos * f64::from(factor) / f64::from(factor + 1);
        sum += term;
    }
    if odd { (angle + sin * sum) * std::f64::consts::FRAC_2_PI } else { sin * sum }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_spread_is_that_of_a_sample() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(deviation(&[1.0]), None);
        assert_eq!(deviation(&[1.0, 2.0, 6.0]), Some(7.0_f64.sqrt()));
    }

    #[test]
    fn a_mean_of_huge_values_is_finite() {
        assert_eq!(mean(&[1e308, 1e308]), Some(1e308));
        assert_eq!(mean(&[f64::MAX, f64::MAX, f64::MAX]).map(f64::is_finite), Some(true));
    }

    /// Golden values: two-sided 95 % and 99 % points, from any printed table of Student's distribution.
    #[test]
    fn the_bounds_are_those_of_the_tables() {
        let check = |share, freedom, expected: f64| {
            let bound = student_bound(share, freedom);
            assert!((bound - expected).abs() < 1e-9, "{share} {freedom}: {bound} {expected}");
        };
        check(0.95, 1, 12.706_204_736_432_1);
        check(0.95, 2, 4.302_652_729_749_46);
        check(0.95, 3, 3.182_446_305_284_26);
        check(0.95, 4, 2.776_445_105_197_79);
        check(0.95, 9, 2.262_157_162_740_99);
        check(0.95, 30, 2.042_272_456_301_24);
        check(0.95, 1000, 1.962_339_080_826_41);
        check(0.99, 2, 9.924_843_200_918_29);
        check(0.99, 9, 3.249_835_541_592_13);
        check(0.50, 1, 1.0);
    }

    #[test]
    fn an_interval_is_known_from_two_values_on() {
        assert_eq!(Interval::of(&[1.0]), None);
        // Mean 2, deviation 1: half = 4.302653 / √3.
        let interval = Interval::of(&[1.0, 2.0, 3.0]).unwrap();
        assert!((interval.high - 4.484_137_711_750).abs() < 1e-9, "{interval:?}");
        assert!(interval.contains(0.0) && !interval.contains(5.0));
    }

    proptest! {
        #[test]
        fn a_bound_grows_with_the_share_and_falls_with_the_freedom(
            share in 0.01..0.98_f64, freedom in 1..200_u32,
        ) {
            let bound = student_bound(share, freedom);
            prop_assert!(bound < student_bound(share + 0.01, freedom));
            prop_assert!(student_bound(share, freedom + 1) < bound);
        }
    }
}
