//! Whether the best configuration stands at the edge of what was tried: then better ones may lie beyond it.

use crate::{
    rank::{Ranked, State},
    value::Value,
};

/// Fewer different values have no inside.
const LEAST_VALUES: usize = 3;

/// A number of the first configuration that is the lowest or the highest of those tried in its branch.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    pub name: String,
    pub value: Value,
    pub side: Side,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Lowest,
    Highest,
}

/// The numbers of the first configuration that are at an edge, by name. Its branch is what has the same texts (choices
/// are texts, and what they bring along); at least three different numbers must have been tried there.
pub fn edges(board: &[Ranked]) -> Vec<Edge> {
    let Some(first) = board.first().filter(|first| first.state == State::Done) else {
        return Vec::new();
    };
    let texts = |ranked: &Ranked| -> Vec<(String, Value)> {
        let parameters = ranked.row.parameters.iter();
        let texts = parameters.filter(|(_, value)| matches!(value, Value::Text(_)));
        texts.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let branch = texts(first);
    let peers: Vec<&Ranked> = board.iter().filter(|ranked| texts(ranked) == branch).collect();
    let edge = |(name, value): (&String, &Value)| {
        let number = value.number()?;
        let mut tried: Vec<f64> =
            peers.iter().filter_map(|peer| peer.row.parameters.get(name)?.number()).collect();
        tried.sort_by(f64::total_cmp);
        tried.dedup();
        let side = match (tried.first() == Some(&number), tried.last() == Some(&number)) {
            _ if tried.len() < LEAST_VALUES => return None,
            (true, _) => Side::Lowest,
            (_, true) => Side::Highest,
            _ => return None,
        };
        Some(Edge { name: name.clone(), value: value.clone(), side })
    };
    first.row.parameters.iter().filter_map(edge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objective::Goal,
        rank::{Row, rank, tests::done},
    };

    fn row(number: u32, schedule: &str, peak: f64, value: f64) -> Row {
        let parameters = [
            ("schedule".to_owned(), Value::Text(schedule.to_owned())),
            ("peak".to_owned(), Value::Float(peak)),
        ];
        Row { parameters: parameters.into(), ..done(number, &[value]) }
    }

    #[track_caller]
    fn check(values: [f64; 3], expected: Option<Side>) {
        let mut rows = vec![row(9, "constant", 100.0, 0.0)];
        rows.extend(
            (1..)
                .zip([0.01, 0.1, 1.0])
                .map(|(number, peak)| row(number, "cosine", peak, values[number as usize - 1])),
        );
        let edges = edges(&rank(rows, Goal::Max));
        assert_eq!(edges.first().map(|edge| edge.side), expected);
    }

    #[test]
    fn the_best_is_at_an_edge_or_between() {
        check([1.0, 2.0, 3.0], Some(Side::Highest));
        check([3.0, 2.0, 1.0], Some(Side::Lowest));
        check([1.0, 3.0, 2.0], None);
    }

    #[test]
    fn two_values_have_no_inside() {
        let rows = vec![row(1, "cosine", 0.1, 1.0), row(2, "cosine", 1.0, 2.0)];
        assert_eq!(edges(&rank(rows, Goal::Max)), []);
        assert_eq!(edges(&[]), []);
    }
}
