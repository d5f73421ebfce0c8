//! What the luck of seeds leaves open about a board: which places a configuration may hold, how likely it is the best,
//! and how many seeds more would tell. Configurations are compared on the seeds that both have.

use std::{cmp::Ordering, collections::BTreeSet};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::{
    objective::Goal,
    rank::{Ranked, State, numbers, pairs::Pairs},
    statistics::{deviation, mean, student_bound},
};

/// So often means are drawn to see who is first: the error of a probability is below one percent.
const DRAWS: u32 = 4000;

const MAX_CONTENDERS: usize = 1000;

/// No more than so many seeds are ever recommended.
const MAX_SEEDS: u32 = 1000;

/// The ranked part of a board, best first.
#[derive(Debug)]
pub struct Doubt {
    pairs: Pairs,
    /// Those that cannot be told from the first, itself among them.
    contenders: Vec<usize>,
}

/// The places, counted from 1, that a configuration may hold: it is worse, at 95 % each, than `first - 1` others, and
/// better than all that would come after `last`. Nothing is corrected for the number of comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    pub first: u32,
    pub last: u32,
}

impl Doubt {
    /// Of a board that [`super::rank`] made for the same goal.
    pub fn new(board: &[&Ranked], goal: Goal) -> Self {
        let ranked = board.iter().take_while(|ranked| ranked.state == State::Done);
        let names: BTreeSet<u64> =
            ranked.clone().flat_map(|ranked| numbers(&ranked.row)).map(|(seed, _)| seed).collect();
        let mut seeds = vec![Vec::new(); names.len()];
        for ranked in ranked {
            let mut own = numbers(&ranked.row).peekable();
            for (seed, name) in seeds.iter_mut().zip(&names) {
                let number = own.next_if(|(other, _)| other == name);
                seed.push(number.map_or(f64::NAN, |(_, value)| value));
            }
        }
        Self::of(goal, seeds)
    }

    /// Of each seed's numbers in the board's order, NaN where there is none.
    pub(super) fn of(goal: Goal, seeds: Vec<Vec<f64>>) -> Self {
        let pairs = Pairs::new(goal, seeds);
        let mut contenders = Vec::new();
        pairs.each(0, |other, ordering| {
            if other == 0 || ordering == Some(Ordering::Equal) {
                contenders.push(other);
            }
        });
        Self { pairs, contenders }
    }

    /// Of the configuration at this index of the board; `None` if it is not ranked, or if it shares fewer than two
    /// seeds with the others.
    pub fn places(&self, index: usize) -> Option<Places> {
        let n = self.pairs.len();
        if n <= index || (self.pairs.seeds().len() < 2 && 1 < n) {
            return None;
        }
        let (mut better, mut worse, mut unknown) = (0, 0, 0);
        self.pairs.each(index, |other, ordering| match ordering {
            _ if other == index => {}
            Some(Ordering::Less) => better += 1,
            Some(Ordering::Greater) => worse += 1,
            Some(Ordering::Equal) => {}
            None => unknown += 1,
        });
        (unknown == 0).then(|| Places { first: better + 1, last: n as u32 - worse })
    }

