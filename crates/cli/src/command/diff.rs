//! `diff`: two leaderboards beside each other.

use anyhow::Result;
use clap::Args;
use pleach_core::rank::rank;
use pleach_store::Which;
use pleach_views::diff::{Named, text};

use crate::{
    exit::{Ending, Failure},
    place::Place,
};

#[derive(Args)]
pub(crate) struct Diff {
    /// The name of the sweep that is compared with
    before: String,
    /// The name of the sweep that is compared; the newest if left out
    after: Option<String>,
}

impl Diff {
    pub(crate) fn run(self, place: &Place) -> Result<Ending> {
        let board = |sweep: Option<&str>| {
            let (home, reader) = place.reader(sweep)?;
            let objective = reader.revision()?.objective;
            let board = rank(reader.rows(Which::Current)?, objective.goal);
            anyhow::Ok((home.name().to_owned(), objective, board))
        };
        let (before, objective, old) = board(Some(&self.before))?;
        let (after, other, new) = board(self.after.as_deref())?;
        if objective != other {
            let (one, other) = (objective.metric, other.metric);
            let why = format!(
                "the sweeps rank by other objectives: {one} and {other}, or reduced or sought in other ways"
            );
            return Err(Failure::Invalid(why).into());
        }
        super::print(&text(
            &Named { name: &before, board: &old },
            &Named { name: &after, board: &new },
        ))?;
        Ok(Ending::Good)
    }
}
