//! Named schedules: macros of one to three phases. What each takes is data ([`PRESETS`]); what each means is one
//! function in [`build`](self). The schedules of other libraries are found here too, by names with a dot
//! ([`crate::library`]).
//!
//! With a warm-up the body starts after it, at its own time 0, and percentages are still of the whole budget. A
//! milestone of `multistep` counts from the start of training.

use std::{collections::BTreeMap, error::Error, fmt};

use crate::{
    duration::{Duration, Horizon},
    library,
    phase::{Phase, Shape},
    schedule::{Sample, Schedule},
};

mod build;
mod given;

pub(crate) use given::Given;

/// What a person gives for an argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    Number(f64),
    Bool(bool),
    Text(String),
    Duration(Duration),
    Durations(Vec<Duration>),
    Numbers(Vec<f64>),
}

/// What kind of argument is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    Number,
    Count,
    Bool,
    Shape,
    Duration,
    Durations,
    Numbers,
    /// In a library's own spelling: a number of steps (or of what its `per` says), or a duration.
    Time,
    /// A list of these.
    Times,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A metric's name.
    Metric,
    /// Phases in the one-line spelling: `> 0 cosine`.
    Phases,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArgumentInfo {
    pub name: &'static str,
    pub expected: Expected,
    /// As a person would write it; empty if it must be given, or if leaving it out means something of its own.
    pub default: &'static str,
    pub doc: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub struct PresetInfo {
    pub name: &'static str,
    pub doc: &'static str,
    pub arguments: &'static [ArgumentInfo],
}

impl PresetInfo {
    /// Its own arguments and those that every preset, or every class of a library, takes.
    pub fn all_arguments(&self) -> impl Iterator<Item = &'static ArgumentInfo> + use<> {
        let common = if self.class().is_some() { library::COMMON } else { COMMON };
        self.arguments.iter().chain(common)
    }

    /// The class of a library that this is; absent for our own presets.
    pub fn class(&self) -> Option<&'static library::Class> {
        library::find(self.name)
    }

    /// Whether it takes an argument of that name, or its own library does: [`preset`] says whether that can be done.
    pub fn knows(&self, name: &str) -> bool {
        self.all_arguments().any(|info| info.name == name) || library::has(self.name, name)
    }

    /// What to write instead of an argument that only a library's schedule of the same name takes.
    pub fn instead_of(&self, argument: &str) -> Option<String> {
        let namesakes = library::candidates(self.name).into_iter();
        let mut others =
            namesakes.filter(|class| class.info.name != self.name && class.info.knows(argument));
        others.next().map(|class| {
            format!("`{}` takes it: write use = \"{}\"", class.info.name, class.info.name)
        })
    }

    /// The argument that sets the peak: `peak`, but for classes whose libraries have one of their own.
    pub fn rate(&self) -> &'static str {
        self.class().map_or("peak", |class| class.rate)
    }
}

pub(crate) const fn argument(
    name: &'static str,
    expected: Expected,
    default: &'static str,
    doc: &'static str,
) -> ArgumentInfo {
    ArgumentInfo { name, expected, default, doc }
}

/// What every preset takes.
pub const COMMON: &[ArgumentInfo] = &[
    argument("warmup", Expected::Duration, "0%", "linear warm-up before the body"),
    argument("warmup_from", Expected::Number, "0", "where the warm-up starts"),
    argument(
        "end",
        Expected::Number,
        "",
        "the last value; a floor for schedules without an end of their own",
    ),
    argument("hold", Expected::Duration, "1st", "the rate changes only every so often"),
];

use Expected::{
    Bool, Count, Duration as Span, Durations, Metric, Number, Numbers, Phases, Shape as Form, Word,
};

