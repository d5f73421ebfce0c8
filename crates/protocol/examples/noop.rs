//! A worker that does nothing: every stage is done at once, with one metric. For measuring what a trial costs beyond
//! itself, and for tests of whatever drives workers.

use pleach_protocol::{
    describe::{Description, Kind, Parameter, ScheduleForm},
    message::{Greeting, Outcome, PROTOCOL, Parameters, Start},
    serve::{Ending, Length, Refusal, Reporter, Worker, serve},
};

struct Noop;

impl Worker for Noop {
    fn describe(&mut self, _: &Greeting) -> Result<Description, String> {
        let x = Parameter {
            name: "x".to_owned(),
            kind: Kind::Float { min: None, max: None },
            default: Some(0.0.into()),
            doc: "any number".to_owned(),
            length: false,
            only: None,
            per_step: false,
            role: None,
        };
        Ok(Description {
            protocol: PROTOCOL,
            program: "noop".to_owned(),
            version: "1".to_owned(),
            numerics: "noop-1".to_owned(),
            exact: true,
            queue: 256,
            schedules: ScheduleForm::Profile,
            checkpoints: false,
            parameters: vec![x],
            devices: vec!["cpu".to_owned()],
            metrics: vec!["value".to_owned()],
            needs: std::collections::BTreeMap::new(),
        })
    }

    fn measure(&mut self, _: &Parameters) -> Result<Length, Refusal> {
        Ok(Length { steps: 1, steps_per_epoch: 1, data: String::new(), lanes: 1 })
    }

    fn run(&mut self, start: &Start, reporter: &mut Reporter) -> Ending {
        let x = start.parameters.get("x").and_then(serde_json::Value::as_f64).unwrap_or(0.0);
        reporter.metrics(1, [("value".to_owned(), (x + start.seed as f64).sin())]);
        Ending { step: 1, outcome: Outcome::Done, digest: String::new() }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    serve(&mut Noop, std::io::stdin(), std::io::stdout(), || std::process::abort())?;
    Ok(())
}
