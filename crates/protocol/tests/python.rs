//! The example worker in another language speaks the protocol.

use std::{
    io::{self, Read, Write},
    process::{Command, Stdio},
};

use pleach_protocol::{
    line,
    message::{FromWorker, Outcome},
};

#[test]
fn a_worker_of_thirty_lines_descends_a_bowl() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/workers/quadratic.py");
    let child =
        Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        io::stderr()
            .write_all(format!("SKIPPED: there is no python3 to run {script}\n").as_bytes())
            .unwrap();
        return;
    };
    let lines = [
        r#"{"hello":{"protocol":1,"threads":1,"device":"cpu"}}"#,
        r#"{"measure":{"id":1,"parameters":{"steps":3}}}"#,
        r#"{"start":{"attempt":1,"trial":1,"parameters":{"start":8,"steps":3},"schedule":{"table":[0.5,0.5,0.5]},"seed":1,"first":0,"end":3,"budget":3,"directory":"/x"}}"#,
        r#"{"start":{"attempt":2,"trial":1,"parameters":{"start":8,"steps":3},"schedule":{"table":[1e200,1e200,1e200]},"seed":1,"first":0,"end":3,"budget":3,"directory":"/x"}}"#,
        r#""exit""#,
    ];
    child.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success());
    let heard: Vec<FromWorker> =
        said.lines().map(|text| line::read(text.as_bytes()).unwrap()).collect();
    assert!(
        matches!(&heard[0], FromWorker::Hello(description) if description.parameters.len() == 3)
    );
    assert!(matches!(&heard[1], FromWorker::Measured(measured) if measured.steps == 3));
    assert!(
        matches!(&heard[2], FromWorker::Metrics(metrics) if metrics.values["loss"].get() == 0.5)
    );
    assert!(matches!(&heard[3], FromWorker::Finished(finished) if finished.step == 3));
    // Its loss is no number any more, which JSON cannot say.
    assert!(
        matches!(&heard[4], FromWorker::Metrics(metrics) if metrics.values["loss"].get().is_nan())
    );
    assert!(
        matches!(&heard[5], FromWorker::Finished(finished) if finished.outcome == Outcome::Diverged)
    );
}
