//! A study of Optuna, from the log of a journal storage: what its trials suggested becomes the space.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{ImportError, Search, Sheet, argument, name, number, quoted, renamed};

/// So many configurations are drawn of a study without trials.
const SAMPLES: u64 = 50;

/// A study, and what was suggested in it: for each name how often, and the newest distribution.
#[derive(Default)]
pub(super) struct Study {
    pub(super) name: String,
    /// Of each objective: 1 is lower, 2 is higher.
    pub(super) directions: Vec<u64>,
    pub(super) metrics: Vec<String>,
    pub(super) trials: u64,
    /// Notes of a person on it or its trials.
    pub(super) has_attributes: bool,
    parameters: BTreeMap<String, (u64, Value)>,
    is_deleted: bool,
    has_changed: Vec<String>,
}

/// Reads the only study of a log, or the one that is called so.
pub fn read(text: &str, wanted: Option<&str>) -> Result<Sheet, ImportError> {
    let mut studies: Vec<Study> = Vec::new();
    // Which study a trial is one of.
    let mut trials: Vec<usize> = Vec::new();
    let last = text.lines().count() as u64;
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        let wrong = |message: &str| ImportError::At { line, message: message.to_owned() };
        let log: Value = match serde_json::from_str(text) {
            Ok(log) => log,
            // Its writer was interrupted.
            Err(_) if line == last && 1 < line && !text.ends_with('}') => break,
            Err(error) => return Err(wrong(&format!("no operation of a journal: {error}"))),
        };
        let code = log["op_code"].as_u64().ok_or_else(|| wrong("no operation of a journal"))?;
        let whole = |key: &str| log[key].as_u64().and_then(|id| usize::try_from(id).ok());
        let none = || wrong("it speaks of a study or trial that is not there");
        match code {
            0 => studies.push(Study {
                name: log["study_name"].as_str().unwrap_or_default().to_owned(),
                directions: list(&log["directions"]).filter_map(Value::as_u64).collect(),
                ..Study::default()
            }),
            1 => {
                let id = whole("study_id").ok_or_else(none)?;
                studies.get_mut(id).ok_or_else(none)?.is_deleted = true;
            }
            2 => {
                let id = whole("study_id").ok_or_else(none)?;
                studies.get_mut(id).ok_or_else(none)?.has_attributes = true;
            }
            8 => {
                let id = whole("trial_id").and_then(|trial| trials.get(trial)).ok_or_else(none)?;
                studies.get_mut(*id).ok_or_else(none)?.has_attributes = true;
            }
            3 => {
                let id = whole("study_id").ok_or_else(none)?;
                let names = list(&log["system_attr"]["study:metric_names"]);
                let names: Vec<String> =
                    names.filter_map(Value::as_str).map(str::to_owned).collect();
                if !names.is_empty() {
                    studies.get_mut(id).ok_or_else(none)?.metrics = names;
                }
            }
            4 => {
                let id = whole("study_id").ok_or_else(none)?;
                let study = studies.get_mut(id).ok_or_else(none)?;
                study.trials += 1;
                trials.push(id);
                for (name, distribution) in log["distributions"].as_object().into_iter().flatten() {
                    study.suggested(name, distribution, 1).map_err(|why| wrong(&why))?;
                }
            }
            5 => {
                let id = whole("trial_id").and_then(|trial| trials.get(trial)).ok_or_else(none)?;
                let study = studies.get_mut(*id).ok_or_else(none)?;
                let name =
                    log["param_name"].as_str().ok_or_else(|| wrong("it names no parameter"))?;
                study.suggested(name, &log["distribution"], 1).map_err(|why| wrong(&why))?;
            }
            _ => {}
        }
    }
    choose(studies, wanted)?.sheet()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(super) fn choose(studies: Vec<Study>, wanted: Option<&str>) -> Result<Study, ImportError> {
    let mut studies: Vec<Study> = studies.into_iter().filter(|study| !study.is_deleted).collect();
    let names: Vec<String> = studies.iter().map(|study| format!("`{}`", study.name)).collect();
    let names = names.join(", ");
    if let Some(wanted) = wanted {
        studies.retain(|study| study.name == wanted);
        if studies.is_empty() {
            return Err(ImportError::Whole(format!(
                "there is no study `{wanted}`; there are {names}"
            )));
        }
    }
    match studies.len() {
        0 => Err(ImportError::Whole("there is no study in it".to_owned())),
        1 => Ok(studies.remove(0)),
        _ => Err(ImportError::Whole(format!("which study? say --study; there are {names}"))),
    }
}

impl Study {
    pub(super) fn named(name: String) -> Self {
        Self { name, ..Self::default() }
    }

    /// A parameter that so many trials have from this distribution.
    pub(super) fn suggested(
        &mut self,
        name: &str,
        distribution: &Value,
        times: u64,
    ) -> Result<(), String> {
        let text = distribution.as_str().ok_or("a distribution is a text")?;
        let distribution: Value =
            serde_json::from_str(text).map_err(|error| format!("no distribution: {error}"))?;
        if name.contains(['{', '}']) || name.trim() != name || name.is_empty() {
            return Err(format!("`{name:.40}` cannot be a parameter's name"));
        }
        let known = self.parameters.entry(name.to_owned()).or_insert((0, distribution.clone()));
        known.0 += times;
        if known.1 != distribution {
            known.1 = distribution;
            if !self.has_changed.iter().any(|other| other == name) {
                self.has_changed.push(name.to_owned());
            }
        }
        Ok(())
    }

