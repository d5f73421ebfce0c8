//! A person's own program as a trial: what it is told, what is made of what it says, and that what finished stays finished.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::stage::{Stage, wait_until};

/// A sweep of a shell script over `space`.
fn sweep(command: &str, space: &str, run: &str) -> String {
    format!(
        r#"
[sweep]
name = "own"
objective = {{ metric = "loss", goal = "min" }}
[command]
run = ["sh", "script.sh", {command}
[space]
{space}
[run]
slots = 2
{run}
"#
    )
}

struct Own(Stage);

impl Own {
    fn new(script: &str, command: &str, space: &str, run: &str) -> Self {
        let stage = Stage::new("noop");
        stage.write("script.sh", script);
        stage.write("own.toml", &sweep(command, space, run));
        Self(stage)
    }

    fn attempt(&self, attempt: u32, file: &str) -> PathBuf {
        self.0.path().join("runs/own/attempts").join(attempt.to_string()).join(file)
    }

    fn read(&self, attempt: u32, file: &str) -> String {
        fs::read_to_string(self.attempt(attempt, file)).unwrap()
    }

    /// Trials by the numbers of their attempts that left a whole result, as those say. A guard that is killed while it writes one
    /// leaves a part, which is none.
    fn finished(&self) -> BTreeMap<String, u32> {
        let mut times = BTreeMap::new();
        let attempts = fs::read_dir(self.0.path().join("runs/own/attempts"));
        for folder in attempts.into_iter().flatten().flatten() {
            let result = fs::read_to_string(folder.path().join("result.jsonl"));
            let is_whole = result.is_ok_and(|it| it.contains("finished") && it.ends_with('\n'));
            if let (true, Ok(trial)) = (is_whole, fs::read_to_string(folder.path().join("trial"))) {
                *times.entry(trial.trim().to_owned()).or_default() += 1;
            }
        }
        times
    }
}

#[test]
fn a_program_is_told_everything_byte_for_byte() {
    let script = r#"printf '%s\n' "$@" > "$PLEACH_DIRECTORY/arguments"
env > "$PLEACH_DIRECTORY/environment"
cat "$PLEACH_SCHEDULE" > "$PLEACH_DIRECTORY/rates"
echo '{"step": 3, "loss": 0.5}' >> "$PLEACH_METRICS""#;
    let evil = r#"a b; rm -rf / $(x) `y` "z" \ {{ peak }} * ü"#;
    let command = "\"--text={{ text }}\", \"{{ peak }}\", \"{{seed}}\"]\nbudget = \"4st\"\nenvironment = { MINE = \"<{{ text }}>\" }\n";
    let space = format!("text = ['''{evil}''']\npeak = 0.5\n[space.schedule.linear]\n");
    let own = Own::new(script, command, &space, "");
    own.0.run("run own.toml", 0);
    assert_eq!(own.read(1, "arguments"), format!("--text={evil}\n0.5\n1\n"));
    assert_eq!(own.read(1, "rates"), "0.5\n0.375\n0.25\n0.125\n");
    let environment = own.read(1, "environment");
    let folder = own.attempt(1, "").canonicalize().unwrap();
    for line in [
        format!("MINE=<{evil}>"),
        format!("PLEACH_PARAMETER_text={evil}"),
        format!("PLEACH_DIRECTORY={}", folder.display()),
        "PLEACH_STEPS=4".to_owned(),
        "PLEACH_SEED=1".to_owned(),
        "PLEACH_PARAMETER_schedule=linear".to_owned(),
    ] {
        assert!(environment.lines().any(|other| other == line), "{line} is not in\n{environment}");
    }
    assert!(environment.contains("OMP_NUM_THREADS="));
    let parameters: Value = serde_json::from_str(&own.read(1, "parameters.json")).unwrap();
    assert_eq!(parameters["text"], evil);
    assert_eq!(parameters["peak"], 0.5);
    let (csv, _) = own.0.run("export own --as csv --table metrics", 0);
    assert!(csv.lines().last().unwrap().ends_with(",3,loss,0.5"), "{csv}");
}

#[test]
fn what_goes_wrong_is_said_in_the_programs_own_words() {
    let script = r#"case $1 in
exit) echo "epoch 1"; echo "ValueError: no data" >&2; exit 3;;
signal) echo "about to die"; kill -11 $$;;
none) echo accuracy=0.5;;
silent) ;;
strange) echo "loss=1 step=2"; echo "loss=2 step=1"; echo "loss=x step=3";;
strays) (trap '' TERM HUP; sleep 1000) & echo loss=1;;
good) echo loss=1;;
esac"#;
    let command =
        "\"{{ way }}\"]\nmetrics = '(?<name>\\w+)=(?<value>\\S+)( step=(?<step>\\d+))?'\n";
    let space =
        "way = [\"good\", \"exit\", \"signal\", \"none\", \"silent\", \"strange\", \"strays\"]";
    let own = Own::new(script, command, space, "retries = 0");
    let (_, err) = own.0.run("run own.toml --slots 1", 3);
    let is_failure =
        |line: &&str| ["trial ", "    | ", "warning: "].iter().any(|start| line.starts_with(start));
    let said: Vec<&str> = err.lines().filter(is_failure).collect();
    insta::assert_snapshot!(said.join("\n"));
    let (board, _) = own.0.run("board own --json", 0);
    let rows: Value = serde_json::from_str(&board).unwrap();
    assert_eq!(rows.as_array().unwrap().iter().filter(|row| row["state"] == "done").count(), 3);
    assert_eq!(own.0.processes(), Vec::<String>::new());
    assert!(own.0.run("logs own 2", 0).0.contains("ValueError: no data"));
}

