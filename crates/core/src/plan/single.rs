//! One trial as a sweep file of its own: everything that decides what it computes, as one would write it by hand.

use toml::{Table, Value as Toml};

use super::{Planner, command::BUDGET, schedule::preset_of, view::View};
use crate::{
    objective::{Goal, Objective, Reduce},
    output::Strictness,
    spec::{CommandSpec, ProgramSpec, Slots},
    value::{Parameters, Value},
};

impl Planner<'_> {
    /// A sweep file that holds the trial of a point with this seed and nothing else; `None` if there is no such point.
    ///
    /// Whoever needs its key to be the same must look: a parameter that is called like an argument of the schedule, or a
    /// program that is told the name of a branch, cannot be written so.
    pub fn single(&self, point: u64, seed: u64, name: &str) -> Option<String> {
        let sections = self.look_at(point, |view| {
            let preset = preset_of(self.program, view.block, view.point.combination);
            let (mut fixed, arguments) = self.sort(view, preset)?;
            let named = preset.filter(|_| has_schedule(view)).map(|preset| preset.name);
            // A program of a person's own is told of its schedule, too.
            fixed.retain(|name, _| {
                !(arguments.contains_key(name) || named.is_some() && name == "schedule")
            });
            let arguments = table(&arguments);
            let mut beside = table(&fixed);
            match named {
                None => beside.extend(arguments),
                Some(name) => {
                    let mut schedule = arguments;
                    if !schedule.contains_key(name) {
                        schedule.insert("use".to_owned(), name.into());
                    }
                    beside.insert("schedule".to_owned(), schedule.into());
                }
            }
            Ok(self.program_section(beside))
        });
        let mut sweep = Table::new();
        sweep.insert("name".to_owned(), name.into());
        sweep.insert("objective".to_owned(), objective(&self.spec.objective).into());
        // TOML has 64 bits with sign, and so have the seeds that a file can say.
        sweep.insert("seeds".to_owned(), Toml::Array(vec![Toml::Integer(seed as i64)]));
        let sweep = section("sweep", sweep);
        Some(format!("{sweep}\n{}{}", sections.ok()?, devices(&self.spec.run.slots)))
    }

    fn program_section(&self, mut fixed: Table) -> String {
        let ProgramSpec::Command(spec) = &self.spec.program else {
            return section("trainer", fixed);
        };
        let mut command = command(spec);
        command.extend(fixed.remove(BUDGET).map(|budget| (BUDGET.to_owned(), budget)));
        if !fixed.is_empty() {
            command.insert("parameters".to_owned(), fixed.into());
        }
        section("command", command)
    }
}

/// Results are those of a kind of device.
fn devices(slots: &Slots) -> String {
    let Slots::Devices { devices, .. } = slots else { return String::new() };
    let devices = devices.iter().map(|device| device.as_str().into()).collect();
    let run = [("devices".to_owned(), Toml::Array(devices))].into_iter().collect();
    format!("\n{}", section("run", run))
}

/// Whether somebody has said which, rather than only given a peak.
fn has_schedule(view: &View) -> bool {
    let is_chosen = view.point.combination.choices.iter().any(|choice| choice.name == "schedule");
    is_chosen || view.block.schedule.is_some()
}

fn objective(objective: &Objective) -> Table {
    let goal = match objective.goal {
        Goal::Min => "min",
        Goal::Max => "max",
    };
    let mut table = Table::new();
    table.insert("metric".to_owned(), objective.metric.as_str().into());
    table.insert("goal".to_owned(), goal.into());
    let reduce = match objective.reduce {
        Reduce::Last => "last".into(),
        Reduce::Best => "best".into(),
        Reduce::Mean(evaluations) => Toml::Table(
            [("mean".to_owned(), Toml::Integer(evaluations.into()))].into_iter().collect(),
        ),
    };
    table.insert("reduce".to_owned(), reduce);
    table
}

fn command(spec: &CommandSpec) -> Table {
    let mut table = Table::new();
    let mut put = |name: &str, value: Toml| table.insert(name.to_owned(), value);
    let texts = |texts: &mut dyn Iterator<Item = &str>| texts.map(Toml::from).collect();
    put("run", Toml::Array(texts(&mut spec.run.iter().map(|argument| argument.text.as_str()))));
    put("metrics", spec.metrics.as_str().into());
    if spec.strictness == Strictness::Strict {
        put("strict", true.into());
    }
    if !spec.environment.is_empty() {
        let variables = spec.environment.iter();
        let variables = variables.map(|(name, value)| (name.clone(), value.text.as_str().into()));
        put("environment", Toml::Table(variables.collect()));
    }
    if let Some(directory) = &spec.directory {
        put("directory", directory.as_str().into());
    }
    if let Some(steps) = spec.steps_per_epoch {
        put("steps_per_epoch", Toml::Integer(steps as i64));
    }
    if spec.checkpoint.is_some() {
        put("checkpoint", true.into());
    }
    table
}

fn table(parameters: &Parameters) -> Table {
    parameters.iter().map(|(name, value)| (name.clone(), toml(value))).collect()
}

fn toml(value: &Value) -> Toml {
    match value {
        Value::Bool(value) => Toml::Boolean(*value),
        Value::Int(value) => Toml::Integer(*value),
        Value::Float(value) => Toml::Float(*value),
        Value::Text(text) => Toml::String(text.clone()),
        Value::List(values) => Toml::Array(values.iter().map(toml).collect()),
    }
}

