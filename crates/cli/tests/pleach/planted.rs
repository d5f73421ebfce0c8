//! Files that somebody else made, at the paths that pleach opens: named pipes, devices, folders, links, files without end.
//! Nothing waits, nothing is swallowed, nothing is written through a link.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Output,
};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::stage::{Stage, wait_until};

const PLANTS: [&str; 5] = ["pipe", "zeros", "folder", "link", "dangling"];

/// Puts something there instead of a file. `precious` is what a link leads to.
fn plant(kind: &str, at: &Path, precious: &Path) {
    match kind {
        "pipe" => mknodat(CWD, at, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap(),
        "zeros" => symlink("/dev/zero", at).unwrap(),
        "folder" => fs::create_dir(at).unwrap(),
        "link" => symlink(precious, at).unwrap(),
        _ => symlink("nowhere", at).unwrap(),
    }
}

fn stage() -> (Stage, PathBuf) {
    let stage = Stage::new("noop");
    stage.write("precious", "precious");
    let precious = stage.path().join("precious");
    (stage, precious)
}

fn sweep(script: &str) -> String {
    format!(
        "[sweep]\nname = \"s\"\nobjective = {{ metric = \"loss\", goal = \"min\" }}\n\
         [command]\nrun = [\"sh\", \"-c\", '''{script}''']\n[space]\nx = [1, 2]\n[run]\nslots = 1\nretries = 0\n"
    )
}

/// The program's output; it must end by itself.
#[track_caller]
fn ends(stage: &Stage, arguments: &str) -> Output {
    let mut child = stage
        .command(arguments)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    wait_until(arguments, || child.try_wait().unwrap().is_some());
    child.wait_with_output().unwrap()
}

#[test]
fn what_a_program_plants_in_its_folder_keeps_nobody_up() {
    for file in ["result.jsonl", "log", "stop", "saving", "rates", "stage"] {
        for kind in PLANTS {
            let (stage, precious) = stage();
            let make = match kind {
                "pipe" => "mkfifo",
                "zeros" => "ln -s /dev/zero",
                "folder" => "mkdir",
                "link" => "ln -s ../../../../precious",
                _ => "ln -s nowhere",
            };
            let script = format!(
                "cd $PLEACH_DIRECTORY; rm -f {file}; {make} {file}; echo \"{{\\\"loss\\\": 1}}\" > $PLEACH_METRICS"
            );
            stage.write("s.toml", &sweep(&script));
            let output = ends(&stage, "run s.toml");
            let err = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{file} {kind}: {err}");
            assert_eq!(fs::read_to_string(&precious).unwrap(), "precious", "{file} {kind}");
            assert_eq!(ends(&stage, "resume s").status.code(), Some(0), "{file} {kind}");
            assert_eq!(ends(&stage, "logs s 1").status.code(), Some(0), "{file} {kind}");
            assert_eq!(ends(&stage, "show s 1").status.code(), Some(0), "{file} {kind}");
        }
    }
}

#[test]
fn metrics_that_are_no_file_are_none() {
    for make in ["mkfifo", "ln -s /dev/zero", "mkdir"] {
        let (stage, _) = stage();
        stage.write("s.toml", &sweep(&format!("{make} $PLEACH_METRICS")));
        let output = ends(&stage, "run s.toml");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{make}: {err}");
        assert!(err.contains("loss"), "{make}: {err}");
    }
}

#[test]
fn what_lies_in_a_sweeps_folder_keeps_nobody_up() {
    let files = ["inbox/retry-1", "inbox/stop-1", "inbox/x", "live.json", "live.part", "groups"];
    for file in files {
        for kind in PLANTS {
            let (stage, precious) = stage();
            stage.write("s.toml", &sweep("echo \"{\\\"loss\\\": 1}\" > $PLEACH_METRICS"));
            stage.run("run s.toml --first 1", 0);
            plant(kind, &stage.path().join("runs/s").join(file), &precious);
            for command in ["resume s", "board s", "list", "retry s 1"] {
                let output = ends(&stage, command);
                let err = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.code().is_some_and(|it| it < 4), "{file} {kind}: {err}");
            }
            assert_eq!(fs::read_to_string(&precious).unwrap(), "precious", "{file} {kind}");
        }
    }
}

#[test]
fn a_lock_that_is_not_ours_is_refused_and_left_alone() {
    for kind in PLANTS {
        let (stage, precious) = stage();
        stage.write("s.toml", &sweep("echo \"{\\\"loss\\\": 1}\" > $PLEACH_METRICS"));
        fs::create_dir_all(stage.path().join("runs/s")).unwrap();
        plant(kind, &stage.path().join("runs/s/lock"), &precious);
        let output = ends(&stage, "run s.toml");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{kind}: {err}");
        assert!(err.contains("runs/s/lock: it is a"), "{kind}: {err}");
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    }
}

#[test]
fn a_database_that_is_no_file_is_refused() {
    for kind in ["pipe", "zeros", "folder"] {
        let (stage, precious) = stage();
        stage.write("s.toml", &sweep("echo \"{\\\"loss\\\": 1}\" > $PLEACH_METRICS"));
        fs::create_dir_all(stage.path().join("runs/s")).unwrap();
        plant(kind, &stage.path().join("runs/s/pleach.db"), &precious);
        for command in ["run s.toml", "board s", "list"] {
            let output = ends(&stage, command);
            let err = String::from_utf8_lossy(&output.stderr);
            let is_listed = command == "list" && output.status.success();
            assert!(err.contains("pleach.db: it is a") || is_listed, "{command} {kind}: {err}");
        }
    }
}

#[test]
fn a_sweep_file_is_a_file_of_a_few_lines() {
    let (stage, precious) = stage();
    for kind in ["pipe", "zeros", "folder"] {
        plant(kind, &stage.path().join(format!("{kind}.toml")), &precious);
    }
    fs::File::create(stage.path().join("long.toml")).unwrap().set_len(50 << 20).unwrap();
    fs::write(stage.path().join("bytes.toml"), b"\xff\xfe").unwrap();
    let check = |file: &str, expected: &str| {
        for command in ["plan", "run", "schedule --file", "board"] {
            let output = ends(&stage, &format!("{command} {file}"));
            let err = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.code() == Some(65) && err.contains(expected)
                    || command == "schedule --file",
                "{command}: {:?} {err}",
                output.status
            );
        }
        let output = ends(&stage, &format!("import {file}"));
        assert!(!output.status.success());
    };
    check("pipe.toml", "it is a named pipe, not a regular file");
    check("zeros.toml", "it is a device, not a regular file");
    check("folder.toml", "it is a folder, not a regular file");
    check("long.toml", "it has 52428800 bytes, and at most 16777216 are read");
    check("bytes.toml", "invalid utf-8");
}

#[test]
fn a_sweep_is_its_owners_alone_until_that_opens_it() {
    let (stage, _) = stage();
    stage.write("s.toml", &sweep("echo \"{\\\"loss\\\": 1}\" > $PLEACH_METRICS"));
    stage.run("run s.toml --first 1", 0);
    let mode =
        |path: &str| fs::metadata(stage.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("runs/s"), 0o700);
    assert_eq!(mode("runs/s/lock"), 0o600);
    fs::set_permissions(stage.path().join("runs/s"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(stage.path().join("runs/s/lock"), fs::Permissions::from_mode(0o644))
        .unwrap();
    stage.run("resume s", 0);
    assert_eq!(mode("runs/s"), 0o755, "it is for its owner to say");
    assert_eq!(mode("runs/s/lock"), 0o600, "whoever may open it may hold it");
}
