use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::plan::{Plan, tests::planned};

/// A line for each stage: where it lies, and how many trials go through it.
fn drawn(tree: &Tree) -> String {
    let mut children: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (index, stage) in tree.stages.iter().enumerate() {
        children.entry(stage.parent).or_default().push(index);
    }
    let mut text = String::new();
    let mut open: Vec<(usize, usize)> = Vec::new();
    let sorted = |parent: Option<usize>, depth: usize| {
        let mut found = children.get(&parent).cloned().unwrap_or_default();
        found.sort_by_key(|&index| {
            let TreeStage { stage, trials, .. } = &tree.stages[index];
            (stage.end, *trials)
        });
        found.into_iter().rev().map(move |index| (index, depth)).collect::<Vec<_>>()
    };
    open.extend(sorted(None, 0));
    while let Some((index, depth)) = open.pop() {
        let TreeStage { stage: NewStage { first, end, .. }, trials, .. } = &tree.stages[index];
        writeln!(text, "{}{first} to {end}: {trials}", "  ".repeat(depth)).unwrap();
        open.extend(sorted(Some(index), depth + 1));
    }
    text
}

fn plan(space: &str) -> Plan {
    // Of 1000 steps.
    planned(&format!("[trainer]\nbatch = 10\n{space}")).unwrap()
}

fn grown(space: &str) -> String {
    let plan = plan(space);
    let tree = plan.tree(&Known::default());
    check(&plan, &tree);
    drawn(&tree)
}

/// Whatever a tree is, its paths are their trials' training, and nothing is shared that is not equal.
fn check(plan: &Plan, tree: &Tree) {
    let mut shared: BTreeMap<Key, &TrialPlan> = BTreeMap::new();
    for (index, trial) in plan.trials.iter().enumerate() {
        let mut reached = 0;
        for stage in tree.path(index) {
            assert_eq!(stage.first, reached);
            assert!(stage.first < stage.end);
            reached = stage.end;
            let other = shared.entry(stage.key).or_insert(trial);
            assert_eq!((other.kin, other.seed), (trial.kin, trial.seed));
            let rates = |trial: &TrialPlan| {
                let found = |it: &&crate::plan::Configuration| it.point == trial.point;
                let configuration = plan.configurations.iter().find(found).unwrap();
                let schedules =
                    configuration.schedule.iter().chain(configuration.profiles.values());
                schedules.flat_map(|it| it.resolved.table(stage.end)).collect::<Vec<_>>()
            };
            let bits = |rates: Vec<f64>| rates.into_iter().map(f64::to_bits).collect::<Vec<_>>();
            assert_eq!(bits(rates(other)), bits(rates(trial)), "until {}", stage.end);
        }
        assert_eq!(reached, trial.course.steps());
    }
}

