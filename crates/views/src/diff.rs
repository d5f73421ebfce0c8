//! Two leaderboards beside each other: what both have is compared seed by seed.

use std::collections::BTreeMap;

use crate::{
    board::state,
    format::{decimals, number, plural, signed, with_spread},
    table::{Look, PIPE, Table},
};
use pleach_core::{
    rank::{Distinction, Ranked, difference, differing},
    value::Parameters,
};

/// A board under the name of its sweep.
pub struct Named<'a> {
    pub name: &'a str,
    pub board: &'a [Ranked],
}

/// Configurations are the same if their parameters are. In the order of the second board; what only one of them has is
/// counted.
pub fn text(before: &Named, after: &Named) -> String {
    let all = || before.board.iter().chain(after.board);
    let columns = differing(&all().map(|ranked| &ranked.row.parameters).collect::<Vec<_>>());
    let key = |parameters: &Parameters| serde_json::to_string(parameters).unwrap_or_default();
    let mut old: BTreeMap<String, &Ranked> =
        before.board.iter().map(|ranked| (key(&ranked.row.parameters), ranked)).collect();
    let mut rows = Vec::new();
    let mut header = vec![format!("# {}", before.name), format!("# {}", after.name)];
    header.extend(columns.iter().cloned());
    header.extend([before.name.to_owned(), after.name.to_owned(), "difference".to_owned()]);
    rows.push(header);
    let mut common = 0;
    let mut added = 0;
    for new in after.board {
        let Some(old) = old.remove(&key(&new.row.parameters)) else {
            added += 1;
            continue;
        };
        common += 1;
        let mut record = vec![rank(old), rank(new)];
        let parameter = |name: &String| new.row.parameters.get(name).map(ToString::to_string);
        record.extend(columns.iter().map(|name| parameter(name).unwrap_or_default()));
        record.extend([value(old), value(new), changed(old, new)]);
        rows.push(record);
    }
    let mut text = String::new();
    if 0 < common {
        let number = rows[0].len();
        // The ranks and the comparison stay; parameters make room.
        let columns = crate::table::columns(&rows, number).into_iter().enumerate();
        let columns = columns.map(|(index, column)| match index {
            0 | 1 => column.right(),
            _ if index < number - 3 => column.cut(1, 20).cut(2, 10).until(3),
            _ => column,
        });
        let table = Table::new(columns.collect(), Some(PIPE));
        text = format!(
            "{}{}≈ not distinguishable at 95 %, seed by seed; ± half the 95 % interval\n",
            table.text(Look::Rounded),
            table.left_out("`pleach board --csv` has them")
        );
    }
    let only =
        |n: usize, name: &str| format!("only in {name}: {}\n", plural(n as u64, "configuration"));
    let lines = [(old.len(), before.name), (added, after.name)];
    text.extend(lines.into_iter().filter(|(n, _)| 0 < *n).map(|(n, name)| only(n, name)));
    text
}

fn rank(ranked: &Ranked) -> String {
    ranked.rank.map_or(String::new(), |rank| rank.to_string())
}

fn value(ranked: &Ranked) -> String {
    ranked.mean.map_or_else(|| state(ranked.state), |mean| with_spread(mean, ranked.spread))
}

/// On the seeds that both have; without such, between the means.
fn changed(old: &Ranked, new: &Ranked) -> String {
    let decimals = decimals(new.spread.or(old.spread));
    let Some(versus) = difference(&new.row, &old.row) else {
        let (Some(before), Some(after)) = (old.mean, new.mean) else { return String::new() };
        return format!("{}, other seeds", signed(after - before, decimals));
    };
    let mean = versus.difference;
    match versus.distinction {
        _ if mean == 0.0
            && matches!(versus.distinction, Distinction::Same { low, high } if low == high) =>
        {
            "equal".to_owned()
        }
        Distinction::Unknown => signed(mean, decimals),
        Distinction::Same { low, high } => {
            format!("≈ {} ± {}", signed(mean, decimals), number((high - low) / 2.0, decimals))
        }
        Distinction::Different { low, high } => {
            format!("{} ± {}", signed(mean, decimals), number((high - low) / 2.0, decimals))
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use pleach_core::{
        life::{ConfigurationId, TrialId, TrialStatus},
        objective::Goal,
        rank::{Result, Row},
        value::Value,
    };

    use super::*;

    /// Of each configuration its peak, its first seed, and its results seed by seed.
    pub(crate) fn board(values: &[(f64, u64, &[f64])]) -> Vec<Ranked> {
        let row = |(number, (peak, seed, values)): (u32, &(f64, u64, &[f64]))| Row {
            configuration: ConfigurationId(number),
            parameters: [("peak".to_owned(), Value::Float(*peak))].into(),
            trials: (0..)
                .zip(*values)
                .map(|(n, value)| Result {
                    trial: TrialId(10 * number + n),
                    seed: seed + u64::from(n),
                    status: if value.is_nan() { TrialStatus::Diverged } else { TrialStatus::Done },
                    objective: Some(*value),
                })
                .collect(),
        };
        pleach_core::rank::rank((1..).zip(values).map(row).collect(), Goal::Max)
    }

    #[test]
    fn what_both_have_is_compared() {
        let before = board(&[
            (0.1, 1, &[0.975, 0.977, 0.979]),
            (0.2, 1, &[0.971, 0.974, 0.976]),
            (0.3, 1, &[0.96, 0.961, 0.962]),
            (0.4, 1, &[0.9]),
            (0.5, 1, &[0.8, 0.81]),
            (0.7, 1, &[0.7]),
        ]);
        let after = board(&[
            (0.1, 1, &[0.985, 0.987, 0.988]),
            (0.2, 1, &[0.972, 0.973, 0.974]),
            (0.3, 4, &[0.955, 0.961, 0.95]),
            (0.5, 1, &[0.8, 0.81]),
            (0.6, 1, &[0.5]),
            (0.7, 1, &[f64::NAN]),
        ]);
        let named = |name, board| Named { name, board };
        insta::assert_snapshot!(text(&named("old", &before), &named("new", &after)));
        insta::assert_snapshot!(text(&named("old", &before[..1]), &named("new", &[])));
    }
}
