//! What is remembered, and the laws that hold of it after every commit.

use super::*;
use crate::stop::Verdict;

/// The truth on disk: rows and metrics, changed by facts alone.
#[derive(Clone, Default)]
pub(super) struct Database {
    pub(super) rows: Rows,
    pub(super) metrics: BTreeMap<(StageId, u64), f64>,
    pub(super) objectives: BTreeMap<TrialId, f64>,
    pub(super) counted: BTreeMap<StageId, u32>,
    pub(super) granted: BTreeMap<AttemptId, StageId>,
    /// How many trials were planned again.
    pub(super) renewals: u32,
}

impl Database {
    pub(super) fn stage(&mut self, id: StageId) -> &mut StageRow {
        self.rows.stages.iter_mut().find(|row| row.stage.id == id).unwrap()
    }

    /// Plans trials again, as the store does: from the first stage on that ended badly, or, of what has a result, all of it.
    pub(super) fn renew(&mut self, old: &[TrialId]) -> Renewed {
        let mut renewed = Renewed { instead_of: old.to_vec(), ..Renewed::default() };
        let mut instead = BTreeMap::<StageId, StageId>::new();
        for id in old {
            let index = self.rows.trials.iter().position(|trial| trial.id == *id).unwrap();
            let mut trial = self.rows.trials.remove(index);
            assert!(trial.status.is_terminal(), "only what ended runs again");
            let mut is_new = trial.status == TrialStatus::Done;
            let mut parent = None;
            for stage in &mut trial.path {
                let row = self.stage(*stage).clone();
                is_new |= matches!(row.stage.status, StageStatus::Failed | StageStatus::Diverged);
                if is_new {
                    *stage = *instead.entry(*stage).or_insert_with(|| {
                        let id = StageId(self.rows.stages.len() as u32 + 1);
                        let mut stage = Stage { id, parent, tally: Tally::default(), ..row.stage };
                        stage.status = StageStatus::Waiting;
                        let (evaluated, digest) = (Evaluated::default(), String::new());
                        let row = StageRow { stage, evaluated, digest, checkpoints: Vec::new() };
                        self.rows.stages.push(row);
                        id
                    });
                }
                parent = Some(*stage);
            }
            self.renewals += 1;
            (trial.id, trial.status) = (TrialId(1000 + self.renewals), TrialStatus::Waiting);
            let path = trial.path.iter();
            renewed.stages.extend(path.map(|stage| self.rows.stages[stage.0 as usize - 1].clone()));
            self.rows.trials.push(trial.clone());
            renewed.trials.push(trial);
        }
        renewed
    }

    pub(super) fn commit(&mut self, facts: &[Fact]) {
        for fact in facts {
            match fact {
                Fact::Granted { attempt, stage, from, purpose, .. } => {
                    assert!(
                        self.granted.insert(*attempt, *stage).is_none(),
                        "an attempt's number is used once"
                    );
                    let row = self.stage(*stage);
                    let (before, after) = match purpose {
                        Purpose::Train => (StageStatus::Waiting, StageStatus::Running(*attempt)),
                        Purpose::Rebuild => (StageStatus::Done, StageStatus::Rebuilding(*attempt)),
                    };
                    assert_eq!(row.stage.status, before);
                    row.stage.status = after;
                    self.rows.next_attempt = AttemptId(attempt.0 + 1);
                    if *purpose == Purpose::Train {
                        self.metrics.retain(|(other, step), _| other != stage || step <= from);
                    }
                }
                Fact::Ended { attempt, ending, .. } => {
                    let row = self.stage(self.granted[attempt]);
                    if let StageStatus::Rebuilding(_) = row.stage.status {
                        row.stage.status = StageStatus::Done;
                    }
                    if let Charge::Class(class) = ending.charge() {
                        let (times, is_training) =
                            (row.stage.tally.count(class), !row.stage.status.is_terminal());
                        let most = Budgets::default().of(class) + 1;
                        assert!(!is_training || times <= most, "budgets hold, whoever counts");
                    }
                    if matches!(ending, Ending::Done | Ending::Diverged) {
                        *self.counted.entry(self.granted[attempt]).or_default() += 1;
                    }
                }
                Fact::Stage { stage, status, digest, evaluated } => {
                    let row = self.stage(*stage);
                    assert!(!row.stage.status.is_terminal(), "terminal is terminal");
                    row.stage.status = *status;
                    (row.digest, row.evaluated) = (digest.clone(), evaluated.clone());
                }
                Fact::Trial { trial, status, objective } => {
                    let row = self.rows.trials.iter_mut().find(|row| row.id == *trial).unwrap();
                    assert!(!row.status.is_terminal(), "terminal is terminal");
                    row.status = *status;
                    self.objectives.extend(objective.map(|value| (*trial, value)));
                }
                Fact::Metrics { stage, step, values } => {
                    self.metrics.insert((*stage, *step), values[0].1);
                }
                Fact::Checkpoint { stage, checkpoint } => {
                    let checkpoints = &mut self.stage(*stage).checkpoints;
                    checkpoints.retain(|other| other.step != checkpoint.step);
                    checkpoints.push(checkpoint.clone());
                    checkpoints.sort_by_key(|checkpoint| checkpoint.step);
                }
                Fact::Forgotten { stage, step } => {
                    self.stage(*stage).checkpoints.retain(|other| other.step != *step);
                }
                Fact::Reached { trial, step, value } => {
                    let reached = &mut self.rows.record.reached;
                    assert!(reached.insert((*trial, *step), *value).is_none(), "reached once");
                }
                Fact::Judged(verdict) => {
                    let verdicts = &mut self.rows.record.verdicts;
                    let rung = |it: &Verdict| (it.configuration, it.step);
                    assert!(verdicts.iter().all(|it| rung(it) != rung(verdict)), "judged once");
                    verdicts.push(*verdict);
                }
                Fact::Used { .. }
                | Fact::Warned { .. }
                | Fact::Halted { .. }
                | Fact::Note { .. } => {}
            }
        }
        assert!(self.counted.values().all(|&n| n == 1), "counted once");
    }
}
