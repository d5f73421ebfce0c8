//! Why a trial is not running, or not done: in plain words, and what to do about it.

use pleach_core::{
    class::{Budgets, Tally},
    life::{AttemptId, ConfigurationId, Ending, StageId, StageStatus, TrialStatus},
    objective::Objective,
    plain::{plain, within},
    sweep::{Progress, Wait},
    warning::Warning,
};
use pleach_store::{AttemptDetail, Standing, TrialDetail};
use serde::Serialize;

use crate::{
    format::{duration, number, plural, steps},
    show,
};

/// All that is known of a trial and of whoever runs its sweep.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    pub sweep: &'a str,
    pub objective: &'a Objective,
    pub detail: &'a TrialDetail,
    pub budgets: &'a Budgets,
    pub coordinator: Coordinator,
    /// None of a trial that has ended.
    pub wait: Option<Wait>,
}

/// Who runs the sweep now.
#[derive(Clone, Debug)]
pub enum Coordinator {
    /// Somebody, who says how far it is, if it was asked for more than a moment.
    Running(Option<Progress>),
    Stopping,
    /// Nobody: why, if the last one said so.
    Nobody(Option<String>),
}

/// What is so, why, and what a person can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    pub trial: u32,
    /// One word for programs: `done`, `diverged`, `failed`, `stopped`, `removed`, `retried`, `running`, `stage` (its beginning
    /// is being trained), `turn`, `apart`, `state`, `verdict`, `paused`, `stopping`, `nobody`.
    pub because: &'static str,
    pub text: String,
    /// What to do, with the command.
    pub advice: Option<String>,
    /// What was odd in what it said of its metrics.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

impl Explanation {
    pub fn text(&self) -> String {
        let advice = self.advice.as_ref().map_or(String::new(), |advice| format!("{advice}\n"));
        let warnings = self.warnings.iter().map(|warning| format!("warning: {warning}\n"));
        format!("trial {} {}\n{advice}{}", self.trial, self.text, warnings.collect::<String>())
    }

