//! Results for other programs: canonical lines, one trial as JSON, its weights. Tables and foreign formats are the affair of
//! `interop`.

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

/// A safetensors file in which averaged weights, filed as `NAME.average`, stand under the names of the weights themselves, and
/// these as `NAME.last`; `None` if there is no average in it.
pub fn averaged(file: &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = file.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (header, data) = rest.split_at_checked(length)?;
    let header: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(header).ok()?;
    let is_averaged = |name: &str| header.contains_key(&format!("{name}.average"));
    if !header.keys().any(|name| name.ends_with(".average")) {
        return None;
    }
    let renamed = |name: &String| match name.strip_suffix(".average") {
        Some(weights) => weights.to_owned(),
        None if is_averaged(name) => format!("{name}.last"),
        None => name.clone(),
    };
    let header: serde_json::Map<String, serde_json::Value> =
        header.iter().map(|(name, tensor)| (renamed(name), tensor.clone())).collect();
    let mut header = serde_json::to_vec(&header).ok()?;
    // Tensors begin at a multiple of eight bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    Some([&(header.len() as u64).to_le_bytes()[..], &header, data].concat())
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
    fn averaged_weights_take_the_names_of_the_weights() {
        let file = |header: &str| {
            let header = format!("{header:<width$}", width = header.len().next_multiple_of(8));
            [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), b"12345678"].concat()
        };
        let given = file(
            r#"{"__metadata__":{},"a":{"data_offsets":[0,2]},"a.average":{"data_offsets":[2,4]},"a.velocity":{"data_offsets":[4,8]}}"#,
        );
        let expected = file(
            r#"{"__metadata__":{},"a":{"data_offsets":[2,4]},"a.last":{"data_offsets":[0,2]},"a.velocity":{"data_offsets":[4,8]}}"#,
        );
        assert_eq!(averaged(&given), Some(expected));
        for none in [
            &file(r#"{"a":{"data_offsets":[0,8]}}"#)[..],
            b"",
            b"\xff\xff\xff\xff\xff\xff\xff\xff{}",
            &given[..40],
        ] {
            assert_eq!(averaged(none), None);
        }
    }
}
