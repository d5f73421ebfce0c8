//! What a person reads when it goes wrong, and the rules that nothing can break.

use std::{fs, path::Path};

use insta::assert_snapshot;

use super::*;
use crate::{CommitError, DatabaseError, Fault, OpenError, Reader};
use std::fmt::Display;

/// Messages name files; these tests have them in a folder of any name.
fn in_folder(error: &impl Display, folder: &Path) -> String {
    error.to_string().replace(&folder.display().to_string(), "FOLDER")
}

#[track_caller]
fn refusal(before: &[Fact], fact: Fact) -> String {
    let mut store = store(&[trial(0, 1, &["a", "b"])]);
    store.commit(before, NOW).unwrap();
    let loaded = store.load().unwrap();
    let note = Fact::Note { text: "before it".to_owned() };
    let Err(CommitError::Impossible { why, .. }) = store.commit(&[note, fact], NOW) else {
        panic!("not refused")
    };
    assert_eq!(store.load().unwrap(), loaded);
    let notes: u32 =
        store.connection.query_row("SELECT count(*) FROM note", [], |row| row.get(0)).unwrap();
    assert_eq!(notes, 0);
    why
}

#[test]
fn terminal_is_terminal() {
    let stage_done = trained(1, 1, 0.5);
    let trial_done = [trial_is(1, TrialStatus::Done, Some(0.5))];
    assert_snapshot!(refusal(&trial_done, trial_is(1, TrialStatus::Failed, None)),
        @"UNIQUE constraint failed: trial_end.trial");
    assert_snapshot!(refusal(&trial_done, trial_is(1, TrialStatus::Waiting, None)),
        @"no trial ever becomes waiting");
    assert_snapshot!(refusal(&stage_done, stage(1, StageStatus::Failed, &[])),
        @"UNIQUE constraint failed: stage_end.stage");
    assert_snapshot!(refusal(&stage_done, granted(2, 1)),
        @"a stage that ended has its result");
    let diverged = [stage(1, StageStatus::Diverged, &[])];
    assert_snapshot!(refusal(&diverged, rebuilding(2, 1)),
        @"terminal is terminal: a stage that ended badly is never run");
    assert_snapshot!(refusal(&[], rebuilding(2, 1)),
        @"a stage without a result has no state to rebuild");
    assert_snapshot!(refusal(&stage_done, ended(1, Ending::Lost)), @"an attempt ends once");
}

#[test]
fn a_stage_has_one_running_and_one_counted_attempt_at_most() {
    let lost = [trained(1, 1, 0.5), vec![rebuilding(2, 1)]].concat();
    assert_snapshot!(refusal(&[granted(1, 1)], granted(2, 1)),
        @"UNIQUE constraint failed: attempt.stage");
    assert_snapshot!(refusal(&lost, ended(2, Ending::Diverged)),
        @"UNIQUE constraint failed: attempt.stage");
    assert_snapshot!(refusal(&lost, granted(1, 2)), @"UNIQUE constraint failed: attempt.id");
}

#[test]
fn facts_about_nothing_are_refused() {
    assert_snapshot!(refusal(&[], granted(1, 9)), @"FOREIGN KEY constraint failed");
    assert_snapshot!(refusal(&[], ended(1, Ending::Done)), @"there is no such attempt");
    assert_snapshot!(refusal(&[], trial_is(9, TrialStatus::Done, None)),
        @"FOREIGN KEY constraint failed");
}

#[test]
fn a_row_of_an_end_cannot_be_touched_by_hand() {
    let mut store = store(&[trial(0, 1, &["a"])]);
    let facts = [trained(1, 1, 0.5), vec![trial_is(1, TrialStatus::Done, None)]].concat();
    store.commit(&facts, NOW).unwrap();
    for sql in [
        "UPDATE trial_end SET status = 2",
        "DELETE FROM trial_end",
        "UPDATE stage_end SET status = 2",
        "DELETE FROM stage_end",
    ] {
        let error = store.connection.execute(sql, []).unwrap_err().to_string();
        assert!(error.starts_with("terminal is terminal"), "{error}");
    }
}

#[test]
fn an_impossible_commit_says_what_it_was() {
    let mut store = store(&[trial(0, 1, &["a"])]);
    let error = store.commit(&[ended(1, Ending::Done)], NOW).unwrap_err();
    assert_snapshot!(error, @":memory:: cannot remember Ended { attempt: AttemptId(1), ending: Done, step: 10 }: there is no such attempt; nothing was changed");
}

#[test]
fn a_plan_that_cannot_be_is_refused() {
    let error = |plan: (NewTrial, Parameters)| {
        let mut store = store(&[trial(0, 1, &["a", "b"])]);
        accept(&mut store, &[plan]).unwrap_err()
    };
    let mut infinite = trial(0, 2, &["a"]);
    infinite.1.insert("rate".to_owned(), Value::List(vec![Value::Float(f64::INFINITY)]));
    assert_snapshot!(error(infinite), @"parameter `rate` is [inf]; only finite numbers can be swept");
    assert_snapshot!(error(trial(0, 2, &[])), @":memory:: the trial with key 55d1085a10d54c022b746c7814807446 has no stage");
    assert_snapshot!(error(trial(0, 2, &["b"])), @":memory:: stage 3e23e8160039594a33894f6564e1b134 is known as another piece of training: steps 10 to 20, now 0 to 10; use another name for this sweep");
}

