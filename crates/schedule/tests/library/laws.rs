//! Laws of the schedules of other libraries: over their golden cases, and over random arguments, sensible or not.

use std::collections::BTreeMap;

use pleach_schedule::{
    duration::{Duration, Horizon},
    library::{Class, LIBRARIES},
    preset::{Argument, ArgumentInfo, Expected, find, preset},
    resolved::Resolved,
    schedule::Schedule,
};
use proptest::prelude::*;

use crate::golden::cases;

#[test]
fn a_class_is_its_phases_and_its_line() {
    for case in cases() {
        let line: Schedule = case.schedule.to_string().parse().unwrap();
        assert_eq!(line, case.schedule, "{}", case.text);
        let resolved = case.resolve(&case.schedule, 1, 1);
        let again: Resolved = resolved.to_string().parse().unwrap();
        assert_eq!(again.to_string(), resolved.to_string());
        for &step in &case.at {
            assert_eq!(again.at(step).to_bits(), resolved.at(step).to_bits(), "{resolved}");
        }
    }
}

#[test]
fn what_does_not_depend_on_the_budget_is_the_same_in_any() {
    for case in cases().into_iter().filter(|case| case.schedule.is_anytime()) {
        let (short, long) =
            (case.resolve(&case.schedule, 1, 1), case.resolve(&case.schedule, 7, 1));
        for &step in &case.at {
            assert_eq!(short.at(step).to_bits(), long.at(step).to_bits(), "{}", case.text);
        }
    }
}

const HORIZON: Horizon = Horizon { steps: 100, steps_per_epoch: 10 };

/// The normal form of a class with some arguments, or of a line.
fn form(schedule: &str) -> String {
    let schedule: Schedule = match schedule.split_once('(') {
        Some((class, arguments)) if class.contains('.') && !class.contains(' ') => {
            let number = |pair: &str| {
                let (name, value) = pair.split_once('=').unwrap();
                let argument = match value.parse() {
                    Ok(number) => Argument::Number(number),
                    Err(_) => Argument::Bool(value == "true"),
                };
                (name.to_owned(), argument)
            };
            let arguments = arguments.trim_end_matches(')').split(' ').map(number).collect();
            preset(find(class).unwrap(), None, &arguments, HORIZON).unwrap()
        }
        _ => schedule.parse().unwrap(),
    };
    schedule.resolve(HORIZON).unwrap().to_string()
}

#[test]
fn the_same_schedule_in_the_words_of_several_libraries_is_one() {
    for same in [
        &[
            "0.5: stairs(gamma=0.5,tau=10st)",
            "keras.ExponentialDecay(initial_learning_rate=0.5 decay_steps=10 decay_rate=0.5 staircase=true)",
            "optax.exponential_decay(init_value=0.5 transition_steps=10 decay_rate=0.5 staircase=true)",
            "mxnet.FactorScheduler(base_lr=0.5 step=10 factor=0.5 stop_factor_lr=0)",
        ][..],
        &[
            "0.5: > 0 cosine",
            "keras.CosineDecay(initial_learning_rate=0.5 decay_steps=100)",
            "optax.cosine_decay_schedule(init_value=0.5 decay_steps=100)",
            "d2l.CosineScheduler(base_lr=0.5 max_update=100)",
            "fastai.SchedCos(start=0.5 end=0)",
        ],
        &[
            "0.5: 0 > 1 for 10st, > 0 cosine",
            "keras.CosineDecay(initial_learning_rate=0 warmup_target=0.5 warmup_steps=10 decay_steps=90)",
            "optax.warmup_cosine_decay_schedule(init_value=0 peak_value=0.5 warmup_steps=10 decay_steps=100)",
            "d2l.CosineScheduler(base_lr=0.5 max_update=100 warmup_steps=10)",
        ],
        &[
            "0.5: hold",
            "optax.constant_schedule(value=0.5)",
            "sklearn.constant(eta0=0.5)",
            "sklearn.mlp_constant(learning_rate_init=0.5)",
            "mxnet.FactorScheduler(base_lr=0.5 step=200 factor=1)",
            "keras.InverseTimeDecay(initial_learning_rate=0.5 decay_steps=10 decay_rate=0)",
        ],
    ] {
        for other in same {
            assert_eq!(form(other), form(same[0]), "{other}");
        }
    }
}

#[test]
fn a_default_is_what_its_argument_takes() {
    let classes = LIBRARIES.iter().flat_map(|library| library.classes);
    for (class, argument) in
        classes.flat_map(|class| class.info.all_arguments().map(move |argument| (class, argument)))
    {
        let ArgumentInfo { name, default, expected, .. } = argument;
        let is_number = default.parse::<f64>().is_ok_and(f64::is_finite);
        let is_right = default.is_empty()
            || match expected {
                Expected::Number | Expected::Count | Expected::Time => is_number,
                Expected::Bool => default.parse::<bool>().is_ok(),
                Expected::Duration => default.parse::<Duration>().is_ok(),
                Expected::Word(words) => words.contains(default),
                Expected::Numbers | Expected::Times => *default == "[]",
                _ => false,
            };
        assert!(is_right, "{} {name}: {default}", class.info.name);
        let is_needed = class.info.arguments.iter().take(class.needs).any(|one| one == argument);
        assert!(default.is_empty() || !is_needed, "{} {name}", class.info.name);
    }
}

