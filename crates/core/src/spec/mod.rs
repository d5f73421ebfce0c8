//! What the user asked for: a sweep file, read into [`SweepSpec`]. As written: [`file`](self) (and its JSON schema); as a
//! tree with places: `node`; from the one to the other: `check`, which finds everything that is wrong at once.

mod axis;
mod check;
mod command;
mod file;
mod file_schedule;
mod fixed;
pub(crate) mod foreign;
mod node;
mod reader;
mod run;
mod schedule;
mod single;
mod space;
mod stop;

pub use axis::MAX_POINTS;
pub use check::{check_name, read, with_extension, with_overrides, with_retest};
pub use file::schema;
pub use node::extensions;
pub use reader::read_time;
pub use single::read_schedule;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use pleach_schedule::{duration::Duration, preset::PresetInfo};

pub(crate) use command::MAX_ARGUMENT;
pub(crate) use schedule::unknown_argument;
pub(crate) use space::inside;

use crate::{
    class::Budgets, diagnostic::Source, objective::Objective, output::Strictness, space::Space,
    stop::Rule, stream::Sampler, template::Template, value::Value,
};

/// A sweep as meant: checked, complete, defaults filled in.
#[derive(Clone, Debug)]
pub struct SweepSpec {
    pub name: String,
    pub objective: Objective,
    pub objective_span: Range<usize>,
    /// Not empty, no two equal.
    pub seeds: Vec<u64>,
    pub search: Search,
    pub program: ProgramSpec,
    pub run: RunSpec,
    /// Whether and where what is bad is stopped.
    pub stop: Option<StopSpec>,
    /// At least one; their points follow each other.
    pub blocks: Vec<Block>,
    /// What was asked for beside the file.
    pub extensions: Vec<Extension>,
    /// The points of the expansion to which the sweep is limited; all of them if absent.
    pub only: Option<BTreeSet<u64>>,
    /// The file, for messages about what only a worker program can tell.
    pub source: Source,
}

/// Configurations of the file that are also trained with another budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    pub budget: String,
    /// Their points in the expansion.
    pub points: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    Grid,
    /// `samples` configurations from every block.
    Samples {
        sampler: Sampler,
        samples: u64,
        seed: u64,
    },
}

#[derive(Clone, Debug)]
pub enum ProgramSpec {
    /// A worker program.
    Trainer,
    /// A program of the person's own.
    Command(CommandSpec),
}

/// Where configurations are judged, and who goes on.
#[derive(Clone, Debug)]
pub struct StopSpec {
    /// With their places in the file.
    pub rungs: Vec<(Duration, Range<usize>)>,
    pub rule: Rule,
    /// Only configurations that are equal in these are compared.
    pub within: Vec<Within>,
}

/// The name of a parameter, and where it stands.
#[derive(Clone, Debug)]
pub struct Within {
    pub name: String,
    pub span: Range<usize>,
}

/// How a program of the person's own is run.
#[derive(Clone, Debug)]
pub struct CommandSpec {
    /// The program and its arguments; not empty.
    pub run: Vec<Argument>,
    /// As written: `jsonl`, or a pattern.
    pub metrics: String,
    /// What becomes of a trial whose metrics are odd.
    pub strictness: Strictness,
    /// By name, beside what the coordinator's own environment holds.
    pub environment: BTreeMap<String, Argument>,
    /// Where it runs, instead of the folder in which `pleach` was started.
    pub directory: Option<String>,
    pub steps_per_epoch: Option<u64>,
    /// Where the file says that it saves its state at the end of a stage and starts from there; absent if it does not.
    pub checkpoint: Option<Range<usize>>,
}

/// A text with placeholders, and where it stands.
#[derive(Clone, Debug)]
pub struct Argument {
    pub text: String,
    pub template: Template,
    pub span: Range<usize>,
}

/// A space and what is fixed beside it.
#[derive(Clone, Debug)]
pub struct Block {
    /// Of the worker program.
    pub fixed: Vec<Fixed>,
    /// `[trainer.schedule]`.
    pub schedule: Option<FixedSchedule>,
    pub space: Space,
}

