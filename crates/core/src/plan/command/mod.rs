//! A program of a person's own, as a worker program: it takes whatever the file sets, and how long its trials are stands
//! in the file too.

use std::collections::{BTreeMap, BTreeSet};

use pleach_schedule::duration::{Duration, Horizon};

use crate::{
    diagnostic::{Diagnostic, suggest},
    key::Key,
    plan::{
        Length, Refused,
        schedule::{Origin, Scheduled, Wrong, is_argument, preset_of},
        view::list,
    },
    program::{Kind, Parameter, Program, Role, Takes},
    spec::{Argument, CommandSpec, ProgramSpec, SweepSpec},
    value::{Parameters, Value},
};

/// What a program is told beside its parameters, by the name of a variable of its environment; placeholders may name
/// these too. Those from `PLEACH_SCHEDULE` on only when the sweep has a budget.
const VARIABLES: [&str; 8] = [
    "PLEACH_SEED",
    "PLEACH_DIRECTORY",
    "PLEACH_METRICS",
    "PLEACH_PARAMETERS",
    "PLEACH_SCHEDULE",
    "PLEACH_STEPS",
    "PLEACH_FIRST",
    "PLEACH_END",
];

/// Which of these a program is told.
fn variables(program: &Program) -> Vec<&'static str> {
    let is_told = |name: &&str| match *name {
        "PLEACH_SCHEDULE" => !program.is_open_ended(),
        // How long the trial is says what comes after the stage.
        "PLEACH_STEPS" => !program.is_open_ended() && !program.checkpoints,
        "PLEACH_FIRST" | "PLEACH_END" => program.checkpoints,
        _ => true,
    };
    VARIABLES.into_iter().filter(is_told).collect()
}

/// The trial's seed, as a placeholder.
pub const SEED: &str = "seed";

/// The name of a trial's length among its parameters.
pub const BUDGET: &str = "budget";

/// The most steps whose rates are written into a file for a program: some 200 MB of them.
pub const MAX_TOLD: u64 = 10_000_000;

/// The steps of a trial of which nobody says how many it has.
pub const OPEN_ENDED: u64 = 1 << 40;

/// The program as the planner needs it. `numerics` is a label of its files' content.
#[must_use]
pub fn program(spec: &SweepSpec, numerics: String) -> Program {
    let budget = Parameter {
        name: BUDGET.to_owned(),
        kind: Kind::Duration,
        default: None,
        doc: "how long a trial trains".to_owned(),
        length: true,
        only: None,
        role: Some(Role::Budget),
        per_step: false,
    };
    Program {
        name: "command".to_owned(),
        numerics,
        parameters: if has_budget(spec) { vec![budget] } else { Vec::new() },
        metrics: Vec::new(),
        needs: BTreeMap::new(),
        takes: Takes::Anything,
        checkpoints: matches!(&spec.program, ProgramSpec::Command(command) if command.checkpoint.is_some()),
    }
}

/// Whether the file says how long trials are.
fn has_budget(spec: &SweepSpec) -> bool {
    spec.blocks.iter().any(|block| block.names().any(|name| name == BUDGET))
}

/// How long a trial is. Its data is whatever the command reads, of which nothing is known but the command.
pub fn length(command: &CommandSpec, asked: &Parameters) -> Result<Length, Refused> {
    let refused =
        |message: &str| Refused { parameter: Some(BUDGET.to_owned()), message: message.to_owned() };
    let duration = match asked.get(BUDGET) {
        Some(Value::Text(text)) => text.parse().ok(),
        _ => None,
    };
    let steps = match (duration, command.steps_per_epoch) {
        (None, _) => OPEN_ENDED as f64,
        (Some(Duration::Fraction(_)), _) => {
            return Err(refused(
                "a budget is in steps (\"5000st\") or epochs, not a part of itself",
            ));
        }
        (Some(Duration::Epochs(_)), None) => {
            return Err(refused(
                "nobody says how many steps an epoch has: write command.steps_per_epoch = 500, or the budget in steps",
            ));
        }
        (Some(Duration::Epochs(epochs)), Some(steps)) => epochs * steps as f64,
        (Some(Duration::Steps(steps)), _) => steps,
    };
    if !(0.5..=OPEN_ENDED as f64).contains(&steps) {
        return Err(refused("at least one step, and not more than 10^12"));
    }
    let texts: Vec<&str> = command.run.iter().map(|argument| argument.text.as_str()).collect();
    let environment: Vec<(&String, &String)> =
        command.environment.iter().map(|(name, argument)| (name, &argument.text)).collect();
    // Texts always serialize.
    let content =
        serde_json::to_string(&(texts, environment, &command.metrics)).unwrap_or_default();
    Ok(Length {
        steps: steps.round() as u64,
        steps_per_epoch: command.steps_per_epoch.unwrap_or(1),
        data: Key::of(&content).to_string(),
        lanes: 1,
    })
}

