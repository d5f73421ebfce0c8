//! A folder of its own for a test, and the programs in it.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

pub(crate) struct Stage {
    folder: TempDir,
    worker: PathBuf,
}

/// Says that a test cannot run here, and why. Goes around the harness, which hides what a passing test prints.
pub(crate) fn skipped(why: &str) {
    io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes()).unwrap();
}

/// A program that this workspace builds, beside `pleach` or among the examples.
pub(crate) fn built(name: &str) -> PathBuf {
    let folder = assert_cmd::cargo::cargo_bin("pleach").parent().unwrap().to_owned();
    let found = [folder.join(name), folder.join("examples").join(name)]
        .into_iter()
        .find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not built: run `cargo test --workspace`, or build it with `cargo build --workspace --all-targets`"))
}

impl Stage {
    pub(crate) fn new(worker: &str) -> Self {
        Self { folder: TempDir::new().unwrap(), worker: built(worker) }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    /// The command `pleach`, in this folder.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("pleach"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.path())
            .env("PLEACH_WORKER", &self.worker)
            .env("NO_COLOR", "1")
            .env_remove("PLEACH_DATA")
            .env_remove("PLEACH_RUNS")
            .env_remove("PLEACH_WITNESS")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn output(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs to the end; the exit code must be as expected. Standard output, then standard error.
    pub(crate) fn run(&self, arguments: &str, code: i32) -> (String, String) {
        let output = self.output(arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "pleach {arguments}\n{out}\n{err}");
        (out, err)
    }

    pub(crate) fn start(&self, arguments: &str) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    pub(crate) fn canonical(&self, sweep: &str) -> String {
        self.run(&format!("export {sweep} --canonical"), 0).0
    }

    /// The files of a sweep's checkpoints, which have this ending, those of one attempt after the other.
    pub(crate) fn checkpoints(&self, sweep: &str, ending: &str) -> Vec<PathBuf> {
        let attempts = self.path().join("runs").join(sweep).join("attempts");
        let inside = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten();
        let files = inside(attempts).flat_map(|attempt| inside(attempt.path()));
        let mut files: Vec<PathBuf> = files
            .map(|file| file.path())
            .filter(|file| file.extension().is_some_and(|it| it == ending))
            .collect();
        files.sort();
        files
    }

    /// Living processes that have this folder's mark in their environment: number and command line.
    pub(crate) fn processes(&self) -> Vec<String> {
        let folder = self.path().canonicalize().unwrap();
        let mark = format!("PLEACH_SWEEP={}", folder.display());
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let marked = entries.filter_map(|entry| {
            let environment = fs::read(entry.path().join("environ")).ok()?;
            let is_marked =
                environment.split(|byte| *byte == 0).any(|line| line.starts_with(mark.as_bytes()));
            let command = fs::read_to_string(entry.path().join("cmdline"))
                .unwrap_or_default()
                .replace('\0', " ");
            is_marked.then(|| format!("{} {command}", entry.file_name().display()))
        });
        marked.collect()
    }
}

/// Waits until something holds; panics if it never does.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}: never");
        std::thread::sleep(Duration::from_millis(5));
    }
}
