//! What a worker writes to standard error belongs to the attempt that it runs: kept in that attempt's folder, up to a
//! size, and its last line explains how a worker died.

use std::{collections::BTreeMap, fs, io::Write};

use pleach_core::life::AttemptId;
use pleach_files::{self as files, Link};

use crate::home::Home;

/// So much of an attempt's log is kept.
const MAX_LOG: u64 = 1 << 20;

/// So much of one is read: its program, or a person, may have made it longer.
const MOST_READ: u64 = 4 * MAX_LOG;

/// The log's name in the attempt's folder.
pub(crate) const LOG: &str = "log";

#[derive(Debug, Default)]
pub(crate) struct Logs {
    written: BTreeMap<AttemptId, u64>,
}

impl Logs {
    /// Appends to an attempt's log. A log that cannot be written is a pity, and no reason to stop.
    pub(crate) fn append(&mut self, home: &Home, attempt: AttemptId, bytes: &[u8]) {
        let written = self.written.entry(attempt).or_default();
        let room = MAX_LOG.saturating_sub(*written) as usize;
        if room == 0 {
            return;
        }
        *written += bytes.len() as u64;
        let folder = home.attempt(attempt);
        let file = fs::create_dir_all(&folder).and_then(|()| files::append(&folder.join(LOG)));
        if let Ok(mut file) = file {
            drop(file.write_all(&bytes[..room.min(bytes.len())]));
            if room < bytes.len() {
                drop(file.write_all(b"\n[the rest of this log was not kept]\n"));
            }
        }
    }

    pub(crate) fn forget(&mut self, attempt: AttemptId) {
        self.written.remove(&attempt);
    }
}

/// The log of an attempt; none if it wrote nothing, or something else lies there.
pub fn read(home: &Home, attempt: AttemptId) -> Option<Vec<u8>> {
    files::read(&home.attempt(attempt).join(LOG), Link::Refuse, MOST_READ).ok()
}

/// The last line that says something.
pub(crate) fn last_line(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines().rev().filter(|line| !line.trim().is_empty());
    let line = lines.find(|line| !is_of_backtrace(line))?;
    let line: String = line.chars().filter(|character| !character.is_control()).take(200).collect();
    Some(line.trim().to_owned())
}

/// What Rust writes below the line that says what happened.
fn is_of_backtrace(line: &str) -> bool {
    let is_frame = |line: &str| {
        let (number, _) = line.split_once(": ").unwrap_or_default();
        line.starts_with("at ") || number.parse::<u32>().is_ok()
    };
    line == "stack backtrace:"
        || (line.starts_with("note: ") && line.contains("RUST_BACKTRACE="))
        || line.strip_prefix("  ").is_some_and(|rest| is_frame(rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_last_is_found_above_a_backtrace() {
        let check = |text: &str, expected| {
            assert_eq!(last_line(text.as_bytes()).as_deref(), expected, "{text}");
        };
        check("", None);
        check("a\n\u{1b}b \n\n", Some("b"));
        check("note: this\n  at last\n", Some("note: this"));
        check("12: x\n", Some("12: x"));
        let note = "note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.";
        let frames = "   0: main\n             at ./main.rs:3:7\n  11: start";
        check(&format!("gone\nstack backtrace:\n{frames}\n{note}\n"), Some("gone"));
    }
}
