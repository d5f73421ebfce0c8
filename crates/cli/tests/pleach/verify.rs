//! A recorded trial can be trained again, from its beginning or from a checkpoint, and is the same to the last bit.

use rusqlite::Connection;

use crate::stage::Stage;

const SWEEP: &str = r#"
[sweep]
name = "exact"
objective = { metric = "test_loss", goal = "min" }
[trainer]
data = "digits"
model = "lenet"
subset = 600
budget = "3ep"
eval = "1ep"
batch = 100
optimizer = "adam"
schedule.use = "constant"
[space]
peak = [0.001, 0.002]
"#;

#[test]
fn a_trial_is_the_same_again_wherever_it_starts() {
    let stage = Stage::new("pleach-mnist");
    stage.write("exact.toml", SWEEP);
    stage.run("run exact.toml", 0);
    stage.run("extend exact 1 --budget 6ep", 0);
    let check = |arguments: &str, code: i32, expected: &[&str]| {
        let text = stage.run(&format!("verify exact {arguments}"), code).0;
        for expected in expected {
            assert!(text.contains(expected), "{text}");
        }
    };
    let is_equal = "3 evaluations: equal to the last bit\nstate: equal, ";
    check("2", 0, &["trial 2, trained again from step 0 to 18\n", is_equal]);
    check("3 --from 20", 0, &["trial 3, trained again from step 18 to 36\n", is_equal]);
    stage.run("verify exact 4", 66);

    let database = Connection::open(stage.path().join("runs/exact/pleach.db")).unwrap();
    database.execute("UPDATE metric SET value = value + 1e-9 WHERE step = 18", []).unwrap();
    drop(database);
    check("2", 1, &["3 evaluations: 6 differences\n", " test_loss "]);
}
