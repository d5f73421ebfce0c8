//! How a person's own program ends, and which rule then holds; what it takes of the machine, and what it may.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

use pleach_core::class::Class;
use serde_json::Value;

use crate::stage::{Stage, skipped};

/// A sweep of a shell script, which is told a `way`.
fn sweep(script: &str, ways: &str, run: &str) -> Stage {
    let stage = Stage::new("noop");
    stage.write("script.sh", script);
    let file = format!(
        r#"
[sweep]
name = "own"
objective = {{ metric = "loss", goal = "min" }}
[command]
run = ["sh", "script.sh", "{{{{ way }}}}"]
metrics = '(?<name>\w+)=(?<value>\S+)'
[space]
way = {ways}
[run]
slots = 1
{run}
"#
    );
    stage.write("own.toml", &file);
    stage
}

/// What `show` says of a trial's attempts.
fn attempts(stage: &Stage, trial: u32) -> String {
    let shown = stage.run(&format!("show own {trial}"), 0).0;
    let is_attempt = |line: &&str| line.starts_with("    attempt") || line.starts_with("        ");
    shown.lines().filter(is_attempt).collect::<Vec<_>>().join("\n")
}

/// Without what is another time otherwise.
const FILTERS: [(&str, &str); 3] = [
    (r"attempt \d+", "attempt N"),
    (r" in [0-9.]+s,", " in TIME,"),
    (r"took \d+ MiB of memory and [0-9.]+s", "took MEMORY of memory and TIME"),
];

#[test]
fn each_way_to_end_has_its_class_and_its_rule() {
    let script = r#"echo "$1" >> "$PWD/$1.times"
times=$(wc -l < "$PWD/$1.times")
case $1 in
good) echo loss=1;;
error) exit 2;;
crash) kill -SEGV $$;;
preempted) test $times = 2 && echo loss=2 && exit 0; exit 75;;
terminated) test $times = 2 && echo loss=2 && exit 0; kill -TERM $$;;
configuration) exit 78;;
nothing) echo other=1;;
esac"#;
    let ways =
        r#"["good", "error", "crash", "preempted", "terminated", "configuration", "nothing"]"#;
    let stage = sweep(script, ways, "retry = { crash = 1 }");
    let (_, err) = stage.run("run own.toml", 3);
    assert!(
        err.contains("trial 6: configuration: ended with exit code 78; it has failed for good"),
        "{err}"
    );
    let trials: Vec<String> = (2..=7)
        .map(|trial| format!("{trial}\n{}", stage.run(&format!("explain own {trial}"), 0).0))
        .collect();
    insta::with_settings!({ filters => FILTERS }, {
        insta::assert_snapshot!(trials.join("\n"));
        insta::assert_snapshot!(attempts(&stage, 3));
    });
    let times = |way: &str| {
        fs::read_to_string(stage.path().join(format!("{way}.times"))).unwrap().lines().count()
    };
    let times =
        ["error", "crash", "preempted", "terminated", "configuration", "nothing"].map(times);
    assert_eq!(times, [2, 2, 2, 2, 1, 1]);
}

