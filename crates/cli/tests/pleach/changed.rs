//! What is not as it was when a sweep began: its data, its program. Nothing is trained on it before a person has agreed.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::stage::Stage;

/// A folder of IDX files: a few images of 4 × 4 pixels, of which `shift` decides the labels.
fn write_data(stage: &Stage, folder: &str, shift: u8) {
    let folder = stage.path().join(folder);
    fs::create_dir_all(&folder).unwrap();
    for (part, n) in [("train", 64_u32), ("t10k", 16)] {
        let header = |magic: u32, sizes: &[u32]| -> Vec<u8> {
            [magic].iter().chain(sizes).flat_map(|number| number.to_be_bytes()).collect()
        };
        let mut images = header(0x0803, &[n, 28, 28]);
        images.extend((0..n * 28 * 28).map(|pixel| (pixel * 37 % 251) as u8));
        let mut labels = header(0x0801, &[n]);
        labels.extend((0..n).map(|image| (image as u8 + shift) % 10));
        fs::write(folder.join(format!("{part}-images.idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
}

const SWEEP: &str = r#"
[sweep]
name = "d"
objective = { metric = "test_accuracy", goal = "max" }
[trainer]
data = "mine"
model = "linear"
batch = 16
budget = "2ep"
[space]
peak = [0.1, 0.2, 0.3]
[run]
slots = 1
"#;

#[test]
fn data_that_changed_under_a_sweep_is_refused_on_every_way_in() {
    let stage = Stage::new("pleach-mnist");
    write_data(&stage, "mine", 0);
    stage.write("d.toml", SWEEP);
    stage.run("run d.toml --first 1 --data .", 0);
    let before = stage.canonical("d");
    write_data(&stage, "mine", 3);
    for way in ["run d.toml --data .", "resume d --data .", "extend d 1 --budget 4ep --data ."] {
        let (_, said) = stage.run(way, 2);
        assert!(
            said.contains("the data has changed since this sweep was last run: it was mine "),
            "{said}"
        );
        assert!(said.contains("put the old data back"), "{said}");
    }
    let (_, said) = stage.run("verify d 1 --data .", 65);
    assert!(said.contains("was trained on other data"), "{said}");
    stage.run("retry d 1 --data .", 0);
    stage.run("resume d --data .", 2);
    // Put back, everything goes on.
    write_data(&stage, "mine", 0);
    stage.run("resume d --data .", 0);
    let done = before.lines().find(|line| line.contains("\"done\"")).unwrap();
    assert!(stage.canonical("d").contains(done));
    // With a word, all of it is trained anew.
    write_data(&stage, "mine", 3);
    let (_, said) = stage.run("run d.toml --accept --data .", 0);
    assert!(said.contains("3/3 trials"), "{said}");
    assert!(!stage.canonical("d").contains(done));
}

#[test]
fn a_program_that_changed_is_accepted_before_it_goes_on() {
    let stage = Stage::new("noop");
    stage.write("own.toml", "[sweep]\nname = \"own\"\nobjective = { metric = \"loss\", goal = \"min\" }\n[command]\nrun = [\"sh\", \"train.sh\", \"{{ x }}\"]\nmetrics = 'loss=(?<loss>\\S+)'\n[space]\nx = [1, 2]\n");
    stage.write("train.sh", "echo loss=$1\n");
    let script = stage.path().join("train.sh");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    stage.run("run own.toml --first 1", 0);
    stage.write("train.sh", "echo loss=0$1\n");
    for way in ["run own.toml", "resume own"] {
        let (_, said) = stage.run(way, 2);
        assert!(said.contains("the program has changed since this sweep began: 1 finished trial of another version stay as they are"), "{said}");
    }
    let (_, said) = stage.run("run own.toml --accept", 0);
    assert!(said.contains("2/2 trials"), "{said}");
}
