//! A board as a table, for a terminal or for Markdown.

use pleach_core::{objective::Goal, plain::within, value::Value};

use super::{Board, Row};
use crate::curve::Sparks;
use crate::format::{count, decimals, duration, number, signed, with_spread, wrapped};
use crate::table::{Column, Look, Table};

/// In this order columns become shorter or go where there is no room. What it ranks by, and the numbers of its trials, stay.
mod order {
    pub(super) const STEPS: u8 = 1;
    pub(super) const TIME: u8 = 2;
    pub(super) const RATES: u8 = 3;
    pub(super) const CURVE: u8 = 4;
    pub(super) const PROBABILITY: u8 = 5;
    pub(super) const INTERVAL: u8 = 6;
    pub(super) const LONG_VALUES: u8 = 7;
    pub(super) const VERSUS: u8 = 8;
    pub(super) const GROUP: u8 = 9;
    pub(super) const SEEDS: u8 = 10;
    pub(super) const STATE: u8 = 11;
    pub(super) const VALUES: u8 = 12;
    pub(super) const PARAMETERS: u8 = 13;
    pub(super) const METRICS: u8 = 14;
    /// Where some are not done.
    pub(super) const OTHER_STATE: u8 = 15;
}

/// Whether pictures are columns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pictures {
    Shown,
    None,
}

impl Board {
    /// A table for a terminal of so many columns, and what is to be said of it.
    pub fn table(&self, width: Option<usize>) -> String {
        if self.is_empty() {
            return "no configurations\n".to_owned();
        }
        let table = Table::new(self.table_columns(Pictures::Shown), width);
        let mut text = table.text(Look::Rounded);
        let mut notes = String::new();
        if 0 < self.more {
            notes += &["… ", &self.more.to_string(), " more; --limit 0 shows all\n"].concat();
        }
        notes += &table.left_out("`--csv` and `--json` have them");
        if self.rows.iter().any(|row| row.mean.is_none() && row.last.is_some()) {
            notes += "(…) the last value of trials that have not ended, or were stopped\n";
        }
        if self.rows.iter().any(|row| row.distinguishable == Some(false)) {
            notes += "≈ not distinguishable from the first at 95 %, seed by seed\n";
        }
        if self.rows.iter().any(|row| row.difference_interval.is_some()) {
            notes +=
                "± of a value: deviation over seeds; of a difference: half its 95 % interval\n";
        }
        for note in &self.notes {
            notes += &within(note, 500);
            notes.push('\n');
        }
        text += &width.map_or(notes.clone(), |width| wrapped(&notes, width));
        text
    }

    pub fn markdown(&self) -> String {
        if self.is_empty() {
            return "no configurations\n".to_owned();
        }
        Table::new(self.table_columns(Pictures::None), None).text(Look::Markdown)
    }

    fn table_columns(&self, pictures: Pictures) -> Vec<Column> {
        let cells = |cell: &dyn Fn(&Row) -> String| self.rows.iter().map(cell).collect::<Vec<_>>();
        let any = |is: &dyn Fn(&Row) -> bool| self.rows.iter().any(is);
        let mut columns = vec![Column::new("#", cells(&ranks)).right()];
        let is_one = !any(&|row| 1 < row.trials.len());
        let head = if is_one { "trial" } else { "trials" };
        columns.push(Column::new(head, cells(&|row| trials(&row.trials))));
        for name in &self.columns {
            let value =
                |row: &Row| row.parameters.get(name).map_or(String::new(), Value::to_string);
            let column = Column::new(name, cells(&value)).cut(order::LONG_VALUES, 24);
            columns.push(column.cut(order::VALUES, 10).until(order::PARAMETERS));
        }
        if pictures == Pictures::Shown && any(&|row| !row.rates.is_empty()) {
            columns.push(
                Column::new("rates", cells(&|row| row.rates.clone())).until(order::RATES).picture(),
            );
        }
        let arrow = if self.goal == Goal::Max { "↑" } else { "↓" };
        columns.push(Column::new(&format!("{} {arrow}", self.metric), cells(&value)));
        for name in &self.metrics {
            let value = |row: &Row| {
                let value = row.metrics.get(name).copied().flatten();
                value.map_or(String::new(), |value| number(value, 4))
            };
            columns.push(Column::new(name, cells(&value)).until(order::METRICS));
        }
        if pictures == Pictures::Shown && any(&|row| !row.curve.is_empty()) {
            let sparks = self.sparks();
            columns.push(
                Column::new("curve", cells(&|row| sparks.line(&row.curve)))
                    .until(order::CURVE)
                    .picture(),
            );
        }
        let versus_first = Column::new("vs first", cells(&|row| versus(row, Interval::Shown)));
        let shorter = cells(&|row| versus(row, Interval::None));
        columns.push(versus_first.or(order::INTERVAL, shorter).until(order::VERSUS));
        if any(&|row| row.probability_best.is_some()) {
            let cells = cells(&|row| row.probability_best.map_or(String::new(), percent));
            columns.push(Column::new("P(best)", cells).until(order::PROBABILITY));
        }
        if any(&|row| row.group.is_some()) {
            let number = |it: Option<u32>| it.map_or(String::new(), |it| it.to_string());
            let tried = cells(&|row| number(row.group.as_ref().map(|group| group.tried)));
            let as_good = cells(&|row| number(row.group.as_ref().and_then(|group| group.as_good)));
            columns.push(Column::new("tried", tried).until(order::GROUP));
            columns.push(Column::new("as good", as_good).until(order::GROUP));
        }
        if any(&|row| row.steps.is_some()) {
            columns.push(Column::new("steps", cells(&steps)).right().until(order::STEPS));
        }
        if any(&|row| row.seconds.is_some()) {
            let cells = cells(&|row| row.seconds.map_or(String::new(), duration));
            columns.push(Column::new("time", cells).right().until(order::TIME));
        }
        let seeds = cells(&|row| format!("{}/{}", row.seeds_done, row.seeds));
        columns.push(Column::new("seeds", seeds).until(order::SEEDS));
        let is_plain = !any(&|row| row.state != "done");
        let rank = if is_plain { order::STATE } else { order::OTHER_STATE };
        columns.push(Column::new("state", cells(&|row| row.state.clone())).until(rank));
        columns
    }

