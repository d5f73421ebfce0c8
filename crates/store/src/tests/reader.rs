//! What people are shown, while a writer is at work.

use std::ops::ControlFlow;

use insta::assert_snapshot;
use pleach_core::{life::ConfigurationId, rank};
use rusqlite::types::Value as Column;

use super::*;
use crate::{CanonicalTrial, OpenAttempt, Reader, Standing, Which};

/// Three trials of two configurations: 1 done (after a crash), 2 diverged, 3 waits; a writer that is still open.
fn sweep() -> (tempfile::TempDir, Store, Reader) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.db");
    let mut store = Store::open(&path).unwrap();
    let plan =
        [trial(0, 1, &["a", "b"]), trial(1, u64::MAX, &["a", "c"]), trial(0, 2, &["a", "d"])];
    accept(&mut store, &plan).unwrap();
    let crash =
        [granted(1, 1), ended(1, Ending::Failed(Class::Crash, "killed by signal 9".to_owned()))];
    store.commit(&crash, NOW).unwrap();
    let mut facts = trained(2, 1, 0.5);
    facts.extend([granted(3, 2), ended(3, Ending::Done), stage(2, StageStatus::Done, &[0.25])]);
    facts.push(Fact::Metrics {
        stage: StageId(2),
        step: 20,
        values: vec![("loss".to_owned(), 0.25), ("accuracy".to_owned(), f64::NAN)],
    });
    facts.push(trial_is(1, TrialStatus::Done, Some(0.25)));
    facts.push(granted(4, 3));
    facts.push(ended(4, Ending::Diverged));
    facts.push(stage(3, StageStatus::Diverged, &[]));
    facts.push(trial_is(2, TrialStatus::Diverged, Some(f64::NAN)));
    store.commit(&facts, Time(NOW.0 + 1500)).unwrap();
    let reader = Reader::open(&path).unwrap();
    (folder, store, reader)
}

/// A view's rows, as text.
fn rows(reader: &Reader, sql: &str) -> String {
    let mut query = reader.connection.prepare(sql).unwrap();
    let columns = query.column_count();
    let lines = query.query_map([], |row| {
        let cells = (0..columns).map(|index| {
            Ok(match row.get(index)? {
                Column::Null => "-".to_owned(),
                Column::Integer(value) => value.to_string(),
                Column::Real(value) => value.to_string(),
                Column::Text(value) => value,
                Column::Blob(_) => "bytes".to_owned(),
            })
        });
        cells.collect::<rusqlite::Result<Vec<_>>>().map(|cells| cells.join(" | "))
    });
    lines.unwrap().collect::<rusqlite::Result<Vec<_>>>().unwrap().join("\n")
}

