//! Code for other libraries: how it reads, and that the code for Candle computes the very rates.
//! `scripts/goldens/snippets` runs all of it in the libraries.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{fmt::Write, path::Path};

use pleach_schedule::{
    duration::Horizon,
    plateau::PlateauState,
    schedule::Schedule,
    snippet::{Framework, Optimizer, snippet},
};

#[rustfmt::skip]
#[expect(
    unreachable_pub,
    clippy::pedantic,
    reason = "each is made to be a file of its own, in any project"
)]
#[path = "snippets/candle.rs"]
mod candle;
#[rustfmt::skip]
#[expect(
    unreachable_pub,
    clippy::pedantic,
    reason = "each is made to be a file of its own, in any project"
)]
#[path = "snippets/plateaus.rs"]
mod plateaus;

const HORIZON: Horizon = Horizon { steps: 300, steps_per_epoch: 30 };

/// Evaluations that a rule may lower the rate at come after every so many steps.
const EVERY: usize = 5;

/// The names and the schedules of `snippets.txt`.
fn schedules() -> Vec<(&'static str, Schedule)> {
    read(include_str!("snippets.txt"))
}

/// Those of `plateaus.txt`.
fn ruled() -> Vec<(&'static str, Schedule)> {
    read(include_str!("snippets/plateaus.txt"))
}

fn read(lines: &'static str) -> Vec<(&'static str, Schedule)> {
    let lines = lines.lines().map(|line| line.split_once('|').unwrap());
    lines.map(|(name, schedule)| (name.trim(), schedule.trim().parse().unwrap())).collect()
}

fn code(schedule: &Schedule, framework: Framework) -> String {
    let resolved = schedule.resolve(HORIZON).unwrap();
    snippet(&resolved, schedule.plateau.as_ref(), HORIZON.steps, (framework, Optimizer::Sgd))
}

#[test]
fn code_for_python_reads_like_that_of_a_person() {
    for framework in [Framework::PyTorch, Framework::Keras, Framework::Optax] {
        for (file, schedules) in [("", schedules()), ("_plateaus", ruled())] {
            let mut text = String::new();
            for (name, schedule) in schedules {
                writeln!(text, "# ==== {name}\n\n{}", code(&schedule, framework)).unwrap();
            }
            insta::assert_snapshot!(format!("{}{file}", framework.name()), text);
        }
    }
}

/// Every snippet in a module of its own, without its comments.
fn modules(schedules: &[(&str, Schedule)]) -> String {
    let mut text = String::from(
        "//! Made by `UPDATE=1 cargo test -p pleach-schedule snippets`: code for Candle, a module for each schedule.\n",
    );
    let mut rates = String::new();
    for (name, schedule) in schedules {
        let code = code(schedule, Framework::Candle);
        writeln!(text, "\nmod {name} {{").unwrap();
        for line in code.lines().filter(|line| !line.is_empty() && !line.starts_with("//")) {
            writeln!(text, "    {line}").unwrap();
        }
        text.push_str("}\n");
        match &schedule.plateau {
            None => writeln!(rates, "    (\"{name}\", {name}::rate),").unwrap(),
            Some(_) => writeln!(
                rates,
                "    (\"{name}\", |steps, metrics| {{ let mut plateau = {name}::Plateau::default(); super::follow(steps, metrics, {name}::rate, |metric| {{ plateau.observe(metric); plateau.multiplier }}) }}),"
            )
            .unwrap(),
        }
    }
    let of =
        if rates.contains("metrics") { "fn(u64, &[f64]) -> Vec<f64>" } else { "fn(u64) -> f64" };
    write!(
        text,
        "\npub(super) type Rate = {of};\n\npub(super) const RATES: &[(&str, Rate)] = &[\n{rates}];\n"
    )
    .unwrap();
    text
}

