//! The laws of the order, and what one board says.

use proptest::{collection::vec, prelude::*};

use super::*;

const DONE: TrialStatus = TrialStatus::Done;

/// A configuration with a trial for each seed, counted from 1.
pub(super) fn row(configuration: u32, trials: &[(TrialStatus, Option<f64>)]) -> Row {
    let result = |(seed, &(status, objective)): (u32, _)| Result {
        trial: TrialId(configuration * 100 + seed),
        seed: u64::from(seed),
        status,
        objective,
    };
    let trials = (1..).zip(trials).map(result).collect();
    Row { configuration: ConfigurationId(configuration), parameters: Parameters::new(), trials }
}

pub(super) fn done(configuration: u32, values: &[f64]) -> Row {
    let trials: Vec<_> = values.iter().map(|&value| (DONE, Some(value))).collect();
    row(configuration, &trials)
}

fn order(board: &[Ranked]) -> Vec<u32> {
    board.iter().map(|ranked| ranked.row.configuration.0).collect()
}

#[test]
fn the_better_mean_comes_first_and_equal_means_by_number() {
    let rows = vec![done(1, &[1.0, 3.0]), done(2, &[4.0, 4.0]), done(3, &[2.0, 2.0])];
    assert_eq!(order(&rank(rows.clone(), Goal::Max)), [2, 1, 3]);
    let board = rank(rows, Goal::Min);
    assert_eq!(order(&board), [1, 3, 2]);
    assert_eq!(
        board.iter().map(|ranked| ranked.rank).collect::<Vec<_>>(),
        [Some(1), Some(2), Some(3)]
    );
}

#[test]
fn everything_without_a_full_set_of_numbers_has_its_place_below_and_no_rank() {
    let waiting = (TrialStatus::Waiting, None);
    let rows = vec![
        row(1, &[waiting, waiting]),
        row(2, &[(TrialStatus::Stopped, None), (DONE, Some(9.0))]),
        row(3, &[(DONE, Some(9.0)), (TrialStatus::Failed, None)]),
        row(4, &[(DONE, Some(9.0)), (DONE, None)]),
        row(5, &[(TrialStatus::Diverged, None), (TrialStatus::Failed, None)]),
        row(6, &[(DONE, Some(9.0)), (DONE, Some(f64::NAN))]),
        row(7, &[(TrialStatus::Diverged, Some(9.0)), (DONE, Some(f64::INFINITY))]),
        row(8, &[(DONE, Some(9.0)), waiting]),
        row(9, &[waiting, (DONE, Some(9.5))]),
        row(10, &[(DONE, Some(0.1)), (DONE, Some(0.1))]),
        row(11, &[]),
    ];
    let board = rank(rows, Goal::Max);
    let state: Vec<_> = board.iter().map(|r| (r.row.configuration.0, r.rank, r.state)).collect();
    assert_eq!(
        state,
        [
            (10, Some(1), State::Done),
            (9, None, State::Partial),
            (8, None, State::Partial),
            (6, None, State::Diverged(1)),
            (5, None, State::Diverged(1)),
            (7, None, State::Diverged(2)),
            (3, None, State::Failed(1)),
            (4, None, State::Failed(1)),
            (2, None, State::Stopped(1)),
            (1, None, State::Waiting),
            (11, None, State::Waiting),
        ]
    );
    assert_eq!((board[1].mean, board[1].spread), (Some(9.5), None));
    assert_eq!((board[1].seeds_done, board[1].seeds_total), (1, 2));
    assert_eq!(board[5].mean, None);
}

#[test]
fn a_difference_is_taken_seed_by_seed() {
    // The seeds differ by far more than the configurations do; the difference is still clear.
    let board = rank(vec![done(1, &[10.0, 20.0, 30.0]), done(2, &[9.0, 18.9, 29.1])], Goal::Max);
    assert_eq!(board[0].versus_first, None);
    let versus = board[1].versus_first.unwrap();
    assert!((versus.difference + 1.0).abs() < 1e-12);
    assert_eq!(versus.pairs, 3);
    // -1 ± 4.302653 × 0.1 / √3
    let Distinction::Different { low, high } = versus.distinction else {
        panic!("{versus:?}");
    };
    assert!((low + 1.248_413_8).abs() < 1e-6 && (high + 0.751_586_2).abs() < 1e-6, "{versus:?}");
}

#[test]
fn a_difference_within_the_luck_of_seeds_is_none() {
    let board = rank(vec![done(1, &[1.0, 2.0, 3.0]), done(2, &[1.5, 2.5, 1.5])], Goal::Max);
    let distinction = board[1].versus_first.unwrap().distinction;
    assert!(matches!(distinction, Distinction::Same { low, high } if low < 0.0 && 0.0 < high));
}

#[test]
fn one_seed_tells_nothing_apart() {
    let board = rank(vec![done(1, &[2.0]), done(2, &[1.0])], Goal::Max);
    let versus = Versus { difference: -1.0, pairs: 1, distinction: Distinction::Unknown };
    assert_eq!(board[1].versus_first, Some(versus));
}

#[test]
fn nothing_is_compared_with_an_unfinished_first() {
    let partial = |configuration| {
        row(configuration, &[(DONE, Some(1.0)), (DONE, Some(2.0)), (TrialStatus::Waiting, None)])
    };
    let board = rank(vec![partial(1), partial(2)], Goal::Max);
    assert!(board.iter().all(|ranked| ranked.versus_first.is_none() && ranked.rank.is_none()));
    // But an unfinished one is compared with a finished first.
    let board = rank(vec![partial(1), done(2, &[3.0, 3.0, 3.0])], Goal::Max);
    assert_eq!(board[1].versus_first.map(|versus| versus.pairs), Some(2));
}

