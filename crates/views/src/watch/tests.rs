use pleach_core::{
    life::{ConfigurationId, TrialStatus},
    objective::{Goal, Objective, Reduce},
    rank::{self, rank},
    sweep,
    value::Value,
};
use pleach_store::Revision;
use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::{Buffer, Cell},
    style::Color,
};

use super::*;
use crate::board::Extent;

/// Now, in all of these.
const NOW: Time = Time(1_700_000_000_000);

fn parameters(schedule: &str, peak: f64) -> Parameters {
    let schedule = ("schedule".to_owned(), Value::Text(schedule.to_owned()));
    [schedule, ("peak".to_owned(), Value::Float(peak))].into()
}

fn setting(configuration: u32) -> Setting {
    let configuration = ConfigurationId(configuration);
    Setting { configuration, parameters: parameters("cosine", 0.1), seed: 1 }
}

/// A board of four configurations with two seeds each, trials 1 to 8, with these objectives.
fn board(objective: &Objective, values: &[[Option<f64>; 2]]) -> Board {
    let rows = (0..).zip(values).map(|(index, values)| {
        let result = |(seed, value): (u32, &Option<f64>)| rank::Result {
            trial: TrialId(2 * index + seed),
            seed: u64::from(seed),
            status: match value {
                Some(value) if value.is_nan() => TrialStatus::Diverged,
                Some(_) => TrialStatus::Done,
                None => TrialStatus::Waiting,
            },
            objective: *value,
        };
        rank::Row {
            configuration: ConfigurationId(index + 1),
            parameters: parameters(["cosine", "wsd"][index as usize % 2], 0.1 * f64::from(index)),
            trials: (1..).zip(values).map(result).collect(),
        }
    });
    let extent = Extent { filters: Vec::new(), limit: 100 };
    let board = Board::new(&rank(rows.collect(), Goal::Max), objective, &extent);
    let curve = |trial: TrialId| {
        let last = values.as_flattened()[trial.0 as usize - 1].filter(|value| value.is_finite());
        last.map_or(Vec::new(), |last| (1..=4).map(|n| (100 * n, last - 0.2 / n as f64)).collect())
    };
    let of_row = |trials: Vec<TrialId>| trials.into_iter().map(curve).collect();
    let curves: Vec<_> = board.trials().into_iter().map(of_row).collect();
    board.with_curves(&curves)
}

/// A sweep of 8 trials of which so many have ended, by status.
fn seen(values: &[[Option<f64>; 2]], trials: &[(TrialStatus, u64)]) -> Seen {
    let objective =
        Objective { metric: "accuracy".to_owned(), goal: Goal::Max, reduce: Reduce::Last };
    let board = board(&objective, values);
    let text = |text: &str| text.to_owned();
    let revision = Revision {
        text: String::new(),
        file: text("x.toml"),
        objective,
        program: text("noop"),
        numerics: text("noop-1"),
    };
    let ago = |seconds: i64| Time(NOW.0 - 1000 * seconds);
    let summary = Summary {
        revision,
        number: 1,
        accepted: ago(3600),
        trials: trials.to_vec(),
        running: 0,
        started: Some(ago(3600)),
        changed: Some(ago(90)),
    };
    let (running, failures) = (Vec::new(), Vec::new());
    let coordinator = Coordinator::Nobody;
    Seen { name: text("x"), summary, coordinator, running, board, failures }
}

fn empty() -> Seen {
    seen(&[], &[])
}

fn finished() -> Seen {
    let value = |a, b| [Some(a), Some(b)];
    let values = [value(0.91, 0.92), value(0.95, 0.96), value(0.9, 0.91), value(0.85, 0.86)];
    seen(&values, &[(TrialStatus::Done, 8)])
}

fn half() -> Seen {
    let values = [[Some(0.91), Some(0.92)], [Some(0.95), None], [Some(0.9), None], [None, None]];
    Seen {
        running: vec![running(4, Some(150), &[0.7, 0.85]), running(6, Some(120), &[0.6, f64::NAN])],
        ..seen(&values, &[(TrialStatus::Waiting, 4), (TrialStatus::Done, 4)])
    }
}

