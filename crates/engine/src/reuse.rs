//! Equal stages of other sweeps: what is trained there is not trained again here.

use std::{collections::BTreeMap, fs, io, path::Path};

use pleach_core::{
    fact::{Fact, NewStage},
    key::Key,
    life::StageId,
};
use pleach_files::{self as files, Link};
use pleach_store::{
    CommitError, OpenError, ReadError, Reader, Store,
    adopt::{Adoption, adopt},
};
use thiserror::Error;

use crate::{home::Home, run::wall_time};

/// Other sweeps, opened to be read.
#[derive(Debug, Default)]
pub struct Others(Vec<Other>);

#[derive(Debug)]
struct Other {
    home: Home,
    reader: Reader,
    finished: BTreeMap<Key, (NewStage, StageId)>,
}

#[derive(Debug, Error)]
pub enum ReuseError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("failed to remember what was taken from other sweeps")]
    Commit(#[from] CommitError),
}

impl Others {
    pub fn open(homes: Vec<Home>) -> Result<Self, ReuseError> {
        let open = |home: Home| {
            let reader = Reader::open(&home.database())?;
            let finished = reader.finished()?;
            let finished = finished.into_iter().map(|found| (found.0.key, found)).collect();
            Ok(Other { home, reader, finished })
        };
        homes.into_iter().map(open).collect::<Result<_, _>>().map(Self)
    }

    /// The stages that have a result in one of them.
    pub fn stages(&self) -> impl Iterator<Item = NewStage> {
        self.0.iter().flat_map(|other| other.finished.values()).map(|(stage, _)| *stage)
    }

    /// Takes over every result that the sweep needs; says how many.
    pub fn give(&self, store: &mut Store, home: &Home) -> Result<usize, ReuseError> {
        let loaded = store.load()?;
        let mut givers = Vec::new();
        let find = |key: &Key| {
            let found = |other: &&Other| other.finished.contains_key(key);
            let Some(other) = self.0.iter().find(found) else { return Ok(None) };
            let Some((_, stage)) = other.finished.get(key) else { return Ok(None) };
            givers.push(&other.home);
            other.reader.result(*stage).map(Some)
        };
        let adoptions = adopt::<ReadError>(&loaded, find)?;
        let mut facts = Vec::new();
        for (Adoption { attempt, facts: adopted, state }, giver) in adoptions.iter().zip(&givers) {
            let mut adopted = adopted.clone();
            if let Some((theirs, fact)) = state
                && let Fact::Checkpoint { checkpoint, .. } = fact
                && copy(&giver.attempt(*theirs), &home.attempt(*attempt), &checkpoint.file).is_ok()
            {
                // Without the file its state is made again when it is missed.
                adopted.push(fact.clone());
            }
            facts.extend(adopted);
        }
        store.commit(&facts, wall_time())?;
        Ok(adoptions.len())
    }
}

/// A file in another folder, safe on disk: the same one, if they can share it.
fn copy(from: &Path, to: &Path, name: &str) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let (from, file) = (from.join(name), to.join(name));
    files::expect_regular(&from, Link::Refuse)?;
    if fs::hard_link(&from, &file).is_err() {
        let mut copied = files::create(&file)?;
        io::copy(&mut files::open(&from, Link::Refuse)?, &mut copied)?;
        copied.sync_all()?;
    }
    files::sync_folder(to)
}
