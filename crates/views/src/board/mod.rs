//! Leaderboards: configurations in order of merit, and what tells them apart.

mod notes;
mod table;

use std::collections::BTreeMap;

use pleach_core::{
    life::TrialId,
    objective::{Goal, Objective},
    plan::{Plan, command::OPEN_ENDED},
    rank::{self, Distinction, Doubt, Group, Ranked, State, Tried, Versus, differing},
    statistics::mean,
    value::{self, Parameters},
};
use pleach_schedule::preset::{PRESETS, PresetInfo};
use pleach_store::{Best, Effort};
use serde::Serialize;

use crate::{
    curve::{Point, average, rates},
    distinct::distinct,
    format::{done_early, plural},
};
pub(crate) use table::{ranks, trials, value as shown_value};

/// A leaderboard, ready to be shown in any form.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    metric: String,
    goal: Goal,
    /// Names of the parameters in which configurations differ, choices first.
    columns: Vec<String>,
    /// Names of further metrics, as they were asked for.
    metrics: Vec<String>,
    rows: Vec<Row>,
    /// Rows that were left out by the limit.
    more: usize,
    /// What is to be said below a table.
    notes: Vec<String>,
}

/// Which rows of a board are shown.
#[derive(Clone, Debug, Default)]
pub struct Extent {
    /// Only configurations whose parameter has that value, as it is shown.
    pub filters: Vec<(String, String)>,
    /// So many rows, 0 for all.
    pub limit: usize,
}

/// One line of a board, and one object of its JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    /// Absent for a configuration that has not ended well.
    pub(crate) rank: Option<u32>,
    /// The ranks from which its seeds cannot tell it away, at 95 % each.
    pub(crate) ranks: Option<[u32; 2]>,
    pub(crate) configuration: u32,
    pub(crate) parameters: Parameters,
    /// Mean over the seeds that have a number.
    pub(crate) mean: Option<f64>,
    /// Sample standard deviation over the same.
    pub(crate) spread: Option<f64>,
    /// 95 % interval of the mean.
    pub(crate) interval: Option<[f64; 2]>,
    pub(crate) seeds_done: u32,
    pub(crate) seeds: u32,
    pub(crate) state: String,
    /// Mean difference from the first, over the seeds that both have.
    pub(crate) difference: Option<f64>,
    /// 95 % interval of the difference.
    pub(crate) difference_interval: Option<[f64; 2]>,
    /// Whether that interval leaves zero out.
    pub(crate) distinguishable: Option<bool>,
    /// How likely it is the best, as the seeds have it.
    pub(crate) probability_best: Option<f64>,
    /// The trials' numbers, by seed.
    pub(crate) trials: Vec<u32>,
    /// The mean over its trials of the objective's last value, of those that have none as a result; absent until it is
    /// [given](Board::with_made).
    pub(crate) last: Option<f64>,
    /// The steps that the longest of its trials has made, and those until its end.
    pub(crate) steps: Option<[u64; 2]>,
    /// How long its trials took on average.
    pub(crate) seconds: Option<f64>,
    /// The means over its trials of the last values of further metrics.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metrics: BTreeMap<String, Option<f64>>,
    /// The objective's metric over the steps, averaged over the seeds; empty until it is [given](Board::with_curves).
    #[serde(skip)]
    pub(crate) curve: Vec<Point>,
    /// Its rates over the steps as a line; empty until it is [given](Board::with_schedules).
    #[serde(skip)]
    pub(crate) rates: String,
    #[serde(flatten)]
    pub(crate) group: Option<OfGroup>,
}

/// What was made of the trials of a row so far, trial by trial.
#[derive(Clone, Debug, Default)]
pub struct Made {
    pub efforts: Vec<Effort>,
    /// The objective's last values; not needed of a row that [has a result](Board::have_results).
    pub objective: Vec<Option<f64>>,
    /// Those of further metrics, metric by metric.
    pub further: Vec<Vec<Option<f64>>>,
}