    pub fn json(&self) -> String {
        // Plain values always serialize.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

pub fn explain(known: &Known) -> Explanation {
    let Known { detail, sweep, .. } = known;
    let trial = detail.trial.0;
    let (because, text, advice) = match (detail.standing, detail.status) {
        (Standing::Retried(later), _) => {
            let text = format!("was run again as trial {}", later.0);
            (
                "retried",
                text,
                Some(format!("ask for that one: `pleach explain {sweep} {}`", later.0)),
            )
        }
        (Standing::Removed, status) => {
            let text = format!(
                "is not in the sweep any more ({}): the file as it was last accepted does not hold it",
                show::status(status)
            );
            let advice =
                "to have it again, write it into the file and run that: what it has is kept";
            ("removed", text, Some(advice.to_owned()))
        }
        (Standing::Current, TrialStatus::Done) => done(known),
        (Standing::Current, TrialStatus::Diverged) => {
            let text = "has diverged: its loss stopped being finite. That is a result, which ranks below every number";
            ("diverged", text.to_owned(), Some(again(sweep, trial)))
        }
        (Standing::Current, TrialStatus::Stopped) => {
            let text = match detail.stopped_by() {
                Some(verdict) => show::verdict(verdict, known.objective),
                None => "was stopped by a person".to_owned(),
            };
            ("stopped", text, Some(again(sweep, trial)))
        }
        (Standing::Current, TrialStatus::Failed) => {
            let advice = format!(
                "all that it wrote: `pleach logs {sweep} {trial}`; when the cause is gone, {}",
                again(sweep, trial)
            );
            ("failed", failed(known), Some(advice))
        }
        (Standing::Current, TrialStatus::Waiting) => waiting(known),
    };
    Explanation { trial, because, text, advice, warnings: detail.warnings().cloned().collect() }
}

type Because = (&'static str, String, Option<String>);

fn again(sweep: &str, trial: u32) -> String {
    format!("`pleach retry {sweep} {trial}` and `pleach resume {sweep}` run it again")
}

fn done(Known { sweep, objective, detail, .. }: &Known) -> Because {
    let value = detail.objective.map_or(String::new(), |value| {
        format!(": {} {}", plain(&objective.metric), number(value, 6))
    });
    let mut attempts = detail.path.iter().flat_map(|stage| &stage.attempts);
    let last = attempts.rfind(|attempt| attempt.ending == Some(Ending::Done));
    let place = last.map_or(String::new(), |attempt| format!(", in attempt {}", attempt.attempt.0));
    let advice = format!("everything about it: `pleach show {sweep} {}`", detail.trial.0);
    ("done", format!("is done{place}{value}"), Some(advice))
}

/// Which stage of a trial failed for good, how often, and its last words.
fn failed(Known { detail, budgets, .. }: &Known) -> String {
    let Some(stage) = detail.path.iter().find(|stage| stage.status == StageStatus::Failed) else {
        return "has failed".to_owned();
    };
    let charged = |attempt: &&AttemptDetail| matches!(attempt.ending, Some(Ending::Failed(..)));
    let charged: Vec<&AttemptDetail> = stage.attempts.iter().filter(charged).collect();
    let part = part(detail, stage.stage);
    match charged.as_slice() {
        [] => format!(
            "has failed without having run {part}: the state at step {} that it starts from cannot be made again",
            stage.first
        ),
        [.., last] => {
            let times = match charged.len() {
                1 => "once".to_owned(),
                2 => "twice".to_owned(),
                times => format!("{times} times"),
            };
            let ending = last.ending.as_ref().map_or(String::new(), show::ending);
            let classes = charged.iter().filter_map(|attempt| attempt.ending.as_ref()?.class());
            let mut tally = Tally::default();
            let rules = classes.map(|class| budgets.rule(class, tally.count(class)));
            let rule = rules.last().unwrap_or_default();
            format!(
                "has failed for good: it was tried {times} in {part}. The last one, attempt {}, {ending}\n    {rule}",
                last.attempt.0
            )
        }
    }
}

fn waiting(known: &Known) -> Because {
    let Known { sweep, detail, coordinator, wait, .. } = known;
    let (because, next) = wait.map(|wait| next(detail, wait, coordinator)).unwrap_or_default();
    let runs = matches!(wait, Some(Wait::Trains { .. }));
    match coordinator {
        Coordinator::Nobody(why) => {
            let why = why.as_ref().map_or(String::new(), |why| format!(" ({})", within(why, 500)));
            let next = match *wait {
                Some(Wait::Trains { stage, attempt }) => cut_off(detail, stage, attempt),
                _ => format!(", then {next}"),
            };
            let text = format!("waits because nobody runs the sweep{why}{next}");
            ("nobody", text, Some(format!("go on with `pleach resume {sweep}`")))
        }
        Coordinator::Stopping if !runs => {
            let text = "waits because the sweep is being stopped: nothing more is begun".to_owned();
            let advice = format!("once it has stopped, go on with `pleach resume {sweep}`");
            ("stopping", text, Some(advice))
        }
        Coordinator::Running(Some(progress)) if progress.is_paused && !runs => {
            let text = format!("waits because the sweep is paused, then {next}");
            ("paused", text, Some(format!("let it go on with `pleach pause {sweep} --off`")))
        }
        Coordinator::Running(_) | Coordinator::Stopping if because == "running" => {
            (because, next, None)
        }
        Coordinator::Running(_) | Coordinator::Stopping => (because, format!("waits {next}"), None),
    }
}

/// What it waits for, and a word for that.
fn next(detail: &TrialDetail, wait: Wait, coordinator: &Coordinator) -> (&'static str, String) {
    let part = |id: StageId| part(detail, id);
    let reached = |id, attempt| reached(detail, id, attempt, coordinator);
    match wait {
        Wait::Trains { stage, attempt: AttemptId(number) } => {
            let place = reached(stage, AttemptId(number));
            if detail.path.last().is_some_and(|last| last.stage == stage) {
                return ("running", format!("runs: attempt {number}{place}"));
            }
            ("stage", format!("for attempt {number} to train {}{place}", part(stage)))
        }
        Wait::Turn { stage, ahead } => {
            let (part, pause) = (part(stage), pause(detail, stage));
            ("turn", format!("for a slot to train {part}, {}{pause}", in_line(ahead)))
        }
        Wait::Apart { stage, ahead } => {
            let (part, line) = (part(stage), in_line(ahead));
            let text = format!(
                "for everything else: a worker died while it trained {part}, so that runs again by itself when nothing else waits, {line}"
            );
            ("apart", text)
        }
        Wait::Verdict { step, on } => {
            let who = match on {
                Some(on) if on == detail.configuration => {
                    ": its other seeds are still to come there".to_owned()
                }
                Some(ConfigurationId(on)) => format!(
                    ": configurations are judged in a drawn order, and configuration {on}, which comes before it, has not come there yet"
                ),
                None => String::new(),
            };
            ("verdict", format!("for its verdict at the rung after step {step}{who}"))
        }
        Wait::State { stage, missing, attempt, ahead } => {
            let from = detail.path.iter().find(|other| other.stage == stage);
            let from = from.map_or(0, |stage| stage.first);
            let how = match attempt {
                Some(attempt) => {
                    let place = reached(missing, attempt);
                    format!("attempt {} trains {} again{place}", attempt.0, part(missing))
                }
                None => format!("{} are trained again, {}", part(missing), in_line(ahead)),
            };
            ("state", format!("for its state at step {from}, which is not on disk: {how}"))
        }
    }
}

/// How long a stage is left alone that may do better later.
fn pause(detail: &TrialDetail, stage: StageId) -> String {
    let stage = detail.path.iter().find(|other| other.stage == stage);
    let attempts = stage.map_or(&[][..], |stage| &stage.attempts);
    let class = |attempt: &AttemptDetail| attempt.ending.as_ref().and_then(Ending::class);
    let Some((last, of)) = attempts.last().and_then(|last| Some((last, class(last)?))) else {
        return String::new();
    };
    let times = attempts.iter().filter(|attempt| class(attempt) == Some(of)).count() as u32;
    match of.pause(times) {
        0 => String::new(),
        micros => format!(
            ", but not before {} have passed since attempt {} ({})",
            duration(micros as f64 / 1e6),
            last.attempt.0,
            of.name()
        ),
    }
}

fn in_line(ahead: usize) -> String {
    match ahead {
        0 => "first in line".to_owned(),
        _ => format!("with {} before it in line", plural(ahead as u64, "stage")),
    }
}

/// `steps 0 to 100 (shared with 11 other trials)`, or `its training`.
fn part(detail: &TrialDetail, stage: StageId) -> String {
    let Some(stage) = detail.path.iter().find(|other| other.stage == stage) else {
        return "what comes next".to_owned();
    };
    let shared = match stage.trials {
        0 | 1 => String::new(),
        trials => format!(" (shared with {})", plural(trials - 1, "other trial")),
    };
    match detail.path.len() {
        1 => format!("its steps{shared}"),
        _ => format!("steps {} to {}{shared}", stage.first, steps(stage.end)),
    }
}

/// How far an attempt is, as far as anybody knows.
fn reached(
    detail: &TrialDetail,
    stage: StageId,
    attempt: AttemptId,
    coordinator: &Coordinator,
) -> String {
    let end = detail.path.iter().find(|other| other.stage == stage).map(|stage| stage.end);
    let progress = match coordinator {
        Coordinator::Running(progress) => progress.as_ref(),
        _ => None,
    };
    let running = progress.and_then(|it| it.running.iter().find(|it| it.attempt == attempt));
    match (running, end) {
        (Some(running), Some(end)) => format!(", at step {} of {}", running.step, steps(end)),
        _ => String::new(),
    }
}

/// Where training goes on that was cut off.
fn cut_off(detail: &TrialDetail, stage: StageId, attempt: AttemptId) -> String {
    let stage = detail.path.iter().find(|other| other.stage == stage);
    let saved = stage.and_then(|stage| stage.checkpoints.last());
    let first = stage.map_or(0, |stage| stage.first);
    let from = match saved {
        Some(saved) => format!("goes on from step {}", saved.step),
        None => format!("begins again from step {first}"),
    };
    format!("; attempt {} was cut off, and it {from}", attempt.0)
}

#[cfg(test)]
mod tests;
