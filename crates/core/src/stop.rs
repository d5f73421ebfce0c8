//! Stopping what is bad early: at a *rung*, a step of their training, configurations are compared, and who is not among the
//! best stops there.
//!
//! Configurations are judged one after the other. A *verdict* depends only on those that were judged before, and is given when
//! each of these has come to the rung or never will. So it is the same in whatever order results arrive, and the first one waits
//! for nobody. The order is drawn from what is swept ([`Lot`]): in the file's own order, the first values of an ascending axis
//! would be compared with each other alone, and would always go on.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    key::Key,
    life::{ConfigurationId, TrialId},
};

/// Who goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// The share of the best that do; above 0 and below 1.
    pub keep: f64,
    /// So many others must be seen before anybody stops.
    pub least: u64,
}

/// Where a configuration is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rungs {
    /// Ascending, before its last step. The first ones of the sweep's: what comes too late for a short one does not apply.
    pub steps: Vec<u64>,
    /// It is compared with those of the same company.
    pub company: Key,
    /// Whether its stages end there; else it runs on until its verdict arrives.
    pub cut: bool,
}

/// When a configuration is judged: eras come one after the other, and within an era the order is drawn. New configurations of a
/// later revision are therefore judged after all earlier ones, and change no verdict on them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lot {
    era: u32,
    draw: [u8; 16],
}

