//! The state that a program saves at the end of a stage: checked before another attempt starts from it, made safe before
//! anybody is told of it.

use std::{
    fmt::Write,
    fs,
    io::{
        self,
        ErrorKind::{InvalidInput, NotFound},
        Read,
    },
    path::{Path, PathBuf},
};

use pleach_files::{self as files, Link};
use pleach_protocol::message::CheckpointFile;
use sha2::{Digest, Sha256};

/// A state on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Saved {
    /// Its name in the attempt's folder.
    pub(super) file: String,
    /// Of the file's content.
    pub(super) digest: String,
}

/// Where a program saves its state. The same in every folder, since files such as those of `torch.save` hold their own names.
pub(super) fn place(folder: &Path) -> PathBuf {
    folder.join("saving")
}

/// Makes the state that a program has saved after `step` updates safe; `None` if it has saved none.
pub(super) fn keep(folder: &Path, step: u64) -> io::Result<Option<Saved>> {
    let saving = place(folder);
    match files::open(&saving, Link::Follow) {
        Err(error) if matches!(error.kind(), NotFound | InvalidInput) => return Ok(None),
        opened => opened?.sync_all()?,
    }
    let digest = digest(&saving)?;
    let file = format!("{step}.state");
    fs::rename(&saving, folder.join(&file))?;
    files::sync_folder(folder)?;
    Ok(Some(Saved { file, digest }))
}

/// Removes what a program has saved that nobody will start from.
pub(super) fn discard(folder: &Path) {
    // It is there seldom, and what cannot be removed only takes space.
    drop(fs::remove_file(place(folder)));
}

/// Whether a program may start from this state; else why not.
pub(super) fn check(from: &CheckpointFile) -> Result<(), String> {
    match digest(Path::new(&from.file)) {
        Ok(found) if found == from.digest => Ok(()),
        Ok(_) => Err(format!("{} is damaged: its content does not match its digest", from.file)),
        Err(error) => Err(format!("{} cannot be read: {error}", from.file)),
    }
}

/// SHA-256 of a file's content, hexadecimal.
fn digest(path: &Path) -> io::Result<String> {
    let mut file = files::open(path, Link::Follow)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => hash.update(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        // A `String` takes everything.
        let _infallible = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_can_be_started_from_until_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert_eq!(keep(folder, 7).unwrap(), None);
        fs::write(place(folder), b"abc").unwrap();
        let Saved { file, digest } = keep(folder, 7).unwrap().unwrap();
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let file = folder.join(file).display().to_string();
        let from = CheckpointFile { file: file.clone(), step: 7, digest };
        assert_eq!(check(&from), Ok(()));
        fs::write(&file, b"abd").unwrap();
        assert!(check(&from).unwrap_err().ends_with("does not match its digest"));
        fs::remove_file(&file).unwrap();
        assert!(check(&from).unwrap_err().contains(" cannot be read: "));
    }
}
