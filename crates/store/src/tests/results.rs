//! What is packed is what is known: the best of a board, read from blocks, beside the board of everything.

use pleach_core::rank::{Doubt, Row, Tried, rank};
use proptest::{collection::vec, prelude::*, sample::subsequence};

use super::*;
use crate::{Reader, Which};

/// One thing that may happen to a sweep; ignored when it cannot.
#[derive(Clone, Debug)]
enum Happening {
    /// A sweep file that asks for these points, each with these seeds.
    Accept(Vec<u64>, Vec<u64>),
    /// One commit.
    End(Vec<(u32, TrialStatus, Option<f64>)>),
    Retry(u32),
}

fn happening() -> impl Strategy<Value = Happening> {
    use TrialStatus::{Diverged, Done, Failed, Stopped};
    let end = prop_oneof![
        8 => (0..6_i32).prop_map(|value| (Done, Some(f64::from(value) / 3.0))),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), any::<f64>()]
            .prop_map(|value| (Done, Some(value))),
        1 => Just((Done, None)),
        1 => Just((Diverged, Some(f64::NAN))),
        1 => Just((Failed, None)),
        1 => Just((Stopped, Some(1.0))),
    ];
    let end = (1..30_u32, end).prop_map(|(trial, (status, value))| (trial, status, value));
    let points = subsequence(vec![0, 1, 2, 3, 4], 0..=5);
    let seeds = subsequence(vec![1, 2, u64::MAX], 1..=3).prop_shuffle();
    prop_oneof![
        1 => (points, seeds).prop_map(|(points, seeds)| Happening::Accept(points, seeds)),
        8 => vec(end, 1..6).prop_map(Happening::End),
        1 => (1..30_u32).prop_map(Happening::Retry),
    ]
}

fn happen(store: &mut Store, happening: &Happening) {
    match happening {
        Happening::Accept(points, seeds) => {
            let pairs = points.iter().flat_map(|point| seeds.iter().map(move |seed| (point, seed)));
            let trials: Vec<_> =
                pairs.map(|(point, seed)| trial(*point, *seed, &[&point.to_string()])).collect();
            accept(store, &trials).unwrap();
        }
        // A trial that is not there, or has ended, is refused with the whole commit.
        Happening::End(ends) => {
            let facts: Vec<Fact> = ends
                .iter()
                .map(|(trial, status, value)| trial_is(*trial, *status, *value))
                .collect();
            drop(store.commit(&facts, NOW));
        }
        Happening::Retry(trial) => drop(store.retry(&[TrialId(*trial)], NOW)),
    }
}

/// What is asked of the best must be what everything says.
fn check(reader: &Reader, goal: Goal, most: usize) {
    let best = reader.best(goal, most).unwrap().unwrap();
    let rows = reader.rows(Which::Current).unwrap();
    let mut counts = BTreeMap::new();
    for result in rows.iter().flat_map(|row| &row.trials) {
        *counts.entry(result.status.word()).or_insert(0) += 1;
    }
    let summary = reader.summary().unwrap().trials.into_iter();
    assert_eq!(summary.map(|(status, n)| (status.word(), n)).collect::<BTreeMap<_, _>>(), counts);
    let parameters: Vec<_> = rows.iter().map(|row| &row.parameters).collect();
    assert_eq!(best.tried, Tried::new(&parameters));
    let board = rank(rows, goal);
    assert_eq!(best.configurations, board.len());
    let doubt = Doubt::new(&board.iter().collect::<Vec<_>>(), goal);
    for index in 0..most {
        assert_eq!(best.doubt.places(index), doubt.places(index));
    }
    assert_eq!(best.doubt.probabilities(), doubt.probabilities());
    assert_eq!(best.doubt.seeds_needed(), doubt.seeds_needed());
    // The number of a trial that is not done is not packed.
    let shown = |row: &Row| {
        let mut row = row.clone();
        for result in &mut row.trials {
            result.objective = result.objective.filter(|_| result.status == TrialStatus::Done);
        }
        format!("{row:?}")
    };
    let expected: Vec<_> = board.iter().take(most).map(|ranked| shown(&ranked.row)).collect();
    assert_eq!(best.rows.iter().map(shown).collect::<Vec<_>>(), expected);
}

/// The best trial is that of all of them; of equal ones any.
fn check_best_trial(store: &Store, reader: &Reader, goal: Goal) {
    let rows = reader.rows(Which::Current).unwrap();
    let results = rows.iter().flat_map(|row| &row.trials);
    let finite = results.filter(|it| it.status == TrialStatus::Done).filter_map(|it| {
        it.objective.filter(|number| number.is_finite()).map(|number| (it.trial, number))
    });
    let finite: Vec<_> = finite.collect();
    let best = finite.iter().map(|(_, number)| *number).min_by(|a, b| goal.compare(*a, *b));
    let found = store.best(goal).unwrap();
    assert_eq!(found.map(|(_, number)| number), best);
    assert!(found.is_none_or(|found| finite.contains(&found)), "{found:?} of {finite:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_best_are_those_of_the_whole_board(
        happenings in vec(happening(), 1..20), is_max in any::<bool>(), most in 0..7_usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sweep.db");
        let mut store = Store::open(&path).unwrap();
        let reader = Reader::open(&path).unwrap();
        happen(&mut store, &Happening::Accept(vec![0, 1, 2, 3, 4], vec![1, 2]));
        for happening in &happenings {
            happen(&mut store, happening);
        }
        let goal = if is_max { Goal::Max } else { Goal::Min };
        check(&reader, goal, most);
        check_best_trial(&store, &reader, goal);
    }
}

#[test]
fn blocks_are_many_and_each_result_has_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.db");
    let mut store = Store::open(&path).unwrap();
    let pairs = (0..700).flat_map(|point| [3, 1, 2].map(|seed| (point, seed)));
    let trials: Vec<_> =
        pairs.map(|(point, seed)| trial(point, seed, &[&format!("{point} {seed}")])).collect();
    accept(&mut store, &trials).unwrap();
    let ended = (1..=2100)
        .step_by(7)
        .map(|id: u32| trial_is(id, TrialStatus::Done, Some(f64::from(id * 7919 % 2003))));
    store.commit(&ended.collect::<Vec<_>>(), NOW).unwrap();
    let ends = (1..=3).map(|id| trial_is(id + 3, TrialStatus::Done, Some(f64::from(id))));
    store.commit(&ends.collect::<Vec<_>>(), NOW).unwrap();
    let blocks: u32 = store
        .connection
        .query_row("SELECT count(*) FROM result_block", [], |row| row.get(0))
        .unwrap();
    assert_eq!(blocks, 5);
    check(&Reader::open(&path).unwrap(), Goal::Min, 700);
}

#[test]
fn two_trials_of_one_seed_are_not_packed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.db");
    let mut store = Store::open(&path).unwrap();
    accept(&mut store, &[trial(0, 1, &["a"]), trial(0, 1, &["b"])]).unwrap();
    store.commit(&[trial_is(1, TrialStatus::Done, Some(1.0))], NOW).unwrap();
    let reader = Reader::open(&path).unwrap();
    assert!(reader.best(Goal::Min, 3).unwrap().is_none());
    accept(&mut store, &[trial(0, 1, &["a"])]).unwrap();
    check(&reader, Goal::Min, 3);
}