/// A section under its name. Such tables always serialize.
fn section(name: &str, table: Table) -> String {
    let root: Table = [(name.to_owned(), Toml::Table(table))].into_iter().collect();
    toml::to_string(&root).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::{
            Lengths, PlanError, plan,
            tests::{measured, program},
        },
        spec::{SweepSpec, read},
    };

    const HEAD: &str = "[sweep]\nname = \"x\"\nobjective = { metric = \"loss\", goal = \"min\", reduce = { mean = 2 } }\nseeds = [1, 7]\n";

    /// Every trial as a file of its own; these have the same keys.
    #[track_caller]
    fn check(rest: &str) -> String {
        let (spec, lengths, plan) =
            measured(read("x.toml", &format!("{HEAD}{rest}")).unwrap()).unwrap();
        let program = program();
        let planner = Planner::new(&spec, &program, &lengths);
        let mut first = None;
        for trial in &plan.trials {
            let text = planner.single(trial.point, trial.seed, "one").unwrap();
            let (_, _, again) = measured(read("one.toml", &text).unwrap()).unwrap();
            let keys: Vec<_> = again.trials.iter().map(|trial| trial.key).collect();
            assert_eq!(keys, [trial.key], "{text}");
            first.get_or_insert(text);
        }
        first.unwrap()
    }

    #[test]
    fn a_trial_as_a_file_of_its_own_is_the_same_trial() {
        insta::assert_snapshot!(check("[trainer]\nmodel = \"mlp-8\"\n[space]\npeak = { log = [0.1, 1], n = 3 }\nmomentum = [0.9, \"0.9 > 0.5\"]\nwhere = [\"peak < 0.9\"]\n[space.schedule.wsd]\ncooldown = [\"20%\", \"1ep\"]\n[space.schedule.mine]\nphases = \"0 > 1 5%, > 0 cosine\"\n[space.schedule.theirs]\nuse = \"torch.MultiStepLR\"\nmilestones = [3, 4]\nper = \"1ep\""), @r#"
        [sweep]
        name = "one"
        seeds = [1]

        [sweep.objective]
        goal = "min"
        metric = "loss"

        [sweep.objective.reduce]
        mean = 2

        [trainer]
        model = "mlp-8"
        momentum = 0.9

        [trainer.schedule]
        cooldown = "20%"
        peak = 0.1
        use = "wsd"
        "#);
        check(
            "[search]\nmethod = \"random\"\nsamples = 9\n[space]\npeak = { uniform = [0, 1] }\nbatch = { log_int = [10, 99] }\nwhere = [\"batch < 40\"]\n[space.derived]\nmomentum = \"0.5 + peak / 4\"",
        );
        check(
            "[trainer]\nschedule = \"cosine\"\n[space]\npeak = [0.5, 1]\nwarmup = [\"0%\", \"5%\"]\n[space.optimizer.adam]\n[space.optimizer.sgd]\nmomentum = [0.5, 0.9]",
        );
        check("[[block]]\nspace = { momentum = [0.5, 0.25] }\n[[block]]\nspace = { peak = 1 }");
        insta::assert_snapshot!(check("[space]\npeak = [1, 2]\nwarmup = \"1ep\""), @r#"
        [sweep]
        name = "one"
        seeds = [1]

        [sweep.objective]
        goal = "min"
        metric = "loss"

        [sweep.objective.reduce]
        mean = 2

        [trainer]
        peak = 1
        warmup = "1ep"
        "#);
        check(
            "[space.schedule.mine]\ntable = [1, 0.5]\npeak = 1\n[space.schedule.plateau]\npeak = 1\nfactor = [0.5, 0.1]",
        );
    }

    #[test]
    fn a_command_keeps_all_that_is_said_of_it() {
        let text = format!(
            "{HEAD}[command]\nrun = [\"sh\", \"train.sh\", \"{{{{ rate }}}}\"]\nbudget = \"10st\"\nsteps_per_epoch = 5\nenvironment = {{ \"A B\" = \"{{{{ rate }}}}\" }}\ndirectory = \"d\"\nparameters = {{ fixed = 3, \"a.b\" = \"x\\ny\" }}\n[space]\nrate = [0.1, 0.2]\nschedule = [\"cosine\", \"linear\"]\npeak = 1"
        );
        let spec = read("x.toml", &text).unwrap();
        let program = crate::plan::command::program(&spec, "n".to_owned());
        let lengths = |spec: &SweepSpec| {
            let ProgramSpec::Command(command) = &spec.program else { panic!("{spec:?}") };
            let mut lengths = Lengths::default();
            while let Err(PlanError::Unmeasured(asked)) = plan(spec, &program, &lengths) {
                for asked in asked {
                    lengths.insert(&asked, crate::plan::command::length(command, &asked));
                }
            }
            lengths
        };
        let measured = lengths(&spec);
        let planner = Planner::new(&spec, &program, &measured);
        let trials = plan(&spec, &program, &measured).unwrap().trials;
        for trial in &trials {
            let one = read("one.toml", &planner.single(trial.point, 7, "one").unwrap()).unwrap();
            let again = plan(&one, &program, &lengths(&one)).unwrap();
            assert!(
                trials
                    .iter()
                    .any(|other| other.key == again.trials[0].key && other.point == trial.point)
            );
        }
        insta::assert_snapshot!(planner.single(3, 7, "one").unwrap(), @r#"
        [sweep]
        name = "one"
        seeds = [7]

        [sweep.objective]
        goal = "min"
        metric = "loss"

        [sweep.objective.reduce]
        mean = 2

        [command]
        budget = "10st"
        directory = "d"
        metrics = "jsonl"
        run = ["sh", "train.sh", "{{ rate }}"]
        steps_per_epoch = 5

        [command.environment]
        "A B" = "{{ rate }}"

        [command.parameters]
        "a.b" = """
        x
        y"""
        fixed = 3
        rate = 0.2

        [command.parameters.schedule]
        peak = 1
        use = "linear"
        "#);
    }
}