/// Every preset, in the order in which people meet them.
pub const PRESETS: &[PresetInfo] = &[
    PresetInfo { name: "constant", doc: "the peak throughout", arguments: &[] },
    PresetInfo { name: "linear", doc: "a straight line from the peak to the end", arguments: &[] },
    PresetInfo { name: "cosine", doc: "half a cosine from the peak to the end", arguments: &[] },
    PresetInfo {
        name: "poly",
        doc: "(1 - u)^p from the peak to the end",
        arguments: &[argument("p", Number, "2", "the power")],
    },
    PresetInfo {
        name: "rex",
        doc: "reflected exponential: slow at first, steep at the end",
        arguments: &[argument("b", Number, "0.5", "less than 1; 0 is linear")],
    },
    PresetInfo {
        name: "exponential",
        doc: "falls by the same factor every step, to 0.01 of the peak or by `gamma` every `every`",
        arguments: &[
            argument("to", Number, "0.01", "where it ends, above 0; not with `gamma`"),
            argument("gamma", Number, "", "the factor"),
            argument("every", Span, "1ep", "how often `gamma` applies"),
        ],
    },
    PresetInfo {
        name: "step",
        doc: "falls by `gamma` every `every`",
        arguments: &[
            argument("every", Span, "30%", "the length of a stair"),
            argument("gamma", Number, "0.1", "the factor"),
        ],
    },
    PresetInfo {
        name: "multistep",
        doc: "falls by `gamma` at each milestone",
        arguments: &[
            argument("at", Durations, "[\"50%\", \"75%\"]", "the milestones"),
            argument("gamma", Number, "0.1", "the factor"),
        ],
    },
    PresetInfo {
        name: "inverse_time",
        doc: "1 / (1 + rate * t / every)",
        arguments: &[
            argument("rate", Number, "1", "how fast it falls"),
            argument("every", Span, "1ep", "the unit of time"),
        ],
    },
    PresetInfo {
        name: "inverse_sqrt",
        doc: "1 / sqrt(1 + t / tau)",
        arguments: &[argument(
            "tau",
            Span,
            "",
            "the unit of time; the warm-up, or 1ep without one",
        )],
    },
    PresetInfo {
        name: "noam",
        doc: "warm-up, then 1 / sqrt(t), read at the end of each step",
        arguments: &[],
    },
    PresetInfo {
        name: "wsd",
        doc: "warm-up, stable, decay: constant, then a cooldown to the end",
        arguments: &[
            argument("cooldown", Span, "20%", "the length of the decay"),
            argument("shape", Form, "1-sqrt", "the decay's shape"),
        ],
    },
    PresetInfo {
        name: "one_cycle",
        doc: "up to the peak and down to almost nothing, along cosines",
        arguments: &[
            argument("div", Number, "25", "it starts at peak / div"),
            argument("final", Number, "4e-6", "where it ends"),
            argument("three_phase", Bool, "false", "down as it came up, then to the final value"),
            argument("shape", Form, "cosine", "the shape of the ways up and down"),
        ],
    },
    PresetInfo {
        name: "flat_cosine",
        doc: "constant, then half a cosine to the end",
        arguments: &[argument("flat", Span, "75%", "the constant part")],
    },
    PresetInfo {
        name: "triangular",
        doc: "cyclical: from `lo` up to the peak and down again",
        arguments: &[
            argument("len", Span, "20%", "the length of a cycle, up and down"),
            argument("lo", Number, "0.1", "the lowest value"),
            argument(
                "gain",
                Number,
                "1",
                "the amplitude's factor from cycle to cycle; 0.5 halves it",
            ),
            argument("per_step", Number, "1", "the amplitude's factor from step to step"),
        ],
    },
    PresetInfo {
        name: "sgdr",
        doc: "cosines with warm restarts",
        arguments: &[
            argument("len", Span, "10%", "the length of the first cycle"),
            argument("grow", Number, "2", "each cycle is so many times as long"),
            argument("gain", Number, "1", "each cycle's peak is so many times as high"),
            argument(
                "gain_on",
                Word(&["peak", "amplitude"]),
                "peak",
                "whether the gain is of the peak or of the amplitude",
            ),
            argument("count", Count, "", "so many cycles, then the end"),
        ],
    },
    PresetInfo {
        name: "plateau",
        doc: "falls by `factor` when a metric stops improving",
        arguments: &[
            argument("factor", Number, "0.1", "between 0 and 1"),
            argument("patience", Count, "10", "evaluations without improvement that are forgiven"),
            argument("threshold", Number, "1e-4", "what an improvement must exceed"),
            argument(
                "threshold_is",
                Word(&["relative", "absolute"]),
                "relative",
                "relative to the best, or absolute",
            ),
            argument("cooldown", Count, "0", "evaluations after a fall that are not counted"),
            argument("min", Number, "0", "the lowest multiplier"),
            argument(
                "best",
                Word(&["improved", "any"]),
                "improved",
                "compare with the last improvement, or with the best of all (scikit-learn)",
            ),
            argument("eps", Number, "0", "the multiplier never falls by this or less"),
            argument("monitor", Metric, "", "what it watches; the validation loss otherwise"),
            argument("goal", Word(&["min", "max"]), "", "whether `monitor` is to be low or high"),
        ],
    },
    PresetInfo {
        name: "table",
        doc: "values one after another; the last one holds",
        arguments: &[
            argument("table", Numbers, "", "multiples of the peak"),
            argument("every", Span, "1ep", "how long each value holds"),
        ],
    },
    PresetInfo {
        name: "phases",
        doc: "phases in the one-line spelling",
        arguments: &[argument("phases", Phases, "", "`0 > 1 5%, hold, > 0 20% 1-sqrt`")],
    },
];