/// Placeholders that have no value anywhere.
pub(super) fn unknown<'a>(
    command: &'a CommandSpec,
    program: &Program,
    names: &BTreeSet<&str>,
) -> impl Iterator<Item = Diagnostic> {
    let known: Vec<&str> = names.iter().copied().chain([SEED]).chain(variables(program)).collect();
    let unknown = move |argument: &'a Argument| {
        let name = argument.template.names().find(|name| !known.contains(name))?;
        Some(Diagnostic {
            message: format!("nothing is called `{name}`"),
            span: Some(argument.span.clone()),
            label: "unknown in every branch".to_owned(),
            help: match name {
                "PLEACH_SCHEDULE" | "PLEACH_STEPS" if !program.checkpoints => {
                    "write budget = \"5000st\" under [command]; without one there is none"
                        .to_owned()
                }
                _ => suggest(name, known.iter().copied()),
            },
        })
    };
    arguments(command).filter_map(unknown)
}

/// A placeholder that has no value among these parameters; `schedules` are the schedule's.
pub(super) fn absent(
    command: &CommandSpec,
    parameters: &Parameters,
    schedules: &Parameters,
) -> Option<Diagnostic> {
    let is_hidden = |name: &str| command.checkpoint.is_some() && name == BUDGET;
    let is_absent = |name: &&str| {
        is_hidden(name)
            || (!parameters.contains_key(*name) && *name != SEED && !VARIABLES.contains(name))
    };
    arguments(command).find_map(|argument| {
        let name = argument.template.names().find(is_absent)?;
        let tells_the_future =
            is_hidden(name) || schedules.contains_key(name) || name == "schedule";
        if command.checkpoint.is_some() && tells_the_future {
            return Some(Diagnostic {
                message: format!("a program that takes part in the tree is not told `{name}`"),
                span: Some(argument.span.clone()),
                label: "it says how training goes on".to_owned(),
                help: "the rates until the end of the stage are in $PLEACH_SCHEDULE; or leave out checkpoint = true"
                    .to_owned(),
            });
        }
        Some(Diagnostic {
            message: format!("`{name}` has no value in every branch"),
            span: Some(argument.span.clone()),
            label: "needed here".to_owned(),
            help: format!(
                "give it one in the others, or let the program read it from $PLEACH_PARAMETERS, which may lack it (absent for {})",
                list(parameters)
            ),
        })
    })
}

/// Every name of which `run` or `environment` needs a value.
pub(super) fn placeholders(command: &CommandSpec) -> impl Iterator<Item = &str> {
    arguments(command).flat_map(|argument| argument.template.names())
}

fn arguments(command: &CommandSpec) -> impl Iterator<Item = &Argument> {
    command.run.iter().chain(command.environment.values())
}

/// Whether a program can be told this schedule before it begins. `in_other` is its text in another horizon.
pub(super) fn followable(
    command: &CommandSpec,
    scheduled: &Scheduled,
    horizon: Horizon,
    in_other: impl Fn(Horizon) -> Result<String, Wrong>,
) -> Result<(), Wrong> {
    if scheduled.plateau.is_some() {
        return Err((
            String::new(),
            "a program of your own is told every rate before it begins; this schedule waits for metrics".to_owned(),
            "choose another schedule, or write a worker program (docs/protocol.md)".to_owned(),
        ));
    }
    if MAX_TOLD < horizon.steps {
        return Err((
            String::new(),
            format!(
                "a program of your own is told every rate, and {} steps are too many to tell",
                horizon.steps
            ),
            format!("at most {MAX_TOLD}: write a smaller budget under [command], or no schedule"),
        ));
    }
    let twice = Horizon { steps_per_epoch: 2 * horizon.steps_per_epoch, ..horizon };
    if command.steps_per_epoch.is_some() || in_other(twice)? == scheduled.text {
        return Ok(());
    }
    Err((
        String::new(),
        "the schedule is in epochs, and nobody says how many steps these have".to_owned(),
        "write steps_per_epoch = 500 under [command], or durations in steps and percent".to_owned(),
    ))
}

