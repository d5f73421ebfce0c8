//! Every distinct schedule as a line, in multiples of its peak.

use std::collections::BTreeMap;

use pleach_core::{plan::Plan, rank::Ranked, value::Parameters};
use serde::Serialize;

use super::short;
use crate::{
    curve::thinned,
    distinct::{Distinct, distinct},
    schedule::{profile_facts, profile_picture},
};

/// So many are drawn, those that did best.
const DRAWN: usize = 120;

/// Points of a line: as many as a small picture has pixels.
const POINTS: usize = 240;

const DIGITS: usize = 4;

#[derive(Debug, Serialize)]
pub(super) struct Schedules<'a> {
    /// The one that did best first.
    drawn: Vec<Drawn>,
    /// How many are not drawn.
    more: usize,
    /// Why none are known.
    missing: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Drawn {
    name: String,
    /// As it is written.
    profile: String,
    facts: String,
    steps: u64,
    x: Vec<Option<f64>>,
    y: Vec<Option<f64>>,
    /// A multiple of the line as low as which evaluations may turn it.
    lowest: Option<f64>,
    /// The places on the board of the configurations that follow it, best first.
    rows: Vec<usize>,
}

impl<'a> Schedules<'a> {
    pub(super) fn new(plan: Result<&Plan, &'a str>, ranked: &[Ranked]) -> Self {
        let plan = match plan {
            Ok(plan) => plan,
            Err(why) => return Self { drawn: Vec::new(), more: 0, missing: Some(why) },
        };
        let places: BTreeMap<String, usize> = ranked
            .iter()
            .enumerate()
            .map(|(place, ranked)| (key(&ranked.row.parameters), place))
            .collect();
        let all = distinct(plan);
        let mut all: Vec<(Vec<usize>, &Distinct)> = all
            .iter()
            .map(|schedule| {
                let of = schedule.configurations.iter();
                let mut rows: Vec<usize> =
                    of.filter_map(|it| places.get(&key(&it.parameters)).copied()).collect();
                rows.sort_unstable();
                (rows, schedule)
            })
            .filter(|(rows, _)| !rows.is_empty())
            .collect();
        all.sort_by_key(|(rows, _)| rows[0]);
        let more = all.len().saturating_sub(DRAWN);
        all.truncate(DRAWN);
        let drawn = all.into_iter().map(|(rows, schedule)| drawn(schedule, rows)).collect();
        Self { drawn, more, missing: None }
    }
}

/// Parameters always serialize; equal texts are equal configurations.
fn key(parameters: &Parameters) -> String {
    serde_json::to_string(parameters).unwrap_or_default()
}

fn drawn(schedule: &Distinct, rows: Vec<usize>) -> Drawn {
    let Distinct { scheduled, steps, .. } = *schedule;
    let name = schedule.name();
    let picture = profile_picture(&name, scheduled, steps);
    let curve = picture.curves.first();
    let points = curve.map(|curve| thinned(&curve.points, POINTS)).unwrap_or_default();
    Drawn {
        profile: schedule.profile(),
        facts: profile_facts(scheduled, steps),
        steps,
        x: points.iter().map(|(x, _)| short(*x, 9)).collect(),
        y: points.iter().map(|(_, y)| short(*y, DIGITS)).collect(),
        lowest: curve.and_then(|curve| curve.lowest),
        rows,
        name,
    }
}