/// What is to be known of the configurations of which this one is the best.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct OfGroup {
    pub(crate) tried: u32,
    pub(crate) as_good: Option<u32>,
    pub(crate) diverged: u32,
}

impl Row {
    /// Nobody says how long its trials are.
    pub(crate) fn is_open_ended(&self) -> bool {
        self.steps.is_some_and(|[_, end]| end == OPEN_ENDED)
    }
}

impl Board {
    /// Of every configuration, as [`pleach_core::rank::rank`] put them.
    pub fn new(ranked: &[Ranked], objective: &Objective, extent: &Extent) -> Self {
        let all: Vec<_> = ranked.iter().map(|ranked| (ranked, None)).collect();
        let doubt = Doubt::new(&ranked.iter().collect::<Vec<_>>(), objective.goal);
        let parameters = ranked.iter().map(|ranked| &ranked.row.parameters);
        let tried = Tried::new(&parameters.collect::<Vec<_>>());
        let notes = notes::of_all(ranked.first(), ranked.len(), &doubt, &tried, objective);
        Self::of(&all, &doubt, tried.columns, objective, extent, notes)
    }

    /// Of the best configurations, without having read the others.
    pub fn of_best(best: Best, objective: &Objective) -> Self {
        let Best { rows, configurations, doubt, tried } = best;
        let ranked = rank::rank(rows, objective.goal);
        let all: Vec<_> = ranked.iter().map(|ranked| (ranked, None)).collect();
        let notes = notes::of_all(ranked.first(), configurations, &doubt, &tried, objective);
        let extent = Extent::default();
        let board = Self::of(&all, &doubt, tried.columns, objective, &extent, notes);
        Self { more: configurations - ranked.len(), ..board }
    }

    /// Of the best configuration of each group; `rows` are all of them.
    pub fn of_groups(
        groups: &[Group],
        rows: &[rank::Row],
        objective: &Objective,
        extent: &Extent,
    ) -> Self {
        let of_group = |group: &Group| {
            let Group { tried, as_good, diverged, .. } = *group;
            OfGroup { tried, as_good, diverged }
        };
        let all: Vec<_> = groups.iter().map(|group| (&group.best, Some(of_group(group)))).collect();
        let bests: Vec<&Ranked> = groups.iter().map(|group| &group.best).collect();
        let doubt = Doubt::new(&bests, objective.goal);
        let columns = differing(&rows.iter().map(|row| &row.parameters).collect::<Vec<_>>());
        Self::of(&all, &doubt, columns, objective, extent, notes::of_groups(groups))
    }

    fn of(
        all: &[(&Ranked, Option<OfGroup>)],
        doubt: &Doubt,
        columns: Vec<String>,
        objective: &Objective,
        extent: &Extent,
        notes: Vec<String>,
    ) -> Self {
        let probabilities = doubt.probabilities();
        let is_wanted = |ranked: &Ranked| {
            extent.filters.iter().all(|(name, value)| {
                ranked.row.parameters.get(name).is_some_and(|other| other.to_string() == *value)
            })
        };
        let mut wanted: Vec<usize> =
            (0..all.len()).filter(|&index| is_wanted(all[index].0)).collect();
        let shown = if extent.limit == 0 { wanted.len() } else { extent.limit.min(wanted.len()) };
        let more = wanted.len() - shown;
        wanted.truncate(shown);
        let row = |index: usize| {
            let (ranked, group) = &all[index];
            let places = doubt.places(index);
            Row {
                ranks: places.map(|places| [places.first, places.last]),
                probability_best: probabilities.get(index).copied(),
                ..row(ranked, group.clone())
            }
        };
        Self {
            metric: objective.metric.clone(),
            goal: objective.goal,
            columns,
            metrics: Vec::new(),
            rows: wanted.into_iter().map(row).collect(),
            more,
            notes,
        }
    }

    /// Names of the parameters in which configurations differ, choices first.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How many were left out by the limit.
    pub(crate) fn more(&self) -> usize {
        self.more
    }

    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The trials of each row, by seed.
    pub fn trials(&self) -> Vec<Vec<TrialId>> {
        let numbers = self.rows.iter().map(|row| row.trials.iter());
        numbers.map(|numbers| numbers.copied().map(TrialId).collect()).collect()
    }

