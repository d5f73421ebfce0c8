//! Stages below stages, and their trials.

use super::*;

/// Trials of the leaves of a forest, and of every fourth stage. `parents` says of each stage below which earlier one it is, counted from 1, or 0 for
/// none. Stages are numbered from 1 and have ten steps.
pub(super) fn forest(parents: &[u32]) -> Rows {
    beside(parents, 1)
}

/// The same, where trials can be side by side, `most` at a time: those below the even roots, and those below the odd ones.
pub(super) fn beside(parents: &[u32], most: u32) -> Rows {
    let mut rows = bare(parents);
    let company = |trial: &Trial| {
        let shape = Key::of(&(trial.path[0].0 % 2).to_string());
        (1 < most).then_some((trial.id, Lanes { shape, most }))
    };
    rows.lanes = rows.trials.iter().filter_map(company).collect();
    rows
}

fn bare(parents: &[u32]) -> Rows {
    let mut rows = Rows::default();
    let mut paths: Vec<Vec<StageId>> = Vec::new();
    for (index, &parent) in parents.iter().enumerate() {
        let id = StageId(index as u32 + 1);
        let mut path = match parent {
            0 => Vec::new(),
            parent => paths[parent as usize - 1].clone(),
        };
        let first = 10 * path.len() as u64;
        rows.stages.push(StageRow {
            stage: Stage {
                id,
                key: Key::of(&id.0.to_string()),
                parent: path.last().copied(),
                first,
                end: first + 10,
                status: StageStatus::Waiting,
                tally: Tally::default(),
            },
            evaluated: Evaluated::default(),
            digest: String::new(),
            checkpoints: Vec::new(),
        });
        path.push(id);
        paths.push(path);
    }
    let ends = |path: &Vec<StageId>| {
        path.last().is_some_and(|last| !parents.contains(&last.0) || last.0 % 4 == 0)
    };
    for (index, path) in paths.into_iter().filter(ends).enumerate() {
        let id = index as u32 + 1;
        rows.trials.push(Trial {
            id: TrialId(id),
            configuration: ConfigurationId(id),
            seed: 1,
            key: Key::of(&format!("trial {id}")),
            status: TrialStatus::Waiting,
            path,
        });
    }
    rows
}

/// Parents for [`forest`].
pub(super) fn parents() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(any::<u32>(), 1..12).prop_map(|numbers| {
        let parent = |(index, number): (usize, u32)| number % (index as u32 + 1);
        numbers.into_iter().enumerate().map(parent).collect()
    })
}

/// Parents for [`forest`]: many stages below few.
pub(super) fn bushes() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(any::<u32>(), 1..16).prop_map(|numbers| {
        let parent = |(index, number): (usize, u32)| number % (index as u32 + 1).min(3);
        numbers.into_iter().enumerate().map(parent).collect()
    })
}
