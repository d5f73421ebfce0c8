//! All sweeps at a glance.

use tabled::{builder::Builder, settings::Style};

use crate::format::{count, duration};

/// One sweep.
#[derive(Clone, Debug)]
pub struct Sweep {
    pub name: String,
    /// Trials that have ended.
    pub done: u64,
    pub trials: u64,
    /// Of these, badly.
    pub failed: u64,
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

pub fn table(sweeps: &[Sweep]) -> String {
    if sweeps.is_empty() {
        return "no sweeps yet; start one with `pleach run FILE`\n".to_owned();
    }
    let mut builder = Builder::new();
    builder.push_record(["sweep", "trials", "failed", "state", "last change"]);
    for sweep in sweeps {
        let state = match &sweep.state {
            State::Running => "running".to_owned(),
            State::Paused => "paused".to_owned(),
            State::Stopping => "stopping".to_owned(),
            State::Complete => "complete".to_owned(),
            State::Interrupted => "interrupted".to_owned(),
            State::Unreadable(why) => why.clone(),
        };
        builder.push_record([
            sweep.name.clone(),
            format!("{}/{}", count(sweep.done), count(sweep.trials)),
            if sweep.failed == 0 { String::new() } else { count(sweep.failed) },
            state,
            sweep.age.map_or(String::new(), |age| format!("{} ago", duration(age))),
        ]);
    }
    format!("{}\n", builder.build().with(Style::rounded()))
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
        insta::assert_snapshot!(table(&sweeps), @"
    ╭───────┬────────┬────────┬────────────────────────┬─────────────╮
    │ sweep │ trials │ failed │ state                  │ last change │
    ├───────┼────────┼────────┼────────────────────────┼─────────────┤
    │ a     │ 12/12  │        │ complete               │ 1m 30s ago  │
    │ b     │ 3/12   │ 9      │ interrupted            │ 1m 30s ago  │
    │ c     │ 0/12   │ 12     │ made by a newer pleach │             │
    ╰───────┴────────┴────────┴────────────────────────┴─────────────╯
    ");
        insta::assert_snapshot!(table(&[]), @"no sweeps yet; start one with `pleach run FILE`");
    }
}
