//! `doctor`: is everything there?

use std::{fmt::Write, path::Path};

use anyhow::Result;
use clap::Args;
use pleach_core::plain::within;
use pleach_engine::{
    groups::{Limit, can_limit, can_track},
    prepare::describe,
};
use pleach_store::Store;
use pleach_views::format::plural;

use super::block_on;
use crate::{
    exit::{self, Ending},
    place::Place,
};

#[derive(Args)]
pub(crate) struct Doctor {}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    Good,
    /// Only some sweeps need it.
    Missing,
    Bad,
}

impl Doctor {
    #[expect(clippy::unused_self, reason = "a command like the others")]
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let checks = [
            ("worker", worker(place)),
            ("cores", cores()),
            ("memory", limit(Limit::Memory(1 << 40))),
            ("cpus", limit(Limit::Cpus(0.01))),
            ("groups", groups()),
            ("gpus", gpus()),
            ("runs", runs(place)),
            ("data", data(place)),
        ];
        let mut text = String::new();
        for (name, (health, what)) in &checks {
            let mark = match health {
                Health::Good => "ok     ",
                Health::Missing => "missing",
                Health::Bad => "BAD    ",
            };
            writeln!(text, "{mark} {name:7} {}", within(what, 500))?;
        }
        super::print(&text)?;
        let is_bad = checks.iter().any(|(_, (health, _))| *health == Health::Bad);
        Ok(if is_bad { Ending::Code(exit::UNAVAILABLE) } else { Ending::Good })
    }
}

fn worker(place: &Place) -> (Health, String) {
    let described = place.worker().and_then(|worker| {
        let description = block_on(async { Ok(describe(worker.clone()).await?) })?;
        Ok((worker, description))
    });
    match described {
        Err(error) => (Health::Bad, error.to_string()),
        Ok((worker, description)) => (
            Health::Good,
            format!(
                "{} {} at {}; numerics {}; devices {}",
                description.program,
                description.version,
                worker.path.display(),
                description.numerics,
                description.devices.join(", ")
            ),
        ),
    }
}

fn cores() -> (Health, String) {
    (
        Health::Good,
        format!(
            "{} may be used: as many workers by default, each on its own with `[run] pin`",
            pleach_engine::run::cores()
        ),
    )
}

/// Only sweeps that ask for them need them.
fn gpus() -> (Health, String) {
    let found = pleach_engine::gpus::gpus();
    let texts = found.iter().map(|gpu| {
        let gib = gpu.mebibytes as f64 / 1024.0;
        format!("cuda:{} {}, {gib:.0} GiB ({})", gpu.index, gpu.name, gpu.uuid)
    });
    let texts: Vec<String> = texts.collect();
    if texts.is_empty() {
        let why = "nvidia-smi knows none; `[run] devices` are then told to programs by number";
        return (Health::Missing, why.to_owned());
    }
    (Health::Good, texts.join("; "))
}

/// Only sweeps of a person's own program need it.
fn limit(limit: Limit) -> (Health, String) {
    let key = limit.key();
    match can_limit(limit) {
        Ok(how) => (Health::Good, format!("programs can be limited by {how} (`[run] {key}`)")),
        Err(why) => (Health::Missing, format!("`[run] {key}` would limit nothing: {why}")),
    }
}

fn groups() -> (Health, String) {
    match can_track() {
        Ok(how) => (Health::Good, format!("whatever programs leave behind is found by {how}")),
        Err(why) => (
            Health::Missing,
            format!("what programs leave behind is found by its environment alone: {why}"),
        ),
    }
}

fn runs(place: &Place) -> (Health, String) {
    let folder = &place.runs;
    let nearest = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    let room = rustix::fs::statvfs(nearest).map_or(0, |stat| stat.f_bavail * stat.f_frsize);
    let shown = folder.display();
    if let Err(error) = Store::in_memory() {
        return (Health::Bad, format!("SQLite does not work: {error}"));
    }
    let is_writable = tempfile_in(nearest);
    match is_writable {
        Err(error) => (Health::Bad, format!("{shown} cannot be written: {error}")),
        Ok(()) if room < 1 << 30 => {
            (Health::Missing, format!("{shown}: only {} MiB of disk are left", room >> 20))
        }
        Ok(()) => (
            Health::Good,
            format!(
                "{shown}: {}, {} GiB of disk left",
                plural(place.names().len() as u64, "sweep"),
                room >> 30
            ),
        ),
    }
}

/// Whether a file can be made there.
fn tempfile_in(folder: &Path) -> std::io::Result<()> {
    let path = folder.join(format!(".pleach-doctor-{}", std::process::id()));
    std::fs::write(&path, b"x")?;
    std::fs::remove_file(path)
}

fn data(place: &Place) -> (Health, String) {
    let folder = place.data.clone().unwrap_or_else(|| "data".into());
    let here: Vec<&str> =
        ["mnist", "fashion-mnist"].into_iter().filter(|name| folder.join(name).is_dir()).collect();
    if here.is_empty() {
        let shown = folder.display();
        return (
            Health::Missing,
            format!(
                "{shown} holds no data sets; `pleach data fetch all` gets them (`digits` needs none)"
            ),
        );
    }
    (Health::Good, format!("{} in {}", here.join(", "), folder.display()))
}
