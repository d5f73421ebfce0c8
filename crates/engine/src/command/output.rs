//! What a program prints and measures: its log within bounds, its lines as they come, its file of metrics as it grows.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::PathBuf,
};

use pleach_files::{self as files, Link};

/// So much of a log's beginning is kept, and so much of its end.
const HEAD: u64 = 512 << 10;
const TAIL: usize = 64 << 10;

/// A longer line is cut into several.
const MAX_LINE: usize = 1 << 20;

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

/// Cuts bytes into lines, which also a carriage return ends.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<u8>);

impl Lines {
    pub(super) fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) {
        for &byte in bytes {
            if matches!(byte, b'\n' | b'\r') || self.0.len() == MAX_LINE {
                each(&self.0);
                self.0.clear();
            }
            if !matches!(byte, b'\n' | b'\r') {
                self.0.push(byte);
            }
        }
    }

    /// The last line, which nothing ended.
    pub(super) fn finish(&mut self, mut each: impl FnMut(&[u8])) {
        if !self.0.is_empty() {
            each(&self.0);
            self.0.clear();
        }
    }
}

/// A file that grows and may not exist yet.
#[derive(Debug)]
pub(super) struct Growing {
    path: PathBuf,
    file: Option<File>,
}

impl Growing {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// Calls `each` with what is new.
    pub(super) fn read(&mut self, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        if self.file.is_none() {
            match files::open(&self.path, Link::Follow) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
                // It is not there yet; what a program puts there instead of a file is not waited for.
                Err(_) => return Ok(()),
            }
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut buffer = [0; 1 << 13];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(()),
                length => each(&buffer[..length]),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_line_ends_with_a_newline_a_carriage_return_or_the_output() {
        let (mut lines, mut said) = (Lines::default(), Vec::new());
        let mut each = |line: &[u8]| said.push(String::from_utf8_lossy(line).into_owned());
        lines.feed(b"a\nb", &mut each);
        lines.feed(b"c\rd\r\ne", &mut each);
        lines.finish(&mut each);
        assert_eq!(said, ["a", "bc", "d", "", "e"]);
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
