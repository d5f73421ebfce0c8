//! The tree of a plan: what its trials have in common, and how much that saves.

use std::{collections::BTreeMap, fmt::Write};

use pleach_core::{
    plan::{Plan, Tree, command::OPEN_ENDED},
    spec::Share,
};
use pleach_schedule::draw::terminal::Charset;

use crate::format::{count, plural};

/// How many steps there are to train, and what is shared. At most `limit` lines of stages; 0 for all.
pub fn summary(plan: &Plan, tree: &Tree, limit: usize, charset: Charset) -> String {
    let alone: u64 = plan.trials.iter().map(|trial| trial.course.steps()).sum();
    let steps = tree.steps();
    if OPEN_ENDED <= alone {
        return "every trial as long as its program takes\n".to_owned();
    }
    let mut text = format!("{} to train", plural(steps, "step"));
    if plan.share == Share::No {
        return text + ", every trial by itself\n";
    }
    if steps == alone {
        return text + ": no trials have a beginning in common that is worth a checkpoint\n";
    }
    // A `String` takes everything, here and below.
    let _infallible = writeln!(
        text,
        " instead of {}, {:.1}× less: trials train what they have in common once",
        count(alone),
        alone as f64 / steps as f64
    );
    let _infallible = writeln!(
        text,
        "on disk, besides what `keep` allows: up to {} for each stage that runs, from which others start, and two of its own (their size is known once one was saved)",
        plural(forks(tree), "state")
    );
    let lines = lines(&shapes(tree), charset);
    let shown = if limit == 0 { lines.len() } else { limit.min(lines.len()) };
    for line in &lines[..shown] {
        let _infallible = writeln!(text, "    {line}");
    }
    if shown < lines.len() {
        let more = plural((lines.len() - shown) as u64, "line");
        let _infallible = writeln!(text, "    … {more} more; --all shows them");
    }
    text
}

/// How often a trial's way forks, at most.
pub(crate) fn forks(tree: &Tree) -> u64 {
    let mut depths = Vec::with_capacity(tree.stages.len());
    for stage in &tree.stages {
        depths.push(stage.parent.map_or(0, |parent: usize| depths[parent] + 1));
    }
    depths.into_iter().max().unwrap_or(0)
}

/// Equal branches of a tree: their steps, their trials and what branches off at their end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    first: u64,
    end: u64,
    trials: u64,
    branches: Vec<(Shape, u64)>,
}

/// The shapes of the whole trees, and how many there are of each.
fn shapes(tree: &Tree) -> Vec<(Shape, u64)> {
    let mut children: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (index, stage) in tree.stages.iter().enumerate() {
        children.entry(stage.parent).or_default().push(index);
    }
    below(tree, &children, None)
}

fn below(
    tree: &Tree,
    children: &BTreeMap<Option<usize>, Vec<usize>>,
    parent: Option<usize>,
) -> Vec<(Shape, u64)> {
    let mut shapes: BTreeMap<Shape, u64> = BTreeMap::new();
    for &index in children.get(&parent).into_iter().flatten() {
        let stage = &tree.stages[index];
        let branches = below(tree, children, Some(index));
        let (first, end) = (stage.stage.first, stage.stage.end);
        *shapes.entry(Shape { first, end, trials: stage.trials, branches }).or_default() += 1;
    }
    shapes.into_iter().collect()
}

/// A line for every shape, those that share nothing last.
fn lines(shapes: &[(Shape, u64)], charset: Charset) -> Vec<String> {
    let mut lines = Vec::new();
    for (shape, number) in branching_first(shapes) {
        lines.push(line(shape, *number));
        draw(&shape.branches, "", charset, &mut lines);
    }
    lines
}

fn draw(shapes: &[(Shape, u64)], lead: &str, charset: Charset, lines: &mut Vec<String>) {
    let (branch, last, through) = match charset {
        Charset::Unicode => ("├ ", "└ ", "│ "),
        Charset::Ascii => ("|-", "`-", "| "),
    };
    for (index, (shape, number)) in branching_first(shapes).into_iter().enumerate() {
        let (mark, rest) = if index + 1 == shapes.len() { (last, "  ") } else { (branch, through) };
        lines.push(format!("{lead}{mark}{}", line(shape, *number)));
        draw(&shape.branches, &format!("{lead}{rest}"), charset, lines);
    }
}

fn branching_first(shapes: &[(Shape, u64)]) -> Vec<&(Shape, u64)> {
    let mut sorted: Vec<&(Shape, u64)> = shapes.iter().collect();
    sorted.sort_by_key(|(shape, _)| shape.branches.is_empty());
    sorted
}

/// `3 × steps 0 to 600, each of 6 trials`.
fn line(shape: &Shape, number: u64) -> String {
    let Shape { first, end, trials, .. } = shape;
    let steps = format!("steps {first} to {end}");
    match (number, *trials) {
        (1, 1) => steps,
        (1, trials) => format!("{steps} of {}", plural(trials, "trial")),
        (number, 1) => format!("{} × {steps}", count(number)),
        (number, trials) => {
            format!("{} × {steps}, each of {}", count(number), plural(trials, "trial"))
        }
    }
}
