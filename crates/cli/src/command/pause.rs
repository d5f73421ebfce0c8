//! `pause`: what runs goes on to its end, nothing more is started.

use anstream::eprintln;
use anyhow::Result;
use clap::Args;
use pleach_core::event::Request;
use pleach_engine::inbox;

use crate::{exit::Ending, place::Place};

#[derive(Args)]
pub(crate) struct Pause {
    /// The name of the sweep
    sweep: String,
    /// End the pause
    #[arg(long)]
    off: bool,
}

impl Pause {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let home = place.home(&self.sweep)?;
        let name = home.name();
        if !home.is_running() {
            eprintln!("the sweep `{name}` is not running");
            return Ok(Ending::Good);
        }
        if self.off {
            inbox::put(&home, &Request::Continue)?;
            eprintln!("asked to go on");
        } else {
            inbox::put(&home, &Request::Pause)?;
            eprintln!("asked; let it go on with `pleach pause {name} --off`");
        }
        Ok(Ending::Good)
    }
}
