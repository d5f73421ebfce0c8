//! What a key does: to the screen, and to the sweep.

use pleach_core::life::{TrialId, TrialStatus};

use super::{Coordinator, Over, Pane, Screen};

/// A key, or several at once, that means something here; others are never passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Character(char),
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Tab,
    BackTab,
    Enter,
    Escape,
    /// Ctrl-C.
    Interrupt,
}

/// What a person wants of the sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// To look no longer.
    Leave,
    Stop,
    Pause,
    Continue,
    /// These, which failed for good, shall run again.
    Retry(Vec<TrialId>),
    /// All that failed for good shall.
    RetryFailed,
}

/// So many rows has a page.
const PAGE: usize = 10;

/// The screen after a key was pressed, and what is to be done.
pub fn press(mut screen: Screen, key: Key) -> (Screen, Option<Ask>) {
    screen.said.clear();
    if key == Key::Interrupt {
        return (screen, Some(Ask::Leave));
    }
    match std::mem::replace(&mut screen.over, Over::Nothing) {
        Over::Question(ask) => {
            let is_yes = matches!(key, Key::Character('y' | 'Y'));
            if !is_yes {
                "nothing was done".clone_into(&mut screen.said);
            }
            return (screen, is_yes.then_some(ask));
        }
        // Whatever else is pressed, it is for what lies below.
        Over::Help | Over::Subject(_) if matches!(key, Key::Escape | Key::Enter) => {
            return (screen, None);
        }
        Over::Help if key == Key::Character('?') => return (screen, None),
        // It follows the choice.
        Over::Subject(_) if matches!(key, Key::Tab | Key::BackTab) || moves(key) => {
            screen = turn(screen, key);
            screen.over = screen.subject().map_or(Over::Nothing, Over::Subject);
            return (screen, None);
        }
        Over::Nothing | Over::Help | Over::Subject(_) => {}
    }
    let mut ask = None;
    match key {
        Key::Character('q') | Key::Escape => ask = Some(Ask::Leave),
        Key::Character('?') => screen.over = Over::Help,
        Key::Character('s') => screen = stop(screen),
        Key::Character('p') => (screen, ask) = pause(screen),
        Key::Character('r') => screen = retry(screen),
        Key::Enter => screen.over = screen.subject().map_or(Over::Nothing, Over::Subject),
        _ => screen = turn(screen, key),
    }
    (screen, ask)
}

fn moves(key: Key) -> bool {
    matches!(
        key,
        Key::Up
            | Key::Down
            | Key::PageUp
            | Key::PageDown
            | Key::Home
            | Key::End
            | Key::Character('j' | 'k')
    )
}

/// To another pane, or another row.
fn turn(mut screen: Screen, key: Key) -> Screen {
    match key {
        Key::Tab => screen.pane = screen.pane.after(1),
        Key::BackTab => screen.pane = screen.pane.after(Pane::ALL.len() - 1),
        _ => {}
    }
    let last = screen.seen.count(screen.pane).saturating_sub(1);
    let row = &mut screen.chosen[screen.pane as usize];
    let place = match key {
        Key::Up | Key::Character('k') => row.saturating_sub(1),
        Key::Down | Key::Character('j') => *row + 1,
        Key::PageUp => row.saturating_sub(PAGE),
        Key::PageDown => *row + PAGE,
        Key::Home => 0,
        Key::End => last,
        _ => *row,
    };
    *row = place.min(last);
    screen
}

fn nobody(screen: Screen) -> Screen {
    let said = format!("nobody runs it; go on with `pleach resume {}`", screen.seen.name);
    screen.saying(said)
}

fn stop(mut screen: Screen) -> Screen {
    if !screen.is_running() {
        return nobody(screen);
    }
    screen.over = Over::Question(Ask::Stop);
    screen
}

fn pause(screen: Screen) -> (Screen, Option<Ask>) {
    match &screen.seen.coordinator {
        Coordinator::Nobody => (nobody(screen), None),
        Coordinator::Known(live) if live.is_stopping => {
            (screen.saying("it is being stopped".to_owned()), None)
        }
        Coordinator::Known(live) if live.progress.is_paused => (screen, Some(Ask::Continue)),
        Coordinator::Silent | Coordinator::Known(_) => (screen, Some(Ask::Pause)),
    }
}

/// Those that failed like the chosen one; from another pane, all.
fn retry(mut screen: Screen) -> Screen {
    let seen = &screen.seen;
    let ask = match screen.pane {
        Pane::Failures => {
            let chosen = seen.failures.get(screen.chosen[Pane::Failures as usize]);
            let lost = chosen.map(|failure| failure.kind.lost().collect::<Vec<_>>());
            lost.filter(|lost| !lost.is_empty()).map(Ask::Retry)
        }
        Pane::Running | Pane::Board => {
            (seen.trials(TrialStatus::Failed) != 0).then_some(Ask::RetryFailed)
        }
    };
    let Some(ask) = ask else {
        return screen.saying("nothing to retry: no trial failed for good".to_owned());
    };
    screen.over = Over::Question(ask);
    screen
}
