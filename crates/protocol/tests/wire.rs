//! The wire form of every message, so that a change of it is seen, and the page that describes it for people.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use pleach_protocol::{
    describe::{Description, Kind, Parameter, ScheduleForm},
    line,
    message::{
        Checkpoint, CheckpointFile, Fault, FaultClass, Finished, FromWorker, Greeting, Interval,
        MAX_LINE, Measure, Measured, Metrics, Outcome, PROTOCOL, Progress, Refused, Schedule,
        Start, Stop, ToWorker, Usage, Warning,
    },
    number::Number,
};
use pleach_schedule::resolved::Resolved;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../../docs/protocol.md");

fn text(text: &str) -> String {
    text.to_owned()
}

/// One of each kind at least, every optional field present and absent.
fn to_worker() -> Vec<ToWorker> {
    let parameters = || {
        let pairs = [
            ("batch", json!(128)),
            ("layers", json!([256, 64])),
            ("model", json!("mlp-128")),
            ("momentum", json!(0.9)),
            ("nesterov", json!(true)),
        ];
        pairs.map(|(name, value)| (text(name), value)).into()
    };
    let plain = Start {
        attempt: 1,
        trial: 2,
        parameters: [].into(),
        schedule: None,
        profiles: [].into(),
        seed: u64::MAX,
        first: 0,
        end: 3,
        budget: 6,
        from: None,
        checkpoint: None,
        keep: false,
        directory: text("/runs/x/attempts/1"),
    };
    let profile = |plateau: Option<&str>| {
        Some(Schedule::Profile {
            rates: text("0.1: 1 > 0 cosine for 6"),
            plateau: plateau.map(text),
        })
    };
    let start = |start: Start| ToWorker::Start(Box::new(start));
    let from = CheckpointFile { file: text("/c/4"), step: 4, digest: text("5f0c") };
    let greeting = |data: Option<&str>| {
        let (device, data) = (text("cuda:0"), data.map(text));
        ToWorker::Hello(Greeting { protocol: PROTOCOL, threads: 1, device, data })
    };
    vec![
        greeting(None),
        greeting(Some("/data")),
        ToWorker::Measure(Measure { id: 0, parameters: parameters() }),
        start(plain.clone()),
        start(Start {
            parameters: parameters(),
            schedule: Some(Schedule::Table(vec![0.1, 1e-9, 0.0])),
            checkpoint: Some(Interval::Steps(100)),
            ..plain.clone()
        }),
        start(Start { schedule: profile(None), ..plain.clone() }),
        start(Start {
            schedule: profile(None),
            profiles: [
                (text("momentum"), Schedule::Table(vec![0.9, 0.8])),
                (text("weight_decay"), profile(None).unwrap()),
            ]
            .into(),
            ..plain.clone()
        }),
        start(Start {
            schedule: profile(Some("plateau(factor=0.1)")),
            first: 3,
            end: 6,
            from: Some(from),
            checkpoint: Some(Interval::Seconds(60.0)),
            keep: true,
            ..plain
        }),
        ToWorker::Stop(Stop { attempt: 1 }),
        ToWorker::Exit,
    ]
}

fn warning(line: Option<u64>) -> FromWorker {
    let (what, first) = ("a line was left out".to_owned(), "`x`".to_owned());
    FromWorker::Warning(Warning { attempt: 1, what, count: 3, line, first })
}

