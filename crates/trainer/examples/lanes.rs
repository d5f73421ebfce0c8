//! How fast trainings side by side are once their data is in memory: `lanes COUNT [NAME=VALUE …]`, names as in a sweep file,
//! each lane with a rate of its own. Prints as JSON: samples a second, over all lanes.

use std::{io::Write, time::Instant};

use anyhow::{Result, anyhow};
use pleach_protocol::message::{Parameters, Schedule};
use pleach_trainer::{
    network::failure::Failure,
    state::State,
    train::{Common, Flow, Lane, Observer},
    worker::Trainer,
};

struct Nobody;

impl Observer for Nobody {
    fn evaluated(&mut self, _: u64, _: Vec<(String, f64)>) {}

    fn stepped(&mut self, _: &State) -> Result<Flow, Failure> {
        Ok(Flow::Continue)
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().ok_or_else(|| anyhow!("lanes COUNT [NAME=VALUE …]"))?.parse()?;
    let mut parameters = Parameters::from([("eval".to_owned(), "100ep".into())]);
    for pair in arguments {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| anyhow!("`{pair}` is not NAME=VALUE"))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        parameters.insert(name.to_owned(), value);
    }
    let mut trainer = Trainer::new(std::env::var_os("PLEACH_DATA").map(Into::into));
    let mut lanes = Vec::new();
    for lane in 0..count {
        let schedule = Schedule::Table(vec![0.05 / f64::from(lane + 1)]);
        let job = trainer.job(&parameters, Some(&schedule), &[].into(), 1);
        let job = job.map_err(|refusal| anyhow!(refusal.message))?;
        let state = State::new(&job.model, job.config.optimizer, job.config.init, 1);
        lanes.push((job, state, Nobody));
    }
    let Some((first, ..)) = lanes.first() else { return Err(anyhow!("at least one lane")) };
    let (batch, last, mut common) =
        (first.config.batch, first.horizon.steps - 1, Common::new(first));
    let mut train = |until: u64| {
        let begin = Instant::now();
        let mut n_steps = 0;
        while lanes[0].1.step < until {
            let lane = |(job, state, observer)| Lane { job, state, end: last + 1, observer };
            let mut stepping: Vec<Lane> =
                lanes.iter_mut().map(|(job, state, nobody)| lane((&*job, state, nobody))).collect();
            common.step(&mut stepping);
            n_steps += 1;
        }
        (n_steps * lanes.len() * batch) as f64 / begin.elapsed().as_secs_f64()
    };
    // The first look at the images takes as long as an epoch.
    train(3);
    let result = serde_json::json!({ "samples_per_second": train(last) });
    writeln!(std::io::stdout(), "{result}")?;
    Ok(())
}
