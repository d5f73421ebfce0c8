//! Everything about one trial.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write, os::unix::ffi::OsStrExt, path::Path};

use pleach_core::{
    class::{Budgets, Tally},
    life::{Ending, StageStatus, TrialStatus},
    objective::Objective,
    plain::{is_unprintable, plain, within},
    plan::command::OPEN_ENDED,
    stop::{Saying, Verdict},
};
use pleach_schedule::draw::{Curve, Floor, Picture, terminal};
use pleach_store::{Provenance, StageDetail, TrialDetail};

use crate::{
    format::{count, done_early, number, plural, size, steps, took},
    table::{Look, Table, columns},
};

/// Characters of a value or a reason, at most.
const LONGEST: usize = 500;

/// So many evaluations are shown.
const EVALUATIONS: usize = 12;

/// `budgets` are those that hold now; of all metrics only those of `chosen` are shown, if there are any. Tables have so many
/// columns at most.
pub fn text(
    detail: &TrialDetail,
    objective: &Objective,
    budgets: &Budgets,
    chosen: &[String],
    width: usize,
    style: terminal::Style,
) -> String {
    let mut text = String::new();
    // A `String` takes everything.
    let _infallible = writeln!(
        text,
        "trial {}, key {}, seed {}: {}",
        detail.trial.0,
        detail.key,
        detail.seed,
        match detail.early() {
            Some(early) => done_early(early),
            None if detail.stopped_by().is_some() => "stopped early".to_owned(),
            None => status(detail.status).to_owned(),
        }
    );
    for given in &detail.verdicts {
        let _infallible = writeln!(text, "    {}", verdict(given, objective));
    }
    if let Some(value) = detail.objective {
        let _infallible = writeln!(text, "{} {}", plain(&objective.metric), number(value, 6));
    } else if let Some((step, value)) = detail.curve(&objective.metric).last() {
        let (metric, value) = (plain(&objective.metric), number(*value, 6));
        let _infallible =
            writeln!(text, "{metric} {value} after step {step}, the last value so far");
    }
    text.push_str(&made(detail));
    for (name, value) in &detail.parameters {
        let line = format!("{name} = {value}");
        let _infallible = writeln!(text, "    {}", within(&line, LONGEST));
    }
    for stage in &detail.path {
        let shared = match stage.trials {
            0 | 1 => String::new(),
            2 => ", shared with another trial".to_owned(),
            trials => format!(", shared with {} other trials", count(trials - 1)),
        };
        let attempts = match stage.attempts.len() as u64 {
            0 => "never begun".to_owned(),
            attempts => plural(attempts, "attempt") + ":",
        };
        let _infallible =
            writeln!(text, "\nsteps {} to {}{shared}, {attempts}", stage.first, steps(stage.end));
        let mut tally = Tally::default();
        for attempt in &stage.attempts {
            let seconds = attempt.ended.map(|ended| (ended.0 - attempt.started.0) as f64 / 1000.0);
            let to = attempt.step.map_or(String::new(), |step| format!(" to {}", steps(step)));
            let _infallible = writeln!(
                text,
                "    attempt {}: from step {}{to}{}, {}",
                attempt.attempt.0,
                attempt.from,
                seconds.map_or(String::new(), |seconds| format!(" in {}", took(seconds))),
                attempt.ending.as_ref().map_or("running".to_owned(), ending)
            );
            if let Some(class) = attempt.ending.as_ref().and_then(Ending::class) {
                let rule = budgets.rule(class, tally.count(class));
                let _infallible = writeln!(text, "        {rule}");
            }
            for warning in &attempt.warnings {
                let _infallible = writeln!(text, "        warning: {warning}");
            }
            if let Some(usage) = attempt.usage {
                let _infallible = writeln!(
                    text,
                    "        took {} of memory and {} of processors",
                    size(usage.memory),
                    took(usage.cpu as f64 / 1000.0)
                );
            }
        }
        if !stage.digest.is_empty() {
            let _infallible = writeln!(text, "    digest {}", plain(&stage.digest));
        }
    }
    let points = detail.curve(&objective.metric);
    if 2 < points.len() {
        let steps = detail.metrics.last().map_or(0, |(step, _)| *step);
        let name = objective.metric.clone();
        let picture = Picture {
            curves: vec![Curve { name, points, lowest: None }],
            steps,
            floor: Floor::Lowest,
        };
        let _infallible =
            write!(text, "\n{}:\n{}", plain(&objective.metric), terminal::draw(&picture, style));
    }
    if !detail.metrics.is_empty() {
        text.push('\n');
        text.push_str(&metrics(detail, &objective.metric, chosen, width));
    }
    text
}

