use std::fmt::Write;

use super::*;
use crate::{
    plan::{Lengths, Plan, PlanError, plan},
    spec::{ProgramSpec, Share, read},
};

const HEAD: &str =
    "[sweep]\nname = \"x\"\nobjective = { metric = \"loss\", goal = \"min\" }\n[command]\n";

fn planned(rest: &str) -> Result<Plan, PlanError> {
    let spec = read("x.toml", &format!("{HEAD}{rest}")).map_err(PlanError::Invalid)?;
    let ProgramSpec::Command(command) = &spec.program else { panic!("no command") };
    let program = program(&spec, "digest".to_owned());
    let mut lengths = Lengths::default();
    loop {
        match plan(&spec, &program, &lengths) {
            Err(PlanError::Unmeasured(asked)) => {
                for parameters in asked {
                    lengths.insert(&parameters, length(command, &parameters));
                }
            }
            other => return other,
        }
    }
}

/// What each configuration's program is told, its schedule and its steps.
fn told(rest: &str) -> String {
    let mut text = String::new();
    for configuration in planned(rest).unwrap().configurations {
        let told: Vec<String> =
            configuration.worker.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let schedule = configuration.schedule.map_or("-".to_owned(), |it| it.text.clone());
        let steps = configuration.length.steps;
        writeln!(text, "{} | {schedule} | {steps}", told.join(", ")).unwrap();
    }
    text
}

