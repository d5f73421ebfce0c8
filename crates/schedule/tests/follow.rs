//! Parameters that follow a schedule of their own, or mirror that of the learning rate.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use pleach_schedule::{
    duration::Horizon,
    follow::{Follow, FollowError},
    preset::{Argument, find, preset},
    schedule::Schedule,
};

const TEN: Horizon = Horizon { steps: 10, steps_per_epoch: 5 };

#[track_caller]
fn check(text: &str, rate: &Schedule, expected: [f64; 10]) {
    let follow: Follow = text.parse().unwrap();
    let values = follow.schedule(Some(rate)).unwrap().resolve(TEN).unwrap().table(10);
    for (step, (value, expected)) in values.iter().zip(expected).enumerate() {
        assert!((value - expected).abs() < 1e-12, "step {step} of {text}: {values:?}");
    }
}

fn rate(name: &str, arguments: &[(&str, Argument)]) -> Schedule {
    let arguments: BTreeMap<String, Argument> =
        arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    preset(find(name).unwrap(), Some(0.3), &arguments, TEN).unwrap()
}

fn share(percent: f64) -> Argument {
    Argument::Duration(pleach_schedule::duration::Duration::Fraction(percent / 100.0))
}

#[test]
fn without_a_peak_values_are_as_they_stand() {
    let cosine = rate("cosine", &[]);
    let down = [0.9, 0.88, 0.86, 0.84, 0.82, 0.8, 0.8, 0.8, 0.8, 0.8];
    check("0.9 > 0.8 50%, hold", &cosine, down);
    check("1: 0.9 > 0.8 50%, hold", &cosine, down);
    check("0.4: 2.25 > 2 50%, hold", &cosine, down);
}

#[test]
fn a_mirror_is_low_at_the_peak_and_high_elsewhere_along_the_same_shapes() {
    let linear = ("shape", Argument::Text("linear".to_owned()));
    let up = ("warmup", share(40.0));
    let two = rate("one_cycle", &[up.clone(), linear.clone()]);
    let sixth = 0.1 / 6.0;
    check(
        "mirror(lo=0.85,hi=0.95)",
        &two,
        [
            0.95,
            0.925,
            0.9,
            0.875,
            0.85,
            0.85 + sixth,
            0.85 + 2.0 * sixth,
            0.9,
            0.85 + 4.0 * sixth,
            0.85 + 5.0 * sixth,
        ],
    );
    // The third phase of 1cycle is below its start: PyTorch holds the highest momentum there.
    let three = rate("one_cycle", &[up, linear, ("three_phase", Argument::Bool(true))]);
    check(
        "mirror(lo=0.85,hi=0.95)",
        &three,
        [0.95, 0.925, 0.9, 0.875, 0.85, 0.875, 0.9, 0.925, 0.95, 0.95],
    );
    let triangles = rate(
        "triangular",
        &[("len", share(40.0)), ("lo", Argument::Number(0.2)), ("gain", Argument::Number(0.5))],
    );
    check(
        "mirror( lo=0.8 , hi=0.9 )",
        &triangles,
        [0.9, 0.85, 0.8, 0.85, 0.9, 0.875, 0.85, 0.875, 0.9, 0.8875],
    );
    let flat = rate("constant", &[]);
    check("mirror(lo=0.8,hi=0.9)", &flat, [0.8; 10]);
}

#[test]
fn a_constant_is_known_as_one_whatever_its_spelling() {
    for text in ["0.9 hold", "0.9: hold", "1: 0.9 > 0.9 cosine", "0.9 hold 30%, > 0.9 20%, hold"] {
        let follow: Follow = text.parse().unwrap();
        let resolved = follow.schedule(None).unwrap().resolve(TEN).unwrap();
        assert_eq!(resolved.constant(), Some(0.9), "{text}");
    }
    let moving: Follow = "0.9 > 0.8".parse().unwrap();
    let moving = moving.schedule(None).unwrap().resolve(TEN).unwrap();
    assert_eq!(moving.constant(), None);
    assert_eq!(moving.extremes(10), (moving.at(9), 0.9));
    assert_eq!(moving.extremes(1), (0.9, 0.9));
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let refused = |text: &str, rate: Option<&Schedule>| {
        let follow: Result<Follow, FollowError> = text.parse();
        follow.and_then(|follow| follow.schedule(rate)).unwrap_err()
    };
    let step = rate("step", &[]);
    let table = rate("table", &[("table", Argument::Numbers(vec![1.0, 0.5]))]);
    let product: Schedule = "0.1: > 0 ; times > 0.5".parse().unwrap();
    assert_eq!(refused("> 0.8", None), FollowError::Beginning);
    assert_eq!(refused("5%", None), FollowError::Beginning);
    assert_eq!(refused("0.9: hold ; plateau", None), FollowError::Plateau);
    assert_eq!(refused("mirror(lo=0.8,hi=0.9)", None), FollowError::NothingToMirror);
    assert_eq!(refused("mirror(lo=0.8,hi=0.9)", Some(&step)), FollowError::NoMirror("a law"));
    assert_eq!(refused("mirror(lo=0.8,hi=0.9)", Some(&table)), FollowError::NoMirror("a table"));
    assert_eq!(
        refused("mirror(lo=0.8,hi=0.9)", Some(&product)),
        FollowError::NoMirror("a product")
    );
    for text in
        ["mirror", "mirror()", "mirror(0.8,0.9)", "mirror(lo=0.9,hi=0.8)", "mirror(lo=-1,hi=0)"]
    {
        assert_eq!(refused(text, Some(&step)), FollowError::Mirror, "{text}");
    }
    assert!(matches!(refused("0.9 cosin", None), FollowError::Line(_)));
}