/// `3 000 of 3 000 steps, in 1m 20s`.
fn made(detail: &TrialDetail) -> String {
    let attempts = || detail.path.iter().flat_map(|stage| &stage.attempts);
    let is_done = |stage: &&StageDetail| {
        matches!(stage.status, StageStatus::Done | StageStatus::Rebuilding(_))
    };
    let done = detail.path.iter().take_while(is_done).last().map(|stage| stage.end);
    let done = detail.early().map(|[step, _]| step).or(done);
    let tried = attempts().filter_map(|attempt| attempt.step);
    let measured = detail.metrics.last().map(|(step, _)| *step);
    let Some(made) = done.into_iter().chain(tried).chain(measured).max() else {
        return String::new();
    };
    let took = attempts().filter_map(|it| Some((it.ended?.0 - it.started.0) as f64 / 1000.0));
    let end = detail.path.last().map(|stage| stage.end).filter(|end| *end != OPEN_ENDED);
    let of = end.map_or(String::new(), |end| format!(" of {}", count(end)));
    // What was measured beyond is measured again.
    let made = count(end.map_or(made, |end| made.min(end)));
    format!("{made}{of} steps, in {}\n", self::took(took.sum()))
}

/// With what and where a trial was run.
pub fn provenance(provenance: &Provenance) -> String {
    let names = provenance.facts.iter().map(|(name, _)| name.len());
    let width = names.max().unwrap_or(0);
    let line = |(name, value): &(String, String)| {
        format!("{:width$}  {}\n", plain(name), within(value, LONGEST))
    };
    let lines = provenance.facts.iter().map(line);
    lines.collect()
}

/// What a person would type to run a program of their own, in a shell: where, with which variables, with which arguments.
pub fn command(
    directory: &Path,
    environment: &BTreeMap<String, String>,
    arguments: &[String],
) -> String {
    let mut text = format!("cd {} &&\n", quoted(directory.as_os_str().as_bytes()));
    for (name, value) in environment {
        // `env` takes any name; a shell does not.
        let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let variable = if is_plain {
            format!("{name}={}", quoted(value.as_bytes()))
        } else {
            format!("env {}", quoted(format!("{name}={value}").as_bytes()))
        };
        let _infallible = writeln!(text, "{variable} \\");
    }
    let arguments: Vec<String> =
        arguments.iter().map(|argument| quoted(argument.as_bytes())).collect();
    text + &arguments.join(" ") + "\n"
}

/// One word of a shell, the same when it is pasted. What a terminal would obey, or a person would not see, is spelled: `$'\x1b'`, which
/// bash, zsh, ksh, busybox and POSIX from 2024 on understand.
fn quoted(word: &[u8]) -> String {
    let is_spelled = |c: char| c != '\n' && is_unprintable(c);
    if let Ok(text) = str::from_utf8(word)
        && !text.contains(is_spelled)
    {
        // A NUL is spelled, and everything else can be quoted.
        return shlex::try_quote(text).map_or_else(|_| text.to_owned(), Cow::into_owned);
    }
    let mut quoted = "$'".to_owned();
    for chunk in word.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' | '\'' => quoted.extend(['\\', c]),
                _ if is_unprintable(c) => spell(&mut quoted, c.encode_utf8(&mut [0; 4]).as_bytes()),
                _ => quoted.push(c),
            }
        }
        spell(&mut quoted, chunk.invalid());
    }
    quoted + "'"
}

