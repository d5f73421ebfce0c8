//! Fetches the files of a data set: from the first mirror that has them, continued where an earlier try broke off, put
//! in their place whole and checked or not at all. This is the one place of the program that opens a network socket.

use std::{
    fmt,
    fs::{self, File, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use flate2::read::GzDecoder;
use pleach_files::{self as files, Link};
use sha2::{Digest, Sha256};
use thiserror::Error;
use ureq::{Agent, http::StatusCode};

use crate::hex;

/// A data set as it lies on the network.
#[derive(Clone, Copy, Debug)]
pub struct DataSet<'a> {
    /// Also the name of its folder.
    pub name: &'a str,
    /// Addresses that a file's name is appended to, the best first.
    pub mirrors: &'a [&'a str],
    pub files: &'a [RemoteFile<'a>],
    /// A mirror may take so long for each file, and then one second more for every [`SLOWEST`] bytes that it has sent.
    pub patience: Duration,
}

/// Bytes per second. A mirror that sends less for longer than a data set has patience is given up.
pub const SLOWEST: u64 = 16 << 10;

/// A gzipped file. It is known by what it holds: the same data was packed more than once, with other headers.
#[derive(Clone, Copy, Debug)]
pub struct RemoteFile<'a> {
    pub name: &'a str,
    /// Bytes, unpacked.
    pub len: u64,
    /// Of the unpacked bytes, hexadecimal.
    pub sha256: &'a str,
}

#[derive(Debug, Error)]
pub enum FetchError {
    #[error("failed to create the folder {path}")]
    Folder { path: PathBuf, source: io::Error },
    #[error("failed to write {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("another program is fetching {path}: wait for it, or end it")]
    Busy { path: PathBuf },
    #[error(transparent)]
    Mirrors(Box<MirrorsError>),
}

/// No mirror gave a file. The text holds what a person needs to get it another way.
#[derive(Debug, Error)]
pub struct MirrorsError {
    pub name: String,
    /// Where the files belong.
    pub folder: PathBuf,
    /// Each address tried, and why it was of no use.
    pub tried: Vec<(String, String)>,
    /// The data set's files that are not there: name, unpacked length and digest.
    pub missing: Vec<(String, u64, String)>,
}

impl fmt::Display for MirrorsError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "no mirror gave `{}`:", self.name)?;
        for (address, reason) in &self.tried {
            writeln!(f, "  {address}: {reason}")?;
        }
        writeln!(f, "run this again to go on where it broke off, or put these gzipped files into")?;
        writeln!(f, "{} yourself and run this again to check them:", self.folder.display())?;
        for (name, len, sha256) in &self.missing {
            writeln!(f, "  {name} (unpacked: {len} bytes, SHA-256 {sha256})")?;
        }
        write!(f, "without the network, the data set `digits` needs no files")
    }
}

/// Brings the files of `set` into `data/NAME/`; says line by line what it does. Files that are there and right stay.
pub fn fetch(set: &DataSet, data: &Path, say: &mut dyn FnMut(&str)) -> Result<(), FetchError> {
    let folder = data.join(set.name);
    fs::create_dir_all(&folder)
        .map_err(|source| FetchError::Folder { path: folder.clone(), source })?;
    for (index, file) in set.files.iter().enumerate() {
        let path = folder.join(file.name);
        match check(&path, file) {
            Ok(Content::Right) => {
                say(&format!("{}: already there, and right", path.display()));
                continue;
            }
            Ok(Content::Wrong(reason)) => {
                say(&format!("{}: {reason}; it will be replaced", path.display()));
            }
            Err(_) => {}
        }
        if let Err(tried) = fetch_file(set, file, &path, say)? {
            let still = |file: &&RemoteFile| {
                !matches!(check(&folder.join(file.name), file), Ok(Content::Right))
            };
            let describe =
                |file: &RemoteFile| (file.name.to_owned(), file.len, file.sha256.to_owned());
            return Err(FetchError::Mirrors(Box::new(MirrorsError {
                name: format!("{}/{}", set.name, file.name),
                missing: set.files[index..].iter().filter(still).map(describe).collect(),
                folder,
                tried,
            })));
        }
        say(&format!("{}: fetched, and right", path.display()));
    }
    Ok(())
}

