//! Groups of configurations, each at its best: every schedule at its own best peak.

use std::collections::BTreeMap;

use crate::{
    objective::Goal,
    rank::{Doubt, Ranked, Row, State, rank},
};

/// The best configuration of a group, ranked among the best of the other groups, and what is to be known of the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub best: Ranked,
    /// Configurations of the group. Groups with more of them have had more luck to choose from.
    pub tried: u32,
    /// Those that cannot be told from its best, itself among them: how wide the good range is. `None` without two
    /// seeds.
    pub as_good: Option<u32>,
    /// Those of which a seed diverged.
    pub diverged: u32,
}

/// Puts together the configurations that have equal values of the parameters of these names (or equally lack them), and
/// ranks the best of each group.
pub fn groups(rows: &[Row], names: &[String], goal: Goal) -> Vec<Group> {
    let mut groups: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows {
        let values: Vec<_> = names.iter().map(|name| row.parameters.get(name)).collect();
        // Parameters always serialize; equal texts are equal values.
        let key = serde_json::to_string(&values).unwrap_or_default();
        groups.entry(key).or_default().push(row.clone());
    }
    let mut of_best = BTreeMap::new();
    let mut bests = Vec::new();
    for rows in groups.into_values() {
        let board = rank(rows, goal);
        let tried = board.len() as u32;
        let is_diverged = |ranked: &&Ranked| matches!(ranked.state, State::Diverged(_));
        let diverged = board.iter().filter(is_diverged).count() as u32;
        let as_good =
            Doubt::new(&board.iter().collect::<Vec<_>>(), goal).places(0).map(|places| places.last);
        let Some(best) = board.into_iter().next() else { continue };
        of_best.insert(best.row.configuration, (tried, as_good, diverged));
        bests.push(best.row);
    }
    let ranked = rank(bests, goal).into_iter();
    let group = |best: Ranked| {
        let (tried, as_good, diverged) = *of_best.get(&best.row.configuration)?;
        Some(Group { best, tried, as_good, diverged })
    };
    ranked.filter_map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rank::tests::{done, row},
        value::Value,
    };

    fn of(schedule: &str, row: Row) -> Row {
        let parameters = [("schedule".to_owned(), Value::Text(schedule.to_owned()))];
        Row { parameters: parameters.into(), ..row }
    }

    #[test]
    fn each_group_is_shown_at_its_best() {
        let diverged = (crate::life::TrialStatus::Diverged, None);
        let rows = vec![
            of("cosine", done(1, &[5.0, 5.1, 5.2])),
            of("cosine", done(2, &[9.0, 9.1, 9.2])),
            of("cosine", done(3, &[9.1, 9.0, 9.1])),
            of("constant", done(4, &[7.0, 7.1, 7.2])),
            of("constant", row(5, &[diverged, diverged, diverged])),
        ];
        let groups = groups(&rows, &["schedule".to_owned()], Goal::Max);
        let shown: Vec<_> = groups
            .iter()
            .map(|group| {
                let Group { best, tried, as_good, diverged } = group;
                (best.row.configuration.0, best.rank, *tried, *as_good, *diverged)
            })
            .collect();
        assert_eq!(shown, [(2, Some(1), 3, Some(2), 0), (4, Some(2), 2, Some(1), 1)]);
        assert!(groups[1].best.versus_first.is_some());
    }
}