#[test]
fn a_command_is_told_everything_its_schedule_too() {
    insta::assert_snapshot!(told(
        "run = [\"train\", \"--lr={{ peak }}\"]\nbudget = \"100st\"\nparameters = { model = \"resnet\" }\n[space]\npeak = 0.5\n[space.schedule.constant]\n[space.schedule.cosine]\nwarmup = \"10%\"\n"
    ), @"
    budget = 100st, model = resnet, peak = 0.5, schedule = constant | 0.5: 1 hold | 100
    budget = 100st, model = resnet, peak = 0.5, schedule = cosine, warmup = 10% | 0.5: 0 > 1 linear for 10, 1 > 0 cosine for 90 | 100
    ");
}

#[test]
fn a_budget_may_be_swept_and_is_only_needed_for_a_schedule() {
    insta::assert_snapshot!(told(
        "run = [\"train\", \"{{ budget }}\"]\nsteps_per_epoch = 50\n[space]\nbudget = [\"1ep\", \"200st\"]\n"
    ), @"
    budget = 1ep | - | 50
    budget = 200st | - | 200
    ");
    insta::assert_snapshot!(told("run = [\"train\", \"{{ peak }}\"]\n[space]\npeak = [1, 2]\n"), @"
    peak = 1 | - | 1099511627776
    peak = 2 | - | 1099511627776
    ");
}

#[test]
fn a_command_that_saves_its_state_is_told_the_rates_alone_and_shares_what_is_before_they_differ() {
    let file = "run = [\"train\"]\ncheckpoint = true\nparameters = { momentum = 0.9 }\n[space]\npeak = 0.5\nbudget = [\"200st\", \"400st\"]\n[space.schedule.constant]\n[space.schedule.wsd]\nwarmup = \"0%\"\ncooldown = [\"20%\", \"40%\"]\n";
    insta::assert_snapshot!(told(file), @"
    budget = 200st, momentum = 0.9 | 0.5: 1 hold | 200
    budget = 400st, momentum = 0.9 | 0.5: 1 hold | 400
    budget = 200st, momentum = 0.9 | 0.5: 1 hold for 160, 1 > 0 1-sqrt for 40 | 200
    budget = 200st, momentum = 0.9 | 0.5: 1 hold for 120, 1 > 0 1-sqrt for 80 | 200
    budget = 400st, momentum = 0.9 | 0.5: 1 hold for 320, 1 > 0 1-sqrt for 80 | 400
    budget = 400st, momentum = 0.9 | 0.5: 1 hold for 240, 1 > 0 1-sqrt for 160 | 400
    ");
    let plan = planned(file).unwrap();
    let stages = |file: &str| {
        let tree = planned(file).unwrap().tree(&std::iter::empty().collect());
        let stages = tree.stages.iter().map(|it| (it.stage.first, it.stage.end, it.trials));
        stages.collect::<Vec<_>>()
    };
    assert_eq!(plan.share, Share::Yes);
    insta::assert_debug_snapshot!(stages(file), @"
    [
        (
            0,
            120,
            6,
        ),
        (
            120,
            199,
            4,
        ),
        (
            199,
            400,
            1,
        ),
        (
            199,
            320,
            2,
        ),
        (
            320,
            400,
            1,
        ),
        (
            320,
            400,
            1,
        ),
        (
            199,
            200,
            1,
        ),
        (
            120,
            200,
            1,
        ),
        (
            120,
            200,
            1,
        ),
    ]
    ");
    // Without it, or of other parameters, every trial is one stage.
    assert_eq!(stages(&file.replace("checkpoint = true\n", "")).len(), 6);
    let two = file.replace("{ momentum = 0.9 }\n[space]", "{}\n[space]\nmomentum = [0.5, 0.9]");
    assert_eq!(stages(&two).len(), 2 * stages(file).len());
}

#[test]
fn the_argument_list_is_part_of_what_is_run() {
    let key = |run: &str| {
        let plan = planned(&format!("run = {run}\n[space]\nx = 1\n")).unwrap();
        plan.trials[0].key
    };
    assert_eq!(key("[\"a\", \"{{ x }}\"]"), key("[\"a\", \"{{ x }}\"] # again"));
    assert_ne!(key("[\"a\", \"{{ x }}\"]"), key("[\"a\", \"-v\", \"{{ x }}\"]"));
}

#[test]
fn what_a_command_cannot_be_is_said_with_its_place() {
    let files = [
        "run = [\"train\", \"{{ lr }}\"]\n[space]\npeak = 1\n",
        "run = [\"train\", \"{{ PLEACH_SCHEDULE }}\"]\n[space]\npeak = 1\n",
        "run = [\"train\", \"{{ warmup }}\"]\nbudget = \"9st\"\nparameters = { peak = 1 }\n[space.schedule.cosine]\nwarmup = \"5%\"\n[space.schedule.constant]\n",
        "run = [\"train\"]\n[space]\npeak = 1\n[space.schedule.cosine]\n",
        "run = [\"train\"]\nbudget = \"5ep\"\n",
        "run = [\"train\"]\nbudget = \"50%\"\n",
        "run = [\"train\"]\nbudget = 50\n",
        "run = [\"train\"]\nbudget = \"50st\"\n[space]\npeak = 1\n[space.schedule.cosine]\nwarmup = \"2ep\"\n",
        "run = [\"train\"]\nbudget = \"50st\"\n[space]\npeak = 1\n[space.schedule.plateau]\n",
        "run = [\"train\"]\ncheckpoint = true\n[space]\nx = 1\n",
        "run = [\"train\"]\ncheckpoint = 50\n",
        "run = [\"train\", \"{{ peak }}\"]\ncheckpoint = true\nbudget = \"50st\"\n[space]\npeak = 1\n",
        "run = [\"train\", \"{{ budget }}\"]\ncheckpoint = true\nbudget = \"50st\"\n[space]\npeak = 1\n",
        "run = [\"train\", \"{{ PLEACH_STEPS }}\"]\ncheckpoint = true\nbudget = \"50st\"\n[space]\npeak = 1\n",
    ];
    let text = |file: &&str| match planned(file) {
        Err(PlanError::Invalid(diagnostics)) => format!("{file}\n{diagnostics}\n"),
        _ => format!("{file}\nnothing is wrong\n"),
    };
    let texts: Vec<String> = files.iter().map(text).collect();
    insta::assert_snapshot!(texts.join("--------\n"));
}

/// What is said of a file: its mistakes, or its warnings.
fn said(rest: &str, reading: Reading) -> String {
    let text = match planned(rest) {
        Err(PlanError::Invalid(diagnostics)) => diagnostics.to_string(),
        Err(PlanError::Unmeasured(_)) => unreachable!("all was measured"),
        Ok(plan) => {
            let spec = read("x.toml", &format!("{HEAD}{rest}")).unwrap();
            let ProgramSpec::Command(command) = &spec.program else { panic!("no command") };
            let program = program(&spec, "digest".to_owned());
            let mut lengths = Lengths::default();
            for configuration in &plan.configurations {
                let mut asked = configuration.worker.clone();
                asked.retain(|name, _| name == BUDGET);
                lengths.insert(&asked, length(command, &asked));
            }
            let warnings = crate::plan::warnings(&spec, &program, &lengths, &plan, reading);
            warnings.render_warnings(crate::diagnostic::Color::Plain)
        }
    };
    format!("{rest}\n{}\n--------\n", if text.is_empty() { "nothing is said" } else { &text })
}

#[test]
fn a_key_of_a_schedules_branch_is_an_argument_or_known_elsewhere() {
    let file = |run: &str, rest: &str| {
        said(&format!("run = [\"train\"{run}]\nbudget = \"100st\"\n{rest}"), Reading::Unknown)
    };
    let branch = "[space]\npeak = [1, 2]\n[space.schedule.cosine]\n";
    insta::assert_snapshot!(
        [
            file("", &format!("{branch}warmpu = \"10%\"\n")),
            file("", &format!("{branch}dropout = 0.5\n")),
            file(", \"{{ dropout }}\"", &format!("{branch}dropout = 0.5\n")),
            file("", &format!("parameters = {{ dropout = 0.1 }}\n{branch}dropout = 0.5\n")),
            file("", "[space]\n[space.schedule.a]\nuse = \"torch.OneCycleLR\"\nmax_lr = 1\ntotal_steps = 100\npct_strat = 0.7\n"),
        ]
        .concat()
    );
}

#[test]
fn what_is_probably_not_meant_so_is_a_warning() {
    let lr = |run: &str| format!("run = [\"train\", {run}]\n[space]\nlr = [0.1, 0.2]\n");
    let epochs = |branch: &str| {
        format!(
            "run = [\"train\"]\nbudget = \"3ep\"\nsteps_per_epoch = 938\n[space]\npeak = 0.1\n[space.schedule.a]\n{branch}\n"
        )
    };
    insta::assert_snapshot!(
        [
            said(&lr("\"--lr=${lr}\""), Reading::Unknown),
            said(&lr("\"--lr\", \"$lr\""), Reading::Seen),
            said(&lr("\"--lr={lr}\""), Reading::NotSeen),
            said(&lr("\"--lr=%lr%\", \"<lr>\""), Reading::NotSeen),
            said(&lr("\"--lr={{ lr }}\""), Reading::NotSeen),
            said(&lr("\"--fast\""), Reading::NotSeen),
            said(&lr("\"--fast\""), Reading::Seen),
            said(&lr("\"$PLEACH_PARAMETER_lr\""), Reading::NotSeen),
            said(&epochs("use = \"torch.CosineAnnealingLR\"\nT_max = 3"), Reading::Seen),
            said(
                &epochs("use = \"torch.CosineAnnealingLR\"\nT_max = 3\nper = \"1ep\""),
                Reading::Seen
            ),
            said(&epochs("use = \"torch.StepLR\"\nstep_size = 1"), Reading::Seen),
            said(&epochs("use = \"torch.MultiStepLR\"\nmilestones = [1, 2]"), Reading::Seen),
            said(&epochs("use = \"torch.StepLR\"\nstep_size = 5000"), Reading::Seen),
            said(&epochs("use = \"torch.LinearLR\"\ntotal_iters = 100"), Reading::Seen),
        ]
        .concat()
    );
}

#[test]
fn what_no_program_can_be_told_is_a_mistake() {
    let run = |run: &str, rest: &str| said(&format!("run = [{run}]\n{rest}"), Reading::Unknown);
    insta::assert_snapshot!(
        [
            run("\"--lr=0.1\"", ""),
            run("\"train\", \"a\\u0000b\"", ""),
            run("\"train\", \"{{ x }}\"", "[space]\nx = [\"a\", \"b\\u0000\"]\n"),
            run("\"train\"", "metrics = 'accuracy=(?<accuracy>\\S+)'\n"),
            run("\"train\"", "metrics = '(?<name>\\w+)=(?<value>\\S+)'\n"),
            run("\"train\"", "budget = \"1000000000000st\"\n[space]\npeak = 1\n"),
        ]
        .concat()
    );
}
