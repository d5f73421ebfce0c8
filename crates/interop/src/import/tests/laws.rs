//! Whatever an importer writes can be planned.

use proptest::prelude::*;

use super::*;

fn name() -> impl Strategy<Value = String> {
    let words = [
        "where",
        "zip",
        "points",
        "derived",
        "schedule",
        "schedule_",
        "budget",
        "budget_",
        "seed",
        "peak",
        "use",
        "phases",
        "table",
        "warmup",
        "run",
        "PLEACH_SEED",
        "",
        " a",
        "a ",
        "{{",
        "a}}",
        "a=b",
        "\0",
        "\n",
        "\u{7f}",
        "\"",
        "a.b",
        "#",
    ];
    prop_oneof![prop::sample::select(words.to_vec()).prop_map(str::to_owned), any::<String>()]
}

fn scalar() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<bool>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        prop::sample::select(vec!["5ep", "7%", "cosine", "=1", "", "{{ x }}", "\0"])
            .prop_map(Into::into),
        Just(serde_json::Value::Null),
        prop::collection::vec(any::<i8>(), 0..3).prop_map(Into::into),
        Just(serde_json::json!({ "a": [1, { "b": null }] })),
    ]
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let distributions = vec![
        "uniform",
        "int_uniform",
        "q_uniform",
        "log_uniform",
        "log_uniform_values",
        "inv_log_uniform",
        "inv_log_uniform_values",
        "q_log_uniform",
        "q_log_uniform_values",
        "normal",
        "q_normal",
        "log_normal",
        "q_log_normal",
        "beta",
        "constant",
    ];
    let number = || {
        prop_oneof![
            (-9i64..9).prop_map(serde_json::Value::from),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            (-3.0..3.0).prop_map(Into::into),
        ]
    };
    prop_oneof![
        scalar().prop_map(|value| serde_json::json!({ "value": value })),
        prop::collection::vec(scalar(), 0..4).prop_map(|values| serde_json::json!({ "values": values })),
        (prop::sample::select(distributions), number(), number(), number()).prop_map(|(distribution, min, max, q)| {
            serde_json::json!({ "distribution": distribution, "min": min, "max": max, "q": q, "mu": min, "sigma": q })
        }),
        (number(), number()).prop_map(|(min, max)| serde_json::json!({ "min": min, "max": max })),
    ]
}

fn distribution() -> impl Strategy<Value = serde_json::Value> {
    let of = |name: &'static str, attributes: serde_json::Value| serde_json::json!({ "name": name, "attributes": attributes });
    prop_oneof![
        prop::collection::vec(scalar(), 0..4).prop_map(move |choices| of(
            "CategoricalDistribution",
            serde_json::json!({ "choices": choices })
        )),
        (any::<f64>(), any::<f64>(), any::<bool>(), prop::option::of(any::<f64>())).prop_map(
            move |(low, high, log, step)| {
                of(
                    "FloatDistribution",
                    serde_json::json!({ "low": low, "high": high, "log": log, "step": step }),
                )
            }
        ),
        (0.0..1.0, 0.5..2.0, any::<bool>(), prop::option::of(1e-12..1.0)).prop_map(
            move |(low, high, log, step)| {
                of(
                    "FloatDistribution",
                    serde_json::json!({ "low": low, "high": high, "log": log, "step": step }),
                )
            }
        ),
        (any::<i64>(), any::<i64>(), any::<bool>(), any::<i64>()).prop_map(
            move |(low, high, log, step)| {
                of(
                    "IntDistribution",
                    serde_json::json!({ "low": low, "high": high, "log": log, "step": step }),
                )
            }
        ),
        (-9i64..9, -9i64..9, any::<bool>(), 0i64..4).prop_map(move |(low, high, log, step)| {
            of(
                "IntDistribution",
                serde_json::json!({ "low": low, "high": high, "log": log, "step": step }),
            )
        }),
    ]
}

proptest! {
    #[test]
    fn no_file_is_too_strange(text in "[a-c:{}\\[\\]&*!|>\"'#%\\-? \n\t0-9.~]{0,60}") {
        drop(wandb::read(&text));
        drop(optuna::journal::read(&text, None));
    }

    /// Names and values as they come, most of them near the words of sweep files.
    #[test]
    fn what_is_written_is_a_sweep_that_can_be_planned(
        title in any::<String>(),
        names in prop::collection::vec(name(), 1..5),
        values in prop::collection::vec(value(), 5),
        method in prop::sample::select(vec!["grid", "random"]),
    ) {
        let parameters: serde_json::Map<String, serde_json::Value> =
            names.into_iter().zip(values).collect();
        let sweep = serde_json::json!({ "name": title, "method": method, "run_cap": 3, "parameters": parameters });
        // JSON is YAML, but for a surrogate or so.
        imported(wandb::read(&sweep.to_string()));
    }

    /// The same of a study.
    #[test]
    fn what_is_written_of_a_study_can_be_planned(
        title in any::<String>(),
        names in prop::collection::vec(name(), 1..5),
        distributions in prop::collection::vec(distribution(), 5),
    ) {
        let mut journal = format!("{}\n", serde_json::json!({ "op_code": 0, "study_name": title, "directions": [1] }));
        let distributions: serde_json::Map<String, serde_json::Value> =
            names.into_iter().zip(distributions).map(|(name, it)| (name, it.to_string().into())).collect();
        let trial = serde_json::json!({ "op_code": 4, "study_id": 0, "state": 1, "distributions": distributions });
        writeln!(journal, "{trial}").unwrap();
        imported(optuna::journal::read(&journal, None));
    }

    #[test]
    fn a_parameter_is_only_a_parameter(name in "[^{}\\p{C}]{1,20}", value in any::<String>()) {
        let node = serde_json::json!({ "method": "grid", "parameters": { name: { "value": value } } });
        // JSON is YAML.
        imported(wandb::read(&node.to_string()));
    }
}
