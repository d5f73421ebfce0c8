use super::*;
use crate::{
    program::{Kind, Parameter, Role, Takes},
    spec::{Extension, read},
    value::Value,
};

pub(super) fn program() -> Program {
    let parameter = |name: &str, kind, default: Value| Parameter {
        name: name.to_owned(),
        kind,
        default: Some(default),
        doc: format!("the {name}"),
        length: matches!(name, "batch" | "budget"),
        only: None,
        per_step: name == "momentum",
        role: None,
    };
    let text = |text: &str| Value::Text(text.to_owned());
    let choices = |choices: &[&str], pattern: Option<&str>| Kind::Text {
        choices: choices.iter().map(|&choice| choice.to_owned()).collect(),
        pattern: pattern.map(str::to_owned),
    };
    let mut momentum =
        parameter("momentum", Kind::Float { min: Some(0.0), max: Some(0.99) }, Value::Float(0.0));
    momentum.only = Some(("optimizer".to_owned(), vec!["sgd".to_owned()]));
    let role = |parameter: Parameter, role| Parameter { role: Some(role), ..parameter };
    Program {
        name: "toy".to_owned(),
        numerics: "toy-1".to_owned(),
        checkpoints: true,
        parameters: vec![
            parameter("batch", Kind::Int { min: Some(1), max: None }, Value::Int(100)),
            role(parameter("budget", Kind::Duration, text("10ep")), Role::Budget),
            role(parameter("eval", Kind::Duration, text("1ep")), Role::Evaluations),
            parameter("model", choices(&["linear"], Some("mlp-H")), text("linear")),
            parameter("optimizer", choices(&["sgd", "adam"], None), text("sgd")),
            momentum,
        ],
        metrics: ["loss", "test_accuracy", "val_accuracy"].map(str::to_owned).to_vec(),
        needs: BTreeMap::from([(
            "val_accuracy".to_owned(),
            Parameters::from_iter([("model".to_owned(), text("mlp-4"))]),
        )]),
        takes: Takes::Listed,
    }
}

/// A program whose data set has 1000 samples.
fn measure(asked: &Parameters) -> Result<Length, Refused> {
    let batch = match asked.get("batch") {
        Some(Value::Int(batch)) => *batch as u64,
        _ => 100,
    };
    if asked.get("model") == Some(&Value::Text("mlp-x".to_owned())) {
        return Err(Refused {
            parameter: Some("model".to_owned()),
            message: "`mlp-x` is no model".to_owned(),
        });
    }
    let steps_per_epoch = 1000_u64.div_ceil(batch);
    let steps = match asked.get("budget") {
        Some(Value::Text(text)) if text.ends_with("st") => {
            text.trim_end_matches("st").parse().unwrap()
        }
        _ => 10 * steps_per_epoch,
    };
    Ok(Length { steps, steps_per_epoch, data: "d".to_owned(), lanes: 1 })
}

pub(super) const HEAD: &str =
    "[sweep]\nname = \"x\"\nobjective = { metric = \"loss\", goal = \"min\" }\n";

pub(super) fn planned(rest: &str) -> Result<Plan, Diagnostics> {
    measured(read("x.toml", &format!("{HEAD}{rest}"))?).map(|(_, _, plan)| plan)
}

/// With the lengths that were needed.
pub(super) fn measured(spec: SweepSpec) -> Result<(SweepSpec, Lengths, Plan), Diagnostics> {
    let mut lengths = Lengths::default();
    loop {
        match plan(&spec, &program(), &lengths) {
            Ok(plan) => return Ok((spec, lengths, plan)),
            Err(PlanError::Invalid(diagnostics)) => return Err(diagnostics),
            Err(PlanError::Unmeasured(asked)) => {
                assert!(!asked.is_empty());
                for asked in asked {
                    assert_eq!(lengths.get(&asked), None, "asked twice");
                    lengths.insert(&asked, measure(&asked));
                }
            }
        }
    }
}

