//! Plateau rules: one machine against three libraries' own, written here as those libraries work.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use pleach_schedule::{
    plateau::{Best, Direction, Monitor, Plateau, PlateauState, Threshold},
    schedule::Schedule,
};
use proptest::prelude::*;

/// The multiplier after each evaluation.
fn multipliers(plateau: &Plateau, metrics: &[f64]) -> Vec<f64> {
    let mut state = PlateauState::default();
    let after = metrics.iter().map(|&metric| {
        plateau.observe(&mut state, metric);
        state.multiplier
    });
    after.collect()
}

#[track_caller]
fn check(rule: &str, metrics: &[f64], expected: &[f64]) {
    assert_eq!(multipliers(&rule.parse().unwrap(), metrics), expected, "{rule}");
}

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

#[test]
fn the_rate_falls_after_more_bad_evaluations_than_are_forgiven() {
    let rule = "plateau(factor=0.5,patience=1)";
    check(rule, &[1.0, 1.0, 1.0, 0.5, 0.5, NAN], &[1.0, 1.0, 0.5, 0.5, 0.5, 0.25]);
    check(rule, &[NAN, INF, 1.0], &[1.0, 0.5, 0.5]);
}

#[test]
fn evaluations_during_a_cooldown_do_not_count() {
    let rule = "plateau(factor=0.5,patience=0,cooldown=2)";
    check(rule, &[1.0, 1.0, 1.0, 1.0, 1.0], &[1.0, 0.5, 0.5, 0.5, 0.25]);
}

#[test]
fn the_multiplier_has_a_floor() {
    check("plateau(patience=0,min=0.05)", &[1.0; 3], &[1.0, 0.1, 0.05]);
    check("plateau(factor=0.5,patience=0,eps=0.3)", &[1.0; 4], &[1.0, 0.5, 0.5, 0.5]);
}

#[test]
fn a_threshold_is_of_the_best_or_absolute_and_of_a_high_metric_too() {
    let metrics = [2.0, 1.9, 1.7];
    check("plateau(patience=0,threshold=0.1)", &metrics, &[1.0, 0.1, 0.1]);
    check("plateau(patience=0,threshold=0.1,threshold_is=absolute)", &metrics, &[1.0, 0.1, 0.1]);
    check("plateau(patience=0,threshold=0.01)", &metrics, &[1.0; 3]);
    let high = "plateau(patience=0,threshold=0.1,monitor=val_accuracy,goal=max)";
    check(high, &[0.5, 0.56, 0.6], &[1.0, 1.0, 0.1]);
    check(high, &[-INF, 0.5], &[0.1, 0.1]);
}

#[test]
fn small_steps_add_up_unless_the_best_is_any() {
    let creeping: Vec<f64> = (0..12).map(|n| 1.0 - 5e-5 * f64::from(n)).collect();
    let rule = "plateau(factor=0.5,patience=2,threshold_is=absolute";
    check(&format!("{rule})"), &creeping, &[1.0; 12]);
    let falls = [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125];
    check(&format!("{rule},best=any)"), &creeping, &falls);
}

#[test]
fn a_rule_reads_back_from_its_text() {
    let plateau = Plateau {
        patience: 3,
        threshold_is: Threshold::Absolute,
        best: Best::Any,
        eps: 1e-8,
        monitor: Some(Monitor { metric: "avg_val_loss".to_owned(), goal: Direction::Min }),
        ..Plateau::default()
    };
    assert_eq!(plateau.to_string().parse(), Ok(plateau.clone()));
    assert_eq!("plateau".parse(), Ok(Plateau::default()));
    assert_eq!(
        Plateau::default().to_string(),
        "plateau(factor=0.1,patience=10,threshold=0.0001,threshold_is=relative,cooldown=0,min=0)"
    );
    let line: Schedule = format!("0.1: hold ; {plateau}").parse().unwrap();
    assert_eq!(line.plateau, Some(plateau));
    for bad in [
        "",
        "plateau(factor=2)",
        "plateau(patience=-1)",
        "plateau(x=1)",
        "plateau(factor",
        "plateau(eps=-1)",
        "plateau(best=last)",
        "plateau(monitor=val_loss)",
        "plateau(goal=max)",
        "plateau(monitor=a b,goal=max)",
    ] {
        assert!(bad.parse::<Plateau>().is_err(), "{bad}");
    }
}

/// `torch.optim.lr_scheduler.ReduceLROnPlateau`, `mode="min"`, from rate 1.
fn torch(rule: &Plateau, metrics: &[f64]) -> Vec<f64> {
    let (mut rate, mut best, mut bad, mut cooldown) = (1.0_f64, INF, 0, 0);
    let after = metrics.iter().map(|&metric| {
        let better = match rule.threshold_is {
            Threshold::Relative => metric < best * (1.0 - rule.threshold),
            Threshold::Absolute => metric < best - rule.threshold,
        };
        (best, bad) = if better { (metric, 0) } else { (best, bad + 1) };
        if cooldown > 0 {
            cooldown -= 1;
            bad = 0;
        }
        if bad > rule.patience {
            let new = (rate * rule.factor).max(rule.min);
            if rate - new > rule.eps {
                rate = new;
            }
            cooldown = rule.cooldown;
            bad = 0;
        }
        rate
    });
    after.collect()
}

