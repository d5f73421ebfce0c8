//! Named schedules: macros of one to three phases. What each takes is data ([`PRESETS`]); what each means is one
//! function in [`build`](self).
//!
//! With a warm-up the body starts after it, at its own time 0, and percentages are still of the whole budget. A
//! milestone of `multistep` counts from the start of training.

use std::{collections::BTreeMap, error::Error, fmt};

use crate::{
    duration::Duration,
    phase::{Body, Phase, Shape},
    plateau,
    schedule::{Sample, Schedule},
};

mod build;

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
    /// Its own arguments and those that every preset takes.
    pub fn all_arguments(&self) -> impl Iterator<Item = &'static ArgumentInfo> + use<> {
        self.arguments.iter().chain(COMMON)
    }
}

const fn argument(
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

/// The schedule that a preset's name and arguments mean.
pub fn preset(
    name: &str,
    peak: f64,
    arguments: &BTreeMap<String, Argument>,
) -> Result<Schedule, PresetError> {
    let Some(info) = PRESETS.iter().find(|info| info.name == name) else {
        let names: Vec<&str> = PRESETS.iter().map(|info| info.name).collect();
        return Err(PresetError {
            argument: String::new(),
            message: format!("there is no schedule `{name}`"),
            help: format!("one of {}", names.join(", ")),
        });
    };
    let given = Given { info, arguments };
    given.check()?;
    build::build(&given, peak)
}

/// The arguments given to a preset, each known and of the right kind once checked.
struct Given<'a> {
    info: &'static PresetInfo,
    arguments: &'a BTreeMap<String, Argument>,
}

impl Given<'_> {
    fn check(&self) -> Result<(), PresetError> {
        for (name, value) in self.arguments {
            let Some(info) = self.info.all_arguments().find(|info| info.name == name) else {
                let names: Vec<&str> = self.info.all_arguments().map(|info| info.name).collect();
                return Err(PresetError {
                    argument: name.clone(),
                    message: format!("`{}` has no argument `{name}`", self.info.name),
                    help: format!("it takes {}", names.join(", ")),
                });
            };
            let is_right = match (info.expected, value) {
                (Number, Argument::Number(number)) => number.is_finite(),
                (Count, Argument::Number(number)) => {
                    (0.0..=f64::from(u32::MAX)).contains(number) && number.fract() == 0.0
                }
                (Bool, Argument::Bool(_))
                | (Span, Argument::Duration(_))
                | (Durations, Argument::Durations(_))
                | (Numbers, Argument::Numbers(_))
                | (Form | Phases, Argument::Text(_)) => true,
                (Word(words), Argument::Text(word)) => words.contains(&word.as_str()),
                (Metric, Argument::Text(metric)) => plateau::is_metric(metric),
                _ => false,
            };
            if !is_right {
                return Err(self.wrong(name, legal(info.expected)));
            }
        }
        Ok(())
    }

    fn wrong(&self, name: &str, help: impl Into<String>) -> PresetError {
        PresetError {
            argument: name.to_owned(),
            message: format!("`{name}` of `{}` is not what it can be", self.info.name),
            help: help.into(),
        }
    }

    fn missing(&self, name: &str) -> PresetError {
        PresetError {
            argument: String::new(),
            message: format!("`{}` needs `{name}`", self.info.name),
            help: format!("add `{name}`"),
        }
    }

    fn number(&self, name: &str) -> Option<f64> {
        match self.arguments.get(name) {
            Some(Argument::Number(number)) => Some(*number),
            _ => None,
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.arguments.get(name) {
            Some(Argument::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn duration(&self, name: &str) -> Option<Duration> {
        match self.arguments.get(name) {
            Some(Argument::Duration(duration)) => Some(*duration),
            _ => None,
        }
    }

    /// A shape's name, in the one-line spelling.
    fn shape(&self, name: &str, default: Shape) -> Result<Shape, PresetError> {
        let Some(text) = self.text(name) else { return Ok(default) };
        let line: Result<Schedule, _> = format!("1: > 0 {text}").parse();
        match line.as_ref().map(|line| &line.factors[0][0].body) {
            Ok(Body::Shape { shape, .. }) => Ok(*shape),
            _ => Err(self.wrong(name, legal(Form))),
        }
    }
}

fn legal(expected: Expected) -> String {
    let words = match expected {
        Word(words) => {
            let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            return quoted.join(" or ");
        }
        Number => "a number, such as 0.1",
        Count => "a whole number, not negative",
        Bool => "true or false",
        Form => {
            "a shape: linear, cosine, poly(p=2), 1-sqrt, 1-square, power(p=3), exp, geometric, rex, tanh"
        }
        Span => "a duration: \"10%\" of the budget, \"5ep\" or \"300st\"",
        Durations => "a list of durations, such as [\"50%\", \"75%\"]",
        Numbers => "a list of numbers, such as [1.0, 0.5]",
        Metric => "the name of a metric, such as \"val_accuracy\"",
        Phases => "phases in the one-line spelling, such as \"0 > 1 5%, hold, > 0 20% 1-sqrt\"",
    };
    words.to_owned()
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