/// A value for an argument: mostly sensible.
fn value(expected: Expected) -> BoxedStrategy<Argument> {
    let duration = || {
        prop_oneof![
            (0_u32..110).prop_map(|percent| Duration::Fraction(f64::from(percent) / 100.0)),
            (0_u32..4).prop_map(|epochs| Duration::Epochs(f64::from(epochs))),
            (0.0..40.0).prop_map(Duration::Steps),
        ]
    };
    let number = || prop_oneof![4 => 0.0..2.0, 1 => Just(0.0), 1 => Just(1.0), 1 => -1.0..300.0];
    let count = || prop_oneof![6 => 0_u32..20, 1 => any::<u32>()].prop_map(f64::from);
    let list = |numbers: BoxedStrategy<f64>| {
        prop::collection::vec(numbers, 1..4).prop_map(Argument::Numbers).boxed()
    };
    match expected {
        Expected::Number => number().prop_map(Argument::Number).boxed(),
        Expected::Count => count().prop_map(Argument::Number).boxed(),
        Expected::Time => prop_oneof![
            4 => count().prop_map(Argument::Number),
            1 => duration().prop_map(Argument::Duration),
        ]
        .boxed(),
        Expected::Duration => duration().prop_map(Argument::Duration).boxed(),
        Expected::Bool => any::<bool>().prop_map(Argument::Bool).boxed(),
        Expected::Numbers => list(number().boxed()),
        Expected::Times => prop_oneof![
            4 => list(count().boxed()),
            1 => prop::collection::vec(duration(), 0..4).prop_map(Argument::Durations),
        ]
        .boxed(),
        Expected::Word(words) => {
            prop::sample::select(words).prop_map(|word| Argument::Text(word.to_owned())).boxed()
        }
        _ => Just(Argument::Text("val_loss".to_owned())).boxed(),
    }
}

/// A class, and some of its arguments.
fn given() -> impl Strategy<Value = (&'static Class, Option<f64>, BTreeMap<String, Argument>)> {
    let classes: Vec<&Class> = LIBRARIES.iter().flat_map(|library| library.classes).collect();
    prop::sample::select(classes).prop_flat_map(|class| {
        let arguments: Vec<_> = class.info.all_arguments().collect();
        let values: Vec<_> = arguments.iter().map(|info| value(info.expected)).collect();
        let is_given: Vec<_> = (0..arguments.len())
            .map(|index| prop::bool::weighted(if index < class.needs { 0.97 } else { 0.4 }))
            .collect();
        let peak = prop::option::weighted(if class.rate == "peak" { 0.97 } else { 0.1 }, 0.0..1.0);
        (values, is_given, peak).prop_map(move |(values, is_given, peak)| {
            let given =
                arguments.iter().zip(values).zip(is_given).filter(|(_, is_given)| *is_given);
            let named = given.map(|((info, value), _)| (info.name.to_owned(), value)).collect();
            (class, peak, named)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_argument_is_too_strange((class, peak, arguments) in given(), steps in prop_oneof![1_u64..4, 1_u64..200], far in any::<u64>()) {
        let horizon = Horizon { steps, steps_per_epoch: 5 };
        let Ok(schedule) = preset(&class.info, peak, &arguments, horizon) else { return Ok(()) };
        let line: Schedule = schedule.to_string().parse().unwrap();
        prop_assert_eq!(&line, &schedule);
        let Ok(resolved) = schedule.resolve(horizon) else { return Ok(()) };
        let again: Resolved = resolved.to_string().parse().unwrap();
        for step in (0..steps.min(20)).chain([steps, far, 1 << 63, u64::MAX]) {
            let rate = resolved.at(step);
            prop_assert!(rate.is_finite() && 0.0 <= rate, "{resolved}: {rate} at {step}");
            prop_assert_eq!(again.at(step).to_bits(), rate.to_bits());
        }
    }

    #[test]
    fn a_refusal_names_its_argument_and_a_remedy((class, peak, arguments) in given()) {
        // A refusal names an argument that the class has, or what is missing.
        if let Err(error) = preset(&class.info, peak, &arguments, HORIZON) {
            let names = || class.info.all_arguments().map(|info| info.name).chain(["peak", ""]);
            prop_assert!(names().any(|name| name == error.argument), "{error:?}");
            prop_assert!(!error.help.is_empty());
        }
    }
}