/// A line for each configuration: what is shown, what the worker is told, its schedule.
fn lines(rest: &str) -> String {
    let plan = planned(rest).unwrap();
    let line = |configuration: &Configuration| {
        let pairs = |parameters: &Parameters| {
            parameters
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let schedule = configuration.schedule.as_ref().map_or("none", |scheduled| &scheduled.text);
        let profiles = configuration.profiles.iter();
        let profiles: Vec<String> =
            profiles.map(|(name, profile)| format!("{name} follows {}", profile.text)).collect();
        let schedule = [&[schedule.to_owned()], &profiles[..]].concat().join(" | ");
        format!(
            "{} | {} | {schedule}",
            pairs(&configuration.parameters),
            pairs(&configuration.worker)
        )
    };
    plan.configurations.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn parameters_go_to_the_schedule_or_to_the_worker() {
    insta::assert_snapshot!(lines("[space]\nbatch = [50, 100]\npeak = 0.1\n[space.schedule.constant]\n[space.schedule.cosine]\nwarmup = \"5%\"\nmomentum = 0.9"), @"
    batch=50 peak=0.1 schedule=constant | batch=50 | 0.1: 1 hold
    batch=100 peak=0.1 schedule=constant |  | 0.1: 1 hold
    batch=50 momentum=0.9 peak=0.1 schedule=cosine warmup=5% | batch=50 momentum=0.9 | 0.1: 0 > 1 linear for 10, 1 > 0 cosine for 190
    batch=100 momentum=0.9 peak=0.1 schedule=cosine warmup=5% | momentum=0.9 | 0.1: 0 > 1 linear for 5, 1 > 0 cosine for 95
    ");
    insta::assert_snapshot!(lines("[trainer]\npeak = 1\n[space]\nwarmup = [\"0%\", \"1ep\"]"), @"
    warmup=0% |  | 1: 1 hold
    warmup=1ep |  | 1: 0 > 1 linear for 10, 1 hold
    ");
    insta::assert_snapshot!(lines("[trainer.schedule]\nuse = \"step\"\npeak = 0.5\n[space]\ngamma = [0.1, 0.5]"), @"
    gamma=0.1 |  | 0.5: 1 stairs(gamma=0.1,tau=30)
    gamma=0.5 |  | 0.5: 1 stairs(gamma=0.5,tau=30)
    ");
    insta::assert_snapshot!(lines("[trainer]\nschedule = \"cosine\"\n[space]\npeak = [0.5]"), @"peak=0.5 |  | 0.5: 1 > 0 cosine for 100");
    insta::assert_snapshot!(lines("[space]\nmomentum = 0.5"), @"momentum=0.5 | momentum=0.5 | none");
}

#[test]
fn what_does_not_act_and_what_is_so_by_default_is_not_told() {
    insta::assert_snapshot!(lines("[space]\npeak = 1\nmomentum = 0.5\noptimizer = [\"sgd\", \"adam\"]\nbatch = 100"), @"
    batch=100 momentum=0.5 optimizer=sgd peak=1 | momentum=0.5 | 1: 1 hold
    batch=100 momentum=0.5 optimizer=adam peak=1 | optimizer=adam | 1: 1 hold
    ");
}

#[test]
fn a_parameter_follows_a_schedule_of_its_own_or_mirrors_the_learning_rates() {
    let file = r#"
        [space]
        peak = 1
        momentum = [
            0.5,
            "0.9 > 0.8 50%, hold",
            "0.9: > 0.5 cosine",
            { use = "linear", peak = 0.9, end = 0.5 },
            { phases = [{ from = 0.9, to = 0.8, for = "1ep" }, {}] },
            "mirror(lo=0.85,hi=0.95)",
        ]
        [space.schedule.cosine]
        warmup = "20%"
    "#;
    insta::assert_snapshot!(lines(file), @"
    momentum=0.5 peak=1 schedule=cosine warmup=20% | momentum=0.5 | 1: 0 > 1 linear for 20, 1 > 0 cosine for 80
    momentum=0.9 > 0.8 50%, hold peak=1 schedule=cosine warmup=20% |  | 1: 0 > 1 linear for 20, 1 > 0 cosine for 80 | momentum follows 1: 0.9 > 0.8 linear for 50, 0.8 hold
    momentum=0.9: > 0.5 cosine peak=1 schedule=cosine warmup=20% |  | 1: 0 > 1 linear for 20, 1 > 0 cosine for 80 | momentum follows 0.9: 1 > 0.5 cosine for 100
    momentum=0.9: > 0.5 linear peak=1 schedule=cosine warmup=20% |  | 1: 0 > 1 linear for 20, 1 > 0 cosine for 80 | momentum follows 0.9: 1 > 0.5 linear for 100
    momentum=1: 0.9 > 0.8 linear for 1ep, hold peak=1 schedule=cosine warmup=20% |  | 1: 0 > 1 linear for 20, 1 > 0 cosine for 80 | momentum follows 1: 0.9 > 0.8 linear for 10, 0.8 hold
    momentum=mirror(lo=0.85,hi=0.95) peak=1 schedule=cosine warmup=20% |  | 1: 0 > 1 linear for 20, 1 > 0 cosine for 80 | momentum follows 1: 0.95 > 0.85 linear for 20, 0.85 > 0.95 cosine for 80
    ");
    let file = "[trainer]\npeak = 1\noptimizer = \"adam\"\n[trainer.momentum]\nuse = \"cosine\"\npeak = 0.5\n";
    // The optimizer has no momentum.
    insta::assert_snapshot!(lines(file), @" | optimizer=adam | 1: 1 hold");
}

#[test]
fn a_schedule_that_is_constant_is_a_number_and_keys_say_so() {
    let key = |momentum: &str| {
        let plan =
            planned(&format!("[trainer]\nmomentum = {momentum}\n[space]\npeak = 1")).unwrap();
        plan.trials[0].key
    };
    assert_eq!(key("0.9"), key("\"0.9 hold\""));
    assert_eq!(key("0.9"), key("\"mirror(lo=0.9,hi=0.95)\""));
    assert_eq!(key("0.0"), key("\"0 > 0\""));
    assert_eq!(key("\"0.9 > 0.8 50%, hold\""), key("\"0.9 > 0.8 5ep, > 0.8 cosine\""));
    assert_ne!(key("0.9"), key("\"0.9 > 0.8\""));
    assert_ne!(key("\"0.9 > 0.7\""), key("\"0.9 > 0.8\""));
}

#[test]
fn equal_computations_are_merged() {
    let plan = planned("[space]\npeak = 1\nmomentum = [0.0, 0.5]\n[space.optimizer.adam]\n[space.optimizer.sgd]\n[space.schedule.constant]\n[space.schedule.step]\ngamma = [0.1, 1.0]").unwrap();
    // adam: momentum does not act, and gamma = 1 is constant.
    let points: Vec<u64> =
        plan.configurations.iter().map(|configuration| configuration.point).collect();
    assert_eq!(points, [0, 2, 6, 7, 8, 10]);
    let merged: Vec<(u64, u64)> =
        plan.merged.iter().map(|merged| (merged.point, merged.into)).collect();
    assert_eq!(merged, [(1, 0), (3, 0), (4, 2), (5, 0), (9, 6), (11, 7)]);
    assert_eq!(plan.trials.len(), 6);
}

#[test]
fn a_trials_key_is_of_what_it_computes() {
    let key = |rest: &str| planned(rest).unwrap().trials[0].clone();
    let base = key("[space]\npeak = 0.1");
    assert_eq!(
        key("[trainer]\npeak = 0.1\nbatch = 100\n[trainer.schedule]\nuse = \"step\"\ngamma = 1.0")
            .key,
        base.key
    );
    for other in [
        "peak = 0.2",
        "peak = 0.1\nbatch = 50",
        "peak = 0.1\nwarmup = \"10%\"",
        "peak = 0.1\nbudget = \"50st\"",
    ] {
        assert_ne!(key(&format!("[space]\n{other}")).key, base.key, "{other}");
    }
    // A fixed point: a changed key forgets every result that people have.
    insta::assert_snapshot!(base.key, @"08a94d76e7eac16f1cef867da19f9602");
}

#[test]
fn configurations_are_extended_to_another_budget_and_found_again() {
    let rest = "[space]\npeak = [1, 2]\n[space.schedule.constant]\n[space.schedule.cosine]\n#:extend 150st 0 3\n";
    insta::assert_snapshot!(lines(rest), @"
    peak=1 schedule=constant |  | 1: 1 hold
    peak=2 schedule=constant |  | 2: 1 hold
    peak=1 schedule=cosine |  | 1: 1 > 0 cosine for 100
    peak=2 schedule=cosine |  | 2: 1 > 0 cosine for 100
    budget=150st peak=1 schedule=constant | budget=150st | 1: 1 hold
    budget=150st peak=2 schedule=cosine | budget=150st | 2: 1 > 0 cosine for 150
    ");
    let plan = planned(rest).unwrap();
    assert!(plan.factorisation.ends_with("2 of them also for 150st"), "{}", plan.factorisation);
    let spec = read("x.toml", &format!("{HEAD}{rest}")).unwrap();
    let mut lengths = Lengths::default();
    for configuration in &plan.configurations {
        let mut asked = configuration.worker.clone();
        asked.retain(|name, _| name == "budget");
        lengths.insert(&asked, measure(&asked));
    }
    let program = program();
    let planner = Planner::new(&spec, &program, &lengths);
    for configuration in &plan.configurations {
        let again = planner.configuration(configuration.point).unwrap();
        assert_eq!(
            (&again.worker, again.length),
            (&configuration.worker, configuration.length.clone())
        );
    }
    assert_eq!(plan.configurations[4].point, 1 << 40);
}

#[test]
fn extensions_go_with_the_configurations_that_they_extend() {
    let extended = |budget: &str, points: &[u64]| Extension {
        budget: budget.to_owned(),
        points: points.to_vec(),
    };
    let earlier = planned("[space]\npeak = [1, 2, 3]\n#:extend 150st 0 2\n").unwrap();
    let trials: Vec<(u64, Key)> =
        earlier.trials.iter().map(|trial| (trial.point, trial.key)).collect();
    // The second extends what the first has extended.
    let extensions = [extended("150st", &[0, 2]), extended("200st", &[1 << 40])];
    let check = |peaks: &str, expected: &[Extension]| {
        let plan = planned(&format!("[space]\npeak = {peaks}\n")).unwrap();
        assert_eq!(plan.extensions_of(&extensions, &trials), expected, "{peaks}");
    };
    check("[1, 2, 3]", &[extended("150st", &[0, 2]), extended("200st", &[0])]);
    check("[5, 3, 1]", &[extended("150st", &[2, 1]), extended("200st", &[2])]);
    check("[4, 3]", &[extended("150st", &[1])]);
    check("[2]", &[]);
}

#[test]
fn seeds_stand_inside_configurations() {
    let text = format!("{}[space]\npeak = [1, 2]\n", HEAD.replace("name", "seeds = [7, 8]\nname"));
    let spec = read("x.toml", &text).unwrap();
    let mut lengths = Lengths::default();
    lengths.insert(&Parameters::new(), measure(&Parameters::new()));
    let plan = plan(&spec, &program(), &lengths).unwrap();
    let trials: Vec<(u64, u64)> =
        plan.trials.iter().map(|trial| (trial.point, trial.seed)).collect();
    assert_eq!(trials, [(0, 7), (0, 8), (1, 7), (1, 8)]);
}

#[test]
fn a_condition_removes_points_and_does_not_apply_where_a_name_is_absent() {
    let plan = planned("[space]\npeak = [0.1, 1.0]\nwhere = [\"peak < 0.5\", \"warmup + cooldown <= 30%\"]\n[space.schedule.constant]\n[space.schedule.wsd]\nwarmup = [\"10%\", \"2ep\"]\ncooldown = [\"10%\", \"20%\", \"15%\"]").unwrap();
    assert_eq!(plan.removed, 1 + 6 + 2);
    assert_eq!(plan.configurations.len(), 1 + 4);
}

#[test]
fn derived_values_are_parameters() {
    insta::assert_snapshot!(lines("[space]\nbatch = [50, 200]\n[space.derived]\npeak = \"0.1 * batch / 100\"\nmomentum = \"0.9 if peak < 0.1 else 0.5\""), @"
    batch=50 momentum=0.9 peak=0.05 | batch=50 momentum=0.9 | 0.05: 1 hold
    batch=200 momentum=0.5 peak=0.2 | batch=200 momentum=0.5 | 0.2: 1 hold
    ");
}

#[test]
fn a_random_search_draws_the_same_samples_forever() {
    let space = "[search]\nmethod = \"random\"\nsamples = 20\nseed = 3\n[space]\nbatch = { log_int = [16, 512] }\npeak = { log = [0.001, 1.0] }\nmomentum = { uniform = [0.0, 0.9] }\nwhere = [\"peak * batch < 100\"]\n[space.schedule.constant]\n[space.schedule.cosine]\nwarmup = [\"0%\", \"5%\", \"10%\"]\n[space.schedule.step]\ngamma = { uniform = [0.1, 0.5], n = 3 }\nevery = { int = [1, 4] }";
    let space = space.replace("every = { int = [1, 4] }", "");
    let twenty = lines(&space);
    insta::assert_snapshot!(twenty);
    let more = lines(&space.replace("samples = 20", "samples = 30"));
    assert!(more.starts_with(&twenty), "more samples never change earlier ones");
}

#[test]
fn sobol_samples_lie_evenly_and_stay_what_they_are() {
    let space = "[search]\nmethod = \"sobol\"\nsamples = 8\nseed = 3\n[space]\npeak = { log = [0.001, 10] }\nmomentum = { uniform = [0.0, 0.8] }\n[space.schedule.constant]\n[space.schedule.cosine]\nwarmup = [\"0%\", \"5%\"]";
    let eight = lines(space);
    insta::assert_snapshot!(eight);
    assert_eq!(eight.matches("schedule=constant").count(), 4, "half of each branch");
    let more = lines(&space.replace("samples = 8", "samples = 30"));
    assert!(more.starts_with(&eight), "more samples never change earlier ones");
    let some = lines(&space.replace("[space]\n", "[space]\nwhere = [\"peak < 0.1\"]\n"));
    assert_eq!(some.lines().count(), 8, "removed points are replaced");
}

#[test]
fn a_planned_point_is_found_again() {
    let spec = read("x.toml", &format!("{HEAD}[space]\npeak = [1, 2, 3]")).unwrap();
    let mut lengths = Lengths::default();
    lengths.insert(&Parameters::new(), measure(&Parameters::new()));
    let program = program();
    let planner = Planner::new(&spec, &program, &lengths);
    assert_eq!(planner.configuration(1).unwrap().schedule.unwrap().text, "2: 1 hold");
    assert!(planner.configuration(3).is_none());
}

#[test]
fn a_grid_of_a_million_millions_is_refused_with_its_factors() {
    let axes: Vec<String> = (0..12).map(|axis| format!("x{axis} = {{ int = [1, 10] }}")).collect();
    let mut program = program();
    for axis in 0..12 {
        let mut parameter = program.parameters[0].clone();
        parameter.name = format!("x{axis}");
        program.parameters.push(parameter);
    }
    let spec = read("x.toml", &format!("{HEAD}[space]\n{}", axes.join("\n"))).unwrap();
    let Err(PlanError::Invalid(diagnostics)) = plan(&spec, &program, &Lengths::default()) else {
        panic!("planned")
    };
    insta::assert_snapshot!(diagnostics.to_string());
}

#[test]
fn a_schedule_that_makes_no_sense_is_said_with_its_place() {
    let files = [
        "[space.schedule.mine]\npeak = 1\nphases = \"> 0.5, > 0\"\n",
        "[space.schedule.mine]\npeak = 1\nphases = [{ to = 0.5, for = \"60%\" }, { to = 0, for = \"60%\" }]\n",
        "[space.schedule.sgdr]\npeak = 1\nlen = [\"10%\", \"0%\"]\n",
        "[space.schedule.sgdr]\npeak = 1\ngrow = 0.5\n",
        "[space.schedule.exponential]\npeak = 1\nto = [0.1, 0]\n",
        "[space.schedule.linear]\npeak = 1\nhold = \"0st\"\n",
        "[space.schedule.multistep]\npeak = 1\nat = [[\"50%\", 70]]\n",
        "[space]\npeak = 1\n[space.schedule.a]\nuse = \"torch.CosineAnnealingLR\"\nT_max = [50, 500]\n",
        "[space]\npeak = 1\n[space.schedule.a]\nuse = \"torch.CosineAnnealingLR\"\nTmax = 50\n",
        "[space]\npeak = 1\n[space.schedule.a]\nuse = \"torch.LinearLR\"\ntotal_iters = 20\nper = \"1ep\"\n",
        "[space.schedule.a]\nuse = \"torch.OneCycleLR\"\ntotal_steps = 50\n",
        "[trainer]\npeak = 1\n[space.schedule.a]\nuse = \"torch.OneCycleLR\"\nmax_lr = 1\ntotal_steps = 50\n",
        "[space.schedule.a]\nuse = \"torch.OneCycleLR\"\nmax_lr = \"high\"\ntotal_steps = 50\n",
        "[space.schedule.a]\nuse = \"keras.ExponentialDecay\"\ninitial_learning_rate = [0.1, -0.1]\ndecay_steps = 10\ndecay_rate = 0.9\n",
        "[trainer.schedule]\nuse = \"optax.cosine_decay_schedule\"\ninit_value = 1\ndecay_steps = 1000\n",
    ];
    let texts = files.map(|file| match planned(file) {
        Ok(_) => format!("{file}\nnothing is wrong\n"),
        Err(diagnostics) => format!("{file}\n{diagnostics}\n"),
    });
    insta::assert_snapshot!(texts.join("--------\n"));
}

#[test]
fn what_only_the_worker_program_knows_is_said_with_its_place() {
    let files = [
        "[trainer]\nbach = 64\n",
        "[trainer]\nbatch = 0\n[space]\nmomentum = [0.5, 1.5]\n",
        "[trainer]\nbatch = 1.5\nmomentum = \"big\"\nbudget = 5\nmodel = 3\n",
        "[trainer]\nbudget = \"5 epochs\"\noptimizer = \"adamw\"\n",
        "[space]\nmodel = [\"linear\", \"mlp-x\"]\npeak = 1\n",
        "[space.schedule.cosine]\nwarmup = [\"5%\", \"105%\"]\n[trainer]\npeak = 1\n",
        "[space.schedule.cosine]\n",
        "[space.schedule.cosine]\npeak = [-0.1]\n",
        "[space.schedule.step]\npeak = 1\nevery = [\"10%\", 3]\ngama = 3\n",
        "[space]\ngamma = [0.1]\npeak = 1\n[space.schedule.step]\n",
        "[space.schedule.wsd]\npeak = 1\nwarmup = \"30%\"\ncooldown = \"80%\"\n",
        "[space.schedule.plateau]\npeak = 1\nmonitor = \"lss\"\ngoal = \"min\"\n",
        "[space]\npeak = 1\nmomentum = [\"0.9 > 0.8 cosin\", \"> 0.8\", \"0.9: hold ; plateau\"]\n",
        "[space]\npeak = 1\nmomentum = [\"0.9 > 1.2\", \"0.9 > 0.8 200%\", \"1: hold\"]\n",
        "[space]\npeak = 1\nmomentum = { use = \"linear\", pek = 3 }\n",
        "[space]\nmomentum = [\"mirror(0.8)\"]\n",
        "[space]\nmomentum = [\"mirror(lo=0.8,hi=0.9)\"]\n",
        "[space.schedule.step]\npeak = 1\nmomentum = \"mirror(lo=0.8,hi=0.9)\"\n",
        "[space]\nbatch = \"0.9 > 0.8\"\npeak = 1\n[trainer.momentum]\nuse = \"cosin\"\n",
        "[space]\npeak = 1\nmomentum = \"0.5 > 0.4\"\nwhere = [\"peak * momentum < 0.5\"]\n",
        "[space]\npeak = 1\nwhere = [\"peek < 3\"]\n",
        "[space]\npeak = [1, 2]\nwhere = [\"peak > 3\"]\n",
        "[space]\npeak = 1\nwhere = [\"model + 1 < 3\"]\n",
        "[space]\npeak = 1\n[space.derived]\nbig = \"peak * 2\"\n",
        "[space]\npeak = 1\n[space.derived]\nbatch = \"10 / 4\"\n",
        "[search]\nmethod = \"random\"\nsamples = 3\n[space]\npeak = { uniform = [1.0, 2.0] }\nwhere = [\"peak > 3\"]\n",
    ];
    let text = |file: &&str| match planned(file) {
        Ok(_) => format!("{file}\nnothing is wrong\n"),
        Err(diagnostics) => format!("{file}\n{diagnostics}\n"),
    };
    let mut texts: Vec<String> = files.iter().map(text).collect();
    let other = read("x.toml", &HEAD.replace("\"loss\"", "\"los\"")).unwrap();
    let Err(PlanError::Invalid(diagnostics)) = plan(&other, &program(), &Lengths::default()) else {
        panic!("planned")
    };
    texts.push(format!("{diagnostics}\n"));
    insta::assert_snapshot!(texts.join("--------\n"));
}

#[test]
fn rungs_are_evaluations_of_every_trial() {
    let stop = |rungs: &str| format!("[stop]\nkeep = 0.5\nrungs = {rungs}\n");
    let files = [
        stop("[\"15st\", \"2ep\"]"),
        stop("[\"2ep\", \"1ep\"]"),
        stop("[\"5ep\", \"50%\"]"),
        format!("{}[trainer]\neval = \"25%\"\n", stop("[\"10%\"]")),
        format!("{}within = [\"shedule\"]\n", stop("[\"1ep\"]")),
    ];
    let text = |file: &String| match planned(&format!("{file}[space]\npeak = 1\n")) {
        Ok(_) => "nothing is wrong\n".to_owned(),
        Err(diagnostics) => format!("{diagnostics}\n"),
    };
    let texts: Vec<String> = files.iter().map(text).collect();
    insta::assert_snapshot!(texts.join("--------\n"));
}

#[test]
fn stages_end_at_rungs_and_are_shared_until_they_part() {
    let file = "[stop]\nkeep = 0.5\nrungs = [\"1ep\", \"6ep\"]\n[space]\npeak = 0.1\n[space.schedule.wsd]\nwarmup = \"0%\"\ncooldown = [\"20%\", \"80%\"]\n";
    let paths = |plan: &Plan| -> Vec<Vec<(u64, u64)>> {
        let tree = plan.tree(&Known::default());
        let path = |trial| tree.path(trial).iter().map(|it| (it.first, it.end)).collect();
        (0..plan.trials.len()).map(path).collect()
    };
    // Of 100 steps; the second begins its cooldown after 20.
    let shared = planned(file).unwrap();
    let expected = [vec![(0, 10), (10, 60), (60, 100)], vec![(0, 10), (10, 60), (60, 100)]];
    assert_eq!(paths(&shared), expected);
    let tree = shared.tree(&Known::default());
    assert_eq!(tree.stages.iter().filter(|stage| stage.trials == 2).count(), 1);
    let alone = planned(&format!("{file}[run]\nshare = false\n")).unwrap();
    assert_eq!(paths(&alone), expected);
    let keys: BTreeSet<Key> =
        alone.tree(&Known::default()).stages.iter().map(|stage| stage.stage.key).collect();
    assert_eq!(keys.len(), 6, "each has its own");
    // A rung at the end of a trial does not apply to it.
    let short = planned(&format!("{file}[trainer]\nbudget = \"10st\"\n")).unwrap();
    assert!(short.trials.iter().all(|trial| trial.rungs.is_none()));
}
