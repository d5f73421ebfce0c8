//! The texts of the screen: its head, and the rows of each pane.

use pleach_core::{life::TrialStatus, plain::plain};
use pleach_store::Time;
use ratatui::text::Span;

use super::{Coordinator, Pane, Running, Seen};
use crate::{
    board,
    curve::{Sparks, average},
    format::{self, count, duration, number, plural, with_spread},
    progress::{Line, line},
};

/// Characters of a stage's bar.
const BAR: usize = 8;

impl Seen {
    /// Current trials of that status.
    pub(super) fn trials(&self, status: TrialStatus) -> u64 {
        self.summary.trials.iter().filter(|(it, _)| *it == status).map(|(_, n)| n).sum()
    }

    fn waiting(&self) -> u64 {
        self.trials(TrialStatus::Waiting)
    }
}

/// The state of the sweep in words, and whether that asks for somebody.
pub(super) fn state(seen: &Seen) -> (String, bool) {
    let name = &seen.name;
    match &seen.coordinator {
        Coordinator::Known(live) if live.is_stopping => {
            ("stopping: what runs saves itself".to_owned(), false)
        }
        Coordinator::Known(live) if live.progress.is_paused => {
            ("paused: nothing more starts until p".to_owned(), false)
        }
        Coordinator::Known(live) => (format!("running, process {}", live.process), false),
        Coordinator::Silent => ("about to run".to_owned(), false),
        Coordinator::Nobody if !seen.running.is_empty() => {
            (format!("its coordinator died; go on with `pleach resume {name}`"), true)
        }
        Coordinator::Nobody if seen.waiting() == 0 => ("complete".to_owned(), false),
        Coordinator::Nobody => (format!("interrupted; go on with `pleach resume {name}`"), true),
    }
}

/// How far it is: the share of all steps, as far as somebody says it; else of the trials.
pub(super) fn share(seen: &Seen) -> f64 {
    if let Coordinator::Known(live) = &seen.coordinator
        && let Some(share) = live.progress.share()
    {
        return share;
    }
    let (ended, all) = ended(seen);
    ended as f64 / all.max(1) as f64
}

/// Trials that have ended, and all.
fn ended(seen: &Seen) -> (u64, u64) {
    match &seen.coordinator {
        Coordinator::Known(live) => (
            live.progress.trials - live.progress.waiting.min(live.progress.trials),
            live.progress.trials,
        ),
        Coordinator::Nobody | Coordinator::Silent => {
            let all = seen.summary.trials.iter().map(|(_, n)| n).sum::<u64>();
            (all - seen.waiting(), all)
        }
    }
}

pub(super) fn progress(seen: &Seen, now: Time) -> String {
    let seconds = |since: Time| (now.0 - since.0).max(0) as f64 / 1000.0;
    let (done, total) = ended(seen);
    let metric = &seen.summary.revision.objective.metric;
    let first = seen.board.rows().first();
    let best = first.and_then(|row| Some(with_spread(row.mean?, row.spread)));
    let live = match &seen.coordinator {
        Coordinator::Known(live) => Some(live),
        Coordinator::Nobody | Coordinator::Silent => None,
    };
    let changed = seen.summary.changed.unwrap_or(seen.summary.accepted);
    line(&Line {
        done,
        total,
        share: live.and_then(|live| live.progress.share()),
        running: live.map_or(0, |live| live.progress.running.len() as u64),
        failed: live.map_or(seen.trials(TrialStatus::Failed), |live| live.progress.failed),
        diverged: live.map_or(seen.trials(TrialStatus::Diverged), |live| live.progress.diverged),
        stopped: live.map_or(seen.trials(TrialStatus::Stopped), |live| live.progress.stopped),
        elapsed: live.map(|live| seconds(live.since)),
        remaining: live.and_then(|live| live.remaining),
        best: best.map(|best| format!("best {metric} {best}")),
        note: live.is_none().then(|| format!("last change {} ago", duration(seconds(changed)))),
    })
}

pub(super) fn title(seen: &Seen, pane: Pane) -> String {
    match pane {
        Pane::Running => match seen.running.len() {
            0 => "Running".to_owned(),
            n => format!("Running {n}"),
        },
        Pane::Board if seen.board.more() == 0 => "Board".to_owned(),
        Pane::Board => {
            let shown = seen.board.rows().len();
            format!("Board, the first {shown} of {}", count((shown + seen.board.more()) as u64))
        }
        Pane::Failures => match seen.failures.len() {
            0 => "Failures".to_owned(),
            n => format!("Failures of {}", plural(n as u64, "kind")),
        },
    }
}

