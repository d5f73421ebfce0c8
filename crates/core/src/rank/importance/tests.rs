use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    objective::Goal,
    rank::{Row, rank, tests::done},
};

/// The means of a full grid of so many levels of each parameter.
fn grid(levels: &[usize], value: impl Fn(&[usize]) -> f64) -> Points {
    let count: usize = levels.iter().product();
    let point = |mut index: usize| -> Vec<usize> {
        let mut level = |&n: &usize| {
            let level = index % n;
            index /= n;
            level
        };
        levels.iter().map(&mut level).collect()
    };
    let points: Vec<Vec<usize>> = (0..count).map(point).collect();
    let feature = |&n: &usize| Feature { is_ordered: true, weights: vec![1.0 / n as f64; n] };
    Points {
        features: levels.iter().map(feature).collect(),
        values: points.iter().map(|point| value(point)).collect(),
        levels: points,
    }
}

fn effects(points: &Points) -> forest::Effects {
    points.effects((0..points.values.len()).collect()).unwrap()
}

fn near(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9)
}

#[test]
fn a_sum_has_the_variances_of_its_terms() {
    // The variance of 2a is four times that of b.
    let of = effects(&grid(&[4, 4], |point| 2.0 * point[0] as f64 + point[1] as f64));
    assert!(near(&of.alone, &[0.8, 0.2]) && near(&of.total, &[0.8, 0.2]), "{of:?}");
}

#[test]
fn what_only_acts_together_is_nothing_alone() {
    let of = effects(&grid(&[2, 2], |point| f64::from(u8::from(point[0] == point[1]))));
    assert!(near(&of.alone, &[0.0, 0.0]) && near(&of.total, &[1.0, 1.0]), "{of:?}");
}

#[test]
fn equal_values_have_no_shares() {
    let points = grid(&[2, 3], |_| 1.0);
    assert_eq!(points.effects((0..6).collect()), None);
}

/// The textbook's analysis of variance of a full grid.
fn anova(points: &Points, feature: usize) -> (f64, f64) {
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    let all = mean(&points.values);
    let averaged = |key: &dyn Fn(&[usize]) -> Vec<usize>| -> f64 {
        let mut cells: BTreeMap<Vec<usize>, Vec<f64>> = BTreeMap::new();
        for (levels, value) in points.levels.iter().zip(&points.values) {
            cells.entry(key(levels)).or_default().push(*value);
        }
        let squares = cells.values().map(|cell| cell.len() as f64 * (mean(cell) - all).powi(2));
        squares.sum::<f64>() / points.values.len() as f64
    };
    let variance = averaged(&|levels| levels.to_vec());
    let alone = averaged(&|levels| vec![levels[feature]]);
    let others = averaged(&|levels| {
        let others = levels.iter().enumerate().filter(|(k, _)| *k != feature);
        others.map(|(_, level)| *level).collect()
    });
    (alone / variance, 1.0 - others / variance)
}

proptest! {
    #[test]
    fn a_full_tree_of_a_full_grid_is_the_analysis_of_variance(values in vec(-9.0..9.0_f64, 36)) {
        let points = grid(&[3, 4, 3], |point| values[point[0] + 3 * point[1] + 12 * point[2]]);
        let of = effects(&points);
        for feature in 0..3 {
            let (alone, total) = anova(&points, feature);
            prop_assert!((of.alone[feature] - alone).abs() < 1e-9, "{of:?} {alone}");
            prop_assert!((of.total[feature] - total).abs() < 1e-9, "{of:?} {total}");
        }
    }

    #[test]
    fn shares_are_shares_whatever_was_drawn(
        values in vec(-9.0..9.0_f64, 24), drawn in vec(0..24_usize, 24),
    ) {
        let points = grid(&[2, 3, 4], |point| values[point[0] + 2 * point[1] + 6 * point[2]]);
        if let Some(of) = points.effects(drawn) {
            prop_assert!(of.alone.iter().sum::<f64>() < 1.0 + 1e-9);
            for (alone, total) in of.alone.iter().zip(&of.total) {
                prop_assert!((0.0..=1.0).contains(alone) && *alone < total + 1e-9, "{of:?}");
            }
        }
    }

    #[test]
    fn numbers_keep_their_order_as_levels(numbers in vec(-9.0..9.0_f64, 1..300)) {
        let levels = levels(&numbers);
        for (a, of_a) in numbers.iter().zip(&levels) {
            prop_assert!(*of_a < MAX_LEVELS);
            for (b, of_b) in numbers.iter().zip(&levels) {
                prop_assert!(b <= a || of_a <= of_b);
            }
        }
    }
}

/// A configuration with these parameters, and what came of it.
fn row(number: u32, parameters: &[(&str, Value)], value: f64) -> Row {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Row { parameters: parameters.collect(), ..done(number, &[value, value]) }
}

#[test]
fn what_matters_is_told_over_all_and_inside_of_branches() {
    let text = |text: &str| Value::Text(text.to_owned());
    let mut rows = Vec::new();
    for (index, peak) in [0.1, 0.2, 0.3, 0.4, 0.5].into_iter().enumerate() {
        for batch in [32, 64] {
            let number = rows.len() as u32;
            let shared = [("peak", Value::Float(peak)), ("batch", Value::Int(batch))];
            let plain = [&shared[..], &[("schedule", text("constant"))]].concat();
            rows.push(row(number + 1, &plain, index as f64));
            for (k, cooldown) in ["10%", "20%"].into_iter().enumerate() {
                let own = [("schedule", text("wsd")), ("cooldown", text(cooldown))];
                let value = 10.0 + index as f64 + 3.0 * k as f64;
                rows.push(row(number + 2 + k as u32, &[&shared[..], &own].concat(), value));
            }
        }
    }
    rows.push(Row {
        ..row(
            99,
            &[
                ("peak", Value::Float(9.0)),
                ("batch", Value::Int(32)),
                ("schedule", text("constant")),
            ],
            f64::NAN,
        )
    });
    let parts = importance(&rank(rows, Goal::Max));
    let names =
        |part: &Importance| part.shares.iter().map(|share| share.name.clone()).collect::<Vec<_>>();
    assert_eq!(parts.len(), 2);
    assert_eq!((parts[0].configurations, parts[0].left_out), (30, 1));
    assert_eq!(names(&parts[0]), ["schedule", "peak", "batch"]);
    assert!(0.7 < parts[0].shares[0].alone.0 && parts[0].shares[2].total.0 < 0.1, "{parts:?}");
    assert_eq!(parts[1].branch, Some(("schedule".to_owned(), text("wsd"))));
    assert_eq!(names(&parts[1]), ["cooldown", "peak", "batch"]);
}

#[test]
fn durations_that_are_measured_alike_have_an_order() {
    let ordered = |values: [&str; 3]| {
        let values = values.map(|value| Value::Text(value.to_owned()));
        super::numbers(&values.each_ref())
    };
    assert_eq!(ordered(["10%", "5%", "0%"]), Some(vec![10.0, 5.0, 0.0]));
    assert_eq!(ordered(["1ep", "10%", "2ep"]), None);
    assert_eq!(ordered(["1ep", "constant", "2ep"]), None);
}

#[test]
fn little_is_known_of_a_few() {
    let rows = (1..8).map(|n| row(n, &[("peak", Value::Int(n.into()))], 1.0)).collect();
    assert_eq!(importance(&rank(rows, Goal::Max)), []);
}