    /// How likely it is, by index of the board, that a configuration has the best true mean; 0 for those that can be told
    /// from the first. Means of the seeds that all contenders share are drawn from Student's distribution around what was
    /// seen, n - 1 degrees of freedom, with the covariance that was seen: of any two contenders it says what their paired
    /// comparison says (the posterior of a mean difference without prior knowledge; Gelman et al., Bayesian Data Analysis,
    /// 3rd edition, section 3.2). Empty with fewer than two seeds, or more than a thousand contenders. Draws are
    /// pseudo-random and always the same.
    pub fn probabilities(&self) -> Vec<f64> {
        if MAX_CONTENDERS < self.contenders.len() {
            return Vec::new();
        }
        let has_all = |seed: &&Vec<f64>| self.contenders.iter().all(|&index| !seed[index].is_nan());
        let seeds: Vec<&Vec<f64>> = self.pairs.seeds().iter().filter(has_all).collect();
        let n = seeds.len();
        if n < 2 || self.contenders.is_empty() {
            return Vec::new();
        }
        let of_seeds = |index: usize| seeds.iter().map(|seed| seed[index]).collect::<Vec<f64>>();
        // Of each contender its mean, and by seed how far from it.
        let contenders = self.contenders.iter().map(|&index| {
            let values = of_seeds(index);
            let mean = mean(&values).unwrap_or(f64::NAN);
            (mean, values.into_iter().map(|value| value - mean).collect::<Vec<f64>>())
        });
        let contenders: Vec<(f64, Vec<f64>)> = contenders.collect();
        let mut normal = Normal::new();
        let mut wins = vec![0_u32; contenders.len()];
        for _ in 0..DRAWS {
            let chi_square: f64 = (1..n).map(|_| normal.next().powi(2)).sum();
            // The sum over seeds of these times the distances has the covariance of the means, and Student's tails.
            let scale = 1.0 / (n as f64 * chi_square).sqrt();
            let factors: Vec<f64> = (0..n).map(|_| scale * normal.next()).collect();
            let drawn = |(mean, distances): &(f64, Vec<f64>)| {
                mean + factors.iter().zip(distances).map(|(f, d)| f * d).sum::<f64>()
            };
            let means: Vec<f64> = contenders.iter().map(drawn).collect();
            // Of equals the first: contenders are in the board's order.
            if let Some(best) =
                (0..means.len()).min_by(|&a, &b| self.pairs.goal().compare(means[a], means[b]))
            {
                wins[best] += 1;
            }
        }
        let mut shares = vec![0.0; self.pairs.len()];
        for (&index, wins) in self.contenders.iter().zip(wins) {
            shares[index] = f64::from(wins) / f64::from(DRAWS);
        }
        shares
    }

    /// How many seeds more would tell the first two apart, with 95 % confidence and a power of 80 %, were their
    /// difference and its spread what they look like now: the smallest n with
    /// (t(97.5 %, n - 1) + t(80 %, n - 1)) s / √n below the difference. `None` if they can be told apart, if nothing
    /// is known, or if a thousand were not enough.
    pub fn seeds_needed(&self) -> Option<u32> {
        let second = *self.contenders.get(1).filter(|&&second| second == 1)?;
        let differences = self.pairs.differences(0, second);
        let (mean, spread) = (mean(&differences)?, deviation(&differences)?);
        let now = differences.len() as u32;
        let is_enough = |n: u32| {
            let t = student_bound(0.95, n - 1) + student_bound(0.60, n - 1);
            t * spread / f64::from(n).sqrt() < mean.abs()
        };
        // What is enough, more is, too.
        let (mut few, mut enough) = (now, MAX_SEEDS + 1);
        while few + 1 < enough {
            let middle = u32::midpoint(few, enough);
            if is_enough(middle) {
                enough = middle;
            } else {
                few = middle;
            }
        }
        (enough <= MAX_SEEDS).then(|| enough - now)
    }
}

/// Normally distributed numbers, always the same ones: the polar method (Marsaglia and Bray 1964).
struct Normal {
    random: ChaCha8Rng,
    spare: Option<f64>,
}

