//! A sweep of every version of the database that there ever was: `tests/versions/N.db`, in which two trials of three are done.
//! Each is read, brought up to date and gone on with; and each is damaged in every way that a disk knows.

use std::fs;

use crate::stage::Stage;

const VERSIONS: u8 = 9;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/versions/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A stage on which the sweep `old` lies with this database.
fn stage(database: &[u8]) -> Stage {
    let stage = Stage::new("noop");
    let folder = stage.path().join("runs/old");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("pleach.db"), database).unwrap();
    fs::write(folder.join("sweep.toml"), fixture("sweep.toml")).unwrap();
    stage
}

#[test]
fn every_older_version_has_its_database() {
    let schemas = concat!(env!("CARGO_MANIFEST_DIR"), "/../store/src");
    let names = fs::read_dir(schemas).unwrap().map(|it| it.unwrap().file_name());
    let versions = names.filter(|name| name.to_string_lossy().starts_with("schema")).count();
    let how = "run tests/versions/sweep.toml with `--first 2` before the new migration, and keep its pleach.db";
    assert!(versions - 1 <= usize::from(VERSIONS), "{how}");
}

#[test]
fn a_sweep_of_every_version_goes_on() {
    let newest = stage(&fixture(&format!("{VERSIONS}.db")));
    newest.run("resume old", 0);
    let expected = newest.canonical("old");
    assert_eq!(expected.matches("\"done\"").count(), 3, "{expected}");
    for version in 1..=VERSIONS {
        let stage = stage(&fixture(&format!("{version}.db")));
        let (board, _) = stage.run("board old --json", 0);
        assert_eq!(board.matches("\"done\"").count(), 2, "{version}: {board}");
        stage.run("resume old", 0);
        assert_eq!(stage.canonical("old"), expected, "{version}");
        // What was done was not done again: only the third trial has files here.
        let attempts = fs::read_dir(stage.path().join("runs/old/attempts")).unwrap();
        assert_eq!(attempts.count(), 1, "{version}");
    }
}

#[test]
fn a_damaged_database_of_any_version_is_refused_with_a_code() {
    const DAMAGES: [fn(&mut Vec<u8>); 7] = [
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes.truncate(100),
        |bytes| bytes.truncate(1),
        |bytes| bytes[100..1024].fill(0),
        |bytes| bytes[1024..].fill(0),
        |bytes| bytes[1024..].fill(0xff),
        |bytes| bytes.iter_mut().skip(1024).step_by(97).for_each(|byte| *byte ^= 0x55),
    ];
    for version in 1..=VERSIONS {
        for (number, damage) in DAMAGES.iter().enumerate() {
            let mut bytes = fixture(&format!("{version}.db"));
            damage(&mut bytes);
            let stage = stage(&bytes);
            for command in ["board old", "resume old"] {
                let output = stage.output(command);
                let err = String::from_utf8_lossy(&output.stderr);
                let is_documented = matches!(output.status.code(), Some(0..=3 | 65 | 66 | 69));
                let what = format!("version {version}, damage {number}, {command}: {err}");
                assert!(is_documented && !err.contains("panicked"), "{what}");
            }
        }
    }
}
