//! Scrambled Sobol points: they cover the unit cube more evenly than independent random points.
//!
//! Sobol's sequence (I. M. Sobol', USSR Comput. Math. Math. Phys. 7, 1967) with Owen's nested uniform scrambling (A. B. Owen,
//! "Randomly permuted (t,m,s)-nets and (t,s)-sequences", 1995). Of the first 2^m points, each interval `[k, k + 1) / 2^m` of
//! each coordinate holds exactly one, whatever the seed. Only whole numbers are computed with, so a point is the same to the
//! last bit everywhere.

use crate::joe_kuo::DIMENSIONS;

/// Coordinates that a point can have.
pub const MAX_DIMENSIONS: usize = DIMENSIONS.len() + 1;

/// Bits of an index; a coordinate has as many before it is rounded.
const BITS: usize = 64;

/// Bits of a coordinate that survive rounding to an `f64` in [0, 1).
const KEPT: usize = 53;

/// A randomised Sobol sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sobol {
    seed: u64,
}

impl Sobol {
    /// Sequences of different seeds are independent randomisations of the same one.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// A coordinate of point number `index`, a multiple of 2^-53 in [0, 1). Coordinates count from 0; `None` from
    /// [`MAX_DIMENSIONS`] on.
    #[must_use]
    pub fn coordinate(&self, index: u64, dimension: usize) -> Option<f64> {
        let plain = fraction(index, dimension)?;
        let scrambled = scrambled(plain, mixed(self.seed ^ mixed(dimension as u64 + 1)));
        Some((scrambled >> (BITS - KEPT)) as f64 / (1_u64 << KEPT) as f64)
    }
}

/// A coordinate of Sobol's own sequence, in units of 2^-64.
fn fraction(index: u64, dimension: usize) -> Option<u64> {
    let directions = match dimension.checked_sub(1) {
        None => std::array::from_fn(|bit| 1 << (BITS - 1 - bit)),
        Some(row) => directions(*DIMENSIONS.get(row)?),
    };
    let chosen = directions.iter().enumerate().filter(|(bit, _)| index >> bit & 1 == 1);
    Some(chosen.fold(0, |fraction, (_, direction)| fraction ^ direction))
}

/// What each bit of an index contributes: Bratley and Fox, "Algorithm 659", ACM TOMS 14 (1988).
fn directions((coefficients, first): (u16, &[u16])) -> [u64; BITS] {
    let degree = first.len();
    let mut directions = [0_u64; BITS];
    for (bit, number) in first.iter().enumerate() {
        directions[bit] = u64::from(*number) << (BITS - 1 - bit);
    }
    for bit in degree..BITS {
        let oldest = directions[bit - degree];
        let inner = (1..degree).filter(|back| coefficients >> (degree - 1 - back) & 1 == 1);
        directions[bit] =
            inner.fold(oldest ^ (oldest >> degree), |sum, back| sum ^ directions[bit - back]);
    }
    directions
}

/// Flips each bit at random, depending on the bits before it.
fn scrambled(fraction: u64, key: u64) -> u64 {
    (0..KEPT).fold(0, |scrambled, depth| {
        // A one, then the bits before: different for every node of the binary tree.
        let node = (1_u64 << depth) | fraction.checked_shr((BITS - depth) as u32).unwrap_or(0);
        let flip = mixed(key ^ mixed(node)) & 1;
        scrambled | (((fraction >> (BITS - 1 - depth)) & 1) ^ flip) << (BITS - 1 - depth)
    })
}

/// G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom number generators" (2014): their `mix64`, in
/// D. Stafford's variant 13, after one step of their sequence.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// From `scipy.stats.qmc.Sobol(128, scramble=False)`, version 1.17.1, in units of 2^-12. It takes points in the order of Gray's code.
    #[test]
    fn unscrambled_points_are_those_of_scipy() {
        let expected = [
            (0, [2048, 3584, 900, 1]),
            (1, [2048, 3584, 396, 3855]),
            (2, [2048, 512, 2124, 1369]),
            (3, [2048, 1536, 2772, 3693]),
            (7, [2048, 1536, 3684, 1601]),
            (63, [2048, 2560, 1828, 2267]),
            (127, [2048, 512, 2228, 1071]),
        ];
        for (dimension, values) in expected {
            for (place, value) in [1_u64, 5, 1000, 4095].into_iter().zip(values) {
                let found = fraction(place ^ (place >> 1), dimension).unwrap();
                assert_eq!(found, value << (BITS - 12), "point {place}, coordinate {dimension}");
            }
        }
        assert_eq!(fraction(0, MAX_DIMENSIONS), None);
    }

    /// A change of these numbers changes everybody's sweeps.
    #[test]
    fn scrambled_points_stay_what_they_are() {
        let sobol = Sobol::new(7);
        let coordinates = [(0, 0), (1, 0), (2, 5), (1000, 127), (u64::MAX, 3)];
        let found = coordinates.map(|(index, dimension)| {
            (sobol.coordinate(index, dimension).unwrap() * (1_u64 << KEPT) as f64) as u64
        });
        assert_eq!(
            found,
            [
                5_509_859_077_491_534,
                2_958_410_458_738,
                8_684_721_722_499_731,
                4_930_214_616_270_690,
                6_210_741_501_869_508,
            ]
        );
    }

    #[test]
    fn the_first_two_coordinates_fill_every_box_of_equal_size_once() {
        let sobol = Sobol::new(1);
        let points: Vec<[f64; 2]> =
            (0..256).map(|i| [0, 1].map(|d| sobol.coordinate(i, d).unwrap())).collect();
        for wide in 0..=8 {
            let (columns, rows) = (f64::from(1 << wide), f64::from(1 << (8 - wide)));
            let boxes: BTreeSet<(u64, u64)> =
                points.iter().map(|[x, y]| ((x * columns) as u64, (y * rows) as u64)).collect();
            assert_eq!(boxes.len(), 256, "{columns} by {rows}");
        }
    }

    proptest! {
        #[test]
        fn each_coordinate_alone_fills_every_interval_once(
            seed: u64,
            dimension in 0..MAX_DIMENSIONS,
            exponent in 0_u32..10,
        ) {
            let sobol = Sobol::new(seed);
            let n = 1_u64 << exponent;
            let values = (0..n).map(|index| sobol.coordinate(index, dimension).unwrap());
            let intervals: BTreeSet<u64> = values.map(|value| (value * n as f64) as u64).collect();
            prop_assert_eq!(intervals, (0..n).collect::<BTreeSet<_>>());
        }

        #[test]
        fn another_seed_gives_other_points(seed: u64, index: u64, dimension in 0..MAX_DIMENSIONS) {
            let at = |seed| Sobol::new(seed).coordinate(index, dimension).unwrap();
            prop_assert!((0.0..1.0).contains(&at(seed)));
            prop_assert_ne!(at(seed), at(seed.wrapping_add(1)));
        }
    }
}
