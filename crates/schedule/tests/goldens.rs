//! Values of 87 real schedules (PyTorch, Hugging Face, timm, Keras, optax, fastai, scikit-learn, D2L, and papers), with
//! the phases that each means. `goldens.json` says of each where its values come from.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use pleach_schedule::{
    duration::{Duration, Horizon},
    phase::{Body, Cycle, GainOn, Law, Phase, Shape, Stairs},
    resolved::Resolved,
    schedule::{Sample, Schedule},
};
use serde_json::Value;

fn number(table: &Value, name: &str) -> Option<f64> {
    table.get(name).map(|value| value.as_f64().unwrap())
}

fn phases<D>(list: &Value, time: fn(f64) -> D) -> Vec<Phase<D>> {
    list.as_array().unwrap().iter().map(|table| phase(table, time)).collect()
}

fn phase<D>(table: &Value, time: fn(f64) -> D) -> Phase<D> {
    let or = |name, default| number(table, name).unwrap_or(default);
    let length = number(table, "for").map(time);
    let body = if let Some(law) = table.get("law") {
        let tau = time(or("tau", 1.0));
        let law = match law.as_str().unwrap() {
            "power" => Law::Inverse { p: or("p", f64::NAN), tau },
            "exp" => Law::Decay { gamma: or("gamma", f64::NAN), tau, stairs: Stairs::Smooth },
            law => panic!("{law}"),
        };
        Body::Law { law, floor: number(table, "floor") }
    } else if let Some(cycle) = table.get("cycle") {
        let or = |name, default| number(cycle, name).unwrap_or(default);
        Body::Cycle(Cycle {
            length: time(or("len", f64::NAN)),
            grow: or("grow", 1.0),
            gain: or("gain", 1.0),
            gain_on: match cycle.get("on").and_then(Value::as_str) {
                Some("peak") => GainOn::Peak,
                _ => GainOn::Amplitude,
            },
            fade: number(cycle, "gain_step").map(|factor| (factor, time(1.0))),
            lo: or("lo", 0.0),
            hi: or("hi", 1.0),
            count: number(cycle, "count").map(|count| count as u32),
            body: phases(&cycle["body"], |time| time),
        })
    } else {
        let shape = match table.get("shape").and_then(Value::as_str).unwrap_or("linear") {
            "hold" => Shape::Hold,
            "linear" => Shape::Linear,
            "cosine" => Shape::Cosine { e: or("e", 1.0), k: or("k", 1.0) },
            "poly" => Shape::Poly { p: or("p", f64::NAN), k: or("k", 1.0) },
            "power" => Shape::Power { p: or("p", f64::NAN) },
            "exp" => Shape::Exp { r: or("r", f64::NAN) },
            "rex" => Shape::Rex { b: or("b", 0.5) },
            "tanh" => Shape::Tanh { lb: or("lb", -7.0), ub: or("ub", 3.0) },
            shape => panic!("{shape}"),
        };
        match (&length, number(table, "to")) {
            (Some(_), to) => Body::Shape { to, shape },
            (None, _) => Body::Shape { to: None, shape: Shape::Hold },
        }
    };
    Phase { length, from: number(table, "from"), skip: number(table, "skip").map(time), body }
}

fn schedule(peak: f64, ir: &Value) -> Schedule {
    let list = |value: &Value| phases(value.get("phases").unwrap_or(value), Duration::Steps);
    let factors = match ir.get("mul") {
        Some(factors) => factors.as_array().unwrap().iter().map(list).collect(),
        None => vec![list(ir)],
    };
    Schedule {
        peak,
        factors,
        hold: Duration::Steps(number(ir, "hold").unwrap_or(1.0)),
        sample: match number(ir, "delta") {
            Some(1.0) => Sample::Right,
            _ => Sample::Left,
        },
        plateau: None,
    }
}

/// The schedule of a case for as many steps as there are values, or as its phases take.
fn resolve(case: &Value) -> Resolved {
    let schedule = schedule(case["base"].as_f64().unwrap(), &case["ir"]);
    let fixed = schedule.factors.iter().map(|phases| {
        phases.iter().filter_map(|phase| phase.length).map(Duration::number).sum::<f64>().ceil()
    });
    let n_values = case["values"].as_array().unwrap().len();
    let steps = fixed.fold(n_values as f64, f64::max) as u64;
    schedule
        .resolve(Horizon { steps, steps_per_epoch: 1 })
        .unwrap_or_else(|error| panic!("{}: {error}", case["id"]))
}

#[test]
fn every_golden_value_is_met() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("goldens.json")).unwrap();
    assert_eq!(cases.len(), 87);
    for case in &cases {
        let resolved = resolve(case);
        let tolerance = case["tol"].as_f64().unwrap() * case["base"].as_f64().unwrap();
        for (step, value) in case["values"].as_array().unwrap().iter().enumerate() {
            let (rate, value) = (resolved.at(step as u64), value.as_f64().unwrap());
            assert!(
                (rate - value).abs() <= tolerance,
                "{} at {step}: {rate} is not {value}\n{resolved}",
                case["id"]
            );
        }
    }
}

#[test]
fn a_resolved_schedule_reads_back_from_its_text() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("goldens.json")).unwrap();
    for case in &cases {
        let resolved = resolve(case);
        let text = resolved.to_string();
        let again: Resolved = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(again.to_string(), text);
        for step in 0..200 {
            assert_eq!(resolved.at(step).to_bits(), again.at(step).to_bits(), "{text} at {step}");
        }
    }
}