fn running(trial: u32, step: Option<u64>, curve: &[f64]) -> Running {
    Running {
        worker: step.map(|_| WorkerId(trial / 2)),
        attempt: AttemptId(trial + 10),
        trial: TrialId(trial),
        others: u64::from(trial / 6),
        setting: Some(setting(trial.div_ceil(2))),
        first: 100,
        step,
        end: 400,
        since: Some(Time(NOW.0 - 5000)),
        curve: (1..).zip(curve).map(|(n, value)| (50 * n, *value)).collect(),
    }
}

fn live(progress: Progress) -> Coordinator {
    let since = Time(NOW.0 - 65_000);
    let remaining = Some(80.0);
    Coordinator::Known(Live { process: 42, since, remaining, is_stopping: false, progress })
}

fn progress() -> Progress {
    let running = |trial| sweep::Running {
        worker: WorkerId(trial),
        attempt: AttemptId(trial),
        trial: TrialId(trial),
        others: 0,
        first: 0,
        step: 0,
        end: 0,
    };
    let running = vec![running(4), running(6)];
    Progress { trials: 8, waiting: 4, done: 4, running, ..Progress::default() }
}

fn in_progress() -> Seen {
    Seen { coordinator: live(progress()), ..half() }
}

fn paused() -> Seen {
    Seen { coordinator: live(Progress { is_paused: true, ..progress() }), ..half() }
}

fn crashed() -> Seen {
    Seen { running: vec![running(4, None, &[0.7])], ..half() }
}

fn failure(first: u32, why: &str) -> Failure {
    let trial = |trial, status| (TrialId(trial), status);
    let trials = [trial(first, TrialStatus::Failed), trial(first + 1, TrialStatus::Done)].into();
    let kind = Kind { why: why.to_owned(), attempts: 3, attempt: AttemptId(9), trials };
    let last_words = vec!["Traceback:".to_owned(), "  File \"train.py\", line 3".to_owned()];
    Failure { kind, setting: Some(setting(1)), last_words }
}

fn failed() -> Seen {
    let why = "its worker crashed: exited with 1; it said: no memory";
    let failures = vec![failure(3, why), failure(5, "took longer than `timeout` allows")];
    let values = [[Some(0.91), Some(0.92)], [Some(f64::NAN), Some(0.9)], [None, Some(f64::NAN)]];
    let trials = [(TrialStatus::Done, 3), (TrialStatus::Diverged, 2), (TrialStatus::Failed, 1)];
    Seen { failures, ..seen(&values, &trials) }
}

fn drawn(screen: &Screen, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, screen, NOW)).unwrap();
    terminal.backend().buffer().clone()
}

/// As a person sees it.
fn text(screen: &Screen, width: u16, height: u16) -> String {
    let buffer = drawn(screen, width, height);
    let cells: Vec<&str> = buffer.content().iter().map(Cell::symbol).collect();
    let lines = cells.chunks(usize::from(width)).map(|line| line.concat().trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// The screen after these keys, and what was asked last.
fn after(seen: Seen, keys: &[Key]) -> (Screen, Option<Ask>) {
    let begin = (Screen::new(seen, Charset::Unicode, Ink::Plain), None);
    keys.iter().fold(begin, |(screen, _), key| press(screen, *key))
}

#[test]
fn a_sweep_in_every_state_is_seen_at_every_size() {
    let cases = [
        ("running", in_progress()),
        ("paused", paused()),
        ("finished", finished()),
        ("crashed", crashed()),
        ("empty", empty()),
        ("failed", failed()),
    ];
    for (name, seen) in cases {
        let screen = Screen::new(seen, Charset::Unicode, Ink::Plain);
        for (width, height) in [(80, 24), (20, 5)] {
            let text = text(&screen, width, height);
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), text);
        }
    }
    insta::assert_snapshot!(
        "running_120x40",
        text(&Screen::new(in_progress(), Charset::Unicode, Ink::Plain), 120, 40)
    );
    for (width, height) in [(0, 0), (1, 1), (3, 2), (300, 1), (1, 100)] {
        drawn(&Screen::new(failed(), Charset::Unicode, Ink::Color), width, height);
    }
}