#[test]
fn the_objective_stays_once_something_ran() {
    let mut store = store(&[trial(0, 1, &["a"])]);
    let mut other = revision();
    other.objective.reduce = Reduce::Mean(3);
    store.accept(&other, &[], NOW).unwrap();
    store.commit(&[granted(1, 1)], NOW).unwrap();
    assert_snapshot!(accept(&mut store, &[]).unwrap_err(), @":memory:: the objective was min loss mean 3 and is now min loss last, but trials have run by the old one; use another name for this sweep");
}

#[test]
fn only_what_ended_is_retried() {
    let mut store = store(&[trial(0, 1, &["a"])]);
    assert_snapshot!(store.retry(&[TrialId(1)], NOW).unwrap_err(), @":memory:: trial 1 has not ended; only trials that ended can be retried");
    assert_snapshot!(store.retry(&[TrialId(2)], NOW).unwrap_err(), @":memory:: there is no trial 2 in the current sweep file");
    let mut empty = Store::in_memory().unwrap();
    assert_snapshot!(empty.retry(&[TrialId(2)], NOW).unwrap_err(), @":memory:: there is no trial 2 in the current sweep file");
    assert_snapshot!(empty.load().unwrap_err(), @":memory:: the sweep's database is empty; start the sweep with `pleach run`");
}

#[test]
fn what_is_not_a_sweep_of_this_version_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.db");
    let text = |error: &OpenError| in_folder(error, folder.path());
    assert_snapshot!(text(&Reader::open(&path).unwrap_err()), @"FOLDER/sweep.db: the sweep has no database yet; start it with `pleach run`");
    assert_snapshot!(text(&Store::open(&folder.path().join("none/sweep.db")).unwrap_err()), @"FOLDER/none/sweep.db: the database cannot be opened; check that it exists and that you may read it and its folder");

    fs::write(&path, "This is a text, and a long one, of more than a hundred bytes. ".repeat(9))
        .unwrap();
    assert_snapshot!(text(&Store::open(&path).unwrap_err()), @"FOLDER/sweep.db: this is not an SQLite database; move it away, or name another sweep");
    assert_snapshot!(text(&Reader::open(&path).unwrap_err()), @"FOLDER/sweep.db: this is not an SQLite database; move it away, or name another sweep");

    fs::remove_file(&path).unwrap();
    let foreign = rusqlite::Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE recipe (id)").unwrap();
    assert_snapshot!(text(&Store::open(&path).unwrap_err()), @"FOLDER/sweep.db: this SQLite database is not a sweep's; move it away, or name another sweep");
    drop(foreign);

    fs::remove_file(&path).unwrap();
    let newer = Store::open(&path).unwrap();
    newer.connection.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    assert_snapshot!(text(&Store::open(&path).unwrap_err()), @"FOLDER/sweep.db: the database is of version 99, and this pleach knows versions up to 10; use a newer pleach");
    assert_snapshot!(text(&Reader::open(&path).unwrap_err()), @"FOLDER/sweep.db: the database is of version 99, and this pleach knows versions up to 10; use a newer pleach");
}

#[test]
fn a_full_disk_is_said_and_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.db");
    let mut store = Store::open(&path).unwrap();
    accept(&mut store, &[trial(0, 1, &["a"])]).unwrap();
    store.commit(&[granted(1, 1)], NOW).unwrap();
    let pages: u32 =
        store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    store.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let long = Fact::Note { text: "x".repeat(100_000) };
    let error = store.commit(&[ended(1, Ending::Done), long], NOW).unwrap_err();
    assert_snapshot!(in_folder(&error, folder.path()), @"FOLDER/sweep.db: the disk is full; free some space and resume: what was acknowledged is kept; whether the last results were kept is unknown");
    drop(store);
    let status = Store::open(&path).unwrap().load().unwrap().stages[0].status;
    assert_eq!(status, StageStatus::Running(AttemptId(1)));
}

#[test]
fn every_fault_says_what_to_do() {
    let faults = [
        Fault::ReadOnly,
        Fault::DiskFull,
        Fault::Busy,
        Fault::NotADatabase,
        Fault::Damaged,
        Fault::CannotOpen,
        Fault::Unexpected,
        Fault::Other,
    ];
    let texts = faults.map(|fault| {
        let (path, source) = ("sweep.db".into(), rusqlite::Error::InvalidQuery);
        DatabaseError { path, fault, source }.to_string()
    });
    assert_snapshot!(texts.join("\n"), @r#"
    sweep.db: the database cannot be written; make it and its folder writable for you
    sweep.db: the disk is full; free some space and resume: what was acknowledged is kept
    sweep.db: another program holds the database for writing; close it and try again
    sweep.db: this is not an SQLite database; move it away, or name another sweep
    sweep.db: the database is damaged; restore it from a copy, or remove the sweep and run it again
    sweep.db: the database cannot be opened; check that it exists and that you may read it and its folder
    sweep.db: the database holds something that pleach never writes; restore it from a copy
    sweep.db: SQLite failed
    "#);
}
