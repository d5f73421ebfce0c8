//! The tree as lines of characters: heavy where it is trained, light where it is not yet.

use std::fmt::Write;

use pleach_core::{life::StageStatus, objective::Objective, plain::plain};
use pleach_schedule::draw::terminal::{Charset, Style};
use pleach_store::Branch;

use super::{Layout, Placed, result};
use crate::format::plural;

/// What stands for a trained stretch, one that is not, and a fork's first, middle, last and skipped line.
const UNICODE: [char; 6] = ['━', '┄', '┳', '┣', '┗', '┃'];
const ASCII: [char; 6] = ['=', '-', '+', '+', '`', '|'];

/// Room for what stands behind a line.
const LABEL: usize = 28;

/// At most `limit` lines; 0 for all.
pub fn text(branches: &[Branch], objective: &Objective, limit: usize, style: Style) -> String {
    let layout = Layout::new(branches, objective.goal, limit);
    let width = style.width.saturating_sub(LABEL).max(20);
    let signs = if style.charset == Charset::Ascii { ASCII } else { UNICODE };
    let mut lines = vec![vec![' '; width + 1]; layout.lines];
    let mut labels = vec![String::new(); layout.lines];
    let column =
        |step: u64| (step as f64 / layout.steps.max(1) as f64 * width as f64).round() as usize;
    for Placed { branch, line, branches } in &layout.placed {
        let [trained, untrained, first, middle, last, through] = signs;
        let is_trained = matches!(
            branch.status,
            StageStatus::Done | StageStatus::Rebuilding(_) | StageStatus::Diverged
        );
        for cell in &mut lines[*line][column(branch.first) + 1..=column(branch.end)] {
            *cell = if is_trained { trained } else { untrained };
        }
        if branch.first == 0 {
            lines[*line][0] = if is_trained { trained } else { untrained };
        }
        let fork = column(branch.end);
        if let [top, .., bottom] = branches.as_slice() {
            for (line, cells) in lines.iter_mut().enumerate().take(bottom + 1).skip(*top) {
                cells[fork] = match line {
                    line if line == *top => first,
                    line if line == *bottom => last,
                    line if branches.contains(&line) => middle,
                    _ => through,
                };
            }
        }
        if !branch.ending.is_empty() {
            if !labels[*line].is_empty() {
                labels[*line].push_str("; ");
            }
            labels[*line].push_str(&label(branch));
        }
    }
    let mut text = format!("0{:>width$} steps   {}\n", layout.steps, plain(&objective.metric));
    for (cells, label) in lines.iter().zip(&labels) {
        let cells: String = cells.iter().collect();
        // A `String` takes everything, here and below.
        let _infallible = writeln!(text, "{}", format!("{cells} {label}").trim_end());
    }
    let left_out = layout.left_out(branches);
    if 0 < left_out {
        let _infallible = writeln!(text, "… {} more; --all shows them", plural(left_out, "trial"));
    }
    text
}

/// `0.9140 (trial 3)`.
fn label(branch: &Branch) -> String {
    // Trials that end together have one result.
    let result =
        branch.ending.first().map_or(String::new(), |(_, status, value)| result(*status, *value));
    let names: Vec<String> = branch.ending.iter().map(|(trial, ..)| trial.0.to_string()).collect();
    let trials = if names.len() == 1 { "trial" } else { "trials" };
    format!("{result} ({trials} {})", names.join(", "))
}

#[cfg(test)]
mod tests {
    use pleach_core::{
        life::{StageId, TrialId, TrialStatus},
        objective::{Goal, Reduce},
    };
    use pleach_schedule::draw::terminal::Ink;

    use super::*;

    /// Two trees: a trunk with a shorter trial and three branches, one of which branches again; and one that diverged.
    fn branches() -> Vec<Branch> {
        let stage = |stage: u32, parent: Option<u32>, first, end, status| Branch {
            stage: StageId(stage),
            parent: parent.map(StageId),
            first,
            end,
            status,
            trials: 1,
            ending: Vec::new(),
            best: None,
        };
        let mut branches = vec![
            stage(1, None, 0, 600, StageStatus::Done),
            stage(2, Some(1), 600, 1000, StageStatus::Done),
            stage(3, Some(1), 600, 800, StageStatus::Done),
            stage(4, Some(3), 800, 1000, StageStatus::Done),
            stage(5, Some(3), 800, 1000, StageStatus::Waiting),
            stage(6, Some(1), 600, 1000, StageStatus::Waiting),
            stage(7, None, 0, 1000, StageStatus::Diverged),
        ];
        let mut end = |index: usize, trial, status, objective: Option<f64>| {
            branches[index].ending.push((TrialId(trial), status, objective));
            branches[index].best = objective;
        };
        end(0, 6, TrialStatus::Done, Some(0.5));
        end(1, 1, TrialStatus::Done, Some(0.7));
        end(3, 2, TrialStatus::Done, Some(0.9));
        end(4, 3, TrialStatus::Waiting, None);
        end(5, 4, TrialStatus::Waiting, None);
        end(6, 5, TrialStatus::Diverged, Some(f64::NAN));
        (branches[0].trials, branches[2].trials) = (5, 2);
        (branches[0].best, branches[2].best) = (Some(0.9), Some(0.9));
        branches
    }

    #[test]
    fn a_tree_is_drawn_over_its_steps() {
        let objective =
            Objective { metric: "acc".to_owned(), goal: Goal::Max, reduce: Reduce::Last };
        let style = |charset| Style { width: 70, height: 5, charset, ink: Ink::Plain };
        insta::assert_snapshot!(text(&branches(), &objective, 0, style(Charset::Unicode)));
        insta::assert_snapshot!(text(&branches(), &objective, 4, style(Charset::Ascii)));
    }

    #[test]
    fn a_picture_has_a_line_for_each_stage() {
        let objective =
            Objective { metric: "acc".to_owned(), goal: Goal::Max, reduce: Reduce::Last };
        insta::assert_snapshot!(super::super::svg(&branches(), &objective));
    }
}