fn spell(quoted: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _infallible = match byte {
            b'\n' => write!(quoted, "\\n"),
            b'\t' => write!(quoted, "\\t"),
            b'\r' => write!(quoted, "\\r"),
            _ => write!(quoted, "\\x{byte:02x}"),
        };
    }
}

fn metrics(detail: &TrialDetail, objective: &str, chosen: &[String], width: usize) -> String {
    let mut names: Vec<&str> = detail
        .metrics
        .iter()
        .flat_map(|(_, values)| values)
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable_by_key(|name| (*name != objective, *name));
    names.dedup();
    if !chosen.is_empty() {
        names = chosen.iter().map(String::as_str).collect();
    }
    let head = std::iter::once("step").chain(names.iter().copied()).map(str::to_owned);
    let mut rows = vec![head.collect::<Vec<_>>()];
    let skipped = detail.metrics.len().saturating_sub(EVALUATIONS);
    for (step, values) in detail.metrics.iter().skip(skipped) {
        let value = |name: &&str| {
            let found = values.iter().find(|(other, _)| other == name);
            found.map_or(String::new(), |(_, value)| number(*value, 4))
        };
        rows.push(std::iter::once(step.to_string()).chain(names.iter().map(value)).collect());
    }
    // The objective comes first, and stays.
    let table = Table::new(columns(&rows, 2), Some(width));
    let mut text = table.text(Look::Rounded) + &table.left_out("`--metrics NAME,NAME` shows them");
    if 0 < skipped {
        let _infallible = writeln!(
            text,
            "{} before are left out; `pleach export SWEEP --as csv --table metrics` has all",
            plural(skipped as u64, "evaluation")
        );
    }
    text
}

pub(crate) fn status(status: TrialStatus) -> &'static str {
    match status {
        TrialStatus::Waiting => "not yet done",
        TrialStatus::Done => "done",
        TrialStatus::Diverged => "diverged: its loss stopped being finite",
        TrialStatus::Failed => "failed",
        TrialStatus::Stopped => "stopped by a person",
    }
}

/// `was stopped at the rung after step 938: 7th of 9 by val_accuracy (0.91), of which the best 5 go on`.
pub(crate) fn verdict(verdict: &Verdict, objective: &Objective) -> String {
    let Verdict { step, value, place, of, kept, saying, .. } = verdict;
    let value = value.map_or(String::new(), |value| format!(" ({})", number(value, 4)));
    let metric = plain(&objective.metric);
    let ending = match (place % 10, place % 100) {
        (1, hundred) if hundred != 11 => "st",
        (2, hundred) if hundred != 12 => "nd",
        (3, hundred) if hundred != 13 => "rd",
        _ => "th",
    };
    let how = format!("{place}{ending} of {of} by {metric}{value}, of which the best {kept} go on");
    match saying {
        Saying::Stop => format!("was stopped at the rung after step {step}: {how}"),
        Saying::GoOn if *place == 0 => format!("went on after step {step}: it has no {metric}"),
        Saying::GoOn if kept == of => {
            format!("went on after step {step}, as one of the first {of}: {metric}{value}")
        }
        Saying::GoOn => format!("went on after step {step}: {how}"),
    }
}

