//! What is bad is stopped at its rung: the same ones, whatever happens between.

use crate::{stage::Stage, storm::Storm};

const SWEEP: &str = r#"
[sweep]
name = "storm"
objective = { metric = "val_accuracy", goal = "max" }
seeds = [1, 2]
[trainer]
data = "digits"
valid = 500
model = "linear"
budget = "3ep"
eval = "1ep"
batch = 64
[stop]
rungs = ["1ep", "2ep"]
keep = 0.4
least = 2
[space]
peak = [0.05, 0.001, 0.3, 0.0001, 0.1, 0.01]
[space.schedule.constant]
[space.schedule.wsd]
warmup = "0%"
cooldown = ["20%", "50%"]
[run]
slots = 2
lanes = 3
checkpoint = "20st"
"#;

const STOPPED: &str = "SELECT count(*) FROM trials WHERE status = 'stopped'";

#[test]
fn verdicts_do_not_depend_on_slots_lanes_sharing_or_kills() {
    let calm = Storm::of(SWEEP);
    calm.run("run storm.toml");
    let expected = calm.stage.canonical("storm");
    let (all, stopped) = (calm.count("SELECT count(*) FROM trials"), calm.count(STOPPED));
    assert!(all == 36 && 8 <= stopped && stopped.is_multiple_of(2), "{stopped} of {all}");
    let whole = calm.count("SELECT sum(end_step) FROM stage WHERE id IN (SELECT stage FROM trial)");
    assert!(calm.steps() < whole as usize / 2, "{} of {whole} steps", calm.steps());
    for other in ["--slots 1 --set run.lanes=1", "--set run.lanes=16", "--set run.share=false"] {
        let storm = Storm::of(SWEEP);
        storm.run(&format!("run storm.toml {other}"));
        assert_eq!(storm.stage.canonical("storm"), expected, "{other}");
    }
    let killed = Storm::of(SWEEP);
    for part in [9, 5, 7, 4] {
        let mut coordinator = killed.run_for(calm.steps() / 4 / part);
        coordinator.kill().unwrap();
        coordinator.wait().unwrap();
    }
    killed.run("resume storm");
    assert_eq!(killed.stage.canonical("storm"), expected);
}

#[test]
fn what_another_sweep_has_trained_is_judged_here_too() {
    let stage = Stage::new("pleach-mnist");
    let lenient = SWEEP.replace("\"storm\"", "\"lenient\"").replace("keep = 0.4", "keep = 0.9");
    stage.write("lenient.toml", &lenient);
    stage.run("run lenient.toml", 0);
    stage.write("storm.toml", SWEEP);
    let (_, said) = stage.run("run storm.toml --reuse", 0);
    assert!(said.contains("taken from other sweeps") && !said.contains("0 stages"), "{said}");
    let alone = Stage::new("pleach-mnist");
    alone.write("storm.toml", SWEEP);
    alone.run("run storm.toml", 0);
    assert_eq!(stage.canonical("storm"), alone.canonical("storm"));
    let stopped =
        |stage: &Stage| stage.run("export storm --as csv", 0).0.matches(",stopped,").count();
    assert!(8 <= stopped(&stage) && stopped(&stage) == stopped(&alone));
}

#[test]
fn who_was_stopped_says_why_and_can_be_had_again() {
    let storm = Storm::of(SWEEP);
    storm.run("run storm.toml");
    let trial = storm.count("SELECT min(trial) FROM trials WHERE status = 'stopped'");
    let (why, _) = storm.stage.run(&format!("explain storm {trial}"), 0);
    assert!(why.contains("was stopped at the rung after step ") && why.contains("go on"), "{why}");
    let (shown, _) = storm.stage.run(&format!("show storm {trial}"), 0);
    assert!(shown.contains("stopped early"), "{shown}");
    let verdicts = storm.count("SELECT count(*) FROM verdict");
    let before = storm.count(STOPPED);
    storm.run(&format!("retry storm {trial}"));
    storm.run("resume storm");
    let again = "SELECT count(*) FROM trials WHERE status = 'stopped' AND current";
    assert!(storm.count(again) <= before, "that one was not judged there again");
    assert!(verdicts <= storm.count("SELECT count(*) FROM verdict"));
    let retried = storm.count("SELECT max(trial) FROM trials");
    let (shown, _) = storm.stage.run(&format!("explain storm {retried}"), 0);
    let at = |text: &str| text.split("after step ").nth(1).map(str::to_owned);
    assert!(shown.contains("is done") || at(&shown) != at(&why), "{shown}{why}");
}

/// Those with a loss of 3 or more run until they are told to stop. They are judged in this order: 5, 3, 1, 2, 4.
const SCRIPT: &str = r#"case $1 in 5) set 1;; 3) set 2;; 1) set 3;; 2) set 4;; 4) set 5;; esac
trap 'if test -e "$PLEACH_STOP"; then echo told > "$PLEACH_DIRECTORY/told"; fi; exit 7' TERM
echo '{"step": 5, "loss": '$1'}' >> "$PLEACH_METRICS"
if [ "$1" -lt 3 ]; then echo '{"step": 9, "loss": '$1'}' >> "$PLEACH_METRICS"; exit 0; fi
# The one before is complete when the next one begins.
echo '{"step": 6, "loss": '$1'}' >> "$PLEACH_METRICS"
for i in $(seq 600); do sleep 0.1; done
exit 1
"#;

#[test]
fn a_program_that_cannot_stop_at_a_rung_is_told_by_a_signal_and_a_file() {
    let stage = Stage::new("noop");
    stage.write("script.sh", SCRIPT);
    stage.write(
        "own.toml",
        "[sweep]\nname = \"own\"\nobjective = { metric = \"loss\", goal = \"min\" }\n[command]\nrun = [\"sh\", \"script.sh\", \"{{ n }}\"]\n[stop]\nrungs = [\"5st\"]\nkeep = 0.5\nleast = 2\n[space]\nn = [1, 2, 3, 4, 5]\n[run]\nslots = 2\n",
    );
    let (board, err) = stage.run("run own.toml", 0);
    assert!(err.contains("3 stopped"), "{err}");
    assert_eq!(board.matches("1 seed stopped").count(), 3, "{board}");
    let told = stage.path().join("runs/own/attempts");
    let told = std::fs::read_dir(told).unwrap().flatten();
    assert_eq!(told.filter(|attempt| attempt.path().join("told").exists()).count(), 3);
    let (why, _) = stage.run("explain own 1", 0);
    insta::assert_snapshot!(why);
    let (metrics, _) = stage.run("export own --as csv --table metrics", 0);
    assert!(metrics.contains(",5,loss,3"), "what it has measured stays\n{metrics}");
}
