//! A call's arguments by their names, as a sweep file has them.

use std::collections::BTreeMap;

use super::{
    CallError, is_by_name,
    python::{Call, Value},
};
use crate::{
    library::{self, Class, Elsewhere, candidates, signature},
    preset::{Argument, Expected, PresetInfo},
};

/// The call with a name for each argument, as a table.
pub(super) fn table(call: &Call, rate: Option<f64>) -> Result<String, CallError> {
    let mut call = call.clone();
    let class = if is_by_name(&call.name) { named_class(&mut call)? } else { class_of(&call)? };
    let given = arguments(class, &call)?;
    let mut pairs = vec![format!("use = \"{}\"", class.info.name)];
    if let (Some(rate), "peak") = (rate, class.rate)
        && !given.contains_key("peak")
    {
        pairs.push(format!("peak = {}", number(rate)?));
    }
    for (name, value) in &given {
        pairs.extend(pair(class, name, value)?);
    }
    Ok(format!("{{ {} }}", pairs.join(", ")))
}

/// The class that is called; among several of that name the one that takes the arguments.
fn class_of(call: &Call) -> Result<&'static Class, CallError> {
    let all = candidates(&call.name);
    let takes = |class: &&&'static Class| {
        let Some(theirs) = signature(class.info.name) else { return true };
        let knows = |name: &str| theirs.parameter(name).is_some() || name == "verbose";
        let mut named = call.arguments.iter().filter_map(|(name, _)| name.as_deref());
        let has_optimizer =
            matches!(call.arguments.first(), Some((None, Value::Other(_) | Value::Call(_))));
        let wants_optimizer =
            theirs.parameters.first().is_some_and(|first| first.name == "optimizer");
        named.all(knows) && has_optimizer == (wants_optimizer && has_optimizer)
    };
    let fitting: Vec<&'static Class> = all.iter().filter(takes).copied().collect();
    match (&fitting[..], &all[..]) {
        ([one], _) | ([], [one]) => Ok(one),
        _ => {
            let names: Vec<&str> = all.iter().map(|class| class.info.name).collect();
            let message = format!("several schedules are called `{}`", call.name);
            Err(CallError::new(message, format!("write one of {}", names.join(", "))))
        }
    }
}

/// The schedule that `get_scheduler` is asked for, and what is left of its arguments.
fn named_class(call: &mut Call) -> Result<&'static Class, CallError> {
    const NAMES: [&str; 5] = [
        "name",
        "optimizer",
        "num_warmup_steps",
        "num_training_steps",
        "scheduler_specific_kwargs",
    ];
    let mut left = Vec::new();
    let mut wanted = None;
    for (position, (name, value)) in call.arguments.drain(..).enumerate() {
        let name = name.or_else(|| NAMES.get(position).map(|name| (*name).to_owned()));
        match (name.as_deref(), value) {
            (Some("name"), Value::Text(text)) => wanted = Some(text),
            // `SchedulerType.COSINE`
            (Some("name"), Value::Other(text)) => {
                wanted = text.rsplit('.').next().map(str::to_lowercase);
            }
            (Some("scheduler_specific_kwargs"), Value::Dictionary(entries)) => {
                left.extend(entries.into_iter().filter_map(|(key, value)| match key {
                    Value::Text(key) => Some((Some(key), value)),
                    _ => None,
                }));
            }
            (_, value) => left.push((name, value)),
        }
    }
    call.arguments = left;
    let wanted = wanted.unwrap_or_default();
    crate::library::find(&format!("hf.{wanted}")).ok_or_else(|| {
        let help = "the first argument of `get_scheduler` is a name such as \"cosine\"";
        CallError::new(format!("there is no schedule `{wanted}`"), help)
    })
}

/// Every argument by its name.
fn arguments(class: &Class, call: &Call) -> Result<BTreeMap<String, Value>, CallError> {
    let info = &class.info;
    let theirs = signature(info.name);
    let positional =
        theirs.as_ref().map_or(&[][..], |theirs| &theirs.parameters[..theirs.n_positional]);
    let mut given = BTreeMap::new();
    for (position, (name, value)) in call.arguments.iter().enumerate() {
        let at = || positional.get(position).map(|parameter| parameter.name.to_owned());
        let Some(name) = name.clone().or_else(at) else {
            let message = format!(
                "`{}` does not take argument number {} without its name",
                info.name,
                position + 1
            );
            return Err(CallError::new(message, "write NAME=VALUE"));
        };
        if given.insert(name.clone(), value.clone()).is_some() {
            let message = format!("`{name}` is given twice");
            return Err(CallError::new(message, "leave one of them out"));
        }
    }
    Ok(given)
}

