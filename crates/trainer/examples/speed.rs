//! How fast a stage trains, without reading data and starting a process: `speed [NAME=VALUE …]`, as in a sweep file, and
//! `device=cpu-reference`. Trains two epochs and a half, evaluates once, and prints seconds as JSON.

use std::time::Instant;

use anyhow::{Result, anyhow};
use pleach_protocol::message::{Parameters, Schedule};
use pleach_trainer::{
    network::Arithmetic,
    state::State,
    train::{Flow, Observer, train},
    worker::Trainer,
};

struct Clock {
    steps_per_epoch: u64,
    /// When each epoch ended.
    epochs: Vec<Instant>,
    accuracy: f64,
}

impl Observer for Clock {
    fn evaluated(&mut self, _: u64, metrics: Vec<(String, f64)>) {
        let accuracy = metrics.iter().find(|(name, _)| name == "test_accuracy");
        self.accuracy = accuracy.map_or(0.0, |(_, accuracy)| *accuracy);
    }

    fn stepped(&mut self, state: &State) -> Result<Flow, String> {
        if state.step.is_multiple_of(self.steps_per_epoch) {
            self.epochs.push(Instant::now());
        }
        Ok(Flow::Continue)
    }
}

fn main() -> Result<()> {
    let mut parameters = Parameters::from([("eval".to_owned(), "100ep".into())]);
    let mut trainer = Trainer::new(std::env::var_os("PLEACH_DATA").map(Into::into));
    let mut peak = 0.1;
    for pair in std::env::args().skip(1) {
        let (name, value) = pair.split_once('=').ok_or_else(|| anyhow!("`{pair}`: NAME=VALUE"))?;
        match name {
            "device" => trainer.arithmetic = value.parse::<Arithmetic>().map_err(|e| anyhow!(e))?,
            "peak" => peak = value.parse()?,
            _ => {
                let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
                parameters.insert(name.to_owned(), value);
            }
        }
    }
    parameters.entry("budget".to_owned()).or_insert("3ep".into());
    let begin = Instant::now();
    let job = trainer
        .job(&parameters, Some(&Schedule::Table(vec![peak])), 1)
        .map_err(|refusal| anyhow!("{:?}: {}", refusal.parameter, refusal.message))?;
    let ready = begin.elapsed();
    let config = &job.config;
    let mut state = State::new(&job.model, config.optimizer, config.init, 1);
    let steps_per_epoch = job.horizon.steps_per_epoch;
    let mut clock = Clock { steps_per_epoch, epochs: Vec::new(), accuracy: 0.0 };
    train(&job, &mut state, job.horizon.steps, &mut clock).map_err(|error| anyhow!(error))?;
    let mut epochs: Vec<f64> =
        clock.epochs.windows(2).map(|ends| (ends[1] - ends[0]).as_secs_f64()).collect();
    // After the last epoch comes the evaluation.
    epochs.pop();
    let mut network = job.arithmetic.network(&job.model);
    let begin = Instant::now();
    network.evaluate(&state.weights, &job.split.test).map_err(|error| anyhow!(error))?;
    let result = serde_json::json!({
        "ready": ready.as_secs_f64(),
        "epochs": epochs,
        "evaluation": begin.elapsed().as_secs_f64(),
        "samples": job.split.train.len(),
        "accuracy": clock.accuracy,
    });
    anstream::println!("{result}");
    Ok(())
}
