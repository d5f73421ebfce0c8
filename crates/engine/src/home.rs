//! A sweep's folder, `runs/NAME/`, and the kernel's lock on it.

use std::{
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    io::{self, Seek, Write},
    os::{
        fd::AsRawFd,
        unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use pleach_core::{life::AttemptId, spec::check_name};
use pleach_files::{self as files, Link};
use thiserror::Error;

use crate::groups;

/// A sweep file is written by hand. Longer ones are no sweep files.
pub const MAX_SWEEP_FILE: u64 = 16 << 20;

/// More than any file that holds a number or a few paths.
const SMALL: u64 = 1 << 20;

/// A sweep's folder is its owner's alone, until that opens it to others (`chmod`): a sweep file may hold what others must not
/// read, and what a person's programs write there is that person's affair.
const PRIVATE: u32 = 0o700;

/// As open as the umask says.
const PUBLIC: u32 = 0o777;

/// Where one sweep lives. Names inside are numbers and fixed words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    folder: PathBuf,
    name: String,
}

#[derive(Debug, Error)]
pub enum HomeError {
    #[error("`{name}` cannot be a sweep: {why}")]
    Name { name: String, why: String },
    #[error("cannot {what} {path}")]
    File {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "the sweep `{name}` is already being run{by}; see it with `pleach board {name}`, stop it with `pleach stop {name}`"
    )]
    Held { name: String, by: String },
}

impl HomeError {
    fn file(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { what, path, source }
    }
}

/// Held as long as this lives; the kernel lets go of it however the process ends.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// The folder that it lies in now: it may have been moved. None if the file was removed.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        let path = fs::read_link(format!("/proc/self/fd/{}", self.0.as_raw_fd())).ok()?;
        let is_it = self.0.metadata().ok()?.ino() == fs::symlink_metadata(&path).ok()?.ino();
        path.parent().filter(|_| is_it).map(Path::to_owned)
    }
}

impl Drop for Lock {
    /// Closing the file would not do: until a child that is being started becomes another program, it has the file open, too.
    fn drop(&mut self) {
        // An error would leave it to the closing.
        drop(self.0.unlock());
    }
}