#[test]
fn a_program_that_cannot_be_started_stops_the_sweep_at_the_first_trial() {
    let stage = sweep("", "[1, 2, 3, 4]", "");
    let file = fs::read_to_string(stage.path().join("own.toml")).unwrap();
    stage.write(
        "own.toml",
        &file.replace(r#"["sh", "script.sh", "{{ way }}"]"#, r#"["./no-{{ way }}"]"#),
    );
    let (_, err) = stage.run("run own.toml", 3);
    assert!(err.contains("stopped: a trial cannot be run so (ended with exit code 127"), "{err}");
    let waits = stage.run("explain own 4", 0).0;
    let why = "trial 4 waits because nobody runs the sweep (a trial cannot be run so: ended with exit code 127";
    assert!(waits.starts_with(why), "{waits}");
}

#[test]
fn what_a_program_took_is_remembered_and_shown() {
    let script = "python3 -c 'x = b\"x\" * 100000000'\necho loss=1";
    let stage = sweep(script, "[1]", "");
    stage.run("run own.toml", 0);
    let shown = stage.run("show own 1", 0).0;
    let line = shown.lines().find(|line| line.contains("of memory and")).unwrap();
    let mib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!((95..500).contains(&mib), "{line}");
}

#[test]
fn a_program_that_takes_more_memory_than_it_may_is_out_of_memory() {
    let script = "test $1 = more && exec tail /dev/zero\necho loss=1";
    let stage = sweep(script, r#"["less", "more"]"#, "memory = \"64MiB\"\nretries = 5");
    if let Some(why) = unlimited(&stage, "memory") {
        skipped(&why);
        return;
    }
    let (_, err) = stage.run("run own.toml", 3);
    assert!(err.contains("out of memory: killed for want of memory; it took 6"), "{err}");
    assert!(err.contains(" MiB, of 64 MiB that `memory` allows; it has failed for good"), "{err}");
    assert!(attempts(&stage, 2).contains("out of memory, which is not tried again"), "{err}");
}

/// Why no program can be limited here, if so: then that is said, and it runs.
fn unlimited(stage: &Stage, key: &str) -> Option<String> {
    let (out, _) = stage.run("doctor", stage.output("doctor").status.code().unwrap_or(0));
    if out.contains(&format!("(`[run] {key}`)")) {
        return None;
    }
    assert!(out.contains(&format!("`[run] {key}` would limit nothing: ")), "{out}");
    for command in ["plan own.toml", "run own.toml --first 1"] {
        let (_, err) = stage.run(command, 0);
        assert!(err.contains(&format!("warning: `[run] {key}` limits nothing here")), "{err}");
    }
    Some(out)
}

#[test]
fn a_program_gets_no_more_processor_time_than_it_may() {
    // Three processes, each until it has had a tenth of a second; then what the kernel counts of the group in which it is.
    let script = r#"burn() { while read -r stat < /proc/self/stat && set -- $stat && [ $((${14} + ${15})) -lt 10 ]; do :; done; }
burn & burn & burn & wait
for count in $(find /sys/fs/cgroup -path "*/pleach-*" -name cpu.stat); do
grep -qx $$ "${count%cpu.stat}cgroup.procs" && sed -n "s/nr_throttled /loss=/p" "$count"
done
echo $OMP_NUM_THREADS > "$PLEACH_DIRECTORY/threads""#;
    let stage = sweep(script, "[1]", "cpus = 0.1");
    if let Some(why) = unlimited(&stage, "cpus") {
        skipped(&why);
        return;
    }
    stage.run("run own.toml", 0);
    let (out, _) = stage.run("board own --json", 0);
    let board: Value = serde_json::from_str(&out).unwrap();
    let throttled = board[0]["mean"].as_f64().unwrap_or_else(|| panic!("{out}"));
    assert!(3.0 <= throttled, "{out}");
    let threads = fs::read_to_string(stage.path().join("runs/own/attempts/1/threads")).unwrap();
    assert_eq!(threads, "1\n", "more would wait for one another");
}

#[test]
fn what_limits_programs_does_not_limit_the_built_in_worker() {
    let stage = Stage::new("noop");
    let file = "[sweep]\nname = \"own\"\nobjective = { metric = \"value\", goal = \"min\" }\n[space]\nx = [1]\n[run]\ncpus = 1\n";
    stage.write("own.toml", file);
    let (_, err) = stage.run("plan own.toml", 0);
    insta::assert_snapshot!(err, @"warning: `[run] cpus` limits nothing here: it is for programs of your own, `[command]`");
}

#[test]
fn a_slot_that_is_pinned_has_cores_of_its_own_a_number_of_threads_and_good_manners() {
    let script =
        "echo loss=1\necho $OMP_NUM_THREADS $MKL_NUM_THREADS > \"$PLEACH_DIRECTORY/threads\"
nice > \"$PLEACH_DIRECTORY/nice\"
grep Cpus_allowed_list /proc/self/status > \"$PLEACH_DIRECTORY/cores\"";
    let stage = sweep(script, "[1, 2, 3, 4]", "pin = true\nnice = 3\nthreads = 3");
    let file = fs::read_to_string(stage.path().join("own.toml")).unwrap();
    let cores = std::thread::available_parallelism().unwrap().get();
    stage.write("own.toml", &file.replace("slots = 1", &format!("slots = {cores}")));
    stage.run("run own.toml", 0);
    let own = rustix::process::nice(0).unwrap();
    for attempt in 1..=4 {
        let read = |name: &str| {
            let folder = stage.path().join(format!("runs/own/attempts/{attempt}"));
            fs::read_to_string(folder.join(name)).unwrap()
        };
        assert_eq!(read("threads"), "3 3\n");
        assert_eq!(read("nice").trim().parse(), Ok(19.min(own + 3)));
        let list = read("cores");
        let list = list.split_once(':').unwrap().1.trim();
        assert!(list.parse::<usize>().is_ok(), "one core, not {list}");
    }
}

#[test]
fn the_page_has_the_rule_of_every_class() {
    let page = include_str!("../../../../docs/programs.md");
    for class in Class::ALL {
        let row = format!("| {} | `{}` | {} |", class.name(), class.key(), class.retries());
        assert!(page.contains(&row), "{row}");
    }
}

#[test]
fn an_explanation_can_be_read_by_a_program() {
    let stage = sweep("echo loss=1", "[1, 2]", "");
    stage.run("run own.toml --first 1", 0);
    let told = |trial: u32| -> Value {
        serde_json::from_str(&stage.run(&format!("explain own {trial} --json"), 0).0).unwrap()
    };
    assert_eq!([&told(1)["because"], &told(2)["because"]], ["done", "nobody"]);
}

#[test]
fn what_a_program_has_made_that_has_changed_since_is_run_again() {
    let stage = sweep("echo loss=$1", "[1, 2, 3]", "");
    stage.run("run own.toml --first 2", 0);
    stage.run("retry own --changed", 66);
    stage.write("script.sh", "echo loss=$((10 + $1))");
    let (_, err) = stage.run("retry own --changed", 0);
    assert!(err.contains("2 trials will run again"), "{err}");
    stage.run("resume own", 0);
    let (board, _) = stage.run("board own --json", 0);
    let rows: Value = serde_json::from_str(&board).unwrap();
    let losses = rows.as_array().unwrap().iter().map(|row| row["mean"].as_f64().unwrap());
    assert_eq!(losses.collect::<Vec<_>>(), [11.0, 12.0, 13.0]);
    stage.run("retry own --changed", 66);
}

/// Runs a sweep on a machine whose driver knows two GPUs. Standard error.
fn run_with_gpus(stage: &Stage, arguments: &str, code: i32) -> String {
    let folder = stage.path().join("bin");
    fs::create_dir_all(&folder).unwrap();
    let said = "echo '0, GPU-aa, 81559, NVIDIA H100 80GB HBM3'; echo '1, GPU-bb, 81559, NVIDIA H100 80GB HBM3'";
    fs::write(folder.join("nvidia-smi"), format!("#!/bin/sh\n{said}\n")).unwrap();
    fs::set_permissions(folder.join("nvidia-smi"), Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = stage.command(arguments);
    let output = command.env("PATH", path).env_remove("CUDA_VISIBLE_DEVICES").output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{err}");
    err
}

/// On these devices instead of slots.
fn on_devices(stage: &Stage, run: &str) {
    let file = fs::read_to_string(stage.path().join("own.toml")).unwrap();
    stage.write("own.toml", &file.replace("slots = 1", run));
}

#[test]
fn programs_see_the_gpus_of_their_slot_by_names_that_hold() {
    let script = "echo loss=1; echo $CUDA_VISIBLE_DEVICES >> \"$PWD/seen\"; while ! test $(wc -l < \"$PWD/seen\") -ge 2; do sleep 0.01; done";
    let seen = |run: &str| {
        let stage = sweep(script, "[1, 2]", "");
        on_devices(&stage, run);
        run_with_gpus(&stage, "run own.toml", 0);
        let seen = fs::read_to_string(stage.path().join("seen")).unwrap();
        let mut seen: Vec<String> = seen.lines().map(str::to_owned).collect();
        seen.sort();
        let shown = stage.run("show own 1", 0).0;
        let devices = shown.lines().find_map(|line| line.strip_prefix("devices")).unwrap();
        assert!(devices.contains("cuda:1 is GPU-bb (NVIDIA H100 80GB HBM3, 81559 MiB)"), "{shown}");
        seen
    };
    let two = r#"devices = ["cuda:0", "cuda:1"]"#;
    assert_eq!(seen(two), ["GPU-aa", "GPU-bb"]);
    assert_eq!(seen(&format!("{two}\ngpus = 2\nper_device = 2")), ["GPU-aa,GPU-bb"; 2]);
    assert_eq!(seen("devices = [\"cuda:1\"]\nper_device = 2"), ["GPU-bb"; 2]);
    let stage = sweep(script, "[1]", "");
    on_devices(&stage, r#"devices = ["cuda:0", "cuda:2"]"#);
    let err = run_with_gpus(&stage, "run own.toml", 1);
    assert!(
        err.contains("`cuda:2`, which is not there: nvidia-smi knows cuda:0 to cuda:1"),
        "{err}"
    );
}

#[test]
fn a_broken_gpu_is_set_aside_and_its_trials_are_done_elsewhere() {
    let script = "test $CUDA_VISIBLE_DEVICES = GPU-bb && sleep 0.1 && kill -ABRT $$\necho loss=1";
    let stage = sweep(script, "[1, 2, 3, 4, 5, 6, 7, 8]", "");
    on_devices(&stage, r#"devices = ["cuda:0", "cuda:1"]"#);
    // Whatever is still to be done when the first ones have crashed.
    stage.write("script.sh", &format!("{script}\nsleep 0.1"));
    let err = run_with_gpus(&stage, "run own.toml", 0);
    let times = err.lines().filter(|line| line.starts_with("cuda:1 is set aside")).count();
    assert_eq!(times, 1, "{err}");
    let (list, _) = stage.run("list", 0);
    assert!(list.contains("8/8"), "{list}");
}
