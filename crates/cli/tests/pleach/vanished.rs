//! The database, or the sweep's folder, goes away while a sweep runs: the run ends at once and says what is still there.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Stdio},
};

use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};

use crate::stage::{Stage, wait_until};

/// The first trial ends by itself, the second one waits for the file `go`. Each notes its start.
const SWEEP: &str = r#"
[sweep]
name = "s"
objective = { metric = "loss", goal = "min" }
[command]
run = ["sh", "-c", '''echo $x >> started; [ $x = 1 ] || until [ -e go ]; do sleep 0.02; done; echo '{"loss": 1}' > $PLEACH_METRICS''']
environment = { x = "{{ x }}", MINE = "nobody-else-reads-this" }
[space]
x = [1, 2]
[run]
slots = 1
"#;

/// A run that waits in its second trial.
fn waiting() -> (Stage, Child) {
    let stage = Stage::new("noop");
    stage.write("s.toml", SWEEP);
    let mut command = stage.command("run s.toml");
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("the second trial", || started(&stage) == "1\n2\n");
    (stage, child)
}

fn started(stage: &Stage) -> String {
    fs::read_to_string(stage.path().join("started")).unwrap_or_default()
}

/// What it said before it ended by itself.
#[track_caller]
fn last_words(mut child: Child, code: i32) -> String {
    wait_until("its end", || child.try_wait().unwrap().is_some());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{err}");
    err
}

/// After a run that has ended so, the second trial runs again and nothing else does.
#[track_caller]
fn goes_on(stage: &Stage) {
    stage.write("go", "");
    stage.run("resume s", 0);
    assert_eq!(started(stage), "1\n2\n2\n");
}

#[test]
fn a_database_that_was_removed_is_rescued() {
    let (stage, child) = waiting();
    let at = |name: &str| stage.path().join("runs/s").join(name);
    for name in ["pleach.db", "pleach.db-wal", "pleach.db-shm"] {
        fs::remove_file(at(name)).unwrap();
    }
    let err = last_words(child, 1);
    let said = "cannot go on: runs/s/pleach.db was removed or moved away; all results are in runs/s/rescued-1.db: move that to runs/s/pleach.db, and go on with `pleach resume s`";
    assert!(err.contains(said), "{err}");
    assert_eq!(stage.processes(), Vec::<String>::new());
    let (_, err) = stage.run("resume s", 66);
    assert!(err.contains("holds files of attempts, and no database"), "{err}");
    let (_, err) = stage.run("run s.toml", 2);
    assert!(err.contains("all results are in runs/s/rescued-1.db: move that to"), "{err}");
    assert_eq!(started(&stage), "1\n2\n");
    fs::rename(at("rescued-1.db"), at("pleach.db")).unwrap();
    goes_on(&stage);
}

#[test]
fn without_a_database_everything_is_trained_again_only_if_that_is_wanted() {
    let (stage, child) = waiting();
    stage.write("go", "");
    last_words(child, 0);
    for name in ["pleach.db", "pleach.db-wal", "pleach.db-shm"] {
        drop(fs::remove_file(stage.path().join("runs/s").join(name)));
    }
    let (_, err) = stage.run("run s.toml", 2);
    assert!(err.contains("runs/s holds the files of 2 attempts, and no database"), "{err}");
    assert_eq!(started(&stage), "1\n2\n");
    let (_, err) = stage.run("run s.toml --accept", 0);
    assert!(err.contains("earlier attempts are now in runs/s/attempts-1"), "{err}");
    assert_eq!(started(&stage), "1\n2\n1\n2\n");
}

#[test]
fn a_folder_that_was_moved_is_named() {
    let (stage, child) = waiting();
    fs::rename(stage.path().join("runs/s"), stage.path().join("elsewhere")).unwrap();
    let err = last_words(child, 1);
    assert!(err.contains("/elsewhere: move that back to runs/s, and go on"), "{err}");
    assert!(!stage.path().join("runs/s").exists());
    fs::rename(stage.path().join("elsewhere"), stage.path().join("runs/s")).unwrap();
    goes_on(&stage);
}

#[test]
fn what_is_gone_is_said() {
    let (stage, child) = waiting();
    fs::remove_dir_all(stage.path().join("runs")).unwrap();
    let err = last_words(child, 1);
    assert!(err.contains("was removed or moved away; nothing is left of it"), "{err}");
    assert!(!stage.path().join("runs").exists());
    let (stage, child) = waiting();
    let database = fs::File::options().write(true).open(stage.path().join("runs/s/pleach.db"));
    database.unwrap().set_len(0).unwrap();
    let err = last_words(child, 1);
    assert!(err.contains("runs/s/pleach.db was cut short; "), "{err}");
}

#[test]
fn another_database_in_its_place_stays_as_it_is() {
    let (stage, child) = waiting();
    let at = |name: &str| stage.path().join("runs/s").join(name);
    let other = Connection::open(stage.path().join("other.db")).unwrap();
    other.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE x (y);").unwrap();
    other.execute_batch("INSERT INTO x VALUES (1);").unwrap();
    for ending in ["", "-wal", "-shm"] {
        let from: PathBuf = stage.path().join(format!("other.db{ending}"));
        fs::rename(from, at(&format!("pleach.db{ending}"))).unwrap();
    }
    let err = last_words(child, 1);
    assert!(err.contains("was replaced by another file; all results are in"), "{err}");
    assert!(at("pleach.db-wal").exists(), "what belongs to the other one was removed");
    let rows: i64 = Connection::open(at("pleach.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM x", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn values_of_the_environment_are_no_arguments() {
    let (stage, child) = waiting();
    let processes = stage.processes();
    assert!(processes.iter().any(|process| process.contains("__command")), "{processes:?}");
    let is_told = |process: &&String| process.contains("nobody-else-reads-this");
    assert_eq!(processes.iter().find(is_told), None);
    stage.write("go", "");
    last_words(child, 0);
}

#[test]
fn two_signals_end_a_coordinator_whose_database_somebody_holds() {
    let (stage, mut child) = waiting();
    let other = Connection::open(stage.path().join("runs/s/pleach.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let pid = Pid::from_child(&child);
    for _ in 0..2 {
        kill_process(pid, Signal::TERM).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    wait_until("its end", || child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(other);
    wait_until("the end of what ran", || stage.processes().is_empty());
    goes_on(&stage);
}
