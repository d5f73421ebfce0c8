//! The screen on a real terminal, as far as a program can be one: `script` lends it.

use std::{
    fs,
    io::{Read, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use crate::stage::{Stage, wait_until};

/// Four trials that take three seconds each, two at a time.
const SWEEP: &str = r#"
[sweep]
name = "slow"
objective = { metric = "value", goal = "max" }
[space]
x = [1, 2, 3, 4]
fault = "slow"
length = 150
[run]
slots = 2
"#;

/// Somebody who watches a sweep.
pub(crate) struct Watcher {
    script: Child,
    keys: ChildStdin,
    written: Arc<Mutex<Vec<u8>>>,
    pid: u32,
}

fn kill(signal: &str, process: u32) {
    let status = Command::new("kill").args([signal, &process.to_string()]).status().unwrap();
    assert!(status.success());
}

impl Watcher {
    pub(crate) fn new(stage: &Stage, sweep: &str) -> Self {
        let program = assert_cmd::cargo::cargo_bin("pleach");
        let pid = stage.path().join("watcher");
        // Of one that left.
        drop(fs::remove_file(&pid));
        let command = format!(
            "stty cols 100 rows 30; echo $$ > {}; exec {} watch {sweep}",
            pid.display(),
            program.display()
        );
        let mut script = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .current_dir(stage.path())
            .env("TERM", "xterm-256color")
            .env("SHELL", "/bin/sh")
            .env("NO_COLOR", "1")
            .env_remove("PLEACH_RUNS")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let written = Arc::new(Mutex::new(Vec::new()));
        let (mut out, all) = (script.stdout.take().unwrap(), written.clone());
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read) = out.read(&mut buffer)
                && read != 0
            {
                all.lock().unwrap().extend(&buffer[..read]);
            }
        });
        let number = || fs::read_to_string(&pid).ok()?.trim().parse().ok();
        wait_until("it begins", || number().is_some());
        let keys = script.stdin.take().unwrap();
        Self { script, keys, written, pid: number().unwrap() }
    }

    /// Words are written one by one: a space that was there already is not written.
    pub(crate) fn sees(&self, word: &str) {
        wait_until(word, || self.all().contains(word));
    }

    fn all(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn signal(&self, name: &str) {
        kill(name, self.pid);
    }

    /// After a stop. `script` stops itself with what it runs.
    fn goes_on(&self) {
        kill("-CONT", self.script.id());
        kill("-CONT", self.pid);
    }

    /// It leaves, and the terminal is as it was: the other screen is left, the cursor is seen.
    pub(crate) fn leaves(mut self) -> String {
        let code = self.script.wait().unwrap().code();
        let all = self.all();
        assert_eq!(code, Some(0), "{all}");
        let (_, after) = all.rsplit_once("\u{1b}[?1049h").unwrap();
        assert!(after.contains("\u{1b}[?1049l") && after.contains("\u{1b}[?25h"), "{all}");
        all
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // Of one whose test has failed.
        drop(self.script.kill());
    }
}

#[test]
fn a_sweep_is_watched_to_its_end_and_is_what_it_would_have_been() {
    let stage = Stage::new("faulty");
    stage.write("slow.toml", SWEEP);
    let mut coordinator = stage.start("run slow.toml");
    wait_until("it runs", || stage.processes().len() >= 4);
    let mut watcher = Watcher::new(&stage, "slow");
    watcher.sees("slow");
    watcher.sees("running,");
    watcher.press("\tj\r");
    watcher.sees("complete");
    watcher.press("q");
    watcher.leaves();
    assert_eq!(coordinator.wait().unwrap().code(), Some(0));
    let alone = Stage::new("faulty");
    alone.write("slow.toml", SWEEP);
    alone.run("run slow.toml", 0);
    assert_eq!(stage.canonical("slow"), alone.canonical("slow"));
}

#[test]
fn whoever_leaves_or_hangs_or_is_ended_does_not_keep_the_sweep() {
    let stage = Stage::new("faulty");
    stage.write("slow.toml", SWEEP);
    let mut coordinator = stage.start("run slow.toml");
    wait_until("it runs", || stage.processes().len() >= 4);
    let mut leaver = Watcher::new(&stage, "slow");
    leaver.sees("running,");
    leaver.press("q");
    assert!(leaver.leaves().contains("`slow` goes on; look again with `pleach watch slow`"));
    let hanging = Watcher::new(&stage, "slow");
    hanging.sees("running,");
    hanging.signal("-STOP");
    assert_eq!(coordinator.wait().unwrap().code(), Some(0));
    hanging.goes_on();
    hanging.sees("complete");
    hanging.signal("-TERM");
    hanging.leaves();
}

#[test]
fn keys_do_what_commands_do() {
    let stage = Stage::new("faulty");
    stage.write("slow.toml", &SWEEP.replace("length = 150", "length = 1000"));
    let mut coordinator = stage.start("run slow.toml");
    wait_until("it runs", || stage.processes().len() >= 4);
    let mut watcher = Watcher::new(&stage, "slow");
    watcher.sees("running,");
    let says = |state| wait_until(state, || stage.run("list", 0).0.contains(state));
    watcher.press("p");
    says("paused");
    // The screen has to know it before the same key means the opposite.
    watcher.sees("paused:");
    watcher.press("p");
    says("running");
    watcher.press("sn");
    watcher.press("sy");
    assert_eq!(coordinator.wait().unwrap().code(), Some(130));
    watcher.sees("interrupted;");
    watcher.press("\u{3}");
    let all = watcher.leaves();
    assert!(!all.contains("died"), "{all}");
}

#[test]
fn a_key_runs_what_failed_again_while_the_sweep_goes_on() {
    let stage = Stage::new("faulty");
    let sweep = SWEEP.replace("fault = \"slow\"", "fault = [\"fail\", \"slow\"]");
    let sweep = sweep.replace("[1, 2, 3, 4]", "[1]").replace("length = 150", "length = 1000");
    stage.write("slow.toml", &format!("{sweep}retries = 0\n"));
    let mut coordinator = stage.start("run slow.toml");
    wait_until("it runs", || 2 <= stage.processes().len());
    let mut watcher = Watcher::new(&stage, "slow");
    watcher.sees("told");
    watcher.press("ry");
    wait_until("it has failed again", || {
        let shown = stage.output("show slow 3").stdout;
        String::from_utf8_lossy(&shown).contains("as it was told")
    });
    assert!(coordinator.try_wait().unwrap().is_none(), "it has gone on all the time");
    watcher.press("sy");
    assert_eq!(coordinator.wait().unwrap().code(), Some(130));
    watcher.press("\u{3}");
    watcher.leaves();
}

#[test]
fn without_a_terminal_it_is_refused() {
    let stage = Stage::new("noop");
    stage.write(
        "x.toml",
        "[sweep]\nname = \"x\"\nobjective = { metric = \"value\", goal = \"max\" }",
    );
    stage.run("run x.toml", 0);
    let (_, err) = stage.run("watch x", 2);
    insta::assert_snapshot!(err, @"error: `watch` needs a terminal; `pleach board x` and `pleach list` print");
    stage.run("watch y", 66);
}
