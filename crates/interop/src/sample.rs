//! Trials to test formats with.

use pleach_core::{
    key::Key,
    life::{AttemptId, ConfigurationId, Ending, StageId, StageStatus, TrialId, TrialStatus},
    value::{Parameters, Value},
};
use pleach_store::{AttemptDetail, StageDetail, Standing, Time, TrialDetail};

/// Trial `number` of configuration 1, which measured `loss` at steps 10 and 20, the second time without success if it did
/// not do well; a trial that waits was never begun.
pub(crate) fn trial(number: u32, status: TrialStatus, objective: Option<f64>) -> TrialDetail {
    let attempt = AttemptDetail {
        attempt: AttemptId(1),
        from: 0,
        step: Some(20),
        started: Time(1_700_000_000_000),
        ended: Some(Time(1_700_000_002_500)),
        ending: Some(Ending::Done),
        usage: None,
        warnings: Vec::new(),
    };
    let is_begun = status != TrialStatus::Waiting;
    let last = objective.unwrap_or(f64::NAN);
    let metrics = vec![
        (10, vec![("acc =\"1\"".to_owned(), 0.1), ("loss".to_owned(), 2.0)]),
        (20, vec![("acc =\"1\"".to_owned(), 0.2), ("loss".to_owned(), last)]),
    ];
    TrialDetail {
        verdicts: Vec::new(),
        trial: TrialId(number),
        configuration: ConfigurationId(1),
        parameters: parameters(),
        seed: 3,
        key: Key::of(&number.to_string()),
        status,
        objective,
        standing: Standing::Current,
        path: vec![StageDetail {
            stage: StageId(1),
            key: Key::of("s"),
            first: 0,
            end: 20,
            status: StageStatus::Done,
            trials: 1,
            digest: "ab".to_owned(),
            attempts: is_begun.then_some(attempt).into_iter().collect(),
            checkpoints: Vec::new(),
        }],
        metrics: if is_begun { metrics } else { Vec::new() },
    }
}

/// One of every kind.
pub(crate) fn parameters() -> Parameters {
    [
        ("flag", Value::Bool(true)),
        ("layers", Value::Int(2)),
        ("peak", Value::Float(0.1)),
        ("schedule", Value::Text("cosine, \"ä\"".to_owned())),
        ("sizes", Value::List(vec![Value::Int(1), Value::Int(2)])),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}