/// The addresses tried without success, and why.
type Tried = Vec<(String, String)>;

fn fetch_file(
    set: &DataSet,
    file: &RemoteFile,
    path: &Path,
    say: &mut dyn FnMut(&str),
) -> Result<Result<(), Tried>, FetchError> {
    let mut part = Part::open(path)?;
    if part.len()? != 0 && part.move_if_right(file, path)?.is_ok() {
        return Ok(Ok(()));
    }
    let agent: Agent = Agent::config_builder()
        .accept_encoding("identity")
        .http_status_as_error(false)
        .timeout_resolve(Some(Duration::from_secs(20)))
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(Duration::from_secs(30)))
        .timeout_per_read(Some(Duration::from_secs(30)))
        .build()
        .into();
    let mut tried = Tried::new();
    for mirror in set.mirrors {
        let address = format!("{mirror}{}", file.name);
        for _ in 0..TRIES_PER_MIRROR {
            let (reason, next) = match part.download(&agent, &address, file, set.patience, say)? {
                Ok(start) => match part.move_if_right(file, path)? {
                    Ok(()) => return Ok(Ok(())),
                    Err(reason) => {
                        part.clear()?;
                        (reason, if start == 0 { Next::Mirror } else { Next::Again })
                    }
                },
                Err(failure) => failure,
            };
            say(&format!("{address}: {reason}"));
            tried.retain(|(other, _)| *other != address);
            tried.push((address.clone(), reason));
            if next == Next::Mirror {
                break;
            }
        }
    }
    part.remove_if_empty()?;
    Ok(Err(tried))
}

/// A connection that broke off, or a part that was of no use, is worth another try at the same place.
const TRIES_PER_MIRROR: usize = 3;

/// What to do after a failure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Again,
    Mirror,
}

