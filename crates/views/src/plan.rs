//! What a sweep would run.

use std::{collections::BTreeMap, fmt::Write};

use pleach_core::{
    plan::{Configuration, Plan, Scheduled},
    spec::{Search, SweepSpec},
};
use pleach_schedule::draw::{Charset, sketch};
use tabled::{builder::Builder, settings::Style};

use crate::format::{count, parameters, plural};

/// Trials of the file beside those of the sweep as it is.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    pub added: u64,
    pub kept: u64,
    pub removed: u64,
}

/// How much is shown.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Configurations; 0 for all.
    pub configurations: usize,
    /// Distinct schedules; 0 for all.
    pub schedules: usize,
}

pub fn text(
    spec: &SweepSpec,
    plan: &Plan,
    difference: Option<Difference>,
    extent: Extent,
    charset: Charset,
) -> String {
    let mut text = headline(spec, plan);
    text.push('\n');
    match spec.search {
        Search::Grid => {
            for line in plan.factorisation.lines() {
                // A `String` takes everything, here and below.
                let _infallible = writeln!(text, "    {line}");
            }
        }
        Search::Random { samples, seed } => {
            let _infallible =
                writeln!(text, "    {} drawn with seed {seed}", plural(samples, "sample"));
        }
    }
    if 0 < plan.removed {
        let _infallible =
            writeln!(text, "{} removed by `where`", plural(plan.removed, "configuration"));
    }
    text.push_str(&merged(plan));
    let seeds = spec.seeds.len() as u64;
    let steps: u64 =
        plan.configurations.iter().map(|configuration| configuration.length.steps * seeds).sum();
    let _infallible = writeln!(text, "{} to train", plural(steps, "step"));
    if let Some(Difference { added, kept, removed }) = difference {
        let _infallible = writeln!(
            text,
            "beside the sweep as it is: {} added, {} kept, {} removed",
            plural(added, "trial"),
            count(kept),
            count(removed)
        );
    }
    text.push_str(&schedules(plan, extent.schedules, charset));
    text.push_str(&configurations_table(plan, extent.configurations));
    text
}

/// `quickstart: 150 trials = 30 configurations × 5 seeds`.
pub fn headline(spec: &SweepSpec, plan: &Plan) -> String {
    format!(
        "{}: {} = {} × {}",
        spec.name,
        plural(plan.trials.len() as u64, "trial"),
        plural(plan.configurations.len() as u64, "configuration"),
        plural(spec.seeds.len() as u64, "seed")
    )
}

fn merged(plan: &Plan) -> String {
    const NAMED: usize = 5;
    if plan.merged.is_empty() {
        return String::new();
    }
    let mut into: BTreeMap<u64, u64> = BTreeMap::new();
    for (_, first) in &plan.merged {
        *into.entry(*first).or_default() += 1;
    }
    let name = |point: u64| {
        let found = plan.configurations.iter().find(|configuration| configuration.point == point);
        found.map_or(String::new(), |configuration| parameters(&configuration.parameters))
    };
    let mut text = format!(
        "{} the same computation as another, and run once:\n",
        verb(plan.merged.len() as u64)
    );
    for (&first, &others) in into.iter().take(NAMED) {
        let _infallible = writeln!(text, "    {} like {}", count(others), name(first));
    }
    if NAMED < into.len() {
        let _infallible = writeln!(text, "    … and like {} more", into.len() - NAMED);
    }
    text
}

fn verb(number: u64) -> String {
    format!("{} {}", plural(number, "configuration"), if number == 1 { "is" } else { "are" })
}

/// Every distinct schedule, peaks apart.
fn schedules(plan: &Plan, limit: usize, charset: Charset) -> String {
    let mut shapes: BTreeMap<String, Shape> = BTreeMap::new();
    for (order, configuration) in plan.configurations.iter().enumerate() {
        let Some(scheduled) = &configuration.schedule else { continue };
        let profile =
            scheduled.text.split_once(": ").map_or(scheduled.text.as_str(), |(_, profile)| profile);
        let plateau = scheduled.plateau.as_ref().map(ToString::to_string).unwrap_or_default();
        let shape = shapes.entry(format!("{profile} {plateau} {}", configuration.length.steps));
        let shape =
            shape.or_insert_with(|| Shape { order, scheduled, configuration, peaks: Vec::new() });
        let peak = scheduled.resolved.peak();
        if !shape.peaks.contains(&peak) {
            shape.peaks.push(peak);
        }
    }
    let mut shapes: Vec<Shape> = shapes.into_values().collect();
    shapes.sort_by_key(|shape| shape.order);
    let shown = if limit == 0 { shapes.len() } else { limit.min(shapes.len()) };
    let mut text = String::new();
    for shape in &shapes[..shown] {
        text.push('\n');
        text.push_str(&shape.text(charset));
    }
    if shown < shapes.len() {
        let _infallible = writeln!(
            text,
            "\n… {} more; --all shows them",
            plural((shapes.len() - shown) as u64, "schedule")
        );
    }
    text
}

struct Shape<'a> {
    order: usize,
    scheduled: &'a Scheduled,
    configuration: &'a Configuration,
    peaks: Vec<f64>,
}

impl Shape<'_> {
    fn text(&self, charset: Charset) -> String {
        const POINTS: u64 = 200;
        let Self { scheduled, configuration, peaks, .. } = self;
        let steps = configuration.length.steps;
        let name = configuration
            .parameters
            .get("schedule")
            .map_or("schedule".to_owned(), ToString::to_string);
        let profile = scheduled
            .written
            .split_once(": ")
            .map_or(scheduled.written.as_str(), |(_, profile)| profile);
        let mut peaks = peaks.clone();
        peaks.sort_by(f64::total_cmp);
        let peaks: Vec<String> = peaks.iter().map(ToString::to_string).collect();
        let n = steps.clamp(1, POINTS);
        let curve = (0..n).map(|index| scheduled.resolved.at(index * steps / n)).collect();
        let summary = scheduled.resolved.summary(steps);
        let kind = if scheduled.is_anytime { "anytime" } else { "budgeted" };
        format!(
            "{name}: {profile}\n    peak {}; mean {:.2} of it, warm-up {:.0}%, {kind}\n{}",
            peaks.join(", "),
            summary.area,
            100.0 * summary.warmup,
            sketch(&[curve], 60, 5, charset)
        )
    }
}

fn configurations_table(plan: &Plan, limit: usize) -> String {
    let differing = plan.differing();
    let mut names: Vec<&str> = differing.into_iter().collect();
    names.sort_by_key(|name| *name != "schedule");
    if names.is_empty() {
        return String::new();
    }
    let shown =
        if limit == 0 { plan.configurations.len() } else { limit.min(plan.configurations.len()) };
    let mut builder = Builder::new();
    builder.push_record(names.iter().copied().chain(["steps"]));
    for configuration in &plan.configurations[..shown] {
        let value = |name: &&str| {
            configuration.parameters.get(*name).map_or(String::new(), ToString::to_string)
        };
        builder
            .push_record(names.iter().map(value).chain([configuration.length.steps.to_string()]));
    }
    let mut text = format!("\n{}\n", builder.build().with(Style::rounded()));
    if shown < plan.configurations.len() {
        let more = (plan.configurations.len() - shown) as u64;
        let _infallible =
            writeln!(text, "… {} more; --all shows them", plural(more, "configuration"));
    }
    text
}