impl Lot {
    /// Of a configuration that came with this revision, counted from 1; `parameters` is a text of what is swept.
    #[must_use]
    pub fn draw(era: u32, parameters: &str) -> Self {
        Self { era, draw: Key::of(parameters).0 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saying {
    GoOn,
    Stop,
}

/// What was decided of a configuration at a rung, for good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    pub configuration: ConfigurationId,
    /// The rung.
    pub step: u64,
    /// The mean over its seeds; none without any evaluation, NaN if one of them had diverged.
    pub value: Option<f64>,
    /// Its place, counted from 1, among `of`, itself included.
    pub place: u64,
    pub of: u64,
    /// So many of them go on.
    pub kept: u64,
    pub saying: Saying,
}

impl Rule {
    /// Nobody stops.
    pub const NONE: Self = Self { keep: 1.0, least: u64::MAX };

    /// How many of so many go on.
    #[must_use]
    pub fn kept(&self, of: u64) -> u64 {
        if of <= self.least {
            return of;
        }
        // 0.1 * 30 is a little more than 3.
        (self.keep * of as f64 - 1e-9).ceil() as u64
    }

    /// Of the one in this place among so many, itself included; equal ones have the place of the first.
    #[must_use]
    pub fn judge(&self, place: u64, of: u64) -> Saying {
        if self.kept(of) < place { Saying::Stop } else { Saying::GoOn }
    }
}

/// What is remembered of rungs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    pub rungs: BTreeMap<ConfigurationId, Rungs>,
    /// Those without one come first, in the order of their numbers: an older version began them.
    pub lots: BTreeMap<ConfigurationId, Lot>,
    pub verdicts: Vec<Verdict>,
    /// The objective that a trial had, as reduced until then, at a rung inside of a stage.
    pub reached: BTreeMap<(TrialId, u64), f64>,
}

impl Record {
    /// Configurations are judged in ascending order of this.
    #[must_use]
    pub fn order(&self, configuration: ConfigurationId) -> (Lot, ConfigurationId) {
        order(&self.lots, configuration)
    }
}

fn order(
    lots: &BTreeMap<ConfigurationId, Lot>,
    configuration: ConfigurationId,
) -> (Lot, ConfigurationId) {
    (lots.get(&configuration).copied().unwrap_or_default(), configuration)
}

/// Who has come to which rung. Of each rung and company, configurations are seen in the order of their lots.
#[derive(Debug, Default)]
pub(crate) struct Ladder {
    rungs: BTreeMap<ConfigurationId, Rungs>,
    lots: BTreeMap<ConfigurationId, Lot>,
    verdicts: BTreeMap<(ConfigurationId, u64), Saying>,
    pub(crate) reached: BTreeMap<(TrialId, u64), f64>,
    rows: BTreeMap<Key, Vec<Row>>,
}

/// A rung of a company.
#[derive(Debug, Default)]
struct Row {
    /// With the step that the rung is for each.
    members: Vec<(ConfigurationId, u64)>,
    /// How many of them were seen.
    next: usize,
    /// The merits of these, sorted; less is better.
    seen: Vec<u64>,
}

impl Ladder {
    pub(crate) fn new(record: Record) -> Self {
        let mut rows: BTreeMap<Key, Vec<Row>> = BTreeMap::new();
        let mut judged: Vec<_> = record.rungs.iter().collect();
        judged.sort_by_key(|(configuration, _)| record.order(**configuration));
        for (&configuration, rungs) in judged {
            let rows = rows.entry(rungs.company).or_default();
            let longest = rows.len().max(rungs.steps.len());
            rows.resize_with(longest, Row::default);
            for (row, &step) in rows.iter_mut().zip(&rungs.steps) {
                row.members.push((configuration, step));
            }
        }
        let verdicts = record.verdicts.iter();
        Self {
            verdicts: verdicts.map(|it| ((it.configuration, it.step), it.saying)).collect(),
            rungs: record.rungs,
            lots: record.lots,
            reached: record.reached,
            rows,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rungs.is_empty()
    }

    /// Whether stages run on past rungs until verdicts arrive.
    pub(crate) fn is_uncut(&self) -> bool {
        self.rungs.values().next().is_some_and(|rungs| !rungs.cut)
    }

    /// See [`Record::order`].
    pub(crate) fn order(&self, configuration: ConfigurationId) -> (Lot, ConfigurationId) {
        order(&self.lots, configuration)
    }

    pub(crate) fn company(&self, configuration: ConfigurationId) -> Option<Key> {
        self.rungs.get(&configuration).map(|rungs| rungs.company)
    }

    pub(crate) fn companies(&self) -> BTreeSet<Key> {
        self.rows.keys().copied().collect()
    }

    pub(crate) fn n_rungs(&self, company: Key) -> usize {
        self.rows.get(&company).map_or(0, Vec::len)
    }

    /// The rungs of a configuration within some steps.
    pub(crate) fn within(&self, configuration: ConfigurationId, first: u64, end: u64) -> &[u64] {
        let steps = self.rungs.get(&configuration).map_or(&[][..], |rungs| &rungs.steps);
        let from = steps.partition_point(|step| *step <= first);
        let to = steps.partition_point(|step| *step < end);
        steps.get(from..to).unwrap_or_default()
    }

    /// The first rung at or before this step for which a configuration has no verdict.
    pub(crate) fn held(&self, configuration: ConfigurationId, step: u64) -> Option<u64> {
        let rungs = self.rungs.get(&configuration)?.steps.iter().copied();
        let mut before = rungs.take_while(|rung| *rung <= step);
        before.find(|rung| !self.verdicts.contains_key(&(configuration, *rung)))
    }

    pub(crate) fn verdict(&self, configuration: ConfigurationId, step: u64) -> Option<Saying> {
        self.verdicts.get(&(configuration, step)).copied()
    }

    /// Where it was stopped last.
    pub(crate) fn stopped(&self, configuration: ConfigurationId) -> Option<u64> {
        let rungs = (configuration, 0)..=(configuration, u64::MAX);
        let mut stops = self.verdicts.range(rungs).rev();
        stops.find(|(_, saying)| **saying == Saying::Stop).map(|((_, step), _)| *step)
    }

    pub(crate) fn decide(&mut self, verdict: &Verdict) {
        self.verdicts.insert((verdict.configuration, verdict.step), verdict.saying);
    }

    /// Who is to be seen next at a rung, and at which step.
    pub(crate) fn next(&self, company: Key, rung: usize) -> Option<(ConfigurationId, u64)> {
        let row = self.rows.get(&company)?.get(rung)?;
        row.members.get(row.next).copied()
    }

    /// Those before a configuration at the rung that is this step for it.
    pub(crate) fn before(
        &self,
        configuration: ConfigurationId,
        step: u64,
    ) -> &[(ConfigurationId, u64)] {
        let rows = self.company(configuration).and_then(|company| self.rows.get(&company));
        let place = |row: &Row| row.members.iter().position(|it| *it == (configuration, step));
        let mut rows = rows.into_iter().flatten();
        rows.find_map(|row| Some(&row.members[..place(row)?])).unwrap_or_default()
    }

    /// Takes the next one in: its merit, or none if it is not to be compared with. Its place, and among how many.
    pub(crate) fn see(&mut self, company: Key, rung: usize, merit: Option<u64>) -> (u64, u64) {
        let row = self.rows.get_mut(&company).and_then(|rows| rows.get_mut(rung));
        let Some(row) = row else { return (0, 0) };
        row.next += 1;
        let Some(merit) = merit else { return (0, row.seen.len() as u64) };
        let place = row.seen.partition_point(|other| *other < merit);
        row.seen.insert(place, merit);
        (place as u64 + 1, row.seen.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_among_the_best_stops() {
        let half = Rule { keep: 0.5, least: 4 };
        let third = Rule { keep: 1.0 / 3.0, least: 0 };
        let tenth = Rule { keep: 0.1, least: 1 };
        for (rule, place, of, kept, expected) in [
            // Too few others were seen.
            (half, 1, 1, 1, Saying::GoOn),
            (half, 4, 4, 4, Saying::GoOn),
            (half, 5, 5, 3, Saying::Stop),
            (half, 4, 5, 3, Saying::Stop),
            (half, 3, 5, 3, Saying::GoOn),
            (half, 3, 6, 3, Saying::GoOn),
            (half, 4, 6, 3, Saying::Stop),
            (half, 5, 9, 5, Saying::GoOn),
            (half, 7, 9, 5, Saying::Stop),
            // The first one is always among the best.
            (third, 1, 1, 1, Saying::GoOn),
            (third, 2, 2, 1, Saying::Stop),
            (third, 2, 3, 1, Saying::Stop),
            (third, 2, 4, 2, Saying::GoOn),
            (tenth, 1, 1, 1, Saying::GoOn),
            (tenth, 3, 30, 3, Saying::GoOn),
            (tenth, 4, 30, 3, Saying::Stop),
        ] {
            assert_eq!((rule.judge(place, of), rule.kept(of)), (expected, kept), "{place} of {of}");
        }
    }

    #[test]
    fn equal_ones_have_one_place_and_who_has_no_value_is_not_seen() {
        let rungs =
            |steps: &[u64]| Rungs { steps: steps.to_vec(), company: Key::of("x"), cut: true };
        let all = (1..6).map(|number| (ConfigurationId(number), rungs(&[10, 20])));
        let mut ladder = Ladder::new(Record { rungs: all.collect(), ..Record::default() });
        let merits = [Some(5), None, Some(3), Some(5), Some(u64::MAX)];
        let places = merits.map(|merit| ladder.see(Key::of("x"), 0, merit));
        assert_eq!(places, [(1, 1), (0, 1), (1, 2), (2, 3), (4, 4)]);
        assert_eq!(ladder.next(Key::of("x"), 0), None);
        assert_eq!(ladder.next(Key::of("x"), 1), Some((ConfigurationId(1), 20)));
    }

    #[test]
    fn the_order_is_drawn_within_an_era_and_eras_follow_each_other() {
        let order = |lots: &[(u32, u32, &str)]| -> Vec<u32> {
            let rungs = || Rungs { steps: vec![10], company: Key::of("x"), cut: true };
            let mut record = Record::default();
            for &(number, era, parameters) in lots {
                record.rungs.insert(ConfigurationId(number), rungs());
                if 0 < era {
                    record.lots.insert(ConfigurationId(number), Lot::draw(era, parameters));
                }
            }
            let mut ladder = Ladder::new(record);
            let mut order = Vec::new();
            while let Some((next, _)) = ladder.next(Key::of("x"), 0) {
                assert_eq!(
                    ladder.before(next, 10).iter().map(|(it, _)| it.0).collect::<Vec<_>>(),
                    order
                );
                order.push(next.0);
                ladder.see(Key::of("x"), 0, Some(1));
            }
            order
        };
        let peaks = ["0.001", "0.01", "0.1", "1.0", "10.0"];
        let first: Vec<_> = (1..).zip(peaks).map(|(number, peak)| (number, 1, peak)).collect();
        let drawn = order(&first);
        assert_ne!(drawn, [1, 2, 3, 4, 5], "not the file's order");
        let renumbered: Vec<_> =
            (1..).zip(peaks.iter().rev()).map(|(number, peak)| (number, 1, *peak)).collect();
        let same: Vec<u32> = order(&renumbered).iter().map(|number| 6 - number).collect();
        assert_eq!(drawn, same, "whatever the numbers are");
        let later = [(6, 2, "0.03"), (7, 2, "0.3"), (8, 2, "3.0")];
        let grown = order(&[&first[..], &later].concat());
        assert_eq!(grown[..5], drawn, "new ones come after all that are there");
        let older = [(1, 0, ""), (2, 0, ""), (3, 0, ""), (4, 2, "0.001"), (5, 2, "1.0")];
        assert_eq!(order(&older)[..3], [1, 2, 3], "a sweep that an older version began");
    }
}
