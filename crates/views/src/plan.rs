//! What a sweep would run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use pleach_core::{
    plain::{plain, within},
    plan::{Merged, Plan, Tree, command::OPEN_ENDED},
    spec::{Search, SweepSpec},
    stream::Sampler,
};
use pleach_schedule::{
    draw::terminal::{self, draw},
    line::short,
};
use pleach_store::Pace;

use crate::{
    distinct::{Distinct, distinct},
    forecast,
    format::{count, parameters, plural, rate, wrapped},
    schedule::{profile_facts, profile_picture, value_picture},
    table::{Look, Table, columns},
    tree,
};

/// Trials of the file beside those of the sweep as it is.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    pub added: u64,
    pub kept: u64,
    pub removed: u64,
}

/// The sweep as it is.
#[derive(Clone, Debug)]
pub struct Existing {
    pub difference: Difference,
    pub pace: Pace,
    /// How many stages a run trains at a time, at most.
    pub at_once: u32,
}

/// Characters of a line that a person wrote, at most.
const LONGEST: usize = 500;

/// How much is shown.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Configurations; 0 for all.
    pub configurations: usize,
    /// Distinct schedules; 0 for all.
    pub schedules: usize,
}

/// Lines of so many characters at most, pictures apart.
pub fn text(
    spec: &SweepSpec,
    plan: &Plan,
    tree: &Tree,
    existing: Option<&Existing>,
    extent: Extent,
    width: usize,
    style: terminal::Style,
) -> String {
    let mut text = headline(spec, plan);
    text.push('\n');
    match spec.search {
        Search::Grid => {
            for line in plan.factorisation.lines() {
                // A `String` takes everything, here and below.
                let _infallible = writeln!(text, "    {}", within(line, LONGEST));
            }
        }
        Search::Samples { sampler, samples, seed } => {
            let how = match sampler {
                Sampler::Random => "drawn",
                Sampler::Sobol => "spread evenly (Sobol)",
            };
            let _infallible =
                writeln!(text, "    {} {how} with seed {seed}", plural(samples, "sample"));
        }
    }
    if 0 < plan.removed {
        let _infallible =
            writeln!(text, "{} removed by `where`", plural(plan.removed, "configuration"));
    }
    text.push_str(&merged(plan, extent.configurations));
    text.push_str(&rungs(spec, plan, tree));
    text.push_str(&tree::summary(plan, tree, extent.configurations, style.charset));
    if let Some(Existing { difference: Difference { added, kept, removed }, pace, at_once }) =
        existing
    {
        let _infallible = writeln!(
            text,
            "beside the sweep as it is: {} added, {} kept, {} removed",
            plural(*added, "trial"),
            count(*kept),
            count(*removed)
        );
        text.push_str(&forecast::text(tree, pace, *at_once, spec.run.keep));
    }
    text.push_str(&schedules(plan, extent.schedules, style));
    text.push_str(&followed(plan, extent.schedules, style));
    text.push_str(&configurations_table(plan, extent.configurations, width));
    wrapped(&text, width)
}

/// `quickstart: 150 trials = 30 configurations × 5 seeds`.
pub fn headline(spec: &SweepSpec, plan: &Plan) -> String {
    format!(
        "{}: {} = {} × {}",
        spec.name,
        plural(plan.trials.len() as u64, "trial"),
        plural(plan.configurations.len() as u64, "configuration"),
        plural(spec.seeds.len() as u64, "seed")
    )
}

/// Where configurations are judged, and what that cannot save less than.
fn rungs(spec: &SweepSpec, plan: &Plan, tree: &Tree) -> String {
    let Some(stop) = &spec.stop else { return String::new() };
    let judged: Vec<_> = plan.configurations.iter().filter_map(|it| it.rungs.as_ref()).collect();
    let lists: BTreeSet<&Vec<u64>> = judged.iter().map(|rungs| &rungs.steps).collect();
    let list = |rungs: &Vec<u64>| rungs.iter().map(|&step| count(step)).collect::<Vec<_>>();
    let longest = lists.iter().max_by_key(|rungs| rungs.len());
    let Some(longest) = longest else {
        return "nothing is stopped early: every trial ends before the first rung\n".to_owned();
    };
    let (keep, least) = (stop.rule.keep * 100.0, plural(stop.rule.least, "other"));
    let others = if lists.len() == 1 { "" } else { " (other steps for some)" };
    let mut text = format!(
        "judged after steps {}{others}: at each the best {keep:.0}% go on, once {least} were seen; {} without that\n",
        list(longest).join(", "),
        plural(tree.steps(), "step"),
    );
    let is_within = stop.within.iter().any(|within| within.name == "schedule");
    if plan.differing().contains("schedule") && !is_within {
        text.push_str(
            "warning: schedules differ, and one that keeps the rate high is worse early, whatever comes of it: compare equal ones with `within = [\"schedule\"]` under [stop]\n",
        );
    }
    text
}

