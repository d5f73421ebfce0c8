//! What a sample of a program's output measures: to try a pattern before anything runs.

use std::{collections::BTreeSet, fmt::Write};

use pleach_core::{
    output::{Evaluation, Form, Reader, Strictness},
    plain::within,
};

use crate::{
    format::{count, number, plural},
    table::{Look, PIPE, Table, columns},
};

/// So many evaluations are shown from the beginning, and so many from the end.
const SHOWN: usize = 10;

/// So many metrics are named.
const NAMED: usize = 20;

/// Whether a program that says this has an objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    Good,
    Bad,
}

/// Every evaluation in a sample, what is odd in it, and whether the objective is measured.
pub fn text(
    form: Form,
    objective: &str,
    strictness: Strictness,
    sample: &[u8],
) -> (String, Judgement) {
    let mut reader = Reader::new(form, objective, None);
    let mut evaluations: Vec<Evaluation> = Vec::new();
    reader.read(sample, &mut evaluations);
    reader.finish(None, &mut evaluations);
    let mut text = table(&evaluations);
    let seen = reader.seen();
    let names = seen.keys().take(NAMED).map(|name| format!("`{}`", within(name, 60)));
    let mut names: Vec<String> = names.collect();
    if NAMED < seen.len() {
        names.push(format!("{} more", count((seen.len() - NAMED) as u64)));
    }
    // A `String` takes everything.
    let _infallible = if names.is_empty() {
        writeln!(text, "nothing is measured")
    } else {
        let evaluations = plural(evaluations.len() as u64, "evaluation");
        writeln!(text, "{evaluations} of {}", names.join(", "))
    };
    let is_measured = reader.seen().contains_key(objective);
    for warning in reader.warnings().all() {
        let _infallible = writeln!(text, "warning: {warning}");
    }
    let objection = reader.objection().filter(|_| strictness == Strictness::Strict);
    let _infallible = match (is_measured, objection) {
        (true, None) => {
            let _infallible = writeln!(text, "the objective `{objective}` is among them");
            return (text, Judgement::Good);
        }
        (true, Some(why)) => writeln!(text, "with `strict`, a trial that says this fails: {why}"),
        (false, _) => {
            writeln!(text, "the objective `{objective}` is not: a trial that says this fails")
        }
    };
    (text, Judgement::Bad)
}

fn table(evaluations: &[Evaluation]) -> String {
    if evaluations.is_empty() {
        return String::new();
    }
    let names: BTreeSet<&str> =
        evaluations.iter().flat_map(|it| it.values.keys()).map(String::as_str).collect();
    let head = std::iter::once("step").chain(names.iter().copied()).map(str::to_owned);
    let mut rows = vec![head.collect::<Vec<_>>()];
    for (index, Evaluation { step, values }) in evaluations.iter().enumerate() {
        if SHOWN <= index && index + SHOWN < evaluations.len() {
            if index == SHOWN {
                rows.push(vec!["…".to_owned()]);
            }
            continue;
        }
        let value =
            |name: &&str| values.get(*name).map_or(String::new(), |value| number(*value, 4));
        rows.push(std::iter::once(step.to_string()).chain(names.iter().map(value)).collect());
    }
    let table = Table::new(columns(&rows, 1), Some(PIPE));
    table.text(Look::Rounded) + &table.left_out("they are measured as well")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shown(form: &str, sample: &str) -> String {
        text(form.parse().unwrap(), "loss", Strictness::Lenient, sample.as_bytes()).0
    }

    #[test]
    fn a_sample_is_shown_as_it_would_be_measured() {
        let epochs: Vec<String> =
            (1..=30).map(|n| format!("epoch {n}: loss={} acc=0.5", 1.0 / f64::from(n))).collect();
        let pattern = r"epoch (?<step>\d+): loss=(?<loss>\S+)( acc=(?<acc>\S+))?";
        insta::assert_snapshot!(shown(pattern, &epochs.join("\n")));
    }

    #[test]
    fn what_would_fail_a_trial_is_said() {
        let texts = [
            shown("jsonl", "{\"step\": 1, \"los\": 0.5}\n"),
            shown("jsonl", "epoch 1\n"),
            shown("jsonl", "{\"loss\": 0.5, \"step\": 2}\n{\"loss\": 0.5, \"step\": 1}\n"),
            shown(r"loss: (?<loss>\S+)", "epoch 1 loss=0.3\n"),
        ];
        insta::assert_snapshot!(texts.join("\n"));
        let odd = b"{\"step\": 2, \"loss\": 1}\nbar\n{\"step\": 1, \"loss\": 1}\n";
        let strict = text(Form::Jsonl, "loss", Strictness::Strict, odd);
        assert_eq!(strict.1, Judgement::Bad);
        insta::assert_snapshot!(strict.0);
        assert_eq!(text(Form::Jsonl, "loss", Strictness::Lenient, odd).1, Judgement::Good);
    }
}
