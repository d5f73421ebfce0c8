//! Ten thousand sweeps in which everything goes wrong, each from a number alone.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

const SEEDS: u64 = 10_000;

/// The only number to be tried: `PLEACH_SEED=17 cargo test -p pleach-core disasters`.
const ONLY: Option<&str> = option_env!("PLEACH_SEED");

/// What must have happened often, or nothing was shown.
const SITUATIONS: [&str; 28] = [
    "a checkpoint is damaged",
    "a checkpoint is gone",
    "a coordinator finds a result that nobody told",
    "a program fails",
    "a worker dies and leaves a result that it told nobody",
    "a worker dies with several stages",
    "a worker says that it has finished while it is being killed",
    "a worker talks nonsense",
    "stages run side by side",
    "the coordinator dies and its commit with it",
    "trials run again while others run",
    "the coordinator dies between its commit and its acts",
    "ended: done",
    "ended: diverged",
    "ended: rebuilt",
    "ended: unusable",
    "ended: lost",
    "user error",
    "no objective",
    "preempted",
    "out of memory",
    "crash",
    "protocol",
    "timeout",
    "stall",
    "infrastructure",
    "a trial is done although others failed",
    "a sweep has a stage that is done and failed ones below it",
];

const OFTEN: u64 = 100;

#[test]
fn ten_thousand_disasters_end_well_and_nothing_rare_is_missing() {
    let only = ONLY.and_then(|seed| seed.parse::<u64>().ok());
    let mut happened = BTreeMap::new();
    for seed in only.map_or(0..SEEDS, |seed| seed..seed + 1) {
        let disaster = catch_unwind(AssertUnwindSafe(|| disaster(seed)));
        let of_this = disaster.unwrap_or_else(|_| {
            panic!(
                "seed {seed}; again with: PLEACH_SEED={seed} cargo test -p pleach-core disasters"
            )
        });
        for (situation, times) in of_this {
            *happened.entry(situation).or_insert(0) += times;
        }
    }
    let rare = |situation: &&&str| happened.get(**situation).copied().unwrap_or(0) < OFTEN;
    let missing: Vec<_> = SITUATIONS.iter().filter(rare).collect();
    assert!(only.is_some() || missing.is_empty(), "too rare: {missing:?} among {happened:#?}");
}

/// A forest, slots, lanes and faults from a number.
fn disaster(seed: u64) -> BTreeMap<&'static str, u64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % n
    };
    let parents: Vec<u32> = (0..=below(12)).map(|index| below(index + 1) as u32).collect();
    let (slots, lanes) = (1 + below(3) as u32, 1 + below(5) as u32);
    let is_durable = below(3) == 0;
    let rows = if is_durable { forest(&parents) } else { beside(&parents, lanes) };
    let mut simulation = Simulation::new(rows, slots, below(u64::MAX), true);
    if is_durable {
        simulation.world.keep = Keep::Results;
    }
    simulation.world.diverge.insert(StageId(below(30) as u32));
    simulation.run();
    assert_eq!(simulation.world.finish, Some(Finish::Complete));
    let status = simulation.status();
    assert!(status.iter().all(|status| status.is_terminal()));
    let has = |wanted| status.contains(&wanted);
    if has(TrialStatus::Done) && has(TrialStatus::Failed) {
        simulation.world.note("a trial is done although others failed");
    }
    let rows = &simulation.database.rows;
    let ended = |trial: &Trial, wanted: fn(&StageStatus) -> bool| {
        let stages = rows.stages.iter().filter(|row| trial.path.contains(&row.stage.id));
        stages.map(|row| row.stage.status).any(|status| wanted(&status))
    };
    let both = rows.trials.iter().any(|trial| {
        ended(trial, |status| *status == StageStatus::Done)
            && ended(trial, |status| *status == StageStatus::Failed)
    });
    for trial in &rows.trials {
        let leaf = *trial.path.last().unwrap();
        if trial.status == TrialStatus::Done {
            let objective = simulation.database.objectives[&trial.id];
            assert_eq!(objective, value(leaf, simulation.ends[&leaf]));
        }
    }
    if both {
        simulation.world.note("a sweep has a stage that is done and failed ones below it");
    }
    simulation.world.happened
}