#[test]
fn what_is_chosen_is_seen_closely() {
    let choose = |seen, keys: &[Key]| text(&after(seen, &[keys, &[Key::Enter]].concat()).0, 80, 24);
    insta::assert_snapshot!("look_configuration", choose(finished(), &[Key::Down]));
    insta::assert_snapshot!("look_running", choose(in_progress(), &[Key::BackTab]));
    insta::assert_snapshot!("look_failure", choose(failed(), &[Key::Tab, Key::End]));
    insta::assert_snapshot!("help", text(&after(empty(), &[Key::Character('?')]).0, 80, 24));
}

#[test]
fn keys_ask_only_for_what_can_be_done() {
    let (s, p, r, y) =
        (Key::Character('s'), Key::Character('p'), Key::Character('r'), Key::Character('y'));
    let stopping = || match live(progress()) {
        Coordinator::Known(live) => Coordinator::Known(Live { is_stopping: true, ..live }),
        other => other,
    };
    let stopping = Seen { coordinator: stopping(), ..half() };
    let failing = Seen { coordinator: live(progress()), ..failed() };
    let silent = Seen { coordinator: Coordinator::Silent, ..half() };
    let nobody = "nobody runs it; go on with `pleach resume x`";
    let nothing = "nothing to retry: no trial failed for good";
    let cases: [(Seen, &[Key], Option<Ask>, &str); 21] = [
        (in_progress(), &[Key::Character('q')], Some(Ask::Leave), ""),
        (in_progress(), &[Key::Escape], Some(Ask::Leave), ""),
        (in_progress(), &[s, Key::Interrupt], Some(Ask::Leave), ""),
        (in_progress(), &[Key::Enter, Key::Escape], None, ""),
        (in_progress(), &[Key::Enter, Key::Character('q')], Some(Ask::Leave), ""),
        (in_progress(), &[Key::Character('?'), Key::Character('?')], None, ""),
        (in_progress(), &[s], None, ""),
        (in_progress(), &[s, y], Some(Ask::Stop), ""),
        (in_progress(), &[s, Key::Character('q')], None, "nothing was done"),
        (finished(), &[s, y], None, ""),
        (finished(), &[s], None, nobody),
        (in_progress(), &[p], Some(Ask::Pause), ""),
        (silent, &[p], Some(Ask::Pause), ""),
        (paused(), &[p], Some(Ask::Continue), ""),
        (stopping, &[p], None, "it is being stopped"),
        (crashed(), &[p], None, nobody),
        (failed(), &[r, y], Some(Ask::RetryFailed), ""),
        (failed(), &[Key::Tab, Key::Down, r, y], Some(Ask::Retry(vec![TrialId(5)])), ""),
        (failed(), &[r, s], None, "nothing was done"),
        (failing, &[r, y], Some(Ask::RetryFailed), ""),
        (finished(), &[r], None, nothing),
    ];
    for (index, (seen, keys, ask, said)) in cases.into_iter().enumerate() {
        let (screen, asked) = after(seen, keys);
        assert_eq!((asked, screen.said.as_str()), (ask, said), "case {index}: {keys:?}");
    }
}

#[test]
fn a_question_is_answered_in_the_last_line() {
    let foot = |seen, key| {
        let text = text(&after(seen, &[Key::Character(key)]).0, 80, 24);
        text.lines().last().unwrap_or_default().to_owned()
    };
    insta::assert_snapshot!(foot(in_progress(), 's'), @"stop `x`? what runs saves itself  y: yes, other keys: no");
    insta::assert_snapshot!(foot(failed(), 'r'), @"let 1 failed trial run again?  y: yes, other keys: no");
    insta::assert_snapshot!(foot(failed(), 's'), @"nobody runs it; go on with `pleach resume x`");
}

