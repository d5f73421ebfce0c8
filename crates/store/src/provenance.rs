//! With what and where the sweep was run.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use pleach_core::life::TrialId;
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, Row, params};

use crate::{
    fault::DatabaseError,
    read::{CURRENT, ReadError, Reader},
    store::{Store, Time},
};

/// What decides results beside the sweep file, as far as it can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Names and words for people: versions, programs, machine.
    pub facts: Vec<(String, String)>,
    /// How a person's code differs from the commit that is named, as git prints it.
    pub difference: Option<String>,
}

impl Store {
    /// Remembers it for attempts from now on, if it has changed.
    pub fn note_provenance(
        &mut self,
        provenance: &Provenance,
        now: Time,
    ) -> Result<(), DatabaseError> {
        let fail = |source| DatabaseError::new(&self.path, source);
        let last = newest(&self.connection, i64::MAX).map_err(fail)?;
        if last.as_ref() != Some(provenance) {
            // Pairs of texts always serialize.
            let facts = serde_json::to_string(&provenance.facts).unwrap_or_default();
            self.connection
                .execute(
                    "INSERT INTO provenance (began, facts, difference) VALUES (?, ?, ?)",
                    params![now.0, facts, provenance.difference],
                )
                .map_err(fail)?;
        }
        Ok(())
    }
}

impl Reader {
    /// What held at that time; `None` of attempts by versions that did not record it.
    pub fn provenance(&self, at: Time) -> Result<Option<Provenance>, ReadError> {
        self.ask(
            |connection| if is_kept(connection)? { newest(connection, at.0) } else { Ok(None) },
        )
    }

    /// All that held at some time, each with when it began to, the first one first.
    pub fn provenances(&self) -> Result<Vec<(Time, Provenance)>, ReadError> {
        self.ask(|connection| {
            if !is_kept(connection)? {
                return Ok(Vec::new());
            }
            connection
                .prepare("SELECT facts, difference, began FROM provenance ORDER BY id")?
                .query_map([], |row| Ok((Time(row.get(2)?), provenance(row)?)))?
                .collect()
        })
    }
}

/// Whether this was written by a version that records it.
fn is_kept(connection: &Connection) -> SqlResult<bool> {
    let exists = "SELECT 1 FROM sqlite_schema WHERE name = 'provenance'";
    Ok(connection.query_row(exists, [], |_| Ok(())).optional()?.is_some())
}

impl Reader {
    /// What ended trials of the current revision were made by: the value of the fact with this name when each of their stages was
    /// trained, or failed for the last time. Empty of those that versions made which did not record it.
    pub fn made_by(&self, fact: &str) -> Result<BTreeMap<TrialId, BTreeSet<String>>, ReadError> {
        let times = self.ask(made)?;
        let mut made: BTreeMap<TrialId, BTreeSet<String>> = BTreeMap::new();
        let mut known: BTreeMap<Time, Option<String>> = BTreeMap::new();
        for (trial, time) in times {
            if let Entry::Vacant(place) = known.entry(time) {
                let facts = self.provenance(time)?.map(|it| it.facts).unwrap_or_default();
                place.insert(facts.into_iter().find_map(|(name, it)| (name == fact).then_some(it)));
            }
            made.entry(trial).or_default().extend(known.get(&time).cloned().flatten());
        }
        Ok(made)
    }
}

/// When the stages of ended trials were trained.
fn made(connection: &Connection) -> SqlResult<Vec<(TrialId, Time)>> {
    let sql = format!(
        "SELECT paths.trial, max(attempt.started)
         FROM paths
         JOIN trial ON trial.id = paths.trial
         JOIN trial_end ON trial_end.trial = trial.id
         JOIN stage_end ON stage_end.stage = paths.stage
         JOIN attempt ON attempt.stage = paths.stage
         WHERE {CURRENT} AND trial_end.status <= 3
             AND (attempt.ending <= 2 OR stage_end.status = 3)
         GROUP BY paths.trial, paths.stage"
    );
    connection
        .prepare(&sql)?
        .query_map([], |row| Ok((TrialId(row.get(0)?), Time(row.get(1)?))))?
        .collect()
}

fn newest(connection: &Connection, until: i64) -> SqlResult<Option<Provenance>> {
    connection
        .prepare_cached(
            "SELECT facts, difference FROM provenance WHERE began <= ? ORDER BY id DESC LIMIT 1",
        )?
        .query_row([until], provenance)
        .optional()
}

/// Of a row that begins with facts and difference.
fn provenance(row: &Row) -> SqlResult<Provenance> {
    let facts: String = row.get(0)?;
    let facts = serde_json::from_str(&facts).unwrap_or_default();
    Ok(Provenance { facts, difference: row.get(1)? })
}
