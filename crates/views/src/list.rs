//! All sweeps at a glance.

use crate::{
    format::{count, duration, number, percent},
    table::{Column, Look, Table},
};

/// One sweep.
#[derive(Clone, Debug)]
pub struct Sweep {
    pub name: String,
    /// Trials that have ended.
    pub done: u64,
    pub trials: u64,
    /// Of these, badly.
    pub failed: u64,
    /// Of all steps, those that are made, while somebody says so.
    pub share: Option<f64>,
    /// The best result, with its metric.
    pub best: Option<String>,
    /// Further metrics, the last values of the best trial.
    pub metrics: Vec<(String, Option<f64>)>,
    /// While at least one trial was trained, in seconds.
    pub seconds: Option<f64>,
    pub state: State,
    /// Seconds since something was written.
    pub age: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A coordinator has it now.
    Running,
    /// It has, and a person lets it start nothing more.
    Paused,
    /// It was asked to stop.
    Stopping,
    Complete,
    /// Something is left to do.
    Interrupted,
    /// It cannot be read; says why.
    Unreadable(String),
}

/// In so many columns of a terminal. What there is no room for goes in this order: the last change, the time, failures, steps,
/// long states, further metrics, the best result, trials, the state.
pub fn table(sweeps: &[Sweep], width: Option<usize>) -> String {
    if sweeps.is_empty() {
        return "no sweeps yet; start one with `pleach run FILE`\n".to_owned();
    }
    let state = |sweep: &Sweep| match &sweep.state {
        State::Running => "running".to_owned(),
        State::Paused => "paused".to_owned(),
        State::Stopping => "stopping".to_owned(),
        State::Complete => "complete".to_owned(),
        State::Interrupted => "interrupted".to_owned(),
        State::Unreadable(why) => why.clone(),
    };
    let cells = |cell: &dyn Fn(&Sweep) -> String| sweeps.iter().map(cell).collect::<Vec<_>>();
    let trials = cells(&|it| format!("{}/{}", count(it.done), count(it.trials)));
    let failed = cells(&|it| if it.failed == 0 { String::new() } else { count(it.failed) });
    let mut columns = vec![
        Column::new("sweep", cells(&|it| it.name.clone())),
        Column::new("trials", trials).until(8),
        Column::new("steps", cells(&|it| it.share.map_or(String::new(), percent))).right().until(4),
        Column::new("failed", failed).until(3),
        Column::new("best", cells(&|it| it.best.clone().unwrap_or_default())).until(7),
    ];
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in sweeps.iter().flat_map(|sweep| &sweep.metrics) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let value = |it: &Sweep| {
            let found = it.metrics.iter().find(|(other, _)| other == name);
            found.and_then(|(_, value)| *value).map_or(String::new(), |value| number(value, 4))
        };
        columns.push(Column::new(name, cells(&value)).until(6));
    }
    columns.extend([
        Column::new("time", cells(&|it| it.seconds.map_or(String::new(), duration)))
            .right()
            .until(2),
        Column::new("state", cells(&state)).cut(5, 12).until(9),
        Column::new(
            "last change",
            cells(&|it| it.age.map_or(String::new(), |age| format!("{} ago", duration(age)))),
        )
        .until(1),
    ]);
    Table::new(columns, width).text(Look::Rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_are_listed() {
        let sweep = |name: &str, done, state| Sweep {
            name: name.to_owned(),
            done,
            trials: 12,
            failed: 12 - done,
            share: (done == 3).then_some(0.376),
            best: (3 < done).then(|| "val_accuracy 0.9712".to_owned()),
            metrics: vec![("val_loss".to_owned(), (3 < done).then_some(1e69))],
            seconds: Some(75.0),
            state,
            age: Some(90.0),
        };
        let sweeps = [
            sweep("a", 12, State::Complete),
            sweep("b", 3, State::Interrupted),
            Sweep {
                age: None,
                ..sweep("c", 0, State::Unreadable("made by a newer pleach".to_owned()))
            },
        ];
        insta::assert_snapshot!(table(&sweeps, Some(120)), @"
        ╭───────┬────────┬───────┬────────┬─────────────────────┬──────────┬────────┬────────────────────────┬─────────────╮
        │ sweep │ trials │ steps │ failed │ best                │ val_loss │   time │ state                  │ last change │
        ├───────┼────────┼───────┼────────┼─────────────────────┼──────────┼────────┼────────────────────────┼─────────────┤
        │ a     │ 12/12  │       │        │ val_accuracy 0.9712 │ 1.000e69 │ 1m 15s │ complete               │ 1m 30s ago  │
        │ b     │ 3/12   │   38% │ 9      │                     │          │ 1m 15s │ interrupted            │ 1m 30s ago  │
        │ c     │ 0/12   │       │ 12     │                     │          │ 1m 15s │ made by a newer pleach │             │
        ╰───────┴────────┴───────┴────────┴─────────────────────┴──────────┴────────┴────────────────────────┴─────────────╯
        ");
        insta::assert_snapshot!(table(&sweeps, Some(60)), @"
        ╭───────┬────────┬─────────────────────┬──────────────╮
        │ sweep │ trials │ best                │ state        │
        ├───────┼────────┼─────────────────────┼──────────────┤
        │ a     │ 12/12  │ val_accuracy 0.9712 │ complete     │
        │ b     │ 3/12   │                     │ interrupted  │
        │ c     │ 0/12   │                     │ made b…leach │
        ╰───────┴────────┴─────────────────────┴──────────────╯
        ");
        insta::assert_snapshot!(table(&[], None), @"no sweeps yet; start one with `pleach run FILE`");
    }
}
