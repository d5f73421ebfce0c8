//! What became of the best configurations with seeds that had no part in choosing them.

use crate::{
    format::{decimals, signed, with_spread},
    table::{Look, PIPE, Table, columns},
};
use pleach_core::{
    plain::plain,
    rank::{Ranked, State, differing},
    statistics::mean,
    value::Parameters,
};

/// Each of the retested configurations, best first, beside what it was chosen by. Configurations are the same if their
/// parameters are.
pub fn table(chosen: &[Ranked], retested: &[Ranked], metric: &str) -> String {
    let parameters: Vec<&Parameters> = chosen.iter().map(|ranked| &ranked.row.parameters).collect();
    let names = differing(&parameters);
    let mut rows = Vec::new();
    let mut header = vec!["#".to_owned()];
    header.extend(names.iter().cloned());
    header.extend(["was #", "chosen at", "retested at", "change"].map(str::to_owned));
    rows.push(header);
    let mut changes = Vec::new();
    for ranked in retested {
        let Some(before) =
            chosen.iter().find(|before| before.row.parameters == ranked.row.parameters)
        else {
            continue;
        };
        let mut record = vec![rank(ranked)];
        let parameter = |name: &String| ranked.row.parameters.get(name).map(ToString::to_string);
        record.extend(names.iter().map(|name| parameter(name).unwrap_or_default()));
        let value = |of: &Ranked| of.mean.map(|mean| with_spread(mean, of.spread));
        let change = match (before.mean, ranked.mean, ranked.state) {
            (Some(before), Some(after), State::Done) => {
                changes.push(after - before);
                signed(after - before, decimals(ranked.spread))
            }
            _ => String::new(),
        };
        record.extend([rank(before), value(before).unwrap_or_default()]);
        record.extend([value(ranked).unwrap_or_default(), change]);
        rows.push(record);
    }
    let mut columns = columns(&rows, 1 + names.len() + 4);
    if !columns.is_empty() {
        columns[0] = columns[0].clone().right();
    }
    let table = Table::new(columns, Some(PIPE)).text(Look::Rounded);
    let verdict = mean(&changes).map_or(String::new(), |change| {
        let change = signed(change, decimals(deviation_of(retested)));
        format!(
            "{} changed by {change} on average: what the choice had flattered, and luck\n",
            plain(metric)
        )
    });
    format!("{table}{verdict}")
}

fn rank(ranked: &Ranked) -> String {
    ranked.rank.map_or(String::new(), |rank| rank.to_string())
}

fn deviation_of(ranked: &[Ranked]) -> Option<f64> {
    ranked.iter().find_map(|ranked| ranked.spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::tests::board;

    #[test]
    fn the_best_are_shown_beside_what_they_were_chosen_by() {
        let chosen = board(&[
            (0.1, 1, &[0.975, 0.977, 0.979]),
            (0.2, 1, &[0.971, 0.974, 0.976]),
            (0.3, 1, &[0.96, 0.961, 0.962]),
        ]);
        let mut retested = board(&[
            (0.1, 4, &[0.970, 0.972, 0.971]),
            (0.2, 4, &[0.972, 0.973, 0.974]),
            (0.3, 4, &[0.955, 0.961, 0.9]),
        ]);
        insta::assert_snapshot!(table(&chosen, &retested, "val_accuracy"));
        retested[0].state = State::Failed(1);
        retested[0].rank = None;
        insta::assert_snapshot!(table(&chosen, &retested[..1], "val_accuracy"));
    }
}
