//! What a careful experimenter would say below a board.

use pleach_core::{
    objective::Objective,
    rank::{Doubt, Group, Ranked, Side, State, Tried},
};

use crate::format::plural;

/// With fewer seeds ranks are luck as much as merit.
const FEW_SEEDS: u32 = 3;

/// Nobody runs more.
const MANY_SEEDS: u32 = 100;

/// Of a board of so many configurations, which begins with this one.
pub(super) fn of_all(
    first: Option<&Ranked>,
    configurations: usize,
    doubt: &Doubt,
    tried: &Tried,
    objective: &Objective,
) -> Vec<String> {
    let Some(first) = first.filter(|first| first.state == State::Done) else {
        return Vec::new();
    };
    let needed = doubt.seeds_needed().filter(|_| 1 < configurations);
    let mut notes = Vec::new();
    if let Some(needed) = needed {
        let seeds = match needed {
            ..=MANY_SEEDS => format!("about {}", plural(u64::from(needed), "more seed")),
            _ => format!("more than {MANY_SEEDS} more seeds"),
        };
        notes.push(format!("{seeds} would tell the first two apart"));
    }
    if first.seeds_total < FEW_SEEDS && 1 < configurations {
        notes.push(format!(
            "with {} a rank is luck as much as merit: three tell more (`seeds = [1, 2, 3]`)",
            plural(u64::from(first.seeds_total), "seed")
        ));
    }
    for edge in tried.edges(first) {
        if is_repeat(&edge.name) {
            notes.push(format!(
                "`{}` repeats a configuration and does not change it: list its values as `seeds`, and configurations are compared seed by seed",
                edge.name
            ));
            continue;
        }
        let (which, beyond) = match edge.side {
            Side::Lowest => ("lowest", "below"),
            Side::Highest => ("highest", "above"),
        };
        notes.push(format!(
            "the best has the {which} {} tried ({}): better ones may lie {beyond}",
            edge.name, edge.value
        ));
    }
    if objective.metric.starts_with("test_") {
        notes.push(format!(
            "chosen by {}: the winner's own value there flatters it; hold images out with `valid` and choose by them",
            objective.metric
        ));
    }
    notes
}

/// Whether a parameter counts repeats, as far as its name tells: no value of it is better than another.
fn is_repeat(name: &str) -> bool {
    let last = name.rsplit(['_', '-', '.']).next().unwrap_or(name);
    ["seed", "fold", "rep", "repeat", "replicate", "trial", "run"].contains(&last)
}

pub(super) fn of_groups(groups: &[Group]) -> Vec<String> {
    let mut notes = vec![
        "each at its best; `as good`: configurations of the group that cannot be told from it"
            .to_owned(),
    ];
    let tried = groups.iter().map(|group| group.tried);
    if let (Some(least), Some(most)) = (tried.clone().min(), tried.max())
        && least < most
    {
        notes.push(format!(
            "from {least} to {} were tried: who had more had more luck to choose from",
            plural(u64::from(most), "configuration")
        ));
    }
    for group in groups.iter().filter(|group| 0 < group.diverged) {
        let name = group.best.row.parameters.get("schedule");
        let name = name.map_or(
            format!("group of configuration {}", group.best.row.configuration.0),
            ToString::to_string,
        );
        notes.push(format!("{name}: {} of {} diverged", group.diverged, group.tried));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::is_repeat;

    #[test]
    fn repeats_are_known_by_their_names() {
        for name in ["seed", "data_seed", "fold", "replicate", "cv.fold"] {
            assert!(is_repeat(name), "{name}");
        }
        for name in ["peak", "seeds_per_batch", "folding", "runtime"] {
            assert!(!is_repeat(name), "{name}");
        }
    }
}
