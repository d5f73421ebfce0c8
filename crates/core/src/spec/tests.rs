use super::*;
use crate::diagnostic::Color;

const HEAD: &str = "[sweep]\nname = \"x\"\nobjective = { metric = \"loss\", goal = \"min\" }\n";

/// All messages about a file that begins with a correct [sweep].
fn mistakes(rest: &str) -> String {
    match read("x.toml", &format!("{HEAD}{rest}")) {
        Ok(_) => "nothing is wrong".to_owned(),
        Err(diagnostics) => diagnostics.render(Color::Plain),
    }
}

#[test]
fn the_template_is_a_sweep() {
    let spec = read("template.toml", TEMPLATE).unwrap();
    assert_eq!(spec.blocks[0].space.count(), Some(2 * 3 * (1 + 2 + 2)));
}

#[test]
fn the_file_of_the_design_is_a_sweep() {
    let spec = read("design.toml", DESIGN).unwrap();
    // batch 2 x momentum 3 x (constant 5 + cosine 5 x 2 + wsd: its own peak 5 x 3)
    assert_eq!(spec.blocks[0].space.count(), Some(2 * 3 * (5 + 10 + 15)));
    assert_eq!(spec.run.timeout, Some(1800.0));
    assert_eq!(spec.run.limit, Some(7200.0));
    assert_eq!(spec.seeds, [1, 2, 3]);
}

const DESIGN: &str = r#"
[sweep]
name      = "schedules-on-mnist"
objective = { metric = "val_accuracy", goal = "max", reduce = "last" }
seeds     = [1, 2, 3]
[search]
method = "grid"
[trainer]
data      = "mnist"
valid     = 5000
model     = "mlp-128"
optimizer = "sgd"
budget    = "5ep"
eval      = "1ep"
[space]
batch    = [64, 256]
peak     = { log = [0.01, 1.0], n = 5 }
momentum = { uniform = [0.0, 0.9], n = 3 }
where    = ["peak * momentum < 0.5"]
[space.schedule.constant]
[space.schedule.cosine]
warmup = ["0%", "5%"]
[space.schedule.wsd]
cooldown = ["10%", "20%", "40%"]
peak = { log = [0.1, 3.0], n = 5 }
[run]
slots   = "auto"
timeout = "30min"
retries = 1
limit   = "2h"
"#;

#[track_caller]
fn check_axis(axis: &str, expected: &str) {
    let spec = read("x.toml", &format!("{HEAD}[space]\nx = {axis}\n")).unwrap();
    let space = &spec.blocks[0].space;
    let values = (0..space.count().unwrap())
        .map(|index| space.point(index).unwrap().values[0].2.to_string());
    assert_eq!(values.collect::<Vec<_>>().join(" "), expected, "{axis}");
}

#[test]
fn an_axis_has_its_points() {
    check_axis("7", "7");
    check_axis("[3, 0.5, \"a\"]", "3 0.5 a");
    check_axis("{ log = [0.01, 1.0], n = 5 }", "0.01 0.0316228 0.1 0.316228 1");
    check_axis("{ log = [0.001, 0.1], n = 3 }", "0.001 0.01 0.1");
    check_axis("{ uniform = [0.0, 0.9], n = 4 }", "0 0.3 0.6 0.9");
    check_axis("{ uniform = [0.0, 0.3], step = 0.1 }", "0 0.1 0.2 0.3");
    check_axis("{ uniform = [0.0, 1.0], step = 0.4 }", "0 0.4 0.8");
    check_axis("{ int = [2, 5] }", "2 3 4 5");
    check_axis("{ int = [1, 9], step = 4 }", "1 5 9");
    check_axis("{ int = [1, 9], n = 3 }", "1 5 9");
    check_axis("{ log_int = [16, 256], n = 5 }", "16 32 64 128 256");
    check_axis("{ log_int = [1, 3], n = 9 }", "1 2 3");
}

