//! From parameters to a schedule: which of them are its arguments, what they mean, and the schedule in steps.

use std::{collections::BTreeMap, rc::Rc};

use pleach_schedule::{
    duration::{Duration, Horizon},
    follow::{Follow, FollowError},
    line::short,
    plateau::{Monitor, Plateau},
    preset::{self, Argument, COMMON, Expected, PresetInfo, find},
    resolved::Resolved,
    schedule::{ResolveError, Schedule},
};

use crate::{
    diagnostic::suggest,
    plan::{Course, values::extremes_fitting},
    program::{Parameter, Program},
    space::Combination,
    spec::Block,
    value::{Parameters, Value},
};

/// A schedule in steps of a trial.
#[derive(Clone, Debug)]
pub struct Scheduled {
    pub resolved: Resolved,
    /// Its one-line spelling: equal texts are equal schedules.
    pub text: String,
    pub plateau: Option<Plateau>,
    pub course: Rc<Course>,
    /// As written, durations and all; it reads back.
    pub written: String,
    pub is_anytime: bool,
    /// What momentum follows beside the rate, as a sweep file spells it, if an argument asks for that.
    pub momentum: Option<String>,
    /// Why it is probably not meant so.
    pub(crate) doubt: Option<Wrong>,
}

impl Scheduled {
    pub fn new(schedule: Schedule, horizon: Horizon) -> Result<Self, ResolveError> {
        let resolved = schedule.resolve(horizon)?;
        Ok(Self {
            text: resolved.to_string(),
            course: Rc::new(Course::new(&resolved.pieces(horizon.steps))),
            resolved,
            written: schedule.to_string(),
            is_anytime: schedule.is_anytime(),
            plateau: schedule.plateau,
            momentum: None,
            doubt: None,
        })
    }
}

impl Scheduled {
    /// The rates of the first `steps` updates, from a resolved schedule's text.
    pub fn rates(text: &str, steps: u64) -> Result<impl Iterator<Item = f64>, String> {
        let resolved: Resolved = text.parse().map_err(|error| format!("`{text}`: {error}"))?;
        Ok((0..steps).map(move |step| resolved.at(step)))
    }
}

/// The argument at fault (or none), what is wrong, and what to do.
pub(crate) type Wrong = (String, String, String);

/// The preset of a combination's schedule: chosen, fixed, or `constant` when only a peak is given. Where nobody says how
/// long trials are, there is none.
pub(super) fn preset_of(
    program: &Program,
    block: &Block,
    combination: &Combination,
) -> Option<&'static PresetInfo> {
    if program.is_open_ended() {
        return None;
    }
    let chosen = combination.choices.iter().find(|choice| choice.name == "schedule");
    match (chosen, &block.schedule) {
        (Some(choice), _) => find(&choice.means),
        (None, Some(fixed)) => Some(fixed.preset),
        (None, None) => {
            let is_peak = |name: &str| name == "peak";
            let swept = combination.dimensions.iter().flat_map(|dimension| &dimension.names);
            let derived = block.space.derived.iter().map(|(name, _)| name);
            let mut names = swept.chain(derived).chain(block.fixed.iter().map(|fixed| &fixed.name));
            names.any(|name| is_peak(name)).then(|| find("constant")).flatten()
        }
    }
}

/// Where a parameter comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A branch of the choice `schedule`.
    Branch,
    /// A branch of another choice, a shared axis, a derived value, or fixed.
    Shared,
}

/// Whether a parameter is an argument of the schedule. Every preset's own arguments are so in its branch, and what its
/// library takes beside them unless the program takes it; elsewhere only the peak and what all presets take; but
/// everything when the schedule is fixed, since no name can then be mistaken.
pub(super) fn is_argument(
    preset: &PresetInfo,
    program: &Program,
    block: &Block,
    name: &str,
    origin: Origin,
) -> bool {
    let is_listed = || preset.all_arguments().any(|info| info.name == name);
    let is_the_programs = || program.parameters.iter().any(|parameter| parameter.name == name);
    let is_own = || is_listed() || preset.knows(name) && !is_the_programs();
    name == "peak"
        || match origin {
            Origin::Branch => is_own(),
            Origin::Shared if block.schedule.is_some() => is_own(),
            Origin::Shared => COMMON.iter().any(|info| info.name == name),
        }
}

/// What the arguments of a preset mean in a trial of that length.
pub(crate) fn schedule_of(
    info: &'static PresetInfo,
    values: &Parameters,
    horizon: Horizon,
) -> Result<Schedule, Wrong> {
    let as_number = |value: &Value| {
        number(value).ok_or_else(|| {
            (
                "peak".to_owned(),
                format!("`peak` must be a number, not {value}"),
                "the highest learning rate".to_owned(),
            )
        })
    };
    let peak = values.get("peak").map(as_number).transpose()?;
    if peak.is_none() && info.rate() == "peak" {
        let help = "write peak = 0.1 under [trainer] or in this branch, or sweep it: peak = { log = [0.01, 1.0], n = 5 }";
        return Err((
            String::new(),
            format!("the schedule `{}` has no peak", info.name),
            help.to_owned(),
        ));
    }
    preset::preset(info, peak, &arguments(info, values), horizon)
        .map_err(|error| (error.argument, error.message, error.help))
}

