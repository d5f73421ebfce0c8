//! What is committed is what is loaded.

use super::*;
use crate::Loaded;
use pleach_core::fact::Checkpoint;

/// Commits the facts to a sweep of two trials with a common first stage (stages 1 and 2, 1 and 3).
fn loaded(facts: &[Fact]) -> Loaded {
    let mut store = store(&[trial(0, 7, &["a", "b"]), trial(1, u64::MAX, &["a", "c"])]);
    store.commit(facts, NOW).unwrap();
    store.load().unwrap()
}

#[track_caller]
fn check_stage(facts: &[Fact], status: StageStatus, failures: &[(Class, u32)]) {
    let loaded = loaded(facts);
    let stage = &loaded.stages[0];
    let count = |class| Some((class, stage.tally.of(class))).filter(|(_, times)| 0 < *times);
    let counted: Vec<(Class, u32)> = Class::ALL.into_iter().filter_map(count).collect();
    assert_eq!((stage.status, counted.as_slice()), (status, failures));
}

#[track_caller]
fn check_trial(status: TrialStatus, objective: Option<f64>) {
    let mut store = store(&[trial(0, 7, &["a"])]);
    store.commit(&[trial_is(1, status, objective)], NOW).unwrap();
    assert_eq!(store.load().unwrap().trials[0].status, status);
    let read: crate::column::ObjectiveColumn = store
        .connection
        .query_row("SELECT objective FROM trial_end", [], |row| row.get(0))
        .unwrap();
    assert_eq!(read.0.map(f64::to_bits), objective.map(f64::to_bits));
}

#[test]
fn a_plan_reads_back_with_shared_stages_shared() {
    let loaded = loaded(&[]);
    let paths: Vec<&[StageId]> = loaded.trials.iter().map(|trial| &trial.path[..]).collect();
    assert_eq!(paths, [[StageId(1), StageId(2)], [StageId(1), StageId(3)]]);
    assert_eq!(loaded.trials.iter().map(|trial| trial.seed).collect::<Vec<_>>(), [7, u64::MAX]);
    assert_eq!(loaded.points, BTreeMap::from([(TrialId(1), 0), (TrialId(2), 1)]));
    assert_eq!(loaded.revision, revision());
    assert_eq!(loaded.next_attempt, AttemptId(1));
    let stage = &loaded.stages[2];
    assert_eq!((stage.key, stage.parent), (Key::of("c"), Some(StageId(1))));
    assert_eq!((stage.first, stage.end, stage.status), (10, 20, StageStatus::Waiting));
}

#[test]
fn a_stage_that_is_trained_again_keeps_its_result() {
    let before = [trained(1, 1, 0.5), vec![rebuilding(2, 1)]].concat();
    let again = loaded(&before);
    assert_eq!(again.stages[0].status, StageStatus::Rebuilding(AttemptId(2)));
    let rebuilt = loaded(&[before, vec![ended(2, Ending::Rebuilt)]].concat());
    assert_eq!(rebuilt.stages[0].status, StageStatus::Done);
    assert_eq!(rebuilt.ends, again.ends);
}

#[test]
fn stages_that_were_begun_are_known() {
    let mut store = store(&[trial(0, 7, &["a", "b"]), trial(1, 8, &["c"]), trial(2, 9, &["d"])]);
    let facts = [
        trained(1, 1, 0.5),
        vec![granted(2, 3), ended(2, Ending::Lost), granted(3, 4)],
        vec![Fact::Checkpoint {
            stage: StageId(4),
            checkpoint: Checkpoint {
                attempt: AttemptId(3),
                step: 5,
                file: "5".to_owned(),
                digest: String::new(),
                bytes: 1,
                evaluated: Evaluated::default(),
            },
        }],
    ];
    store.commit(&facts.concat(), NOW).unwrap();
    let keys: Vec<Key> = store.begun().unwrap().iter().map(|stage| stage.key).collect();
    assert_eq!(keys, [Key::of("a"), Key::of("d")]);
}

#[test]
fn a_stage_runs_from_its_grant_to_its_ending() {
    let failed = |attempt, class| {
        let ending = Ending::Failed(class, "no".to_owned());
        let waits = stage(1, StageStatus::Waiting, &[]);
        [granted(attempt, 1), ended(attempt, ending), waits]
    };
    check_stage(&[granted(4, 1)], StageStatus::Running(AttemptId(4)), &[]);
    for class in Class::ALL {
        check_stage(&failed(1, class), StageStatus::Waiting, &[(class, 1)]);
    }
    let lost = [granted(1, 1), ended(1, Ending::Lost), stage(1, StageStatus::Waiting, &[])];
    check_stage(&lost, StageStatus::Waiting, &[]);
    let twice = [failed(1, Class::Crash), failed(2, Class::Error), failed(3, Class::Crash)];
    let counted = [(Class::Error, 1), (Class::Crash, 2)];
    check_stage(&twice.concat(), StageStatus::Waiting, &counted);
    let again = [&twice.concat()[..], &[granted(4, 1)]].concat();
    check_stage(&again, StageStatus::Running(AttemptId(4)), &counted);
    for status in [StageStatus::Done, StageStatus::Diverged, StageStatus::Failed] {
        check_stage(&[stage(1, status, &[])], status, &[]);
    }
}

#[test]
fn a_trial_keeps_its_status_and_every_bit_of_its_number() {
    for objective in
        [None, Some(0.1), Some(-0.0), Some(f64::NAN), Some(f64::NEG_INFINITY), Some(3.0)]
    {
        check_trial(TrialStatus::Done, objective);
    }
    for status in [TrialStatus::Diverged, TrialStatus::Failed, TrialStatus::Stopped] {
        check_trial(status, None);
    }
}

#[test]
fn the_end_of_a_stage_keeps_digest_and_evaluations() {
    for digest in ["", "00ff", "ABCD", "abc", "not hexadecimal"] {
        let evaluated = Evaluated(vec![0.1, -0.0, f64::INFINITY]);
        let facts = [Fact::Stage {
            stage: StageId(2),
            status: StageStatus::Done,
            digest: digest.to_owned(),
            evaluated: evaluated.clone(),
        }];
        let ends = loaded(&facts).ends;
        assert_eq!(
            ends,
            BTreeMap::from([(
                StageId(2),
                crate::StageEnd { digest: digest.to_owned(), evaluated },
            )])
        );
    }
}

#[test]
fn a_checkpoint_is_there_until_it_is_forgotten() {
    let checkpoint = |step| Checkpoint {
        bytes: 1000,
        attempt: AttemptId(1),
        step,
        file: format!("{step}.safetensors"),
        digest: "00".to_owned(),
        evaluated: Evaluated(vec![1.5]),
    };
    let keep = |step| Fact::Checkpoint { stage: StageId(1), checkpoint: checkpoint(step) };
    let mut facts = vec![granted(1, 1), keep(7), keep(3), keep(3)];
    let all = BTreeMap::from([(StageId(1), vec![checkpoint(3), checkpoint(7)])]);
    assert_eq!(loaded(&facts).checkpoints, all);
    facts.push(Fact::Forgotten { stage: StageId(1), step: 3 });
    assert_eq!(loaded(&facts).checkpoints, BTreeMap::from([(StageId(1), vec![checkpoint(7)])]));
}