/// Whether the files that `run` names read what a program is told in variables and files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    Seen,
    NotSeen,
    /// There is no such file.
    Unknown,
}

/// The swept parameters that never reach the program, as far as `run` and its files show.
pub(super) fn unread(spec: &SweepSpec, program: &Program, reading: Reading) -> Vec<Diagnostic> {
    let ProgramSpec::Command(command) = &spec.program else { return Vec::new() };
    let mut warned = BTreeSet::new();
    let mut warnings = Vec::new();
    for block in &spec.blocks {
        let names: BTreeSet<&str> = block.names().collect();
        for argument in arguments(command) {
            let mut foreign = names.iter().filter_map(|name| rewritten(&argument.text, name));
            if let Some(text) = foreign.next()
                && warned.insert(argument.span.start)
            {
                warnings.push(Diagnostic {
                    message: format!("`{}` is told as it stands: no shell reads it", argument.text),
                    span: Some(argument.span.clone()),
                    label: "the same in every trial".to_owned(),
                    help: format!("write \"{text}\""),
                });
            }
        }
        let placed: BTreeSet<&str> = placeholders(command).collect();
        let is_read = reading != Reading::NotSeen
            || placed.iter().any(|name| VARIABLES.contains(name))
            || arguments(command).any(|argument| argument.text.contains("PLEACH_"));
        if is_read || !warnings.is_empty() {
            continue;
        }
        for combination in &block.space.combinations {
            let preset = preset_of(program, block, combination);
            for dimension in combination.dimensions.iter().filter(|it| it.count() != Some(1)) {
                let is_branch = dimension.choice.as_deref() == Some("schedule");
                let origin = if is_branch { Origin::Branch } else { Origin::Shared };
                for (name, key) in dimension.names.iter().zip(&dimension.keys) {
                    let is_schedules = preset
                        .is_some_and(|preset| is_argument(preset, program, block, name, origin));
                    if placed.contains(name.as_str())
                        || name == BUDGET
                        || is_schedules
                        || !warned.insert(key.start)
                    {
                        continue;
                    }
                    warnings.push(Diagnostic {
                        message: format!("`{name}` is swept, and nothing of `run` takes it"),
                        span: Some(key.clone()),
                        label: "the program may never see it".to_owned(),
                        help: format!(
                            "tell it in `run`: \"--{name}={{{{ {name} }}}}\"; or let the program read $PLEACH_PARAMETER_{name}"
                        ),
                    });
                }
            }
        }
    }
    warnings
}

/// A text in which a parameter stands as other tools spell it, as it should be; `None` if it does not.
fn rewritten(text: &str, name: &str) -> Option<String> {
    let placeholder = format!("{{{{ {name} }}}}");
    let closed = [("${", "}"), ("$(", ")"), ("%(", ")s"), ("%", "%"), ("<", ">"), ("[[", "]]")];
    let closed = closed.into_iter().map(|(open, close)| format!("{open}{name}{close}"));
    if let Some(foreign) = closed.clone().find(|foreign| text.contains(foreign.as_str())) {
        return Some(text.replace(&foreign, &placeholder));
    }
    let single = format!("{{{name}}}");
    if text.contains(&single) && !text.contains(&format!("{{{single}")) {
        return Some(text.replace(&single, &placeholder));
    }
    let shell = format!("${name}");
    let (before, after) = text.split_once(shell.as_str())?;
    let goes_on = after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    (!goes_on).then(|| format!("{before}{placeholder}{after}"))
}

#[cfg(test)]
mod tests;