/// Rates with evaluations in between, each of which tells a new multiplier.
fn follow(
    steps: u64,
    metrics: &[f64],
    rate: fn(u64) -> f64,
    mut observe: impl FnMut(f64) -> f64,
) -> Vec<f64> {
    let mut multiplier = 1.0;
    let mut follow = |step| {
        if let (Some(before), 0) = ((step as usize / EVERY).checked_sub(1), step as usize % EVERY) {
            multiplier = observe(metrics[before]);
        }
        rate(step) * multiplier
    };
    (0..steps).map(&mut follow).collect()
}

/// Falls, and then no longer much.
fn metrics() -> Vec<f64> {
    let metric = |n: u32| {
        let n = f64::from(n);
        1.0 / (1.0 + n / 4.0) + 0.02 * (n * n).sin()
    };
    (0..HORIZON.steps as u32 / EVERY as u32).map(metric).collect()
}

fn ruled_rates(schedule: &Schedule) -> Vec<f64> {
    let (resolved, rule) = (schedule.resolve(HORIZON).unwrap(), schedule.plateau.as_ref().unwrap());
    let (mut state, mut rates) = (PlateauState::default(), Vec::new());
    for step in 0..HORIZON.steps {
        if let (Some(before), 0) = ((step as usize / EVERY).checked_sub(1), step as usize % EVERY) {
            rule.observe(&mut state, metrics()[before]);
        }
        rates.push(resolved.at(step) * state.multiplier);
    }
    rates
}

/// What the rules make of the metrics, for `scripts/goldens/snippets`.
fn rates_of_rules() -> String {
    let of = |(name, schedule): (&str, Schedule)| {
        serde_json::json!({
            "name": name, "schedule": schedule.to_string(), "rates": ruled_rates(&schedule),
        })
    };
    let schedules: Vec<_> = ruled().into_iter().map(of).collect();
    let all = serde_json::json!({ "every": EVERY, "metrics": metrics(), "schedules": schedules });
    format!("{all}\n")
}

#[test]
fn each_rule_lowers_the_rate() {
    let lowered = |schedule: &Schedule| {
        let planned = schedule.resolve(HORIZON).unwrap();
        let rates = ruled_rates(schedule);
        rates.iter().zip(0..).filter(|(rate, step)| **rate != planned.at(*step)).count()
    };
    let steps: Vec<usize> = ruled().iter().map(|(_, schedule)| lowered(schedule)).collect();
    assert!(steps.iter().all(|steps| 20 < *steps), "{steps:?}");
}

#[test]
fn code_for_candle_is_compiled() {
    let made = [
        ("candle.rs", modules(&schedules())),
        ("plateaus.rs", modules(&ruled())),
        ("plateaus.json", rates_of_rules()),
    ];
    for (name, made) in made {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snippets").join(name);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap();
        assert_eq!(kept, made, "renew it: UPDATE=1 cargo test -p pleach-schedule snippets");
    }
}

#[test]
fn code_for_candle_computes_the_same_rates() {
    let compare = |name: &str, schedule: &Schedule, exact: &[f64], rates: &[f64]| {
        for (step, (exact, rate)) in exact.iter().zip(rates).enumerate() {
            let error = (rate - exact).abs() / schedule.peak;
            assert!(error < 1e-12, "{name}, step {step}: {rate} is not {exact}");
        }
    };
    let (planned, ruled) = (schedules(), ruled());
    assert_eq!((planned.len(), ruled.len()), (candle::RATES.len(), plateaus::RATES.len()));
    for ((name, schedule), (other, rate)) in planned.iter().zip(candle::RATES) {
        assert_eq!(name, other);
        let resolved = schedule.resolve(HORIZON).unwrap();
        let exact: Vec<f64> = (0..HORIZON.steps).map(|step| resolved.at(step)).collect();
        let rates: Vec<f64> = (0..HORIZON.steps).map(rate).collect();
        compare(name, schedule, &exact, &rates);
    }
    for ((name, schedule), (other, rates)) in ruled.iter().zip(plateaus::RATES) {
        assert_eq!(name, other);
        compare(name, schedule, &ruled_rates(schedule), &rates(HORIZON.steps, &metrics()));
    }
}
