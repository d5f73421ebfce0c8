//! The worker program's word against the file, before any point is looked at: every name known, every value in range.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use pleach_schedule::preset::{self, COMMON, PresetInfo};

use crate::{
    diagnostic::{Diagnostic, nearest, suggest},
    output::Form,
    plan::{
        command,
        schedule::{Origin, is_argument, preset_of},
        values::{fitting, spelled},
    },
    program::{Parameter, Program, Takes},
    space::{Combination, Dimension, Distribution, Points},
    spec::{
        Block, CommandSpec, Fixed, MAX_ARGUMENT, ProgramSpec, SweepSpec, Within, foreign, inside,
        unknown_argument,
    },
    value::{Parameters, Value},
};

/// Everything that is wrong, in the order of the file.
pub(super) fn check(spec: &SweepSpec, program: &Program) -> Vec<Diagnostic> {
    let elsewhere = match &spec.program {
        ProgramSpec::Command(command) => elsewhere(spec, command),
        ProgramSpec::Trainer => BTreeSet::new(),
    };
    let mut check =
        Check { spec, program, elsewhere, nothing: Parameters::new(), mistakes: BTreeMap::new() };
    check.objective(spec);
    check.within(spec);
    for block in &spec.blocks {
        for combination in &block.space.combinations {
            check.combination(block, combination);
        }
        check.fixed_schedule(block);
        check.expressions(block);
    }
    if let ProgramSpec::Command(command) = &spec.program {
        check.command(spec, command);
    }
    check.mistakes.into_values().collect()
}

struct Check<'a> {
    spec: &'a SweepSpec,
    program: &'a Program,
    /// The parameters of a person's own program that the file names outside of the schedules' branches.
    elsewhere: BTreeSet<&'a str>,
    nothing: Parameters,
    mistakes: BTreeMap<(usize, String), Diagnostic>,
}

/// A name, and where it stands.
struct Sought<'a> {
    block: &'a Block,
    preset: Option<&'static PresetInfo>,
    name: &'a str,
    origin: Origin,
}

impl<'a> Check<'a> {
    fn note(&mut self, span: &Range<usize>, message: String, label: &str, help: String) {
        let diagnostic = Diagnostic {
            message: message.clone(),
            span: Some(span.clone()),
            label: label.to_owned(),
            help,
        };
        self.mistakes.entry((span.start, message)).or_insert(diagnostic);
    }

    fn objective(&mut self, spec: &SweepSpec) {
        let metrics = &self.program.metrics;
        let metric = &spec.objective.metric;
        if !metrics.is_empty() && !metrics.contains(metric) {
            let message = format!("`{}` does not measure `{metric}`", self.program.name);
            let names = || metrics.iter().map(String::as_str);
            let help = match measured(metric, &names().collect::<Vec<_>>()) {
                Some(meant) => {
                    let set: BTreeSet<&str> = spec.blocks.iter().flat_map(Block::names).collect();
                    let lacking = self.program.lacking(meant, &self.nothing);
                    let lacking = lacking.filter(|(name, _)| !set.contains(name));
                    let lacking = lacking.map(|(name, value)| {
                        format!("{name} = {} under [trainer]", spelled(value))
                    });
                    let needs = lacking.collect::<Vec<_>>().join(", ");
                    let needs = if needs.is_empty() { needs } else { format!(" It needs {needs}") };
                    format!("did you mean `{meant}`?{needs}")
                }
                None => suggest(metric, names()),
            };
            self.note(&spec.objective_span, message, "no such metric", help);
        }
    }

    /// What configurations that are compared at rungs are to be equal in.
    fn within(&mut self, spec: &SweepSpec) {
        let names = spec.blocks.iter().flat_map(|block| known_names(block, self.program));
        let known: BTreeSet<&str> = names.chain(["schedule"]).collect();
        for Within { name, span } in spec.stop.iter().flat_map(|stop| &stop.within) {
            if !known.contains(name.as_str()) {
                let message = format!("no configuration has a parameter `{name}`");
                self.note(span, message, "unknown", suggest(name, known.iter().copied()));
            }
        }
    }

