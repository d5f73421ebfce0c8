//! A board as a table, for a terminal or for Markdown.

use pleach_core::{objective::Goal, value::Value};
use tabled::{
    builder::Builder,
    settings::{Alignment, Modify, Style, Width, object::Columns, peaker::Priority},
};

use super::{Board, Row};
use crate::curve::Sparks;
use crate::format::{decimals, number, with_spread};

/// How much there is room for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    Full,
    /// Without probabilities and the intervals of differences.
    Narrow,
}

/// Which pictures are columns, of those that there are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pictures {
    /// Schedules and learning curves.
    All,
    Curves,
    None,
}

impl Board {
    /// A table for a terminal of so many columns, and what is to be said of it.
    pub fn table(&self, width: Option<usize>) -> String {
        if self.is_empty() {
            return "no configurations\n".to_owned();
        }
        let rounded = |pictures, detail| {
            let mut table = self.builder(pictures, detail).build();
            table.with(Style::rounded());
            table.with(Modify::new(Columns::first()).with(Alignment::right()));
            table
        };
        let mut table = rounded(Pictures::All, Detail::Full);
        let smaller = [
            (Pictures::Curves, Detail::Full),
            (Pictures::All, Detail::Narrow),
            (Pictures::Curves, Detail::Narrow),
            (Pictures::None, Detail::Full),
            (Pictures::None, Detail::Narrow),
        ];
        for (pictures, detail) in smaller {
            if width.is_none_or(|width| table.total_width() <= width) {
                break;
            }
            table = rounded(pictures, detail);
        }
        if let Some(width) = width {
            table.with(Width::truncate(width.max(40)).suffix("…").priority(Priority::max(true)));
        }
        let mut text = format!("{table}\n");
        if 0 < self.more {
            text.push_str("… ");
            text.push_str(&self.more.to_string());
            text.push_str(" more; --limit 0 shows all\n");
        }
        if self.rows.iter().any(|row| row.distinguishable == Some(false)) {
            text.push_str("≈ not distinguishable from the first at 95 %, seed by seed\n");
        }
        if self.rows.iter().any(|row| row.difference_interval.is_some()) {
            text.push_str(
                "± of a value: deviation over seeds; of a difference: half its 95 % interval\n",
            );
        }
        for note in &self.notes {
            text.push_str(note);
            text.push('\n');
        }
        text
    }

    pub fn markdown(&self) -> String {
        if self.is_empty() {
            return "no configurations\n".to_owned();
        }
        let mut table = self.builder(Pictures::None, Detail::Full).build();
        table.with(Style::markdown());
        format!("{table}\n")
    }

    fn builder(&self, pictures: Pictures, detail: Detail) -> Builder {
        let has_rates =
            pictures == Pictures::All && self.rows.iter().any(|row| !row.rates.is_empty());
        let has_curves =
            pictures != Pictures::None && self.rows.iter().any(|row| !row.curve.is_empty());
        let arrow = if self.goal == Goal::Max { "↑" } else { "↓" };
        let has_probabilities =
            detail == Detail::Full && self.rows.iter().any(|row| row.probability_best.is_some());
        let has_groups = self.rows.iter().any(|row| row.group.is_some());
        let mut header = vec!["#".to_owned()];
        header.extend(self.columns.iter().cloned());
        if has_rates {
            header.push("rates".to_owned());
        }
        header.push(format!("{} {arrow}", self.metric));
        if has_curves {
            header.push("curve".to_owned());
        }
        header.push("vs first".to_owned());
        if has_probabilities {
            header.push("P(best)".to_owned());
        }
        if has_groups {
            header.extend(["tried", "as good"].map(str::to_owned));
        }
        header.extend(["seeds", "state"].map(str::to_owned));
        let sparks = self.sparks();
        let mut builder = Builder::new();
        builder.push_record(header);
        for row in &self.rows {
            let mut cells = vec![ranks(row)];
            let value =
                |name: &String| row.parameters.get(name).map_or(String::new(), Value::to_string);
            cells.extend(self.columns.iter().map(value));
            if has_rates {
                cells.push(row.rates.clone());
            }
            cells.push(row.mean.map_or("–".to_owned(), |mean| with_spread(mean, row.spread)));
            if has_curves {
                cells.push(sparks.line(&row.curve));
            }
            cells.push(versus(row, detail));
            if has_probabilities {
                cells.push(row.probability_best.map_or(String::new(), percent));
            }
            if has_groups {
                let group = row.group.as_ref();
                cells.push(group.map_or(String::new(), |group| group.tried.to_string()));
                let as_good = group.and_then(|group| group.as_good);
                cells.push(as_good.map_or(String::new(), |as_good| as_good.to_string()));
            }
            cells.push(format!("{}/{}", row.seeds_done, row.seeds));
            cells.push(row.state.clone());
            builder.push_record(cells);
        }
        builder
    }
}

impl Board {
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

/// The difference and half of its interval; without an interval the difference alone.
fn versus(row: &Row, detail: Detail) -> String {
    let Some(difference) = row.difference else { return String::new() };
    let mark = if row.distinguishable == Some(false) { "≈ " } else { "" };
    let half = row.difference_interval.map(|[low, high]| (high - low) / 2.0);
    let decimals = decimals(half.or(row.spread));
    let signed = |value: f64| {
        if value != 0.0 && value.abs() < 1e-6 {
            format!("{value:+.1e}")
        } else {
            format!("{value:+.decimals$}")
        }
    };
    match half {
        Some(half) if detail == Detail::Full => {
            format!("{mark}{} ± {}", signed(difference), number(half, decimals))
        }
        _ => format!("{mark}{}", signed(difference)),
    }
}

fn percent(share: f64) -> String {
    match 100.0 * share {
        0.0 => String::new(),
        percent if percent < 1.0 => "<1 %".to_owned(),
        percent => format!("{percent:.0} %"),
    }
}
