//! Revisions and generations: numbers are for ever.

use super::*;
use crate::Difference;

fn statuses(store: &Store) -> Vec<(u32, TrialStatus)> {
    store.load().unwrap().trials.iter().map(|trial| (trial.id.0, trial.status)).collect()
}

#[test]
fn a_second_revision_keeps_numbers_and_results_and_says_what_changes() {
    let [a, b, c] = [trial(0, 1, &["a"]), trial(1, 1, &["b"]), trial(2, 1, &["c"])];
    let mut store = store(&[a.clone(), b.clone()]);
    let facts = [trained(1, 2, 0.5), vec![trial_is(2, TrialStatus::Done, Some(0.5))]].concat();
    store.commit(&facts, NOW).unwrap();
    let second = [c.clone(), b.clone(), b.clone()];
    let difference = Difference { added: 1, kept: 1, removed: 1 };
    assert_eq!(
        store.compare(&planned(&second).iter().map(|it| it.trial.key).collect()).unwrap(),
        difference
    );
    let accepted = accept(&mut store, &second).unwrap();
    assert_eq!(accepted, Accepted { revision: 2, difference });
    assert_eq!(statuses(&store), [(2, TrialStatus::Done), (3, TrialStatus::Waiting)]);
    accept(&mut store, &[a, b, c]).unwrap();
    let all = [(1, TrialStatus::Waiting), (2, TrialStatus::Done), (3, TrialStatus::Waiting)];
    assert_eq!(statuses(&store), all);
}

#[test]
fn a_trial_that_waits_is_cut_anew_and_one_that_ended_stays() {
    let mut store = store(&[trial(0, 1, &["a"]), trial(1, 1, &["b"])]);
    let facts =
        [trained(1, 2, 0.5), vec![trial_is(2, TrialStatus::Done, Some(0.5)), granted(2, 1)]];
    store.commit(&facts.concat(), NOW).unwrap();
    let cut = |known: (NewTrial, Parameters), path: &[&str]| {
        let (NewTrial { path, .. }, parameters) = (trial(0, 1, path).0, known.1);
        (NewTrial { path, ..known.0 }, parameters)
    };
    let first = cut(trial(0, 1, &["a"]), &["trunk", "c"]);
    let second = cut(trial(1, 1, &["b"]), &["trunk", "d"]);
    accept(&mut store, &[first, second]).unwrap();
    let paths: Vec<Vec<u32>> = store
        .load()
        .unwrap()
        .trials
        .iter()
        .map(|trial| trial.path.iter().map(|stage| stage.0).collect())
        .collect();
    assert_eq!(paths, [vec![3, 4], vec![2]]);
    // What ran when the last coordinator died does not run for ever.
    let running = "SELECT count(*) FROM attempt WHERE ending IS NULL";
    let running: u32 = store.connection.query_row(running, [], |row| row.get(0)).unwrap();
    assert_eq!(running, 0);
}

#[test]
fn a_new_trial_takes_what_was_trained_for_others() {
    let mut store = store(&[trial(0, 1, &["a", "b"])]);
    let ends = [trained(1, 1, 0.5), trained(2, 2, 0.25)].concat();
    store.commit(&ends, NOW).unwrap();
    let mut other = trial(1, 1, &["a", "b"]);
    other.0.key = Key::of("another trial that is the same training");
    accept(&mut store, &[other, trial(2, 1, &["a", "c"])]).unwrap();
    assert_eq!(statuses(&store), [(2, TrialStatus::Done), (3, TrialStatus::Waiting)]);
    let objective: f64 = store
        .connection
        .query_row("SELECT objective FROM trials WHERE trial = 2", [], |row| row.get(0))
        .unwrap();
    assert_eq!(objective, 0.25);
}

