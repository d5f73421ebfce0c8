//! Results for other programs: canonical lines, CSV, one trial as JSON.

use std::{collections::BTreeSet, fmt::Write};

use pleach_core::{life::TrialStatus, value::Parameters};
use pleach_store::{CanonicalTrial, TrialDetail};
use serde::Serialize;

/// Everything that determines and results from a trial, in one line of JSON. Numbers are their bits, so that equal lines
/// are equal results.
pub fn canonical_line(trial: &CanonicalTrial) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        key: String,
        parameters: &'a Parameters,
        seed: u64,
        status: TrialStatus,
        /// Step, name, hexadecimal bits.
        metrics: Vec<(u64, &'a str, String)>,
        digest: &'a str,
    }
    let bits = |value: f64| format!("{:016x}", value.to_bits());
    let metrics =
        trial.metrics.iter().map(|(step, name, value)| (*step, name.as_str(), bits(*value)));
    json(&Line {
        key: trial.key.to_string(),
        parameters: &trial.parameters,
        seed: trial.seed,
        status: trial.status,
        metrics: metrics.collect(),
        digest: &trial.digest,
    })
}

/// Text keys and plain values always serialize.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// One trial, for whoever uses its weights.
pub fn trial_json(detail: &TrialDetail) -> String {
    #[derive(Serialize)]
    struct Trial<'a> {
        number: u32,
        key: String,
        seed: u64,
        status: TrialStatus,
        objective: Option<f64>,
        parameters: &'a Parameters,
        steps: u64,
        digest: &'a str,
        metrics: Vec<(u64, std::collections::BTreeMap<&'a str, f64>)>,
    }
    let last = detail.path.last();
    let metrics = detail.metrics.iter().map(|(step, values)| {
        (*step, values.iter().map(|(name, value)| (name.as_str(), *value)).collect())
    });
    let trial = Trial {
        number: detail.trial.0,
        key: detail.key.to_string(),
        seed: detail.seed,
        status: detail.status,
        objective: detail.objective,
        parameters: &detail.parameters,
        steps: last.map_or(0, |stage| stage.end),
        digest: last.map_or("", |stage| &stage.digest),
        metrics: metrics.collect(),
    };
    // NaN becomes null: JSON has no other word for it.
    let mut text = serde_json::to_string_pretty(&trial).unwrap_or_default();
    text.push('\n');
    text
}

/// The header over [`csv_lines`]; `names` are those of all parameters that were swept.
pub fn csv_header(names: &BTreeSet<&str>) -> String {
    let mut columns: Vec<String> = ["trial", "key", "seed", "status"].map(str::to_owned).to_vec();
    columns.extend(names.iter().map(|name| quoted(name)));
    columns.extend(["step", "metric", "value"].map(str::to_owned));
    columns.join(",")
}

/// A line for each number that a trial's evaluations gave.
pub fn csv_lines(detail: &TrialDetail, names: &BTreeSet<&str>) -> String {
    let mut start =
        format!("{},{},{},{}", detail.trial.0, detail.key, detail.seed, word(detail.status));
    for name in names {
        let value = detail.parameters.get(*name).map(|value| quoted(&value.to_string()));
        // A `String` takes everything.
        let _infallible = write!(start, ",{}", value.unwrap_or_default());
    }
    let mut lines = String::new();
    for (step, values) in &detail.metrics {
        for (name, value) in values {
            let _infallible = writeln!(lines, "{start},{step},{},{value}", quoted(name));
        }
    }
    lines
}

fn word(status: TrialStatus) -> &'static str {
    match status {
        TrialStatus::Waiting => "waiting",
        TrialStatus::Done => "done",
        TrialStatus::Diverged => "diverged",
        TrialStatus::Failed => "failed",
        TrialStatus::Stopped => "stopped",
    }
}

/// As CSV wants it (RFC 4180).
pub(crate) fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::{key::Key, value::Value};

    #[test]
    fn a_canonical_line_holds_bits() {
        let trial = CanonicalTrial {
            key: Key::of("x"),
            parameters: [("peak".to_owned(), Value::Float(0.1))].into(),
            seed: 3,
            status: TrialStatus::Done,
            metrics: vec![(5, "loss".to_owned(), 0.5), (5, "z".to_owned(), f64::NAN)],
            digest: "ab".to_owned(),
        };
        insta::assert_snapshot!(canonical_line(&trial), @r#"{"key":"2d711642b726b04401627ca9fbac32f5","parameters":{"peak":0.1},"seed":3,"status":"done","metrics":[[5,"loss","3fe0000000000000"],[5,"z","7ff8000000000000"]],"digest":"ab"}"#);
    }

    #[test]
    fn a_value_with_a_comma_is_quoted() {
        assert_eq!(quoted("[1, 2]"), "\"[1, 2]\"");
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(quoted("a"), "a");
        let names = ["a,b", "c"].into();
        assert_eq!(csv_header(&names), "trial,key,seed,status,\"a,b\",c,step,metric,value");
    }
}