pub(crate) fn ending(ending: &Ending) -> String {
    match ending {
        Ending::Done => "done".to_owned(),
        Ending::Diverged => "diverged".to_owned(),
        Ending::Rebuilt => "trained again for its state, which was not on disk any more".to_owned(),
        Ending::Unusable(why) => {
            format!(
                "did not begin, since the checkpoint to start from could not be used: {}",
                within(why, LONGEST)
            )
        }
        // Older versions had no words for some.
        Ending::Failed(class, why) if why.is_empty() => format!("failed: {}", class.name()),
        Ending::Failed(_, why) => format!("failed: {}", within(why, LONGEST)),
        Ending::Interrupted => "interrupted".to_owned(),
        Ending::Lost => "lost with its coordinator or worker, charged to nobody".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_trial_was_run_with_is_shown() {
        let fact = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let facts = vec![fact("pleach", "0.1.0"), fact("code", "commit 4ab and changes")];
        insta::assert_snapshot!(provenance(&Provenance { facts, difference: None }), @r"
        pleach  0.1.0
        code    commit 4ab and changes
        ");
    }

    #[test]
    fn a_command_can_be_pasted_into_a_shell() {
        let environment = [("A", "1"), ("B.C", "x y"), ("D", "it's")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let arguments = [
            "sh",
            "train.sh",
            "--lr=0.1",
            "",
            "$(rm -rf /)",
            "a\nb",
            "\x1b[31m'\\red\x08\x7f\r\n\t",
            "a\u{202e}b",
            "\u{9b}m",
            "ä é",
        ]
        .map(str::to_owned);
        insta::assert_snapshot!(command(Path::new("/a b"), &environment.into(), &arguments), @r#"
        cd '/a b' &&
        A=1 \
        env 'B.C=x y' \
        D="it's" \
        sh train.sh '--lr=0.1' '' '$(rm -rf /)' 'a
        b' $'\x1b[31m\'\\red\x08\x7f\r\n\t' $'a\xe2\x80\xaeb' $'\xc2\x9bm' 'ä é'
        "#);
        assert_eq!(quoted(b"a\xffb"), r"$'a\xffb'");
    }

    use pleach_core::{
        class::Class,
        event::Usage,
        key::Key,
        life::{AttemptId, ConfigurationId, StageId, TrialId},
        objective::{Goal, Reduce},
        value::Value,
        warning::Warning,
    };
    use pleach_store::{AttemptDetail, Standing, Time};

    #[test]
    fn a_trial_is_shown_with_its_attempts_and_evaluations() {
        let attempt = |id, from, step, ending| AttemptDetail {
            attempt: AttemptId(id),
            from,
            step: Some(step),
            started: Time(1000),
            ended: Some(Time(3500)),
            usage: matches!(ending, Ending::Done).then_some(Usage { memory: 3 << 29, cpu: 1234 }),
            warnings: vec![Warning::new(
                "a line that cannot be read was left out",
                40,
                Some(12),
                "`x`",
            )],
            ending: Some(ending),
        };
        let detail = TrialDetail {
            verdicts: Vec::new(),
            trial: TrialId(3),
            configuration: ConfigurationId(1),
            parameters: [("peak".to_owned(), Value::Float(0.1))].into(),
            seed: 2,
            key: Key::of("x"),
            status: TrialStatus::Done,
            objective: Some(0.97),
            standing: Standing::Current,
            path: vec![StageDetail {
                stage: StageId(1),
                key: Key::of("y"),
                first: 0,
                end: 40,
                status: StageStatus::Done,
                trials: 12,
                digest: "ab".to_owned(),
                attempts: vec![
                    attempt(
                        1,
                        0,
                        20,
                        Ending::Failed(Class::Crash, "killed by signal 9".to_owned()),
                    ),
                    attempt(2, 10, 40, Ending::Done),
                ],
                checkpoints: Vec::new(),
            }],
            metrics: (1..=4)
                .map(|n| {
                    (
                        10 * n,
                        vec![("loss".to_owned(), f64::NAN), ("acc".to_owned(), n as f64 / 5.0)],
                    )
                })
                .collect(),
        };
        let objective =
            Objective { metric: "acc".to_owned(), goal: Goal::Max, reduce: Reduce::Last };
        let (charset, ink) = (terminal::Charset::Ascii, terminal::Ink::Plain);
        let style = terminal::Style { width: 60, height: 8, charset, ink };
        insta::assert_snapshot!(text(&detail, &objective, &Budgets::default(), &[], 120, style));
    }
}