fn any_result() -> impl Strategy<Value = (TrialStatus, Option<f64>)> {
    let status = prop_oneof![
        1 => Just(TrialStatus::Waiting),
        6 => Just(DONE),
        1 => Just(TrialStatus::Diverged),
        1 => Just(TrialStatus::Failed),
        1 => Just(TrialStatus::Stopped),
    ];
    let number = prop_oneof![
        4 => (0..4_i32).prop_map(f64::from),
        2 => any::<f64>(),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
        1 => Just(f64::NEG_INFINITY),
        1 => Just(-0.0),
        1 => Just(f64::MAX),
        1 => Just(f64::MIN),
    ];
    (status, proptest::option::weighted(0.9, number))
}

fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    vec(vec(any_result(), 0..4), 0..12).prop_map(|rows| {
        (1..).zip(&rows).map(|(configuration, trials)| row(configuration, trials)).collect()
    })
}

fn any_goal() -> impl Strategy<Value = Goal> {
    prop_oneof![Just(Goal::Min), Just(Goal::Max)]
}

proptest! {
    #[test]
    fn a_board_does_not_depend_on_the_order_of_its_input(
        (rows, shuffled) in any_rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        goal in any_goal(),
    ) {
        let mut turned = shuffled;
        for row in &mut turned {
            row.trials.reverse();
        }
        // As text, because NaN does not equal itself.
        prop_assert_eq!(format!("{:?}", rank(rows, goal)), format!("{:?}", rank(turned, goal)));
    }

    /// A number of 128 bits says what this says in words; numbers are a total order.
    #[test]
    fn the_order_is_by_state_then_mean_then_number(rows in any_rows(), goal in any_goal()) {
        let mut board: Vec<Ranked> = rows.into_iter().map(assess).collect();
        board.sort_by(|a, b| {
            let number = |ranked: &Ranked| ranked.mean.unwrap_or(f64::NAN);
            a.state
                .cmp(&b.state)
                .then_with(|| goal.compare(number(a), number(b)))
                .then_with(|| a.row.configuration.cmp(&b.row.configuration))
        });
        let rows = board.iter().rev().map(|ranked| ranked.row.clone()).collect();
        prop_assert_eq!(order(&rank(rows, goal)), order(&board));
    }

    #[test]
    fn a_cell_holds_what_a_board_needs_of_a_result((status, objective) in any_result()) {
        let cell = Cell::from_bits(Cell::new(status, objective).to_bits());
        let (kept, number) = cell.result().unwrap();
        prop_assert_eq!(kept, status);
        if status == DONE {
            prop_assert_eq!(format!("{number:?}"), format!("{objective:?}"));
        }
        prop_assert!(Cell::EMPTY.result().is_none());
    }

    #[test]
    fn ranks_count_the_finite_configurations_and_them_only(rows in any_rows(), goal in any_goal()) {
        let finite = |row: &Row| {
            let is_finite = |result: &Result| {
                result.status == DONE && result.objective.is_some_and(f64::is_finite)
            };
            !row.trials.is_empty() && row.trials.iter().all(is_finite)
        };
        let count = rows.iter().filter(|row| finite(row)).count();
        let board = rank(rows, goal);
        let ranks: Vec<u32> = board.iter().filter_map(|ranked| ranked.rank).collect();
        prop_assert_eq!(ranks, (1..=count as u32).collect::<Vec<_>>());
        prop_assert!(board[..count].iter().all(|ranked| finite(&ranked.row)));
        prop_assert!(board.iter().all(|ranked| ranked.mean.is_none_or(f64::is_finite)));
    }
}

proptest! {
    // Thousands of draws each.
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// What is told from numbers alone is what is told from everything.
    #[test]
    fn results_in_little_room_make_the_same_board(rows in any_rows(), goal in any_goal()) {
        let rows: Vec<Row> = rows.into_iter().filter(|row| !row.trials.is_empty()).collect();
        let mut results = Results::new(4);
        for row in &rows {
            let cells = row.trials.iter().map(|result| Cell::new(result.status, result.objective));
            results.push(row.configuration, cells);
        }
        let board = rank(rows, goal);
        let found = results.order(goal);
        let configurations: Vec<u32> = found.configurations.iter().map(|it| it.0).collect();
        prop_assert_eq!(configurations, order(&board));
        prop_assert_eq!(found.ranked, board.iter().filter(|it| it.rank.is_some()).count());
        let doubt = Doubt::new(&board.iter().collect::<Vec<_>>(), goal);
        let same = results.doubt(&found, goal);
        for index in 0..=board.len() {
            prop_assert_eq!(same.places(index), doubt.places(index));
        }
        prop_assert_eq!(same.probabilities(), doubt.probabilities());
        prop_assert_eq!(same.seeds_needed(), doubt.seeds_needed());
        let trials = results.counts().into_iter().map(|(_, n)| n as usize).sum::<usize>();
        prop_assert_eq!(trials, board.iter().map(|ranked| ranked.row.trials.len()).sum::<usize>());
        // The best rows rank among themselves as among all.
        let best: Vec<Row> = board.iter().take(3).map(|ranked| ranked.row.clone()).collect();
        let best = format!("{:?}", rank(best, goal));
        prop_assert_eq!(best, format!("{:?}", &board[..board.len().min(3)]));
    }
}