    /// What a person's own command needs of the file.
    fn command(&mut self, spec: &SweepSpec, command: &CommandSpec) {
        let names = spec.blocks.iter().flat_map(|block| known_names(block, self.program)).collect();
        for unknown in command::unknown(command, self.program, &names) {
            let span = unknown.span.clone().unwrap_or_default();
            self.mistakes.entry((span.start, unknown.message.clone())).or_insert(unknown);
        }
        let metric = &spec.objective.metric;
        if let Ok(Form::Pattern(pattern)) = command.metrics.parse::<Form>() {
            let mut groups = pattern.capture_names().flatten();
            if !groups.any(|group| group == metric || group == "name") {
                let named = pattern.capture_names().flatten().filter(|group| *group != "step");
                let message = format!("no group of `metrics` is called `{metric}`");
                let help = format!(
                    "name a group of the pattern so, (?<{metric}>\\S+), or choose by {}",
                    named.collect::<Vec<_>>().join(", ")
                );
                self.note(&spec.objective_span, message, "never measured", help);
            }
        }
        if let Some(span) = command.checkpoint.as_ref().filter(|_| self.program.is_open_ended()) {
            let message =
                "a program that takes part in the tree must be told where to stop".to_owned();
            let help = "write budget = \"5000st\" under [command]".to_owned();
            self.note(span, message, "this one", help);
        }
        let chosen = |block: &Block| {
            let combinations = block.space.combinations.iter();
            let mut choices = combinations.flat_map(|combination| &combination.choices);
            choices.find(|choice| choice.name == "schedule").map(|choice| choice.span.clone())
        };
        let fixed = |block: &Block| block.schedule.as_ref().map(|schedule| schedule.span.clone());
        let mut blocks = spec.blocks.iter();
        if self.program.is_open_ended()
            && let Some(span) = blocks.find_map(|block| chosen(block).or_else(|| fixed(block)))
        {
            let message = "a schedule needs to know how long a trial is".to_owned();
            let help = "write budget = \"5000st\" under [command]".to_owned();
            self.note(&span, message, "this one", help);
        }
    }

    fn combination(&mut self, block: &Block, combination: &Combination) {
        let mut choices = combination.choices.iter();
        let chosen = choices.find(|choice| choice.name == "schedule");
        let preset =
            preset_of(self.program, block, combination).or_else(|| preset::find(&chosen?.means));
        if let Some(preset) = preset {
            self.one_rate(block, combination, preset);
        }
        let sought = |name, origin| Sought { block, preset, name, origin };
        for fixed in &block.fixed {
            self.told(&fixed.name, &fixed.value, &fixed.span);
            if let Some(parameter) = self.known(&sought(&fixed.name, Origin::Shared), &fixed.key) {
                self.value(parameter, &fixed.value, &fixed.span);
            }
        }
        for choice in combination.choices.iter().filter(|choice| choice.name != "schedule") {
            if let Some(parameter) = self.known(&sought(&choice.name, Origin::Shared), &choice.span)
            {
                self.value(parameter, &Value::Text(choice.means.clone()), &choice.span);
            }
        }
        for dimension in &combination.dimensions {
            let is_branch = dimension.choice.as_deref() == Some("schedule");
            let origin = if is_branch { Origin::Branch } else { Origin::Shared };
            for (index, name) in dimension.names.iter().enumerate() {
                if let Points::Rows(rows) = &dimension.points {
                    for row in rows {
                        self.told(name, &row.values[index], &row.span);
                    }
                }
                let Some(parameter) = self.known(&sought(name, origin), &dimension.keys[index])
                else {
                    continue;
                };
                match &dimension.points {
                    Points::Rows(rows) => {
                        for row in rows {
                            self.value(parameter, &row.values[index], &row.span);
                        }
                    }
                    Points::Range { distribution, unit }
                    | Points::Even { distribution, unit, .. } => {
                        for end in ends(*distribution) {
                            self.value(parameter, &unit.value(end), &dimension.span);
                        }
                    }
                }
            }
        }
    }

