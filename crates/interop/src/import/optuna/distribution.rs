//! One distribution of Optuna, as its JSON says it: that of versions 1 to 5, and the short form of the command line
//! (`optuna/distributions.py`, `json_to_distribution`).

use std::collections::BTreeMap;

use pleach_core::{output::quoted_words, spec::MAX_POINTS};
use serde_json::value::RawValue;

use crate::import::{number, quoted};

/// Larger whole numbers are not drawn one by one.
const WHOLE: i64 = 1 << 53;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Distribution {
    Float {
        low: f64,
        high: f64,
        log: bool,
        step: Option<f64>,
    },
    Int {
        low: i64,
        high: i64,
        log: bool,
        step: i64,
    },
    /// Each as JSON.
    Choices(Vec<String>),
}

pub(super) enum Axis {
    Fixed(String),
    Swept(String),
}

type Fields = BTreeMap<String, Box<RawValue>>;

/// A JSON value as Python writes it, with its bare `NaN` and `Infinity`: these become texts.
pub(super) fn python<T: serde::de::DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).or_else(|error| {
        let words = quoted_words(text);
        // The first message is about the text as it is.
        serde_json::from_str(&words).map_err(|other| if words == text { error } else { other })
    })
}

impl Distribution {
    /// Of a JSON object, or of a text that holds one.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let inner = if text.trim_start().starts_with('"') {
            python::<String>(text)
        } else {
            Ok(text.to_owned())
        };
        let fields: Fields = inner
            .and_then(|inner| python(&inner))
            .map_err(|error| format!("is no distribution: {error}"))?;
        let name = |key: &str| -> Option<String> { python(fields.get(key)?.get()).ok() };
        let nested: Option<Fields> =
            fields.get("attributes").and_then(|inner| python(inner.get()).ok());
        let kind = name("name").or_else(|| name("type")).unwrap_or_default();
        Attributes(nested.as_ref().unwrap_or(&fields)).distribution(&kind)
    }

    /// In TOML; what a person should know of it is given to `note`.
    pub(super) fn axis(&self, note: &mut dyn FnMut(&str)) -> Result<Axis, String> {
        match self {
            Self::Choices(choices) => choices_axis(choices, note),
            Self::Float { low, high, .. } if low == high => Ok(Axis::Fixed(number(*low))),
            Self::Int { low, high, .. } if low == high => Ok(Axis::Fixed(low.to_string())),
            Self::Float { low, high, .. } if high < low || !(high - low).is_finite() => {
                Err("has no range between its ends".to_owned())
            }
            Self::Int { low, high, .. } if high < low => {
                Err("has no range between its ends".to_owned())
            }
            Self::Int { low, high, .. } if WHOLE <= *high || *low <= -WHOLE => {
                Err("has ends beyond 2^53, up to which whole numbers are drawn".to_owned())
            }
            Self::Float { low, log: true, .. } if *low <= 0.0 => {
                Err("is logarithmic, and does not begin above 0".to_owned())
            }
            Self::Int { low, log: true, .. } if *low <= 0 => {
                Err("is logarithmic, and does not begin above 0".to_owned())
            }
            Self::Float { low, high, log, step } => {
                let kind = if *log { "log" } else { "uniform" };
                let step = step.filter(|step| 0.0 < *step);
                let count = step.map_or(0.0, |step| (high - low) / step);
                let step = taken(step, *log, count, note);
                let step =
                    step.map_or_else(String::new, |step| format!(", step = {}", number(step)));
                Ok(Axis::Swept(format!(
                    "{{ {kind} = [{}, {}]{step} }}",
                    number(*low),
                    number(*high)
                )))
            }
            Self::Int { low, high, log, step } => {
                let kind = if *log { "log_int" } else { "int" };
                let count = high.abs_diff(*low) as f64 / *step as f64;
                let step = taken(Some(*step).filter(|step| 1 < *step), *log, count, note);
                let step = step.map_or_else(String::new, |step| format!(", step = {step}"));
                Ok(Axis::Swept(format!("{{ {kind} = [{low}, {high}]{step} }}")))
            }
        }
    }
}

/// The step, where a range can have one.
fn taken<T>(step: Option<T>, log: bool, count: f64, note: &mut dyn FnMut(&str)) -> Option<T> {
    let step = step?;
    if log {
        note("its `step` is left out: a logarithmic range has none");
        return None;
    }
    if MAX_POINTS as f64 <= count {
        note("its steps are too many to count: any number between the ends is drawn");
        return None;
    }
    Some(step)
}

/// What a distribution consists of.
struct Attributes<'a>(&'a Fields);