    /// All curves on one scale.
    pub(crate) fn sparks(&self) -> Sparks {
        Sparks::new(self.rows.iter().flat_map(|row| row.curve.iter().map(|point| point.mean)))
    }
}

/// `3`, or the ranks that its seeds leave it: `1–6`.
pub(crate) fn ranks(row: &Row) -> String {
    match (row.rank, row.ranks) {
        (None, _) => "–".to_owned(),
        (Some(_), Some([first, last])) if first < last => format!("{first}–{last}"),
        (Some(rank), _) => rank.to_string(),
    }
}

/// `7–9`, `7–9, 31`, or the first of very many.
pub(crate) fn trials(numbers: &[u32]) -> String {
    const RUNS: usize = 3;
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let runs: Vec<&[u32]> = sorted.chunk_by(|a, b| a + 1 == *b).collect();
    let shown = runs.iter().take(RUNS).map(|run| match run {
        [first, .., last] => format!("{first}–{last}"),
        run => run.iter().map(ToString::to_string).collect(),
    });
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if RUNS < runs.len() {
        text.push('…');
    }
    text
}

/// What it ranks by; in parentheses the last value of what has no result.
pub(crate) fn value(row: &Row) -> String {
    match (row.mean, row.last) {
        (Some(mean), _) => with_spread(mean, row.spread),
        (None, Some(last)) => format!("({})", number(last, 4)),
        (None, None) => "–".to_owned(),
    }
}

/// `3 000`, or `900/3 000` of what has not come to its end.
fn steps(row: &Row) -> String {
    match row.steps {
        None => String::new(),
        Some([made, end]) if made == end || row.is_open_ended() => count(made),
        Some([made, end]) => format!("{}/{}", count(made), count(end)),
    }
}

/// Whether a difference has its interval beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Interval {
    Shown,
    None,
}

/// The difference and half of its interval; without an interval the difference alone.
fn versus(row: &Row, interval: Interval) -> String {
    let Some(difference) = row.difference else { return String::new() };
    let mark = if row.distinguishable == Some(false) { "≈ " } else { "" };
    let half = row.difference_interval.map(|[low, high]| (high - low) / 2.0);
    let decimals = decimals(half.or(row.spread));
    let difference = signed(difference, decimals);
    match half {
        Some(half) if interval == Interval::Shown => {
            format!("{mark}{difference} ± {}", number(half, decimals))
        }
        _ => format!("{mark}{difference}"),
    }
}

fn percent(share: f64) -> String {
    match 100.0 * share {
        0.0 => String::new(),
        percent if percent < 1.0 => "<1 %".to_owned(),
        percent => format!("{percent:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::trials;

    #[test]
    fn trials_of_one_row_are_named_briefly() {
        for (numbers, expected) in [
            (&[7][..], "7"),
            (&[7, 8], "7–8"),
            (&[9, 7, 8, 31], "7–9, 31"),
            (&[1, 3, 5, 7, 9], "1, 3, 5…"),
            (&[], ""),
        ] {
            assert_eq!(trials(numbers), expected);
        }
    }
}