/// `keras.callbacks.ReduceLROnPlateau`, `mode="min"`, from rate 1.
fn keras(patience: u32, min_delta: f64, cooldown: u32, factor: f64, metrics: &[f64]) -> Vec<f64> {
    let (mut rate, mut best, mut wait, mut cooling) = (1.0_f64, INF, 0, 0_u32);
    let after = metrics.iter().map(|&metric| {
        if cooling > 0 {
            cooling -= 1;
            wait = 0;
        }
        if metric < best - min_delta {
            best = metric;
            wait = 0;
        } else if cooling == 0 {
            wait += 1;
            if wait >= patience {
                rate *= factor;
                cooling = cooldown;
                wait = 0;
            }
        }
        rate
    });
    after.collect()
}

/// `sklearn.neural_network.MLPClassifier(learning_rate="adaptive")`, without its end.
fn scikit_learn(n_iter_no_change: u32, tol: f64, peak: f64, metrics: &[f64]) -> Vec<f64> {
    let (mut rate, mut best, mut count) = (peak, INF, 0);
    let after = metrics.iter().map(|&loss| {
        count = if loss > best - tol { count + 1 } else { 0 };
        best = best.min(loss);
        if count > n_iter_no_change && rate > 1e-6 {
            rate /= 5.0;
            count = 0;
        }
        rate / peak
    });
    after.collect()
}

/// Metrics that often stand still, creep, tie, or are no number.
fn trace() -> impl Strategy<Value = Vec<f64>> {
    let metric = prop_oneof![
        6 => (0_i32..8).prop_map(|n| f64::from(n) / 8.0),
        3 => (0_i32..100).prop_map(|n| 0.5 - 2e-5 * f64::from(n)),
        3 => -1.0..1.0_f64,
    ];
    prop::collection::vec(metric, 1..60)
}

fn strange_trace() -> impl Strategy<Value = Vec<f64>> {
    let metric = prop_oneof![5 => -1.0..1.0_f64, 1 => Just(NAN), 1 => Just(INF), 1 => Just(-INF)];
    prop_oneof![trace(), prop::collection::vec(metric, 1..30)]
}

fn threshold() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1e-4), 0.0..0.5]
}

proptest! {
    #[test]
    fn the_machine_is_pytorchs(
        metrics in strange_trace(),
        patience in 0_u32..5,
        cooldown in 0_u32..5,
        threshold in threshold(),
        is_relative: bool,
        min in prop_oneof![Just(0.0), Just(0.01)],
        eps in prop_oneof![Just(0.0), Just(0.02)],
    ) {
        let threshold_is = if is_relative { Threshold::Relative } else { Threshold::Absolute };
        let rule = Plateau { factor: 0.3, patience, threshold, threshold_is, cooldown, min, eps, ..Plateau::default() };
        prop_assert_eq!(multipliers(&rule, &metrics), torch(&rule, &metrics));
    }

    #[test]
    fn the_machine_is_kerass(
        metrics in strange_trace(),
        patience in 0_u32..6,
        cooldown in 0_u32..6,
        min_delta in threshold(),
    ) {
        let rule = Plateau { factor: 0.3, ..Plateau::keras(patience, min_delta, cooldown) };
        prop_assert_eq!(multipliers(&rule, &metrics), keras(patience, min_delta, cooldown, 0.3, &metrics));
    }

    #[test]
    fn the_machine_is_scikit_learns(
        metrics in trace(),
        n_iter_no_change in 0_u32..5,
        tol in threshold(),
        peak in prop_oneof![Just(1e-3), Just(0.1), 1e-5..1.0],
    ) {
        let rule = Plateau::scikit_learn(n_iter_no_change, tol, peak);
        let ours = multipliers(&rule, &metrics);
        for (ours, theirs) in ours.iter().zip(scikit_learn(n_iter_no_change, tol, peak, &metrics)) {
            prop_assert!((ours - theirs).abs() <= 1e-12 * theirs, "{ours} is not {theirs}");
        }
    }

    #[test]
    fn keras_is_pytorch_with_one_more_of_each(
        metrics in strange_trace(),
        patience in 0_u32..5,
        cooldown in 0_u32..5,
        threshold in threshold(),
    ) {
        let torchs = Plateau { patience, threshold, threshold_is: Threshold::Absolute, cooldown, ..Plateau::default() };
        prop_assert_eq!(Plateau::keras(patience + 1, threshold, cooldown + 1), torchs.clone());
        prop_assert_eq!(keras(patience + 1, threshold, cooldown + 1, 0.1, &metrics), torch(&torchs, &metrics));
    }
}
