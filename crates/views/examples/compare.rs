//! Compares random calls of other libraries' schedules with what they are here: reads what
//! `scripts/goldens/random_calls.py` prints, prints a line of JSON for each class, and on stderr whatever differs.
//! `scripts/goldens/compare` runs both.

use std::{
    collections::BTreeMap,
    error::Error,
    io::{Write, stderr, stdin, stdout},
};

use pleach_core::{plan::Scheduled, spec::read_schedule};
use pleach_schedule::{
    duration::Horizon, follow::Follow, plateau::PlateauState, schedule::Schedule,
};
use serde_json::{Value, json};

/// So many differences of a class are told one by one.
const TOLD: u64 = 3;

#[derive(Default)]
struct Seen {
    calls: u64,
    /// As a multiple of the peak.
    largest: f64,
    different: u64,
    /// What we refuse although the library runs it: the message, and how often.
    refused: BTreeMap<String, u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut classes: BTreeMap<String, Seen> = BTreeMap::new();
    for line in stdin().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        let class = case["class"].as_str().ok_or("no class")?;
        let call = case["call"].as_str().ok_or("no call")?;
        let seen = classes.entry(class.to_owned()).or_default();
        seen.calls += 1;
        match compared(&case, class, call) {
            Err(message) => {
                let count = seen.refused.entry(message.clone()).or_default();
                *count += 1;
                if *count == 1 {
                    writeln!(stderr(), "{call}\n    refused: {message}")?;
                }
            }
            Ok((error, step)) => {
                seen.largest = seen.largest.max(error);
                if error.is_nan() || tolerance(class) < error {
                    seen.different += 1;
                    if seen.different <= TOLD {
                        writeln!(
                            stderr(),
                            "{call} {}\n    off by {error:e} at {step}",
                            case["peak"]
                        )?;
                    }
                }
            }
        }
    }
    let mut different = 0;
    for (class, seen) in &classes {
        different += seen.different;
        let Seen { calls, largest, refused, .. } = seen;
        let line =
            json!({ "class": class, "calls": calls, "largest": largest, "refused": refused });
        writeln!(stdout(), "{line}")?;
    }
    if 0 < different {
        return Err(format!("{different} calls differ").into());
    }
    Ok(())
}

fn tolerance(class: &str) -> f64 {
    let is_single = ["keras.", "optax.", "fastai."].iter().any(|name| class.starts_with(name));
    if is_single { 2e-6 } else { 1e-12 }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

/// The largest difference and its step; the message if we refuse the call.
fn compared(case: &Value, class: &str, call: &str) -> Result<(f64, usize), String> {
    let (values, metrics) = (numbers(&case["values"]), numbers(&case["metrics"]));
    let steps_per_epoch = if class.starts_with("fastai.") { 4 } else { 1 };
    let horizon = Horizon { steps: values.len().max(1) as u64, steps_per_epoch };
    let optimizer = case["peak"].as_f64().map(|peak| format!("SGD(lr={peak:e})\n"));
    let open = call.trim_end_matches(')').trim_end_matches(',');
    let comma = if open.ends_with('(') { "" } else { ", " };
    let text = format!("{}{open}{comma}compat=True)", optimizer.unwrap_or_default());
    let scheduled = read_schedule(&text, horizon).map_err(|wrong| wrong.list[0].message.clone())?;
    let resolved = &scheduled.resolved;
    let rates: Vec<f64> = match &scheduled.plateau {
        Some(plateau) => {
            let mut state = PlateauState::default();
            let after = metrics.iter().map(|&metric| {
                plateau.observe(&mut state, metric);
                resolved.at(0) * state.multiplier
            });
            after.collect()
        }
        None => (0..values.len() as u64).map(|step| resolved.at(step)).collect(),
    };
    let mut pairs: Vec<(f64, f64)> = rates.into_iter().zip(values).collect();
    let scale = pairs.iter().fold(resolved.peak(), |scale, (_, value)| scale.max(*value));
    let scale = if 0.0 < scale { scale } else { 1.0 };
    for (rate, value) in &mut pairs {
        (*rate, *value) = (*rate / scale, *value / scale);
    }
    pairs.extend(momenta(&scheduled, horizon)?.into_iter().zip(numbers(&case["momentum"])));
    let errors = pairs.iter().map(|(ours, theirs)| (ours - theirs).abs()).enumerate();
    let (step, error) = errors.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
    Ok((error, step))
}

/// The momentum of every step, if the call moves it.
fn momenta(scheduled: &Scheduled, horizon: Horizon) -> Result<Vec<f64>, String> {
    let Some(text) = &scheduled.momentum else { return Ok(Vec::new()) };
    let follow: Follow = text.parse().map_err(|error| format!("{error}"))?;
    let rate: Schedule = scheduled.written.parse().map_err(|error| format!("{error}"))?;
    let schedule = follow.schedule(Some(&rate)).map_err(|error| error.to_string())?;
    let resolved = schedule.resolve(horizon).map_err(|error| error.to_string())?;
    Ok(resolved.table(horizon.steps))
}
