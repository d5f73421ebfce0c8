//! Facts committed in any grouping, across reopenings, read back as a model in memory says.

use std::collections::BTreeMap;

use pleach_core::{
    class::Budgets,
    life::{Stage, StageChange},
};
use proptest::prelude::*;

use super::*;
use crate::Loaded;

const STAGES: u32 = 4;

/// One thing that may happen to a stage; ignored when it cannot.
#[derive(Clone, Debug)]
enum Happening {
    Grant { stage: u32, from: u64 },
    Measure { stage: u32, step: u64, value: f64 },
    End { stage: u32, ending: Ending },
    Reopen,
}

fn happening() -> impl Strategy<Value = Happening> {
    let endings = prop_oneof![
        Just(Ending::Done),
        Just(Ending::Diverged),
        Just(Ending::Failed(Class::Error, "no".to_owned())),
        Just(Ending::Failed(Class::Crash, "9".to_owned())),
        Just(Ending::Failed(Class::Timeout, String::new())),
        Just(Ending::Lost),
        Just(Ending::Unusable("damaged".to_owned())),
    ];
    let stage = 1..=STAGES;
    prop_oneof![
        3 => (stage.clone(), 0..10u64).prop_map(|(stage, from)| Happening::Grant { stage, from }),
        4 => (stage.clone(), 1..=10u64, any::<f32>()).prop_map(|(stage, step, value)| {
            Happening::Measure { stage, step, value: value.into() }
        }),
        3 => (stage, endings).prop_map(|(stage, ending)| Happening::End { stage, ending }),
        1 => Just(Happening::Reopen),
    ]
}

/// What should be remembered.
struct Model {
    stages: Vec<Stage>,
    metrics: BTreeMap<(u32, u64), f64>,
    attempts: u32,
}

impl Model {
    fn happen(&mut self, happening: &Happening) -> Vec<Fact> {
        let index = |stage: u32| stage as usize - 1;
        match happening {
            Happening::Grant { stage, from } => {
                let attempt = AttemptId(self.attempts + 1);
                let row = &mut self.stages[index(*stage)];
                if row.change(&StageChange::Granted(attempt)).is_err() {
                    return Vec::new();
                }
                self.attempts += 1;
                let purpose = match row.status {
                    StageStatus::Rebuilding(_) => Purpose::Rebuild,
                    _ => Purpose::Train,
                };
                if purpose == Purpose::Train {
                    self.metrics.retain(|&(of, step), _| of != *stage || step <= *from);
                }
                let (stage, worker, from) = (StageId(*stage), WorkerId(1), *from);
                vec![Fact::Granted { attempt, stage, worker, from, purpose }]
            }
            Happening::Measure { stage, step, value } => {
                self.metrics.insert((*stage, *step), *value);
                let values = vec![("loss".to_owned(), *value)];
                vec![Fact::Metrics { stage: StageId(*stage), step: *step, values }]
            }
            Happening::End { stage, ending } => {
                let stage = &mut self.stages[index(*stage)];
                let (StageStatus::Running(attempt) | StageStatus::Rebuilding(attempt)) =
                    stage.status
                else {
                    return Vec::new();
                };
                let before = stage.status;
                let budgets = Budgets::default();
                if stage.change(&StageChange::Ended(attempt, ending, &budgets)).is_err() {
                    return Vec::new();
                }
                if before == StageStatus::Rebuilding(attempt) {
                    return vec![Fact::Ended { attempt, ending: ending.clone(), step: 10 }];
                }
                let &mut Stage { id, status, .. } = stage;
                let (digest, evaluated) = (String::new(), Evaluated::default());
                vec![
                    Fact::Ended { attempt, ending: ending.clone(), step: 10 },
                    Fact::Stage { stage: id, status, digest, evaluated },
                ]
            }
            Happening::Reopen => Vec::new(),
        }
    }
}

fn metrics(store: &Store) -> BTreeMap<(u32, u64), f64> {
    let mut query = store.connection.prepare("SELECT stage, step, value FROM metric").unwrap();
    let rows = query.query_map([], |row| {
        Ok(((row.get(0)?, row.get::<_, i64>(1)? as u64), crate::column::metric(row, 2)?))
    });
    rows.unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_committed_is_what_is_loaded(
        groups in prop::collection::vec(prop::collection::vec(happening(), 0..6), 0..8),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sweep.db");
        let mut store = Store::open(&path).unwrap();
        let plan: Vec<_> = (0..STAGES).map(|at| trial(at.into(), 1, &[&at.to_string()])).collect();
        accept(&mut store, &plan).unwrap();
        let stages = store.load().unwrap().stages;
        let mut model = Model { stages, metrics: BTreeMap::new(), attempts: 0 };
        for group in &groups {
            let facts: Vec<Fact> = group.iter().flat_map(|it| model.happen(it)).collect();
            store.commit(&facts, NOW).unwrap();
            if group.iter().any(|it| matches!(it, Happening::Reopen)) {
                drop(store);
                store = Store::open(&path).unwrap();
            }
        }
        let Loaded { stages, next_attempt, .. } = store.load().unwrap();
        prop_assert_eq!(stages, model.stages);
        prop_assert_eq!(metrics(&store), model.metrics);
        prop_assert_eq!(next_attempt, AttemptId(model.attempts + 1));
    }
}
