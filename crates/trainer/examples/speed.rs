//! How fast one stage trains once its data is in memory: `speed [NAME=VALUE …]`, names as in a sweep file, and `peak=` the
//! rate, `seed=` and `device=`. Prints as JSON: seconds until ready, seconds an epoch, seconds of an evaluation on the test
//! images, their accuracy at the end, and what the core could do.

use std::{io::Write, time::Instant};

use anyhow::{Result, anyhow};
use pleach_protocol::{
    message::{Parameters, Schedule},
    serve::Refusal,
};
use pleach_trainer::{
    network::failure::Failure,
    state::State,
    train::{Flow, Observer, train},
    worker::Trainer,
};
use pulp::{Arch, Simd, WithSimd};

#[derive(Default)]
struct Watch {
    accuracy: f64,
}

impl Observer for Watch {
    fn evaluated(&mut self, _: u64, metrics: Vec<(String, f64)>) {
        let accuracy = metrics.iter().find(|(name, _)| name == "test_accuracy");
        self.accuracy = accuracy.map_or(0.0, |(_, accuracy)| *accuracy);
    }

    fn stepped(&mut self, _: &State) -> Result<Flow, Failure> {
        Ok(Flow::Continue)
    }
}

/// Fused multiplications and additions in registers, as many at once as the core can have in flight.
struct Peak;

const ROUNDS: usize = 100_000;
const CHAINS: usize = 12;

impl WithSimd for Peak {
    /// Floating-point operations a second.
    type Output = f64;

    #[expect(clippy::inline_always, reason = "to be compiled for the vectors it is called with")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let mut sums = [simd.splat_f32s(std::hint::black_box(0.5)); CHAINS];
        let factor = simd.splat_f32s(std::hint::black_box(0.7));
        let begin = Instant::now();
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = simd.mul_add_f32s(*sum, factor, factor);
            }
        }
        let seconds = begin.elapsed().as_secs_f64();
        std::hint::black_box(sums);
        (2 * S::F32_LANES * CHAINS * ROUNDS) as f64 / seconds
    }
}

fn refused(refusal: Refusal) -> anyhow::Error {
    anyhow!("{}: {}", refusal.parameter.unwrap_or_default(), refusal.message)
}

fn main() -> Result<()> {
    let mut trainer = Trainer::new(std::env::var_os("PLEACH_DATA").map(Into::into));
    let (mut peak, mut seed) = (0.1, 1);
    let mut parameters = Parameters::from([("eval".to_owned(), "100ep".into())]);
    for pair in std::env::args().skip(1) {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| anyhow!("`{pair}` is not NAME=VALUE"))?;
        match name {
            "device" => trainer.arithmetic = value.parse().map_err(|error| anyhow!("{error}"))?,
            "peak" => peak = value.parse()?,
            "seed" => seed = value.parse()?,
            _ => {
                let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
                parameters.insert(name.to_owned(), value);
            }
        }
    }
    let begin = Instant::now();
    let schedule = Schedule::Table(vec![peak]);
    let job = trainer.job(&parameters, Some(&schedule), &[].into(), seed).map_err(refused)?;
    let ready = begin.elapsed().as_secs_f64();

    let mut watch = Watch::default();
    let fresh = State::new(&job.model, job.config.optimizer, job.config.init, seed);
    train(&job, &mut fresh.clone(), 3, &mut watch)?;
    let mut state = fresh;
    let begin = Instant::now();
    // All steps but the last, after which there is an evaluation.
    let last = job.horizon.steps - 1;
    train(&job, &mut state, last, &mut watch)?;
    let epoch = begin.elapsed().as_secs_f64() / last as f64 * job.horizon.steps_per_epoch as f64;
    train(&job, &mut state, last + 1, &mut watch)?;

    let mut network = job.arithmetic.network(&job.model);
    let begin = Instant::now();
    network.evaluate(&state.weights, &job.split.test)?;
    let result = serde_json::json!({
        "ready": ready,
        "epoch": epoch,
        "evaluation": begin.elapsed().as_secs_f64(),
        "accuracy": watch.accuracy,
        // The best of many: whatever else runs only slows it down.
        "peak": (0..50).map(|_| Arch::new().dispatch(Peak)).fold(0.0, f64::max),
    });
    writeln!(std::io::stdout(), "{result}")?;
    Ok(())
}
