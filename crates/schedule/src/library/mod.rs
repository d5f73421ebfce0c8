//! The schedules of other libraries, by their names and their arguments' names there: `torch.OneCycleLR`, `max_lr`.
//! Each is data ([`Class`]) and one function that turns its arguments into phases.
//!
//! A number of steps is counted in `per`: one optimizer step, or an epoch with `per = "1ep"`, which also holds the rate
//! for an epoch. A stretch of time may be a duration instead: `T_max = "100%"`. Past the end the last value holds; where
//! a library does something else there, or cannot do what its arguments say, `compat = true` asks for its own numbers.

mod d2l;
mod fastai;
mod hf;
mod keras;
mod mxnet;
mod optax;
mod papers;
mod plateau;
mod pytorch_optimizer;
mod read;
mod sklearn;
mod timm;
mod torch;

use crate::{
    preset::{ArgumentInfo, Expected, Given, PresetError, PresetInfo, argument},
    schedule::Schedule,
};

/// A library, and everything of it that is a schedule.
#[derive(Clone, Copy, Debug)]
pub struct Library {
    /// What stands before the dot.
    pub name: &'static str,
    pub title: &'static str,
    /// The version whose numbers are reproduced; empty for papers.
    pub version: &'static str,
    pub classes: &'static [Class],
    /// What has a name there and no single schedule here: the name, and what to write instead.
    pub elsewhere: &'static [(&'static str, &'static str)],
}

/// One schedule of a library.
#[derive(Clone, Copy, Debug)]
pub struct Class {
    pub info: PresetInfo,
    /// The argument that sets the peak; `peak` where the library takes it from the optimizer. Where it is something
    /// else, `peak` may stand for it.
    pub rate: &'static str,
    /// So many of the arguments, the first ones, must be given.
    pub needs: usize,
    /// How we differ from the library; empty where we do not.
    pub differs: &'static str,
    build: fn(&Given) -> Result<Schedule, PresetError>,
}

/// Every library, the ones that most people know first.
pub const LIBRARIES: &[Library] = &[
    torch::LIBRARY,
    keras::LIBRARY,
    hf::LIBRARY,
    optax::LIBRARY,
    timm::LIBRARY,
    fastai::LIBRARY,
    sklearn::LIBRARY,
    mxnet::LIBRARY,
    d2l::LIBRARY,
    pytorch_optimizer::LIBRARY,
    papers::LIBRARY,
];

/// What every schedule of a library takes.
pub const COMMON: &[ArgumentInfo] = &[
    argument(
        "per",
        Expected::Duration,
        "1st",
        "what whole numbers count; the rate is held for as long",
    ),
    argument(
        "compat",
        Expected::Bool,
        "false",
        "the library's own numbers where ours differ on purpose",
    ),
];

const MOMENTUM: &str = "momentum is a parameter of its own, which may follow the rate: write momentum = \"mirror(lo=0.85,hi=0.95)\" beside it";
const BEGINNING: &str = "leave it out: a schedule begins at a trial's first step";
const CYCLE: &str = "write the cycle itself: phases = \"cycle(len=20%,gain=0.5) { 0 > 1 linear for 0.5, > 0 linear }\"";
const NOISE: &str = "leave it out: a rate depends on nothing but the step";

/// Arguments of other libraries' schedules that are no part of a schedule, and what to write instead.
const ARGUMENTS_ELSEWHERE: &[(&str, &str)] = &[
    ("cycle_momentum", MOMENTUM),
    ("base_momentum", MOMENTUM),
    ("max_momentum", MOMENTUM),
    ("moms", MOMENTUM),
    ("last_epoch", BEGINNING),
    ("last_step", BEGINNING),
    ("initialize", BEGINNING),
    ("t_in_epochs", "leave it out, and write per = \"1ep\" where whole numbers are epochs"),
    ("noise_range_t", NOISE),
    ("noise_pct", NOISE),
    ("noise_std", NOISE),
    ("noise_seed", NOISE),
    ("scale_fn", CYCLE),
    ("scale_mode", CYCLE),
    ("optimizer", "leave it out: the rate is `peak`, the optimizer a parameter of its own"),
    ("verbose", "leave it out: `pleach schedule` shows it"),
    ("name", "leave it out: a branch of [space.schedule] has a name"),
];

/// The class of that name: `torch.StepLR`.
pub fn find(name: &str) -> Option<&'static Class> {
    let (library, _) = name.split_once('.')?;
    let library = LIBRARIES.iter().find(|other| other.name == library)?;
    library.classes.iter().find(|class| class.info.name == name)
}

/// What to write for a name that a library has and that is no single schedule here.
pub fn instead(name: &str) -> Option<&'static str> {
    LIBRARIES
        .iter()
        .flat_map(|library| library.elsewhere)
        .find(|(other, _)| *other == name)
        .map(|(_, remedy)| *remedy)
}

/// What to write instead of an argument that no schedule has here.
pub(crate) fn instead_of(argument: &str) -> Option<&'static str> {
    ARGUMENTS_ELSEWHERE.iter().find(|(name, _)| *name == argument).map(|(_, remedy)| *remedy)
}

impl Class {
    /// The schedule that its arguments mean.
    pub(crate) fn build(&self, given: &Given) -> Result<Schedule, PresetError> {
        if self.rate != "peak" && given.peak.is_some() && given.has(self.rate) {
            return Err(given.wrong(self.rate, "give it or `peak`, not both"));
        }
        for argument in self.info.arguments.iter().take(self.needs) {
            let is_rate = argument.name == self.rate && argument.expected == Expected::Number;
            let is_given = given.has(argument.name) || is_rate && given.peak.is_some();
            if !is_given {
                return Err(given.missing(argument.name));
            }
        }
        (self.build)(given)
    }
}
