//! Real data: what a small network reaches.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{self, Write};

use pleach_protocol::message::{Parameters, Schedule};
use pleach_trainer::{
    network::failure::Failure,
    state::State,
    train::{Flow, Observer, train},
    worker::Trainer,
};
use serde_json::Value;

/// Keeps the last evaluation's test accuracy.
struct Last(f64);

impl Observer for Last {
    fn evaluated(&mut self, _: u64, metrics: Vec<(String, f64)>) {
        self.0 = metrics.iter().find(|(name, _)| name == "test_accuracy").unwrap().1;
    }

    fn stepped(&mut self, _: &State) -> Result<Flow, Failure> {
        Ok(Flow::Continue)
    }
}

/// The test accuracy after training at these rates, or nothing if there are no files to train on.
fn accuracy(rates: &str, parameters: &[(&str, Value)]) -> Option<f64> {
    let Some(data) = std::env::var_os("PLEACH_DATA") else {
        io::stderr()
            .write_all(b"SKIPPED: PLEACH_DATA names no folder that holds mnist/\n")
            .unwrap();
        return None;
    };
    let parameters: Parameters =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut trainer = Trainer::new(Some(data.into()));
    let schedule = Schedule::Profile { rates: rates.to_owned(), plateau: None };
    let job = trainer.job(&parameters, Some(&schedule), &[].into(), 1).unwrap();
    let mut state = State::new(&job.model, job.config.optimizer, job.config.init, 1);
    let mut last = Last(0.0);
    train(&job, &mut state, job.horizon.steps, &mut last).unwrap();
    Some(last.0)
}

#[test]
fn an_mlp_reaches_96_percent_on_mnist_in_five_epochs() {
    let parameters = [
        ("data", "mnist".into()),
        ("model", "mlp-128".into()),
        ("budget", "5ep".into()),
        ("eval", "5ep".into()),
    ];
    let Some(accuracy) = accuracy("0.1: hold", &parameters) else { return };
    assert!(0.96 <= accuracy, "{accuracy}");
}

#[test]
fn lenet_reaches_98_percent_on_mnist_in_one_epoch() {
    let parameters = [
        ("data", "mnist".into()),
        ("model", "lenet".into()),
        ("init", "glorot".into()),
        ("momentum", 0.9.into()),
        ("batch", 64.into()),
        ("budget", "1ep".into()),
        ("eval", "1ep".into()),
    ];
    let Some(accuracy) = accuracy("0.03: 1 > 0 cosine for 938", &parameters) else { return };
    assert!(0.98 <= accuracy, "{accuracy}");
}
