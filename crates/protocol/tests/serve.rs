//! The worker's side against a coordinator made of text: what is said for what is heard.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    io::{BufRead, BufReader, Write, pipe},
    thread,
};

use pleach_protocol::{
    describe::Description,
    message::{Greeting, Outcome, Parameters, Start},
    serve::{Ending, Length, Refusal, Reporter, ServeError, Worker, serve},
};

/// Does what its parameter `do` says.
struct Puppet;

impl Worker for Puppet {
    fn describe(&mut self, greeting: &Greeting) -> Result<Description, String> {
        if greeting.device != "cpu" {
            return Err(format!("no device `{}`", greeting.device));
        }
        let text =
            r#"{"protocol":1,"program":"puppet","version":"1","numerics":"x","parameters":[]}"#;
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    fn measure(&mut self, parameters: &Parameters) -> Result<Length, Refusal> {
        match parameters.get("steps").and_then(serde_json::Value::as_u64) {
            Some(steps) => Ok(Length { steps, steps_per_epoch: 1, data: String::new(), lanes: 1 }),
            None => {
                Err(Refusal { parameter: Some("steps".to_owned()), message: "needed".to_owned() })
            }
        }
    }

    fn run(&mut self, start: &Start, reporter: &mut Reporter) -> Ending {
        let deed = start.parameters["do"].as_str().unwrap();
        assert_ne!(deed, "panic", "as told");
        reporter.metrics(1, [("loss".to_owned(), f64::NAN), ("x".to_owned(), 0.1)]);
        if deed == "wait" {
            while !reporter.should_stop() {
                std::thread::yield_now();
            }
            return Ending { step: 1, outcome: Outcome::Stopped, digest: String::new() };
        }
        reporter.checkpoint(start.end, "c".to_owned(), "00".to_owned());
        Ending { step: start.end, outcome: Outcome::Done, digest: "00".to_owned() }
    }
}

const HELLO: &str = r#"{"hello":{"protocol":1,"threads":1,"device":"cpu"}}"#;

fn start(attempt: u64, deed: &str) -> String {
    format!(
        r#"{{"start":{{"attempt":{attempt},"trial":1,"parameters":{{"do":"{deed}"}},"seed":1,"first":0,"end":2,"budget":2,"directory":"/x"}}}}"#
    )
}

fn converse(lines: &[&str]) -> (Result<(), ServeError>, String) {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    // The input stays open until the worker has heard `exit`; without one it ends.
    let _open = (lines.last() == Some(&r#""exit""#)).then_some(writer);
    let mut output = Vec::new();
    let result = serve(&mut Puppet, reader, &mut output, || ());
    (result, String::from_utf8(output).unwrap())
}

#[test]
fn a_conversation_from_hello_to_exit() {
    let good = start(7, "good");
    let (result, said) = converse(&[
        HELLO,
        r#"{"measure":{"id":3,"parameters":{"steps":9}}}"#,
        r#"{"measure":{"id":4,"parameters":{}}}"#,
        &good,
        r#""exit""#,
    ]);
    assert!(result.is_ok());
    insta::assert_snapshot!(said, @r#"
    {"hello":{"protocol":1,"program":"puppet","version":"1","numerics":"x","queue":0,"schedules":"table","checkpoints":false,"parameters":[],"devices":[],"metrics":[]}}
    {"measured":{"id":3,"steps":9,"steps_per_epoch":1,"data":""}}
    {"refused":{"id":4,"parameter":"steps","message":"needed"}}
    {"metrics":{"attempt":7,"step":1,"values":{"loss":"NaN","x":0.1}}}
    {"checkpoint":{"attempt":7,"step":2,"file":"c","digest":"00"}}
    {"finished":{"attempt":7,"step":2,"outcome":"done","digest":"00"}}
    "#);
}

#[test]
fn a_queued_attempt_that_is_stopped_does_not_run() {
    let (good, queued) = (start(1, "good"), start(2, "good"));
    let (_, said) = converse(&[HELLO, r#"{"stop":{"attempt":2}}"#, &good, &queued, r#""exit""#]);
    assert!(said.ends_with(
        "{\"finished\":{\"attempt\":2,\"step\":0,\"outcome\":\"stopped\",\"digest\":\"\"}}\n"
    ));
}

#[test]
fn a_running_attempt_can_be_stopped() {
    let (reader, mut writer) = pipe().unwrap();
    let (said, sayer) = pipe().unwrap();
    let worker = thread::spawn(move || serve(&mut Puppet, reader, sayer, || ()).is_ok());
    writer.write_all((start(1, "wait") + "\n").as_bytes()).unwrap();
    let mut said = BufReader::new(said).lines();
    assert!(said.next().unwrap().unwrap().starts_with("{\"metrics\""));
    writer.write_all(b"{\"stop\":{\"attempt\":1}}\n\"exit\"\n").unwrap();
    let finished = r#"{"finished":{"attempt":1,"step":1,"outcome":"stopped","digest":""}}"#;
    assert_eq!(said.next().unwrap().unwrap(), finished);
    assert!(worker.join().unwrap());
}

#[test]
fn a_panic_is_a_failed_attempt_and_the_worker_goes_on() {
    let (panic, good) = (start(1, "panic"), start(2, "good"));
    let (result, said) = converse(&[HELLO, &panic, &good, r#""exit""#]);
    assert!(result.is_ok());
    assert!(said.contains(
        r#"{"finished":{"attempt":1,"step":0,"outcome":{"failed":"the worker program panicked: "#
    ));
    assert!(said.contains(r#"{"finished":{"attempt":2,"step":2,"outcome":"done","digest":"00"}}"#));
}

#[test]
fn what_is_no_message_ends_the_worker() {
    let error = |lines: &[&str]| converse(lines).0.unwrap_err().to_string();
    assert_eq!(error(&["boo", r#""exit""#]), "the coordinator said something that is no message");
    assert_eq!(
        error(&[r#"{"hello":{"protocol":2,"threads":1,"device":"cpu"}}"#, r#""exit""#]),
        "the coordinator speaks version 2 of the protocol, this worker version 1"
    );
    assert_eq!(
        error(&[r#"{"hello":{"protocol":1,"threads":1,"device":"cuda:9"}}"#, r#""exit""#]),
        "no device `cuda:9`"
    );
}

#[test]
fn the_end_of_the_input_ends_an_idle_worker() {
    let (result, said) = converse(&[HELLO]);
    assert!(result.is_ok() && said.starts_with("{\"hello\""));
}