#[test]
fn a_choice_stays_with_what_was_chosen_and_the_first_row_is_the_first() {
    let (screen, _) = after(finished(), &[Key::Down]);
    let chosen = |screen: &Screen| screen.subject().unwrap().id.1;
    assert_eq!(chosen(&screen), 1, "the second on the board");
    // Two others overtake it.
    let value = |a, b| [Some(a), Some(b)];
    let values = [value(0.91, 0.92), value(0.95, 0.96), value(0.99, 0.97), value(0.98, 0.96)];
    let later = || seen(&values, &[(TrialStatus::Done, 8)]);
    let renewed = screen.clone().renewed(later());
    assert_eq!((chosen(&renewed), renewed.chosen[Pane::Board as usize]), (1, 3));
    let looking = press(screen, Key::Enter).0.renewed(later());
    assert!(text(&looking, 80, 24).contains("configuration 1:"));
    let first = Screen::new(finished(), Charset::Unicode, Ink::Plain);
    assert_eq!(chosen(&first), 2);
    assert_eq!(chosen(&first.renewed(later())), 3);
    // What is gone leaves its place to what is there, and can still be looked at.
    let gone = looking.renewed(seen(&values[1..2], &[(TrialStatus::Done, 2)]));
    assert_eq!(gone.chosen[Pane::Board as usize], 0);
    let none = Screen::new(empty(), Charset::Unicode, Ink::Plain);
    assert!(none.subject().is_none());
}

#[test]
fn nothing_that_was_written_elsewhere_can_move_the_cursor() {
    let evil = "\u{1b}[2J\u{7}a\rb\nc\u{9b}d";
    let mut seen = failed();
    seen.name = evil.to_owned();
    seen.summary.revision.objective.metric = evil.to_owned();
    seen.failures = vec![Failure { last_words: vec![evil.to_owned()], ..failure(3, evil) }];
    seen.running = vec![running(4, None, &[0.7])];
    let evil_parameter = [(evil.to_owned(), Value::Text(evil.to_owned()))].into();
    seen.running[0].setting.as_mut().unwrap().parameters = evil_parameter;
    let keys: [&[Key]; 4] =
        [&[], &[Key::Tab, Key::Enter], &[Key::BackTab, Key::Enter], &[Key::Character('s')]];
    for keys in keys {
        let buffer = drawn(&after(seen.clone(), keys).0, 80, 24);
        for cell in buffer.content() {
            assert!(!cell.symbol().contains(char::is_control), "{:?} in {buffer:?}", cell.symbol());
        }
    }
}

#[test]
fn in_ascii_everything_is_ascii() {
    for seen in [in_progress(), failed()] {
        let screen = Screen::new(seen, Charset::Ascii, Ink::Plain);
        let screen = press(screen, Key::Tab).0;
        for keys in [&[][..], &[Key::Enter], &[Key::BackTab, Key::Enter], &[Key::Character('?')]] {
            let screen = keys.iter().fold(screen.clone(), |screen, key| press(screen, *key).0);
            let text = text(&screen, 120, 40);
            assert!(text.is_ascii(), "{text}");
        }
    }
    let screen = Screen::new(in_progress(), Charset::Ascii, Ink::Plain);
    insta::assert_snapshot!("ascii_80x24", text(&screen, 80, 24));
}

#[test]
fn without_colour_nothing_is_coloured() {
    let colours = |ink| {
        let screen = Screen::new(failed(), Charset::Unicode, ink);
        let buffer = drawn(&screen, 80, 24);
        buffer
            .content()
            .iter()
            .filter(|cell| (cell.fg, cell.bg) != (Color::Reset, Color::Reset))
            .count()
    };
    assert_eq!(colours(Ink::Plain), 0);
    assert!(0 < colours(Ink::Color));
}