/// The head of a pane's table, and its rows.
pub(super) fn table(seen: &Seen, pane: Pane, now: Time) -> Vec<Vec<String>> {
    match pane {
        Pane::Running => running(seen, now),
        Pane::Board => board(seen),
        Pane::Failures => failures(seen),
    }
}

fn running(seen: &Seen, now: Time) -> Vec<Vec<String>> {
    let metric = &seen.summary.revision.objective.metric;
    let head = ["trial", "worker", "steps", "for", metric, "curve", "parameters"];
    let values = seen.running.iter().flat_map(|it| it.curve.iter().map(|(_, value)| *value));
    let sparks = Sparks::new(values);
    let row = |it: &Running| {
        let others = if it.others == 0 { String::new() } else { format!(" +{}", count(it.others)) };
        let since = it.since.map(|since| duration((now.0 - since.0).max(0) as f64 / 1000.0));
        let parameters = it.setting.as_ref().map(|it| format::parameters(&it.parameters));
        vec![
            format!("{}{others}", it.trial.0),
            it.worker.map_or("–".to_owned(), |worker| worker.0.to_string()),
            steps(it),
            since.unwrap_or_default(),
            it.curve.last().map_or(String::new(), |(_, value)| number(*value, 4)),
            sparks.line(&average([it.curve.as_slice()])),
            parameters.unwrap_or_default(),
        ]
    };
    with_head(&head, seen.running.iter().map(row))
}

/// `███░░░░░ 120/400`.
fn steps(running: &Running) -> String {
    let Running { first, end, .. } = *running;
    let Some(step) = running.step else { return format!("{first} to {}", format::steps(end)) };
    let share = step.saturating_sub(first) as f64 / end.saturating_sub(first).max(1) as f64;
    format!("{} {step}/{}", bar(share, BAR), format::steps(end))
}

/// So many characters, filled to that share.
pub(super) fn bar(share: f64, width: usize) -> String {
    let full = ((share.clamp(0.0, 1.0) * width as f64) as usize).min(width);
    "█".repeat(full) + &"░".repeat(width - full)
}

fn board(seen: &Seen) -> Vec<Vec<String>> {
    let metric = &seen.summary.revision.objective.metric;
    let mut head = vec!["#", metric, "curve", "seeds", "state", "trials"];
    head.extend(seen.board.columns().iter().map(String::as_str));
    let sparks = seen.board.sparks();
    let row = |row: &board::Row| {
        let mut cells = vec![
            board::ranks(row),
            board::shown_value(row),
            sparks.line(&row.curve),
            format!("{}/{}", row.seeds_done, row.seeds),
            row.state.clone(),
            board::trials(&row.trials),
        ];
        let value = |name| row.parameters.get(name).map_or(String::new(), ToString::to_string);
        cells.extend(seen.board.columns().iter().map(value));
        cells
    };
    with_head(&head, seen.board.rows().iter().map(row))
}

fn failures(seen: &Seen) -> Vec<Vec<String>> {
    let head = ["failed", "trials", "attempts", "why"];
    let rows = seen.failures.iter().map(|failure| {
        let kind = &failure.kind;
        let lost = kind.lost().count() as u64;
        vec![count(lost), count(kind.trials.len() as u64), count(kind.attempts), kind.why.clone()]
    });
    with_head(&head, rows)
}

fn with_head(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let head = head.iter().map(|name| (*name).to_owned()).collect();
    std::iter::once(head).chain(rows).collect()
}

/// Rows with their columns below each other, the first one to the right. Nothing in them can move the cursor.
pub(super) fn aligned(table: &[Vec<String>]) -> Vec<String> {
    let clean = |row: &Vec<String>| row.iter().map(|cell| clean(cell)).collect::<Vec<_>>();
    let table: Vec<Vec<String>> = table.iter().map(clean).collect();
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let width = |cell: &String| Span::raw(cell.as_str()).width();
    let widths: Vec<usize> = (0..columns)
        .map(|column| table.iter().filter_map(|row| row.get(column)).map(width).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(index, (cell, column))| {
            let gap = " ".repeat(column.saturating_sub(width(cell)));
            if index == 0 { gap + cell } else { format!("{cell}{gap}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    table.iter().map(line).collect()
}

/// In one line, and without characters that a terminal would obey.
pub(super) fn clean(text: &str) -> String {
    plain(text).into_owned()
}