impl Attributes<'_> {
    fn distribution(&self, kind: &str) -> Result<Distribution, String> {
        match kind {
            "FloatDistribution" | "float" => self.float(self.flag("log"), self.real("step")),
            "IntDistribution" | "int" => self.int(self.flag("log"), self.whole("step")),
            // Of Optuna before 3.0.
            "UniformDistribution" => self.float(false, None),
            "LogUniformDistribution" => self.float(true, None),
            "DiscreteUniformDistribution" => self.float(false, self.real("q")),
            "IntUniformDistribution" => self.int(false, self.whole("step")),
            "IntLogUniformDistribution" => self.int(true, None),
            "CategoricalDistribution" | "categorical" => {
                let choices: Vec<Box<RawValue>> = self
                    .0
                    .get("choices")
                    .and_then(|choices| python(choices.get()).ok())
                    .ok_or("has no `choices`")?;
                let choices: Vec<String> =
                    choices.iter().map(|choice| choice.get().to_owned()).collect();
                if choices.is_empty() {
                    Err("has no `choices`".to_owned())
                } else {
                    Ok(Distribution::Choices(choices))
                }
            }
            other => Err(format!("is none that is known: `{}`", crate::import::word(other))),
        }
    }

    fn float(&self, log: bool, step: Option<f64>) -> Result<Distribution, String> {
        let end = |key| self.real(key).ok_or_else(|| format!("has no `{key}`"));
        Ok(Distribution::Float { low: end("low")?, high: end("high")?, log, step })
    }

    fn int(&self, log: bool, step: Option<i64>) -> Result<Distribution, String> {
        let end = |key| self.whole(key).ok_or_else(|| format!("has no `{key}` of 64 bits"));
        let step = step.unwrap_or(1).max(1);
        Ok(Distribution::Int { low: end("low")?, high: end("high")?, log, step })
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| value.get())
    }

    /// A finite number.
    fn real(&self, key: &str) -> Option<f64> {
        self.text(key)?.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// A whole number, also as Python writes one that was a fraction: `8.0`.
    fn whole(&self, key: &str) -> Option<i64> {
        let text = self.text(key)?;
        let text = text
            .split_once('.')
            .filter(|(_, rest)| rest.chars().all(|c| c == '0'))
            .map_or(text, |(whole, _)| whole);
        text.parse().ok()
    }

    fn flag(&self, key: &str) -> bool {
        self.text(key) == Some("true")
    }
}

fn choices_axis(choices: &[String], note: &mut dyn FnMut(&str)) -> Result<Axis, String> {
    let mut texts = Vec::new();
    for choice in choices {
        texts.push(value(choice, note)?);
    }
    Ok(match texts.len() {
        1 => Axis::Fixed(texts.remove(0)),
        _ => Axis::Swept(format!("[{}]", texts.join(", "))),
    })
}