    /// A class of a library may have its own name for the peak: two different values are a conflict.
    fn one_rate(&mut self, block: &Block, combination: &Combination, preset: &PresetInfo) {
        let rate = preset.rate();
        if rate == "peak" {
            return;
        }
        let schedule = block.schedule.iter().flat_map(|schedule| &schedule.arguments);
        let fixed: Vec<&Fixed> = block.fixed.iter().chain(schedule).collect();
        // Where it stands, and its number if it has the same one at every point.
        let set = |name: &str| {
            let swept = combination.dimensions.iter().find_map(|dimension| {
                let index = dimension.names.iter().position(|other| other == name)?;
                Some((&dimension.keys[index], dimension.only_number(name)))
            });
            let fixed = || fixed.iter().find(|fixed| fixed.name == name);
            swept.or_else(|| fixed().map(|fixed| (&fixed.key, fixed.value.number())))
        };
        let (Some((peak, peaks)), Some((own, owns))) = (set("peak"), set(rate)) else { return };
        if peaks.is_some() && peaks == owns {
            return;
        }
        let [first, second] = if peak.start < own.start { [peak, own] } else { [own, peak] };
        let [other, this] = if peak.start < own.start { ["peak", rate] } else { [rate, "peak"] };
        let line = self.spec.source.text[..first.start].matches('\n').count() + 1;
        let message = format!(
            "`{this}` sets the same number as `{other}` on line {line}: the peak of `{}`",
            preset.name
        );
        let help = format!(
            "keep one of them; in a schedule's branch, `peak` instead of `{rate}` replaces a shared `peak`"
        );
        self.note(second, message, "the second one", help);
    }

    fn fixed_schedule(&mut self, block: &Block) {
        let Some(schedule) = &block.schedule else { return };
        for argument in &schedule.arguments {
            if let Some((message, help)) = unknown_argument(schedule.preset, &argument.name) {
                self.note(&argument.key, message, "unknown", help);
            }
        }
    }

    /// The worker program's parameter of that name; `None` for an argument of the schedule, and after a mistake.
    fn known(&mut self, sought: &Sought, span: &Range<usize>) -> Option<&'a Parameter> {
        let Sought { block, preset, name, origin } = *sought;
        if preset.is_some_and(|preset| is_argument(preset, self.program, block, name, origin)) {
            return None;
        }
        let program = self.program;
        let found = program.parameters.iter().find(|parameter| parameter.name == name);
        if let (None, Takes::Anything, Origin::Branch, Some(preset)) =
            (found, program.takes, origin, preset)
            && !self.elsewhere.contains(name)
        {
            let message =
                format!("`{}` has no argument `{name}`, and no program is told it", preset.name);
            let arguments = preset.all_arguments().map(|info| info.name);
            let known = arguments.chain(["peak"]).chain(self.elsewhere.iter().copied());
            let own = || {
                format!(
                    "a parameter of your program is named in `run`: \"--{name}={{{{ {name} }}}}\""
                )
            };
            let meant = nearest(name, known).map(|meant| format!("did you mean `{meant}`?"));
            let help = preset.instead_of(name).or(meant).unwrap_or_else(own);
            self.note(span, message, "unknown", help);
        }
        if found.is_none() && program.takes == Takes::Listed {
            let mut known: Vec<&str> =
                program.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
            known.push("peak");
            let message = if let (Origin::Branch, Some(preset)) = (origin, preset) {
                known.extend(preset.all_arguments().map(|info| info.name));
                format!("neither `{}` nor `{}` has a parameter `{name}`", preset.name, program.name)
            } else {
                known.extend(COMMON.iter().map(|info| info.name));
                format!("`{}` has no parameter `{name}`", program.name)
            };
            let mut fixed = block.fixed.iter().filter(|fixed| fixed.name == name);
            let value = fixed.next().map(|fixed| &fixed.value);
            let instead = preset.and_then(|preset| preset.instead_of(name));
            let instead = instead.or_else(|| foreign::parameter(name, value, &known));
            let help = instead.unwrap_or_else(|| suggest(name, known.iter().copied()));
            self.note(span, message, "unknown", help);
        }
        found
    }

    /// A value that stands in `run` or `environment`.
    fn told(&mut self, name: &str, value: &Value, span: &Range<usize>) {
        let ProgramSpec::Command(command) = &self.spec.program else { return };
        let Value::Text(text) = value else { return };
        let what = if text.contains('\0') {
            "holds the character NUL, at which the program would stop reading"
        } else if MAX_ARGUMENT <= text.len() {
            "is longer than 128 KiB, more than an argument can hold"
        } else {
            return;
        };
        if command::placeholders(command).any(|placed| placed == name) {
            let help = "let the program read it from the file $PLEACH_PARAMETERS";
            self.note(span, format!("a value of `{name}` {what}"), "here", help.to_owned());
        }
    }

    fn value(&mut self, parameter: &Parameter, value: &Value, span: &Range<usize>) {
        if let Err((message, help)) = fitting(parameter, value) {
            self.note(span, message, "here", help);
        }
    }

    fn expressions(&mut self, block: &Block) {
        let names = known_names(block, self.program);
        let space = &block.space;
        for placed in space.conditions.iter().chain(space.derived.iter().map(|(_, placed)| placed))
        {
            let mut unknown = Vec::new();
            placed.expression.names(&mut |name, span| {
                if !names.contains(name) {
                    unknown.push((name, span));
                }
            });
            for (name, span) in unknown {
                let help = suggest(name, names.iter().copied());
                self.note(
                    &inside(&placed.span, &span),
                    format!("nothing is called `{name}`"),
                    "unknown in every branch",
                    help,
                );
            }
        }
        for (name, placed) in &space.derived {
            let is_known = self.program.takes == Takes::Anything
                || self.program.parameters.iter().any(|parameter| parameter.name == *name)
                || space.combinations.iter().any(|combination| {
                    preset_of(self.program, block, combination).is_some_and(|preset| {
                        is_argument(preset, self.program, block, name, Origin::Shared)
                    })
                });
            if !is_known {
                let known = self.program.parameters.iter().map(|parameter| parameter.name.as_str());
                let help = suggest(name, known.chain(["peak"]).collect::<Vec<_>>().iter().copied());
                self.note(
                    &placed.span,
                    format!("`{}` has no parameter `{name}`", self.program.name),
                    "derived for nobody",
                    help,
                );
            }
        }
    }
}

