//! `run --retest`: the best configurations once more, with seeds that had no part in choosing them.

use crate::say::eprintln;
use anyhow::Result;
use pleach_core::{
    rank::{self, Retest, rank},
    spec::{check_name, with_retest},
};
use pleach_engine::home::Home;
use pleach_store::{Loaded, Reader, Which};
use pleach_views::retest::table;

use super::run::{Options, execute};
use crate::accept::Acceptance;
use crate::{
    exit::{Ending, Failure},
    place::Place,
    source::Source,
};

/// Of a sweep that is done.
pub(super) fn retest(place: &Place, home: &Home, best: usize, options: &Options) -> Result<Ending> {
    let name = format!("{}-retest", home.name());
    check_name(&name).map_err(|why| Failure::NeedsAnswer(format!("`{name}`: {why}")))?;
    let mut source = Source::of_sweep(home)?;
    let reader = Reader::open(&home.database())?;
    let Loaded { revision, points, .. } = reader.load()?;
    let objective = revision.objective;
    let board = rank(reader.rows(Which::Current)?, objective.goal);
    let Retest { chosen, seeds } = rank::retest(&board, best);
    let trials = chosen.iter().filter_map(|ranked| ranked.row.trials.first());
    let chosen_points: Vec<u64> =
        trials.filter_map(|result| points.get(&result.trial).copied()).collect();
    if chosen_points.is_empty() {
        let why = "no configuration has a rank: nothing to retest".to_owned();
        return Err(Failure::NotFound(why).into());
    }
    eprintln!(
        "the best {} again, with seeds that had no part in the choice: {name}",
        chosen_points.len()
    );
    source.text = with_retest(&source.text, &name, &chosen_points, &seeds);
    let ending = execute(place, source, options, Acceptance::File)?;
    let retest = Home::new(&place.runs, &name)?;
    let retested = rank(Reader::open(&retest.database())?.rows(Which::Current)?, objective.goal);
    super::print(&table(&chosen, &retested, &objective.metric))?;
    Ok(ending)
}