#[test]
fn the_views_can_be_read_with_any_client() {
    let (_folder, _store, reader) = sweep();
    assert_snapshot!(rows(&reader, "SELECT * FROM trials"), @r#"
    1 | 1 | 1 | done | 0.25 | 20 | {"x":0} | 79f3851dd7d310ca559eb5a988e4a512 | 1
    2 | 2 | 18446744073709551615 | diverged | nan | 20 | {"x":1} | cb82c2e5e37b0d99b1b1afbfccae082c | 1
    3 | 1 | 2 | waiting | - | 20 | {"x":0} | 8d280f9409baf1e9bbe5ecd8ff88e675 | 1
    "#);
    assert_snapshot!(rows(&reader, "SELECT * FROM leaderboard"), @r#"
    1 | 0.25 | 2 | 1 | 0 | 0 | {"x":0}
    2 | - | 1 | 0 | 1 | 0 | {"x":1}
    "#);
    assert_snapshot!(rows(&reader, "SELECT * FROM metrics ORDER BY trial, step, name"), @r#"
    1 | 10 | loss | 0.5
    1 | 20 | accuracy | -
    1 | 20 | loss | 0.25
    2 | 10 | loss | 0.5
    3 | 10 | loss | 0.5
    "#);
    assert_snapshot!(rows(&reader, "SELECT * FROM attempts ORDER BY attempt, trial"), @r#"
    1 | 1 | 1 | 0 | 10 | 2023-11-14T22:13:20.000Z | 2023-11-14T22:13:20.000Z | crash | killed by signal 9
    1 | 2 | 1 | 0 | 10 | 2023-11-14T22:13:20.000Z | 2023-11-14T22:13:20.000Z | crash | killed by signal 9
    1 | 3 | 1 | 0 | 10 | 2023-11-14T22:13:20.000Z | 2023-11-14T22:13:20.000Z | crash | killed by signal 9
    2 | 1 | 1 | 0 | 10 | 2023-11-14T22:13:21.500Z | 2023-11-14T22:13:21.500Z | done | -
    2 | 2 | 1 | 0 | 10 | 2023-11-14T22:13:21.500Z | 2023-11-14T22:13:21.500Z | done | -
    2 | 3 | 1 | 0 | 10 | 2023-11-14T22:13:21.500Z | 2023-11-14T22:13:21.500Z | done | -
    3 | 1 | 2 | 0 | 10 | 2023-11-14T22:13:21.500Z | 2023-11-14T22:13:21.500Z | done | -
    4 | 2 | 3 | 0 | 10 | 2023-11-14T22:13:21.500Z | 2023-11-14T22:13:21.500Z | diverged | -
    "#);
}

#[test]
fn rows_are_by_point_and_seed() {
    let (_folder, mut store, reader) = sweep();
    let result = |trial, seed, status, objective| rank::Result {
        trial: TrialId(trial),
        seed,
        status,
        objective,
    };
    let board = reader.rows(Which::Current).unwrap();
    assert_eq!(board.len(), 2);
    assert_eq!(board[0].configuration, ConfigurationId(1));
    assert_eq!(board[0].parameters, trial(0, 1, &[]).1);
    assert_eq!(
        board[0].trials,
        [result(1, 1, TrialStatus::Done, Some(0.25)), result(3, 2, TrialStatus::Waiting, None),]
    );
    assert!(board[1].trials[0].objective.is_some_and(f64::is_nan));
    accept(&mut store, &[trial(0, 2, &["a", "d"])]).unwrap();
    assert_eq!(reader.rows(Which::Current).unwrap().len(), 1);
    assert_eq!(reader.rows(Which::All).unwrap().len(), 2);
}

#[test]
fn a_summary_counts_what_there_is() {
    let (_folder, _store, reader) = sweep();
    let summary = reader.summary().unwrap();
    let counts = [(TrialStatus::Waiting, 1), (TrialStatus::Done, 1), (TrialStatus::Diverged, 1)];
    assert_eq!(summary.trials, counts);
    assert_eq!((summary.number, summary.accepted, summary.running), (1, NOW, 0));
    assert_eq!(summary.started, Some(NOW));
    assert_eq!(summary.changed, Some(Time(NOW.0 + 1500)));
}

#[test]
fn a_trial_shows_all_that_happened_on_its_path() {
    let (_folder, mut store, reader) = sweep();
    let detail = reader.trial(TrialId(1)).unwrap().unwrap();
    assert_eq!(detail.standing, Standing::Current);
    let attempts: Vec<_> = detail
        .path
        .iter()
        .flat_map(|stage| stage.attempts.iter().map(|attempt| attempt.ending.clone()))
        .collect();
    let crash = Ending::Failed(Class::Crash, "killed by signal 9".to_owned());
    assert_eq!(attempts, [Some(crash), Some(Ending::Done), Some(Ending::Done)]);
    let steps: Vec<_> = detail.metrics.iter().map(|(step, values)| (*step, values.len())).collect();
    assert_eq!(steps, [(10, 1), (20, 2)]);
    assert_eq!(reader.trial(TrialId(9)).unwrap(), None);
    // One after the other or all at once.
    let ids = [1, 9, 2, 3].map(TrialId);
    let mut all = Vec::new();
    let mut take = |detail| {
        all.push(detail);
        ControlFlow::Continue(())
    };
    reader.each_trial(&ids, &mut take).unwrap();
    let one_by_one: Vec<_> = ids.iter().filter_map(|id| reader.trial(*id).unwrap()).collect();
    // Not a number is not equal to itself.
    assert_eq!(format!("{all:?}"), format!("{one_by_one:?}"));
    let mut first = None;
    let mut take = |detail: crate::TrialDetail| {
        first = Some(detail.trial);
        ControlFlow::Break(())
    };
    reader.each_trial(&ids, &mut take).unwrap();
    assert_eq!(first, Some(TrialId(1)));
    store.retry(&[TrialId(1)], NOW).unwrap();
    let detail = reader.trial(TrialId(1)).unwrap().unwrap();
    assert_eq!(detail.standing, Standing::Retried(TrialId(4)));
}

#[test]
fn curves_follow_a_trials_path() {
    let (_folder, _store, reader) = sweep();
    assert_eq!(reader.metric_names().unwrap(), ["accuracy", "loss"]);
    let trials = [TrialId(1), TrialId(3), TrialId(9)];
    let curves = reader.curves(&trials, "loss").unwrap();
    assert_eq!(curves, [vec![(10, 0.5), (20, 0.25)], vec![(10, 0.5)], vec![]]);
    assert!(reader.curves(&trials[..1], "accuracy").unwrap()[0][0].1.is_nan());
    assert_eq!(reader.curves(&trials[..1], "nothing").unwrap(), [vec![]]);
    let names = ["loss", "nothing"].map(str::to_owned);
    let each = reader.curves_of_each(&trials, &names).unwrap();
    assert_eq!(each[0], reader.curves(&trials, "loss").unwrap());
    assert_eq!(each[1], vec![vec![]; trials.len()]);
}

#[test]
fn only_what_somebody_is_charged_for_is_a_failure() {
    let (_folder, mut store, reader) = sweep();
    let lost = [granted(5, 4), ended(5, Ending::Lost)];
    store.commit(&lost, NOW).unwrap();
    let crash = Ending::Failed(Class::Crash, "killed by signal 9".to_owned());
    assert_eq!(reader.failures(9).unwrap(), [(AttemptId(1), StageId(1), crash.clone())]);
    let later = [granted(6, 4), ended(6, Ending::Failed(Class::Timeout, String::new()))];
    store.commit(&later, NOW).unwrap();
    let both = [
        (AttemptId(1), StageId(1), crash),
        (AttemptId(6), StageId(4), Ending::Failed(Class::Timeout, String::new())),
    ];
    assert_eq!(reader.failures(9).unwrap(), both);
    assert_eq!(reader.failures(1).unwrap(), both[1..], "the newest");
}

#[test]
fn a_screen_learns_whether_there_is_news_and_what_runs() {
    let (_folder, mut store, reader) = sweep();
    let before = reader.version().unwrap();
    assert_eq!(reader.version().unwrap(), before);
    assert_eq!(reader.open_attempts(9).unwrap(), []);
    store.commit(&[granted(5, 4)], NOW).unwrap();
    assert_ne!(reader.version().unwrap(), before);
    let open = OpenAttempt {
        attempt: AttemptId(5),
        stage: StageId(4),
        started: NOW,
        from: 0,
        first: 10,
        end: 20,
    };
    assert_eq!(reader.open_attempts(9).unwrap(), [open]);
    assert_eq!(reader.open_attempts(0).unwrap(), []);
    let through = reader.through(&[StageId(1), StageId(3), StageId(99)]).unwrap();
    let trial = |number, status| (TrialId(number), status);
    let diverged = trial(2, TrialStatus::Diverged);
    let all = [trial(1, TrialStatus::Done), diverged, trial(3, TrialStatus::Waiting)];
    assert_eq!(through, [(StageId(1), all.into()), (StageId(3), [diverged].into())].into());
    assert_eq!(reader.through(&[]).unwrap(), [].into());
    // Another generation has stages of its own.
    let again = store.retry(&[TrialId(2)], NOW).unwrap()[0];
    let through = reader.through(&[StageId(1), StageId(3)]).unwrap();
    let all = [trial(1, TrialStatus::Done), trial(3, TrialStatus::Waiting)];
    let all = all.into_iter().chain([(again, TrialStatus::Waiting)]).collect();
    assert_eq!(through, [(StageId(1), all)].into());
    let setting = reader.setting(TrialId(2)).unwrap().unwrap();
    assert_eq!((setting.configuration, setting.seed), (ConfigurationId(2), u64::MAX));
    assert_eq!(setting.parameters, trial_parameters());
    assert_eq!(reader.setting(TrialId(9)).unwrap(), None);
}

fn trial_parameters() -> pleach_core::value::Parameters {
    trial(1, 1, &[]).1
}

#[test]
fn a_trial_is_found_by_its_number_or_the_beginning_of_its_key() {
    let (_folder, _store, reader) = sweep();
    let key = trial(1, u64::MAX, &["a", "c"]).0.key.to_string();
    assert_eq!(reader.find("3").unwrap(), TrialId(3));
    assert_eq!(reader.find(&key).unwrap(), TrialId(2));
    assert_eq!(reader.find(&key[..6].to_uppercase()).unwrap(), TrialId(2));
    assert_snapshot!(reader.find("").unwrap_err(), @"there is no trial ``; give a trial's number, or the first digits of its key");
    assert_snapshot!(reader.find("99999999999999999999").unwrap_err(), @"there is no trial `99999999999999999999`; give a trial's number, or the first digits of its key");
    assert_snapshot!(reader.find("x'").unwrap_err(), @"there is no trial `x'`; give a trial's number, or the first digits of its key");
    let trials = (1..8).map(TrialId).collect();
    let several = crate::FindError::Several { text: "a".to_owned(), trials };
    assert_snapshot!(several, @"`a` may be trial 1 or trial 2 or trial 3 or trial 4 or trial 5 or 2 others; give more digits of the key");
}

#[test]
fn the_canonical_form_knows_nothing_of_order_or_accidents() {
    let canonical = |reader: &Reader| {
        let mut trials: Vec<CanonicalTrial> = Vec::new();
        reader.canonical(&mut |trial| trials.push(trial)).unwrap();
        format!("{trials:?}")
    };
    let (_folder, _store, reader) = sweep();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.db");
    let mut other = Store::open(&path).unwrap();
    let plan =
        [trial(0, 2, &["a", "d"]), trial(1, u64::MAX, &["a", "c"]), trial(0, 1, &["a", "b"])];
    accept(&mut other, &plan).unwrap();
    // Stages: a is 1, d is 2, c is 3, b is 4.
    let mut facts = trained(1, 1, 0.5);
    facts.push(stage(4, StageStatus::Done, &[0.25]));
    facts.push(Fact::Metrics {
        stage: StageId(4),
        step: 20,
        values: vec![("accuracy".to_owned(), f64::NAN), ("loss".to_owned(), 0.25)],
    });
    facts.push(stage(3, StageStatus::Diverged, &[]));
    facts.push(trial_is(2, TrialStatus::Diverged, None));
    facts.push(trial_is(3, TrialStatus::Done, Some(0.25)));
    other.commit(&facts, Time(1)).unwrap();
    assert_eq!(canonical(&reader), canonical(&Reader::open(&path).unwrap()));
    assert_eq!(canonical(&reader).matches("CanonicalTrial").count(), 3);
}

#[test]
fn the_pace_is_that_of_attempts_that_ended_well() {
    let (_folder, _store, reader) = sweep();
    let pace = reader.pace().unwrap();
    assert_eq!((pace.steps, pace.milliseconds, pace.state), (20, 0, 0));
    assert_eq!(pace.done.len(), 3);
}

#[test]
fn why_nothing_more_was_begun_is_remembered_until_somebody_goes_on() {
    let (_folder, mut store, reader) = sweep();
    assert_eq!(reader.halt().unwrap(), None);
    let halted = |why: &str| Fact::Halted { why: why.to_owned() };
    store.commit(&[halted("first"), halted("last")], NOW).unwrap();
    assert_eq!(reader.halt().unwrap().as_deref(), Some("last"));
    store.forget_halt().unwrap();
    assert_eq!(reader.halt().unwrap(), None);
}