/// A file that is being fetched, beside its place; ours alone as long as it is open.
struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    fn open(path: &Path) -> Result<Self, FetchError> {
        let path = path.with_extension("gz.part");
        let fail = |source| FetchError::Write { path: path.clone(), source };
        let file = files::append(&path).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, file }),
            Err(TryLockError::WouldBlock) => Err(FetchError::Busy { path }),
            Err(TryLockError::Error(source)) => Err(fail(source)),
        }
    }

    fn failed(&self, source: io::Error) -> FetchError {
        FetchError::Write { path: self.path.clone(), source }
    }

    fn len(&self) -> Result<u64, FetchError> {
        Ok(self.file.metadata().map_err(|source| self.failed(source))?.len())
    }

    fn clear(&self) -> Result<(), FetchError> {
        self.file.set_len(0).map_err(|source| self.failed(source))
    }

    fn remove_if_empty(&self) -> Result<(), FetchError> {
        if self.len()? == 0 {
            fs::remove_file(&self.path).map_err(|source| self.failed(source))?;
        }
        Ok(())
    }

    /// Puts the part in its place if it holds what it should; otherwise says why it does not.
    fn move_if_right(
        &self,
        file: &RemoteFile,
        path: &Path,
    ) -> Result<Result<(), String>, FetchError> {
        match check(&self.path, file).map_err(|source| self.failed(source))? {
            Content::Wrong(reason) => Ok(Err(reason)),
            Content::Right => {
                let moved = self.file.sync_all().and_then(|()| fs::rename(&self.path, path));
                moved.map(Ok).map_err(|source| self.failed(source))
            }
        }
    }

    /// Downloads what the part lacks; returns the byte at which it began.
    fn download(
        &mut self,
        agent: &Agent,
        address: &str,
        file: &RemoteFile,
        patience: Duration,
        say: &mut dyn FnMut(&str),
    ) -> Result<Result<u64, (String, Next)>, FetchError> {
        let have = self.len()?;
        let mut request = agent.get(address);
        if 0 < have {
            request = request.header("range", format!("bytes={have}-"));
        }
        let mut response = match request.call() {
            Ok(response) => response,
            Err(error) => return Ok(Err((error.to_string(), Next::Mirror))),
        };
        let header =
            |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let start = match response.status() {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT
                if header("content-range")
                    .is_some_and(|range| range.starts_with(&format!("bytes {have}-"))) =>
            {
                have
            }
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if 0 < have => {
                self.clear()?;
                return Ok(Err((format!("it has nothing after byte {have}"), Next::Again)));
            }
            status => return Ok(Err((format!("it answered {status}"), Next::Mirror))),
        };
        let expected = header("content-length").and_then(|len| len.parse::<u64>().ok());
        if start == 0 {
            self.clear()?;
            say(&format!("{address}: fetching"));
        } else {
            say(&format!("{address}: going on after {}", megabytes(start)));
        }
        let total = expected.map(|expected| start.saturating_add(expected));
        let body = response.body_mut().as_reader();
        self.append(body, &Extent { start, total, most: file.len + SLACK, patience }, address, say)
    }

    fn append(
        &mut self,
        mut body: impl Read,
        extent: &Extent,
        address: &str,
        say: &mut dyn FnMut(&str),
    ) -> Result<Result<u64, (String, Next)>, FetchError> {
        const SAY_EVERY: u64 = 4 << 20;
        self.file.seek(SeekFrom::End(0)).map_err(|source| self.failed(source))?;
        let mut chunk = vec![0; 64 << 10];
        let mut have = extent.start;
        let began = Instant::now();
        loop {
            let broken = match body.read(&mut chunk) {
                Ok(0) if extent.total.is_none_or(|total| total <= have) => {
                    return Ok(Ok(extent.start));
                }
                Ok(0) => "the connection was closed".to_owned(),
                Err(error) => error.to_string(),
                Ok(n_read) => {
                    let written = self.file.write_all(&chunk[..n_read]);
                    written.map_err(|source| self.failed(source))?;
                    let before = have;
                    have += n_read as u64;
                    if extent.most < have {
                        self.clear()?;
                        let reason = format!("it sends more than {} bytes", extent.most);
                        return Ok(Err((reason, Next::Mirror)));
                    }
                    if extent.is_too_slow(have, began.elapsed()) {
                        let reason = format!(
                            "it sent only {} bytes in {} s",
                            have - extent.start,
                            began.elapsed().as_secs()
                        );
                        return Ok(Err((reason, Next::Mirror)));
                    }
                    if before / SAY_EVERY != have / SAY_EVERY {
                        let of = extent.total.map(|total| format!(" of {}", megabytes(total)));
                        let of = of.unwrap_or_default();
                        say(&format!("{address}: {}{of}", megabytes(have)));
                    }
                    continue;
                }
            };
            let next = if have == extent.start { Next::Mirror } else { Next::Again };
            return Ok(Err((format!("it broke off after {have} bytes ({broken})"), next)));
        }
    }
}

/// Where a download begins, and how long the file may get.
struct Extent {
    start: u64,
    /// If the server says.
    total: Option<u64>,
    most: u64,
    patience: Duration,
}

impl Extent {
    /// Each read has a limit of its own; without one on the whole, a server that sends a byte now and then is waited for for ever.
    fn is_too_slow(&self, have: u64, elapsed: Duration) -> bool {
        let sent = have.saturating_sub(self.start);
        self.patience + Duration::from_millis(sent * 1000 / SLOWEST) < elapsed
    }
}

/// How much longer than its content a gzipped file may be.
const SLACK: u64 = 64 << 10;

fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}

enum Content {
    Right,
    /// Says why.
    Wrong(String),
}

/// Unpacks a file, in memory piece by piece, and compares what it holds.
fn check(path: &Path, expected: &RemoteFile) -> io::Result<Content> {
    let mut unpacked =
        GzDecoder::new(io::BufReader::new(files::open(path, Link::Follow)?)).take(expected.len + 1);
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 64 << 10];
    let mut len = 0;
    loop {
        match unpacked.read(&mut chunk) {
            Ok(0) => break,
            Ok(n_read) => {
                hash.update(&chunk[..n_read]);
                len += n_read as u64;
            }
            Err(error) => return Ok(Content::Wrong(format!("no whole gzip file ({error})"))),
        }
    }
    let sha256 = hex(&hash.finalize());
    Ok(if expected.len < len {
        Content::Wrong(format!("holds more than {} bytes", expected.len))
    } else if sha256 == expected.sha256 {
        Content::Right
    } else {
        Content::Wrong(format!("has the SHA-256 {sha256}, not {}", expected.sha256))
    })
}
