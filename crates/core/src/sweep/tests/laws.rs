//! What holds of every sweep, whatever happens.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_happens_every_trial_ends_and_what_is_done_is_right(
        random in any::<u64>(), parents in parents(), slots in 1_u32..4, diverge in 0_u32..30, lanes in 1_u32..6,
    ) {
        let mut simulation = Simulation::new(beside(&parents, lanes), slots, random, true);
        simulation.world.diverge.insert(StageId(diverge));
        simulation.run();
        prop_assert_eq!(simulation.world.finish.clone(), Some(Finish::Complete));
        let database = &simulation.database;
        for trial in &database.rows.trials {
            prop_assert!(trial.status.is_terminal());
            let diverges = trial.path.contains(&StageId(diverge));
            let impossible = if diverges { TrialStatus::Done } else { TrialStatus::Diverged };
            prop_assert_ne!(trial.status, impossible);
            let leaf = *trial.path.last().unwrap();
            if trial.status == TrialStatus::Done {
                let end = 10 * trial.path.len() as u64;
                prop_assert_eq!(database.objectives[&trial.id], value(leaf, end));
                for &stage in &trial.path {
                    let row = database.rows.stages.iter().find(|row| row.stage.id == stage).unwrap();
                    for step in (row.stage.first + 5..=row.stage.end).step_by(5) {
                        prop_assert_eq!(database.metrics.get(&(stage, step)), Some(&value(stage, step)));
                    }
                }
            }
        }
    }

    #[test]
    fn what_left_a_result_is_never_run_again(
        random in any::<u64>(), parents in parents(), slots in 1_u32..4,
    ) {
        let mut simulation = Simulation::new(forest(&parents), slots, random, true);
        simulation.world.keep = Keep::Results;
        simulation.run();
        prop_assert_eq!(simulation.world.finish.clone(), Some(Finish::Complete));
        let database = &simulation.database;
        for trial in &database.rows.trials {
            let stage = *trial.path.last().unwrap();
            let end = simulation.ends[&stage];
            let left = simulation.world.results.values().any(|(other, _)| *other == stage);
            prop_assert_eq!(trial.status == TrialStatus::Done, left);
            if left {
                prop_assert_eq!(database.objectives[&trial.id], value(stage, end));
                prop_assert_eq!(database.metrics.get(&(stage, end - 5)), Some(&value(stage, end - 5)));
            }
        }
    }

    #[test]
    fn without_faults_each_stage_is_granted_once_and_few_states_wait(
        parents in parents(), slots in 1_u32..5, lanes in 1_u32..6,
    ) {
        let mut simulation = Simulation::new(beside(&parents, lanes), slots, 1, false);
        let depth = simulation.database.rows.trials.iter().map(|trial| trial.path.len()).max().unwrap();
        let mut most = 0;
        while simulation.world.finish.is_none() {
            simulation.turn();
            most = most.max(simulation.world.files.len());
        }
        prop_assert!(simulation.status().iter().all(|status| *status == TrialStatus::Done));
        prop_assert_eq!(simulation.database.granted.len(), simulation.database.rows.stages.len());
        // Three have room in any case; a running stage has two; the others are those above what runs.
        let slots = (slots * lanes) as usize;
        prop_assert!(most <= 3 + slots * (2 + depth - 1), "{} files", most);
        prop_assert!(simulation.world.files.len() <= 3);
    }

    #[test]
    fn states_that_are_lost_are_made_again_and_nothing_is_counted_twice(parents in parents(), slots in 1_u32..4, random in any::<u64>()) {
        let mut simulation = Simulation::new(forest(&parents), slots, random, false);
        for turn in 0.. {
            if simulation.world.finish.is_some() {
                break;
            }
            simulation.turn();
            if turn % 4 == 3 && simulation.world.finish.is_none() {
                simulation.world.processes.clear();
                simulation.world.training.clear();
                simulation.world.events.clear();
                while simulation.world.once_in(2) {
                    simulation.world.files.pop_first();
                }
                simulation.begin();
            }
            prop_assert!(turn < 10_000, "it never ends");
        }
        prop_assert!(simulation.status().iter().all(|status| *status == TrialStatus::Done));
    }

    #[test]
    fn states_that_are_damaged_are_made_again_and_nothing_fails_for_it(
        parents in bushes(), slots in 1_u32..4, random in any::<u64>(),
        damaged_at in prop::collection::btree_set(0_u32..40, 0..4),
    ) {
        let mut simulation = Simulation::new(forest(&parents), slots, random, false);
        for turn in 0.. {
            if simulation.world.finish.is_some() {
                break;
            }
            simulation.turn();
            if damaged_at.contains(&turn) {
                simulation.world.damage();
            }
            prop_assert!(turn < 10_000, "it never ends");
        }
        prop_assert!(simulation.status().iter().all(|status| *status == TrialStatus::Done));
        for trial in &simulation.database.rows.trials {
            for &stage in &trial.path {
                for step in [5, 10] {
                    let step = simulation.ends[&stage] - 10 + step;
                    prop_assert_eq!(simulation.database.metrics.get(&(stage, step)), Some(&value(stage, step)));
                }
            }
        }
    }

    #[test]
    fn no_event_is_too_strange(numbers in prop::collection::vec((0_u8..10, 0_u32..4, 0_u32..6, 0_u64..40), 0..60)) {
        let mut sweep = Sweep::new(settings(2), forest(&[0, 1, 1, 0]));
        let mut database = Database { rows: forest(&[0, 1, 1, 0]), ..Database::default() };
        for (index, (kind, worker, attempt, step)) in numbers.into_iter().enumerate() {
            let (worker, attempt) = (WorkerId(worker), AttemptId(attempt));
            let text = || "../x".to_owned();
            let event = match kind {
                0 => Event::WorkerReady { worker, queue: 3 },
                1 => Event::WorkerDied { worker, how: text(), class: Class::Crash, found: BTreeMap::new() },
                8 => Event::WorkerDied {
                    worker,
                    how: text(),
                    class: Class::OutOfMemory,
                    found: BTreeMap::from([(attempt, Found { metrics: vec![(step, vec![("m".to_owned(), 1.0)])], step, outcome: Outcome::Done, digest: text(), state: Some((text(), 1)), usage: None, warnings: Vec::new() })]),
                },
                2 => Event::Metrics { worker, attempt, step, values: vec![("m".to_owned(), f64::NAN)] },
                3 => Event::Checkpoint { worker, attempt, step, file: text(), digest: text(), bytes: 1 },
                4 => Event::Finished { worker, attempt, step, outcome: Outcome::Done, digest: text() },
                9 => Event::Finished { worker, attempt, step, outcome: Outcome::Unusable(text()), digest: text() },
                5 => Event::Asked(Request::StopTrial(TrialId(attempt.0))),
                6 => Event::WorkerTalkedNonsense { worker, what: text() },
                _ => Event::Tick,
            };
            let decisions = sweep.step(&[event], Moment(index as u64));
            database.commit(&decisions.facts);
        }
    }
}

