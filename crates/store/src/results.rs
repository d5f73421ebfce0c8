//! The results of the current revision, packed: eight bytes a trial, a row for each configuration, a column for each seed, in
//! blocks of a page. Whoever ranks a million trials reads these, and only of what is shown the rest.

use std::collections::{BTreeMap, HashMap};

use pleach_core::{
    life::{ConfigurationId, TrialId},
    objective::Goal,
    rank::{self, Cell, Doubt, Order, Results, Tried},
};
use rusqlite::{Connection, OptionalExtension, Result as SqlResult, Transaction, params};

use crate::{
    column::{self, ObjectiveColumn},
    fault::DatabaseError,
    read::{CURRENT, Counts, ReadError, Reader},
    store::{Store, Time},
};

/// A block of so many bytes, its row's head and the page's fit into a page.
const BLOCK: usize = 4000;

/// The best configurations of a board, and what is to be known of the others.
#[derive(Debug)]
pub struct Best {
    /// In no order, with everything that is known of them.
    pub rows: Vec<rank::Row>,
    /// Configurations of the whole board.
    pub configurations: usize,
    /// Of the whole board.
    pub doubt: Doubt,
    pub tried: Tried,
}

impl Reader {
    /// So many of the best configurations of the current revision. `None` if its results are not packed: when an older
    /// version wrote them and nobody since, or if a configuration has two trials of a seed.
    pub fn best(&self, goal: Goal, most: usize) -> Result<Option<Best>, ReadError> {
        self.ask(|connection| best(connection, goal, most))
    }
}

impl Store {
    /// The trial of the current revision with the best number, and this; of those that are packed.
    pub fn best(&self, goal: Goal) -> Result<Option<(TrialId, f64)>, DatabaseError> {
        best_trial(&self.connection, goal).map_err(|source| self.error(source))
    }
}

fn best_trial(connection: &Connection, goal: Goal) -> SqlResult<Option<(TrialId, f64)>> {
    let Some(head) = Head::read(connection)? else { return Ok(None) };
    let Some((configuration, seed, number)) = head.results(connection)?.best(goal) else {
        return Ok(None);
    };
    let (block, first) = head.place(configuration.0);
    let block = Block::read(connection, block)?.unwrap_or_default();
    Ok(block.trials.get(first + seed).map(|trial| (TrialId(*trial), number)))
}

fn best(connection: &Connection, goal: Goal, most: usize) -> SqlResult<Option<Best>> {
    let Some(head) = Head::read(connection)? else { return Ok(None) };
    let sql = "SELECT space FROM tried WHERE id = 1";
    let tried = connection.query_row(sql, [], |row| column::json(row, 0))?;
    let results = head.results(connection)?;
    let order = results.order(goal);
    let doubt = results.doubt(&order, goal);
    let Order { configurations, .. } = order;
    let rows = configurations.iter().take(most).map(|id| head.row(connection, *id));
    let rows = rows.collect::<SqlResult<_>>()?;
    Ok(Some(Best { rows, configurations: configurations.len(), doubt, tried }))
}

/// What a summary says of trials, and when an attempt was last written of. `None` as [`Reader::best`].
pub(crate) fn counts(connection: &Connection) -> SqlResult<Option<(Counts, Option<i64>)>> {
    let Some(head) = Head::read(connection)? else { return Ok(None) };
    let sql = "SELECT changed FROM tried WHERE id = 1";
    let changed = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(Some((head.results(connection)?.counts(), changed)))
}

/// Keeps when an attempt was last written of.
pub(crate) fn touch(connection: &Connection, now: Time) -> SqlResult<()> {
    connection
        .prepare_cached("UPDATE tried SET changed = max(coalesce(changed, ?1), ?1) WHERE id = 1")?
        .execute([now.0])
        .map(drop)
}

/// Where in the blocks a result is.
struct Head {
    /// Ascending.
    seeds: Vec<u64>,
}

