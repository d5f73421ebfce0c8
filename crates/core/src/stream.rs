//! The numbers that a sample is made of: the same on every machine and in every version, whatever other samples there are.

use pleach_search::sobol::Sobol;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use sha2::{Digest, Sha256};

/// How samples lie in the space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampler {
    /// Independent of each other.
    Random,
    /// Evenly, as scrambled Sobol points.
    Sobol,
}

/// Numbers for one attempt at one sample.
pub struct Stream {
    random: ChaCha8Rng,
    even: Option<Even>,
}

/// The next coordinates of a Sobol point; after the last one, numbers are random.
struct Even {
    sequence: Sobol,
    index: u64,
    dimension: usize,
}

impl Stream {
    /// Attempt `k` at sample `i` of a block. The Sobol points of another attempt are those of an independent sequence, so that
    /// what takes the place of removed points is spread evenly, too.
    #[must_use]
    pub fn new(sampler: Sampler, seed: u64, block: u64, i: u64, k: u64) -> Self {
        let random = ChaCha8Rng::from_seed(digest("pleach sample", [seed, block, i, k]));
        let even = (sampler == Sampler::Sobol).then(|| {
            let [a, b, c, d, e, f, g, h, ..] = digest("pleach Sobol", [seed, block, k]);
            let sequence = Sobol::new(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
            Even { sequence, index: i, dimension: 0 }
        });
        Self { random, even }
    }

    /// Uniform in [0, 1), a multiple of 2^-53.
    pub(crate) fn unit(&mut self) -> f64 {
        self.coordinate()
            .unwrap_or_else(|| (self.random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64)
    }

    /// Less than `n`; 0 if `n` is 0.
    pub(crate) fn below(&mut self, n: u128) -> u128 {
        match self.coordinate() {
            Some(share) => ((share * n as f64) as u128).min(n.saturating_sub(1)),
            None => (u128::from(self.random.next_u64()) * n) >> 64,
        }
    }

    fn coordinate(&mut self) -> Option<f64> {
        let Even { sequence, index, dimension } = self.even.as_mut()?;
        let coordinate = sequence.coordinate(*index, *dimension);
        *dimension += 1;
        coordinate
    }
}

fn digest<const N: usize>(purpose: &str, numbers: [u64; N]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(purpose.as_bytes());
    for number in numbers {
        hash.update(number.to_le_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn of_sobol_points_each_sixteenth_holds_one() {
        for (seed, k) in [(0, 0), (1, 0), (0, 3)] {
            let draw = |i| Stream::new(Sampler::Sobol, seed, 0, i, k).below(16);
            assert_eq!((0..16).map(draw).collect::<BTreeSet<_>>().len(), 16, "{seed} {k}");
        }
        let random = |i| Stream::new(Sampler::Random, 0, 0, i, 0).below(16);
        assert!((0..16).map(random).collect::<BTreeSet<_>>().len() < 14);
    }

    #[test]
    fn numbers_stay_below_their_bound_and_go_on_after_the_last_coordinate() {
        for sampler in [Sampler::Random, Sampler::Sobol] {
            let mut stream = Stream::new(sampler, 5, 1, 2, 3);
            for _ in 0..300 {
                assert!((0.0..1.0).contains(&stream.unit()));
                assert!(stream.below(u128::from(u64::MAX)) < u128::from(u64::MAX));
                assert_eq!((stream.below(1), stream.below(0)), (0, 0));
            }
        }
    }
}