#[test]
fn a_stop_ends_what_runs_and_a_resume_goes_on_from_there() {
    let mut simulation = Simulation::new(forest(&[0, 1, 1, 1, 0, 0, 0]), 2, 1, false);
    (0..4).for_each(|_| simulation.turn());
    simulation.world.events.push(Event::Asked(Request::Stop));
    simulation.run();
    assert_eq!(simulation.world.finish, Some(Finish::Stopped));
    let before = simulation.database.granted.len();
    assert!(simulation.status().contains(&TrialStatus::Waiting));
    simulation.world.finish = None;
    simulation.begin();
    simulation.run();
    assert_eq!(simulation.world.finish, Some(Finish::Complete));
    assert!(simulation.status().iter().all(|status| *status == TrialStatus::Done));
    assert!(simulation.database.granted.len() <= before + 7, "finished stages are not run again");
}

/// The stages whose checkpoints are there at the end.
fn kept(simulation: &Simulation) -> Vec<u32> {
    let rows = simulation.database.rows.stages.iter();
    rows.filter(|row| !row.checkpoints.is_empty()).map(|row| row.stage.id.0).collect()
}

#[test]
fn checkpoints_at_the_end_are_kept_within_a_budget_the_best_first() {
    // Six of 300 bytes, room for three: those of the highest objective, the latest stages.
    let mut simulation = Simulation::new(forest(&[0; 6]), 1, 1, false);
    simulation.run();
    assert_eq!(kept(&simulation), [4, 5, 6]);
    assert_eq!(simulation.world.files.len(), 3);
    // A branch point is as good as the best trial that branches off there.
    let mut simulation = Simulation::new(forest(&[0, 0, 1, 2, 1, 2]), 1, 1, false);
    simulation.run();
    assert_eq!(kept(&simulation), [1, 2, 6]);
}
