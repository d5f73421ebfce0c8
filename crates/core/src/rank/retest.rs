//! The best configurations once more: a winner's own result is flattered by having been chosen.

use std::collections::BTreeSet;

use crate::rank::{Ranked, State};

/// Fewer seeds say little of a mean.
const LEAST_SEEDS: usize = 5;

/// What is trained once more.
#[derive(Clone, Debug, PartialEq)]
pub struct Retest {
    /// The best of the ranked configurations, in the order of the board.
    pub chosen: Vec<Ranked>,
    /// The smallest from 1 on with which nothing on the board was trained: as many as each configuration had, and at least
    /// five.
    pub seeds: Vec<u64>,
}

/// So many of the best of a board that [`super::rank`] made.
pub fn retest(board: &[Ranked], best: usize) -> Retest {
    let results = board.iter().flat_map(|ranked| &ranked.row.trials);
    let used: BTreeSet<u64> = results.map(|result| result.seed).collect();
    let n_seeds = board.iter().map(|ranked| ranked.row.trials.len()).max().unwrap_or(0);
    let is_ranked = |ranked: &&Ranked| ranked.state == State::Done;
    Retest {
        chosen: board.iter().filter(is_ranked).take(best).cloned().collect(),
        seeds: (1..).filter(|seed| !used.contains(seed)).take(n_seeds.max(LEAST_SEEDS)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        life::TrialStatus,
        objective::Goal,
        rank::{
            rank,
            tests::{done, row},
        },
    };

    #[test]
    fn the_best_are_chosen_and_their_seeds_are_fresh() {
        let mut last = done(3, &[7.0, 7.0, 7.0]);
        last.trials[2].seed = u64::MAX;
        let waiting = row(4, &[(TrialStatus::Waiting, None)]);
        let board = rank(vec![done(1, &[1.0, 2.0]), done(2, &[9.0]), last, waiting], Goal::Max);
        let used: Vec<u64> =
            board.iter().flat_map(|it| &it.row.trials).map(|result| result.seed).collect();
        let Retest { chosen, seeds } = retest(&board, 2);
        assert_eq!(chosen, board[..2]);
        assert_eq!(seeds.len(), LEAST_SEEDS);
        assert!(seeds.iter().all(|seed| !used.contains(seed)), "{seeds:?} {used:?}");
        assert_eq!(retest(&board, 9).chosen.len(), 3, "only what has a rank");
        assert_eq!(retest(&[], 2).chosen, []);
    }
}
