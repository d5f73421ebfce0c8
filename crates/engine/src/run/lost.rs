//! The database, or the folder around it, may go away while a sweep runs. What would be committed then is lost, so the run
//! ends; what it knew is written down where there still is a place for it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Run, RunError};

impl Run<'_> {
    /// An error once the database is not at its place any more.
    pub(super) fn check_place(&mut self) -> Result<(), RunError> {
        let Some(lost) = self.store.lost() else { return Ok(()) };
        self.store.leave_alone();
        let home = self.job.home;
        let (name, database) = (home.name(), home.database());
        let left = match (self.moved(), self.rescue()) {
            (Some(folder), _) => format!(
                "all results are in {}: move that back to {}, and go on with `pleach resume {name}`",
                folder.display(),
                home.folder().display()
            ),
            (None, Some(rescued)) => format!(
                "all results are in {}: move that to {}, and go on with `pleach resume {name}`",
                rescued.display(),
                database.display()
            ),
            _ if home.folder().is_dir() => {
                "its results are lost; the files of its attempts are still there".to_owned()
            }
            _ => "nothing is left of it".to_owned(),
        };
        Err(RunError::Lost { database, lost, left })
    }

    /// Where the sweep's folder is now, if it was moved with the database in it.
    fn moved(&self) -> Option<PathBuf> {
        let folder = self.lock.folder()?;
        let is_there = self.store.is_at(&folder.join("pleach.db"));
        is_there.then_some(folder)
    }

    /// Writes what the open database holds into a file of its own beside the place where it was.
    fn rescue(&self) -> Option<PathBuf> {
        let folder = self.job.home.folder();
        if self.moved().is_some() || !folder.is_dir() {
            return None;
        }
        let is_free = |path: &PathBuf| fs::symlink_metadata(path).is_err();
        let names = (1..100).map(|number| folder.join(format!("rescued-{number}.db")));
        let to = names.into_iter().find(is_free)?;
        if self.store.rescue(&to).is_err() {
            // A part of a database is none.
            drop(fs::remove_file(to));
            return None;
        }
        Some(to)
    }
}

/// The latest of the databases that were rescued in a sweep's folder.
pub fn rescued(folder: &Path) -> Option<PathBuf> {
    let names = (1..100).map(|number| folder.join(format!("rescued-{number}.db")));
    names.take_while(|path| path.is_file()).last()
}