impl Head {
    fn read(connection: &Connection) -> SqlResult<Option<Self>> {
        const KNOWN: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'tried')";
        if !connection.prepare_cached(KNOWN)?.query_row([], |row| row.get(0))? {
            return Ok(None);
        }
        connection
            .prepare_cached("SELECT seeds FROM tried WHERE id = 1")?
            .query_row([], |row| Ok(Self { seeds: column::json(row, 0)? }))
            .optional()
    }

    /// Configurations of a block.
    fn height(&self) -> usize {
        (BLOCK / size_of::<f64>()).checked_div(self.seeds.len()).unwrap_or(1).max(1)
    }

    /// A configuration's block, and its first cell there.
    fn place(&self, configuration: u32) -> (u32, usize) {
        let height = self.height();
        // Numbers count from 1.
        let number = (configuration as usize).saturating_sub(1);
        ((number / height) as u32, number % height * self.seeds.len())
    }

    fn results(&self, connection: &Connection) -> SqlResult<Results> {
        let (width, height) = (self.seeds.len(), self.height());
        let mut results = Results::new(width);
        let mut query = connection.prepare("SELECT id, results FROM result_block ORDER BY id")?;
        let mut blocks = query.query([])?;
        while let Some(block) = blocks.next()? {
            let first = block.get::<_, u32>(0)?.saturating_mul(height as u32).saturating_add(1);
            let (cells, _) = block.get_ref(1)?.as_blob()?.as_chunks();
            for (number, row) in (first..).zip(cells.chunks(width.max(1))) {
                if row.iter().any(|bytes| cell(*bytes).result().is_some()) {
                    results.push(ConfigurationId(number), row.iter().copied().map(cell));
                }
            }
        }
        Ok(results)
    }

    /// Everything that is known of a configuration.
    fn row(&self, connection: &Connection, configuration: ConfigurationId) -> SqlResult<rank::Row> {
        let (block, first) = self.place(configuration.0);
        let block = Block::read(connection, block)?.unwrap_or_default();
        let trial = |(index, seed): (usize, &u64)| {
            let (status, objective) = cell(*block.results.get(index)?).result()?;
            let trial = TrialId(*block.trials.get(index)?);
            Some(rank::Result { trial, seed: *seed, status, objective })
        };
        let trials = (first..).zip(&self.seeds).filter_map(trial).collect();
        let parameters = connection
            .prepare_cached("SELECT parameters FROM configuration WHERE id = ?")?
            .query_row([configuration.0], |row| column::parameters(row, 0))?;
        Ok(rank::Row { configuration, parameters, trials })
    }
}

fn cell(bytes: [u8; 8]) -> Cell {
    Cell::from_bits(u64::from_le_bytes(bytes))
}

/// Results side by side, and whose they are.
#[derive(Default)]
struct Block {
    results: Vec<[u8; 8]>,
    /// 0 where there is none.
    trials: Vec<u32>,
}

impl Block {
    fn read(connection: &Connection, id: u32) -> SqlResult<Option<Self>> {
        connection
            .prepare_cached("SELECT results, trial, trials FROM result_block WHERE id = ?")?
            .query_row([id], |row| {
                let results = row.get_ref(0)?.as_blob()?.as_chunks().0.to_vec();
                let trials = match row.get_ref(2)?.as_blob_or_null()? {
                    Some(trials) => {
                        trials.as_chunks().0.iter().map(|it| u32::from_le_bytes(*it)).collect()
                    }
                    None => (row.get::<_, u32>(1)?..).take(results.len()).collect(),
                };
                Ok(Self { results, trials })
            })
            .optional()
    }

    fn insert(&self, connection: &Connection, id: u32) -> SqlResult<()> {
        let first = self.trials.first().copied().unwrap_or_default();
        let is_row = first != 0 && (first..).zip(&self.trials).all(|(a, b)| a == *b);
        let trials: Vec<u8> = self.trials.iter().flat_map(|trial| trial.to_le_bytes()).collect();
        connection
            .prepare_cached(
                "INSERT INTO result_block (id, results, trial, trials) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![
                id,
                self.results.as_flattened(),
                is_row.then_some(first),
                (!is_row).then_some(trials)
            ])
            .map(drop)
    }
}

