//! Cross-entropy after softmax, with its gradient, in one pass over the logits.

use pulp::NullaryFnOnce;

use super::vectors;
use crate::network::Judged;

/// The loss of each row of logits against its label; in place of the logits, the gradient of their mean loss.
pub(super) fn judge(logits: &mut [f32], labels: &[usize]) -> Judged {
    vectors().dispatch(Judge { logits, labels })
}

struct Judge<'a> {
    logits: &'a mut [f32],
    labels: &'a [usize],
}

impl NullaryFnOnce for Judge<'_> {
    type Output = Judged;

    #[inline(always)]
    fn call(self) -> Judged {
        let n_samples = self.labels.len();
        let mut judged = Judged::default();
        for (row, &label) in
            self.logits.chunks_exact_mut(self.logits.len() / n_samples).zip(self.labels)
        {
            let best = (1..row.len())
                .fold(0, |best, class| if row[best] < row[class] { class } else { best });
            let (largest, right) = (row[best], row[label]);
            for logit in &mut *row {
                *logit = exp(*logit - largest);
            }
            let sum: f32 = row.iter().sum();
            judged.loss += f64::from(sum).ln() + f64::from(largest - right);
            judged.correct += u64::from(best == label);
            let scale = 1.0 / (sum * n_samples as f32);
            for exponential in &mut *row {
                *exponential *= scale;
            }
            row[label] -= 1.0 / n_samples as f32;
        }
        judged
    }
}

/// e to the power of a number that is not positive, to two units in the last place: x = n ln 2 + r, and a polynomial for
/// e^r (the coefficients of Cephes' `expf`, S. Moshier). The same bits on every machine.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Added, it leaves a number's whole part in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Below, the result would be subnormal. Not `max`, which would hide a NaN.
    let x = if x < -87.0 { -87.0 } else { x };
    let rounded = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, x));
    let coefficients = [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_66, 0.5];
    let polynomial =
        coefficients.into_iter().fold(1.987_569_1e-4_f32, |sum, next| sum.mul_add(r, next));
    let power = polynomial.mul_add(r * r, r + 1.0);
    power * f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0_f32.to_bits()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_right_to_two_units_in_the_last_place() {
        for step in 0..=870_000 {
            let x = step as f32 * -1e-4;
            let right = f64::from(x).exp();
            let error = (f64::from(exp(x)) - right).abs() / right;
            assert!(error < 2.4e-7, "{x}: {} {right}", exp(x));
        }
        assert!(exp(f32::NAN).is_nan());
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn the_loss_of_equal_logits_is_that_of_guessing() {
        let mut logits = [3.0; 8];
        let judged = judge(&mut logits, &[0, 2]);
        assert!((judged.loss - 2.0 * 4.0_f64.ln()).abs() < 1e-6, "{judged:?}");
        assert_eq!(judged.correct, 1);
        assert_eq!(logits, [-0.375, 0.125, 0.125, 0.125, 0.125, 0.125, -0.375, 0.125]);
    }
}
