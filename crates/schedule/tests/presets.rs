//! What each preset means, as the rates of ten steps; and what each says of arguments that make no sense.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use pleach_schedule::{
    duration::Horizon,
    preset::{Argument, Expected, PRESETS, PresetError, find},
    schedule::Schedule,
};

/// Arguments as `name=value`, each read as its preset expects it.
fn arguments(name: &str, text: &str) -> BTreeMap<String, Argument> {
    let info = PRESETS.iter().find(|info| info.name == name);
    text.split_whitespace()
        .map(|pair| {
            let (argument, value) = pair.split_once('=').unwrap();
            let expected = info
                .and_then(|info| info.all_arguments().find(|info| info.name == argument))
                .map_or(Expected::Number, |info| info.expected);
            let durations = || value.split(',').map(|value| value.parse().unwrap()).collect();
            let value = match expected {
                Expected::Number | Expected::Count => Argument::Number(value.parse().unwrap()),
                Expected::Bool => Argument::Bool(value.parse().unwrap()),
                Expected::Duration => Argument::Duration(value.parse().unwrap()),
                Expected::Durations => Argument::Durations(durations()),
                Expected::Numbers => {
                    Argument::Numbers(value.split(',').map(|n| n.parse().unwrap()).collect())
                }
                _ => Argument::Text(value.replace('_', " ")),
            };
            (argument.to_owned(), value)
        })
        .collect()
}

fn preset(
    name: &str,
    peak: f64,
    arguments: &BTreeMap<String, Argument>,
) -> Result<Schedule, PresetError> {
    pleach_schedule::preset::preset(find(name).unwrap(), Some(peak), arguments, TEN)
}

const TEN: Horizon = Horizon { steps: 10, steps_per_epoch: 5 };

#[track_caller]
fn check(name: &str, text: &str, expected: &[f64]) {
    let schedule = preset(name, 1.0, &arguments(name, text)).unwrap();
    let resolved = schedule.resolve(TEN).unwrap();
    let rates = resolved.table(10);
    for (step, (rate, expected)) in rates.iter().zip(expected).enumerate() {
        assert!(
            (rate - expected).abs() < 1e-3,
            "step {step}: {rate} is not {expected}\n{rates:?}\n{resolved}"
        );
    }
    let line: Schedule = schedule.to_string().parse().unwrap();
    assert_eq!(line, schedule, "{schedule}");
    assert_eq!(line.resolve(TEN).unwrap(), resolved);
}

#[test]
fn presets_mean_what_their_documentation_says() {
    check("constant", "", &[1.0; 10]);
    check("constant", "warmup=20%", &[0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    check("linear", "", &[1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]);
    check("linear", "hold=1ep end=0.5", &[1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.75, 0.75, 0.75, 0.75]);
    check(
        "cosine",
        "",
        &[1.0, 0.9755, 0.9045, 0.7939, 0.6545, 0.5, 0.3455, 0.2061, 0.0955, 0.0245],
    );
    check(
        "cosine",
        "warmup=2st end=0.1",
        &[0.0, 0.5, 1.0, 0.9657, 0.8682, 0.7222, 0.55, 0.3778, 0.2318, 0.1343],
    );
    check("poly", "", &[1.0, 0.81, 0.64, 0.49, 0.36, 0.25, 0.16, 0.09, 0.04, 0.01]);
    check("rex", "", &[1.0, 0.9474, 0.8889, 0.8235, 0.75, 0.6667, 0.5714, 0.4615, 0.3333, 0.1818]);
    check(
        "exponential",
        "",
        &[1.0, 0.631, 0.3981, 0.2512, 0.1585, 0.1, 0.0631, 0.0398, 0.0251, 0.0158],
    );
    check("exponential", "gamma=0.5 every=5st", &[1.0, 0.8706, 0.7579, 0.6598, 0.5743, 0.5]);
    check("step", "", &[1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001]);
    check(
        "step",
        "every=1ep gamma=0.5 warmup=2st",
        &[0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5],
    );
    check("multistep", "", &[1.0, 1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.01, 0.01]);
    check("multistep", "at=4st,2st gamma=0.5 warmup=1st", &[0.0, 1.0, 0.5, 0.5, 0.25]);
    check("inverse_time", "rate=0.5 every=1st", &[1.0, 0.6667, 0.5, 0.4, 0.3333]);
    check("inverse_sqrt", "warmup=4st", &[0.0, 0.25, 0.5, 0.75, 1.0, 0.8944, 0.8165]);
    check("noam", "warmup=4st", &[0.25, 0.5, 0.75, 1.0, 0.8944, 0.8165]);
    check(
        "wsd",
        "cooldown=4st shape=linear",
        &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25],
    );
    check(
        "one_cycle",
        "warmup=2st div=2 final=0 shape=linear",
        &[0.5, 0.75, 1.0, 0.875, 0.75, 0.625, 0.5],
    );
    check(
        "one_cycle",
        "warmup=3st div=2 final=0 shape=linear three_phase=true",
        &[0.5, 0.6667, 0.8333, 1.0, 0.8333, 0.6667, 0.5, 0.375, 0.25, 0.125],
    );
    check(
        "flat_cosine",
        "flat=50%",
        &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9045, 0.6545, 0.3455, 0.0955],
    );
    check("triangular", "len=4st lo=0", &[0.0, 0.5, 1.0, 0.5, 0.0, 0.5, 1.0, 0.5, 0.0, 0.5]);
    check(
        "triangular",
        "len=4st lo=0 gain=0.5",
        &[0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5, 0.25, 0.0, 0.125],
    );
    check("sgdr", "len=2st grow=2", &[1.0, 0.5, 1.0, 0.8536, 0.5, 0.1464, 1.0]);
    check("sgdr", "len=2st grow=1 count=2 end=0.1", &[1.0, 0.55, 1.0, 0.55, 0.1, 0.1]);
    check("plateau", "factor=0.5 patience=2", &[1.0; 10]);
    check("table", "table=1,0.5 every=3st", &[1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5]);
    check(
        "phases",
        "phases=0_>_1_20%,_hold,_>_0_20%_linear",
        &[0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5],
    );
}