/// Keeps what came out of trials.
pub(crate) fn keep(transaction: &Transaction, ended: &[(TrialId, Cell)]) -> SqlResult<()> {
    let Some(head) = Head::read(transaction)?.filter(|_| !ended.is_empty()) else { return Ok(()) };
    let mut query =
        transaction.prepare_cached("SELECT configuration, seed FROM trial WHERE id = ?")?;
    let mut blocks: BTreeMap<u32, Vec<(usize, TrialId, Cell)>> = BTreeMap::new();
    for (trial, cell) in ended {
        let (configuration, seed) =
            query.query_row([trial.0], |row| Ok((row.get(0)?, column::unsigned(row, 1)?)))?;
        let (block, first) = head.place(configuration);
        if let Ok(column) = head.seeds.binary_search(&seed) {
            blocks.entry(block).or_default().push((first + column, *trial, *cell));
        }
    }
    let mut update =
        transaction.prepare_cached("UPDATE result_block SET results = ?2 WHERE id = ?1")?;
    for (id, cells) in blocks {
        let Some(mut block) = Block::read(transaction, id)? else { continue };
        for (index, trial, cell) in cells {
            // A trial of an older revision has no place.
            if block.trials.get(index) == Some(&trial.0)
                && let Some(result) = block.results.get_mut(index)
            {
                *result = cell.to_bits().to_le_bytes();
            }
        }
        update.execute(params![id, block.results.as_flattened()])?;
    }
    Ok(())
}

/// Packs the results of a database that has not been packed before.
pub(crate) fn pack_first(connection: &Connection) -> SqlResult<()> {
    let configurations = connection
        .prepare(&format!(
            "SELECT parameters FROM configuration
             WHERE id IN (SELECT configuration FROM trial WHERE {CURRENT})"
        ))?
        .query_map([], |row| column::parameters(row, 0))?
        .collect::<SqlResult<Vec<_>>>()?;
    pack(connection, Some(&Tried::new(&configurations.iter().collect::<Vec<_>>())))
}

/// Packs the current results, after trials have come or gone. `None`: what was tried has not changed.
pub(crate) fn pack(connection: &Connection, tried: Option<&Tried>) -> SqlResult<()> {
    connection.execute("DELETE FROM result_block", [])?;
    let known: Option<String> =
        connection.query_row("SELECT space FROM tried", [], |row| row.get(0)).optional()?;
    let space = tried.map(column::json_text).transpose()?.or(known);
    connection.execute("DELETE FROM tried", [])?;
    let mut trials = connection
        .prepare(&format!(
            "SELECT configuration, seed, trial.id, trial_end.status, objective
             FROM trial LEFT JOIN trial_end ON trial = trial.id WHERE {CURRENT}"
        ))?
        .query_map([], |row| {
            let objective = row.get::<_, ObjectiveColumn>(4)?.0;
            let cell = Cell::new(column::status(row, 3)?, objective);
            Ok((row.get(0)?, column::unsigned(row, 1)?, row.get(2)?, cell.to_bits()))
        })?
        .collect::<SqlResult<Vec<(u32, u64, u32, u64)>>>()?;
    trials.sort_unstable();
    let is_same =
        |pair: &[(u32, u64, u32, u64)]| matches!(pair, [a, b] if (a.0, a.1) == (b.0, b.1));
    let Some(space) = space.filter(|_| !trials.windows(2).any(is_same)) else { return Ok(()) };
    let mut seeds: Vec<u64> = trials.iter().map(|trial| trial.1).collect();
    seeds.sort_unstable();
    seeds.dedup();
    connection.execute(
        "INSERT INTO tried (id, seeds, space, changed)
         SELECT 1, ?, ?, max(started + coalesce(took, 0)) FROM attempt",
        params![column::json_text(&seeds)?, space],
    )?;
    let columns: HashMap<u64, usize> =
        seeds.iter().enumerate().map(|(column, seed)| (*seed, column)).collect();
    let head = Head { seeds };
    for together in trials.chunk_by(|a, b| head.place(a.0).0 == head.place(b.0).0) {
        let mut block = Block::default();
        let mut id = 0;
        for (configuration, seed, trial, bits) in together {
            let (of, first) = head.place(*configuration);
            let index = first + columns.get(seed).copied().unwrap_or_default();
            block.results.resize(index, Cell::EMPTY.to_bits().to_le_bytes());
            block.trials.resize(index, 0);
            block.results.push(bits.to_le_bytes());
            block.trials.push(*trial);
            id = of;
        }
        block.insert(connection, id)?;
    }
    Ok(())
}