#[test]
fn a_program_that_is_broken_stops_the_sweep() {
    let own = Own::new("echo oops $1 >&2; exit 1", "\"{{ x }}\"]", "x = { int = [1, 1000] }", "");
    let (_, err) = own.0.run("run own.toml", 3);
    assert!(
        err.contains(
            "5 trials in a row failed in the same way (ended with exit code 1; it said: oops"
        ),
        "{err}"
    );
    assert!(err.contains(" more failed like trial "), "{err}");
    let failed = own.0.canonical("own").lines().filter(|it| it.contains("\"failed\"")).count();
    assert!(failed < 30, "{failed} trials were burnt");
    // Repaired, it goes on.
    own.0.write("script.sh", "echo '{\"loss\": 1}' > \"$PLEACH_METRICS\"");
    own.0.run("retry own --failed", 0);
    own.0.run("resume own --first 20", 0);
}

#[test]
fn a_program_that_is_not_there_is_missed_before_anything_starts() {
    let stage = Stage::new("noop");
    let missing = sweep("]", "x = 1", "").replace("\"sh\"", "\"no-such-program\"");
    stage.write("own.toml", &missing);
    let (_, err) = stage.run("run own.toml", 69);
    assert!(err.contains("no program `no-such-program`"), "{err}");
    assert!(!stage.path().join("runs").exists());
}

#[test]
fn a_sample_of_output_shows_what_it_measures() {
    let own = Own::new("", "]\nmetrics = 'loss=(?<loss>\\S+)'", "x = 1", "");
    own.0.write("good.txt", "epoch 1 loss=0.5\nepoch 2 loss=0.25\n");
    own.0.write("bad.txt", "epoch 1 lss=0.5\n");
    let (out, _) = own.0.run("plan own.toml --check-metrics good.txt", 0);
    assert!(out.contains("2 evaluations of `loss`"), "{out}");
    let (plan, _) = own.0.run("plan own.toml", 0);
    assert!(plan.contains("every trial as long as its program takes"), "{plan}");
    own.0.run("plan own.toml --check-metrics bad.txt", 65);
    own.0.run("plan own.toml --check-metrics none.txt", 66);
}