/// Which configurations are the same computation as another.
fn merged(plan: &Plan, limit: usize) -> String {
    if plan.merged.is_empty() {
        return String::new();
    }
    let mut like: BTreeMap<u64, Vec<&Merged>> = BTreeMap::new();
    for merged in &plan.merged {
        like.entry(merged.into).or_default().push(merged);
    }
    let found = plan.configurations.iter().map(|found| (found.point, &found.parameters));
    let names: BTreeMap<u64, _> = found.collect();
    let number = plan.merged.len() as u64;
    let mut text = match number {
        1 => "1 configuration computes the same as another and is not run again:\n".to_owned(),
        _ => format!("{number} configurations compute the same as others and are not run again:\n"),
    };
    let shown = if limit == 0 { plan.merged.len() } else { limit };
    let lines =
        like.iter().flat_map(|(into, merged)| merged.iter().map(move |merged| (into, merged)));
    for (into, merged) in lines.take(shown) {
        let into = names.get(into).map(|into| parameters(into)).unwrap_or_default();
        let _infallible = writeln!(text, "    {} = {into}", parameters(&merged.parameters));
    }
    if shown < plan.merged.len() {
        let more = count((plan.merged.len() - shown) as u64);
        let _infallible = writeln!(text, "    … {more} more; --all shows them");
    }
    text
}

/// Every distinct schedule, peaks apart.
fn schedules(plan: &Plan, limit: usize, style: terminal::Style) -> String {
    let all = distinct(plan);
    let shown = if limit == 0 { all.len() } else { limit.min(all.len()) };
    let mut text = String::new();
    for schedule in &all[..shown] {
        text.push('\n');
        text.push_str(&drawn(schedule, style));
    }
    if shown < all.len() {
        let more = plural((all.len() - shown) as u64, "schedule");
        let _infallible = writeln!(text, "\n… {more} more; --all shows them");
    }
    text
}

fn drawn(schedule: &Distinct, style: terminal::Style) -> String {
    let Distinct { scheduled, steps, .. } = *schedule;
    let name = within(&schedule.name(), LONGEST).into_owned();
    let unknown = match scheduled.plateau {
        Some(_) => ", and at most this: evaluations lower it (?)",
        None => "",
    };
    format!(
        "{name}: {}\n    peak {}; {}{unknown}\n{}",
        within(&schedule.profile(), LONGEST),
        peaks(&schedule.peaks()),
        profile_facts(scheduled, steps),
        draw(&profile_picture(&name, scheduled, steps), style)
    )
}