/// The arguments by which a library's schedule moves momentum beside the rate.
pub(super) const MOVING: [&str; 4] = ["cycle_momentum", "base_momentum", "max_momentum", "moms"];

/// The schedule of a preset and its arguments, in steps of a trial.
pub(super) fn scheduled(
    info: &'static PresetInfo,
    values: &Parameters,
    horizon: Horizon,
    program: &Program,
) -> Result<Scheduled, Wrong> {
    let schedule = schedule_of(info, values, horizon)?;
    watches_what_is_measured(&schedule, program)?;
    in_steps(schedule, info, values, horizon)
}

/// The same, whatever trains it.
pub(crate) fn scheduled_alone(
    info: &'static PresetInfo,
    values: &Parameters,
    horizon: Horizon,
) -> Result<Scheduled, Wrong> {
    in_steps(schedule_of(info, values, horizon)?, info, values, horizon)
}

fn in_steps(
    schedule: Schedule,
    info: &'static PresetInfo,
    values: &Parameters,
    horizon: Horizon,
) -> Result<Scheduled, Wrong> {
    // Some libraries compute with the number of steps: what comes out depends on the budget then.
    let longer = Horizon { steps: horizon.steps.saturating_mul(2), ..horizon };
    let is_the_same = schedule_of(info, values, longer).is_ok_and(|longer| longer == schedule);
    let written = schedule.to_string();
    let mut scheduled = Scheduled::new(schedule, horizon).map_err(|error| {
        let help = match error {
            ResolveError::TooLong { .. } if info.class().is_some() => {
                "or write compat = true: it ends where the trial ends, as in its library".to_owned()
            }
            _ => format!("it is `{}`", short(&written)),
        };
        let message = format!("the schedule `{}`: {error}", info.name);
        (at_fault(&error, info, values, horizon), message, help)
    })?;
    scheduled.is_anytime &= is_the_same;
    scheduled.momentum = preset::momentum(info, &arguments(info, values), horizon)
        .map_err(|error| (error.argument, error.message, error.help))?;
    scheduled.doubt = doubt(info, values, horizon, &scheduled.resolved);
    Ok(scheduled)
}

/// A schedule is looked at in so many places.
const LOOKS: u64 = 64;

/// What happens to a rate in nearly all of a trial.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lapse {
    /// It has fallen before this.
    Over,
    /// It has not yet begun to change.
    NotBegun,
}

fn lapse(resolved: &Resolved, steps: u64) -> Option<Lapse> {
    let last = steps.saturating_sub(1);
    let rates: Vec<f64> = (0..=LOOKS).map(|look| resolved.at(last * look / LOOKS)).collect();
    let highest = rates.iter().copied().fold(0.0, f64::max);
    let is_near = |a: f64, b: f64| (a - b).abs() <= 1e-3 * highest;
    let (first, end) = (rates[0], rates[LOOKS as usize]);
    if rates.iter().all(|rate| is_near(*rate, first)) {
        return Some(Lapse::NotBegun);
    }
    let is_fallen = end < 0.5 * highest && rates[4..].iter().all(|rate| is_near(*rate, end));
    is_fallen.then_some(Lapse::Over)
}

/// A library's schedule whose counts of steps were probably meant as epochs.
fn doubt(
    info: &'static PresetInfo,
    values: &Parameters,
    horizon: Horizon,
    resolved: &Resolved,
) -> Option<Wrong> {
    info.class()?;
    if values.contains_key("per") || horizon.steps_per_epoch < 2 || horizon.steps < LOOKS {
        return None;
    }
    let name = longest(info, values, horizon)?;
    let value = &values[name.as_str()];
    let counts = match value {
        Value::List(values) => values.iter().filter_map(Value::number).collect(),
        value => vec![value.number()?],
    };
    let count = counts.into_iter().max_by(f64::total_cmp)?;
    let how = match lapse(resolved, horizon.steps)? {
        Lapse::Over => "over when it has hardly begun",
        Lapse::NotBegun if (horizon.steps as f64) < count => "over before the schedule begins",
        Lapse::NotBegun => return None,
    };
    let message = format!(
        "`{name}` counts steps, {count} of the trial's {}: the {} is {how}",
        horizon.steps,
        if how.contains("schedule") { "trial" } else { "schedule" },
    );
    let mut epochs = values.clone();
    epochs.insert("per".to_owned(), Value::Text("1ep".to_owned()));
    let by_epochs =
        schedule_of(info, &epochs, horizon).ok().and_then(|it| it.resolve(horizon).ok());
    let is_better = by_epochs.is_some_and(|it| lapse(&it, horizon.steps).is_none());
    let help = if is_better {
        "write per = \"1ep\" beside it, and it counts epochs".to_owned()
    } else {
        format!("a duration follows the budget: {name} = \"100%\"")
    };
    Some((name, message, help))
}