    pub(super) fn sheet(self) -> Result<Sheet, ImportError> {
        let mut notes = vec![
            "a study does not say what it runs: train.py is a guess, which takes its parameters as arguments and writes its metrics, as lines such as {\"step\": 10, \"loss\": 0.3}, to the file $PLEACH_METRICS".to_owned(),
        ];
        if 0 < self.trials {
            notes.push(format!(
                "what its trials came to ({} of them) stays there: everything is run anew",
                self.trials
            ));
        }
        if self.has_attributes {
            notes.push("attributes of studies and trials have no equal".to_owned());
        }
        let most = self.parameters.values().map(|(count, _)| *count).max().unwrap_or(0);
        let (mut axes, mut fixed, mut run) =
            (Vec::new(), Vec::new(), vec!["python".to_owned(), "train.py".to_owned()]);
        for (name, (count, distribution)) in &self.parameters {
            let here = renamed(name);
            if here != *name {
                notes.push(format!("`{name}` is a word of sweep files: it is called `{here}`"));
            }
            if *count < most {
                notes.push(format!(
                    "`{name}` was suggested in {count} of {most} trials: here every trial has it; what belongs to a choice is written [space.CHOICE.BRANCH]"
                ));
            }
            match axis(name, distribution, &mut notes)? {
                Axis::None => continue,
                Axis::Fixed(value) => fixed.push((here, value)),
                Axis::Swept(axis) => axes.push((here, axis)),
            }
            run.push(argument(name));
        }
        let changed = self.has_changed.iter();
        notes.extend(
            changed.map(|name| format!("`{name}` had several ranges: this is the last one")),
        );
        if 1 < self.directions.len() {
            notes.push("of several objectives this is the first".to_owned());
        }
        let metric = self.metrics.first().cloned().unwrap_or_else(|| {
            notes.push("the objective has no name in the study: `loss` is a guess".to_owned());
            "loss".to_owned()
        });
        let search = if axes.is_empty() {
            Search::Grid
        } else {
            notes.push("the sampler is not in the study: points are drawn at random".to_owned());
            Search::Random { samples: if self.trials == 0 { SAMPLES } else { self.trials } }
        };
        let goal = if self.directions.first() == Some(&2) { "max" } else { "min" };
        Ok(Sheet { name: name(&self.name), metric, goal, search, run, fixed, axes, notes })
    }
}

enum Axis {
    None,
    Fixed(String),
    Swept(String),
}

fn axis(name: &str, distribution: &Value, notes: &mut Vec<String>) -> Result<Axis, ImportError> {
    let wrong = |why: &str| ImportError::Whole(format!("the distribution of `{name:.40}` {why}"));
    let attributes = &distribution["attributes"];
    let end = |key: &str| {
        let end = attributes[key].as_f64().filter(|end| end.is_finite());
        end.ok_or_else(|| wrong(&format!("has no `{key}`")))
    };
    let log = attributes["log"].as_bool().unwrap_or(false);
    let step = attributes["step"].as_f64();
    let kind = distribution["name"].as_str().unwrap_or_default();
    let (is_int, log, step) = match kind {
        "FloatDistribution" => (false, log, step),
        "IntDistribution" => (true, log, step),
        // Of Optuna before 3.0.
        "UniformDistribution" => (false, false, None),
        "LogUniformDistribution" => (false, true, None),
        "DiscreteUniformDistribution" => (false, false, attributes["q"].as_f64()),
        "IntUniformDistribution" => (true, false, step),
        "IntLogUniformDistribution" => (true, true, None),
        "CategoricalDistribution" => return Ok(choices(name, attributes, notes)),
        other => return Err(wrong(&format!("is none that is known: `{other:.40}`"))),
    };
    let (low, high) = (end("low")?, end("high")?);
    let text = |value: f64| if is_int { format!("{value:.0}") } else { number(value) };
    if high <= low {
        return Ok(Axis::Fixed(text(low)));
    }
    let kind = match (is_int, log) {
        (true, true) => "log_int",
        (true, false) => "int",
        (false, true) => "log",
        (false, false) => "uniform",
    };
    let step = step.filter(|step| 0.0 < *step && !(is_int && *step == 1.0));
    let step = step.map_or_else(String::new, |step| format!(", step = {}", text(step)));
    Ok(Axis::Swept(format!("{{ {kind} = [{}, {}]{step} }}", text(low), text(high))))
}

fn choices(name: &str, attributes: &Value, notes: &mut Vec<String>) -> Axis {
    let mut texts = Vec::new();
    for choice in list(&attributes["choices"]) {
        match choice {
            Value::Bool(value) => texts.push(value.to_string()),
            Value::Number(number) if number.is_i64() => texts.push(number.to_string()),
            Value::Number(it) => texts.extend(it.as_f64().map(number)),
            Value::String(text) => texts.push(quoted(text)),
            other => notes.push(format!("`{name}`: the choice {other} is left out")),
        }
    }
    match texts.len() {
        0 => Axis::None,
        1 => Axis::Fixed(texts.remove(0)),
        _ => Axis::Swept(format!("[{}]", texts.join(", "))),
    }
}
