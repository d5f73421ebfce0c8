//! Worker programs that misbehave while they hold nothing, or that say numbers which cannot be.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use crate::stage::{Stage, wait_until};

const SWEEP: &str = r#"
[sweep]
name = "bad"
objective = { metric = "value", goal = "max" }
[space]
x = [1, 2, 3]
[run]
slots = 1
"#;

const HELLO: &str = r#"{"hello":{"protocol":1,"program":"bad","version":"1","numerics":"bad-1","parameters":[{"name":"x","kind":{"type":"int"},"default":1,"doc":"","length":true}],"metrics":["value"]}}"#;

/// A worker that is a shell script. The first process, which is only asked how long trials are, behaves, unless the script
/// says otherwise; each start is one line of the file `starts`.
fn worker(stage: &Stage, rest: &str) -> PathBuf {
    let path = stage.path().join("bad.sh");
    let here = stage.path().canonicalize().unwrap().display().to_string();
    let script = format!(
        r#"#!/bin/sh
echo start >> '{here}/starts'
n=$(wc -l < '{here}/starts')
measure() {{
    echo '{HELLO}'
    while read -r line; do
        case "$line" in
        *measure*) id=$(expr "$line" : '.*"id":\([0-9]*\)'); echo "{{\"measured\":{{\"id\":$id,\"steps\":2,\"steps_per_epoch\":2}}}}";;
        *) return;;
        esac
    done
}}
read -r greeting
{rest}
"#
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn starts(stage: &Stage) -> usize {
    fs::read_to_string(stage.path().join("starts")).unwrap().lines().count()
}

/// Runs a sweep with such a worker; the exit code, what is said, and how many workers were started.
#[track_caller]
fn run(rest: &str, more: &str, code: i32) -> (String, usize) {
    let stage = Stage::new("faulty");
    let worker = worker(&stage, rest);
    stage.write("bad.toml", &format!("{SWEEP}{more}"));
    let (_, err) = stage.run(&format!("run bad.toml --worker {}", worker.display()), code);
    let processes = stage.processes();
    assert!(processes.is_empty(), "{processes:?}");
    (err, starts(&stage))
}

