//! Opens files that somebody else may have made: a person's own program, a worker, another user. At any of our paths may
//! then lie a named pipe, a device, a folder, a link to another file, or a file without end. So:
//!
//! - what is read is a regular file, or an error says what it is instead; opening never waits ([`open`]);
//! - what is read whole has a limit, which applies before anything is read ([`read`], [`read_text`]);
//! - what is written is a new file: whatever lay at its place is removed, never written through ([`create`], [`write()`]);
//! - what grows is a file of its own, not a second name of another one ([`append`]).

use std::{
    fs::{self, File, FileType, Metadata, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

use rustix::fs::OFlags;

/// What becomes of a symbolic link at the end of a path. Links on the way there are always followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// For paths that a person chose.
    Follow,
    /// For paths that we chose, in folders that others write to.
    Refuse,
}

/// Opens a regular file to read it. Anything else is an error that says what it is.
pub fn open(path: &Path, link: Link) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(flags(link)).open(path);
    let file = file.map_err(|error| explained(error, path, link))?;
    check(&file.metadata()?)?;
    Ok(file)
}

/// Reads a file of at most `limit` bytes.
pub fn read(path: &Path, link: Link, limit: u64) -> io::Result<Vec<u8>> {
    read_rest(&mut open(path, link)?, limit)
}

/// The same as text.
pub fn read_text(path: &Path, link: Link, limit: u64) -> io::Result<String> {
    let bytes = read(path, link, limit)?;
    String::from_utf8(bytes)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

/// What is left of an open file, if that is at most `limit` bytes.
pub fn read_rest(file: &mut File, limit: u64) -> io::Result<Vec<u8>> {
    let too_large = |size: u64| {
        let text = format!("it has {size} bytes, and at most {limit} are read");
        Err(io::Error::new(io::ErrorKind::FileTooLarge, text))
    };
    let size = file.metadata()?.len();
    if limit < size {
        return too_large(size);
    }
    let mut bytes = Vec::with_capacity(size as usize);
    // It may be growing.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if limit < bytes.len() as u64 {
        return too_large(bytes.len() as u64);
    }
    Ok(bytes)
}

/// Makes a new, empty file, in place of whatever has this name.
pub fn create(path: &Path) -> io::Result<File> {
    create_with(path, 0o666)
}

/// The same, with these permissions as far as the umask allows them.
pub fn create_with(path: &Path, mode: u32) -> io::Result<File> {
    /// Somebody may put something there again.
    const TRIES: u32 = 8;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(mode);
    for _ in 1..TRIES {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made,
        }
    }
    options.open(path)
}

/// Writes a new file, in place of whatever has this name.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create(path)?.write_all(bytes)
}

/// Opens a file to add to its end, and makes it if there is none. A file that has another name as well is refused: that other
/// one would grow.
pub fn append(path: &Path) -> io::Result<File> {
    own(path, OpenOptions::new().append(true).create(true))
}

/// Opens a file of ours as it is, and makes it if there is none: to read, write and lock it. Only its owner may open it.
pub fn private(path: &Path) -> io::Result<File> {
    own(path, OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600))
}

fn own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let file = options.custom_flags(flags(Link::Refuse)).open(path);
    let file = file.map_err(|error| explained(error, path, Link::Refuse))?;
    let metadata = file.metadata()?;
    check(&metadata)?;
    if metadata.nlink() != 1 {
        return Err(other(format!("it has {} names", metadata.nlink())));
    }
    Ok(file)
}

/// Makes the names in a folder durable.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let flags = (OFlags::DIRECTORY | OFlags::NONBLOCK).bits() as i32;
    OpenOptions::new().read(true).custom_flags(flags).open(path)?.sync_all()
}

/// Whether what lies there, if anything does, is a regular file: for those who cannot open it through here.
pub fn expect_regular(path: &Path, link: Link) -> io::Result<()> {
    let metadata = match link {
        Link::Follow => fs::metadata(path)?,
        Link::Refuse => fs::symlink_metadata(path)?,
    };
    check(&metadata)
}

fn flags(link: Link) -> i32 {
    // Without NONBLOCK, opening a named pipe waits for whoever opens its other end.
    let always = OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = match link {
        Link::Follow => always,
        Link::Refuse => always | OFlags::NOFOLLOW,
    };
    flags.bits() as i32
}

fn check(metadata: &Metadata) -> io::Result<()> {
    match irregular(metadata.file_type()) {
        None => Ok(()),
        Some(what) => Err(other(format!("it is {what}, not a regular file"))),
    }
}

fn irregular(kind: FileType) -> Option<&'static str> {
    match kind {
        _ if kind.is_file() => None,
        _ if kind.is_dir() => Some("a folder"),
        _ if kind.is_fifo() => Some("a named pipe"),
        _ if kind.is_socket() => Some("a socket"),
        _ if kind.is_symlink() => Some("a symbolic link"),
        _ => Some("a device"),
    }
}

/// What could not be opened because of what it is says that, instead of the kernel's words for it.
fn explained(error: io::Error, path: &Path, link: Link) -> io::Error {
    let is_hidden =
        matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied);
    match expect_regular(path, link) {
        Err(better) if !is_hidden && better.raw_os_error().is_none() => better,
        _ => error,
    }
}

fn other(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

#[cfg(test)]
mod tests;
