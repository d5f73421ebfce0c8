//! The worker program's word against the file, before any point is looked at: every name known, every value in range.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use pleach_schedule::preset::{COMMON, PresetInfo};

use crate::{
    diagnostic::{Diagnostic, suggest},
    plan::{
        command,
        schedule::{Origin, is_argument, preset_of},
        values::fitting,
    },
    program::{Parameter, Program, Takes},
    space::{Combination, Distribution, Points},
    spec::{Block, CommandSpec, ProgramSpec, SweepSpec, Within, inside, unknown_argument},
    value::Value,
};

/// Everything that is wrong, in the order of the file.
pub(super) fn check(spec: &SweepSpec, program: &Program) -> Vec<Diagnostic> {
    let mut check = Check { program, mistakes: BTreeMap::new() };
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
    program: &'a Program,
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
            let help = suggest(metric, metrics.iter().map(String::as_str));
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
        let preset = preset_of(self.program, block, combination);
        let sought = |name, origin| Sought { block, preset, name, origin };
        for fixed in &block.fixed {
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
            let instead = preset.and_then(|preset| preset.instead_of(name));
            let help = instead.unwrap_or_else(|| suggest(name, known.iter().copied()));
            self.note(span, message, "unknown", help);
        }
        found
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