fn from_worker() -> Vec<FromWorker> {
    let parameter = |name: &str, kind: Kind| Parameter {
        name: text(name),
        kind,
        default: None,
        doc: String::new(),
        length: false,
        only: None,
        per_step: false,
        role: None,
    };
    let choices = vec![text("sgd"), text("adam")];
    let parameters = vec![
        Parameter {
            default: Some(json!(false)),
            only: Some((text("optimizer"), vec![text("sgd")])),
            ..parameter("nesterov", Kind::Bool)
        },
        Parameter {
            doc: text("samples to a step"),
            length: true,
            ..parameter("batch", Kind::Int { min: Some(1), max: Some(4096) })
        },
        parameter("any_int", Kind::Int { min: None, max: None }),
        Parameter {
            per_step: true,
            ..parameter("momentum", Kind::Float { min: Some(0.0), max: Some(0.99) })
        },
        parameter("any_float", Kind::Float { min: None, max: None }),
        parameter("optimizer", Kind::Text { choices, pattern: None }),
        parameter("model", Kind::Text { choices: vec![], pattern: Some(text("mlp-H")) }),
        parameter("budget", Kind::Duration),
    ];
    let hello = |schedules, parameters, metrics| {
        FromWorker::Hello(Box::new(Description {
            protocol: PROTOCOL,
            program: text("my-trainer"),
            version: text("2.1"),
            numerics: text("my-trainer-2"),
            exact: schedules == ScheduleForm::Table,
            queue: 1,
            schedules,
            checkpoints: true,
            parameters,
            devices: vec![text("cpu")],
            needs: match schedules {
                ScheduleForm::Table => {
                    [(text("val_loss"), [(text("valid"), 2000.into())].into())].into()
                }
                ScheduleForm::Profile => [].into(),
            },
            metrics,
        }))
    };
    let finished = |outcome| {
        FromWorker::Finished(Finished { attempt: 1, step: 6, outcome, digest: text("9b74") })
    };
    let number = |name: &str, value: f64| (text(name), Number::new(value));
    let values = [
        number("a", 0.1),
        number("b", 3.0),
        number("c", f64::NAN),
        number("d", f64::INFINITY),
        number("e", f64::NEG_INFINITY),
        number("f", -0.0),
        number("g", 5e-324),
        number("h", f64::MAX),
    ];
    let refused = |parameter: Option<&str>| {
        let (parameter, message) = (parameter.map(text), text("at least 1"));
        FromWorker::Refused(Refused { id: 0, parameter, message })
    };
    let measured = |lanes| {
        let data = text("0a77");
        FromWorker::Measured(Measured { id: 0, steps: 6, steps_per_epoch: 3, data, lanes })
    };
    let progress = |live| FromWorker::Progress(Progress { attempt: 1, step: 2, live });
    let (file, digest) = (text("4.safetensors"), text("5f0c"));
    vec![
        hello(ScheduleForm::Table, vec![], vec![]),
        hello(ScheduleForm::Profile, parameters, vec![text("val_accuracy")]),
        measured(1),
        measured(16),
        refused(None),
        refused(Some("batch")),
        progress([].into()),
        progress([number("samples_per_second", 61250.5)].into()),
        FromWorker::Metrics(Metrics { attempt: 1, step: 3, values: values.into() }),
        FromWorker::Checkpoint(Checkpoint { attempt: 1, step: 4, file, digest }),
        finished(Outcome::Done),
        finished(Outcome::Diverged),
        finished(Outcome::Stopped),
        finished(Outcome::Failed(text("out of memory"))),
        FromWorker::Usage(Usage { attempt: 1, memory: 3 << 30, cpu: 1500 }),
        warning(Some(12)),
        warning(None),
        finished(Outcome::Fault(Fault { class: FaultClass::OutOfMemory, why: text("2 GiB") })),
        finished(Outcome::Unusable(text("4 is damaged"))),
    ]
}

/// The lines of these messages, each of which reads back as it was.
fn lines<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(messages: &[T]) -> String {
    let mut text = Vec::new();
    for message in messages {
        let begin = text.len();
        line::write(message, &mut text);
        assert_eq!(line::read::<T>(&text[begin..]).as_ref(), Ok(message));
    }
    String::from_utf8(text).unwrap()
}

/// A new kind of message does not compile until it is here, and is not tested until it is above.
fn kinds() -> BTreeSet<&'static str> {
    let to = to_worker().into_iter().map(|message| match message {
        ToWorker::Hello(_) => "to hello",
        ToWorker::Measure(_) => "to measure",
        ToWorker::Start(_) => "to start",
        ToWorker::Stop(_) => "to stop",
        ToWorker::Exit => "to exit",
    });
    let from = from_worker().into_iter().map(|message| match message {
        FromWorker::Hello(_) => "from hello",
        FromWorker::Measured(_) => "from measured",
        FromWorker::Refused(_) => "from refused",
        FromWorker::Progress(_) => "from progress",
        FromWorker::Metrics(_) => "from metrics",
        FromWorker::Checkpoint(_) => "from checkpoint",
        FromWorker::Usage(_) => "from usage",
        FromWorker::Warning(_) => "from warning",
        FromWorker::Finished(_) => "from finished",
    });
    to.chain(from).collect()
}

#[test]
fn the_wire_form_of_what_a_worker_hears() {
    insta::assert_snapshot!(lines(&to_worker()));
}

