use super::*;
use pleach_core::{
    life::{ConfigurationId, TrialId, TrialStatus},
    objective::Reduce,
    rank::{self, rank},
};

fn objective() -> Objective {
    Objective { metric: "val_accuracy".to_owned(), goal: Goal::Max, reduce: Reduce::Last }
}

fn configuration(
    id: u32,
    schedule: &str,
    warmup: Option<&str>,
    peak: f64,
    objectives: &[Option<f64>],
) -> rank::Row {
    let mut parameters = BTreeMap::from([
        ("schedule".to_owned(), Value::Text(schedule.to_owned())),
        ("peak".to_owned(), Value::Float(peak)),
        ("batch".to_owned(), Value::Int(64)),
    ]);
    parameters.extend(warmup.map(|warmup| ("warmup".to_owned(), Value::Text(warmup.to_owned()))));
    let trials = objectives.iter().enumerate().map(|(index, &objective)| rank::Result {
        trial: TrialId(10 * id + index as u32),
        seed: index as u64,
        status: match objective {
            Some(value) if value.is_nan() => TrialStatus::Diverged,
            Some(_) => TrialStatus::Done,
            None => TrialStatus::Waiting,
        },
        objective,
    });
    rank::Row { configuration: ConfigurationId(id), parameters, trials: trials.collect() }
}

fn rows() -> Vec<rank::Row> {
    vec![
        configuration(1, "constant", None, 0.1, &[Some(0.95), Some(0.951), Some(0.949)]),
        configuration(2, "cosine", Some("0%"), 0.1, &[Some(0.975), Some(0.977), Some(0.976)]),
        configuration(3, "cosine", Some("5%"), 0.3, &[Some(0.974), Some(0.979), Some(0.9755)]),
        configuration(4, "constant", None, 3.0, &[Some(f64::NAN), Some(0.9), Some(0.91)]),
        configuration(5, "constant", None, 0.3, &[Some(0.96), None, None]),
        configuration(6, "constant", None, 0.01, &[None, None, None]),
    ]
}

fn board(filters: &[(String, String)], limit: usize) -> Board {
    Board::new(&rank(rows(), Goal::Max), &objective(), filters, limit)
}

#[test]
fn a_board_shows_what_differs_and_what_is_known() {
    insta::assert_snapshot!(board(&[], 0).table(None), @"
    ╭───┬──────────┬──────┬────────┬─────────────────┬──────────┬───────┬─────────────────╮
    │ # │ schedule │ peak │ warmup │ val_accuracy ↑  │ vs first │ seeds │ state           │
    ├───┼──────────┼──────┼────────┼─────────────────┼──────────┼───────┼─────────────────┤
    │ 1 │ cosine   │ 0.3  │ 5%     │ 0.9762 ± 0.0026 │          │ 3/3   │ done            │
    │ 2 │ cosine   │ 0.1  │ 0%     │ 0.9760 ± 0.0010 │ ≈        │ 3/3   │ done            │
    │ 3 │ constant │ 0.1  │        │ 0.9500 ± 0.0010 │ -0.0262  │ 3/3   │ done            │
    │ – │ constant │ 0.3  │        │ 0.9600          │ -0.0140  │ 1/3   │ partial         │
    │ – │ constant │ 3    │        │ 0.9050 ± 0.0071 │          │ 2/3   │ 1 seed diverged │
    │ – │ constant │ 0.01 │        │ –               │          │ 0/3   │ waiting         │
    ╰───┴──────────┴──────┴────────┴─────────────────┴──────────┴───────┴─────────────────╯
    ≈ not distinguishable from the first at 95 %, seed by seed
    ");
}

#[test]
fn a_board_is_limited_filtered_and_fits_a_narrow_terminal() {
    insta::assert_snapshot!(board(&[("schedule".to_owned(), "constant".to_owned())], 2).table(Some(60)), @"
    ╭───┬───────┬──────┬───────┬───────┬───────┬───────┬───────╮
    │ # │ sche… │ peak │ warm… │ val_… │ vs f… │ seeds │ state │
    ├───┼───────┼──────┼───────┼───────┼───────┼───────┼───────┤
    │ 3 │ cons… │ 0.1  │       │ 0.95… │ -0.0… │ 3/3   │ done  │
    │ – │ cons… │ 0.3  │       │ 0.96… │ -0.0… │ 1/3   │ part… │
    ╰───┴───────┴──────┴───────┴───────┴───────┴───────┴───────╯
    … 2 more; --limit 0 shows all
    ");
    insta::assert_snapshot!(board(&[("schedule".to_owned(), "step".to_owned())], 0).table(None), @"no configurations");
}

#[test]
fn what_a_branch_always_has_is_not_told() {
    let mut rows = rows();
    for row in &mut rows {
        if row.parameters["schedule"] == Value::Text("constant".to_owned()) {
            row.parameters.insert("every".to_owned(), Value::Text("1ep".to_owned()));
        }
    }
    let columns = Board::new(&rank(rows, Goal::Max), &objective(), &[], 0).columns;
    assert_eq!(columns, ["schedule", "peak", "warmup"]);
}

#[test]
fn a_board_is_data_too() {
    insta::assert_snapshot!(board(&[], 2).markdown(), @"
    | # | schedule | peak | warmup | val_accuracy ↑  | vs first | seeds | state |
    |---|----------|------|--------|-----------------|----------|-------|-------|
    | 1 | cosine   | 0.3  | 5%     | 0.9762 ± 0.0026 |          | 3/3   | done  |
    | 2 | cosine   | 0.1  | 0%     | 0.9760 ± 0.0010 | ≈        | 3/3   | done  |
    ");
    insta::assert_snapshot!(board(&[], 0).csv(), @"
    rank,configuration,schedule,peak,warmup,mean,spread,seeds_done,seeds,state,difference
    1,3,cosine,0.3,5%,0.9761666666666665,0.002565800719723437,3,3,done,
    2,2,cosine,0.1,0%,0.976,0.0010000000000000009,3,3,done,-0.0001666666666666853
    3,1,constant,0.1,,0.9499999999999998,0.0010000000000000009,3,3,done,-0.02616666666666671
    ,5,constant,0.3,,0.96,,1,3,partial,-0.014000000000000012
    ,4,constant,3,,0.905,0.007071067811865481,2,3,1 seed diverged,
    ,6,constant,0.01,,,,0,3,waiting,
    ");
    insta::assert_snapshot!(board(&[], 2).json(), @r#"
    [
      {
        "rank": 1,
        "configuration": 3,
        "parameters": {
          "batch": 64,
          "peak": 0.3,
          "schedule": "cosine",
          "warmup": "5%"
        },
        "mean": 0.9761666666666665,
        "spread": 0.002565800719723437,
        "seeds_done": 3,
        "seeds": 3,
        "state": "done",
        "difference": null,
        "distinguishable": null,
        "trials": [
          30,
          31,
          32
        ]
      },
      {
        "rank": 2,
        "configuration": 2,
        "parameters": {
          "batch": 64,
          "peak": 0.1,
          "schedule": "cosine",
          "warmup": "0%"
        },
        "mean": 0.976,
        "spread": 0.0010000000000000009,
        "seeds_done": 3,
        "seeds": 3,
        "state": "done",
        "difference": -0.0001666666666666853,
        "distinguishable": false,
        "trials": [
          20,
          21,
          22
        ]
      }
    ]
    "#);
}
