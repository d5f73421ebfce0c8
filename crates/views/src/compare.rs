//! Trials side by side: what they differ in, what they share, how they learn.

use std::collections::BTreeSet;

use pleach_core::{objective::Objective, plain::plain, rank::differing, value::Parameters};
use pleach_schedule::draw::{Curve, Floor, Picture, terminal};
use pleach_store::TrialDetail;

use crate::{
    format::{number, steps},
    show,
    table::{Look, Table, columns},
};

/// A column for each trial, and their learning curves in one picture.
/// The table has so many columns at most, the picture those of its style.
pub fn text(
    trials: &[TrialDetail],
    objective: &Objective,
    width: usize,
    style: terminal::Style,
) -> String {
    let mut rows = Vec::new();
    let mut row = |name: &str, cell: &dyn Fn(&TrialDetail) -> String| {
        rows.push(std::iter::once(name.to_owned()).chain(trials.iter().map(cell)).collect());
    };
    row("trial", &|trial| trial.trial.0.to_string());
    let parameters: Vec<&Parameters> = trials.iter().map(|trial| &trial.parameters).collect();
    for name in differing(&parameters) {
        row(&name, &|trial| {
            trial.parameters.get(&name).map(ToString::to_string).unwrap_or_default()
        });
    }
    row("seed", &|trial| trial.seed.to_string());
    row("", &|trial| show::status(trial.status).to_owned());
    row(&objective.metric, &|trial| trial.objective.map_or(String::new(), |it| number(it, 6)));
    let names: BTreeSet<&str> = trials
        .iter()
        .filter_map(|trial| trial.metrics.last())
        .flat_map(|(_, values)| values)
        .map(|(name, _)| name.as_str())
        .filter(|name| *name != objective.metric)
        .collect();
    for name in names {
        row(&format!("{name}, last"), &|trial| last(trial, name));
    }
    let table = Table::new(columns(&rows, 1), Some(width));
    let table = table.text(Look::Rounded) + &table.left_out("compare fewer trials");
    let curve = |trial: &TrialDetail| Curve {
        name: format!("trial {}", trial.trial.0),
        points: trial.curve(&objective.metric),
        lowest: None,
    };
    let curves: Vec<Curve> =
        trials.iter().map(curve).filter(|curve| 1 < curve.points.len()).collect();
    let drawn = if curves.is_empty() {
        String::new()
    } else {
        let last = trials.iter().filter_map(|trial| trial.metrics.last()).map(|(step, _)| *step);
        let picture = Picture { curves, steps: last.max().unwrap_or(0), floor: Floor::Lowest };
        format!("\n{}:\n{}", plain(&objective.metric), terminal::draw(&picture, style))
    };
    format!("{table}{}{drawn}", shared(trials))
}

/// The value that a trial ends with.
fn last(trial: &TrialDetail, name: &str) -> String {
    let values = trial.metrics.last().map_or(&[][..], |(_, values)| values);
    let value = values.iter().find(|(other, _)| other == name);
    value.map_or(String::new(), |(_, value)| number(*value, 6))
}

/// Until which step they are one training.
fn shared(trials: &[TrialDetail]) -> String {
    let [first, others @ ..] = trials else { return String::new() };
    let is_of_all = |index: &usize| {
        let stage = first.path[*index].stage;
        others.iter().all(|other| other.path.get(*index).is_some_and(|it| it.stage == stage))
    };
    match (0..first.path.len()).take_while(is_of_all).last() {
        Some(index) if !others.is_empty() => {
            format!("one training until step {}\n", steps(first.path[index].end))
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use pleach_core::{
        key::Key,
        life::{ConfigurationId, StageId, StageStatus, TrialId, TrialStatus},
        objective::{Goal, Reduce},
        value::Value,
    };
    use pleach_store::{StageDetail, Standing};

    use super::*;

    fn trial(number: u32, cooldown: &str, values: [f64; 4]) -> TrialDetail {
        let stage = |stage, first, end| StageDetail {
            stage: StageId(stage),
            key: Key::of("y"),
            first,
            end,
            status: StageStatus::Done,
            trials: 2,
            digest: String::new(),
            attempts: Vec::new(),
            checkpoints: Vec::new(),
        };
        let measured = |(n, value): (u64, f64)| {
            (10 * n, vec![("acc".to_owned(), value), ("loss".to_owned(), 1.0 - value)])
        };
        TrialDetail {
            verdicts: Vec::new(),
            trial: TrialId(number),
            configuration: ConfigurationId(number),
            parameters: [
                ("peak".to_owned(), Value::Float(0.1)),
                ("cooldown".to_owned(), Value::Text(cooldown.to_owned())),
            ]
            .into(),
            seed: 1,
            key: Key::of("x"),
            status: TrialStatus::Done,
            objective: Some(values[3]),
            standing: Standing::Current,
            path: vec![stage(1, 0, 20), stage(1 + number, 20, 40)],
            metrics: (1..).zip(values).map(measured).collect(),
        }
    }

    #[test]
    fn trials_are_shown_side_by_side_with_what_they_share() {
        let objective =
            Objective { metric: "acc".to_owned(), goal: Goal::Max, reduce: Reduce::Last };
        let (charset, ink) = (terminal::Charset::Ascii, terminal::Ink::Plain);
        let style = terminal::Style { width: 60, height: 8, charset, ink };
        let trials = [trial(3, "20%", [0.2, 0.5, 0.6, 0.9]), trial(4, "40%", [0.2, 0.5, 0.7, 0.8])];
        insta::assert_snapshot!(text(&trials, &objective, 120, style));
    }
}
