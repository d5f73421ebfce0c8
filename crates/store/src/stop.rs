//! Rungs and verdicts.

use std::collections::BTreeMap;

use pleach_core::{
    key::Key,
    life::{ConfigurationId, TrialId},
    stop::{Lot, Record, Rungs, Saying, Verdict},
};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, Row, Transaction, params};

use crate::column::{self, ObjectiveColumn};

/// Whether anything is stopped early here; a database that an older version wrote has no such tables.
fn is_known(connection: &Connection) -> SqlResult<bool> {
    let exists = "SELECT 1 FROM sqlite_schema WHERE name = 'verdict'";
    connection.prepare_cached(exists)?.query_row([], |_| Ok(())).optional().map(|it| it.is_some())
}

/// Everything that a coordinator needs to know.
pub(crate) fn record(connection: &Connection) -> SqlResult<Record> {
    if !is_known(connection)? {
        return Ok(Record::default());
    }
    let mut rungs: BTreeMap<ConfigurationId, Rungs> = BTreeMap::new();
    let mut query = connection.prepare(
        "SELECT configuration, step, company, cut FROM rung ORDER BY configuration, step",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (company, cut) = (Key(row.get(2)?), row.get(3)?);
        let new = || Rungs { steps: Vec::new(), company, cut };
        let rungs = rungs.entry(ConfigurationId(row.get(0)?)).or_insert_with(new);
        rungs.steps.push(column::unsigned(row, 1)?);
    }
    let lots = if rungs.is_empty() { BTreeMap::new() } else { lots(connection)? };
    let verdicts = connection
        .prepare("SELECT configuration, step, value, place, among, kept, goes_on FROM verdict")?
        .query_map([], verdict)?
        .collect::<SqlResult<_>>()?;
    let reached = connection
        .prepare("SELECT trial, step, value FROM reached")?
        .query_map([], |row| {
            let value = row.get::<_, ObjectiveColumn>(2)?.0.unwrap_or(f64::NAN);
            Ok(((TrialId(row.get(0)?), column::unsigned(row, 1)?), value))
        })?
        .collect::<SqlResult<_>>()?;
    Ok(Record { rungs, lots, verdicts, reached })
}

/// Of the configurations that came since the order of judging is drawn.
fn lots(connection: &Connection) -> SqlResult<BTreeMap<ConfigurationId, Lot>> {
    let known = "SELECT 1 FROM pragma_table_info('configuration') WHERE name = 'era'";
    if connection.prepare_cached(known)?.query_row([], |_| Ok(())).optional()?.is_none() {
        return Ok(BTreeMap::new());
    }
    connection
        .prepare("SELECT id, era, parameters FROM configuration WHERE 0 < era")?
        .query_map([], |row| {
            let parameters: String = row.get(2)?;
            Ok((ConfigurationId(row.get(0)?), Lot::draw(row.get(1)?, &parameters)))
        })?
        .collect()
}

fn verdict(row: &Row) -> SqlResult<Verdict> {
    Ok(Verdict {
        configuration: ConfigurationId(row.get(0)?),
        step: column::unsigned(row, 1)?,
        value: row.get::<_, ObjectiveColumn>(2)?.0,
        place: column::unsigned(row, 3)?,
        of: column::unsigned(row, 4)?,
        kept: column::unsigned(row, 5)?,
        saying: if row.get(6)? { Saying::GoOn } else { Saying::Stop },
    })
}

/// Of one configuration, by step.
pub(crate) fn verdicts(
    connection: &Connection,
    configuration: ConfigurationId,
) -> SqlResult<Vec<Verdict>> {
    if !is_known(connection)? {
        return Ok(Vec::new());
    }
    connection
        .prepare_cached(
            "SELECT configuration, step, value, place, among, kept, goes_on FROM verdict
             WHERE configuration = ? ORDER BY step",
        )?
        .query_map([configuration.0], verdict)?
        .collect()
}

/// A revision says anew where configurations are judged.
pub(crate) fn forget_rungs(transaction: &Transaction) -> SqlResult<()> {
    transaction.execute("DELETE FROM rung", []).map(drop)
}

pub(crate) fn insert_rungs(
    transaction: &Transaction,
    configuration: ConfigurationId,
    rungs: &Rungs,
) -> SqlResult<()> {
    // Its other seeds say the same.
    let mut insert = transaction.prepare_cached(
        "INSERT OR IGNORE INTO rung (configuration, step, company, cut) VALUES (?, ?, ?, ?)",
    )?;
    for step in &rungs.steps {
        insert.execute(params![configuration.0, *step as i64, rungs.company.0, rungs.cut])?;
    }
    Ok(())
}

/// Whether a verdict on a trial is still to come, so that it is not yet known how far it goes.
pub(crate) fn is_held(transaction: &Transaction, trial: TrialId) -> SqlResult<bool> {
    transaction
        .prepare_cached(
            "SELECT EXISTS (
                 SELECT 1 FROM trial JOIN rung USING (configuration)
                 LEFT JOIN verdict USING (configuration, step)
                 WHERE trial.id = ? AND cut AND place IS NULL
             )",
        )?
        .query_row([trial.0], |row| row.get(0))
}
