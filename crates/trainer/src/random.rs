//! Random numbers that depend on nothing but their seed and purpose: `ChaCha8`, with our own way from bits to numbers,
//! so that a result recorded today can be made again for ever.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// What random numbers are for. Each purpose has a stream of its own, so that one more draw for one changes nothing
/// for another.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    Weights,
    /// The order of the samples in one epoch.
    Shuffle {
        epoch: u64,
    },
    /// Which samples are held out, and which are left out.
    Split,
    /// One image of the data set `digits`.
    Digit {
        index: u64,
    },
}

#[derive(Clone, Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    pub fn new(seed: u64, purpose: Purpose) -> Self {
        let (number, index) = match purpose {
            Purpose::Weights => (1, 0),
            Purpose::Shuffle { epoch } => (2, epoch),
            Purpose::Split => (3, 0),
            Purpose::Digit { index } => (4, index),
        };
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&u64::to_le_bytes(number));
        key[16..24].copy_from_slice(&index.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// In [0, 1), a multiple of 2^-53.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (-53.0_f64).exp2()
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Standard normal, by Box and Muller; one number from two draws.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Below `n`, which is above 0. The bias is below n / 2^53.
    pub fn below(&mut self, n: usize) -> usize {
        (self.uniform() * n as f64) as usize
    }

    /// Fisher and Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (2..=items.len()).rev() {
            items.swap(end - 1, self.below(end));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_purpose_give_the_same_numbers_for_ever() {
        let mut random = Random::new(1, Purpose::Weights);
        let numbers: Vec<String> = (0..2).map(|_| format!("{:.12}", random.uniform())).collect();
        insta::assert_snapshot!(numbers.join(" "), @"0.235527592326 0.829717055322");
    }

    #[test]
    fn a_shuffle_keeps_every_item_and_differs_from_epoch_to_epoch() {
        let order = |epoch| {
            let mut items: Vec<u32> = (0..100).collect();
            Random::new(1, Purpose::Shuffle { epoch }).shuffle(&mut items);
            items
        };
        assert_ne!(order(0), order(1));
        let mut sorted = order(0);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut random = Random::new(1, Purpose::Weights);
        let numbers: Vec<f64> = (0..10_000).map(|_| random.normal()).collect();
        let mean = numbers.iter().sum::<f64>() / 1e4;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1e4;
        assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
