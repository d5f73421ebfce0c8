//! One schedule: `[trainer.schedule]`, or whatever a person types to look at one.

use pleach_schedule::{
    call::{self, CallError},
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
/// `[schedule]`, the name of a preset or of a library's class, a call of one (`StepLR(optimizer, 30)`), or the one-line
/// spelling. The peak is 1 if none is given.
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
    } else if call::is_call(trimmed) {
        let table = call::table(text)
            .map_err(|CallError { message, help }| wrong(text, message, "no schedule", help))?;
        format!("schedule = {table}")
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
    let schedule: Schedule = text.parse().map_err(|error: LineError| {
        let names: Vec<&str> = PRESETS.iter().map(|info| info.name).collect();
        let help = format!(
            "write \"0.1: 0 > 1 5%, > 0 cosine\", {{ use = \"cosine\", peak = 0.1 }}, or one of {}",
            names.join(", ")
        );
        wrong(text, error.to_string(), "no schedule", help)
    })?;
    Scheduled::new(schedule, horizon)
        .map_err(|error| wrong(text, error.to_string(), "here", String::new()))
}

/// What is wrong with a text as a whole.
fn wrong(text: &str, message: String, label: &str, help: String) -> Diagnostics {
    let label = label.to_owned();
    let mistake = Diagnostic { message, span: Some(0..text.len()), label, help };
    let source = Source { name: "schedule".to_owned(), text: text.to_owned() };
    Diagnostics { source, list: vec![mistake] }
}

impl Reader {
    fn single(&mut self, root: &[Entry], horizon: Horizon) -> Option<Scheduled> {
        let fixed = self.fixed_schedule(find(root, "schedule")?)?;
        self.made(&fixed, |preset, values| plan::scheduled_alone(preset, values, horizon))
    }

