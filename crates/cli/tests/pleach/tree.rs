//! Trials that share their past run it once, and nothing shows it but the time.

use std::fs;

use crate::stage::Stage;

/// Cooldowns and drops from common trunks, a rule that watches evaluations, a trunk that diverges, and what shares nothing.
const SWEEP: &str = r#"
[sweep]
name = "tree"
objective = { metric = "val_accuracy", goal = "max" }
[trainer]
data = "digits"
valid = 500
model = "mlp-16"
optimizer = "adam"
batch = 64
budget = "3ep"
eval = "100st"
[space]
peak = [1e30, 0.001]
[space.schedule.constant]
[space.schedule.wsd]
cooldown = ["20%", "40%"]
shape = ["linear", "1-sqrt"]
[space.schedule.multistep]
at = [["60%"], ["60%", "80%"]]
[space.schedule.plateau]
patience = 0
[space.schedule.cosine]
"#;

fn steps(stage: &Stage) -> usize {
    fs::read_to_string(stage.path().join("witness")).unwrap().lines().count()
}

/// A stage on which the sweep was run so.
fn run(arguments: &str) -> Stage {
    let stage = Stage::new("pleach-mnist");
    stage.write("tree.toml", SWEEP);
    run_on(&stage, arguments);
    stage
}

/// What it said to standard error; here and below.
fn run_on(stage: &Stage, arguments: &str) -> String {
    run_with(stage, &format!("run tree.toml {arguments}"))
}