/// Every point of a space, a line each.
fn points(space: &str) -> String {
    let spec = read("x.toml", &format!("{HEAD}{space}\n")).unwrap();
    let mut lines = Vec::new();
    for block in &spec.blocks {
        for index in 0..block.space.count().unwrap() {
            let point = block.space.point(index).unwrap();
            let choices = point.combination.choices.iter().map(|choice| choice.branch.clone());
            let values = point.values.iter().map(|(name, _, value)| format!("{name}={value}"));
            lines.push(choices.chain(values).collect::<Vec<_>>().join(" "));
        }
        assert_eq!(block.space.point(block.space.count().unwrap()), None);
    }
    lines.join("\n")
}

#[test]
fn points_come_in_the_order_of_the_file_the_last_axis_fastest() {
    insta::assert_snapshot!(points("[space]\nb = [1, 2]\na = [3, 4]"), @"
    b=1 a=3
    b=1 a=4
    b=2 a=3
    b=2 a=4
    ");
}

#[test]
fn ranges_of_durations_are_durations() {
    let space = r#"[space]
a = { uniform = ["0%", "5%"], step = "2.5%" }
b = { log = ["1ep", "100ep"], n = 3 }
"#;
    insta::assert_snapshot!(points(space), @"
    a=0% b=1ep
    a=0% b=10ep
    a=0% b=100ep
    a=2.5% b=1ep
    a=2.5% b=10ep
    a=2.5% b=100ep
    a=5% b=1ep
    a=5% b=10ep
    a=5% b=100ep
    ");
    let space = r#"[space]
a = { uniform = ["10st", "11.6st"], n = 2 }
b = { int = ["1ep", "2ep"] }
"#;
    insta::assert_snapshot!(points(space), @"
    a=10st b=1ep
    a=10st b=2ep
    a=12st b=1ep
    a=12st b=2ep
    ");
}

#[test]
fn choices_multiply_and_their_branches_override_shared_axes() {
    let space = "[space]\npeak = [1, 2]\n[space.optimizer.sgd]\nmomentum = [0.0, 0.9]\n[space.optimizer.adam]\npeak = 0.1\n[space.schedule.constant]\n[space.schedule.cosine]\nwarmup = \"5%\"";
    insta::assert_snapshot!(points(space), @"
    sgd constant peak=1 momentum=0
    sgd constant peak=1 momentum=0.9
    sgd constant peak=2 momentum=0
    sgd constant peak=2 momentum=0.9
    sgd cosine peak=1 momentum=0 warmup=5%
    sgd cosine peak=1 momentum=0.9 warmup=5%
    sgd cosine peak=2 momentum=0 warmup=5%
    sgd cosine peak=2 momentum=0.9 warmup=5%
    adam constant peak=0.1
    adam cosine peak=0.1 warmup=5%
    ");
}

#[test]
fn axes_move_together_in_a_zip_and_rows_stand_in_points() {
    insta::assert_snapshot!(points("[space]\nc = [0, 1]\n[[space.zip]]\na = [1, 2]\nb = [3, 4]"), @"
    c=0 a=1 b=3
    c=0 a=2 b=4
    c=1 a=1 b=3
    c=1 a=2 b=4
    ");
    insta::assert_snapshot!(points("[[space.points]]\na = 1\nb = 2\n[[space.points]]\nb = 3\na = 4"), @"
    a=1 b=2
    a=4 b=3
    ");
}

#[test]
fn a_key_that_takes_a_list_is_swept_by_a_list_of_lists() {
    let space = "[space.schedule.multistep]\nat = [\"50%\", \"75%\"]\n[space.schedule.two]\nuse = \"multistep\"\nat = [[\"50%\"], [\"30%\", \"60%\"]]";
    insta::assert_snapshot!(points(space), @"
    multistep at=[50%, 75%]
    two at=[50%]
    two at=[30%, 60%]
    ");
}

#[test]
fn phases_are_tables_or_a_line_and_a_list_inside_is_swept() {
    let space = r#"
        [space.schedule.mine]
        phases = [{ from = 0, to = 1, for = "5%" }, {}, { to = 0, for = ["10%", "20%"], shape = "1-sqrt" }]
        [space.schedule.lines]
        phases = ["0 > 1 5%, hold", "> 0 cosine"]
        [space.schedule.laws]
        phases = [{ law = "exp", gamma = 0.5, tau = "1ep", stairs = true }]
        [space.schedule.cycles]
        phases = [{ cycle = { len = "20%", gain = 0.5, body = [{ from = 0, to = 1, for = 0.5 }, { to = 0 }] } }]
        [space.schedule.values]
        table = [1.0, 0.5, 0.1]
    "#;
    insta::assert_snapshot!(points(space), @"
    mine phases=0 > 1 linear for 5%, hold, > 0 1-sqrt for 10%
    mine phases=0 > 1 linear for 5%, hold, > 0 1-sqrt for 20%
    lines phases=0 > 1 5%, hold
    lines phases=> 0 cosine
    laws phases=stairs(gamma=0.5,tau=1ep)
    cycles phases=cycle(len=20%,gain=0.5) { 0 > 1 linear for 0.5, > 0 linear }
    values table=[1, 0.5, 0.1]
    ");
}

#[test]
fn blocks_follow_each_other() {
    insta::assert_snapshot!(points("[[block]]\nspace = { a = [1, 2] }\n[[block]]\nspace = { b = 3 }"), @"
    a=1
    a=2
    b=3
    ");
}

#[test]
fn overrides_are_lines_of_the_file() {
    let text = with_overrides(
        DESIGN,
        &["trainer.budget=1ep".to_owned(), "space.batch=[32]".to_owned(), "run.slots=2".to_owned()],
    )
    .unwrap();
    let spec = read("x.toml", &text).unwrap();
    assert_eq!(spec.blocks[0].space.count(), Some(3 * 30));
    assert_eq!(spec.run.slots, Slots::Number(2));
    assert!(
        spec.blocks[0]
            .fixed
            .iter()
            .any(|fixed| fixed.name == "budget" && fixed.value == Value::Text("1ep".to_owned()))
    );
    assert!(with_overrides("", &["x".to_owned()]).is_err());
    assert!(with_overrides("", &["x=1\ny=2".to_owned()]).is_err());
    insta::assert_snapshot!(
        read("x.toml", &with_overrides(DESIGN, &["run.slot=2".to_owned()]).unwrap())
            .unwrap_err()
            .to_string()
    );
}

#[test]
fn all_mistakes_of_a_file_are_said_at_once() {
    let text = "[sweep]\nname = \"My Sweep\"\nobjectiv = 3\nseeds = [1, 1, -2]\n[serch]\n[search]\nmethod = \"bayes\"\n[run]\nslots = 0\ntimeout = \"5 parsecs\"\nkeep = 3\ncheckpoint = \"0st\"\nretries = -1\n";
    insta::assert_snapshot!(read("x.toml", text).unwrap_err().to_string());
}

#[test]
fn each_mistake_has_its_place_and_its_remedy() {
    let files = [
        "[trainer\n",
        "[space]\nx = []\n",
        "[space]\nx = { log = [0.01, 1.0] }\n",
        "[space]\nx = { log = [-3, -1], n = 3 }\n",
        "[space]\nx = { log = [1, 0.1], n = 3 }\n",
        "[space]\nx = { lgo = [0.1, 1], n = 3 }\n",
        "[space]\nx = { uniform = [0, 1], n = 3, step = 0.5 }\n",
        "[space]\nx = { uniform = [0, 1], n = 1 }\n",
        "[space]\nx = { int = [1, 2.5] }\n",
        "[space]\nx = { int = [1, 1000000000000] }\n",
        "[space]\nx = { normal = [0, 1] }\n",
        "[space]\nx = { log = [1, 10], step = 2 }\n",
        "[space]\nx = { uniform = [\"1%\", \"2ep\"], n = 3 }\n",
        "[space]\nx = { uniform = [\"1%\", \"9%\"], step = 2 }\n",
        "[space]\nx = { log = [\"0%\", \"9%\"], n = 2 }\n",
        "[space]\nx = { normal = [\"1%\", \"2%\"] }\n",
        "[space]\nx = 2020-01-01\n",
        "[space]\nx = [[1, 2]]\n",
        "[space]\nx = inf\n",
        "[space]\nx = 99999999999999999999\n",
        "[space.schedule.cosin]\n",
        "[space.schedule.a]\nuse = \"step\"\nphases = \"hold\"\n",
        "[space.schedule.a]\nphases = [{ too = 0 }]\n",
        "[space.schedule.a]\nphases = 3\n",
        "[space.schedule.cosine.x.y]\na = 1\n",
        "[space]\nschedule = 3\n",
        "[space]\nschedule = [\"cosine\", \"stepp\"]\n",
        "[trainer]\nlr = 1\n[space]\nlr = [1, 2]\n",
        "[trainer.schedule]\nwarmup = \"5%\"\n",
        "[[space.zip]]\na = [1, 2]\nb = [1]\n",
        "[[space.zip]]\na = 1\n",
        "[[space.points]]\na = 1\n[[space.points]]\nb = 1\n",
        "[space]\nwhere = [\"x <\"]\n",
        "[space]\nwhere = 3\n",
        "[space.derived]\nx = \"2 * * 3\"\n",
        "[space.optimizer.sgd]\nx = 1\n[space.model.mlp]\nx = 2\n",
        "[search]\nmethod = \"random\"\n",
        "[search]\nsamples = 3\n",
        "[space]\na = 1\n[[block]]\n",
        "[trainer]\n[command]\nrun = \"python train.py\"\n",
        "[command]\nbudget = \"5ep\"\nsteps_per_epoch = 0\n",
        "[command]\nrun = [\"python\", 3, \"{{ x\", \"{{}}\"]\nmetrics = \"json\"\nruns = 3\n",
        "[command]\nrun = [\"true\"]\nenvironment = { PLEACH_SEED = \"1\", A = 1, \"B=\" = \"\" }\n",
        "[run]\ndevices = [\"cpu\"]\nslots = 3\n",
        "[run]\nper_device = 3\n",
    ];
    let texts: Vec<String> =
        files.iter().map(|file| format!("{file}\n{}\n", mistakes(file))).collect();
    insta::assert_snapshot!(texts.join("--------\n"));
}

#[test]
fn what_stops_trials_early_must_make_sense() {
    let files = [
        "[stop]\nkeep = 0.5\n",
        "[stop]\nrungs = [\"1ep\"]\n",
        "[stop]\nrungs = []\nkeep = 1\nleast = 0\n",
        "[stop]\nrungs = [\"1 epoch\", \"0ep\"]\nkeep = \"half\"\nwithin = \"schedule\"\n",
        "[stop]\nrung = [\"1ep\"]\nrungs = \"1ep\"\nkeep = 0.5\n",
        "[stop]\nrungs = [\"1ep\", \"100st\"]\nkeep = 0.5\nwithin = [\"schedule\"]\n",
    ];
    let texts: Vec<String> = files.iter().map(|file| mistakes(file)).collect();
    insta::assert_snapshot!(texts.join("--------\n"));
}

#[test]
fn a_sweep_has_a_name_and_an_objective() {
    let texts = [
        "",
        "[sweep]\n",
        "sweep = 3\n",
        "[sweep]\nname = \"x\"\nobjective = { metric = 3, goal = \"up\", reduce = \"mean\" }\n",
    ];
    let texts: Vec<String> =
        texts.iter().map(|text| read("x.toml", text).unwrap_err().to_string()).collect();
    insta::assert_snapshot!(texts.join("\n--------\n"));
}

#[test]
fn an_argument_of_a_library_is_swept_and_a_branchs_peak_overrides_the_shared_one() {
    let space = "[space]\npeak = [1, 2]\n[space.schedule.a]\nuse = \"torch.StepLR\"\nstep_size = [10, \"50%\"]\n[space.schedule.b]\nuse = \"torch.OneCycleLR\"\npeak = [3, 4]\ntotal_steps = 100\n[space.schedule.\"torch.MultiStepLR\"]\nmilestones = [[5], [5, 10]]\npeak = 5";
    insta::assert_snapshot!(points(space), @"
    a peak=1 step_size=10
    a peak=1 step_size=50%
    a peak=2 step_size=10
    a peak=2 step_size=50%
    b peak=3 total_steps=100
    b peak=4 total_steps=100
    torch.MultiStepLR milestones=[5] peak=5
    torch.MultiStepLR milestones=[5, 10] peak=5
    ");
}

#[test]
fn a_name_is_a_folder_and_nothing_else() {
    for name in ["a", "mnist-1_x", "0"] {
        assert_eq!(check_name(name), Ok(()));
    }
    for name in ["", "A", "a b", "../a", "a/b", "ä", ".", &"a".repeat(65)] {
        assert!(check_name(name).is_err(), "{name}");
    }
}

#[test]
fn the_schema_describes_the_template() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    let sections = schema["properties"].as_object().unwrap();
    for section in ["sweep", "search", "trainer", "space", "run", "block", "command"] {
        assert!(sections.contains_key(section), "{section}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_is_too_strange_to_be_read(text in r#"(\[(sweep|space|run|trainer|search|space\.schedule\.[a-z]{1,6})\]|[a-z]{1,4}|=|\{|\}|\[|\]|"[a-z%0-9]{0,4}"|[0-9.]{1,4}|,| |\n|#:set |\.){0,60}"#) {
        let _either_way = read("x.toml", &text);
        let _either_way = read("x.toml", &format!("{HEAD}{text}"));
    }
}

#[test]
fn whoever_limits_the_time_of_a_trial_has_it_trained_alone() {
    let most = |run: &str| {
        let text = format!(
            "[sweep]\nname = \"x\"\nobjective = {{ metric = \"m\", goal = \"max\" }}\n[trainer]\n[run]\n{run}\n"
        );
        read("x.toml", &text).unwrap().run.most_lanes()
    };
    assert_eq!(most("lanes = \"auto\""), u32::MAX);
    assert_eq!(most("lanes = 4"), 4);
    assert_eq!(most("lanes = 4\ntimeout = \"1h\""), 1);
    assert_eq!(most("stall = \"1min\""), 1);
}

#[test]
fn every_class_of_failures_has_a_budget_in_the_file() {
    use crate::class::Class;
    let mut known = super::file::keys::<super::file::RetrySection>();
    let mut expected: Vec<&str> = Class::ALL[1..].iter().map(|class| class.key()).collect();
    known.sort();
    expected.sort_unstable();
    assert_eq!(known, expected);
    let run = "[run]\nretries = 7\nthreads = 3\npin = true\nnice = 30\nmemory = \"2GiB\"\ncpus = 1.5\n[run.retry]\ncrash = 5\n";
    let spec = read("x.toml", &format!("{HEAD}[space]\na = [1]\n{run}")).unwrap();
    let budgets = Class::ALL.map(|class| spec.run.budgets.of(class));
    assert_eq!(budgets, [7, 0, 0, 20, 0, 5, 1, 0, 1, 20]);
    let RunSpec { threads, pin, nice, memory, cpus, .. } = spec.run;
    assert_eq!((threads, pin, nice, memory), (Some(3), Pin::Yes, 19, Some(2 << 30)));
    assert_eq!(cpus, Some(1.5));
    let spec = |run: &str| read("x.toml", &format!("{HEAD}[space]\na = [1]\n[run]\n{run}"));
    let four = "devices = [\"cuda:0\", \"cuda:1\", \"cuda:2\", \"cuda:3\"]\nper_device = 2\n";
    let slots = spec(&format!("{four}gpus = 2")).unwrap().run.slots;
    let devices = ["cuda:0,cuda:1", "cuda:2,cuda:3"].map(str::to_owned).to_vec();
    assert_eq!(slots, Slots::Devices { devices, per_device: 2 });
    for wrong in [format!("{four}gpus = 3"), "gpus = 2".to_owned()] {
        insta::assert_snapshot!(spec(&wrong).unwrap_err().render(Color::Plain));
    }
    let wrong = "pin = 1\nmemory = 3\n[run.retry]\ncrash = -1\noom = 2\nretries = 3\n";
    insta::assert_snapshot!(mistakes(&format!("[run]\n{wrong}")));
}