    /// The same with learning curves, of the [trials](Self::trials) of each row.
    #[must_use]
    pub fn with_curves(mut self, curves: &[Vec<Vec<(u64, f64)>>]) -> Self {
        for (row, seeds) in self.rows.iter_mut().zip(curves) {
            row.curve = average(seeds.iter().map(Vec::as_slice));
        }
        self
    }

    /// Whether each row has a number to rank by.
    pub fn have_results(&self) -> Vec<bool> {
        self.rows.iter().map(|row| row.mean.is_some()).collect()
    }

    /// The same with what was made of each row so far, and further metrics of these names. What runs is called so if
    /// `is_running`: otherwise whoever ran it has died.
    #[must_use]
    pub fn with_made(mut self, made: &[Made], names: &[String], is_running: bool) -> Self {
        for (row, made) in self.rows.iter_mut().zip(made) {
            let begun: Vec<&Effort> = made.efforts.iter().filter(|it| it.is_begun()).collect();
            let longest = begun.iter().max_by_key(|it| (it.steps, it.end));
            row.steps = longest.map(|it| [it.steps, it.end]);
            // Of several seeds, that which came least far.
            let early = begun.iter().filter(|it| it.steps < it.end && it.end < OPEN_ENDED);
            let early = early.map(|it| [it.steps, it.end]).min();
            let seconds = begun.iter().map(|it| it.milliseconds as f64 / 1000.0);
            row.seconds = mean(&seconds.collect::<Vec<_>>());
            row.last = last(&made.objective).filter(|_| row.mean.is_none());
            let values = made.further.iter().map(|values| last(values));
            row.metrics = names.iter().cloned().zip(values).collect();
            if is_running && row.seeds_done < row.seeds && begun.iter().any(|it| it.is_open) {
                "running".clone_into(&mut row.state);
            } else if let (true, Some(early)) = (row.state == state(State::Done), early) {
                row.state = done_early(early);
            }
        }
        self.metrics = names.to_vec();
        self
    }

    /// Whether schedules, or what makes them, seem to be among that in which configurations differ.
    pub fn has_schedules(&self) -> bool {
        let arguments = || PRESETS.iter().flat_map(PresetInfo::all_arguments);
        let is_of_one = |name: &String| arguments().any(|argument| argument.name == name);
        self.columns.iter().any(|name| name == "schedule" || is_of_one(name))
    }

