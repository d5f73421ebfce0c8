//! Averages of the weights along the path of training, evaluated beside them: stochastic weight averaging (Izmailov et al.,
//! arXiv 1803.05407) and exponential moving averages (Polyak and Juditsky 1992; as in PyTorch's `AveragedModel`). Without
//! normalisation layers an average needs nothing but the weights.

use pleach_schedule::duration::{Duration, Horizon};

/// Which average, if any.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Average {
    None,
    /// All weights `every` so often after `start` count alike: avg += (w - avg) / (n + 1). The rate that it wants to be
    /// constant and high, or cyclical, is the schedule's to give.
    Swa {
        start: Duration,
        every: Duration,
    },
    /// After every step: avg += (1 - decay) (w - avg); the first weights as they are.
    Ema {
        decay: f64,
    },
}

/// An average that has begun; part of a checkpoint. Before, it counts as the weights themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Averaged {
    /// So many weights were averaged; at least 1.
    pub n: u64,
    /// Slot by slot of the model.
    pub weights: Vec<Vec<f32>>,
}

impl Average {
    /// Takes part of the weights after `step` updates, if their time has come.
    pub fn learn(
        self,
        averaged: &mut Option<Averaged>,
        weights: &[Vec<f32>],
        step: u64,
        horizon: Horizon,
    ) {
        let n = averaged.as_ref().map_or(0, |averaged| averaged.n);
        let share = match self {
            Self::Swa { start, every } if is_due(start, every, step, horizon) => {
                (1.0 / (n + 1) as f64) as f32
            }
            Self::Ema { decay } => (1.0 - decay) as f32,
            Self::None | Self::Swa { .. } => return,
        };
        let Some(averaged) = averaged else {
            *averaged = Some(Averaged { n: 1, weights: weights.to_vec() });
            return;
        };
        averaged.n += 1;
        for (average, weights) in averaged.weights.iter_mut().zip(weights) {
            for (average, weight) in average.iter_mut().zip(weights) {
                *average += share * (weight - *average);
            }
        }
    }
}

/// Whether a multiple of `every` after `start` is reached; one between two steps counts for the later one.
fn is_due(start: Duration, every: Duration, step: u64, horizon: Horizon) -> bool {
    let (start, every) = (start.in_steps(horizon), every.in_steps(horizon).max(1.0));
    let reached = |step: u64| ((step as f64 - start) / every).floor();
    0.0 < reached(step) && reached(step - 1) < reached(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HORIZON: Horizon = Horizon { steps: 10, steps_per_epoch: 2 };

    /// The average after each of ten steps, when the only weight is the number of the step.
    #[track_caller]
    fn check(average: Average, expected: [Option<f32>; 10]) {
        let mut averaged = None;
        let after = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(|step| {
            average.learn(&mut averaged, &[vec![step as f32]], step, HORIZON);
            averaged.as_ref().map(|averaged| averaged.weights[0][0])
        });
        assert_eq!(after, expected);
    }

    #[test]
    fn weights_that_were_seen_every_so_often_count_alike() {
        let half = Duration::Fraction(0.5);
        let swa = |start, every| Average::Swa { start, every };
        let (none, some) = (None, Some);
        check(
            swa(half, Duration::Steps(1.0)),
            [none, none, none, none, none, some(6.0), some(6.5), some(7.0), some(7.5), some(8.0)],
        );
        check(
            swa(Duration::Epochs(1.0), Duration::Epochs(2.0)),
            [none, none, none, none, none, some(6.0), some(6.0), some(6.0), some(6.0), some(8.0)],
        );
        // Multiples at 2.5, 5, 7.5 and 10.
        check(
            swa(Duration::ZERO, Duration::Steps(2.5)),
            [none, none, some(3.0), some(3.0), some(4.0), some(4.0), some(4.0)]
                .into_iter()
                .chain([some(16.0 / 3.0), some(16.0 / 3.0), some(6.5)])
                .collect::<Vec<_>>()
                .try_into()
                .unwrap(),
        );
    }

    #[test]
    fn an_exponential_average_begins_with_the_first_weights() {
        let after = [1.0, 1.5, 2.25, 3.125, 4.0625, 5.031_25, 6.015_625, 7.007_812_5];
        let mut expected = [None; 10];
        for (expected, after) in
            expected.iter_mut().zip(after.into_iter().chain([8.003_906, 9.001_953]))
        {
            *expected = Some(after);
        }
        check(Average::Ema { decay: 0.5 }, expected);
        check(Average::None, [None; 10]);
    }
}
