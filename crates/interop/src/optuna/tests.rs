use pleach_core::{life::ConfigurationId, rank::Row};

use super::*;
use crate::sample;

#[test]
fn a_trial_is_one_line() {
    let rows = [Row {
        configuration: ConfigurationId(1),
        parameters: sample::parameters(),
        trials: Vec::new(),
    }];
    let distributions = distribution::of(&rows, None, &mut Vec::new());
    let line = |status, objective| {
        let detail = sample::trial(7, status, objective);
        format!("{:#}\n", create_trial(&detail, "loss", &distributions))
    };
    insta::assert_snapshot!(line(TrialStatus::Done, Some(0.5)));
    let state = |status, objective| {
        let line = create_trial(&sample::trial(7, status, objective), "loss", &distributions);
        [&line["state"], &line["value"], &line["intermediate_values"]].map(ToString::to_string)
    };
    assert_eq!(state(TrialStatus::Done, Some(f64::INFINITY)), ["3", "null", r#"{"10":2.0}"#]);
    assert_eq!(state(TrialStatus::Diverged, Some(f64::NAN)), ["3", "null", r#"{"10":2.0}"#]);
    assert_eq!(state(TrialStatus::Failed, None), ["3", "null", r#"{"10":2.0}"#]);
    assert_eq!(state(TrialStatus::Stopped, None), ["2", "null", r#"{"10":2.0}"#]);
    let waiting =
        create_trial(&sample::trial(7, TrialStatus::Waiting, None), "loss", &distributions);
    assert_eq!(waiting["system_attrs"]["fixed_params"]["layers"], 2);
    assert!(waiting["datetime_start"].is_null() && waiting.get("datetime_complete").is_none());
}