/// Why arguments make no preset. `argument` names the one at fault; empty when it is the preset's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresetError {
    pub argument: String,
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl fmt::Display for PresetError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{}: {}", self.message, self.help)
    }
}

impl Error for PresetError {}

/// The preset of exactly that name, or the class of a library.
pub fn find(name: &str) -> Option<&'static PresetInfo> {
    let ours = PRESETS.iter().find(|info| info.name == name);
    ours.or_else(|| library::find(name).map(|class| &class.info))
}

/// Every preset or class of a library that a name may mean: `OneCycleLR`, `torch.optim.lr_scheduler.OneCycleLR`.
pub fn named(name: &str) -> Vec<&'static PresetInfo> {
    match find(name) {
        Some(info) => vec![info],
        None => library::candidates(name).into_iter().map(|class| &class.info).collect(),
    }
}

/// The names of all presets, then of all classes of libraries.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    let ours = PRESETS.iter().map(|info| info.name);
    let classes = library::LIBRARIES.iter().flat_map(|library| library.classes);
    ours.chain(classes.map(|class| class.info.name))
}

/// The schedule that a preset's arguments mean. `peak` may be absent where an argument of its own sets it
/// ([`PresetInfo::rate`]). Durations stay as they are, but where a library computes with numbers of steps.
pub fn preset(
    info: &'static PresetInfo,
    peak: Option<f64>,
    arguments: &BTreeMap<String, Argument>,
    horizon: Horizon,
) -> Result<Schedule, PresetError> {
    let given = Given { info, peak, arguments, horizon };
    given.check()?;
    match info.class() {
        Some(class) => class.build(&given),
        None => build::build(&given, peak.ok_or_else(|| given.missing("peak"))?),
    }
}

/// What momentum follows beside the rate, as a sweep file spells it; `None` if no argument asks for it.
pub fn momentum(
    info: &'static PresetInfo,
    arguments: &BTreeMap<String, Argument>,
    horizon: Horizon,
) -> Result<Option<String>, PresetError> {
    let given = Given { info, peak: None, arguments, horizon };
    given.check()?;
    given.momentum()
}

/// The body's phases after a warm-up, when there is one.
fn with_warmup(given: &Given, body: Vec<Phase<Duration>>) -> Vec<Phase<Duration>> {
    match given.duration("warmup") {
        None => body,
        Some(warmup) => {
            let up = Phase::shape(Some(warmup), 1.0, Shape::Linear)
                .starting_at(given.number("warmup_from").unwrap_or(0.0));
            [vec![up], body].concat()
        }
    }
}

fn finish(given: &Given, peak: f64, phases: Vec<Phase<Duration>>, sample: Sample) -> Schedule {
    let mut schedule = Schedule::new(peak, phases);
    schedule.hold = given.duration("hold").unwrap_or(schedule.hold);
    schedule.sample = sample;
    schedule
}
