//! `pause`: what runs goes on to its end, nothing more is started.

use crate::say::eprintln;
use anyhow::Result;
use clap::Args;
use pleach_core::event::Request;
use pleach_engine::{home::Home, inbox};

use crate::{exit::Ending, place::Place};

#[derive(Args)]
pub(crate) struct Pause {
    /// The name of the sweep, or its file; the newest if left out
    sweep: Option<String>,
    /// End the pause
    #[arg(long)]
    off: bool,
}

impl Pause {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let home = place.home(self.sweep.as_deref())?;
        let request = if self.off { Request::Continue } else { Request::Pause };
        eprintln!("{}", pause(&home, &request)?);
        Ok(Ending::Good)
    }
}

/// Asks whoever runs the sweep to pause, or to go on; what is to be said of it.
pub(super) fn pause(home: &Home, request: &Request) -> Result<String> {
    let name = home.name();
    if !home.is_running() {
        return Ok(format!("the sweep `{name}` is not running"));
    }
    inbox::put(home, request)?;
    Ok(match request {
        Request::Continue => "asked to go on".to_owned(),
        _ => format!("asked; let it go on with `pleach pause {name} --off`"),
    })
}
