//! One message, one line: bounded, and never trusted.

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::message::MAX_LINE;

/// Why a line is no message. The text shows the line's beginning, made harmless.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LineError {
    #[error("a line of over {MAX_LINE} bytes: `{0}`")]
    TooLong(String),
    #[error("not a message of this protocol ({reason}): `{line}`")]
    NoMessage { line: String, reason: String },
}

/// Appends `message` and the end of its line, however long it is: [`fits`] says whether it may be sent.
pub fn write(message: &impl Serialize, buffer: &mut Vec<u8>) {
    // Messages have text keys and no failing serializers, so this cannot fail; a `Vec` takes everything.
    if serde_json::to_writer(&mut *buffer, message).is_ok() {
        buffer.push(b'\n');
    }
}

/// Whether a line, its end included, is one that the other side accepts.
pub fn fits(line: &[u8]) -> bool {
    line.len() <= MAX_LINE + 1
}

/// Reads a line, with or without its end.
pub fn read<T: DeserializeOwned>(line: &[u8]) -> Result<T, LineError> {
    if MAX_LINE < line.len() {
        return Err(LineError::TooLong(shown(line)));
    }
    serde_json::from_slice(line)
        .map_err(|error| LineError::NoMessage { line: shown(line), reason: error.to_string() })
}

/// The beginning of a line for people: no control characters, no invalid text.
pub fn shown(line: &[u8]) -> String {
    const LENGTH: usize = 120;
    let text = String::from_utf8_lossy(&line[..line.len().min(4 * LENGTH)]);
    let text = text.trim_end();
    let mut shown: String = text
        .chars()
        .take(LENGTH)
        .map(|character| if character.is_control() { '\u{fffd}' } else { character })
        .collect();
    if LENGTH < text.chars().count() || 4 * LENGTH < line.len() {
        shown.push('…');
    }
    shown
}

/// Cuts a stream of bytes into lines. A line longer than [`MAX_LINE`] is given up once it is, not kept whole.
#[derive(Debug, Default)]
pub struct Splitter {
    rest: Vec<u8>,
    overlong: bool,
}

impl Splitter {
    /// Feeds bytes; calls `each` with every line that they complete, in order.
    pub fn feed(&mut self, mut bytes: &[u8], each: &mut impl FnMut(Result<&[u8], LineError>)) {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            let (line, after) = bytes.split_at(end);
            bytes = &after[1..];
            if std::mem::take(&mut self.overlong) {
                continue;
            }
            if self.rest.is_empty() {
                each(bounded(line));
            } else {
                self.rest.extend_from_slice(line);
                each(bounded(&self.rest));
                self.rest.clear();
            }
        }
        if self.overlong {
            return;
        }
        self.rest.extend_from_slice(bytes);
        if MAX_LINE < self.rest.len() {
            each(Err(LineError::TooLong(shown(&self.rest))));
            self.rest = Vec::new();
            self.overlong = true;
        }
    }
}

fn bounded(line: &[u8]) -> Result<&[u8], LineError> {
    if line.len() <= MAX_LINE { Ok(line) } else { Err(LineError::TooLong(shown(line))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<Result<String, LineError>> {
        let mut splitter = Splitter::default();
        let mut lines = Vec::new();
        for chunk in chunks {
            splitter.feed(chunk, &mut |line| {
                lines.push(line.map(|line| String::from_utf8_lossy(line).into_owned()));
            });
        }
        lines
    }

    #[test]
    fn lines_are_whole_however_the_bytes_arrive() {
        let expected = vec![Ok("ab".to_owned()), Ok(String::new()), Ok("c".to_owned())];
        assert_eq!(lines(&[b"ab\n\nc\nrest"]), expected);
        assert_eq!(lines(&[b"a", b"b\n", b"\nc", b"\n", b"rest"]), expected);
    }

    #[test]
    fn an_endless_line_is_refused_once_and_the_next_line_is_read() {
        let long = vec![b'x'; MAX_LINE];
        let lines = lines(&[&long, &long, b"\nok\n"]);
        assert!(matches!(&lines[0], Err(LineError::TooLong(shown)) if shown.ends_with('…')));
        assert_eq!(lines[1..], [Ok("ok".to_owned())]);
    }

    #[test]
    fn garbage_is_shown_without_its_control_characters() {
        let error = read::<crate::message::FromWorker>(b"\x1b[2Jboo\xff").unwrap_err();
        assert_eq!(
            error.to_string(),
            "not a message of this protocol (expected value at line 1 column 1): `\u{fffd}[2Jboo\u{fffd}`"
        );
    }
}
