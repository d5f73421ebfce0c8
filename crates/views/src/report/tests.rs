use pleach_core::{
    class::Class,
    life::{ConfigurationId, StageStatus, TrialStatus},
    rank::{Result as Outcome, Row, rank},
    value::Value,
};

use super::*;

/// What would end the script, or become markup, if it could.
const HOSTILE: &str = "</script><img src=x onerror=alert(1)><!--";

fn rows() -> Vec<Row> {
    let row = |id: u32, schedule: &str, values: [f64; 2]| Row {
        configuration: ConfigurationId(id),
        parameters: [
            ("peak".to_owned(), Value::Float(0.1 * f64::from(id))),
            ("schedule".to_owned(), Value::Text(schedule.to_owned())),
            (HOSTILE.to_owned(), Value::Text(format!("{HOSTILE}{id}"))),
        ]
        .into(),
        trials: (1..)
            .zip(values)
            .map(|(seed, value)| Outcome {
                trial: TrialId(10 * id + seed),
                seed: seed.into(),
                status: TrialStatus::Done,
                objective: Some(value),
            })
            .collect(),
    };
    vec![row(1, "cosine", [0.9, 0.92]), row(2, "constant", [0.8, 0.83])]
}

fn with_report<T>(check: impl FnOnce(&Source) -> T) -> T {
    let objective =
        Objective { metric: "val_accuracy".to_owned(), goal: Goal::Max, reduce: Reduce::Last };
    let ranked = rank(rows(), Goal::Max);
    let trials = ranked.iter().flat_map(|ranked| &ranked.row.trials).map(|it| it.trial);
    let curve = |trial: TrialId| (trial, vec![(10, 0.5), (20, 0.6 + f64::from(trial.0) / 100.0)]);
    let metrics = [("val_accuracy".to_owned(), trials.map(curve).collect())];
    let summary = Summary {
        revision: Revision {
            text: format!("# {HOSTILE}\n"),
            file: HOSTILE.to_owned(),
            objective,
            program: "worker".to_owned(),
            numerics: "exact".to_owned(),
        },
        number: 1,
        accepted: Time(0),
        trials: vec![(TrialStatus::Done, 4)],
        running: 0,
        started: Some(Time(1)),
        changed: Some(Time(2)),
    };
    let branch = |stage: u32, trial: u32| Branch {
        stage: StageId(stage),
        parent: None,
        first: 0,
        end: 20,
        status: StageStatus::Done,
        trials: 1,
        ending: vec![(TrialId(trial), TrialStatus::Done, Some(0.9))],
        best: Some(0.9),
    };
    let provenance = Provenance {
        facts: vec![("code".to_owned(), format!("commit 1 {HOSTILE}"))],
        difference: Some(format!("+{HOSTILE}\n")),
    };
    let effort = Effort {
        steps: 20,
        end: 20,
        milliseconds: 1500,
        is_open: false,
        attempt: Some(AttemptId(3)),
    };
    let failures = [(AttemptId(3), StageId(1), Ending::Failed(Class::Error, HOSTILE.to_owned()))];
    check(&Source {
        name: HOSTILE,
        summary: &summary,
        ranked: &ranked,
        metrics: &metrics,
        metrics_left: 7,
        efforts: &[(TrialId(11), effort)].into(),
        attempts: Some("attempts"),
        exactness: Exactness::Loose,
        plan: Err(HOSTILE),
        branches: &[branch(1, 11), branch(2, 12), branch(3, 21), branch(4, 22)],
        failures: &failures,
        provenances: &[(Time(1), provenance)],
        version: "1.2.3",
        made: Time(3),
    })
}

#[test]
fn a_report_holds_what_its_scripts_show() {
    let data: serde_json::Value =
        with_report(|source| serde_json::from_str(&data(source)).unwrap());
    assert_eq!(data["name"], HOSTILE);
    insta::assert_snapshot!(serde_json::to_string_pretty(&data).unwrap());
}

#[test]
fn what_a_person_calls_something_is_no_part_of_the_page() {
    let page = with_report(html);
    let (before, rest) = page.split_once("\"name\":").unwrap();
    assert!(before.ends_with('{'));
    // Two scripts, the data and ours: nothing else opens or ends one.
    assert_eq!(page.matches("<script").count(), page.matches("</script>").count());
    assert!(!rest.contains("<img") && !rest.contains("<!--"), "markup from a name");
    for place in ["/* style */", "/* data */", "/* script */"] {
        assert!(!page.contains(place), "{place} was not filled");
    }
    for call in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "http://",
        "https://",
    ] {
        let is_name_space = |at: usize| page[at..].starts_with("http://www.w3.org/");
        let found = page.match_indices(call).find(|(at, _)| !is_name_space(*at));
        assert_eq!(found, None, "a report needs nothing else, and sets text as text");
    }
}
