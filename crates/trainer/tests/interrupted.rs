//! Training that was interrupted anywhere goes on as if it had not been, for every model, optimizer and kind of schedule.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use pleach_protocol::message::Schedule;
use pleach_trainer::{
    checkpoint,
    network::failure::Failure,
    state::State,
    train::{End, Flow, Job, Observer, train},
    worker::Trainer,
};

const MODELS: [&str; 4] = ["linear", "mlp-16", "mlp-20-9", "lenet"];

const OPTIMIZERS: [&str; 5] = [
    "optimizer=sgd weight_decay=0.01",
    "optimizer=sgd momentum=0.9",
    "optimizer=sgd momentum=0.9 nesterov=true weight_decay=0.01",
    "optimizer=adam weight_decay=0.01",
    "optimizer=adamw weight_decay=0.01",
];

fn schedules() -> [Schedule; 3] {
    let rates = "0.02: 0 > 1 linear for 3, 1 > 0 cosine for 7".to_owned();
    let plateau = Some("plateau(factor=0.5,patience=0)".to_owned());
    [
        Schedule::Profile { rates: rates.clone(), plateau: None },
        Schedule::Profile { rates, plateau },
        Schedule::Table((0..10).map(|step| 0.03 / f64::from(step + 1)).collect()),
    ]
}

/// Writes down every metric's bits, and keeps the state after some steps.
#[derive(Default)]
struct Notes {
    metrics: Vec<(u64, String, u64)>,
    keep: Vec<u64>,
    kept: Vec<State>,
}

impl Observer for Notes {
    fn evaluated(&mut self, step: u64, metrics: Vec<(String, f64)>) {
        self.metrics.extend(metrics.into_iter().map(|(name, value)| (step, name, value.to_bits())));
    }

    fn stepped(&mut self, state: &State) -> Result<Flow, Failure> {
        if self.keep.contains(&state.step) {
            self.kept.push(state.clone());
        }
        Ok(Flow::Continue)
    }
}

#[track_caller]
fn check(kind: &str, job: &Job, interrupted: [u64; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    let (rule, steps) = (job.config.optimizer, job.horizon.steps);
    let mut whole = State::new(&job.model, rule, job.config.init, 1);
    let mut notes = Notes { keep: interrupted.to_vec(), ..Notes::default() };
    assert_eq!(train(job, &mut whole, steps, &mut notes), Ok(End::Done), "{kind}");
    assert_eq!(notes.kept.len(), interrupted.len(), "{kind}");
    for state in &notes.kept {
        let digest = checkpoint::write(&path, &job.model, rule, state).unwrap();
        let mut resumed = checkpoint::read(&path, &job.model, rule, &digest).unwrap();
        let mut again = Notes::default();
        assert_eq!(train(job, &mut resumed, steps, &mut again), Ok(End::Done), "{kind}");
        let at = state.step;
        assert!(resumed == whole, "{kind}, interrupted after {at} steps");
        let later = notes.metrics.iter().filter(|(step, ..)| at < *step);
        assert!(again.metrics.iter().eq(later), "{kind}, interrupted after {at} steps");
    }
}

#[test]
fn an_interruption_leaves_no_trace() {
    let mut trainer = Trainer::default();
    let mut number = 0;
    for model in MODELS {
        for optimizer in OPTIMIZERS {
            for (index, schedule) in schedules().iter().enumerate() {
                let kind = format!(
                    "subset=300 valid=100 batch=64 budget=2ep eval=5st model={model} {optimizer}"
                );
                let parameters = kind.split_whitespace().map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap();
                    let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
                    (name.to_owned(), value)
                });
                let parameters = parameters.collect();
                let job = trainer.job(&parameters, Some(schedule), &[].into(), 1).unwrap();
                // Ten steps: every pair of two different ones but the last comes up.
                number += 1;
                let first = number % 8 + 1;
                let second = first + 1 + number / 8 % (9 - first);
                check(&format!("{kind}, schedule {index}"), &job, [first, second]);
            }
        }
    }
}
