//! The schedules of other libraries, by their names and their arguments' names there: `torch.OneCycleLR`, `max_lr`.
//! Each is data ([`Class`]) and one function that turns its arguments into phases.
//!
//! A number of steps is counted in `per`: one optimizer step, or an epoch with `per = "1ep"`, which also holds the rate
//! for an epoch. A stretch of time may be a duration instead: `T_max = "100%"`. Past the end the last value holds; where
//! a library does something else there, or cannot do what its arguments say, `compat = true` asks for its own numbers; it
//! also cuts a schedule that is longer than the trial, which is refused otherwise.

mod d2l;
mod elsewhere;
mod fastai;
mod hf;
mod keras;
mod momentum;
mod mxnet;
mod name;
mod optax;
mod papers;
mod plateau;
mod pytorch_optimizer;
mod read;
mod signature;
mod sklearn;
mod timm;
mod torch;

pub(crate) use elsewhere::{Elsewhere, elsewhere, has};
pub use name::{candidates, instead, is_module};
pub use signature::{Parameter, Signature, signature};

use crate::{
    duration::Duration,
    preset::{Argument, ArgumentInfo, Expected, Given, PresetError, PresetInfo, argument},
    schedule::{Overrun, Schedule},
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
    /// What its modules are called beside their names in [`signature()`]: `tf` of Keras.
    pub modules: &'static [&'static str],
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

/// The class of that name: `torch.StepLR`.
pub fn find(name: &str) -> Option<&'static Class> {
    let (library, _) = name.split_once('.')?;
    let library = LIBRARIES.iter().find(|other| other.name == library)?;
    library.classes.iter().find(|class| class.info.name == name)
}

impl Class {
    /// The schedule that its arguments mean.
    pub(crate) fn build(&self, given: &Given) -> Result<Schedule, PresetError> {
        if self.rate != "peak"
            && let (Some(peak), Some(rate)) = (given.peak, given.highest(self.rate))
            && peak != rate
        {
            return Err(PresetError {
                argument: self.rate.to_owned(),
                message: format!("`peak` is {peak} and `{}` is {rate}", self.rate),
                help: "they set the same number: leave one of them out".to_owned(),
            });
        }
        for argument in self.info.arguments.iter().take(self.needs) {
            let is_rate = argument.name == self.rate && argument.expected == Expected::Number;
            let is_given = given.has(argument.name) || is_rate && given.peak.is_some();
            if !is_given {
                return Err(given.missing(argument.name));
            }
        }
        let is_per_epoch = given.arguments.get("t_in_epochs") == Some(&Argument::Bool(true));
        if is_per_epoch && given.duration("per").is_some_and(|per| per != Duration::Epochs(1.0)) {
            return Err(given.wrong("t_in_epochs", "`per` says otherwise: leave one of them out"));
        }
        if given.per().number() <= 0.0 {
            return Err(given.wrong("per", "it must be more than zero"));
        }
        let mut schedule = (self.build)(given)?;
        if given.is_compatible() {
            schedule.overrun = Overrun::Cut;
        }
        Ok(schedule)
    }
}
