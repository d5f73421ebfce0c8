//! The two arithmetics compute the same: from equal states they make equal steps, but for rounding.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{LazyLock, Mutex};

use pleach_protocol::message::Schedule;
use pleach_trainer::{
    network::{Arithmetic, Step, Update},
    state::State,
    train::Job,
    worker::Trainer,
};

const MODELS: [&str; 5] = ["linear", "mlp-16", "mlp-37-11", "mlp-130", "lenet"];
/// Where a gradient is next to nothing, Adam's step is as large as elsewhere, unless epsilon is well above rounding.
const OPTIMIZERS: [&str; 5] = [
    "optimizer=sgd weight_decay=0.01",
    "optimizer=sgd momentum=0.9",
    "optimizer=sgd momentum=0.9 nesterov=true weight_decay=0.01",
    "optimizer=adam epsilon=1e-4 weight_decay=0.01",
    "optimizer=adamw epsilon=1e-4 weight_decay=0.01",
];

/// One for all tests: making the digits takes most of a second.
static TRAINER: LazyLock<Mutex<Trainer>> = LazyLock::new(Mutex::default);

fn job(text: &str) -> Job {
    let parameters = text.split_whitespace().map(|pair| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into()))
    });
    let schedule = Schedule::Table(vec![0.01]);
    TRAINER.lock().unwrap().job(&parameters.collect(), Some(&schedule), &[].into(), 1).unwrap()
}

/// The largest difference of two lists, and the largest number.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[track_caller]
fn check(kind: &str, a: (&State, Step), b: (&State, Step)) {
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-5 * b.abs();
    assert!(close(a.1.judged.loss, b.1.judged.loss), "{kind}: {:?} {:?}", a.1, b.1);
    assert!(close(a.1.gradient_norm, b.1.gradient_norm), "{kind}: {:?} {:?}", a.1, b.1);
    assert_eq!(a.1.judged.correct, b.1.judged.correct, "{kind}");
    for (slot, (a, b)) in a.0.weights.iter().zip(&b.0.weights).enumerate() {
        assert!(distance(a, b) <= 1e-5, "{kind}: slot {slot} is {} apart", distance(a, b));
    }
}

#[test]
fn both_arithmetics_make_the_same_steps_but_for_rounding() {
    for model in MODELS {
        for (index, optimizer) in OPTIMIZERS.into_iter().enumerate() {
            let normalize = ["unit", "standard"][index % 2];
            let kind = format!("model={model} {optimizer} normalize={normalize} valid=50");
            let job = job(&kind);
            let [mut fused, mut reference] =
                [Arithmetic::Fused, Arithmetic::Reference].map(|which| which.network(&job.model));
            let config = &job.config;
            let mut state = State::new(&job.model, config.optimizer, config.init, 1);
            for step in 0..6 {
                // The last one is smaller, as it is in an epoch.
                let batch: Vec<usize> = (step * 20..step * 20 + [20, 7][step / 5]).collect();
                let (rule, train) = (config.optimizer, &job.split.train);
                let mut other = state.clone();
                let a = fused
                    .update(Update { state: &mut state, rule, rate: 0.01 }, train, &batch)
                    .unwrap();
                let b = reference
                    .update(Update { state: &mut other, rule, rate: 0.01 }, train, &batch)
                    .unwrap();
                check(&format!("{kind}, step {step}"), (&state, a), (&other, b));
                state.step += 1;
            }
            let a = fused.evaluate(&state.weights, &job.split.valid).unwrap();
            let b = reference.evaluate(&state.weights, &job.split.valid).unwrap();
            assert!((a.loss - b.loss).abs() < 1e-5 * b.loss, "{kind}: {a:?} {b:?}");
            assert!(a.correct.abs_diff(b.correct) <= 1, "{kind}: {a:?} {b:?}");
        }
    }
}

#[test]
fn a_sample_counts_the_same_wherever_it_is_in_a_batch() {
    for model in MODELS {
        let job = job(&format!("model={model}"));
        let rule = job.config.optimizer;
        let state = State::new(&job.model, rule, job.config.init, 1);
        let mut network = Arithmetic::Fused.network(&job.model);
        let mut loss = |batch: &[usize]| {
            let mut state = state.clone();
            network
                .update(Update { state: &mut state, rule, rate: 0.0 }, &job.split.train, batch)
                .unwrap()
                .judged
                .loss
        };
        for batch in [[3, 5, 9, 11], [11, 9, 5, 3]] {
            let one_by_one: f64 = batch.iter().map(|&sample| loss(&[sample])).sum();
            assert_eq!(loss(&batch), one_by_one, "{model}");
        }
    }
}

#[test]
fn lanes_of_the_reference_make_the_steps_that_each_makes_alone() {
    for model in MODELS {
        let job = job(&format!("model={model} momentum=0.9"));
        let (rule, train) = (job.config.optimizer, &job.split.train);
        let mut network = Arithmetic::Reference.network(&job.model);
        let mut together: Vec<State> =
            (1..4).map(|seed| State::new(&job.model, rule, job.config.init, seed)).collect();
        // One that has diverged disturbs nobody.
        together[1].weights.last_mut().unwrap()[0] = f32::INFINITY;
        let mut alone = together.clone();
        let rates = [0.01, 0.1, 0.05];
        for step in 0..3 {
            let batch: Vec<usize> = (step * 20..step * 20 + 20).collect();
            let lanes = together.iter_mut().zip(rates);
            let mut lanes: Vec<Update> =
                lanes.map(|(state, rate)| Update { state, rule, rate }).collect();
            let steps = network.update_lanes(&mut lanes, train, &batch).unwrap();
            for (lane, (state, rate)) in alone.iter_mut().zip(rates).enumerate() {
                let single = network.update(Update { state, rule, rate }, train, &batch).unwrap();
                if lane == 1 {
                    assert!(
                        !steps[lane].judged.loss.is_finite() && !single.judged.loss.is_finite()
                    );
                    assert_eq!(together[lane], *state, "no update is made");
                } else {
                    let kind = format!("{model}, lane {lane}, step {step}");
                    check(&kind, (&together[lane], steps[lane]), (state, single));
                }
            }
            for state in together.iter_mut().chain(&mut alone) {
                state.step += 1;
            }
        }
    }
}
