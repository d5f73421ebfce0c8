//! Code for other libraries: how it reads, and that the code for Candle computes the very rates.
//! `scripts/goldens/snippets` runs all of it in the libraries.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{fmt::Write, path::Path};

use pleach_schedule::{
    duration::Horizon,
    resolved::Resolved,
    schedule::Schedule,
    snippet::{Framework, snippet},
};

#[rustfmt::skip]
#[expect(
    unreachable_pub,
    clippy::pedantic,
    reason = "each is made to be a file of its own, in any project"
)]
#[path = "snippets/candle.rs"]
mod candle;

const HORIZON: Horizon = Horizon { steps: 300, steps_per_epoch: 30 };

/// The names and the schedules of `snippets.txt`.
fn schedules() -> impl Iterator<Item = (&'static str, Resolved)> {
    include_str!("snippets.txt").lines().map(|line| {
        let (name, schedule) = line.split_once('|').unwrap();
        let schedule: Schedule = schedule.trim().parse().unwrap();
        (name.trim(), schedule.resolve(HORIZON).unwrap())
    })
}

fn code(framework: Framework) -> String {
    let mut text = String::new();
    for (name, schedule) in schedules() {
        let code = snippet(&schedule, None, HORIZON.steps, framework);
        writeln!(text, "# ==== {name}\n\n{code}").unwrap();
    }
    text
}

#[test]
fn code_for_python_reads_like_that_of_a_person() {
    for framework in [Framework::PyTorch, Framework::Keras, Framework::Optax] {
        insta::assert_snapshot!(framework.name(), code(framework));
    }
}

/// Every snippet in a module of its own, without its comments.
fn modules() -> String {
    let mut text = String::from(
        "//! Made by `UPDATE=1 cargo test -p pleach-schedule snippets`: code for Candle, a module for each schedule.\n",
    );
    let mut rates = String::new();
    for (name, schedule) in schedules() {
        let code = snippet(&schedule, None, HORIZON.steps, Framework::Candle);
        writeln!(text, "\nmod {name} {{").unwrap();
        for line in code.lines().filter(|line| !line.is_empty() && !line.starts_with("//")) {
            writeln!(text, "    {line}").unwrap();
        }
        text.push_str("}\n");
        writeln!(rates, "    (\"{name}\", {name}::rate),").unwrap();
    }
    text.push_str("\npub(super) type Rate = fn(u64) -> f64;\n");
    write!(text, "\npub(super) const RATES: &[(&str, Rate)] = &[\n{rates}];\n").unwrap();
    text
}

#[test]
fn code_for_candle_is_compiled() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snippets/candle.rs");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, modules()).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap();
    assert_eq!(kept, modules(), "renew it: UPDATE=1 cargo test -p pleach-schedule snippets");
}

#[test]
fn code_for_candle_computes_the_same_rates() {
    let mut schedules = schedules();
    for (name, rate) in candle::RATES {
        let (other, schedule) = schedules.next().unwrap();
        assert_eq!(*name, other);
        for step in 0..HORIZON.steps {
            let (exact, rate) = (schedule.at(step), rate(step));
            let error = (rate - exact).abs() / schedule.peak();
            assert!(error < 1e-12, "{name}, step {step}: {rate} is not {exact}");
        }
    }
    assert!(schedules.next().is_none());
}