#[track_caller]
fn check_refused(name: &str, text: &str, expected: &str) {
    let error = match preset(name, 1.0, &arguments(name, text)) {
        Err(error) => error.to_string(),
        Ok(schedule) => schedule.resolve(TEN).unwrap_err().to_string(),
    };
    assert_eq!(error, expected);
}

#[test]
fn arguments_that_make_no_sense_are_refused_with_a_remedy() {
    check_refused(
        "linear",
        "gamma=0.5",
        "`linear` has no argument `gamma`: it takes warmup, warmup_from, end, hold",
    );
    check_refused(
        "exponential",
        "to=0.1 gamma=0.5",
        "`to` of `exponential` is not what it can be: give `to` or `gamma`, not both",
    );
    check_refused(
        "exponential",
        "to=0",
        "a geometric phase needs both ends above zero: start or end at a small number instead",
    );
    check_refused("noam", "", "`noam` needs `warmup`: add `warmup`");
    check_refused(
        "wsd",
        "cooldown=20st",
        "the phases take 20 steps, the trial has only 10: shorten them or raise the budget",
    );
    check_refused(
        "wsd",
        "warmup=60% cooldown=50%",
        "the phases take 11 steps, the trial has only 10: shorten them or raise the budget",
    );
    check_refused(
        "wsd",
        "shape=steep",
        "`shape` of `wsd` is not what it can be: a shape: linear, cosine, poly(p=2), 1-sqrt, 1-square, power(p=3), exp, geometric, rex, tanh",
    );
    check_refused(
        "one_cycle",
        "div=0.5",
        "`div` of `one_cycle` is not what it can be: a number that is at least 1",
    );
    check_refused("sgdr", "len=0st", "`len` must be more than zero");
    check_refused(
        "sgdr",
        "grow=0.5",
        "a cycle cannot grow by 0.5: write 1, at least 1.01, or less than 1 together with a `count`",
    );
    check_refused("step", "gamma=-1", "`gamma` is -1, which is out of range");
    check_refused("constant", "hold=0st", "`hold` must be more than zero");
    check_refused(
        "plateau",
        "factor=1",
        "`factor` of `plateau` is not what it can be: a number between 0 and 1, both excluded",
    );
    check_refused(
        "plateau",
        "patience=1.5",
        "`patience` of `plateau` is not what it can be: a whole number, not negative",
    );
    check_refused(
        "plateau",
        "eps=-1",
        "`eps` of `plateau` is not what it can be: a number, not negative",
    );
    check_refused("plateau", "monitor=loss", "`plateau` needs `goal`: add `goal`");
    check_refused("plateau", "goal=max", "`plateau` needs `monitor`: add `monitor`");
    check_refused(
        "plateau",
        "best=last",
        "`best` of `plateau` is not what it can be: \"improved\" or \"any\"",
    );
    check_refused(
        "phases",
        "phases=>_1,_>_0",
        "two phases have no length: only one can take the rest, give the other one a `for`",
    );
    check_refused(
        "phases",
        "phases=>_0_cosin",
        "`phases` of `phases` is not what it can be: `cosin` is no body of a phase: one of hold, linear, cosine, poly, power, 1-sqrt, 1-square, exp, geometric, rex, tanh, inverse, decay, stairs, multistep, cycle, table",
    );
    assert_eq!(
        preset("constant", -1.0, &BTreeMap::new()).unwrap().resolve(TEN).unwrap_err().to_string(),
        "the peak is -1: it must be finite and not negative"
    );
}

#[test]
fn a_schedule_that_does_not_depend_on_the_budget_is_anytime() {
    for (name, text, expected) in [
        ("constant", "", true),
        ("constant", "warmup=5%", false),
        ("constant", "warmup=5st", true),
        ("cosine", "", false),
        ("step", "every=1ep", true),
        ("step", "", false),
        ("inverse_sqrt", "tau=10st", true),
        ("sgdr", "len=2ep", true),
        ("wsd", "cooldown=2ep", false),
    ] {
        let schedule = preset(name, 1.0, &arguments(name, text)).unwrap();
        assert_eq!(schedule.is_anytime(), expected, "{name} {text}");
    }
}