#[test]
fn a_worker_that_is_of_no_use_while_it_holds_nothing_is_not_started_for_ever() {
    let uses = [
        ("echo '{hello}'; echo nonsense; sleep 600", "not a message"),
        ("printf '%s\nnonsense\n' '{hello}'; sleep 600", "not a message"),
        ("echo '{hello}'; echo '{hello}'; sleep 600", "greeted twice"),
        ("echo '{hello}'; exec sleep 600 >&-", "closed its output"),
        ("echo '{hello}'; exit 7", "exit code 7"),
        ("echo '{other}'; sleep 600", "numerics"),
        ("exit 0", "exit code 0"),
        (r#"echo '{hello}'; echo '{"progress":{"attempt":77,"step":1}}'; sleep 600"#, "attempt 77"),
    ];
    for (then, expected) in uses {
        let then = then.replace("{hello}", HELLO).replace("{other}", &HELLO.replace("bad-1", "2"));
        let rest = format!("if [ \"$n\" = 1 ]; then measure; exit; fi\n{then}");
        let stage = Stage::new("faulty");
        let worker = worker(&stage, &rest);
        stage.write("bad.toml", SWEEP);
        let output = stage.output(&format!("run bad.toml --worker {}", worker.display()));
        let err = String::from_utf8_lossy(&output.stderr);
        // One that greets well may be given something before it is known to be of no use, which then fails.
        assert!(matches!(output.status.code(), Some(3 | 69)), "{then}:\n{err}");
        let n = starts(&stage);
        assert!(n <= 20, "{then}: {n} were started");
        assert!(err.contains(expected), "{then}:\n{err}");
    }
}

#[test]
fn one_that_closes_its_output_is_noticed_while_it_is_asked() {
    let (err, n) = run("exec sleep 600 >&-", "", 69);
    assert!(err.contains("closed its output"), "{err}");
    assert_eq!(n, 1);
}

#[test]
fn a_limit_of_the_person_ends_one_that_does_not_greet() {
    let (err, _) = run("exec sleep 600", "stall = \"1s\"\n", 69);
    assert!(err.contains("`[run] stall`"), "{err}");
    let rest = "if [ \"$n\" = 1 ]; then measure; exit; fi\nexec sleep 600";
    let (err, n) = run(rest, "stall = \"1s\"\n", 69);
    assert!(err.contains("`stall`"), "{err}");
    assert_eq!(n, 4);
}

#[test]
fn one_that_does_not_greet_is_ended_by_the_first_request_to_stop() {
    let stage = Stage::new("faulty");
    let rest = "if [ \"$n\" = 1 ]; then measure; exit; fi\nexec sleep 600";
    let worker = worker(&stage, rest);
    stage.write("bad.toml", SWEEP);
    let mut coordinator = stage.start(&format!("run bad.toml --worker {}", worker.display()));
    wait_until("the second worker is started", || {
        fs::read_to_string(stage.path().join("starts")).is_ok_and(|text| text.lines().count() == 2)
    });
    wait_until("it can be asked", || stage.output("stop bad").status.success());
    assert_eq!(coordinator.wait().unwrap().code(), Some(130));
    assert_eq!(stage.processes(), Vec::<String>::new());
}

#[test]
fn what_is_done_without_the_objective_has_failed() {
    let rest = r#"measure
attempt=$(expr "$line" : '.*"attempt":\([0-9]*\)')
echo "{\"finished\":{\"attempt\":$attempt,\"step\":2,\"outcome\":\"done\"}}"
"#;
    let (err, _) = run(rest, "", 3);
    assert!(err.contains("it was done and had not measured `value`"), "{err}");
}

#[test]
fn numbers_that_cannot_be_are_refused_before_anything_runs() {
    let measured = |answer: &str| {
        format!(
            "echo '{HELLO}'\nread -r line\necho '{{\"measured\":{{\"id\":0,{answer}}}}}'\ncat >&2"
        )
    };
    let cases = [
        (measured(r#""steps":9223372036854775808,"steps_per_epoch":1"#), "`steps`"),
        (measured(r#""steps":0,"steps_per_epoch":1"#), "`steps`"),
        (measured(r#""steps":1,"steps_per_epoch":0"#), "`steps_per_epoch`"),
        (measured(r#""steps":1,"steps_per_epoch":1,"lanes":0"#), "`lanes`"),
        (measured(r#""steps":1,"steps_per_epoch":1,"lanes":4294967295"#), "`lanes`"),
        (
            format!(
                "echo '{}'\ncat >&2",
                HELLO.replace(
                    "\"parameters\":[",
                    r#""parameters":[{"name":"x","kind":{"type":"int"}},"#
                )
            ),
            "`x` twice",
        ),
    ];
    for (rest, expected) in cases {
        let (err, n) = run(&rest, "", 69);
        assert!(err.contains(expected), "{expected}: {err}");
        assert_eq!(n, 1);
    }
}

#[test]
fn a_table_that_no_line_holds_is_not_built() {
    let hello = HELLO.replace("\"parameters\"", "\"schedules\":\"table\",\"parameters\"");
    let rest = format!(
        "echo '{hello}'\nread -r line\necho '{{\"measured\":{{\"id\":0,\"steps\":1000000000000,\"steps_per_epoch\":1}}}}'\ncat >&2"
    );
    let stage = Stage::new("faulty");
    let worker = worker(&stage, &rest);
    stage.write(
        "bad.toml",
        "[sweep]\nname = \"bad\"\nobjective = { metric = \"value\", goal = \"max\" }\n[space.schedule.constant]\npeak = [0.1, 0.2]\n",
    );
    let (_, err) = stage.run(&format!("plan bad.toml --worker {}", worker.display()), 69);
    assert!(err.contains("table of 1000000000000 steps"), "{err}");
}