#[test]
fn trials_part_where_any_parameter_that_follows_a_schedule_does() {
    insta::assert_snapshot!(grown("[space]\npeak = 0.1\nmomentum = [\"0.9 hold 50%, > 0.5\", \"0.9 hold 50%, > 0.6\", \"0.9 hold 90%, > 0.6\", 0.9]\n[space.schedule.constant]\n[space.schedule.wsd]\ncooldown = \"20%\""), @"
    0 to 500: 6
      500 to 800: 2
        800 to 1000: 1
        800 to 1000: 1
      500 to 800: 2
        800 to 1000: 1
        800 to 1000: 1
      500 to 800: 2
        800 to 1000: 1
        800 to 1000: 1
    0 to 800: 2
      800 to 1000: 1
      800 to 1000: 1
    ");
}

#[test]
fn cooldowns_branch_off_one_trunk() {
    insta::assert_snapshot!(grown("[space]\npeak = [0.1, 0.2]\n[space.schedule.constant]\n[space.schedule.wsd]\nwarmup = \"5%\"\ncooldown = [\"10%\", \"20%\", \"40%\"]\nshape = [\"linear\", \"1-sqrt\"]"), @"
    0 to 600: 6
      600 to 800: 4
        800 to 900: 2
          900 to 1000: 1
          900 to 1000: 1
        800 to 1000: 1
        800 to 1000: 1
      600 to 1000: 1
      600 to 1000: 1
    0 to 600: 6
      600 to 800: 4
        800 to 900: 2
          900 to 1000: 1
          900 to 1000: 1
        800 to 1000: 1
        800 to 1000: 1
      600 to 1000: 1
      600 to 1000: 1
    0 to 1000: 1
    0 to 1000: 1
    ");
}

#[test]
fn drops_at_different_steps_share_until_the_first() {
    insta::assert_snapshot!(grown("[space.schedule.multistep]\npeak = 0.1\nat = [[\"30%\", \"60%\"], [\"30%\", \"80%\"], [\"60%\", \"80%\"]]\ngamma = [0.1, 0.5]"), @"
    0 to 300: 6
      300 to 600: 2
        600 to 1000: 1
        600 to 1000: 1
      300 to 600: 2
        600 to 1000: 1
        600 to 1000: 1
      300 to 600: 2
        600 to 1000: 1
        600 to 1000: 1
    ");
}

#[test]
fn what_saves_less_than_a_checkpoint_costs_is_not_shared() {
    insta::assert_snapshot!(grown("[space.schedule.multistep]\npeak = 0.1\nat = [[\"12st\"], [\"300st\"], [\"312st\"]]"), @"
    0 to 300: 2
      300 to 1000: 1
      300 to 1000: 1
    0 to 1000: 1
    ");
    insta::assert_snapshot!(grown("[space.schedule.cosine]\npeak = 0.1\nend = [0.0, 0.1, 0.2]"), @"
    0 to 1000: 1
    0 to 1000: 1
    0 to 1000: 1
    ");
}

#[test]
fn trials_of_other_seeds_models_and_numerics_share_nothing() {
    insta::assert_snapshot!(grown("[space]\nmomentum = [0.5, 0.9]\n[space.schedule.multistep]\npeak = 0.1\nat = [[\"50%\"], [\"80%\"]]"), @"
    0 to 500: 2
      500 to 1000: 1
      500 to 1000: 1
    0 to 500: 2
      500 to 1000: 1
      500 to 1000: 1
    ");
}

#[test]
fn new_trials_start_from_what_was_trained() {
    let space = |at: &str| plan(&format!("[space.schedule.multistep]\npeak = 0.1\nat = [{at}]"));
    let before = space("[\"50%\"], [\"80%\"]").tree(&Known::default());
    let known: Known = before.stages.iter().map(|stage| stage.stage).collect();
    let plan = space("[\"50%\"], [\"80%\"], [\"90%\"], [\"50%\", \"70%\"], [\"30%\"]");
    let tree = plan.tree(&known);
    check(&plan, &tree);
    insta::assert_snapshot!(drawn(&tree), @"
    0 to 500: 4
      500 to 1000: 1
      500 to 1000: 1
      500 to 1000: 1
      500 to 1000: 1
    0 to 1000: 1
    ");
    assert_eq!(tree.path(0), before.path(0));
    assert_eq!(tree.path(1), before.path(1));
}

#[test]
fn a_longer_trial_goes_on_from_a_shorter_one() {
    let grown = |rest: &str| {
        grown(&format!("[space]\npeak = 0.1\nbudget = [\"300st\", \"500st\"]\n{rest}"))
    };
    // The longer one is evaluated after step 300, too.
    insta::assert_snapshot!(grown(""), @"
    0 to 300: 2
      300 to 500: 1
    ");
    // It is not.
    insta::assert_snapshot!(grown("eval = \"200st\""), @"
    0 to 299: 2
      299 to 300: 1
      299 to 500: 1
    ");
    // What is a part of the whole is another thing in a longer trial.
    insta::assert_snapshot!(grown("eval = \"20%\""), @"
    0 to 300: 1
    0 to 500: 1
    ");
    insta::assert_snapshot!(grown("[space.schedule.cosine]"), @"
    0 to 300: 1
    0 to 500: 1
    ");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_shared_is_equal_at_every_step(
        milestones in prop::collection::vec(prop::collection::vec(1_u32..100, 1..4), 1..5),
        cooldowns in prop::collection::vec(1_u32..90, 1..4),
        warmup in prop_oneof![Just(0_u32), Just(5)],
        hold in prop_oneof![Just("1st"), Just("7st")],
        begun in any::<u32>(),
    ) {
        let milestones: Vec<String> = milestones
            .iter()
            .map(|at| format!("[{}]", at.iter().map(|at| format!("\"{at}%\"")).collect::<Vec<_>>().join(", ")))
            .collect();
        let cooldowns: Vec<String> = cooldowns.iter().map(|it| format!("\"{it}%\"")).collect();
        let plan = plan(&format!(
            "[space]\npeak = [0.1, 0.2]\nwarmup = \"{warmup}%\"\nhold = \"{hold}\"\n[space.schedule.constant]\n[space.schedule.multistep]\nat = [{}]\ngamma = [0.1, 0.5]\n[space.schedule.wsd]\ncooldown = [{}]\n[space.schedule.cosine]\n[space.schedule.step]\n",
            milestones.join(", "),
            cooldowns.join(", "),
        ));
        let alone: u64 = plan.trials.iter().map(|trial| trial.course.steps()).sum();
        let tree = plan.tree(&Known::default());
        check(&plan, &tree);
        prop_assert!(tree.steps() <= alone);
        // Some of it was begun before: the rest grows from there.
        let known: Known = tree
            .stages
            .iter()
            .enumerate()
            .filter(|(index, _)| begun >> (index % 32) & 1 == 1)
            .map(|(_, stage)| stage.stage)
            .collect();
        let grown = plan.tree(&known);
        check(&plan, &grown);
        prop_assert!(grown.steps() <= alone);
    }
}
