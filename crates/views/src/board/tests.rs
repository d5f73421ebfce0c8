use super::*;
use pleach_core::{
    life::{ConfigurationId, TrialId, TrialStatus},
    objective::Reduce,
    plan::{Configuration, Lengths, PlanError, command, plan},
    rank::{self, Cell, Results, rank},
    spec::{self, ProgramSpec},
    value::Value,
};
use proptest::{collection::vec, prelude::*};

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
    let mut parameters = Parameters::from([
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
    Board::new(&rank(rows(), Goal::Max), &objective(), &Extent { filters: filters.to_vec(), limit })
}

#[test]
fn a_board_shows_what_differs_and_what_is_known() {
    insta::assert_snapshot!(board(&[], 0).table(None), @"
    ╭─────┬────────┬──────────┬──────┬────────┬─────────────────┬────────────────────┬─────────┬───────┬─────────────────╮
    │   # │ trials │ schedule │ peak │ warmup │ val_accuracy ↑  │ vs first           │ P(best) │ seeds │ state           │
    ├─────┼────────┼──────────┼──────┼────────┼─────────────────┼────────────────────┼─────────┼───────┼─────────────────┤
    │ 1–2 │ 30–32  │ cosine   │ 0.3  │ 5%     │ 0.9762 ± 0.0026 │                    │ 57 %    │ 3/3   │ done            │
    │ 1–2 │ 20–22  │ cosine   │ 0.1  │ 0%     │ 0.9760 ± 0.0010 │ ≈ -0.0002 ± 0.0040 │ 43 %    │ 3/3   │ done            │
    │   3 │ 10–12  │ constant │ 0.1  │        │ 0.9500 ± 0.0010 │ -0.0262 ± 0.0050   │         │ 3/3   │ done            │
    │   – │ 50–52  │ constant │ 0.3  │        │ 0.9600          │ -0.0140            │         │ 1/3   │ partial         │
    │   – │ 40–42  │ constant │ 3    │        │ 0.9050 ± 0.0071 │                    │         │ 2/3   │ 1 seed diverged │
    │   – │ 60–62  │ constant │ 0.01 │        │ –               │                    │         │ 0/3   │ waiting         │
    ╰─────┴────────┴──────────┴──────┴────────┴─────────────────┴────────────────────┴─────────┴───────┴─────────────────╯
    ≈ not distinguishable from the first at 95 %, seed by seed
    ± of a value: deviation over seeds; of a difference: half its 95 % interval
    more than 100 more seeds would tell the first two apart
    ");
}

#[test]
fn a_board_is_limited_filtered_and_fits_a_narrow_terminal() {
    insta::assert_snapshot!(board(&[("schedule".to_owned(), "constant".to_owned())], 2).table(Some(60)), @"
    ╭───┬────────┬──────────┬──────┬─────────────────┬─────────╮
    │ # │ trials │ schedule │ peak │ val_accuracy ↑  │ state   │
    ├───┼────────┼──────────┼──────┼─────────────────┼─────────┤
    │ 3 │ 10–12  │ constant │ 0.1  │ 0.9500 ± 0.0010 │ done    │
    │ – │ 50–52  │ constant │ 0.3  │ 0.9600          │ partial │
    ╰───┴────────┴──────────┴──────┴─────────────────┴─────────╯
    … 2 more; --limit 0 shows all
    no room for warmup, vs first, P(best), seeds: `--csv` and
        `--json` have them
    ± of a value: deviation over seeds; of a difference: half
        its 95 % interval
    more than 100 more seeds would tell the first two apart
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
    let columns = Board::new(&rank(rows, Goal::Max), &objective(), &Extent::default()).columns;
    assert_eq!(columns, ["schedule", "peak", "warmup"]);
}

#[test]
fn a_board_is_data_too() {
    insta::assert_snapshot!(board(&[], 2).markdown(), @"
    |   # | trials | schedule | peak | warmup | val_accuracy ↑  | vs first           | P(best) | seeds | state |
    |-----|--------|----------|------|--------|-----------------|--------------------|---------|-------|-------|
    | 1–2 | 30–32  | cosine   | 0.3  | 5%     | 0.9762 ± 0.0026 |                    | 57 %    | 3/3   | done  |
    | 1–2 | 20–22  | cosine   | 0.1  | 0%     | 0.9760 ± 0.0010 | ≈ -0.0002 ± 0.0040 | 43 %    | 3/3   | done  |
    ");
    insta::assert_snapshot!(board(&[], 0).csv(), @"
    rank,rank_low,rank_high,configuration,schedule,peak,warmup,mean,low,high,spread,seeds_done,seeds,state,difference,difference_low,difference_high,probability_best,trials,last,steps,steps_of,seconds
    1,1,2,3,cosine,0.3,5%,0.9761666666666665,0.9697928643379654,0.9825404689953676,0.002565800719723437,3,3,done,,,,0.5705,30 31 32,,,,
    2,1,2,2,cosine,0.1,0%,0.976,0.9735158622882496,0.9784841377117504,0.0010000000000000009,3,3,done,-0.0001666666666666853,-0.004159359422388719,0.0038260260890553483,0.4295,20 21 22,,,,
    3,3,3,1,constant,0.1,,0.9499999999999998,0.9475158622882495,0.9524841377117502,0.0010000000000000009,3,3,done,-0.02616666666666671,-0.031186428184707758,-0.02114690514862566,0,10 11 12,,,,
    ,,,5,constant,0.3,,0.96,,,,1,3,partial,-0.014000000000000012,,,,50 51 52,,,,
    ,,,4,constant,3,,0.905,0.8414689763191265,0.9685310236808735,0.007071067811865481,2,3,1 seed diverged,,,,,40 41 42,,,,
    ,,,6,constant,0.01,,,,,,0,3,waiting,,,,,60 61 62,,,,
    ");
    insta::assert_snapshot!(board(&[], 2).json(), @r#"
    [
      {
        "rank": 1,
        "ranks": [
          1,
          2
        ],
        "configuration": 3,
        "parameters": {
          "batch": 64,
          "peak": 0.3,
          "schedule": "cosine",
          "warmup": "5%"
        },
        "mean": 0.9761666666666665,
        "spread": 0.002565800719723437,
        "interval": [
          0.9697928643379654,
          0.9825404689953676
        ],
        "seeds_done": 3,
        "seeds": 3,
        "state": "done",
        "difference": null,
        "difference_interval": null,
        "distinguishable": null,
        "probability_best": 0.5705,
        "trials": [
          30,
          31,
          32
        ],
        "last": null,
        "steps": null,
        "seconds": null
      },
      {
        "rank": 2,
        "ranks": [
          1,
          2
        ],
        "configuration": 2,
        "parameters": {
          "batch": 64,
          "peak": 0.1,
          "schedule": "cosine",
          "warmup": "0%"
        },
        "mean": 0.976,
        "spread": 0.0010000000000000009,
        "interval": [
          0.9735158622882496,
          0.9784841377117504
        ],
        "seeds_done": 3,
        "seeds": 3,
        "state": "done",
        "difference": -0.0001666666666666853,
        "difference_interval": [
          -0.004159359422388719,
          0.0038260260890553483
        ],
        "distinguishable": false,
        "probability_best": 0.4295,
        "trials": [
          20,
          21,
          22
        ],
        "last": null,
        "steps": null,
        "seconds": null
      }
    ]
    "#);
}

#[test]
fn curves_are_a_column_where_there_is_room() {
    let board = board(&[], 3);
    let curves = board.trials().into_iter().map(|trials| {
        let point = |trial: TrialId, n: u64| (n, f64::from(trial.0) * (1.0 - 1.0 / n as f64));
        let curve = |trial: TrialId| (1..=4).map(move |n| point(trial, n)).collect();
        trials.into_iter().map(curve).collect()
    });
    let with_curves = board.clone().with_curves(&curves.collect::<Vec<_>>());
    insta::assert_snapshot!(with_curves.table(Some(124)));
    insta::assert_snapshot!(with_curves.table(Some(100)));
    assert_eq!(with_curves.table(Some(70)), board.table(Some(70)));
    assert_eq!(with_curves.json(), board.json());
    assert_eq!((with_curves.csv(), with_curves.markdown()), (board.csv(), board.markdown()));
}

#[test]
fn groups_are_shown_each_at_its_best() {
    let rows = rows();
    let groups = rank::groups(&rows, &["schedule".to_owned()], Goal::Max);
    let board = Board::of_groups(&groups, &rows, &objective(), &Extent::default());
    insta::assert_snapshot!(board.table(None), @"
    ╭───┬────────┬──────────┬──────┬────────┬─────────────────┬──────────────────┬─────────┬───────┬─────────┬───────┬───────╮
    │ # │ trials │ schedule │ peak │ warmup │ val_accuracy ↑  │ vs first         │ P(best) │ tried │ as good │ seeds │ state │
    ├───┼────────┼──────────┼──────┼────────┼─────────────────┼──────────────────┼─────────┼───────┼─────────┼───────┼───────┤
    │ 1 │ 30–32  │ cosine   │ 0.3  │ 5%     │ 0.9762 ± 0.0026 │                  │ 100 %   │ 2     │ 2       │ 3/3   │ done  │
    │ 2 │ 10–12  │ constant │ 0.1  │        │ 0.9500 ± 0.0010 │ -0.0262 ± 0.0050 │         │ 4     │ 1       │ 3/3   │ done  │
    ╰───┴────────┴──────────┴──────┴────────┴─────────────────┴──────────────────┴─────────┴───────┴─────────┴───────┴───────╯
    ± of a value: deviation over seeds; of a difference: half its 95 % interval
    each at its best; `as good`: configurations of the group that cannot be told from it
    from 2 to 4 configurations were tried: who had more had more luck to choose from
    constant: 1 of 4 diverged
    ");
}

#[test]
fn what_a_careful_experimenter_would_say_stands_below() {
    let objective = Objective { metric: "test_loss".to_owned(), ..objective() };
    let rows = [0.1, 0.2, 0.3].into_iter().zip([Some(0.5), Some(0.6), Some(0.8)]);
    let rows = (1..).zip(rows).map(|(id, (peak, value))| {
        configuration(
            id,
            "cosine",
            None,
            peak,
            &[value, value.map(|value| value + 0.05 / f64::from(id))],
        )
    });
    let board = Board::new(&rank(rows.collect(), Goal::Max), &objective, &Extent::default());
    insta::assert_snapshot!(board.table(None), @"
    ╭─────┬────────┬──────┬───────────────┬────────────────┬─────────┬───────┬───────╮
    │   # │ trials │ peak │ test_loss ↑   │ vs first       │ P(best) │ seeds │ state │
    ├─────┼────────┼──────┼───────────────┼────────────────┼─────────┼───────┼───────┤
    │   1 │ 30–31  │ 0.3  │ 0.808 ± 0.012 │                │ 100 %   │ 2/2   │ done  │
    │ 2–3 │ 20–21  │ 0.2  │ 0.613 ± 0.018 │ -0.196 ± 0.053 │         │ 2/2   │ done  │
    │ 2–3 │ 10–11  │ 0.1  │ 0.525 ± 0.035 │ -0.28 ± 0.21   │         │ 2/2   │ done  │
    ╰─────┴────────┴──────┴───────────────┴────────────────┴─────────┴───────┴───────╯
    ± of a value: deviation over seeds; of a difference: half its 95 % interval
    with 2 seeds a rank is luck as much as merit: three tell more (`seeds = [1, 2, 3]`)
    the best has the highest peak tried (0.3): better ones may lie above
    chosen by test_loss: the winner's own value there flatters it; hold images out with `valid` and choose by them
    ");
}

/// Any results of configurations of two branches, in which a seed may be missing.
fn any_rows() -> impl Strategy<Value = Vec<rank::Row>> {
    use TrialStatus::{Diverged, Done, Failed, Stopped, Waiting};
    let result = prop_oneof![
        20 => (0..8_i32).prop_map(|value| Some((Done, Some(f64::from(value) / 7.0)))),
        5 => (0..8_i32).prop_map(|value| Some((Done, Some(f64::from(value) * 1e-3 + 0.5)))),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), any::<f64>()]
            .prop_map(|value| Some((Done, Some(value)))),
        1 => prop_oneof![Just(Diverged), Just(Failed), Just(Stopped), Just(Waiting), Just(Done)]
            .prop_map(|status| Some((status, None))),
        1 => Just(None),
    ];
    vec(vec(result, 3), 0..12).prop_map(|rows| {
        let rows = (1..).zip(rows).map(|(id, results)| {
            let branch = if id % 3 == 0 { "constant" } else { "cosine" };
            let warmup = (id % 5 == 0).then_some("5%");
            let mut row = configuration(id, branch, warmup, f64::from(id % 4), &[]);
            let trials = (0..).zip(results).filter_map(|(seed, result)| {
                let trial = TrialId(id * 9 + seed);
                let (status, objective) = result?;
                Some(rank::Result { trial, seed: seed.into(), status, objective })
            });
            row.trials = trials.collect();
            row
        });
        rows.filter(|row| !row.trials.is_empty()).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The best, found by packed results, make the same board as everything does, to the last character.
    #[test]
    fn the_best_look_the_same_beside_what_was_not_read(
        rows in any_rows(), limit in 1..6_usize, is_max in any::<bool>(),
    ) {
        let goal = if is_max { Goal::Max } else { Goal::Min };
        let objective = Objective { goal, ..objective() };
        let mut results = Results::new(3);
        for row in &rows {
            let cell = |seed| {
                let found = row.trials.iter().find(|result| result.seed == seed);
                found.map_or(Cell::EMPTY, |found| Cell::new(found.status, found.objective))
            };
            results.push(row.configuration, (0..3).map(cell));
        }
        let order = results.order(goal);
        let shown = order.configurations.iter().take(limit);
        let shown = shown.filter_map(|id| rows.iter().find(|row| row.configuration == *id));
        let best = Best {
            rows: shown.cloned().collect(),
            configurations: rows.len(),
            doubt: results.doubt(&order, goal),
            tried: Tried::new(&rows.iter().map(|row| &row.parameters).collect::<Vec<_>>()),
        };
        let best = Board::of_best(best, &objective);
        let board = Board::new(&rank(rows, goal), &objective, &Extent { filters: Vec::new(), limit });
        prop_assert_eq!(best.table(None), board.table(None));
        prop_assert_eq!(best.markdown(), board.markdown());
        prop_assert_eq!(best.json(), board.json());
        prop_assert_eq!(best.csv(), board.csv());
    }
}

#[test]
fn schedules_are_a_column_where_they_differ_and_there_is_room() {
    let board = |space: &str| {
        let file = "[sweep]\nname = \"x\"\nobjective = { metric = \"loss\", goal = \"min\" }\n[command]\nrun = [\"x\"]\nbudget = \"100st\"\n";
        let spec =
            spec::read("x.toml", &format!("{file}[space]\npeak = [0.1, 0.3]\n{space}")).unwrap();
        let program = command::program(&spec, "n".to_owned());
        let ProgramSpec::Command(own) = &spec.program else { panic!("{space}") };
        let mut lengths = Lengths::default();
        if let Err(PlanError::Unmeasured(asked)) = plan(&spec, &program, &lengths) {
            for asked in asked {
                lengths.insert(&asked, command::length(own, &asked));
            }
        }
        let plan = plan(&spec, &program, &lengths).unwrap();
        let row = |(id, it): (u32, &Configuration)| rank::Row {
            parameters: it.parameters.clone(),
            ..configuration(id, "", None, 0.0, &[Some(f64::from(id))])
        };
        let rows = (1..).zip(&plan.configurations).map(row).collect();
        let board = Board::new(&rank(rows, Goal::Min), &objective(), &Extent::default());
        (board.clone(), board.with_schedules(&plan))
    };
    let (without, with) =
        board("[space.schedule.constant]\n[space.schedule.cosine]\nwarmup = [\"0%\", \"20%\"]\n");
    assert!(without.has_schedules());
    insta::assert_snapshot!(with.table(None));
    assert_eq!(with.table(Some(70)), without.table(Some(70)));
    assert_eq!((with.json(), with.markdown()), (without.json(), without.markdown()));
    let (without, with) = board("[space.schedule.cosine]\n");
    assert!(!without.has_schedules());
    assert_eq!(with, without, "one schedule at two peaks");
}