impl Block {
    /// Every name that has a value in some branch.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let schedule = self.schedule.iter().flat_map(|schedule| &schedule.arguments);
        let fixed = self.fixed.iter().chain(schedule).map(|fixed| fixed.name.as_str());
        let derived = self.space.derived.iter().map(|(name, _)| name.as_str());
        let swept = self.space.combinations.iter().flat_map(|combination| {
            let chosen = combination.choices.iter().map(|choice| choice.name.as_str());
            let axes = combination.dimensions.iter().flat_map(|dimension| &dimension.names);
            chosen.chain(axes.map(String::as_str))
        });
        fixed.chain(derived).chain(swept)
    }
}

/// A parameter with one value.
#[derive(Clone, Debug, PartialEq)]
pub struct Fixed {
    pub name: String,
    /// Where the name stands in the file.
    pub key: Range<usize>,
    pub value: Value,
    pub span: Range<usize>,
}

/// A schedule that every configuration has.
#[derive(Clone, Debug)]
pub struct FixedSchedule {
    pub preset: &'static PresetInfo,
    pub arguments: Vec<Fixed>,
    pub span: Range<usize>,
}

/// Where and how trials run. Times in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSpec {
    pub slots: Slots,
    /// Stages that a worker trains side by side at most; as many as it says if absent.
    pub lanes: Option<u32>,
    pub timeout: Option<f64>,
    pub stall: Option<f64>,
    /// How often a stage that failed is tried again.
    pub budgets: Budgets,
    pub limit: Option<f64>,
    /// Of each program, told to its libraries; its share of the cores if absent.
    pub threads: Option<u32>,
    pub pin: Pin,
    /// How far workers step back behind other programs: 0 to 19.
    pub nice: u32,
    /// Bytes that each program of the person's own may take; no limit if absent.
    pub memory: Option<u64>,
    /// Cores' worth of processor time that each program of the person's own may take; no limit if absent.
    pub cpus: Option<f64>,
    pub checkpoint: Interval,
    /// Bytes.
    pub keep: u64,
    pub share: Share,
}

impl RunSpec {
    /// Stages that a worker trains side by side at most, whatever it says. Limits on time are for one that has its worker for
    /// itself.
    pub fn most_lanes(&self) -> u32 {
        match self.timeout.or(self.stall) {
            Some(_) => 1,
            None => self.lanes.unwrap_or(u32::MAX),
        }
    }
}

impl Default for RunSpec {
    fn default() -> Self {
        Self {
            slots: Slots::Auto,
            lanes: None,
            timeout: None,
            stall: None,
            budgets: Budgets::default(),
            limit: None,
            threads: None,
            pin: Pin::No,
            nice: 0,
            memory: None,
            cpus: None,
            checkpoint: Interval::Seconds(60.0),
            keep: 2 << 30,
            share: Share::Yes,
        }
    }
}

/// Whether trials train together what they have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Share {
    #[default]
    Yes,
    No,
}

/// Whether every slot has cores of its own, which its program cannot leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pin {
    Yes,
    #[default]
    No,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slots {
    /// As many as the machine has cores.
    Auto,
    /// On the CPU; at least 1.
    Number(u32),
    Devices {
        /// Of each slot: one, or several with commas between.
        devices: Vec<String>,
        per_device: u32,
    },
}

impl Slots {
    /// How many there are on a machine of so many cores.
    pub fn count(&self, cores: u32) -> u32 {
        match self {
            Self::Auto => cores,
            Self::Number(number) => *number,
            Self::Devices { devices, per_device } => devices.len() as u32 * per_device,
        }
    }
}

/// How often a running stage is saved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Interval {
    Seconds(f64),
    Steps(u64),
}

/// A commented sweep file to start from.
pub const TEMPLATE: &str = include_str!("template.toml");

#[cfg(test)]
mod tests;