/// The argument to which an error is due; none if it cannot be told.
fn at_fault(
    error: &ResolveError,
    info: &PresetInfo,
    values: &Parameters,
    horizon: Horizon,
) -> String {
    let given = |names: &[&str]| {
        names.iter().find(|name| values.contains_key(**name)).map(|name| (*name).to_owned())
    };
    let found = match error {
        ResolveError::Peak(_) => given(&[info.rate(), "peak"]),
        ResolveError::Value { what, .. } | ResolveError::Zero { what } => given(&[what]),
        ResolveError::Grow(_) => given(&["grow"]),
        ResolveError::Geometric => given(&["to", "end"]),
        ResolveError::TwoRests => None,
        ResolveError::TooLong { .. } => longest(info, values, horizon),
    };
    found.or_else(|| given(&["phases", "table"])).unwrap_or_default()
}

/// The argument that stands for the longest stretch of time.
fn longest(info: &PresetInfo, values: &Parameters, horizon: Horizon) -> Option<String> {
    let arguments = arguments(info, values);
    let per = match arguments.get("per") {
        Some(Argument::Duration(per)) => *per,
        _ => Duration::Steps(1.0),
    };
    let counted = |number: &f64| per.times(*number).in_steps(horizon);
    let length = |name: &str, argument: &Argument| {
        let counts = info.all_arguments().any(|info| {
            info.name == name
                && matches!(info.expected, Expected::Time | Expected::Times | Expected::Count)
        });
        match argument {
            Argument::Duration(time) => Some(time.in_steps(horizon)),
            Argument::Durations(times) => {
                times.iter().map(|time| time.in_steps(horizon)).max_by(f64::total_cmp)
            }
            Argument::Number(number) if counts => Some(counted(number)),
            Argument::Numbers(numbers) if counts => {
                numbers.iter().map(counted).max_by(f64::total_cmp)
            }
            _ => None,
        }
    };
    arguments
        .iter()
        .filter_map(|(name, argument)| Some((length(name, argument)?, name)))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name.clone())
}

/// What another parameter than the learning rate follows, in steps of a trial; every value of it is in range.
pub(super) fn follow(
    parameter: &Parameter,
    text: &str,
    rate: Option<&Scheduled>,
    horizon: Horizon,
) -> Result<Scheduled, Wrong> {
    let name = &parameter.name;
    let wrong = |message: String, help: String| (name.clone(), message, help);
    let cannot = |why: String| wrong(format!("`{name}` cannot follow `{text}`"), why);
    let follow: Follow = text.parse().map_err(|error: FollowError| cannot(error.to_string()))?;
    let rate = rate.and_then(|rate| rate.written.parse().ok());
    let schedule = follow.schedule(rate.as_ref()).map_err(|error| cannot(error.to_string()))?;
    let scheduled = Scheduled::new(schedule, horizon).map_err(|error| cannot(error.to_string()))?;
    extremes_fitting(parameter, scheduled.resolved.extremes(horizon.steps))
        .map_err(|(message, help)| wrong(format!("{message}, somewhere on `{text}`"), help))?;
    Ok(scheduled)
}

fn watches_what_is_measured(schedule: &Schedule, program: &Program) -> Result<(), Wrong> {
    let metrics = &program.metrics;
    match schedule.plateau.as_ref().and_then(|plateau| plateau.monitor.as_ref()) {
        Some(Monitor { metric, .. }) if !metrics.is_empty() && !metrics.contains(metric) => {
            let message = format!("`{}` does not measure `{metric}`", program.name);
            let help = suggest(metric, metrics.iter().map(String::as_str));
            Err(("monitor".to_owned(), message, help))
        }
        _ => Ok(()),
    }
}

/// What stands for a schedule's arguments in a preset's own types. What does not fit is passed on as it is, so that the
/// preset says what is wrong with it.
fn arguments(preset: &PresetInfo, values: &Parameters) -> BTreeMap<String, Argument> {
    let mut arguments = BTreeMap::new();
    for (name, value) in values.iter().filter(|(name, _)| *name != "peak") {
        let expected =
            preset.all_arguments().find(|info| info.name == name).map(|info| info.expected);
        arguments.insert(name.clone(), argument(expected, value));
    }
    arguments
}

fn argument(expected: Option<Expected>, value: &Value) -> Argument {
    let duration = |value: &Value| match value {
        Value::Text(text) => text.parse().ok(),
        _ => None,
    };
    match (expected, value) {
        (Some(Expected::Duration | Expected::Time), Value::Text(text)) => {
            text.parse().map_or_else(|_| Argument::Text(text.clone()), Argument::Duration)
        }
        (Some(Expected::Durations | Expected::Times), Value::List(values))
            if values.iter().all(|value| duration(value).is_some()) =>
        {
            Argument::Durations(values.iter().filter_map(duration).collect())
        }
        (_, Value::List(values)) => match values.iter().map(number).collect() {
            Some(numbers) => Argument::Numbers(numbers),
            None => Argument::Text(value.to_string()),
        },
        (_, Value::Bool(value)) => Argument::Bool(*value),
        (_, Value::Text(text)) => Argument::Text(text.clone()),
        (_, Value::Int(value)) => Argument::Number(*value as f64),
        (_, Value::Float(value)) => Argument::Number(*value),
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}
