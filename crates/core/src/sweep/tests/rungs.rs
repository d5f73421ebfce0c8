//! Verdicts are the same whatever happens between, and nobody is trained beyond one that is still to come.

use super::*;
use crate::{
    life::ConfigurationId,
    stop::{Lot, Rungs, Saying, Verdict},
};

/// Configurations of so many of the trials each, judged at the end of every stage that is not the last of one of them.
/// Their numbers follow the trials' in another order, which `mix` decides; those of equal parity are compared.
fn judged(mut rows: Rows, seeds: u32, mix: u64) -> Rows {
    let configurations = (rows.trials.len() as u32).div_ceil(seeds);
    let mut numbers: Vec<u32> = (1..=configurations).collect();
    numbers.sort_by_key(|number| (u64::from(*number).wrapping_mul(mix | 1) >> 7) % 17);
    let mut shortest: BTreeMap<ConfigurationId, usize> = BTreeMap::new();
    for (index, trial) in rows.trials.iter_mut().enumerate() {
        trial.configuration = ConfigurationId(numbers[index / seeds as usize]);
        let shortest = shortest.entry(trial.configuration).or_insert(usize::MAX);
        *shortest = trial.path.len().min(*shortest);
    }
    for (configuration, stages) in shortest {
        let steps: Vec<u64> = (1..stages as u64).map(|stage| 10 * stage).collect();
        let company = Key::of(&(configuration.0 % 2).to_string());
        if !steps.is_empty() {
            rows.record.rungs.insert(configuration, Rungs { steps, company, cut: true });
            // Some are judged in the order of their numbers, as in a sweep that an older version began.
            if !mix.is_multiple_of(3) {
                let (era, draw) = (1 + configuration.0 / 5, format!("{mix} {configuration:?}"));
                rows.record.lots.insert(configuration, Lot::draw(era, &draw));
            }
        }
    }
    rows
}

/// What must have been said, told slowly and from the end alone.
fn expected(rows: &Rows) -> BTreeMap<(ConfigurationId, u64), (u64, u64, Saying)> {
    let mut said: BTreeMap<(ConfigurationId, u64), (u64, u64, Saying)> = BTreeMap::new();
    let status = |id: StageId| rows.stages[id.0 as usize - 1].stage.status;
    for step in (1..20).map(|stage| 10 * stage) {
        let mut seen: Vec<(Key, f64)> = Vec::new();
        let mut judged: Vec<_> = rows.record.rungs.iter().collect();
        judged.sort_by_key(|(configuration, _)| rows.record.order(**configuration));
        for (&configuration, rungs) in judged {
            let stops = said.range((configuration, 0)..(configuration, step));
            let mut stops = stops.map(|(_, (.., saying))| *saying);
            if !rungs.steps.contains(&step) || stops.any(|saying| saying == Saying::Stop) {
                continue;
            }
            let trials = rows.trials.iter().filter(|it| it.configuration == configuration);
            let (mut values, mut any_diverged) = (Vec::new(), false);
            for trial in trials {
                let until = &trial.path[..(step / 10) as usize];
                any_diverged |= until.iter().any(|id| status(*id) == StageStatus::Diverged);
                if until.iter().all(|id| status(*id) == StageStatus::Done) {
                    values.push(value(*until.last().unwrap(), step));
                }
            }
            if values.is_empty() && !any_diverged {
                continue;
            }
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let mean = if any_diverged { f64::NEG_INFINITY } else { mean };
            seen.push((rungs.company, mean));
            let others: Vec<f64> =
                seen.iter().filter(|it| it.0 == rungs.company).map(|it| it.1).collect();
            let place = 1 + others.iter().filter(|other| mean < **other).count();
            let kept = if others.len() <= 2 { others.len() } else { others.len().div_ceil(2) };
            let saying = if place <= kept { Saying::GoOn } else { Saying::Stop };
            if !values.is_empty() {
                let verdict = (place as u64, others.len() as u64, saying);
                said.insert((configuration, step), verdict);
            }
        }
    }
    said
}

fn said(verdicts: &[Verdict]) -> BTreeMap<(ConfigurationId, u64), (u64, u64, Saying)> {
    let said = |it: &Verdict| ((it.configuration, it.step), (it.place, it.of, it.saying));
    verdicts.iter().map(said).collect()
}

/// A run of this to its end, without retries; nobody goes on without a verdict.
fn run(rows: Rows, slots: u32, random: u64, faults: bool, diverge: u32) -> Simulation {
    let mut simulation = Simulation::new(rows, slots, random, faults);
    simulation.world.diverge.insert(StageId(diverge));
    // As many as there can be.
    simulation.database.renewals = 10;
    for turn in 0.. {
        simulation.turn();
        let rows = &simulation.database.rows;
        for stage in &simulation.world.training {
            let first = rows.stages[stage.0 as usize - 1].stage.first;
            let may = |trial: &Trial| {
                let rungs = rows.record.rungs.get(&trial.configuration);
                let before = rungs.into_iter().flat_map(|it| &it.steps).filter(|it| **it <= first);
                let verdicts = said(&rows.record.verdicts);
                before.map(|step| (trial.configuration, *step)).all(|it| verdicts.contains_key(&it))
            };
            let mut trials = rows.trials.iter().filter(|trial| trial.path.contains(stage));
            assert!(trials.any(may), "stage {} runs unjudged", stage.0);
        }
        if simulation.world.finish.is_some() {
            break;
        }
        assert!(turn < 100_000, "it never ends");
    }
    simulation
}