fn run_with(stage: &Stage, arguments: &str) -> String {
    let output = stage
        .command(arguments)
        .env("PLEACH_WITNESS", stage.path().join("witness"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn sharing_changes_nothing_but_the_work() {
    let alone = run("--set run.share=false");
    let expected = alone.canonical("tree");
    assert_eq!(expected.lines().count(), 18);
    assert!(expected.contains("diverged"));
    let mut made = Vec::new();
    for how in ["--slots 1", "--slots 2 --set run.keep=1KiB"] {
        let shared = run(how);
        assert_eq!(shared.canonical("tree"), expected, "{how}");
        made.push(steps(&shared));
        let files = shared.checkpoints("tree", "safetensors");
        let kept: u64 = files.iter().map(|file| fs::metadata(file).unwrap().len()).sum();
        assert_eq!(kept <= 1024, how.contains("keep"), "{kept} bytes: {how}");
    }
    assert!(made.iter().all(|steps| *steps == made[0]), "{made:?}");
    assert!(made[0] < steps(&alone) * 3 / 4, "{made:?} of {}", steps(&alone));
}

#[test]
fn a_sweep_that_grows_trains_only_what_is_new() {
    let cooldowns = |list: &str| format!("cooldown = [{list}]\nshape = \"linear\"\n");
    let sweep = |list: &str| {
        let head = SWEEP.split("[space]").next().unwrap();
        let cooldowns = cooldowns(list);
        format!(
            "{head}[space]\npeak = 0.001\n[space.schedule.constant]\n[space.schedule.wsd]\n{cooldowns}"
        )
    };
    let whole = Stage::new("pleach-mnist");
    whole.write("tree.toml", &sweep("\"20%\", \"40%\", \"10%\""));
    run_on(&whole, "");
    let expected = whole.canonical("tree");

    // With every state kept, and with none: then the trunk is trained again for it.
    for keep in ["", "--set run.keep=1KiB"] {
        let stage = Stage::new("pleach-mnist");
        stage.write("tree.toml", &sweep("\"20%\", \"40%\""));
        run_on(&stage, keep);
        let before = steps(&stage);
        stage.write("tree.toml", &sweep("\"20%\", \"40%\", \"10%\""));
        run_on(&stage, &format!("--accept {keep}"));
        assert_eq!(stage.canonical("tree"), expected);
        // Of 447 steps, those after the trunk's last branch point.
        let made = steps(&stage) - before;
        let missing = if keep.is_empty() { 0 } else { 358 };
        assert_eq!(made, 447 - 358 + missing, "{keep}");
        let (shown, _) = stage.run("show tree 1", 0);
        assert!(shown.contains("shared with 3 other trials"), "{shown}");
        assert_eq!(shown.contains("trained again for its state"), !keep.is_empty(), "{shown}");
    }
}

/// What happens to a file.
type Damage = fn(&mut Vec<u8>);

#[test]
fn states_that_are_damaged_are_made_again() {
    let sweep = |cooldowns: &str| {
        let head = SWEEP.split("[space]").next().unwrap();
        format!(
            "{head}[space]\npeak = 0.001\n[space.schedule.constant]\n[space.schedule.wsd]\ncooldown = [{cooldowns}]\n"
        )
    };
    let whole = Stage::new("pleach-mnist");
    whole.write("tree.toml", &sweep("\"20%\", \"40%\", \"10%\""));
    run_on(&whole, "");
    let expected = whole.canonical("tree");
    let flipped = |bytes: &mut Vec<u8>| *bytes.last_mut().unwrap() ^= 1;
    let halved = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2);
    let emptied = |bytes: &mut Vec<u8>| bytes.clear();
    let of_another_version = |bytes: &mut Vec<u8>| {
        let at = bytes.windows(12).position(|it| it == b"checkpoint 1").unwrap();
        bytes[at + 11] = b'9';
    };
    let ways: [(&str, Damage); 4] = [
        ("is damaged: its content does not match its digest", flipped),
        ("is no safetensors file", halved),
        ("is no safetensors file", emptied),
        ("is no checkpoint of this version", of_another_version),
    ];
    for (why, damage) in ways {
        let stage = Stage::new("pleach-mnist");
        stage.write("tree.toml", &sweep("\"20%\", \"40%\""));
        run_on(&stage, "");
        let before = steps(&stage);
        let damaged = stage.checkpoints("tree", "safetensors");
        for file in &damaged {
            let mut bytes = fs::read(file).unwrap();
            damage(&mut bytes);
            fs::write(file, bytes).unwrap();
        }
        stage.write("tree.toml", &sweep("\"20%\", \"40%\", \"10%\""));
        let said = run_on(&stage, "--accept");
        assert_eq!(stage.canonical("tree"), expected, "{why}");
        // The way to the new branch, all of it, since neither of the two states on it was of use.
        assert_eq!(steps(&stage) - before, 447, "{why}");
        let told =
            said.lines().filter(|line| line.contains("cannot be used") && line.contains(why));
        let told: Vec<&str> = told.collect();
        assert!(
            told[0].ends_with("; it will run again") && told[1].starts_with("1 more"),
            "{said}"
        );
        assert_eq!(told.len(), 2, "{said}");
        let (shown, _) = stage.run("show tree 4", 0);
        assert!(shown.contains("could not be used"), "{shown}");
        // What was found to be of no use is gone, what nobody asked for is still there.
        let left = damaged.iter().filter(|file| file.exists()).count();
        assert_eq!(left, damaged.len() - 2);
    }
}

#[test]
fn a_longer_trial_goes_on_from_a_shorter_one() {
    let stage = Stage::new("pleach-mnist");
    let sweep = |budget: &str| {
        let head = SWEEP.split("[space]").next().unwrap();
        let head = head.replace("3ep", budget).replace("100st", "1ep");
        format!("{head}[space]\npeak = 0.001\n")
    };
    stage.write("tree.toml", &sweep("1ep"));
    run_on(&stage, "");
    stage.write("tree.toml", &sweep("2ep"));
    run_on(&stage, "--accept");
    assert_eq!(steps(&stage), 2 * 149);
    // The same without another file.
    run_with(&stage, "extend tree 2 --budget 3ep");
    assert_eq!(steps(&stage), 3 * 149);
    let (board, _) = stage.run("board tree --csv", 0);
    assert!(board.contains("3ep"), "{board}");
    // What was extended stays so with the file, for as long as this holds it.
    let said = run_on(&stage, "");
    assert!(!said.contains("has changed"), "{said}");
    stage.write("tree.toml", &sweep("2ep").replace("0.001", "[0.002, 0.001]"));
    let (planned, _) = stage.run("plan tree.toml", 0);
    assert!(planned.contains("1 of them also for 3ep"), "{planned}");
    assert!(planned.contains("1 trial added, 2 kept, 0 removed"), "{planned}");
    let said = run_on(&stage, "--accept");
    assert!(
        said.contains(
            "1 trial added, 2 kept, 0 removed\nall that was extended stays so: 1 configuration\n"
        ),
        "{said}"
    );
    assert_eq!(steps(&stage), 5 * 149);
    stage.write("tree.toml", &sweep("2ep").replace("0.001", "0.002"));
    let said = run_on(&stage, "--accept");
    assert!(
        said.contains(
            "0 trials added, 1 kept, 2 removed\nof 1 configuration that were extended 0 stay so"
        ),
        "{said}"
    );
    stage.write("tree.toml", &sweep("2ep"));
    run_on(&stage, "--accept");
    assert_eq!(steps(&stage), 5 * 149);
    let alone = Stage::new("pleach-mnist");
    alone.write("tree.toml", &sweep("2ep"));
    run_on(&alone, "");
    assert_eq!(stage.canonical("tree"), alone.canonical("tree"));
}

#[test]
fn what_another_sweep_has_trained_is_taken_when_asked_for() {
    let stage = Stage::new("pleach-mnist");
    let sweep = |name: &str, cooldowns: &str, metric: &str| {
        let head = SWEEP.split("[space]").next().unwrap();
        let head = head.replace("\"tree\"", &format!("\"{name}\"")).replace("val_accuracy", metric);
        format!("{head}[space]\npeak = 0.001\n[space.schedule.wsd]\ncooldown = [{cooldowns}]\n")
    };
    stage.write("tree.toml", &sweep("first", "\"20%\", \"40%\"", "val_accuracy"));
    run_on(&stage, "");
    let before = steps(&stage);
    stage.write("tree.toml", &sweep("second", "\"10%\", \"20%\", \"40%\"", "train_loss"));
    run_on(&stage, "--reuse");
    // From where the first sweep's trials part.
    assert_eq!(steps(&stage) - before, 447 - 269);
    let alone = Stage::new("pleach-mnist");
    alone.write("tree.toml", &sweep("second", "\"10%\", \"20%\", \"40%\"", "train_loss"));
    run_on(&alone, "");
    assert_eq!(stage.canonical("second"), alone.canonical("second"));
    // Without the last column, which is how long it took.
    let board = |stage: &Stage| -> Vec<String> {
        let (csv, _) = stage.run("board second --csv", 0);
        csv.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect()
    };
    assert_eq!(board(&stage), board(&alone));
}