impl Home {
    /// The folder of the sweep `name` in `runs`, which may not exist yet.
    pub fn new(runs: &Path, name: &str) -> Result<Self, HomeError> {
        check_name(name).map_err(|why| HomeError::Name { name: name.to_owned(), why })?;
        Ok(Self { folder: runs.join(name), name: name.to_owned() })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn database(&self) -> PathBuf {
        self.folder.join("pleach.db")
    }

    /// The sweep file as it was last accepted.
    pub fn sweep_file(&self) -> PathBuf {
        self.folder.join("sweep.toml")
    }

    pub(crate) fn inbox(&self) -> PathBuf {
        self.folder.join("inbox")
    }

    /// What its coordinator says of itself while it runs.
    pub(crate) fn live(&self) -> PathBuf {
        self.folder.join("live.json")
    }

    /// The groups in which its guards make theirs, while it runs.
    fn bases(&self) -> PathBuf {
        self.folder.join("groups")
    }

    /// Ends what guards have left of which nothing is left, of this run's place and the last one's, and remembers the place.
    /// What cannot be remembered is found by its environment.
    pub(crate) fn end_abandoned(&self) {
        let here = groups::bases();
        let before = files::read_text(&self.bases(), Link::Refuse, SMALL).unwrap_or_default();
        let all = before.lines().map(PathBuf::from).chain(here.clone()).collect();
        groups::end_abandoned(&all);
        let lines: Vec<String> =
            here.iter().map(|base| base.to_string_lossy().into_owned()).collect();
        drop(files::write(&self.bases(), lines.join("\n").as_bytes()));
    }

    /// All guards of this run have ended.
    pub(crate) fn forget_bases(&self) {
        drop(fs::remove_file(self.bases()));
    }

    pub fn attempt(&self, attempt: AttemptId) -> PathBuf {
        self.attempts().join(attempt.0.to_string())
    }

    fn attempts(&self) -> PathBuf {
        self.folder.join("attempts")
    }

    /// How many attempts have left a folder.
    pub fn number_of_attempts(&self) -> usize {
        let inside = fs::read_dir(self.attempts()).into_iter().flatten().flatten();
        inside.filter(|it| it.file_type().is_ok_and(|it| it.is_dir())).count()
    }

    /// Moves the files of attempts that nobody knows any more out of the way of new ones, which begin again with the number 1:
    /// a result found in the folder of another attempt would be taken for its own. Where they are now.
    pub fn set_attempts_aside(&self) -> Result<PathBuf, HomeError> {
        let names = (1..).map(|number| self.folder.join(format!("attempts-{number}")));
        let is_free = |path: &PathBuf| fs::symlink_metadata(path).is_err();
        let to = names.into_iter().find(is_free).unwrap_or_default();
        let from = self.attempts();
        let moved = fs::rename(&from, &to).and_then(|()| make_folder(&from, PUBLIC));
        moved.map(|()| to).map_err(HomeError::file("move", &from))
    }

    /// What the workers of this sweep have in their environment.
    pub(crate) fn mark(&self) -> Result<String, HomeError> {
        let folder = self.folder.canonicalize().map_err(HomeError::file("find", &self.folder))?;
        Ok(folder.to_string_lossy().into_owned())
    }

    pub fn exists(&self) -> bool {
        self.database().exists()
    }

    /// Makes the sweep's folders, and locks them against other coordinators.
    pub fn lock(&self) -> Result<Lock, HomeError> {
        make_folder(&self.folder, PRIVATE)
            .map_err(HomeError::file("make the folder", &self.folder))?;
        // What a guard syncs inside is only there after a loss of power if the way to it is.
        for folder in [self.inbox(), self.attempts()] {
            make_folder(&folder, PUBLIC).map_err(HomeError::file("make the folder", &folder))?;
        }
        let path = self.folder.join("lock");
        let mut file = files::private(&path).map_err(HomeError::file("open", &path))?;
        // Whoever may open it may hold it. An older pleach made it for everybody.
        if file.metadata().is_ok_and(|it| it.mode() & 0o077 != 0) {
            drop(file.set_permissions(Permissions::from_mode(0o600)));
        }
        match patient_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let by = self.last_holder().map_or(String::new(), |it| format!(" by process {it}"));
                return Err(HomeError::Held { name: self.name.clone(), by });
            }
            Err(TryLockError::Error(source)) => {
                return Err(HomeError::File { what: "lock", path, source });
            }
        }
        let pid = format!("{}\n", std::process::id());
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(pid.as_bytes()))
            .map_err(HomeError::file("write", &path))?;
        Ok(Lock(file))
    }

    /// The process that has the lock, or had it last.
    pub(crate) fn last_holder(&self) -> Option<u32> {
        let text = files::read_text(&self.folder.join("lock"), Link::Refuse, SMALL);
        text.ok()?.trim().parse().ok()
    }

    /// Whether a coordinator has the lock now.
    pub fn is_running(&self) -> bool {
        files::open(&self.folder.join("lock"), Link::Refuse).is_ok_and(|file| {
            matches!(file.try_lock().map(|()| Lock(file)), Err(TryLockError::WouldBlock))
        })
    }

    /// Writes the sweep file, whole or not at all.
    pub fn write_sweep_file(&self, text: &str) -> Result<(), HomeError> {
        let path = self.sweep_file();
        write_whole(&path, text.as_bytes()).map_err(HomeError::file("write", &path))
    }

    pub fn read_sweep_file(&self) -> Result<String, HomeError> {
        let path = self.sweep_file();
        files::read_text(&path, Link::Refuse, MAX_SWEEP_FILE)
            .map_err(HomeError::file("read", &path))
    }
}

/// Whoever only asks whether somebody has the lock ([`Home::is_running`]) has it for a moment.
fn patient_lock(file: &File) -> Result<(), TryLockError> {
    const TRIES: u32 = 5;
    const MOMENT: Duration = Duration::from_millis(10);
    for _ in 1..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(MOMENT),
            other => return other,
        }
    }
    file.try_lock()
}

/// Makes a folder and those above it, so that they are there after a loss of power, too: a database in a folder that nobody
/// has written down would be lost with all of its commits.
fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    make_folder(parent, PUBLIC)?;
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        made => made?,
    }
    files::sync_folder(parent)
}

/// Writes a file, whole or not at all, even through a loss of power.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_with(path, |file| file.write_all(bytes))
}

/// The same with what `write` writes; if that fails, there is no file, or the one that was there before.
pub fn write_with<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    let temporary = path.with_added_extension("part");
    let mut file = files::create(&temporary)?;
    let written = write(&mut file)
        .and_then(|()| Ok(file.sync_all()?))
        .and_then(|()| Ok(fs::rename(&temporary, path)?));
    if let Err(error) = written {
        // What is said is why it failed.
        drop(fs::remove_file(&temporary));
        return Err(error);
    }
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => Ok(files::sync_folder(parent)?),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_ends_with_its_holder_though_a_child_has_inherited_the_file() {
        let runs = tempfile::tempdir().unwrap();
        let home = Home::new(runs.path(), "x").unwrap();
        let lock = home.lock().unwrap();
        assert!(home.is_running());
        let _inherited = lock.0.try_clone().unwrap();
        drop(lock);
        assert!(!home.is_running());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        write_whole(&path, b"first").unwrap();
        let fail = |file: &mut File| {
            file.write_all(b"half")?;
            Err(io::Error::other("full"))
        };
        assert_eq!(write_with(&path, fail).unwrap_err().to_string(), "full");
        assert!(write_whole(folder.path(), b"a folder is in the way").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()).collect();
        assert_eq!(names, [path]);
        assert!(!folder.path().with_added_extension("part").exists());
    }
}
