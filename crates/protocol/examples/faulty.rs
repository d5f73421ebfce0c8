//! A worker that misbehaves as its parameter `fault` says, for tests of whatever drives workers. In the middle of a stage
//! it reports one evaluation, which a lost attempt leaves behind, and then does its deed.

#![expect(clippy::print_stderr, clippy::exit, reason = "misbehaviour is its purpose")]

use std::{
    fs,
    hint::black_box,
    io::{self, Write},
    path::Path,
    process::{Command, abort, exit},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use pleach_protocol::{
    describe::{Description, Kind, Parameter, ScheduleForm},
    line,
    message::{
        Fault, FaultClass, Finished, FromWorker, Greeting, Outcome, PROTOCOL, Parameters, Progress,
        Start,
    },
    number::Number,
    serve::{Ending, Length, Refusal, Reporter, Worker, serve},
};
use serde_json::Value;

/// Every fault, and what it does.
const FAULTS: [(&str, &str); 13] = [
    ("none", "nothing amiss"),
    ("crash", "aborts"),
    ("exit", "exits with code 3"),
    ("nonsense", "says a line that is no message, and goes on"),
    ("flood", "writes for ever, without an end of line"),
    ("lie-step", "says that an attempt has finished that it never was granted, and goes on"),
    ("hang", "says nothing any more and heeds neither stop nor the end of its input"),
    ("slow", "takes 20 ms for every step, and shows progress at each; heeds stop"),
    ("fail", "says that it cannot go on"),
    ("no-memory", "says that it cannot go on for want of memory"),
    ("allocate", "asks for more memory than any machine has"),
    ("once-crash", "aborts the first time that this stage of the trial is run"),
    ("orphan", "starts `sleep 600`, tells its log the process id, and hangs"),
];

/// Longer than any test, and short enough that nothing forgotten stays for ever.
const FOR_EVER: Duration = Duration::from_mins(10);

/// Whether the end of the input is ignored, too.
static STUBBORN: AtomicBool = AtomicBool::new(false);

struct Faulty;

impl Worker for Faulty {
    fn describe(&mut self, _: &Greeting) -> Result<Description, String> {
        let parameter = |name: &str, kind, default: Value, doc: &str| Parameter {
            name: name.to_owned(),
            kind,
            default: Some(default),
            doc: doc.to_owned(),
            length: name == "length",
            only: None,
            per_step: false,
            role: None,
        };
        let choices = FAULTS.iter().map(|&(fault, _)| fault.to_owned()).collect();
        let fault = Kind::Text { choices, pattern: None };
        let parameters = vec![
            parameter("fault", fault, "none".into(), "how it misbehaves"),
            parameter("length", Kind::Int { min: Some(1), max: None }, 1.into(), "steps"),
            parameter("x", Kind::Float { min: None, max: None }, 0.0.into(), "any number"),
        ];
        Ok(Description {
            protocol: PROTOCOL,
            program: "faulty".to_owned(),
            version: "1".to_owned(),
            numerics: "faulty-1".to_owned(),
            exact: true,
            queue: 4,
            schedules: ScheduleForm::Profile,
            checkpoints: false,
            parameters,
            devices: vec!["cpu".to_owned()],
            metrics: vec!["value".to_owned()],
            needs: std::collections::BTreeMap::new(),
        })
    }

    fn measure(&mut self, parameters: &Parameters) -> Result<Length, Refusal> {
        let steps = parameters.get("length").map_or(Some(1), Value::as_u64);
        steps
            .filter(|&steps| 0 < steps)
            .map(|steps| Length { steps, steps_per_epoch: 1, data: String::new(), lanes: 1 })
            .ok_or_else(|| Refusal {
                parameter: Some("length".to_owned()),
                message: "a whole number above 0".to_owned(),
            })
    }

    fn run(&mut self, start: &Start, reporter: &mut Reporter) -> Ending {
        let fault = start.parameters.get("fault").and_then(Value::as_str).unwrap_or("none");
        let x = start.parameters.get("x").and_then(Value::as_f64).unwrap_or(0.0);
        let value = (x + start.seed as f64).sin();
        let middle = start.first + (start.end - start.first) / 2;
        for step in start.first..start.end {
            if reporter.should_stop() {
                return Ending { step, outcome: Outcome::Stopped, digest: String::new() };
            }
            if step == middle {
                let misbehaves = match fault {
                    "none" | "slow" => false,
                    "once-crash" => is_first_time(start),
                    _ => true,
                };
                if misbehaves {
                    reporter.metrics(step, [("value".to_owned(), -2.0)]);
                    reporter.flush();
                    if let Some(ending) = misbehave(fault, start, step) {
                        return ending;
                    }
                }
            }
            if fault == "slow" {
                reporter.flush();
                thread::sleep(Duration::from_millis(20));
                let live = [("value".to_owned(), Number::new(value))].into();
                say(&FromWorker::Progress(Progress {
                    attempt: start.attempt,
                    step: step + 1,
                    live,
                }));
            }
        }
        reporter.metrics(start.end, [("value".to_owned(), value)]);
        Ending { step: start.end, outcome: Outcome::Done, digest: String::new() }
    }
}

/// Does the deed; returns the attempt's end if it ends by it and the process lives on.
fn misbehave(fault: &str, start: &Start, step: u64) -> Option<Ending> {
    match fault {
        "crash" | "once-crash" => abort(),
        "exit" => exit(3),
        "nonsense" => write(b"I am no message\n"),
        "flood" => loop {
            write(&[b'x'; 4096]);
        },
        "lie-step" => say(&FromWorker::Finished(Finished {
            attempt: start.attempt + 1_000_000,
            step: start.end,
            outcome: Outcome::Done,
            digest: String::new(),
        })),
        "hang" => hang(),
        "fail" => return Some(Ending::failed(step, "as it was told")),
        "no-memory" => {
            let fault = Fault { class: FaultClass::OutOfMemory, why: "as it was told".to_owned() };
            let (outcome, digest) = (Outcome::Fault(fault), String::new());
            return Some(Ending { step, outcome, digest });
        }
        "allocate" => drop(black_box(Vec::<u8>::with_capacity(isize::MAX as usize))),
        "orphan" => {
            // The grandchild holds our standard output open, as a forgotten data loader does.
            match Command::new("sleep").arg(FOR_EVER.as_secs().to_string()).spawn() {
                Ok(child) => eprintln!("started process {}", child.id()),
                Err(error) => eprintln!("failed to start sleep: {error}"),
            }
            hang();
        }
        _ => {}
    }
    None
}

fn hang() -> ! {
    STUBBORN.store(true, Ordering::SeqCst);
    thread::sleep(FOR_EVER);
    exit(4);
}

/// A marker beside the attempt's folder remembers that the stage was run.
fn is_first_time(start: &Start) -> bool {
    let Some(folder) = Path::new(&start.directory).parent() else { return false };
    let marker = folder.join(format!("crashed-{}-{}", start.trial, start.first));
    let made = fs::create_dir_all(folder).and_then(|()| fs::File::create_new(marker));
    made.is_ok()
}

/// Says what the library's worker's side cannot. What waits there must be flushed before.
fn say(message: &FromWorker) {
    let mut bytes = Vec::new();
    line::write(message, &mut bytes);
    write(&bytes);
}

/// Ends the process when nobody listens any more.
fn write(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
        exit(5);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let orphaned = || {
        if !STUBBORN.load(Ordering::SeqCst) {
            abort();
        }
    };
    serve(&mut Faulty, io::stdin(), io::stdout(), orphaned)?;
    Ok(())
}
