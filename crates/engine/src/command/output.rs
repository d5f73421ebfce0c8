//! What a program prints and measures: its log within bounds, its file of metrics as it grows.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use pleach_files::{self as files, Link};

/// So much of a log's beginning is kept, and so much of its end.
const HEAD: u64 = 512 << 10;
const TAIL: usize = 64 << 10;

/// The most that is read of a file of metrics at a time, so that others are heard between, and in all.
const PORTION: u64 = 64 << 20;
const LARGEST: u64 = 16 << 30;

/// A log that keeps its beginning and its end.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    written: u64,
    /// The end of everything.
    tail: Vec<u8>,
}

impl Log {
    pub(super) fn new(file: File) -> Self {
        Self { file, written: 0, tail: Vec::new() }
    }

    /// A log that cannot be written is a pity, and no reason to stop.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let room = HEAD.saturating_sub(self.written).min(bytes.len() as u64);
        self.written += bytes.len() as u64;
        drop(self.file.write_all(&bytes[..room as usize]));
        self.tail.extend_from_slice(bytes);
        if 2 * TAIL < self.tail.len() {
            let surplus = self.tail.len() - TAIL;
            self.tail.drain(..surplus);
        }
    }

    /// Writes what the end is, if it is not written; answers with the end.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        let unwritten = self.written.saturating_sub(HEAD);
        let kept = unwritten.min(self.tail.len() as u64);
        if 0 < unwritten {
            let left_out = unwritten - kept;
            drop(writeln!(self.file, "\n[{left_out} bytes were not kept]"));
            drop(self.file.write_all(&self.tail[self.tail.len() - kept as usize..]));
        }
        std::mem::take(&mut self.tail)
    }
}

/// A file that grows and may not exist yet, and that its program may write anew.
#[derive(Debug)]
pub(super) struct Growing {
    path: PathBuf,
    open: Option<Open>,
    /// Bytes that were read, of all files that were there.
    total: u64,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// Device and inode.
    identity: (u64, u64),
    offset: u64,
}

/// What is new in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News<'a> {
    Bytes(&'a [u8]),
    /// What follows is the beginning of a file: it was cut, or another one has taken its place.
    Anew,
}

/// Whether there was more than is read at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Nothing,
    More,
}

impl Growing {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: None, total: 0 }
    }

    /// Calls `each` with what is new.
    pub(super) fn read(&mut self, mut each: impl FnMut(News)) -> io::Result<Left> {
        let Some(found) = self.look()? else { return Ok(Left::Nothing) };
        let Some(open) = &mut self.open else {
            self.open = Some(Open::new(&self.path)?);
            return self.read_on(each);
        };
        let held = open.file.metadata()?;
        if held.len() < open.offset {
            open.file.seek(SeekFrom::Start(0))?;
            open.offset = 0;
            each(News::Anew);
        } else if held.len() == open.offset && identity(&found) != open.identity {
            *open = Open::new(&self.path)?;
            each(News::Anew);
        }
        self.read_on(each)
    }

    /// The file that is there now, or that is still open.
    fn look(&self) -> io::Result<Option<Metadata>> {
        match (fs::metadata(&self.path), &self.open) {
            (Ok(found), _) if found.is_file() => Ok(Some(found)),
            // Whoever has it open may still write.
            (_, Some(open)) => open.file.metadata().map(Some),
            // Whatever a program puts there instead of a file is not waited for.
            (Ok(_), None) => Err(io::Error::other("what is there is no file")),
            (Err(error), None) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            (Err(error), None) => Err(error),
        }
    }

    fn read_on(&mut self, mut each: impl FnMut(News)) -> io::Result<Left> {
        let Some(open) = &mut self.open else { return Ok(Left::Nothing) };
        let mut buffer = [0; 1 << 14];
        let end = self.total + PORTION;
        while self.total < end {
            let length = open.file.read(&mut buffer)?;
            if length == 0 {
                return Ok(Left::Nothing);
            }
            open.offset += length as u64;
            self.total += length as u64;
            if LARGEST < self.total {
                return Err(io::Error::other("it has more than 16 GiB"));
            }
            each(News::Bytes(&buffer[..length]));
        }
        Ok(Left::More)
    }
}

impl Open {
    fn new(path: &Path) -> io::Result<Self> {
        let file = files::open(path, Link::Follow)?;
        let identity = identity(&file.metadata()?);
        Ok(Self { file, identity, offset: 0 })
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_grows_is_cut_and_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics");
        let mut growing = Growing::new(path.clone());
        let mut read = || {
            let mut said = String::new();
            let left = growing.read(|news| match news {
                News::Bytes(bytes) => said.push_str(&String::from_utf8_lossy(bytes)),
                News::Anew => said.push('|'),
            });
            left.map(|_| said).map_err(|error| error.to_string())
        };
        let said = |text: &str| Ok(text.to_owned());
        assert_eq!(read(), said(""));
        fs::create_dir(&path).unwrap();
        assert_eq!(read(), Err("what is there is no file".to_owned()));
        fs::remove_dir(&path).unwrap();
        fs::write(&path, "ab").unwrap();
        assert_eq!((read(), read()), (said("ab"), said("")));
        // In place.
        fs::write(&path, "c").unwrap();
        assert_eq!((read(), read()), (said("|c"), said("")));
        // Another file under its name.
        fs::write(folder.path().join("new"), "cde").unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        assert_eq!((read(), read()), (said("|cde"), said("")));
        let mut held = File::options().append(true).open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        held.write_all(b"f").unwrap();
        assert_eq!((read(), read()), (said("f"), said("")));
        fs::write(&path, "g").unwrap();
        assert_eq!(read(), said("|g"));
    }

    #[test]
    fn a_long_log_keeps_its_beginning_and_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = Log::new(File::create(&path).unwrap());
        let line = |number: usize| format!("line {number:09}\n");
        for number in 0..100_000 {
            log.add(line(number).as_bytes());
        }
        let tail = log.finish();
        assert!(tail.ends_with(line(99_999).as_bytes()) && TAIL <= tail.len());
        let text = fs::read_to_string(path).unwrap();
        assert!(text.starts_with("line 000000000\nline 000000001\n"), "{}", &text[..100]);
        assert!(text.contains(" bytes were not kept]\n") && text.ends_with(&line(99_999)));
        assert!(text.len() < 2 * HEAD as usize);
    }
}
