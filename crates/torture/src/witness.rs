//! What really ran: the subjects write it themselves into a file that the programs under torture know nothing of.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Where the file is, in a subject's environment.
pub const WITNESS: &str = "PLEACH_TORTURE_WITNESS";

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub what: What,
    /// What was run: a trial, or a piece of one.
    pub subject: String,
    /// The number under which it was run.
    pub attempt: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Begins,
    Ends,
    /// Somebody else is running the same at this moment.
    Overlaps,
}

impl What {
    const ALL: [(Self, &str); 3] =
        [(Self::Begins, "begins"), (Self::Ends, "ends"), (Self::Overlaps, "overlaps")];
}

/// Held by whoever runs a subject; the kernel lets go of it with the process.
#[derive(Debug)]
pub struct Testimony {
    path: PathBuf,
    subject: String,
    attempt: u64,
    _lock: File,
}

impl Testimony {
    /// Says that it begins, and whether somebody else is at the same.
    pub fn begin(path: &Path, subject: &str, attempt: u64) -> io::Result<Self> {
        let locks = path.with_extension("locks");
        fs::create_dir_all(&locks)?;
        let name: String =
            subject.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let lock = File::create(locks.join(name))?;
        let (path, subject) = (path.to_owned(), subject.to_owned());
        let held = lock.try_lock();
        let testimony = Self { path, subject, attempt, _lock: lock };
        match held {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => testimony.say(What::Overlaps)?,
            Err(TryLockError::Error(error)) => return Err(error),
        }
        testimony.say(What::Begins)?;
        Ok(testimony)
    }

    /// Says that it has done all of it; the last thing that it does.
    pub fn end(&self) -> io::Result<()> {
        self.say(What::Ends)
    }

    fn say(&self, what: What) -> io::Result<()> {
        let word = What::ALL.iter().find(|(it, _)| *it == what).map_or("", |(_, word)| word);
        let line = format!("{word}\t{}\t{}\n", self.attempt, self.subject);
        OpenOptions::new().create(true).append(true).open(&self.path)?.write_all(line.as_bytes())
    }
}

/// All that was said so far. A line that is no line is an error: whoever is killed has written a whole one or none.
pub fn read(path: &Path) -> io::Result<Vec<Line>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        text => text?,
    };
    let line = |line: &str| {
        let mut parts = line.splitn(3, '\t');
        let word = parts.next()?;
        let what = What::ALL.iter().find(|(_, it)| *it == word)?.0;
        let attempt = parts.next()?.parse().ok()?;
        Some(Line { what, attempt, subject: parts.next()?.to_owned() })
    };
    text.lines()
        .map(|text| line(text).ok_or_else(|| io::Error::other(format!("not a testimony: {text}"))))
        .collect()
}
