use std::{
    os::unix::{fs::symlink, net::UnixListener},
    path::PathBuf,
};

use rustix::fs::{CWD, FileType as Kind, Mode, mknodat};
use tempfile::TempDir;

use super::*;

/// A folder with one thing of each kind, and a file `precious` that nothing may touch.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("file"), "12345").unwrap();
    fs::write(at("precious"), "precious").unwrap();
    fs::create_dir(at("folder")).unwrap();
    mknodat(CWD, at("pipe"), Kind::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    drop(UnixListener::bind(at("socket")).unwrap());
    symlink(at("precious"), at("link")).unwrap();
    symlink("/dev/zero", at("zeros")).unwrap();
    symlink(at("pipe"), at("to-pipe")).unwrap();
    fs::hard_link(at("precious"), at("second")).unwrap();
    folder
}

#[test]
fn what_is_no_regular_file_is_not_read_and_not_waited_for() {
    let folder = folder();
    let check = |name: &str, link, expected: Result<&str, &str>| {
        let found = read_text(&folder.path().join(name), link, 8).map_err(|it| it.to_string());
        let expected = expected.map(str::to_owned);
        assert_eq!(found, expected.map_err(str::to_owned), "{name} {link:?}");
    };
    for link in [Link::Follow, Link::Refuse] {
        check("file", link, Ok("12345"));
        check("second", link, Ok("precious"));
        check("folder", link, Err("it is a folder, not a regular file"));
        check("pipe", link, Err("it is a named pipe, not a regular file"));
        check("socket", link, Err("it is a socket, not a regular file"));
        check("absent", link, Err("No such file or directory (os error 2)"));
    }
    check("link", Link::Follow, Ok("precious"));
    check("zeros", Link::Follow, Err("it is a device, not a regular file"));
    check("to-pipe", Link::Follow, Err("it is a named pipe, not a regular file"));
    for name in ["link", "zeros", "to-pipe"] {
        check(name, Link::Refuse, Err("it is a symbolic link, not a regular file"));
    }
}

#[test]
fn a_limit_applies_before_anything_is_read() {
    let folder = folder();
    let sparse = folder.path().join("sparse");
    File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
    let check = |path: PathBuf, limit, expected: Result<usize, &str>| {
        let found = read(&path, Link::Refuse, limit).map(|bytes| bytes.len());
        assert_eq!(found.map_err(|it| it.to_string()), expected.map_err(str::to_owned), "{limit}");
    };
    check(folder.path().join("file"), 5, Ok(5));
    check(folder.path().join("file"), 4, Err("it has 5 bytes, and at most 4 are read"));
    check(sparse, 9, Err("it has 1099511627776 bytes, and at most 9 are read"));
    // Its size is said to be 0.
    check("/proc/self/status".into(), 9, Err("it has 10 bytes, and at most 9 are read"));
}

#[test]
fn what_is_written_goes_through_nothing() {
    let folder = folder();
    for name in ["file", "pipe", "socket", "link", "zeros", "to-pipe", "second", "absent"] {
        let path = folder.path().join(name);
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new", "{name}");
        assert_eq!(fs::symlink_metadata(&path).unwrap().nlink(), 1, "{name}");
    }
    assert!(write(&folder.path().join("folder"), b"new").is_err());
    assert_eq!(fs::read(folder.path().join("precious")).unwrap(), b"precious");
}

#[test]
fn what_grows_is_a_file_of_its_own() {
    let folder = folder();
    let add = |name: &str| append(&folder.path().join(name))?.write_all(b"new");
    for name in ["file", "absent"] {
        add(name).unwrap();
    }
    for name in ["folder", "pipe", "socket", "link", "zeros", "to-pipe", "second"] {
        assert!(add(name).is_err(), "{name}");
        assert!(private(&folder.path().join(name)).is_err(), "{name}");
    }
    assert_eq!(fs::read(folder.path().join("file")).unwrap(), b"12345new");
    assert_eq!(fs::read(folder.path().join("precious")).unwrap(), b"precious");
    let mode = private(&folder.path().join("lock")).unwrap().metadata().unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);
}
