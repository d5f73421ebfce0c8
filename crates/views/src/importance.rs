//! How much each parameter matters: bars for a person, an array for a program.

use pleach_core::{
    plain::within,
    rank::{Importance, Share},
    value::Value,
};
use serde::Serialize;

use crate::{
    format::{percent, plural},
    table::{Look, PIPE, Table, columns},
};

const BAR: usize = 30;

const EXPLANATION: &str = "shares of the variance between configurations (functional ANOVA of a forest), ± their spread over its trees;\nwith others: also what acts only together, so these add up to more than 100%\n";

/// One section for all configurations, and one for each branch with parameters of its own.
pub fn text(parts: &[Importance], metric: &str, is_ascii: bool) -> String {
    if parts.is_empty() {
        return "fewer than 8 configurations have a result: too few to tell what matters\n"
            .to_owned();
    }
    let section = |part: &Importance| {
        let of = match &part.branch {
            None => String::new(),
            Some((choice, value)) => within(&format!(" of {choice} {value}"), 60).into_owned(),
        };
        let configurations = plural(part.configurations as u64, "configuration");
        let left_out = match part.left_out {
            0 => String::new(),
            n => format!("{} without a result left out\n", plural(n as u64, "configuration")),
        };
        let table = table(&part.shares, is_ascii);
        format!(
            "what {} depends on, over {configurations}{of}\n{table}{left_out}\n",
            within(metric, 60)
        )
    };
    parts.iter().map(section).chain([EXPLANATION.to_owned()]).collect()
}

fn table(shares: &[Share], is_ascii: bool) -> String {
    let mut rows = vec![["", "alone", "with others", ""].map(str::to_owned).to_vec()];
    for share in shares {
        let percents = |(mean, spread)| format!("{} ± {}", percent(mean), percent(spread));
        rows.push(vec![
            share.name.clone(),
            percents(share.alone),
            percents(share.total),
            bar(share, is_ascii),
        ]);
    }
    let columns = columns(&rows, 4).into_iter().enumerate();
    let columns = columns.map(|(index, it)| if matches!(index, 1 | 2) { it.right() } else { it });
    let table = Table::new(columns.collect(), Some(PIPE)).text(Look::Blank);
    let lines: Vec<&str> = table.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

/// What is explained alone, and then what is explained together with others.
fn bar(share: &Share, is_ascii: bool) -> String {
    let cells = |share: f64| (share * BAR as f64).round() as usize;
    let (alone, total) = (cells(share.alone.0), cells(share.total.0));
    let (full, light) = if is_ascii { ("#", "-") } else { ("█", "░") };
    full.repeat(alone) + &light.repeat(total.saturating_sub(alone))
}

/// An array of parts, each with its shares.
pub fn json(parts: &[Importance]) -> String {
    // Plain values always serialize.
    serde_json::to_string_pretty(&data(parts)).unwrap_or_default() + "\n"
}

/// What is told of all configurations or of a branch, for programs and scripts.
#[derive(Debug, Serialize)]
pub(crate) struct Part<'a> {
    branch: Option<(&'a str, &'a Value)>,
    configurations: usize,
    left_out: usize,
    shares: Vec<OfOne<'a>>,
}

#[derive(Debug, Serialize)]
struct OfOne<'a> {
    name: &'a str,
    alone: f64,
    alone_spread: f64,
    with_others: f64,
    with_others_spread: f64,
}

pub(crate) fn data(parts: &[Importance]) -> Vec<Part<'_>> {
    fn of_one(Share { name, alone, total }: &Share) -> OfOne<'_> {
        OfOne {
            name,
            alone: alone.0,
            alone_spread: alone.1,
            with_others: total.0,
            with_others_spread: total.1,
        }
    }
    fn part(part: &Importance) -> Part<'_> {
        Part {
            branch: part.branch.as_ref().map(|(choice, value)| (choice.as_str(), value)),
            configurations: part.configurations,
            left_out: part.left_out,
            shares: part.shares.iter().map(of_one).collect(),
        }
    }
    parts.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Vec<Importance> {
        let share = |name: &str, alone, total| Share {
            name: name.to_owned(),
            alone: (alone, 0.04),
            total: (total, 0.005),
        };
        let of = |branch, shares| Importance { branch, configurations: 63, left_out: 1, shares };
        let wsd = ("schedule".to_owned(), Value::Text("wsd".to_owned()));
        vec![
            of(None, vec![share("peak", 0.62, 0.8), share("schedule", 0.2, 0.375)]),
            of(Some(wsd), vec![share("cooldown", 1.0, 1.0), share("peak", 0.0, 0.0)]),
        ]
    }

    #[test]
    fn what_matters_is_seen_at_a_glance() {
        insta::assert_snapshot!(text(&parts(), "val_accuracy", false));
        insta::assert_snapshot!(text(&parts()[..1], "val_accuracy", true));
        insta::assert_snapshot!(text(&[], "val_accuracy", true));
        insta::assert_snapshot!(json(&parts()[1..]));
    }
}