/// The metric that is meant by a word of another tool. One that is measured on several sets is that of the validation set:
/// whoever chooses by the test set has none left to test on.
fn measured<'a>(word: &str, metrics: &[&'a str]) -> Option<&'a str> {
    let part = |part: &str| match part.to_lowercase().as_str() {
        "acc" => "accuracy".to_owned(),
        "valid" | "validation" | "eval" | "dev" => "val".to_owned(),
        "training" => "train".to_owned(),
        other => other.to_owned(),
    };
    let parts: Vec<String> = word.split(['_', '-', '/', '.', ' ']).map(part).collect();
    let meant = parts.join("_");
    let is = |name: &str| metrics.iter().copied().find(|metric| *metric == name);
    is(&meant).or_else(|| is(&format!("val_{meant}")))
}

/// The names outside of schedules' branches that are parameters of a person's own program.
fn elsewhere<'a>(spec: &'a SweepSpec, command: &'a CommandSpec) -> BTreeSet<&'a str> {
    let mut names: BTreeSet<&str> = command::placeholders(command).collect();
    for block in &spec.blocks {
        names.extend(block.fixed.iter().map(|fixed| fixed.name.as_str()));
        names.extend(block.space.derived.iter().map(|(name, _)| name.as_str()));
        for combination in &block.space.combinations {
            names.extend(combination.choices.iter().map(|choice| choice.name.as_str()));
            let is_shared =
                |dimension: &&Dimension| dimension.choice.as_deref() != Some("schedule");
            let shared = combination.dimensions.iter().filter(is_shared);
            names.extend(shared.flat_map(|dimension| &dimension.names).map(String::as_str));
        }
    }
    names
}

/// Every name that has a value in some branch.
fn known_names<'a>(block: &'a Block, program: &'a Program) -> BTreeSet<&'a str> {
    let mut names: BTreeSet<&str> = block.names().collect();
    names.extend(program.parameters.iter().map(|parameter| parameter.name.as_str()));
    names
}

fn ends(distribution: Distribution) -> Vec<Value> {
    match distribution {
        Distribution::Uniform { lo, hi } | Distribution::Log { lo, hi } => {
            vec![Value::Float(lo), Value::Float(hi)]
        }
        Distribution::Int { lo, hi } | Distribution::LogInt { lo, hi } => {
            vec![Value::Int(lo), Value::Int(hi)]
        }
        Distribution::Normal { mean, .. } => vec![Value::Float(mean)],
    }
}

#[cfg(test)]
mod tests;
