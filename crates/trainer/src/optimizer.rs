//! Update rules, in PyTorch's formulas and order of operations, on plain vectors: one pass over weight, gradient and
//! state, in f32, element by element, so that a result never depends on anything but its inputs.

use std::ops::Range;

/// The largest momentum and beta: below 1.
pub const ALMOST_ONE: f64 = 0.999_999;

/// An update rule and its constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// g += decay·w; v = momentum·v + g (v = g at first); g = g + momentum·v if Nesterov, else v; w -= rate·g. Without
    /// momentum there is no v.
    Sgd { momentum: Option<f64>, nesterov: bool, weight_decay: f64 },
    /// m = beta1·m + (1-beta1)·g; v = beta2·v + (1-beta2)·g²; w -= rate/(1-beta1^t) · m / (sqrt(v/(1-beta2^t)) + epsilon).
    Adam { beta1: f64, beta2: f64, epsilon: f64, weight_decay: f64, decoupled: Decay },
}

/// Where weight decay goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decay {
    /// Into the gradient (Adam).
    Gradient,
    /// Off the weights: w -= rate·decay·w before the update (`AdamW`, Loshchilov and Hutter 2019).
    Weights,
}

/// A constant of a rule that may be another one at every step. Adam corrects its bias as if it had been the same all
/// along, as PyTorch does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changing {
    Momentum,
    Beta1,
    WeightDecay,
}

impl Changing {
    pub const ALL: [Self; 3] = [Self::Momentum, Self::Beta1, Self::WeightDecay];

    /// As a parameter and as a metric.
    pub fn name(self) -> &'static str {
        match self {
            Self::Momentum => "momentum",
            Self::Beta1 => "beta1",
            Self::WeightDecay => "weight_decay",
        }
    }

    /// The highest value; the lowest is 0.
    pub fn max(self) -> f64 {
        match self {
            Self::Momentum | Self::Beta1 => ALMOST_ONE,
            Self::WeightDecay => f64::MAX,
        }
    }
}

impl Rule {
    /// The rule with another constant; `None` if it has no such constant.
    #[must_use]
    pub fn with(mut self, changing: Changing, value: f64) -> Option<Self> {
        match (changing, &mut self) {
            (Changing::Momentum, Self::Sgd { momentum, .. }) => *momentum = Some(value),
            (Changing::Beta1, Self::Adam { beta1, .. }) => *beta1 = value,
            (
                Changing::WeightDecay,
                Self::Sgd { weight_decay, .. } | Self::Adam { weight_decay, .. },
            ) => {
                *weight_decay = value;
            }
            (Changing::Momentum | Changing::Beta1, _) => return None,
        }
        Some(self)
    }

    /// The names of its state vectors, each as long as the weights.
    pub fn state_names(self) -> &'static [&'static str] {
        match self {
            Self::Sgd { momentum: None, .. } => &[],
            Self::Sgd { .. } => &["velocity"],
            Self::Adam { .. } => &["mean", "square"],
        }
    }

    /// Updates some of a tensor's weights and their state in place. `step` counts the updates made before, over all of
    /// training.
    #[expect(
        clippy::inline_always,
        reason = "what is inlined is compiled for the vectors that its caller is compiled for"
    )]
    #[inline(always)]
    pub fn update(
        self,
        step: u64,
        rate: f64,
        weights: &mut [f32],
        gradient: &[f32],
        moments: [&mut [f32]; 2],
    ) {
        match (self, moments) {
            (Self::Sgd { momentum, nesterov, weight_decay }, [velocity, _]) => {
                let (rate, decay) = (rate as f32, weight_decay as f32);
                let momentum = momentum.unwrap_or(0.0) as f32;
                if velocity.is_empty() {
                    for (w, &g) in weights.iter_mut().zip(gradient) {
                        *w -= rate * (g + decay * *w);
                    }
                    return;
                }
                for ((w, &g), v) in weights.iter_mut().zip(gradient).zip(velocity) {
                    let g = g + decay * *w;
                    *v = if step == 0 { g } else { momentum * *v + g };
                    *w -= rate * if nesterov { g + momentum * *v } else { *v };
                }
            }
            (Self::Adam { beta1, beta2, epsilon, weight_decay, decoupled }, [mean, square]) => {
                let t = (step + 1) as f64;
                let correction = (1.0 - beta2.powf(t)).sqrt() as f32;
                let stride = (rate / (1.0 - beta1.powf(t))) as f32;
                let (l2, shrink) = match decoupled {
                    Decay::Gradient => (weight_decay as f32, 1.0),
                    Decay::Weights => (0.0, (1.0 - rate * weight_decay) as f32),
                };
                let (b1, b2, epsilon) = (beta1 as f32, beta2 as f32, epsilon as f32);
                // Not from the rounded betas: for 0.999 that would be 1.3e-5 too little.
                let (part1, part2) = ((1.0 - beta1) as f32, (1.0 - beta2) as f32);
                for (((w, &g), m), v) in weights.iter_mut().zip(gradient).zip(mean).zip(square) {
                    *w *= shrink;
                    let g = g + l2 * *w;
                    *m = b1 * *m + part1 * g;
                    *v = b2 * *v + part2 * g * g;
                    *w -= stride * *m / (v.sqrt() / correction + epsilon);
                }
            }
        }
    }
}

/// A part of a slot's state vectors, for [`Rule::update`]; empty ones where the rule has none.
pub fn moments(vectors: &mut [Vec<f32>], part: Range<usize>) -> [&mut [f32]; 2] {
    let mut parts = vectors.iter_mut().map(|vector| &mut vector[part.clone()]);
    let mut next = || parts.next().unwrap_or_default();
    [next(), next()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three updates of one weight from 1 with gradients 1, 0.5, -1 at rate 0.1.
    #[track_caller]
    fn check(rule: Rule, expected: [f32; 3]) {
        let mut weight = [1.0];
        let mut state = vec![vec![0.0]; rule.state_names().len()];
        for (step, (gradient, expected)) in [1.0, 0.5, -1.0].into_iter().zip(expected).enumerate() {
            rule.update(step as u64, 0.1, &mut weight, &[gradient], moments(&mut state, 0..1));
            assert!(
                (weight[0] - expected).abs() < 3e-6,
                "step {step}: {} is not {expected}",
                weight[0]
            );
        }
    }

    #[test]
    fn sgd_follows_its_formula() {
        let sgd = |momentum, nesterov, weight_decay| Rule::Sgd { momentum, nesterov, weight_decay };
        check(sgd(None, false, 0.0), [0.9, 0.85, 0.95]);
        check(sgd(Some(0.0), false, 0.0), [0.9, 0.85, 0.95]);
        check(sgd(None, false, 0.1), [0.89, 0.8311, 0.922_789]);
        check(sgd(Some(0.5), false, 0.0), [0.9, 0.8, 0.85]);
        check(sgd(Some(0.5), true, 0.0), [0.85, 0.75, 0.875]);
    }

    #[test]
    fn adam_follows_its_formula() {
        let adam = |weight_decay, decoupled| Rule::Adam {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay,
            decoupled,
        };
        check(adam(0.0, Decay::Gradient), [0.900_000, 0.806_782, 0.795_704]);
        check(adam(0.1, Decay::Weights), [0.890_000, 0.787_882, 0.768_925]);
    }
}