    /// The same with a line for each row's schedule, if there are several in the plan: those that differ in their peaks alone
    /// are one.
    #[must_use]
    pub fn with_schedules(mut self, plan: &Plan) -> Self {
        let schedules = distinct(plan);
        if schedules.len() < 2 {
            return self;
        }
        for row in &mut self.rows {
            let of_row = schedules.iter().find(|schedule| {
                schedule.configurations.iter().any(|it| it.parameters == row.parameters)
            });
            row.rates = of_row.map_or(String::new(), |it| rates(&it.scheduled.resolved, it.steps));
        }
        self
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// An array of rows.
    pub fn json(&self) -> String {
        // Plain values always serialize.
        let mut text = serde_json::to_string_pretty(&self.rows).unwrap_or_default();
        text.push('\n');
        text
    }

    pub fn csv(&self) -> String {
        let mut header = vec!["rank", "rank_low", "rank_high", "configuration"];
        header.extend(self.columns.iter().map(String::as_str));
        header.extend(["mean", "low", "high", "spread", "seeds_done", "seeds", "state"]);
        header.extend(["difference", "difference_low", "difference_high", "probability_best"]);
        header.extend(["trials", "last", "steps", "steps_of", "seconds"]);
        header.extend(self.metrics.iter().map(String::as_str));
        let mut lines = vec![header.into_iter().map(str::to_owned).collect()];
        lines.extend(self.rows.iter().map(|row| self.cells(row)));
        let line = |line: Vec<String>| {
            line.iter().map(|cell| value::cell(cell)).collect::<Vec<_>>().join(",") + "\n"
        };
        lines.into_iter().map(line).collect()
    }

    /// A row's cells as data.
    fn cells(&self, row: &Row) -> Vec<String> {
        fn text<T: ToString>(value: Option<T>) -> String {
            value.map_or(String::new(), |value| value.to_string())
        }
        let end = |interval: Option<[f64; 2]>, end: usize| text(interval.map(|ends| ends[end]));
        let rank = |end: usize| text(row.ranks.map(|ends| ends[end]));
        let mut cells = vec![text(row.rank), rank(0), rank(1), row.configuration.to_string()];
        cells.extend(self.columns.iter().map(|name| text(row.parameters.get(name))));
        cells.extend([text(row.mean), end(row.interval, 0), end(row.interval, 1)]);
        cells.extend([text(row.spread), row.seeds_done.to_string(), row.seeds.to_string()]);
        cells.extend([row.state.clone(), text(row.difference)]);
        cells.extend([end(row.difference_interval, 0), end(row.difference_interval, 1)]);
        cells.push(text(row.probability_best));
        let trials: Vec<String> = row.trials.iter().map(ToString::to_string).collect();
        cells.extend([trials.join(" "), text(row.last)]);
        cells.push(text(row.steps.map(|[made, _]| made)));
        cells.push(text(row.steps.filter(|_| !row.is_open_ended()).map(|[_, end]| end)));
        cells.push(text(row.seconds));
        cells
            .extend(self.metrics.iter().map(|name| text(row.metrics.get(name).copied().flatten())));
        cells
    }
}

/// The mean over the trials that have a value; NaN if one of these is.
fn last(values: &[Option<f64>]) -> Option<f64> {
    let values: Vec<f64> = values.iter().flatten().copied().collect();
    if values.iter().any(|value| value.is_nan()) { Some(f64::NAN) } else { mean(&values) }
}

fn row(ranked: &Ranked, group: Option<OfGroup>) -> Row {
    // A number that only some seeds have is no fair comparison.
    let is_compared = matches!(ranked.state, State::Done | State::Partial);
    let versus = ranked.versus_first.as_ref().filter(|_| is_compared);
    let (difference_interval, distinguishable) = versus.map_or((None, None), distinction);
    Row {
        rank: ranked.rank,
        ranks: None,
        configuration: ranked.row.configuration.0,
        parameters: ranked.row.parameters.clone(),
        mean: ranked.mean,
        spread: ranked.spread,
        interval: ranked.interval().map(|interval| [interval.low, interval.high]),
        seeds_done: ranked.seeds_done,
        seeds: ranked.seeds_total,
        state: state(ranked.state),
        difference: versus.map(|versus| versus.difference),
        difference_interval,
        distinguishable,
        probability_best: None,
        trials: ranked.row.trials.iter().map(|result| result.trial.0).collect(),
        last: None,
        steps: None,
        seconds: None,
        metrics: BTreeMap::new(),
        curve: Vec::new(),
        rates: String::new(),
        group,
    }
}

fn distinction(versus: &Versus) -> (Option<[f64; 2]>, Option<bool>) {
    match versus.distinction {
        Distinction::Different { low, high } => (Some([low, high]), Some(true)),
        Distinction::Same { low, high } => (Some([low, high]), Some(false)),
        Distinction::Unknown => (None, None),
    }
}

/// In words.
pub(crate) fn state(state: State) -> String {
    match state {
        State::Done => "done".to_owned(),
        State::Partial => "partial".to_owned(),
        State::Diverged(seeds) => plural(u64::from(seeds), "seed") + " diverged",
        State::Failed(seeds) => plural(u64::from(seeds), "seed") + " failed",
        State::Stopped(seeds) => plural(u64::from(seeds), "seed") + " stopped",
        State::Waiting => "waiting".to_owned(),
    }
}

#[cfg(test)]
mod tests;
