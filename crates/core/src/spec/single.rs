//! One schedule: `[trainer.schedule]`, or whatever a person types to look at one.

use pleach_schedule::{
    duration::Horizon,
    line::LineError,
    preset::{Expected, PRESETS, PresetInfo},
    schedule::Schedule,
};

use crate::{
    diagnostic::{Diagnostic, Diagnostics, Source},
    plan::{self, Scheduled},
    spec::{
        Fixed, FixedSchedule,
        axis::Item,
        node::{self, Entry, Kind},
        reader::{Reader, find},
        schedule::{item, unknown_argument},
    },
    value::{Parameters, Value},
};

/// Reads a schedule for a trial of that length: an inline table (`{ use = "cosine", peak = 0.1 }`), a file with a
/// `[schedule]`, the name of a preset or of a library's class, or the one-line spelling. The peak is 1 if none is given.
pub fn read_schedule(text: &str, horizon: Horizon) -> Result<Scheduled, Diagnostics> {
    let trimmed = text.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let is_name = !trimmed.is_empty() && trimmed.chars().all(is_name);
    let toml = if trimmed.starts_with('{') {
        format!("schedule = {trimmed}")
    } else if is_name {
        format!("schedule = \"{trimmed}\"")
    } else if trimmed.contains("[schedule]") {
        text.to_owned()
    } else {
        return line(trimmed, horizon);
    };
    let source = Source { name: "schedule".to_owned(), text: toml };
    let mut reader = Reader::default();
    let schedule = node::read(&source.text).map(|root| reader.single(&root, horizon));
    match schedule {
        Ok(Some(schedule)) if reader.diagnostics.is_empty() => Ok(schedule),
        Ok(_) => Err(Diagnostics { source, list: reader.diagnostics }),
        Err(list) => Err(Diagnostics { source, list }),
    }
}

/// The one-line spelling.
fn line(text: &str, horizon: Horizon) -> Result<Scheduled, Diagnostics> {
    let wrong = |message: String, label: &str, help: String| {
        let label = label.to_owned();
        let mistake = Diagnostic { message, span: Some(0..text.len()), label, help };
        let source = Source { name: "schedule".to_owned(), text: text.to_owned() };
        Diagnostics { source, list: vec![mistake] }
    };
    let schedule: Schedule = text.parse().map_err(|error: LineError| {
        let names: Vec<&str> = PRESETS.iter().map(|info| info.name).collect();
        let help = format!(
            "write \"0.1: 0 > 1 5%, > 0 cosine\", {{ use = \"cosine\", peak = 0.1 }}, or one of {}",
            names.join(", ")
        );
        wrong(error.to_string(), "no schedule", help)
    })?;
    Scheduled::new(schedule, horizon)
        .map_err(|error| wrong(error.to_string(), "here", String::new()))
}

impl Reader {
    fn single(&mut self, root: &[Entry], horizon: Horizon) -> Option<Scheduled> {
        let fixed = self.fixed_schedule(find(root, "schedule")?)?;
        self.made(&fixed, |preset, values| plan::scheduled_alone(preset, values, horizon))
    }

    /// A schedule that stands alone; its peak is 1 if none is given.
    pub(super) fn schedule(&mut self, entry: &Entry) -> Option<Schedule> {
        let fixed = self.fixed_schedule(entry)?;
        self.made(&fixed, plan::schedule_of)
    }

    fn made<T>(
        &mut self,
        fixed: &FixedSchedule,
        make: impl FnOnce(&'static PresetInfo, &Parameters) -> Result<T, plan::Wrong>,
    ) -> Option<T> {
        let mut values: Parameters =
            fixed.arguments.iter().map(|fixed| (fixed.name.clone(), fixed.value.clone())).collect();
        if is_without_rate(fixed.preset, &values) {
            values.insert("peak".to_owned(), Value::Float(1.0));
        }
        let before = self.diagnostics.len();
        for argument in &fixed.arguments {
            if let Some((message, help)) = unknown_argument(fixed.preset, &argument.name) {
                self.error(&argument.key, message, "unknown", help);
            }
        }
        if before < self.diagnostics.len() {
            return None;
        }
        match make(fixed.preset, &values) {
            Ok(made) => Some(made),
            Err((argument, message, help)) => {
                let at_fault = fixed.arguments.iter().find(|fixed| fixed.name == argument);
                let span = at_fault.map_or(&fixed.span, |fixed| &fixed.span).clone();
                self.error(&span, message, "here", help);
                None
            }
        }
    }

    pub(super) fn fixed_schedule(&mut self, entry: &Entry) -> Option<FixedSchedule> {
        let text = match &entry.node.kind {
            Kind::Scalar(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let entries = if text.is_some() { &[] } else { self.table(entry) };
        let named = Entry { key_span: entry.node.span.clone(), ..entry.clone() };
        let place = if text.is_some() { &named } else { entry };
        let preset = self.preset(place, entries, text.as_deref())?;
        let mut arguments = Vec::new();
        for argument in entries.iter().filter(|entry| entry.key != "use") {
            let item = item(Some(preset), &argument.key);
            let value = match item {
                Item::Phases => {
                    self.phases(argument, &argument.node)?.swap_remove(0).values.swap_remove(0)
                }
                item => self.item(argument, &argument.node, item)?,
            };
            arguments.push(Fixed {
                name: argument.key.clone(),
                key: argument.key_span.clone(),
                value,
                span: argument.node.span.clone(),
            });
        }
        Some(FixedSchedule { preset, arguments, span: entry.key_span.clone() })
    }
}

/// Whether nothing says what the peak is: neither a value nor a default.
fn is_without_rate(preset: &PresetInfo, values: &Parameters) -> bool {
    let rate = preset.rate();
    let own = preset.all_arguments().find(|info| info.name == rate);
    let has_none = own.is_none_or(|own| own.expected == Expected::Number && own.default.is_empty());
    has_none && !values.contains_key("peak") && !values.contains_key(rate)
}
