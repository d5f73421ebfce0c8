//! What an attempt says does not depend on what is trained beside it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::BTreeMap,
    io::{self, PipeWriter, Write, pipe},
    path::Path,
    sync::{LazyLock, Mutex},
};

use pleach_protocol::{
    line,
    message::{
        CheckpointFile, FromWorker, Interval, Outcome, Parameters, Schedule, Start, Stop, ToWorker,
    },
    serve::{LaneWorker, serve},
};
use pleach_trainer::worker::Trainer;
use proptest::{prelude::*, sample::select};

/// One for all: making the digits takes most of a second.
static TRAINER: LazyLock<Mutex<Trainer>> = LazyLock::new(Mutex::default);

/// What lanes have in common; narrow and wide first layers, and one that is trained alone.
const SHAPES: [&str; 7] = [
    "model=linear batch=30",
    "model=mlp-3 batch=16",
    "model=mlp-16 batch=32",
    "model=mlp-37-11 batch=25 normalize=unit",
    "model=mlp-70 batch=40",
    "model=mlp-130 batch=50",
    "model=lenet batch=50",
];

const OPTIMIZERS: [&str; 6] = [
    "optimizer=sgd",
    "optimizer=sgd weight_decay=0.01",
    "optimizer=sgd momentum=0.9",
    "optimizer=sgd momentum=0.5 nesterov=true init=glorot",
    "optimizer=adam init=kaiming",
    "optimizer=adamw weight_decay=0.1",
];

const AVERAGES: [&str; 3] =
    ["average=none", "average=swa swa_start=3st swa_every=2st", "average=ema ema_decay=0.9"];

/// The last one diverges, sooner or later.
const SCHEDULES: [(&str, Option<&str>); 4] = [
    ("0.05: 1 hold", None),
    ("0.1: 0 > 1 linear for 3, 1 > 0 cosine for 7", None),
    ("0.1: 1 hold", Some("plateau(factor=0.5,patience=0)")),
    ("1: 0.01 hold for 4, 1e30 hold", None),
];

fn parameters(text: &str) -> Parameters {
    let pairs = text.split_whitespace().map(|pair| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into()))
    });
    pairs.collect()
}

/// An attempt from its trial's first step.
fn start(
    what: &str,
    (rates, plateau): (&str, Option<&str>),
    seed: u64,
    (end, budget): (u64, u64),
) -> Start {
    let (rates, plateau) = (rates.to_owned(), plateau.map(str::to_owned));
    Start {
        attempt: 0,
        trial: 0,
        parameters: parameters(&format!("subset=120 valid=30 {what} budget={budget}st")),
        schedule: Some(Schedule::Profile { rates, plateau }),
        profiles: BTreeMap::new(),
        seed,
        first: 0,
        end: end.min(budget),
        budget,
        from: None,
        checkpoint: Some(Interval::Steps(3)),
        keep: true,
        directory: String::new(),
    }
}

/// Any attempt of a shape.
fn attempt(shape: &'static str) -> impl Strategy<Value = Start> {
    let what = (select(&OPTIMIZERS), select(&AVERAGES), select(&SCHEDULES));
    (what, 1_u64..3, 3_u64..14, 1_u64..14, 1_u64..6).prop_map(
        move |((optimizer, average, schedule), seed, budget, end, every)| {
            let what = format!("{shape} {optimizer} {average} eval={every}st");
            start(&what, schedule, seed, (end, budget))
        },
    )
}

/// Several of one shape, and one of another that has to wait.
fn attempts() -> impl Strategy<Value = Vec<Start>> {
    (select(&SHAPES), select(&SHAPES)).prop_flat_map(|(shape, other)| {
        let others = prop::collection::vec(attempt(other), 0..2);
        (prop::collection::vec(attempt(shape), 1..20), others).prop_map(|(mut starts, others)| {
            starts.extend(others);
            starts
        })
    })
}

/// Takes what is said, and says the rest when the first word comes.
struct Coordinator<'a> {
    said: &'a mut Vec<u8>,
    writer: PipeWriter,
    rest: Vec<u8>,
}

impl Write for Coordinator<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write_all(&std::mem::take(&mut self.rest))?;
        self.said.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything that is said of each attempt, but how it goes.
fn converse(folder: &Path, first: &[Start], rest: &[ToWorker]) -> BTreeMap<u64, Vec<FromWorker>> {
    let lines = |messages: &[ToWorker]| {
        let mut lines = Vec::new();
        for message in messages {
            let mut message = message.clone();
            if let ToWorker::Start(start) = &mut message {
                start.directory = folder.join(start.attempt.to_string()).display().to_string();
            }
            line::write(&message, &mut lines);
        }
        lines
    };
    let first: Vec<ToWorker> =
        first.iter().map(|start| ToWorker::Start(Box::new(start.clone()))).collect();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(&lines(&first)).unwrap();
    let mut said = Vec::new();
    let rest = lines(&[rest, &[ToWorker::Exit]].concat());
    let coordinator = Coordinator { said: &mut said, writer, rest };
    serve(&mut *TRAINER.lock().unwrap(), reader, coordinator, || ()).unwrap();
    let mut by_attempt: BTreeMap<u64, Vec<FromWorker>> = BTreeMap::new();
    for line in said.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let message: FromWorker = line::read(line).unwrap();
        let attempt = match &message {
            FromWorker::Metrics(metrics) => metrics.attempt,
            FromWorker::Checkpoint(checkpoint) => checkpoint.attempt,
            FromWorker::Finished(finished) => finished.attempt,
            FromWorker::Progress(_) => continue,
            other => panic!("{other:?}"),
        };
        by_attempt.entry(attempt).or_default().push(message);
    }
    by_attempt
}

