//! A trial as an event file of TensorBoard: its scalars, and what the HParams tab shows of it.
//!
//! The messages are those of `tensorboard/compat/proto/{event,summary}.proto` and `plugins/hparams/plugin_data.proto`; the
//! numbers here are the fields'. Scalars have 32 bits there.

mod message;

use pleach_core::{
    life::TrialStatus,
    value::{Parameters, Value},
};
use pleach_store::{Time, TrialDetail};

use crate::{all_parameters, ended, measured, started};
use message::Message;

const PLUGIN: &str = "hparams";
const START: &str = "_hparams_/session_start_info";
const END: &str = "_hparams_/session_end_info";

/// The name of a trial's file in its folder; the same whenever it is written.
pub fn file_name(trial: &TrialDetail) -> String {
    format!("events.out.tfevents.{}.pleach", seconds(begin(trial)) as i64)
}

/// Its content, with what is fixed for all trials among its parameters; `None` for a trial that was never begun.
pub fn events(trial: &TrialDetail, fixed: &Parameters) -> Option<Vec<u8>> {
    if trial.metrics.is_empty() && trial.path.iter().all(|stage| stage.attempts.is_empty()) {
        return None;
    }
    let mut file = Vec::new();
    event(begin(trial)).text(3, "brain.Event:2").record(&mut file);
    summary(begin(trial), 0, &start(trial, fixed)).record(&mut file);
    for (step, values) in &trial.metrics {
        let time = measured(trial, *step).unwrap_or_else(|| end_of(trial));
        for (name, value) in values {
            let value = Message::default().text(1, name).float(2, *value as f32);
            summary(time, *step, &value).record(&mut file);
        }
    }
    if let Some(status) = status(trial.status) {
        let end = Message::default().whole(1, status).double(2, seconds(end_of(trial)));
        let data = Message::default().whole(1, 0).message(4, &end);
        summary(end_of(trial), 0, &hparams(END, &data)).record(&mut file);
    }
    Some(file)
}

fn event(time: Time) -> Message {
    Message::default().double(1, seconds(time))
}

fn summary(time: Time, step: u64, value: &Message) -> Message {
    event(time).whole(2, step).message(5, &Message::default().message(1, value))
}

/// What was tried. Trials of one configuration are one row, with the means of their metrics.
fn start(trial: &TrialDetail, fixed: &Parameters) -> Message {
    let mut start = Message::default();
    for (name, value) in &all_parameters(trial, fixed) {
        let value = match value {
            Value::Bool(value) => Message::default().whole(4, u64::from(*value)),
            Value::Int(value) => Message::default().double(2, *value as f64),
            Value::Float(value) => Message::default().double(2, *value),
            Value::Text(_) | Value::List(_) => Message::default().text(3, &value.to_string()),
        };
        start = start.message(1, &Message::default().text(1, name).message(2, &value));
    }
    let group = format!("configuration {}", trial.configuration.0);
    let start = start.text(4, &group).double(5, seconds(begin(trial)));
    hparams(START, &Message::default().whole(1, 0).message(3, &start))
}

fn hparams(tag: &str, data: &Message) -> Message {
    let plugin = Message::default().text(1, PLUGIN).message(2, data);
    Message::default().text(1, tag).message(9, &Message::default().message(1, &plugin))
}

fn status(status: TrialStatus) -> Option<u64> {
    match status {
        TrialStatus::Waiting => None,
        TrialStatus::Done => Some(1),
        TrialStatus::Diverged | TrialStatus::Failed | TrialStatus::Stopped => Some(2),
    }
}

/// Results that another sweep gave have no times here.
fn begin(trial: &TrialDetail) -> Time {
    started(trial).unwrap_or(Time(0))
}

fn end_of(trial: &TrialDetail) -> Time {
    ended(trial).unwrap_or_else(|| begin(trial))
}

fn seconds(time: Time) -> f64 {
    time.0 as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::sample;

    #[test]
    fn a_file_is_the_same_whenever_it_is_written() {
        let trial = sample::trial(7, TrialStatus::Done, Some(0.5));
        assert_eq!(file_name(&trial), "events.out.tfevents.1700000000.pleach");
        let fixed = Parameters::from([("batch".to_owned(), Value::Int(64))]);
        let file = events(&trial, &fixed).unwrap();
        // Every record, with its text shown as such.
        let mut rest = &file[..];
        let mut records = String::new();
        while let Some((length, after)) = rest.split_first_chunk::<8>() {
            let length = u64::from_le_bytes(*length) as usize;
            let (data, after) = after[4..].split_at(length);
            let checksum = u32::from_le_bytes(after[..4].try_into().unwrap());
            writeln!(records, "{} {checksum:08x}", data.escape_ascii()).unwrap();
            rest = &after[4..];
        }
        insta::assert_snapshot!(records);
        assert_eq!(events(&sample::trial(7, TrialStatus::Waiting, None), &Parameters::new()), None);
    }
}
