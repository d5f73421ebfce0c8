//! One point of a sweep as a configuration: what is shown, what the worker is told, the schedule in steps.

use std::{cell::RefCell, collections::BTreeMap, ops::Range, rc::Rc};

use pleach_schedule::{duration::Horizon, preset::PresetInfo};

use crate::{
    diagnostic::Diagnostic,
    expression::{Evaluation, Unknown},
    key::Key,
    plan::{
        Length, Lengths, Outcome, Refused, command,
        rungs::rungs,
        schedule::{Origin, Scheduled, Wrong, is_argument, preset_of, scheduled},
        values::{fitting, spelled},
        view::{View, list},
    },
    program::{Kind, Parameter, Program, Role, Takes},
    space::{Placed, Point},
    spec::{Block, ProgramSpec, Search, SweepSpec, inside},
    stop::Rungs,
    stream::Stream,
    value::{Parameters, Value},
};

/// How often a sample is drawn anew until `where` holds.
const MAX_DRAWS: u64 = 1_000;

/// One point of the space.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Its number in the expansion.
    pub point: u64,
    /// What was swept, by name, choices by their branch: what boards show.
    pub parameters: Parameters,
    /// What the worker is told: what acts and is not as it is by default.
    pub worker: Parameters,
    pub schedule: Option<Rc<Scheduled>>,
    /// The other parameters that change from step to step, by name. One that is the same at every step is a plain number of
    /// `worker`, so two configurations have the same hyperparameters at a step if their `worker` is equal and the
    /// schedule and all profiles have equal values there. (A number beside a profile that begins with it is not seen as
    /// equal: a worker's state may differ, such as a velocity that momentum 0 does not need.)
    pub profiles: BTreeMap<String, Rc<Scheduled>>,
    pub length: Rc<Length>,
    /// Of everything that trials side by side have in common, their seed apart; absent if it is trained alone.
    pub shape: Option<Key>,
    /// Where it is judged; absent if it never is.
    pub rungs: Option<Rc<Rungs>>,
}

/// Makes configurations of points.
pub struct Planner<'a> {
    pub(super) spec: &'a SweepSpec,
    pub(super) program: &'a Program,
    pub(super) parameters: BTreeMap<&'a str, &'a Parameter>,
    lengths: &'a Lengths,
    /// Schedules are few and points many.
    schedules: RefCell<BTreeMap<String, Result<Rc<Scheduled>, Wrong>>>,
}

/// Extended points are numbered by their extension, counted from 1, above so many bits of the point itself.
const POINT_BITS: u32 = 40;

/// A point that is extended.
pub(super) fn extended(extension: usize, point: u64) -> u64 {
    (extension as u64 + 1) << POINT_BITS | base(point)
}

/// The point of the file.
pub(super) fn base(number: u64) -> u64 {
    number & ((1 << POINT_BITS) - 1)
}

fn extension(number: u64) -> Option<usize> {
    (number >> POINT_BITS).checked_sub(1).map(|extension| extension as usize)
}

impl<'a> Planner<'a> {
    #[must_use]
    pub fn new(spec: &'a SweepSpec, program: &'a Program, lengths: &'a Lengths) -> Self {
        let parameters = program
            .parameters
            .iter()
            .map(|parameter| (parameter.name.as_str(), parameter))
            .collect();
        Self { spec, program, parameters, lengths, schedules: RefCell::default() }
    }

    /// The configuration of a point that was planned with the same spec, program and lengths.
    pub fn configuration(&self, point: u64) -> Option<Configuration> {
        match self.at(point) {
            Outcome::Configuration(configuration) => Some(*configuration),
            _ => None,
        }
    }

    /// Whatever becomes of point number `point`.
    pub(super) fn at(&self, point: u64) -> Outcome {
        match self.look_at(point, |view| self.complete(point, view)) {
            Ok(configuration) => Outcome::Configuration(Box::new(configuration)),
            Err(outcome) => outcome,
        }
    }

    /// What `look` makes of a point for which `where` holds.
    pub(super) fn look_at<T>(
        &self,
        number: u64,
        look: impl Fn(&View) -> Result<T, Outcome>,
    ) -> Result<T, Outcome> {
        let placed = |block, point: &Point| look(&self.view(number, block, point)?);
        match self.spec.search {
            Search::Grid => self.grid(number, placed),
            Search::Samples { sampler, samples, seed } => {
                let stream = |block, sample, k| Stream::new(sampler, seed, block, sample, k);
                self.sample(number, samples, stream, placed)
            }
        }
    }