/// A choice in TOML.
fn value(choice: &str, note: &mut dyn FnMut(&str)) -> Result<String, String> {
    let text: String = match choice.as_bytes().first() {
        Some(b'"') => {
            let text: String =
                python(choice).map_err(|error| format!("has a choice that is no text: {error}"))?;
            if matches!(&*text, "NaN" | "Infinity" | "-Infinity") {
                note(&format!("the choice {text} is told as a text"));
            }
            text
        }
        Some(b't' | b'f') => return Ok(choice.to_owned()),
        Some(b'n') => {
            note("the choice None is told as the text None");
            "None".to_owned()
        }
        Some(b'[' | b'{') => {
            note("a choice that is a list or a table is told as JSON text");
            choice.to_owned()
        }
        _ => match (choice.parse::<i64>(), choice.parse::<f64>()) {
            (Ok(value), _) => return Ok(value.to_string()),
            (_, Ok(value)) if value.is_finite() && choice.contains(['.', 'e', 'E']) => {
                return Ok(number(value));
            }
            _ => {
                let shown = crate::import::word(choice);
                note(&format!("the choice {shown} is beyond 64 bits: it is told as a text"));
                choice.to_owned()
            }
        },
    };
    if text.contains('\0') {
        return Err("has a choice with NUL in it, which no program can be told".to_owned());
    }
    Ok(quoted(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The axis and its notes, or what is wrong.
    #[track_caller]
    fn check(distribution: &str, expected: &str) {
        let mut notes = Vec::new();
        let axis = Distribution::read(distribution)
            .and_then(|read| read.axis(&mut |message| notes.push(message.to_owned())));
        let axis = match axis {
            Ok(Axis::Fixed(value)) => format!("fixed {value}"),
            Ok(Axis::Swept(axis)) => axis,
            Err(why) => format!("it {why}"),
        };
        let found = std::iter::once(axis).chain(notes).collect::<Vec<_>>().join(" | ");
        assert_eq!(found, expected, "{distribution}");
    }

    #[test]
    fn every_form_is_an_axis_or_says_why_not() {
        let of = |name: &str, attributes: &str| {
            format!(r#"{{"name": "{name}", "attributes": {{{attributes}}}}}"#)
        };
        let float = |attributes: &str| of("FloatDistribution", attributes);
        let int = |attributes: &str| of("IntDistribution", attributes);
        let choices =
            |choices: &str| of("CategoricalDistribution", &format!(r#""choices": [{choices}]"#));
        for (distribution, expected) in [
            (
                float(r#""step": null, "low": 1e-05, "high": 0.1, "log": true"#),
                "{ log = [1e-5, 0.1] }",
            ),
            (
                float(r#""step": 0.25, "low": 0.0, "high": 1.0, "log": false"#),
                "{ uniform = [0.0, 1.0], step = 0.25 }",
            ),
            (
                float(r#""step": 1e-9, "low": 0, "high": 1"#),
                "{ uniform = [0.0, 1.0] } | its steps are too many to count: any number between the ends is drawn",
            ),
            (float(r#""low": 0.5, "high": 0.5"#), "fixed 0.5"),
            (
                float(r#""low": 0.0, "high": 1.0, "log": true"#),
                "it is logarithmic, and does not begin above 0",
            ),
            (float(r#""low": 1.0, "high": 0.0"#), "it has no range between its ends"),
            (float(r#""low": -1.7e308, "high": 1.7e308"#), "it has no range between its ends"),
            (float(r#""low": 0.0, "high": Infinity"#), "it has no `high`"),
            (int(r#""log": false, "step": 2, "low": 1, "high": 9"#), "{ int = [1, 9], step = 2 }"),
            (int(r#""log": true, "step": 1, "low": 16, "high": 512"#), "{ log_int = [16, 512] }"),
            (
                int(r#""log": true, "step": 4, "low": 16, "high": 512"#),
                "{ log_int = [16, 512] } | its `step` is left out: a logarithmic range has none",
            ),
            (int(r#""low": 1.0, "high": 8.0"#), "{ int = [1, 8] }"),
            (
                int(r#""low": 0, "high": 9007199254740992"#),
                "it has ends beyond 2^53, up to which whole numbers are drawn",
            ),
            (int(r#""low": 0, "high": 99999999999999999999"#), "it has no `high` of 64 bits"),
            (of("UniformDistribution", r#""low": 0.0, "high": 1.0"#), "{ uniform = [0.0, 1.0] }"),
            (of("LogUniformDistribution", r#""low": 0.1, "high": 1.0"#), "{ log = [0.1, 1.0] }"),
            (
                of("DiscreteUniformDistribution", r#""low": 0.0, "high": 1.0, "q": 0.5"#),
                "{ uniform = [0.0, 1.0], step = 0.5 }",
            ),
            (
                of("IntUniformDistribution", r#""low": 1, "high": 9, "step": 2"#),
                "{ int = [1, 9], step = 2 }",
            ),
            (of("IntLogUniformDistribution", r#""low": 1, "high": 9"#), "{ log_int = [1, 9] }"),
            (
                r#"{"type": "float", "low": 0.0, "high": 1.0, "log": false}"#.to_owned(),
                "{ uniform = [0.0, 1.0] }",
            ),
            (r#"{"type": "int", "low": 1, "high": 3}"#.to_owned(), "{ int = [1, 3] }"),
            (r#"{"type": "categorical", "choices": ["a", "b"]}"#.to_owned(), "[\"a\", \"b\"]"),
            (r#""{\"type\": \"int\", \"low\": 1, \"high\": 3}""#.to_owned(), "{ int = [1, 3] }"),
            (choices(r#""a", 1, 2.5, true, 1e-05"#), "[\"a\", 1, 2.5, true, 1e-5]"),
            (
                choices(r#"null, NaN, -Infinity, "NaN x""#),
                "[\"None\", \"NaN\", \"-Infinity\", \"NaN x\"] | the choice None is told as the text None | the choice NaN is told as a text | the choice -Infinity is told as a text",
            ),
            (
                choices("18446744073709551616, 1e400"),
                "[\"18446744073709551616\", \"1e400\"] | the choice 18446744073709551616 is beyond 64 bits: it is told as a text | the choice 1e400 is beyond 64 bits: it is told as a text",
            ),
            (
                choices(r#"[1, 2], {"a": 1}"#),
                "[\"[1, 2]\", \"{\\\"a\\\": 1}\"] | a choice that is a list or a table is told as JSON text | a choice that is a list or a table is told as JSON text",
            ),
            (choices("true"), "fixed true"),
            (choices(""), "it has no `choices`"),
            (
                choices(r#""a\u0000""#),
                "it has a choice with NUL in it, which no program can be told",
            ),
            (of("Odd", ""), "it is none that is known: `Odd`"),
        ] {
            check(&distribution, expected);
        }
    }
}
