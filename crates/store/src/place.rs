//! Whether the file that is open is still the one at its path. SQLite goes on with a file that has lost its name, and all that
//! is committed then is lost with it.

use std::{fs, io::ErrorKind, os::unix::fs::MetadataExt, path::Path};

use thiserror::Error;

/// What became of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Lost {
    #[error("was removed or moved away")]
    Removed,
    #[error("was replaced by another file")]
    Replaced,
    #[error("was cut short")]
    Truncated,
}

#[derive(Debug)]
pub(crate) struct File {
    device: u64,
    inode: u64,
    /// The longest that it was: it is never made shorter.
    length: u64,
}

impl File {
    pub(crate) fn at(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|metadata| Self::of(&metadata))
    }

    fn of(metadata: &fs::Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino(), length: metadata.len() }
    }

    pub(crate) fn is_at(&self, path: &Path) -> bool {
        Self::at(path).is_some_and(|it| (it.device, it.inode) == (self.device, self.inode))
    }

    pub(crate) fn lost(&mut self, path: &Path) -> Option<Lost> {
        let now = match fs::metadata(path) {
            Ok(metadata) => Self::of(&metadata),
            Err(error) if error.kind() == ErrorKind::NotFound => return Some(Lost::Removed),
            // A disk that does not answer is met by the commits.
            Err(_) => return None,
        };
        if (now.device, now.inode) != (self.device, self.inode) {
            return Some(Lost::Replaced);
        }
        if now.length < self.length {
            return Some(Lost::Truncated);
        }
        self.length = now.length;
        None
    }
}