impl Normal {
    fn new() -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(0), spare: None }
    }

    fn next(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // Evenly between -1 and 1, never 0.
        let mut even = || ((self.random.next_u64() >> 11) as f64 + 0.5) * 2.0_f64.powi(-52) - 1.0;
        loop {
            let (x, y) = (even(), even());
            let square = x * x + y * y;
            if square < 1.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.spare = Some(y * factor);
                return x * factor;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::rank::{
        rank,
        tests::{done, row},
    };

    fn of(board: &[Ranked]) -> Doubt {
        Doubt::new(&board.iter().collect::<Vec<_>>(), Goal::Max)
    }

    fn doubt(rows: &[&[f64]]) -> Doubt {
        let rows = (1..).zip(rows).map(|(number, values)| done(number, values)).collect();
        of(&rank(rows, Goal::Max))
    }

    fn places(doubt: &Doubt) -> Vec<(u32, u32)> {
        let places = (0..).map_while(|index| doubt.places(index));
        places.map(|places| (places.first, places.last)).collect()
    }

    #[test]
    fn what_seeds_cannot_tell_apart_shares_its_places() {
        let doubt =
            doubt(&[&[9.0, 9.1, 9.2], &[9.1, 9.0, 9.1], &[5.0, 5.1, 5.2], &[1.0, 1.1, 1.2]]);
        assert_eq!(places(&doubt), [(1, 2), (1, 2), (3, 3), (4, 4)]);
    }

    #[test]
    fn one_seed_tells_no_places_and_no_probabilities() {
        let doubt = doubt(&[&[3.0], &[2.0], &[1.0]]);
        assert_eq!(places(&doubt), []);
        assert!(doubt.probabilities().is_empty());
        assert_eq!(doubt.seeds_needed(), None);
    }

    #[test]
    fn of_two_the_probability_is_that_of_their_paired_comparison() {
        // Differences 1, 0, 2: t = 1 / (1 / √3), and Student's distribution with two degrees of freedom is known in closed
        // form: 1/2 + t / (2 √(2 + t²)).
        let probabilities = doubt(&[&[9.0, 4.0, 7.0], &[8.0, 4.0, 5.0]]).probabilities();
        let t = 3.0_f64.sqrt();
        let expected = 0.5 + t / (2.0 * (2.0 + t * t).sqrt());
        assert!((probabilities[0] - expected).abs() < 0.02, "{probabilities:?} {expected}");
        assert_eq!(probabilities.iter().sum::<f64>(), 1.0);
    }

    #[test]
    fn numbers_are_normal() {
        let mut normal = Normal::new();
        let numbers: Vec<f64> = (0..20_000).map(|_| normal.next()).collect();
        let beyond = numbers.iter().filter(|number| 1.959_964 < number.abs()).count();
        assert!(mean(&numbers).unwrap().abs() < 0.02);
        assert!((deviation(&numbers).unwrap() - 1.0).abs() < 0.02);
        assert!((900..1100).contains(&beyond), "{beyond}");
    }

    #[test]
    fn seeds_needed_follow_from_difference_and_spread() {
        // Differences 1, 0, 2: mean 1, deviation 1. At n = 10: (2.262 + 0.883) / 3.162 = 0.994.
        assert_eq!(doubt(&[&[1.0, 0.0, 2.0], &[0.0, 0.0, 0.0]]).seeds_needed(), Some(7));
        let apart = doubt(&[&[9.0, 9.1, 9.2], &[5.0, 5.1, 5.2]]);
        assert_eq!(apart.seeds_needed(), None);
        let equal = doubt(&[&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]]);
        assert_eq!(equal.seeds_needed(), None);
    }

    #[test]
    fn what_has_no_rank_has_no_place() {
        let waiting = row(3, &[(crate::life::TrialStatus::Waiting, None)]);
        let board = rank(vec![done(1, &[2.0, 2.1]), done(2, &[1.0, 1.1]), waiting], Goal::Max);
        let doubt = of(&board);
        assert!(doubt.places(1).is_some() && doubt.places(2).is_none());
    }

    proptest! {
        #[test]
        fn the_place_by_mean_is_among_the_places(rows in vec(vec(-9.0..9.0_f64, 3), 2..8)) {
            let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
            let doubt = doubt(&rows);
            for (index, (first, last)) in places(&doubt).into_iter().enumerate() {
                prop_assert!(1 <= first && first as usize <= index + 1);
                prop_assert!(index < last as usize && last as usize <= rows.len());
            }
            let sum: f64 = doubt.probabilities().iter().sum();
            prop_assert!((sum - 1.0).abs() < 1e-9);
        }
    }
}