/// What a sweep file has for an argument; nothing for what says nothing.
fn pair(class: &Class, name: &str, value: &Value) -> Result<Vec<String>, CallError> {
    let is_ours = class.info.all_arguments().any(|info| info.name == name) || name == "peak";
    Ok(match (name, value) {
        (_, Value::None) => Vec::new(),
        ("boundaries_and_scales", Value::Dictionary(entries)) if entries.is_empty() => Vec::new(),
        ("boundaries_and_scales", Value::Dictionary(entries)) => {
            let (keys, values) = entries.iter().cloned().unzip();
            vec![
                format!("boundaries = {}", literal(class, name, &Value::List(keys))?),
                format!("scales = {}", literal(class, name, &Value::List(values))?),
            ]
        }
        ("cosine_kwargs", Value::List(rows)) => columns(class, rows)?,
        (_, Value::Other(text)) if !is_ours => elsewhere(class, name, text),
        (_, Value::Call(call)) if !is_ours => elsewhere(class, name, &call.name),
        _ => vec![format!("{} = {}", key(name), literal(class, name, value)?)],
    })
}

/// An object for an argument that is none here: left out if it has no effect.
fn elsewhere(class: &Class, name: &str, object: &str) -> Vec<String> {
    let value = Argument::Text(object.to_owned());
    match library::elsewhere(class.info.name, name, &value) {
        Some(Elsewhere::NoEffect) => Vec::new(),
        _ => vec![format!("{} = {}", key(name), quoted(object))],
    }
}

/// A list of dictionaries as a list for each key.
fn columns(class: &Class, rows: &[Value]) -> Result<Vec<String>, CallError> {
    let mut columns: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for row in rows {
        let Value::Dictionary(entries) = row else { continue };
        for (key, value) in entries {
            if let Value::Text(key) = key {
                columns.entry(key).or_default().push(value.clone());
            }
        }
    }
    let column = |(name, values)| {
        Ok(format!("{} = {}", key(name), literal(class, name, &Value::List(values))?))
    };
    columns.into_iter().map(column).collect()
}

fn literal(class: &Class, name: &str, value: &Value) -> Result<String, CallError> {
    Ok(match value {
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => number(*value)?,
        Value::Text(text) => quoted(text),
        Value::Epochs(epochs) => format!("\"{epochs}ep\""),
        Value::List(items) => {
            let items: Result<Vec<String>, _> =
                items.iter().map(|item| literal(class, name, item)).collect();
            format!("[{}]", items?.join(", "))
        }
        other => return Err(unknown(class, name, other)),
    })
}

/// A value that only the program knows.
fn unknown(class: &Class, name: &str, value: &Value) -> CallError {
    let info: &PresetInfo = &class.info;
    let is_list =
        info.all_arguments().any(|info| info.name == name && info.expected == Expected::Numbers);
    let (what, help) = match value {
        Value::Other(text) if text == "lambda" => (
            "a function".to_owned(),
            format!("write the list of its values: {name}=[1.0, 0.5, 0.25]"),
        ),
        Value::Other(text) if is_list => {
            (format!("`{text}`"), format!("write the list of its values: {name}=[1.0, 0.5, 0.25]"))
        }
        Value::Other(text) => (format!("`{text}`"), "write its value in its place".to_owned()),
        Value::Call(call) => {
            (format!("what `{}` returns", call.name), "write its value in its place".to_owned())
        }
        _ => ("a dictionary".to_owned(), "write numbers, texts, True or False".to_owned()),
    };
    CallError::new(format!("`{name}` is {what}, whose value is not known here"), help)
}

fn number(value: f64) -> Result<String, CallError> {
    if !value.is_finite() {
        return Err(CallError::new(
            format!("{value} is no number to compute with"),
            "write a finite one",
        ));
    }
    Ok(if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{value:.0}")
    } else {
        format!("{value:?}")
    })
}

fn key(name: &str) -> String {
    let is_bare = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.extend(format!("\\u{:04X}", u32::from(c)).chars()),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
