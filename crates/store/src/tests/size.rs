//! How many bytes a trial costs.

use super::*;

const TRIALS: u32 = 2000;
/// Trials per commit, as under load.
const GROUP: u32 = 100;
const BYTES_PER_TRIAL: u64 = 200;

#[test]
fn a_finished_trial_that_does_nothing_costs_less_than_two_hundred_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.db");
    let trials: Vec<_> =
        (0..TRIALS).map(|index| trial(index.into(), 1, &[&index.to_string()])).collect();
    let mut store = Store::open(&path).unwrap();
    let empty = bytes(&store);
    accept(&mut store, &trials).unwrap();
    for group in 0..TRIALS / GROUP {
        let ids = group * GROUP + 1..=(group + 1) * GROUP;
        let grants: Vec<Fact> = ids.clone().map(|id| trained(id, id, 0.1).remove(0)).collect();
        store.commit(&grants, NOW).unwrap();
        let facts: Vec<Fact> = ids
            .flat_map(|id| {
                let loss = f64::from(id).sqrt();
                let mut facts = trained(id, id, loss);
                facts.remove(0);
                facts.push(trial_is(id, TrialStatus::Done, Some(loss)));
                facts
            })
            .collect();
        store.commit(&facts, Time(NOW.0 + 2)).unwrap();
    }
    let each = (bytes(&store) - empty) / u64::from(TRIALS);
    println!("{each} bytes per trial");
    assert!(each < BYTES_PER_TRIAL, "{each} bytes per trial");
}

fn bytes(store: &Store) -> u64 {
    let pragma = |name| -> u64 {
        store.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap() as u64
    };
    pragma("page_count") * pragma("page_size")
}
