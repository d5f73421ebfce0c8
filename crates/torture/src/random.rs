//! Numbers from a seed: the same seed, the same torture.

/// `SplitMix64`, by Steele, Lea and Flood (2014).
#[derive(Clone, Copy, Debug)]
pub struct Random(u64);

impl Random {
    /// A stream of its own for each seed and case.
    pub fn new(seed: u64, case: u64) -> Self {
        let mut mixed = Self(seed);
        Self(mixed.bits() ^ case.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// In [0, 1).
    pub fn unit(&mut self) -> f64 {
        unit(self.bits())
    }

    /// Between two numbers above zero, every order of magnitude as likely as the next.
    pub fn log_uniform(&mut self, low: f64, high: f64) -> f64 {
        low * (high / low).powf(self.unit())
    }

    /// Whether something happens that happens once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// A number from 64 bits, in [0, 1).
pub fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// Every bit of the result depends on every bit of the argument.
pub fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