    /// A schedule that stands alone; its peak is 1 if none is given.
    pub(super) fn schedule(&mut self, entry: &Entry) -> Option<Schedule> {
        let fixed = self.fixed_schedule(entry)?;
        // A parameter's line is written before anybody knows how long a trial is.
        let of = |steps| Horizon { steps, steps_per_epoch: steps / 10 };
        self.made(&fixed, |preset, values| {
            let [one, other] =
                [1000, 3000].map(|steps| plan::schedule_of(preset, values, of(steps)));
            let (one, other) = (one?, other?);
            if one != other {
                let message = format!("`{}` depends on the trial's length here", preset.name);
                let help =
                    "write numbers of steps, or one of our own schedules, such as `one_cycle`";
                return Err((String::new(), message, help.to_owned()));
            }
            Ok(one)
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_schedule_is_read_from_whatever_a_person_types() {
        for text in [
            "cosine",
            "{ use = \"cosine\" }",
            "1: > 0 cosine",
            "peak = 3\n[schedule]\nuse = \"cosine\"\npeak = 1.0",
            "{ phases = [{ to = 0, shape = \"cosine\" }] }",
        ] {
            assert_eq!(alone(text).unwrap().to_string(), "1: > 0 cosine", "{text}");
        }
        let texts = [
            "cosin",
            "{ use = \"cosin\" }",
            "{ use = \"cosine\", gamma = 3 }",
            "{ use = ",
            "0.1: 0 > 1 linear for 60%, > 0 cosine for 60%",
            "{ use = \"wsd\", warmup = \"60%\", cooldown = \"50%\" }",
            "{ use = \"sgdr\", len = \"0%\" }",
            "{ phases = \"> 0.5 cosine, > 0\" }",
            "{ use = \"step\", every = 3 }",
        ];
        let texts: Vec<String> =
            texts.iter().map(|text| alone(text).unwrap_err().to_string()).collect();
        insta::assert_snapshot!(texts.join("\n--------\n"));
    }

    #[test]
    fn a_schedule_is_read_in_a_librarys_own_words() {
        let texts = [
            "torch.StepLR(step_size = 30, peak = 0.1)",
            "torch.StepLR(step_size = 30, peak = 0.1, per = \"1ep\")",
            "torch.MultiStepLR(milestones = [30, 60], gamma = 0.5)",
            "torch.MultiStepLR(milestones = [\"50%\", \"75%\"])",
            "torch.OneCycleLR(max_lr = 0.1, total_steps = 101, div_factor = 10)",
            "torch.OneCycleLR(peak = 0.1, epochs = 10, steps_per_epoch = 5, three_phase = true)",
            "torch.CosineAnnealingLR(T_max = 50, compat = true)",
            "torch.CyclicLR(base_lr = 0.1, max_lr = 1.0, step_size_up = 4, mode = \"exp_range\", gamma = 0.9)",
            "torch.LambdaLR(lr_lambda = [1.0, 0.5, 0.1])",
            "torch.ReduceLROnPlateau(mode = \"max\", monitor = \"val_accuracy\", min_lr = 0.01, peak = 0.1)",
            "keras.CosineDecay(initial_learning_rate = 0.0, decay_steps = 90, warmup_target = 0.1, warmup_steps = 10)",
            "optax.piecewise_constant_schedule(init_value = 1.0, boundaries = [20, 10], scales = [0.5, 0.1])",
            "hf.cosine(num_warmup_steps = \"5%\", peak = 5e-5)",
            "timm.CosineLRScheduler(t_initial = 10, warmup_t = 3, lr_min = 0.1)",
            "fastai.fit_one_cycle(lr_max = 0.01)",
            "sklearn.optimal()",
            "mxnet.FactorScheduler(step = 10, factor = 0.5, base_lr = 1.0, warmup_steps = 3)",
            "d2l.SquareRootScheduler(per = \"1ep\")",
            "papers.noam(d_model = 512)",
        ];
        let read = |text: &str| {
            let (name, arguments) = text.trim_end_matches(')').split_once('(').unwrap();
            let comma = if arguments.is_empty() { "" } else { ", " };
            let schedule = alone(&format!("{{ use = \"{name}\"{comma}{arguments} }}")).unwrap();
            is_its_line_and_its_phases(&schedule);
            schedule.to_string()
        };
        let texts: Vec<String> =
            texts.iter().map(|text| format!("{text}\n    {}", read(text))).collect();
        insta::assert_snapshot!(texts.join("\n"));
    }

    #[track_caller]
    fn alone(text: &str) -> Result<Schedule, Diagnostics> {
        let horizon = Horizon { steps: 100_000, steps_per_epoch: 100 };
        read_schedule(text, horizon).map(|scheduled| scheduled.written.parse().unwrap())
    }

    fn is_its_line_and_its_phases(schedule: &Schedule) {
        let line = schedule.to_string();
        assert_eq!(&alone(&line).unwrap(), schedule);
        let (peak, phases) = line.split_once(": ").unwrap();
        let peak: f64 = peak.parse().unwrap();
        let table = format!("{{ phases = \"{phases}\", peak = {peak:?} }}");
        assert_eq!(&alone(&table).unwrap(), schedule);
    }

    #[test]
    fn a_preset_is_its_line_and_its_phases() {
        for info in pleach_schedule::preset::PRESETS {
            let arguments = match info.name {
                "table" => "table = [1.0, 0.5]",
                "phases" => "phases = \"> 0 cosine\"",
                "noam" => "use = \"noam\", warmup = \"10%\"",
                name => &format!("use = \"{name}\""),
            };
            is_its_line_and_its_phases(&alone(&format!("{{ {arguments} }}")).unwrap());
        }
    }

    #[test]
    fn what_a_library_does_not_take_is_said_with_what_it_takes() {
        let texts = [
            "OneCycleLR",
            "torch.StepLr",
            "torch.Foo",
            "hugging_face.cosine",
            "{ use = \"torch.SequentialLR\" }",
            "{ use = \"torch.StepLR\" }",
            "{ use = \"torch.StepLR\", step = 3 }",
            "{ use = \"torch.StepLR\", step_size = 0 }",
            "{ use = \"torch.StepLR\", step_size = -1 }",
            "{ use = \"torch.StepLR\", step_size = \"130%\" }",
            "{ use = \"torch.StepLR\", step_size = true }",
            "{ use = \"torch.MultiStepLR\", milestones = [1, \"5ep\"] }",
            "{ use = \"torch.OneCycleLR\", max_lr = 0.1, peak = 0.1, total_steps = 9 }",
            "{ use = \"torch.OneCycleLR\", max_lr = 0.1, total_steps = 9, pct_start = 1.5 }",
            "{ use = \"torch.OneCycleLR\", max_lr = 0.1, anneal_strategy = \"cosine\" }",
            "{ use = \"torch.OneCycleLR\", max_lr = 0.1, total_steps = 9, base_momentum = 0.8, last_epoch = 3 }",
            "{ use = \"keras.PolynomialDecay\", initial_learning_rate = 0.1, decay_steps = 3, cycle = true }",
            "{ use = \"hf.linear\", num_warmup_steps = 20, num_training_steps = 10 }",
            "{ use = \"hf.linear\", num_warmup_steps = \"5%\", num_training_steps = 10 }",
            "{ use = \"hf.cosine\", warmup = \"5%\" }",
            "{ use = \"torch.CosineAnnealingLR\", T_max = 9, eta_min = 0.1, peak = 0 }",
        ];
        let texts: Vec<String> = texts
            .iter()
            .map(|text| {
                alone(text).map_or_else(|error| error.to_string(), |schedule| schedule.to_string())
            })
            .collect();
        insta::assert_snapshot!(texts.join("\n--------\n"));
    }
}