#[test]
fn verdicts_are_the_same_in_thousands_of_disasters() {
    let (mut stopped, mut undisturbed) = (0, 0);
    for seed in 1..3000_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |n: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % n
        };
        let parents: Vec<u32> =
            (0..4 + below(14)).map(|index| below((index + 1).min(9)) as u32).collect();
        let (slots, lanes) = (1 + below(3) as u32, 1 + below(4) as u32);
        let (seeds, mix) = (1 + below(2) as u32, below(u64::MAX));
        let (diverge, random) = (below(30) as u32, below(u64::MAX));
        let rows = judged(beside(&parents, lanes), seeds, mix);
        if seed % 4 == 0 {
            // Retries are a person's, who decides when.
            let mut retried = Simulation::new(rows, slots, random, true);
            retried.run();
            assert_eq!(retried.world.finish, Some(Finish::Complete), "seed {seed}");
            assert!(retried.status().iter().all(|status| status.is_terminal()));
            continue;
        }
        let calm = run(rows.clone(), 1, 1, false, diverge);
        let wild = run(rows, slots, random, true, diverge);
        for simulation in [&calm, &wild] {
            assert_eq!(simulation.world.finish, Some(Finish::Complete), "seed {seed}");
            assert!(simulation.status().iter().all(|status| status.is_terminal()));
            let rows = &simulation.database.rows;
            let said = said(&rows.record.verdicts);
            assert_eq!(said, expected(rows), "seed {seed}");
            for trial in &rows.trials {
                let rungs = (trial.configuration, 0)..(trial.configuration, u64::MAX);
                let is_stopped = said.range(rungs).any(|(_, (.., it))| *it == Saying::Stop);
                assert!(is_stopped || trial.status != TrialStatus::Stopped, "seed {seed}");
                assert!(!is_stopped || trial.status != TrialStatus::Done, "seed {seed}");
                stopped += u32::from(is_stopped);
            }
        }
        if !wild.status().contains(&TrialStatus::Failed) {
            undisturbed += 1;
            assert_eq!(wild.status(), calm.status(), "seed {seed}");
            let verdicts = |it: &Simulation| said(&it.database.rows.record.verdicts);
            assert_eq!(verdicts(&wild), verdicts(&calm), "seed {seed}");
        }
    }
    assert!(500 < stopped && 1000 < undisturbed, "{stopped} stopped, {undisturbed} as if nothing");
}

/// Six trials of one stage, judged by what they have measured after 5 of 10 steps. Later ones are better here, so they are
/// numbered backwards.
fn programs() -> Rows {
    let mut rows = forest(&[0; 6]);
    for trial in &mut rows.trials {
        trial.configuration = ConfigurationId(7 - trial.id.0);
        let rungs = Rungs { steps: vec![5], company: Key::of("all"), cut: false };
        rows.record.rungs.insert(trial.configuration, rungs);
    }
    rows
}

#[test]
fn who_cannot_stop_at_a_rung_runs_until_its_verdict_arrives() {
    let mut simulation = Simulation::new(programs(), 6, 1, false);
    simulation.run();
    let verdicts = said(&simulation.database.rows.record.verdicts);
    let stops: Vec<u32> =
        verdicts.iter().filter(|it| it.1.2 == Saying::Stop).map(|it| it.0.0.0).collect();
    assert_eq!(stops, [3, 4, 5, 6], "all but the first two are worse than half");
    let (done, stopped) = (TrialStatus::Done, TrialStatus::Stopped);
    assert_eq!(simulation.status(), [stopped, stopped, stopped, stopped, done, done]);
    assert_eq!(simulation.database.rows.record.reached.len(), 6);
}

#[test]
fn what_was_judged_is_not_judged_again() {
    let mut rows = judged(forest(&[0, 0, 0, 1, 2, 3]), 1, 1);
    let stop = Verdict {
        configuration: ConfigurationId(3),
        step: 10,
        value: Some(1.0),
        place: 9,
        of: 9,
        kept: 1,
        saying: Saying::Stop,
    };
    // A person has it run again.
    rows.record.verdicts.push(stop);
    let simulation = run(rows, 1, 1, false, 99);
    assert!(simulation.status().iter().all(|status| *status == TrialStatus::Done));
}

#[test]
fn a_trial_waits_for_those_that_are_judged_before_it() {
    let rows = judged(forest(&[0, 0, 0, 1, 2, 3]), 1, 0);
    let rows = Rows { record: rows.record.clone(), ..forest(&[0, 0, 0, 1, 2, 3]) };
    let mut rows = rows;
    for rungs in rows.record.rungs.values_mut() {
        rungs.company = Key::of("all");
    }
    let done = &mut rows.stages[1];
    done.stage.status = StageStatus::Done;
    done.evaluated = Evaluated(vec![1.0]);
    let wait = |trial| wait(settings(1).objective, rows.clone(), TrialId(trial));
    let on = Some(ConfigurationId(1));
    assert_eq!(wait(2), Some(Wait::Verdict { step: 10, on }));
    assert_eq!(wait(1), Some(Wait::Turn { stage: StageId(1), ahead: 0 }));
}