    fn grid<T>(
        &self,
        number: u64,
        look: impl Fn(&'a Block, &Point) -> Result<T, Outcome>,
    ) -> Result<T, Outcome> {
        let mut index = u128::from(base(number));
        for block in &self.spec.blocks {
            let count = block.space.count().unwrap_or(0);
            if index < count {
                return look(block, &block.space.point(index).ok_or(Outcome::Removed)?);
            }
            index -= count;
        }
        Err(Outcome::Removed)
    }

    fn sample<T>(
        &self,
        number: u64,
        samples: u64,
        stream: impl Fn(u64, u64, u64) -> Stream,
        look: impl Fn(&'a Block, &Point) -> Result<T, Outcome>,
    ) -> Result<T, Outcome> {
        let (block_number, sample) = (base(number) / samples, base(number) % samples);
        let block = self.spec.blocks.get(block_number as usize).ok_or(Outcome::Removed)?;
        for k in 0..MAX_DRAWS {
            let point = block.space.draw(&mut stream(block_number, sample, k));
            match look(block, &point) {
                Err(Outcome::Removed) => {}
                result => return result,
            }
        }
        let span = block.space.conditions.first().map(|condition| condition.span.clone());
        Err(Outcome::Wrong(vec![Diagnostic {
            message: format!("no point was found for which `where` holds, in {MAX_DRAWS} draws"),
            span,
            label: "almost never holds".to_owned(),
            help: "loosen the condition, or sweep what it asks for directly".to_owned(),
        }]))
    }

    /// A point's values, if `where` holds.
    fn view<'v>(
        &self,
        number: u64,
        block: &'v Block,
        point: &'v Point<'v>,
    ) -> Result<View<'v>, Outcome>
    where
        'a: 'v,
    {
        let mut view = View { block, point, derived: Vec::new(), longer: self.longer(number) };
        for (name, placed) in &block.space.derived {
            if let Some(value) =
                self.evaluate(&view, placed, |evaluation| placed.expression.value(evaluation))?
            {
                view.derived.push((name, value));
            }
        }
        for placed in &block.space.conditions {
            let holds =
                self.evaluate(&view, placed, |evaluation| placed.expression.holds(evaluation))?;
            if holds == Some(false) {
                return Err(Outcome::Removed);
            }
        }
        Ok(view)
    }

    fn complete(&self, number: u64, view: &View) -> Result<Configuration, Outcome> {
        let preset = preset_of(self.program, view.block, view.point.combination);
        let (worker, arguments) = self.sort(view, preset)?;
        if let ProgramSpec::Command(command) = &self.spec.program
            && let Some(absent) = command::absent(command, &worker, &arguments)
        {
            return Err(Outcome::Wrong(vec![absent]));
        }
        let metric = &self.spec.objective.metric;
        let lacking = self.lacking(view, &worker, metric, &self.spec.objective_span);
        let length = match self.length(view, &worker) {
            Err(Outcome::Wrong(others)) => {
                return Err(Outcome::Wrong(lacking.into_iter().chain(others).collect()));
            }
            _ if !lacking.is_empty() => return Err(Outcome::Wrong(lacking)),
            other => Rc::clone(other?),
        };
        let shape = (1 < length.lanes).then(|| self.shape(&worker, &length));
        let schedule = match preset {
            Some(preset) => Some(self.schedule(view, preset, &arguments, &length)?),
            None => None,
        };
        let worker = self.with_momentum(view, (worker, &arguments), schedule.as_deref())?;
        let (worker, profiles) = self.profiles(view, worker, schedule.as_deref(), &length)?;
        let rungs = rungs(self.spec, self.program, view, &worker, (number, &length))?;
        Ok(Configuration {
            point: number,
            parameters: view.swept(),
            worker: self.acting(&worker),
            schedule,
            profiles,
            length,
            shape,
            rungs,
        })
    }

    /// What a metric needs to be measured and does not have here; `span` is where it is asked for.
    fn lacking(
        &self,
        view: &View,
        worker: &Parameters,
        metric: &str,
        span: &Range<usize>,
    ) -> Vec<Diagnostic> {
        let mistake = |(name, value): (&str, &Value)| {
            let default = || self.parameters.get(name)?.default.clone();
            let given = worker.get(name).cloned().or_else(default);
            let given = given.map_or_else(|| "not set".to_owned(), |given| given.to_string());
            let text = spelled(value);
            Diagnostic {
                message: format!("`{metric}` is not measured where `{name}` is {given}"),
                span: Some(view.place(name).unwrap_or_else(|| span.clone())),
                label: "here".to_owned(),
                help: match view.place(name) {
                    Some(_) => format!("another value, such as {text}"),
                    None => format!("write {name} = {text} under [trainer]"),
                },
            }
        };
        self.program.lacking(metric, worker).map(mistake).collect()
    }

    /// The parameter that decides how long a trial is, and its value for an extended point.
    fn longer(&self, number: u64) -> Option<(&'a str, Value)> {
        let extension = self.spec.extensions.get(extension(number)?)?;
        let parameters = &self.program.parameters;
        let budget = parameters.iter().find(|parameter| parameter.role == Some(Role::Budget))?;
        Some((&budget.name, Value::Text(extension.budget.clone())))
    }

    /// An expression's value; `None` if it does not apply here.
    fn evaluate<T>(
        &self,
        view: &View,
        placed: &Placed,
        get: impl Fn(&Evaluation) -> Result<T, Unknown>,
    ) -> Result<Option<T>, Outcome> {
        let value = |name: &str| {
            let default =
                || self.parameters.get(name).and_then(|parameter| parameter.default.clone());
            view.value(name).or_else(default)
        };
        let mut result = get(&Evaluation { value: &value, horizon: None });
        if result.as_ref().err() == Some(&Unknown::Horizon) {
            let (worker, _) =
                self.sort(view, preset_of(self.program, view.block, view.point.combination))?;
            let length = self.length(view, &worker)?;
            result = get(&Evaluation { value: &value, horizon: Some(horizon(length)) });
        }
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Unknown::Absent | Unknown::Horizon) => Ok(None),
            Err(Unknown::Wrong(error)) => Err(Outcome::Wrong(vec![Diagnostic {
                message: error.message,
                span: Some(inside(&placed.span, &error.span)),
                label: "here".to_owned(),
                help: format!("for {}", list(&view.swept())),
            }])),
        }
    }

    /// What is the worker's and what the schedule's.
    pub(super) fn sort(
        &self,
        view: &View,
        preset: Option<&'static PresetInfo>,
    ) -> Result<(Parameters, Parameters), Outcome> {
        let (mut worker, mut arguments) = (Parameters::new(), Parameters::new());
        let mut mistakes = Vec::new();
        let takes = self.program.takes;
        // Who shares stages must not know how the schedule goes on after them: its table until there is all of it.
        let is_shared = self.program.checkpoints;
        let mut put = |name: &str, origin: Origin, value: &Value| {
            let is_argument = preset
                .is_some_and(|preset| is_argument(preset, self.program, view.block, name, origin));
            if is_argument {
                arguments.insert(name.to_owned(), value.clone());
            }
            let parameter = self.parameters.get(name).filter(|_| !is_argument);
            let Some(parameter) = parameter else {
                // Unknown names were found before, but for derived ones that no branch here takes.
                if takes == Takes::Anything && !(is_argument && is_shared) {
                    worker.insert(name.to_owned(), value.clone());
                }
                return;
            };
            match fitting(parameter, value) {
                Ok(value) => {
                    worker.insert(name.to_owned(), value);
                }
                Err((message, help)) => {
                    mistakes.push(Diagnostic {
                        message,
                        span: view.place(name),
                        label: "here".to_owned(),
                        help,
                    });
                }
            }
        };
        for fixed in &view.block.fixed {
            put(&fixed.name, Origin::Shared, &fixed.value);
        }
        for fixed in view.block.schedule.iter().flat_map(|schedule| &schedule.arguments) {
            put(&fixed.name, Origin::Branch, &fixed.value);
        }
        for (name, choice, value) in &view.point.values {
            let origin = if *choice == Some("schedule") { Origin::Branch } else { Origin::Shared };
            put(name, origin, value);
        }
        for choice in
            view.point.combination.choices.iter().filter(|choice| choice.name != "schedule")
        {
            put(&choice.name, Origin::Shared, &Value::Text(choice.means.clone()));
        }
        for (name, value) in &view.derived {
            put(name, Origin::Shared, value);
        }
        if let Some((name, value)) = &view.longer {
            put(name, Origin::Shared, value);
        }
        let schedules =
            view.point.combination.choices.iter().filter(|choice| choice.name == "schedule");
        let chosen = schedules.map(|choice| choice.branch.as_str()).next();
        let fixed = || view.block.schedule.as_ref().map(|fixed| fixed.preset.name);
        if let (Takes::Anything, false, Some(name)) = (takes, is_shared, chosen.or_else(fixed)) {
            worker.insert("schedule".to_owned(), Value::Text(name.to_owned()));
        }
        for parameter in self.parameters.values() {
            if parameter.default.is_none() && !worker.contains_key(&parameter.name) {
                mistakes.push(Diagnostic {
                    message: format!(
                        "`{}` needs `{}`: {}",
                        self.program.name, parameter.name, parameter.doc
                    ),
                    span: None,
                    label: String::new(),
                    help: format!(
                        "write {} = ... under [trainer], or sweep it under [space]",
                        parameter.name
                    ),
                });
            }
        }
        if mistakes.is_empty() { Ok((worker, arguments)) } else { Err(Outcome::Wrong(mistakes)) }
    }

    /// What acts and is not as it is by default.
    fn acting(&self, worker: &Parameters) -> Parameters {
        let is_told = |name: &str, value: &Value| {
            self.parameters.get(name).is_none_or(|parameter| {
                self.program.acts(parameter, worker) && parameter.default.as_ref() != Some(value)
            })
        };
        worker
            .iter()
            .filter(|(name, value)| is_told(name, value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// What the program is asked about: the parameters that decide how long a trial is, and those that only it can judge.
    fn asked(&self, worker: &Parameters) -> Parameters {
        let is_asked = |name: &str| {
            self.parameters.get(name).is_some_and(|parameter| {
                parameter.length || matches!(parameter.kind, Kind::Text { pattern: Some(_), .. })
            })
        };
        self.acting(worker).into_iter().filter(|(name, _)| is_asked(name)).collect()
    }

    fn shape(&self, worker: &Parameters, length: &Length) -> Key {
        let mut asked = self.asked(worker);
        asked.retain(|name, _| self.parameters[name.as_str()].role != Some(Role::Budget));
        // Plain values always serialize.
        Key::of(&serde_json::to_string(&(asked, &length.data)).unwrap_or_default())
    }

    /// How long it trains.
    fn length(&self, view: &View, worker: &Parameters) -> Result<&Rc<Length>, Outcome> {
        let asked = self.asked(worker);
        match self.lengths.get(&asked) {
            None => Err(Outcome::Unmeasured(asked)),
            Some(Ok(length)) => Ok(length),
            Some(Err(Refused { parameter, message })) => Err(Outcome::Wrong(vec![Diagnostic {
                message: message.clone(),
                span: parameter.as_ref().and_then(|name| view.place(name)),
                label: format!("`{}` says so", self.program.name),
                help: if parameter.is_some() {
                    String::new()
                } else {
                    format!("for {}", list(&asked))
                },
            }])),
        }
    }

    fn schedule(
        &self,
        view: &View,
        info: &'static PresetInfo,
        values: &Parameters,
        length: &Length,
    ) -> Result<Rc<Scheduled>, Outcome> {
        self.made(view, &format!("{} {values:?}", info.name), length, || {
            self.followable(info, values, horizon(length))
        })
    }

    /// What was made of the same before, or is now.
    pub(super) fn made(
        &self,
        view: &View,
        what: &str,
        length: &Length,
        make: impl FnOnce() -> Result<Scheduled, Wrong>,
    ) -> Result<Rc<Scheduled>, Outcome> {
        let cache_key = format!("{what} {} {}", length.steps, length.steps_per_epoch);
        let mut schedules = self.schedules.borrow_mut();
        let made = schedules.entry(cache_key).or_insert_with(|| make().map(Rc::new));
        made.clone().map_err(|wrong| Outcome::Wrong(vec![wrong_schedule(view, wrong)]))
    }

    /// A schedule, if the program can follow it.
    fn followable(
        &self,
        info: &'static PresetInfo,
        values: &Parameters,
        horizon: Horizon,
    ) -> Result<Scheduled, Wrong> {
        let made = scheduled(info, values, horizon, self.program)?;
        if let ProgramSpec::Command(command) = &self.spec.program {
            let text = |horizon| Ok(scheduled(info, values, horizon, self.program)?.text);
            command::followable(command, &made, horizon, text)?;
        }
        Ok(made)
    }
}

/// A mistake at its argument, or at the schedule's name.
pub(super) fn wrong_schedule(view: &View, (argument, message, help): Wrong) -> Diagnostic {
    let choice = view.point.combination.choices.iter().find(|choice| choice.name == "schedule");
    let fixed = view.block.schedule.as_ref().map(|fixed| &fixed.span);
    let whole = choice.map(|choice| &choice.span).or(fixed);
    let span = view.place(&argument).or(whole.cloned());
    Diagnostic { message, span, label: "here".to_owned(), help }
}

pub(super) fn horizon(length: &Length) -> Horizon {
    Horizon { steps: length.steps, steps_per_epoch: length.steps_per_epoch }
}