#[test]
fn a_retry_of_a_failure_begins_at_the_failed_stage() {
    let mut store = store(&[trial(0, 1, &["a", "b"]), trial(1, 2, &["a", "b"])]);
    let failed = ended(2, Ending::Failed(Class::Error, "no".to_owned()));
    let facts = [
        trained(1, 1, 0.5),
        vec![granted(2, 2), failed, stage(2, StageStatus::Failed, &[])],
        vec![trial_is(1, TrialStatus::Failed, None), trial_is(2, TrialStatus::Failed, None)],
    ];
    store.commit(&facts.concat(), NOW).unwrap();
    assert_eq!(store.retry(&[TrialId(1)], NOW).unwrap(), [TrialId(3)]);
    assert_eq!(statuses(&store), [(2, TrialStatus::Failed), (3, TrialStatus::Waiting)]);
    let path = |store: &Store| store.load().unwrap().trials.last().unwrap().path.clone();
    assert_eq!(path(&store), [StageId(1), StageId(3)]);
    // The second one joins the new generation, and takes what it has come to.
    let facts = [trained(3, 3, 0.1), vec![trial_is(3, TrialStatus::Done, Some(0.1))]].concat();
    store.commit(&facts, NOW).unwrap();
    assert_eq!(store.retry(&[TrialId(2)], NOW).unwrap(), [TrialId(4)]);
    assert_eq!(path(&store), [StageId(1), StageId(3)]);
    assert_eq!(statuses(&store), [(3, TrialStatus::Done), (4, TrialStatus::Done)]);
}

#[test]
fn a_retry_of_a_result_begins_at_the_root_and_is_shared() {
    let mut store = store(&[trial(0, 1, &["a", "b"]), trial(1, 2, &["a", "b"])]);
    let done = |trial| trial_is(trial, TrialStatus::Done, Some(0.1));
    let facts = [trained(1, 1, 0.5), trained(2, 2, 0.1), vec![done(1), done(2)]].concat();
    store.commit(&facts, NOW).unwrap();
    assert_eq!(store.retry(&[TrialId(2), TrialId(1)], NOW).unwrap(), [TrialId(3), TrialId(4)]);
    let loaded = store.load().unwrap();
    for trial in &loaded.trials {
        assert_eq!(trial.path, [StageId(3), StageId(4)]);
    }
    accept(&mut store, &[trial(0, 1, &["a", "b"])]).unwrap();
    assert_eq!(statuses(&store), [(3, TrialStatus::Waiting)]);
}

#[test]
fn a_trial_below_an_older_generation_of_a_stage_is_planned_below_the_newest() {
    let mut store = store(&[trial(0, 1, &["a"]), trial(1, 1, &["a", "b"])]);
    let facts = [stage(1, StageStatus::Failed, &[]), trial_is(1, TrialStatus::Failed, None)];
    store.commit(&facts, NOW).unwrap();
    store.retry(&[TrialId(1)], NOW).unwrap();
    let other = trial(1, 2, &["a", "b"]);
    accept(&mut store, &[other]).unwrap();
    let loaded = store.load().unwrap();
    assert_eq!(loaded.trials[0].status, TrialStatus::Waiting);
    assert_eq!(loaded.trials[0].path, [StageId(3), StageId(4)]);
}

#[test]
fn a_new_trial_below_a_stage_without_a_good_end_ends_as_its_other_trials_did() {
    let [failed, diverged] = [StageStatus::Failed, StageStatus::Diverged];
    for (status, expected, objective) in
        [(failed, TrialStatus::Failed, None), (diverged, TrialStatus::Diverged, Some("nan"))]
    {
        let mut store = store(&[trial(0, 1, &["a", "b"])]);
        store.commit(&[stage(1, status, &[0.5])], NOW).unwrap();
        accept(&mut store, &[trial(1, 2, &["a", "c"])]).unwrap();
        assert_eq!(statuses(&store), [(2, expected)]);
        let read: Option<String> = store
            .connection
            .query_row("SELECT objective FROM trials WHERE trial = 2", [], |row| row.get(0))
            .unwrap();
        assert_eq!(read.as_deref(), objective);
    }
}
