//! Real data: what a small network reaches.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may panic, and must say when it is skipped"
)]

use pleach_protocol::message::{Parameters, Schedule};
use pleach_trainer::{
    state::State,
    train::{Flow, Observer, train},
    worker::Trainer,
};

/// Keeps the last evaluation's test accuracy.
struct Last(f64);

impl Observer for Last {
    fn evaluated(&mut self, _: u64, metrics: Vec<(String, f64)>) {
        self.0 = metrics.iter().find(|(name, _)| name == "test_accuracy").unwrap().1;
    }

    fn stepped(&mut self, _: &State) -> Result<Flow, String> {
        Ok(Flow::Continue)
    }
}

fn accuracy(parameters: &[(&str, &str)]) -> Option<f64> {
    let Some(data) = std::env::var_os("PLEACH_DATA") else {
        eprintln!("SKIPPED: PLEACH_DATA names no folder that holds mnist/");
        return None;
    };
    let parameters: Parameters =
        parameters.iter().map(|&(name, value)| (name.to_owned(), value.into())).collect();
    let mut trainer = Trainer::new(Some(data.into()));
    let job = trainer.job(&parameters, Some(&Schedule::Table(vec![0.1])), 1).unwrap();
    let mut state = State::new(&job.model, job.config.optimizer, job.config.init, 1);
    let mut last = Last(0.0);
    train(&job, &mut state, job.horizon.steps, &mut last).unwrap();
    Some(last.0)
}

#[test]
fn an_mlp_reaches_96_percent_on_mnist_in_five_epochs() {
    let Some(accuracy) =
        accuracy(&[("data", "mnist"), ("model", "mlp-128"), ("budget", "5ep"), ("eval", "5ep")])
    else {
        return;
    };
    assert!(0.96 <= accuracy, "{accuracy}");
}

#[test]
fn lenet_reaches_93_percent_on_mnist_in_one_epoch() {
    let Some(accuracy) =
        accuracy(&[("data", "mnist"), ("model", "lenet"), ("budget", "1ep"), ("eval", "1ep")])
    else {
        return;
    };
    assert!(0.93 <= accuracy, "{accuracy}");
}
