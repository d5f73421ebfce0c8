//! How long the rest of a run takes, as its own pace tells.

use std::time::{Duration, Instant};

/// So many moments are remembered; of more, every second one is forgotten.
const MOMENTS: usize = 256;

/// When how many steps were left. Steps are told in lumps, at evaluations; and before the first lump workers start, and read
/// their data. So the pace is measured from lump to lump, over the second half of the time since the first.
#[derive(Debug, Default)]
pub(super) struct Estimate {
    /// What was left when the run began.
    whole: Option<u64>,
    lumps: Vec<(Instant, u64)>,
}

impl Estimate {
    pub(super) fn note(&mut self, now: Instant, left: u64) {
        let last = self.lumps.last().map(|(_, left)| *left).or(self.whole);
        match last {
            // It has only just begun, or something runs again.
            None => self.whole = Some(left),
            Some(last) if last < left => *self = Self { whole: Some(left), lumps: Vec::new() },
            Some(last) if last == left => {}
            Some(_) => self.lumps.push((now, left)),
        }
        if MOMENTS < self.lumps.len() {
            let mut index = 0;
            self.lumps.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
    }

    /// None until two lumps were told.
    pub(super) fn remaining(&self, now: Instant) -> Option<Duration> {
        let (&(first, _), &(last, left)) = (self.lumps.first()?, self.lumps.last()?);
        let half = first + last.duration_since(first) / 2;
        let (since, before) = *self.lumps.iter().rfind(|(when, _)| *when <= half)?;
        let seconds = last.duration_since(since).as_secs_f64();
        let made = before.saturating_sub(left);
        if made == 0 || seconds <= 0.0 {
            return None;
        }
        let rest = left as f64 / made as f64 * seconds;
        let passed = now.duration_since(last).as_secs_f64();
        Duration::try_from_secs_f64((rest - passed).max(0.0)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said after these lumps: seconds since the beginning, and steps left then.
    #[track_caller]
    fn check(lumps: &[(u64, u64)], now: u64, expected: Option<u64>) {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut estimate = Estimate::default();
        for &(seconds, left) in lumps {
            estimate.note(at(seconds), left);
        }
        assert_eq!(estimate.remaining(at(now)).map(|it| it.as_secs()), expected, "{lumps:?}");
    }

    #[test]
    fn the_beginning_is_no_pace_and_the_last_half_is() {
        check(&[], 5, None);
        check(&[(0, 1000)], 5, None);
        check(&[(0, 1000), (60, 990)], 60, None);
        // A minute of loading, then ten steps a second.
        check(&[(0, 1000), (60, 990), (61, 980), (62, 970)], 62, Some(97));
        check(&[(0, 1000), (60, 990), (61, 980), (62, 970)], 72, Some(87));
        // It has become slower.
        check(&[(0, 1000), (1, 900), (2, 800), (3, 790), (4, 780), (5, 770)], 5, Some(77));
        // Something runs again.
        check(&[(0, 1000), (1, 900), (2, 800), (3, 1000)], 3, None);
        let even: Vec<(u64, u64)> = (0..2000).map(|second| (second, 4000 - second)).collect();
        check(&even, 1999, Some(2001));
    }
}