/// Says which trial it is, works a little, and measures what only the trial decides.
const WORK: &str = r#"echo $PLEACH_TRIAL > "$PLEACH_DIRECTORY/trial"
echo $PLEACH_TRIAL >> "$WITNESS"
sleep 0.02
echo "{\"loss\": $1}" > "$PLEACH_METRICS""#;

impl Own {
    fn work(trials: u32) -> Self {
        let space = format!("x = {{ int = [1, {trials}] }}");
        Self::new(WORK, "\"{{ x }}\"]", &space, "")
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = self.0.command(arguments);
        command.env("WITNESS", self.0.path().join("witness"));
        command
    }

    fn start(&self) -> Child {
        self.command("run own.toml").spawn().unwrap()
    }

    fn run_to_the_end(&self) {
        let output = self.command("run own.toml").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Attempts that began, as the programs say.
    fn begun(&self) -> usize {
        fs::read_to_string(self.0.path().join("witness")).map_or(0, |text| text.lines().count())
    }
}

fn kill(mut coordinator: Child) {
    coordinator.kill().unwrap();
    coordinator.wait().unwrap();
}

#[test]
fn a_result_that_nobody_heard_of_is_counted() {
    let own = Own::work(4);
    let coordinator = own.start();
    let pid = Pid::from_child(&coordinator);
    wait_until("a program begins", || 0 < own.begun());
    // From here on nobody listens; the guards finish what they have.
    kill_process(pid, Signal::STOP).unwrap();
    let heard = own.finished().len();
    wait_until("another result is kept", || heard < own.finished().len());
    kill(coordinator);
    own.run_to_the_end();
    assert_eq!(own.finished().len(), 4);
    assert!(own.finished().values().all(|times| *times == 1), "{:?}", own.finished());
}

#[test]
fn nothing_that_finished_runs_again_whoever_is_killed() {
    const TRIALS: u32 = 30;
    let calm = Own::work(TRIALS);
    calm.run_to_the_end();
    assert_eq!(calm.begun(), TRIALS as usize);
    let own = Own::work(TRIALS);
    let mut n_kills = 0;
    while own.finished().len() < TRIALS as usize {
        let before = own.finished().len();
        let coordinator = own.start();
        // Just when something has finished and is perhaps not yet counted.
        wait_until("something finishes", || before < own.finished().len());
        if n_kills % 3 == 2 {
            // The guards too.
            for process in own.0.processes().iter().filter(|it| it.contains("__command")) {
                let pid: i32 = process.split(' ').next().unwrap().parse().unwrap();
                // It may be gone.
                let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
            }
        }
        kill(coordinator);
        n_kills += 1;
    }
    wait_until("everything is gone", || own.0.processes().is_empty());
    own.run_to_the_end();
    assert!(own.finished().values().all(|times| *times == 1), "{:?}", own.finished());
    assert_eq!(own.0.canonical("own"), calm.0.canonical("own"));
    println!("{n_kills} kills; {} attempts for {TRIALS} trials", own.begun());
    assert!(own.begun() <= TRIALS as usize + 2 * n_kills);
}

#[test]
fn a_killed_guard_takes_its_program_along_and_the_trial_runs_again() {
    let script = "echo '{\"loss\": 1}' > \"$PLEACH_METRICS\"\n[ -e again ] || { touch again; (setsid sleep 1000) & sleep 1000; }";
    let own = Own::new(script, "]", "x = 1", "");
    let mut coordinator = own.0.start("run own.toml");
    let sleeping = || own.0.processes().into_iter().filter(|it| it.contains("sleep 1000"));
    wait_until("both sleep", || sleeping().count() == 2);
    let guards = own.0.processes().into_iter().filter(|it| it.contains("__command"));
    for guard in guards {
        let pid: i32 = guard.split(' ').next().unwrap().parse().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    }
    assert_eq!(coordinator.wait().unwrap().code(), Some(0));
    assert_eq!(own.0.processes(), Vec::<String>::new());
    assert!(Path::new(&own.attempt(2, "result.jsonl")).exists());
}

#[test]
fn a_stop_is_a_signal_and_a_file() {
    let script = r#"trap 'test -e "$PLEACH_STOP" && echo "{\"loss\": 7}" > "$PLEACH_METRICS"; exit 0' TERM
touch began
while :; do sleep 0.01; done"#;
    let own = Own::new(script, "]", "x = 1", "");
    let mut coordinator = own.0.start("run own.toml");
    wait_until("it runs", || own.0.path().join("began").exists());
    own.0.run("stop own", 0);
    assert_eq!(coordinator.wait().unwrap().code(), Some(130), "nobody knows that it has finished");
    assert!(own.read(1, "metrics.jsonl").contains('7'), "it saw the signal, and the file");
    // One that does not heed is killed by its default, and runs again.
    let own = Own::new("touch began; sleep 1000", "]", "x = 1", "");
    let mut coordinator = own.0.start("run own.toml");
    wait_until("it runs", || own.0.path().join("began").exists());
    own.0.run("stop own", 0);
    assert_eq!(coordinator.wait().unwrap().code(), Some(130));
    assert!(own.0.canonical("own").contains("waiting"));
}

#[test]
fn what_was_asked_to_stop_is_done_only_if_it_came_to_its_last_step() {
    let cases = [
        ("it never says a step", "]\nbudget = \"30st\"", "", 130),
        ("it has said less", "]\nbudget = \"30st\"", r#""step": 9, "#, 130),
        ("it has said all", "]\nbudget = \"30st\"", r#""step": 30, "#, 0),
        ("nobody knows its end", "]", r#""step": 30, "#, 130),
    ];
    for (what, command, step, code) in cases {
        let script = format!(
            r#"echo '{{{step}"loss": 1}}' >> "$PLEACH_METRICS"
trap 'exit 0' TERM
touch began
while :; do sleep 0.01; done"#
        );
        let own = Own::new(&script, command, "x = 1", "");
        let mut coordinator = own.0.start("run own.toml");
        wait_until("it runs", || own.0.path().join("began").exists());
        own.0.run("stop own", 0);
        assert_eq!(coordinator.wait().unwrap().code(), Some(code), "{what}");
        let expected = if code == 0 { "done" } else { "waiting" };
        assert!(own.0.canonical("own").contains(expected), "{what}");
    }
}

#[test]
fn what_ends_early_by_itself_is_done_at_the_step_that_it_came_to() {
    let script = r#"for step in 3 6 9; do
    echo "{\"step\": $step, \"loss\": 1}" >> "$PLEACH_METRICS"
done"#;
    let own = Own::new(script, "]\nbudget = \"3000st\"", "x = 1", "");
    own.0.run("run own.toml", 0);
    let said = |command: &str| own.0.run(command, 0).0;
    for command in ["board own", "show own 1", "board own --csv", "board own --json"] {
        assert!(said(command).contains("done at 9 of 3 000"), "{command}: {}", said(command));
    }
    assert!(said("show own 1").contains("9 of 3 000 steps"), "{}", said("show own 1"));
    own.0.run("resume own", 0);
    assert!(!own.attempt(2, "trial").exists(), "it has ended");
}

#[test]
fn a_result_that_its_disk_will_not_have_is_told_all_the_same() {
    let script = "mkdir \"$PLEACH_DIRECTORY/result.jsonl\"; echo >> ran
echo '{\"loss\": 1}' >> \"$PLEACH_METRICS\"";
    let own = Own::new(script, "]", "x = [1]", "");
    own.0.run("run own.toml", 0);
    assert!(own.0.canonical("own").contains("\"status\":\"done\""));
    assert_eq!(fs::read_to_string(own.0.path().join("ran")).unwrap(), "\n", "it ran once");
}
