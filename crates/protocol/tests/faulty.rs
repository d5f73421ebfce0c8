//! The misbehaving worker misbehaves as it says, so that tests of whatever drives workers test what they mean to.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    env,
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
};

/// `cargo test` builds the examples of a crate beside its tests.
fn program() -> PathBuf {
    let tests = env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("examples/faulty");
    assert!(program.exists(), "{} is missing: `cargo build --examples`", program.display());
    program
}

fn begin(fault: &str, length: u64, folder: &Path) -> (Child, ChildStdin) {
    let mut child = Command::new(program())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let parameters = format!(r#"{{"fault":"{fault}","length":{length},"x":1.5}}"#);
    let directory = folder.join("attempts/7").display().to_string();
    let mut lines = r#"{"hello":{"protocol":1,"threads":1,"device":"cpu"}}"#.to_owned() + "\n";
    writeln!(lines, r#"{{"measure":{{"id":1,"parameters":{parameters}}}}}"#).unwrap();
    writeln!(
        lines,
        r#"{{"start":{{"attempt":7,"trial":2,"parameters":{parameters},"seed":3,"first":0,"end":{length},"budget":{length},"directory":"{directory}"}}}}"#
    )
    .unwrap();
    input.write_all(lines.as_bytes()).unwrap();
    (child, input)
}

/// What a worker with this fault says of one attempt of four steps, the description left out, and how it ends.
fn run(fault: &str, folder: &Path) -> String {
    let (mut child, mut input) = begin(fault, 4, folder);
    // A worker that has crashed does not hear this.
    let _gone = input.write_all(b"\"exit\"\n");
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    let (hello, said) = said.split_once('\n').unwrap();
    assert!(hello.starts_with(r#"{"hello":{"protocol":1,"program":"faulty""#), "{hello}");
    let end = status.signal().map_or_else(
        || format!("exit code {}", status.code().unwrap()),
        |signal| format!("signal {signal}"),
    );
    format!("{said}{end}")
}

fn once(fault: &str) -> String {
    run(fault, tempfile::tempdir().unwrap().path())
}

#[test]
fn without_a_fault_it_is_a_plain_worker() {
    insta::assert_snapshot!(once("none"), @r#"
    {"measured":{"id":1,"steps":4,"steps_per_epoch":1,"data":""}}
    {"metrics":{"attempt":7,"step":4,"values":{"value":-0.977530117665097}}}
    {"finished":{"attempt":7,"step":4,"outcome":"done","digest":""}}
    exit code 0
    "#);
}

#[test]
fn a_crash_leaves_an_evaluation_and_no_end() {
    insta::assert_snapshot!(once("crash"), @r#"
    {"measured":{"id":1,"steps":4,"steps_per_epoch":1,"data":""}}
    {"metrics":{"attempt":7,"step":2,"values":{"value":-2.0}}}
    signal 6
    "#);
    insta::assert_snapshot!(once("exit"), @r#"
    {"measured":{"id":1,"steps":4,"steps_per_epoch":1,"data":""}}
    {"metrics":{"attempt":7,"step":2,"values":{"value":-2.0}}}
    exit code 3
    "#);
}

#[test]
fn nonsense_and_lies_are_said_among_what_is_right() {
    insta::assert_snapshot!(once("nonsense"), @r#"
    {"measured":{"id":1,"steps":4,"steps_per_epoch":1,"data":""}}
    {"metrics":{"attempt":7,"step":2,"values":{"value":-2.0}}}
    I am no message
    {"metrics":{"attempt":7,"step":4,"values":{"value":-0.977530117665097}}}
    {"finished":{"attempt":7,"step":4,"outcome":"done","digest":""}}
    exit code 0
    "#);
    insta::assert_snapshot!(once("lie-step"), @r#"
    {"measured":{"id":1,"steps":4,"steps_per_epoch":1,"data":""}}
    {"metrics":{"attempt":7,"step":2,"values":{"value":-2.0}}}
    {"finished":{"attempt":1000007,"step":4,"outcome":"done","digest":""}}
    {"metrics":{"attempt":7,"step":4,"values":{"value":-0.977530117665097}}}
    {"finished":{"attempt":7,"step":4,"outcome":"done","digest":""}}
    exit code 0
    "#);
}

#[test]
fn a_failure_is_said() {
    insta::assert_snapshot!(once("fail"), @r#"
    {"measured":{"id":1,"steps":4,"steps_per_epoch":1,"data":""}}
    {"metrics":{"attempt":7,"step":2,"values":{"value":-2.0}}}
    {"finished":{"attempt":7,"step":2,"outcome":{"failed":"as it was told"},"digest":""}}
    exit code 0
    "#);
}

#[test]
fn want_of_memory_is_said_or_kills() {
    insta::assert_snapshot!(once("no-memory"), @r#"
    {"measured":{"id":1,"steps":4,"steps_per_epoch":1,"data":""}}
    {"metrics":{"attempt":7,"step":2,"values":{"value":-2.0}}}
    {"finished":{"attempt":7,"step":2,"outcome":{"fault":{"class":"out_of_memory","why":"as it was told"}},"digest":""}}
    exit code 0
    "#);
    insta::assert_snapshot!(once("allocate"), @r#"
    {"measured":{"id":1,"steps":4,"steps_per_epoch":1,"data":""}}
    {"metrics":{"attempt":7,"step":2,"values":{"value":-2.0}}}
    signal 6
    "#);
}

#[test]
fn a_stage_that_crashes_once_is_done_the_second_time() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(run("once-crash", folder.path()), @r#"
    {"measured":{"id":1,"steps":4,"steps_per_epoch":1,"data":""}}
    {"metrics":{"attempt":7,"step":2,"values":{"value":-2.0}}}
    signal 6
    "#);
    insta::assert_snapshot!(run("once-crash", folder.path()), @r#"
    {"measured":{"id":1,"steps":4,"steps_per_epoch":1,"data":""}}
    {"metrics":{"attempt":7,"step":4,"values":{"value":-0.977530117665097}}}
    {"finished":{"attempt":7,"step":4,"outcome":"done","digest":""}}
    exit code 0
    "#);
}

/// Reads lines until one contains `wanted`.
fn read_until(output: &mut impl BufRead, wanted: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(output.read_line(&mut line).unwrap() != 0, "ended without `{wanted}`");
        if line.contains(wanted) {
            return line;
        }
    }
}

#[test]
fn a_slow_attempt_shows_progress_and_heeds_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut input) = begin("slow", 1_000_000, folder.path());
    let mut output = BufReader::new(child.stdout.take().unwrap());
    read_until(&mut output, r#"{"progress":{"attempt":7,"step":2,"#);
    input.write_all(b"{\"stop\":{\"attempt\":7}}\n\"exit\"\n").unwrap();
    let finished = read_until(&mut output, "finished");
    assert!(finished.contains(r#""outcome":"stopped""#), "{finished}");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_flood_has_no_end_of_line_and_ends_when_nobody_reads() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, _input) = begin("flood", 1, folder.path());
    let mut output = BufReader::new(child.stdout.take().unwrap());
    read_until(&mut output, r#"{"metrics":{"attempt""#);
    let mut flood = vec![0; 1 << 20];
    output.read_exact(&mut flood).unwrap();
    assert!(flood.iter().all(|&byte| byte == b'x'));
    drop(output);
    assert_eq!(child.wait().unwrap().code(), Some(5));
}

#[test]
fn what_hangs_outlives_the_end_of_its_input_and_its_child_holds_the_output_open() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut input) = begin("orphan", 1, folder.path());
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let line = read_until(&mut log, "started process ");
    input.write_all(b"{\"stop\":{\"attempt\":7}}\n").unwrap();
    drop(input);
    child.kill().unwrap();
    // Killed by us, not gone before.
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    let grandchild = line.trim_end().rsplit(' ').next().unwrap();
    assert!(Command::new("kill").arg(grandchild).status().unwrap().success());
    let mut rest = String::new();
    child.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("finished"));
}