fn alone(folder: &Path, start: &Start) -> Vec<FromWorker> {
    converse(folder, std::slice::from_ref(start), &[]).remove(&start.attempt).unwrap()
}

/// Where a stage below this attempt would start.
fn checkpoint(folder: &Path, attempt: u64, said: &[FromWorker]) -> Option<CheckpointFile> {
    said.iter().rev().find_map(|message| match message {
        FromWorker::Checkpoint(checkpoint) => Some(CheckpointFile {
            file: folder.join(attempt.to_string()).join(&checkpoint.file).display().to_string(),
            step: checkpoint.step,
            digest: checkpoint.digest.clone(),
        }),
        _ => None,
    })
}

#[track_caller]
fn check(mut starts: Vec<Start>, n_first: usize, stopped: &[usize]) {
    let folder = tempfile::tempdir().unwrap();
    let (apart, beside) = (folder.path().join("apart"), folder.path().join("beside"));
    for (number, start) in starts.iter_mut().enumerate() {
        start.attempt = number as u64 + 1;
    }
    let mut expected: BTreeMap<u64, Vec<FromWorker>> =
        starts.iter().map(|start| (start.attempt, alone(&apart, start))).collect();
    // Every other one that is not at its end goes on, from wherever it was saved last.
    for index in (0..starts.len()).step_by(2) {
        let start = &starts[index];
        let saved = checkpoint(&apart, start.attempt, &expected[&start.attempt]);
        if let (Some(from), true) = (saved, start.end < start.budget) {
            let (attempt, first) = (starts.len() as u64 + 1, from.step);
            let end = start.budget;
            let next = Start { attempt, first, end, from: Some(from), ..start.clone() };
            expected.insert(attempt, alone(&apart, &next));
            starts.push(next);
        }
    }
    let (first, rest) = starts.split_at(n_first.clamp(1, starts.len()));
    let stop =
        |&index: &usize| ToWorker::Stop(Stop { attempt: starts[index % starts.len()].attempt });
    let rest: Vec<ToWorker> = stopped
        .iter()
        .map(stop)
        .chain(rest.iter().map(|start| ToWorker::Start(Box::new(start.clone()))))
        .collect();
    let found = converse(&beside, first, &rest);
    assert_eq!(found.len(), starts.len());
    for (start, (attempt, said)) in starts.iter().zip(&found) {
        let Some(FromWorker::Finished(last)) = said.last() else { panic!("{said:?}") };
        let is_stopped = last.outcome == Outcome::Stopped;
        if !is_stopped {
            assert_eq!(said, &expected[attempt], "{start:?}");
        } else if start.first < last.step {
            let until = Start { attempt: 1000 + attempt, end: last.step, ..start.clone() };
            let until = checkpoint(&apart, until.attempt, &alone(&apart, &until)).unwrap();
            assert_eq!(last.digest, until.digest, "stopped after {} steps: {start:?}", last.step);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_comes_out_of_a_lane_is_what_comes_out_alone(
        starts in attempts(), n_first in 1_usize..8, stopped in prop::collection::vec(0_usize..1000, 0..3),
    ) {
        check(starts, n_first, &stopped);
    }
}

/// Once the linear model's divergence took the size of what it leaves from whatever was computed before.
#[test]
fn an_attempt_may_diverge_soon_after_its_beginning() {
    let [calm, .., diverging] = SCHEDULES;
    for shape in SHAPES {
        let what = format!("{shape} {} eval=1st", OPTIMIZERS[5]);
        let lane = |schedule, end| start(&what, schedule, 1, (end, 7));
        check(vec![lane(diverging, 5)], 1, &[]);
        check(vec![lane(diverging, 5), lane(calm, 7), lane(calm, 5)], 3, &[]);
    }
}

#[test]
fn lanes_are_as_many_as_pay() {
    let lanes = |text: &str| TRAINER.lock().unwrap().measure(&parameters(text)).unwrap().lanes;
    let models = ["linear", "mlp-32", "mlp-128", "mlp-512", "mlp-1024-1024", "lenet"];
    let counts = models.map(|model| format!("{model} {}", lanes(&format!("model={model}"))));
    insta::assert_snapshot!(counts.join(", "), @"linear 16, mlp-32 16, mlp-128 5, mlp-512 1, mlp-1024-1024 1, lenet 1");
}
