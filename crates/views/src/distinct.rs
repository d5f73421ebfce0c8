//! The distinct schedules of a plan: those that differ in their peaks alone are one.

use std::collections::BTreeMap;

use pleach_core::plan::{Configuration, Plan, Scheduled};
use pleach_schedule::line::short;

/// One schedule, with the configurations that follow it at whatever peak; never without any.
pub(crate) struct Distinct<'a> {
    pub(crate) scheduled: &'a Scheduled,
    pub(crate) steps: u64,
    pub(crate) configurations: Vec<&'a Configuration>,
}

/// In the order of their first configurations.
pub(crate) fn distinct(plan: &Plan) -> Vec<Distinct<'_>> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut found: Vec<Distinct> = Vec::new();
    for configuration in &plan.configurations {
        let Some(scheduled) = &configuration.schedule else { continue };
        let steps = configuration.length.steps;
        let plateau = scheduled.plateau.as_ref().map(ToString::to_string).unwrap_or_default();
        let key = format!("{} {plateau} {steps}", without_peak(&scheduled.text));
        let place = *places.entry(key).or_insert(found.len());
        if place == found.len() {
            found.push(Distinct { scheduled, steps, configurations: Vec::new() });
        }
        found[place].configurations.push(configuration);
    }
    found
}

impl Distinct<'_> {
    /// The branch, if schedules are a choice.
    pub(crate) fn name(&self) -> String {
        let name = self.configurations.first().and_then(|first| first.parameters.get("schedule"));
        name.map_or("schedule".to_owned(), ToString::to_string)
    }

    /// As it is written, in multiples of the peak.
    pub(crate) fn profile(&self) -> String {
        short(without_peak(&self.scheduled.written))
    }

    /// In ascending order.
    pub(crate) fn peaks(&self) -> Vec<f64> {
        let peak = |configuration: &&Configuration| {
            configuration.schedule.as_ref().map(|scheduled| scheduled.resolved.peak())
        };
        let mut peaks: Vec<f64> = self.configurations.iter().filter_map(peak).collect();
        peaks.sort_by(f64::total_cmp);
        peaks.dedup();
        peaks
    }
}

fn without_peak(line: &str) -> &str {
    line.split_once(": ").map_or(line, |(_, profile)| profile)
}
