//! `watch`: a sweep on a full screen, renewed while it runs. Decides nothing: what a key does is in [`pleach_views::watch`],
//! what is asked of the sweep is done by the commands of that name.

use std::{
    io::IsTerminal,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use crate::say::eprintln;
use anyhow::{Context, Result};
use clap::Args;
use pleach_core::{event::Request, life::TrialStatus};
use pleach_engine::{home::Home, run::wall_time};
use pleach_schedule::draw::terminal::Style;
use pleach_views::watch::{Ask, Key, Screen, Seen, draw, press};
use ratatui::{
    DefaultTerminal,
    crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
};
use tokio::signal::unix::{SignalKind, signal};

use super::{pause::pause, retry::retry, stop::stop};
use crate::{
    exit::{Ending, Failure},
    look::Looker,
    place::Place,
};

/// How often is looked for news.
const EVERY: Duration = Duration::from_millis(250);

/// So much may happen before the screen has to take it.
const WAITING: usize = 16;

/// A full screen: what runs, the leaderboard, curves, failures, the time that is left; keys to stop, pause and retry. Leaving
/// it leaves the sweep as it is, and so does a terminal that hangs
#[derive(Args)]
pub(crate) struct Watch {
    /// The name of the sweep, or its file; the newest if left out
    sweep: Option<String>,
    #[command(flatten)]
    drawing: super::Drawing,
}

/// What the screen waits for.
enum Happened {
    Pressed(Key),
    Resized,
    Seen(Result<Box<Seen>>),
    /// The terminal is gone, or somebody ends this program.
    Over,
}

impl Watch {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let (home, reader) = place.reader(self.sweep.as_deref())?;
        let name = home.name();
        if !(std::io::stdout().is_terminal() && std::io::stdin().is_terminal()) {
            return Err(Failure::NeedsAnswer(format!(
                "`watch` needs a terminal; `pleach board {name}` and `pleach list` print"
            ))
            .into());
        }
        let mut looker = Looker::new(home.clone(), reader)?;
        let Style { charset, ink, .. } = self.drawing.style(0);
        let screen = Screen::new(looker.look()?, charset, ink);
        let (sender, happened) = sync_channel(WAITING);
        let mut terminal = Restored(ratatui::try_init().context("failed to take the terminal")?);
        listen(sender, looker);
        let screen = watch(&mut terminal.0, &home, screen, &happened)?;
        drop(terminal);
        if screen.is_running() {
            eprintln!("`{name}` goes on; look again with `pleach watch {name}`");
        }
        Ok(Ending::Good)
    }
}

/// The terminal, given back however this ends; a panic gives it back, too, before it is told.
struct Restored(DefaultTerminal);

impl Drop for Restored {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Until somebody leaves.
fn watch(
    terminal: &mut DefaultTerminal,
    home: &Home,
    mut screen: Screen,
    happened: &Receiver<Happened>,
) -> Result<Screen> {
    loop {
        terminal.draw(|frame| draw(frame, &screen, wall_time()))?;
        // All senders gone is an end as well.
        let first = happened.recv().unwrap_or(Happened::Over);
        for what in std::iter::once(first).chain(happened.try_iter()) {
            let ask = match what {
                Happened::Over => return Ok(screen),
                Happened::Resized => None,
                Happened::Seen(seen) => {
                    screen = screen.renewed(*seen?);
                    None
                }
                Happened::Pressed(key) => {
                    let (next, ask) = press(screen, key);
                    screen = next;
                    ask
                }
            };
            match ask {
                None => {}
                Some(Ask::Leave) => return Ok(screen),
                Some(ask) => {
                    let said = act(home, &ask).unwrap_or_else(|error| format!("{error:#}"));
                    screen = screen.saying(said);
                }
            }
        }
    }
}

/// Does what was asked, as the command of that name, and says what it says.
fn act(home: &Home, ask: &Ask) -> Result<String> {
    match ask {
        Ask::Leave => Ok(String::new()),
        Ask::Stop => stop(home, &Request::Stop),
        Ask::Pause => pause(home, &Request::Pause),
        Ask::Continue => pause(home, &Request::Continue),
        Ask::Retry(trials) => retry(home, |_| Ok(trials.clone())),
        Ask::RetryFailed => retry(home, |all| {
            let failed = all.iter().filter(|trial| trial.status == TrialStatus::Failed);
            Ok(failed.map(|trial| trial.id).collect())
        }),
    }
}

/// Keys, news and signals, each from a thread of its own: none of them waits for another. They end with the program.
fn listen(sender: SyncSender<Happened>, mut looker: Looker) {
    let keys = sender.clone();
    thread::spawn(move || {
        loop {
            let what = match event::read() {
                Ok(Event::Key(event)) => key(event).map(Happened::Pressed),
                Ok(Event::Resize(..)) => Some(Happened::Resized),
                Ok(_) => None,
                Err(_) => Some(Happened::Over),
            };
            let is_over = matches!(what, Some(Happened::Over));
            if what.is_some_and(|what| keys.send(what).is_err()) || is_over {
                return;
            }
        }
    });
    let end = sender.clone();
    thread::spawn(move || {
        let terminated = super::block_on(async {
            signal(SignalKind::terminate())?.recv().await;
            Ok(())
        });
        if terminated.is_ok() {
            drop(end.send(Happened::Over));
        }
    });
    thread::spawn(move || {
        loop {
            thread::sleep(EVERY);
            if sender.send(Happened::Seen(looker.look().map(Box::new))).is_err() {
                return;
            }
        }
    });
}

fn key(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    Some(match event.code {
        KeyCode::Char('c') if event.modifiers.contains(KeyModifiers::CONTROL) => Key::Interrupt,
        KeyCode::Char(_) if event.modifiers.contains(KeyModifiers::CONTROL) => return None,
        KeyCode::Char(character) => Key::Character(character),
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        _ => return None,
    })
}
