use pleach_core::{
    class::Class,
    fact::Checkpoint,
    key::Key,
    life::{ConfigurationId, TrialId, WorkerId},
    objective::{Evaluated, Goal, Reduce},
    sweep::Running,
};
use pleach_store::{StageDetail, Time};

use super::*;

fn attempt(id: u32, ending: Option<Ending>) -> AttemptDetail {
    AttemptDetail {
        attempt: AttemptId(id),
        from: 0,
        step: None,
        started: Time(0),
        ended: None,
        ending,
        usage: None,
        warnings: Vec::new(),
    }
}

fn stage(id: u32, first: u64, status: StageStatus, attempts: Vec<AttemptDetail>) -> StageDetail {
    StageDetail {
        stage: StageId(id),
        key: Key::of(&id.to_string()),
        first,
        end: first + 100,
        status,
        trials: if first == 0 { 12 } else { 1 },
        digest: String::new(),
        attempts,
        checkpoints: Vec::new(),
    }
}

fn detail(status: TrialStatus, path: Vec<StageDetail>) -> TrialDetail {
    TrialDetail {
        verdicts: Vec::new(),
        trial: TrialId(7),
        configuration: ConfigurationId(1),
        parameters: [].into(),
        seed: 1,
        key: Key::of("x"),
        status,
        objective: None,
        standing: Standing::Current,
        path,
        metrics: Vec::new(),
    }
}

fn told(detail: &TrialDetail, coordinator: Coordinator, wait: Option<Wait>) -> String {
    let objective = Objective { metric: "acc".to_owned(), goal: Goal::Max, reduce: Reduce::Last };
    let budgets = &Budgets::default();
    let known = Known { sweep: "x", objective: &objective, detail, budgets, coordinator, wait };
    let explanation = explain(&known);
    format!("[{}] {}", explanation.because, explanation.text())
}

const NOBODY: Coordinator = Coordinator::Nobody(None);

#[test]
fn of_a_trial_that_has_ended_it_is_said_how_and_what_can_be_done() {
    let no = || Ending::Failed(Class::Error, "ended with exit code 2; it said: no data".to_owned());
    let failed =
        stage(1, 0, StageStatus::Failed, vec![attempt(3, Some(no())), attempt(5, Some(no()))]);
    let done = stage(1, 0, StageStatus::Done, vec![attempt(3, Some(Ending::Done))]);
    let barred = stage(2, 100, StageStatus::Failed, vec![attempt(6, Some(Ending::Lost))]);
    let with = |standing| TrialDetail { standing, ..detail(TrialStatus::Done, Vec::new()) };
    let cases = [
        TrialDetail { objective: Some(0.5), ..detail(TrialStatus::Done, vec![done.clone()]) },
        detail(TrialStatus::Diverged, Vec::new()),
        detail(TrialStatus::Stopped, Vec::new()),
        detail(TrialStatus::Failed, vec![StageDetail { trials: 1, ..failed.clone() }]),
        detail(TrialStatus::Failed, vec![failed, stage(2, 100, StageStatus::Waiting, Vec::new())]),
        detail(TrialStatus::Failed, vec![done, barred]),
        with(Standing::Retried(TrialId(9))),
        with(Standing::Removed),
    ];
    let texts = cases.map(|detail| told(&detail, NOBODY, None));
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn of_a_trial_that_waits_it_is_said_for_what() {
    let (first, second) = (StageId(1), StageId(2));
    let saved = Checkpoint {
        attempt: AttemptId(4),
        step: 60,
        file: "60".to_owned(),
        digest: String::new(),
        bytes: 1,
        evaluated: Evaluated::default(),
    };
    let trunk = StageDetail {
        checkpoints: vec![saved],
        ..stage(1, 0, StageStatus::Waiting, vec![attempt(4, None)])
    };
    let branch = stage(2, 100, StageStatus::Waiting, vec![attempt(5, None)]);
    let trial = detail(TrialStatus::Waiting, vec![trunk, branch.clone()]);
    let alone = detail(TrialStatus::Waiting, vec![StageDetail { first: 0, ..branch }]);
    let away = || Some(Ending::Failed(Class::Preempted, "ended with exit code 75".to_owned()));
    let away = vec![attempt(5, away()), attempt(6, away()), attempt(8, away())];
    let away = detail(TrialStatus::Waiting, vec![stage(2, 0, StageStatus::Waiting, away)]);
    let running = |attempt| Running {
        worker: WorkerId(1),
        attempt: AttemptId(attempt),
        trial: TrialId(1),
        others: 0,
        first: 0,
        step: 70,
        end: 100,
    };
    let progress = |is_paused| Progress {
        is_paused,
        running: vec![running(4), running(5)],
        ..Progress::default()
    };
    let runs = || Coordinator::Running(Some(progress(false)));
    let paused = || Coordinator::Running(Some(progress(true)));
    let trains = |stage, attempt| Some(Wait::Trains { stage, attempt: AttemptId(attempt) });
    let turn = |stage, ahead| Some(Wait::Turn { stage, ahead });
    let state = |attempt, ahead| {
        let attempt = Some(attempt).filter(|it| 0 < *it).map(AttemptId);
        Some(Wait::State { stage: second, missing: first, attempt, ahead })
    };
    let limit = || Coordinator::Nobody(Some("its `limit` was reached".to_owned()));
    let cases = [
        (&trial, runs(), turn(first, 0)),
        (&trial, runs(), turn(second, 2)),
        (&alone, runs(), turn(second, 2)),
        (&away, runs(), turn(second, 0)),
        (&trial, runs(), trains(first, 4)),
        (&trial, runs(), trains(second, 5)),
        (&trial, Coordinator::Running(None), trains(second, 5)),
        (&trial, runs(), Some(Wait::Apart { stage: first, ahead: 3 })),
        (&trial, runs(), state(0, 1)),
        (&trial, runs(), state(4, 0)),
        (&trial, paused(), turn(second, 0)),
        (&trial, paused(), trains(first, 4)),
        (&trial, Coordinator::Stopping, turn(second, 0)),
        (&trial, Coordinator::Stopping, trains(second, 5)),
        (&trial, NOBODY, turn(first, 0)),
        (&trial, limit(), turn(second, 2)),
        (&trial, NOBODY, trains(first, 4)),
        (&trial, limit(), trains(second, 5)),
    ];
    let texts = cases.map(|(detail, coordinator, wait)| told(detail, coordinator, wait));
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_program_may_read_it() {
    let objective = Objective { metric: "acc".to_owned(), goal: Goal::Max, reduce: Reduce::Last };
    let odd = Warning::new("a line that cannot be read was left out", 40, Some(12), "`x`");
    let attempt = AttemptDetail { warnings: vec![odd], ..attempt(1, Some(Ending::Interrupted)) };
    let path = vec![stage(1, 0, StageStatus::Waiting, vec![attempt])];
    let detail = detail(TrialStatus::Stopped, path);
    let known = Known {
        sweep: "x",
        objective: &objective,
        detail: &detail,
        budgets: &Budgets::default(),
        coordinator: NOBODY,
        wait: None,
    };
    insta::assert_snapshot!(explain(&known).json(), @r#"
    {
      "trial": 7,
      "because": "stopped",
      "text": "was stopped by a person",
      "advice": "`pleach retry x 7` and `pleach resume x` run it again",
      "warnings": [
        {
          "what": "a line that cannot be read was left out",
          "count": 40,
          "line": 12,
          "first": "`x`"
        }
      ]
    }
    "#);
}
