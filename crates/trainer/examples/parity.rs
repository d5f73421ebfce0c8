//! The losses of the first steps from given weights and batches, to be compared with another library's:
//! `parity WEIGHTS ORDER [NAME=VALUE …]`. WEIGHTS holds 32-bit floats, slot by slot in PyTorch's order, ORDER the samples'
//! numbers as 32-bit integers, batch after batch, both little-endian. Prints a JSON list.

use std::{fs, io::Write};

use anyhow::{Context, Result, anyhow};
use pleach_protocol::message::{Parameters, Schedule};
use pleach_trainer::{network::Update, state::State, worker::Trainer};

fn words<T>(path: &str, read: impl Fn([u8; 4]) -> T) -> Result<Vec<T>> {
    let bytes = fs::read(path).with_context(|| format!("failed to read {path}"))?;
    Ok(bytes.as_chunks().0.iter().map(|word| read(*word)).collect())
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next =
        || arguments.next().ok_or_else(|| anyhow!("parity WEIGHTS ORDER [NAME=VALUE …]"));
    let (weights, order) =
        (words(&next()?, f32::from_le_bytes)?, words(&next()?, u32::from_le_bytes)?);
    let mut trainer = Trainer::new(std::env::var_os("PLEACH_DATA").map(Into::into));
    let (mut parameters, mut peak) = (Parameters::new(), 0.1);
    for pair in arguments {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| anyhow!("`{pair}` is not NAME=VALUE"))?;
        match name {
            "peak" => peak = value.parse()?,
            "device" => trainer.arithmetic = value.parse().map_err(|error| anyhow!("{error}"))?,
            _ => {
                let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
                parameters.insert(name.to_owned(), value);
            }
        }
    }
    let job = trainer
        .job(&parameters, Some(&Schedule::Table(vec![peak])), &[].into(), 1)
        .map_err(|refusal| anyhow!("{:?}: {}", refusal.parameter, refusal.message))?;
    let rule = job.config.optimizer;
    let mut state = State::new(&job.model, rule, job.config.init, 1);
    let mut rest = weights.as_slice();
    for (slot, weights) in job.model.slots.iter().zip(&mut state.weights) {
        let (filed, others) = rest.split_at_checked(slot.count()).context("too few weights")?;
        *weights = slot.from_file(filed);
        rest = others;
    }
    let mut network = job.arithmetic.network(&job.model);
    let mut losses = Vec::new();
    for batch in order.chunks(job.config.batch) {
        let batch: Vec<usize> = batch.iter().map(|&sample| sample as usize).collect();
        let step = network.update(
            Update { state: &mut state, rule, rate: peak },
            &job.split.train,
            &batch,
        );
        let judged = step?.judged;
        losses.push(judged.loss / batch.len() as f64);
        state.step += 1;
    }
    anyhow::ensure!(rest.is_empty(), "too many weights");
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&losses)?)?;
    Ok(())
}