#[test]
fn the_wire_form_of_what_a_worker_says() {
    insta::assert_snapshot!(lines(&from_worker()));
    assert_eq!(kinds().len(), 14);
}

#[test]
fn what_may_be_left_out_has_its_documented_value() {
    let shortest = r#"{"hello":{"protocol":1,"program":"p","version":"1","numerics":"n","parameters":[{"name":"x","kind":{"type":"bool"}}],"later":1}}"#;
    let read: FromWorker = line::read(shortest.as_bytes()).unwrap();
    insta::assert_snapshot!(lines(&[read]), @r#"{"hello":{"protocol":1,"program":"p","version":"1","numerics":"n","queue":0,"schedules":"table","checkpoints":false,"parameters":[{"name":"x","kind":{"type":"bool"},"doc":""}],"devices":[],"metrics":[]}}"#);
    for short in [
        r#"{"measured":{"id":0,"steps":6,"steps_per_epoch":3}}"#,
        r#"{"finished":{"attempt":1,"step":6,"outcome":"done"}}"#,
        r#"{"progress":{"attempt":1,"step":6}}"#,
        r#"{"warning":{"attempt":1,"what":"the disk is slow"}}"#,
    ] {
        line::read::<FromWorker>(short.as_bytes()).unwrap();
    }
}

/// The lines of the page's `json` blocks.
fn examples() -> Vec<&'static str> {
    let mut blocks = PAGE.split("```");
    let mut lines = Vec::new();
    blocks.next();
    while let (Some(block), Some(_)) = (blocks.next(), blocks.next()) {
        if let Some(block) = block.strip_prefix("json\n") {
            lines.extend(block.lines());
        }
    }
    lines
}

/// What `written` says is in `read`, too: no field was ignored for its name.
fn is_kept(written: &Value, read: &Value) -> bool {
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => written
            .iter()
            .all(|(name, value)| read.get(name).is_some_and(|read| is_kept(value, read))),
        (Value::Array(written), Value::Array(read)) => {
            written.len() == read.len()
                && written.iter().zip(read).all(|(written, read)| is_kept(written, read))
        }
        _ => written == read,
    }
}

#[test]
fn every_example_on_the_page_is_a_message_and_every_kind_has_one() {
    let mut shown = BTreeSet::new();
    for example in examples() {
        let written: Value = serde_json::from_str(example).unwrap();
        let heard = line::read::<ToWorker>(example.as_bytes());
        let said = line::read::<FromWorker>(example.as_bytes());
        let (way, read) = match (&heard, &said) {
            (Ok(heard), Err(_)) => ("to", serde_json::to_value(heard).unwrap()),
            (Err(_), Ok(said)) => ("from", serde_json::to_value(said).unwrap()),
            _ => panic!("{example}: {heard:?}, {said:?}"),
        };
        assert!(is_kept(&written, &read), "{example} is read as {read}");
        if let Ok(ToWorker::Start(start)) = &heard
            && let Some(Schedule::Profile { rates, .. }) = &start.schedule
        {
            assert!(rates.parse::<Resolved>().is_ok(), "{rates}");
        }
        let kind = written.as_str().or_else(|| Some(written.as_object()?.keys().next()?.as_str()));
        shown.insert(format!("{way} {}", kind.unwrap()));
    }
    assert_eq!(shown, kinds().into_iter().map(str::to_owned).collect());
}

#[test]
fn the_page_explains_every_field_and_states_the_bounds() {
    fn names(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    found.insert(name.clone());
                    // What is inside are names that a program chooses.
                    if !["parameters", "profiles", "values", "live"].contains(&name.as_str())
                        || value.is_array()
                    {
                        names(value, found);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| names(item, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    for message in to_worker() {
        names(&serde_json::to_value(message).unwrap(), &mut found);
    }
    for message in from_worker() {
        names(&serde_json::to_value(message).unwrap(), &mut found);
    }
    let explained = |name: &String| {
        PAGE.contains(&format!("`{name}`"))
            || PAGE.contains(&format!("### {name}\n"))
            || PAGE.contains(&format!("{{\"{name}\":"))
    };
    let missing: Vec<String> = found.into_iter().filter(|name| !explained(name)).collect();
    assert_eq!(missing, [""; 0]);
    assert!(PAGE.contains("(8 388 608 bytes") && MAX_LINE == 8_388_608);
    assert!(PAGE.contains(&format!("This page describes version {PROTOCOL}.")));
}
