//! What other programs get of a sweep. `scripts/interop` opens it with the real ones.

use std::fs;

use serde_json::Value;

use crate::stage::Stage;

const SWEEP: &str = r#"
[sweep]
name = "x"
objective = { metric = "loss", goal = "min" }
seeds = [1, 2]
[command]
run = ["sh", "train.sh", "{{ rate }}"]
[space]
rate = [1, 0.5, 2]
text = ["=1+1", "a,b"]
key = [true]
"#;

/// Fails at rate 2.
const TRAIN: &str = r#"case $1 in 2) exit 1;; esac
echo "{\"step\": 1, \"loss\": $1}" >> "$PLEACH_METRICS"
echo "{\"step\": 2, \"loss\": $1, \"time\": \"NaN\"}" >> "$PLEACH_METRICS"
"#;

fn stage() -> Stage {
    let stage = Stage::new("noop");
    stage.write("x.toml", &SWEEP.replace("[space]", "[run]\nretries = 0\n[space]"));
    stage.write("train.sh", TRAIN);
    stage.run("run x.toml", 3);
    stage
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_sweep_is_two_tables() {
    let stage = stage();
    let trials = lines(&stage.run("export x --as jsonl", 0).0);
    assert_eq!(trials.len(), 12);
    let first = &trials[0];
    assert_eq!(first["trial"], 1);
    assert_eq!((&first["rate"], &first["objective"]), (&1.0.into(), &1.0.into()));
    assert_eq!((&first["text"], &first["key_"]), (&"=1+1".into(), &true.into()));
    let failed = trials.iter().filter(|trial| trial["status"] == "failed");
    assert_eq!(failed.filter(|trial| trial["objective"].is_null()).count(), 4);
    let metrics = lines(&stage.run("export x --as jsonl --table metrics", 0).0);
    assert_eq!(metrics.len(), 8 * 3);
    assert_eq!(metrics.iter().filter(|metric| metric["value"] == "NaN").count(), 8);
    let csv = stage.run("export x --as csv", 0).0;
    assert_eq!(
        csv.lines().next(),
        Some("trial,key,configuration,seed,status,objective,steps,key_,rate,text")
    );
    assert_eq!(csv.matches(",'=1+1\n").count(), 6, "{csv}");
    assert_eq!(csv.matches(",\"a,b\"\n").count(), 6, "{csv}");
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let stage = stage();
    for form in ["csv", "jsonl", "parquet"] {
        let piped = stage.output(&format!("export x --as {form}")).stdout;
        let (_, err) = stage.run(&format!("export x --as {form} --to out.{form}"), 0);
        assert_eq!(fs::read(stage.path().join(format!("out.{form}"))).unwrap(), piped);
        assert_eq!(err, format!("wrote out.{form}\n"));
    }
    let (_, err) = stage.run("export x --as csv --to nowhere/out.csv", 1);
    assert!(err.contains("failed to write nowhere/out.csv: No such file"), "{err}");
    // `/dev/full` takes no byte.
    for form in ["csv", "jsonl", "parquet"] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = stage.command(&format!("export x --as {form}")).stdout(full).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(err.contains("No space left on device"), "{form}: {err}");
    }
}

#[test]
fn a_sweep_that_cannot_be_read_is_not_exported() {
    let stage = stage();
    let database = stage.path().join("runs/x/pleach.db");
    let check = |said: &str| {
        let (out, err) = stage.run("export x --as csv --to out.csv", 1);
        assert!(out.is_empty() && err.contains(said), "{err}");
        assert!(!stage.path().join("out.csv").exists());
        assert!(!stage.path().join("out.part").exists());
    };
    let good = fs::read(&database).unwrap();
    let mut newer = good.clone();
    newer[60..64].copy_from_slice(&1000_u32.to_be_bytes());
    fs::write(&database, newer).unwrap();
    check("newer");
    fs::write(&database, "").unwrap();
    check("pleach.db");
    // Cut off in the middle.
    fs::write(&database, &good[..good.len() / 2]).unwrap();
    check("pleach.db");
    stage.run("export y --as csv", 66);
}