/// All of a few; of many how many, and between which.
fn peaks(peaks: &[f64]) -> String {
    const FEW: usize = 8;
    match peaks {
        [lowest, .., highest] if FEW < peaks.len() => {
            format!(
                "{} to {}, {} of them",
                rate(*lowest),
                rate(*highest),
                count(peaks.len() as u64)
            )
        }
        few => few.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// Every distinct schedule of another parameter than the learning rate.
fn followed(plan: &Plan, limit: usize, style: terminal::Style) -> String {
    let mut seen = BTreeSet::new();
    let mut drawings = Vec::new();
    for configuration in &plan.configurations {
        let steps = configuration.length.steps;
        for (name, profile) in &configuration.profiles {
            if !seen.insert((name, &profile.text, steps)) {
                continue;
            }
            let (lowest, highest) = profile.resolved.extremes(steps);
            drawings.push(format!(
                "\n{} follows {}\n    from {} to {}\n{}",
                plain(name),
                within(&short(&profile.written), LONGEST),
                rate(lowest),
                rate(highest),
                draw(&value_picture(name, profile, steps), style)
            ));
        }
    }
    let shown = if limit == 0 { drawings.len() } else { limit.min(drawings.len()) };
    let mut text = drawings[..shown].concat();
    if shown < drawings.len() {
        let more = plural((drawings.len() - shown) as u64, "schedule");
        let _infallible = writeln!(text, "\n… {more} of other parameters more; --all shows them");
    }
    text
}

fn configurations_table(plan: &Plan, limit: usize, width: usize) -> String {
    let differing = plan.differing();
    let mut names: Vec<&str> = differing.into_iter().collect();
    names.sort_by_key(|name| *name != "schedule");
    if names.is_empty() {
        return String::new();
    }
    let shown =
        if limit == 0 { plan.configurations.len() } else { limit.min(plan.configurations.len()) };
    let mut rows: Vec<Vec<String>> = Vec::new();
    let is_open_ended = plan.configurations.iter().all(|it| it.length.steps == OPEN_ENDED);
    let steps = (!is_open_ended).then_some("steps");
    rows.push(names.iter().copied().chain(steps).map(str::to_owned).collect());
    for configuration in &plan.configurations[..shown] {
        let value = |name: &&str| {
            configuration.parameters.get(*name).map_or(String::new(), ToString::to_string)
        };
        let steps = (!is_open_ended).then(|| configuration.length.steps.to_string());
        rows.push(names.iter().map(value).chain(steps).collect());
    }
    let table = Table::new(columns(&rows, 0), Some(width));
    let mut text = format!("\n{}", table.text(Look::Rounded));
    text.push_str(&table.left_out("a wider terminal shows them"));
    if shown < plan.configurations.len() {
        let more = (plan.configurations.len() - shown) as u64;
        let _infallible =
            writeln!(text, "… {} more; --all shows them", plural(more, "configuration"));
    }
    text
}

#[cfg(test)]
mod tests {
    use pleach_core::{
        plan::{Known, Length, Lengths, PlanError, plan},
        program::{Kind, Parameter, Program},
        spec::read,
        value::Value,
    };
    use pleach_schedule::draw::terminal::{Charset, Ink};

    use super::*;

    const SWEEP: &str = r#"
[sweep]
name = "x"
objective = { metric = "loss", goal = "min" }
seeds = [1, 2]
[space]
peak = [0.1, 0.3]
[space.schedule.cosine]
warmup = ["0%", "10%"]
[space.schedule.wsd]
cooldown = ["20%", "0%"]
[space.schedule.step]
gamma = [0.5, 1.0]
[space.schedule.plateau]
momentum = ["mirror(lo=0.85,hi=0.95)", "0.9 > 0.5 50%, hold"]
"#;

    #[test]
    fn a_plan_draws_each_schedule_once_and_says_what_is_the_same() {
        let spec = read("x.toml", SWEEP).unwrap();
        let program = Program {
            name: "toy".to_owned(),
            numerics: "toy-1".to_owned(),
            checkpoints: true,
            parameters: vec![Parameter {
                name: "momentum".to_owned(),
                kind: Kind::Float { min: Some(0.0), max: Some(1.0) },
                default: Some(Value::Float(0.0)),
                doc: String::new(),
                length: false,
                only: None,
                role: None,
                per_step: true,
            }],
            metrics: vec!["loss".to_owned()],
            needs: std::collections::BTreeMap::new(),
            takes: pleach_core::program::Takes::Listed,
        };
        let mut lengths = Lengths::default();
        let Err(PlanError::Unmeasured(asked)) = plan(&spec, &program, &lengths) else {
            panic!("nobody said yet how long it trains");
        };
        for asked in asked {
            let length = Length { steps: 100, steps_per_epoch: 10, data: String::new(), lanes: 1 };
            lengths.insert(&asked, Ok(length));
        }
        let planned = plan(&spec, &program, &lengths).unwrap();
        let style =
            terminal::Style { width: 60, height: 4, charset: Charset::Ascii, ink: Ink::Plain };
        let existing = Existing {
            difference: Difference { added: 8, kept: 4, removed: 0 },
            pace: Pace { steps: 100, milliseconds: 5000, ..Pace::default() },
            at_once: 2,
        };
        let extent = Extent { configurations: 5, schedules: 6 };
        let tree = planned.tree(&Known::default());
        insta::assert_snapshot!(text(&spec, &planned, &tree, Some(&existing), extent, 120, style));
    }
}
