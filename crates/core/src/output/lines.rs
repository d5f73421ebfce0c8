//! Bytes cut into lines, and what only moves a cursor or colours a terminal taken out of them.

use std::borrow::Cow;

/// A longer line is left out: it is never held as a whole.
pub(super) const MAX_LINE: usize = 8 << 20;

/// So much of a line that is too long is kept to be quoted.
const HEAD: usize = 400;

/// Cuts bytes into lines, each with its number, counted from 1 by newlines. A carriage return, by which progress bars begin anew,
/// ends a line too.
#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
    newlines: u64,
    is_long: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Whole(&'a [u8]),
    /// The beginning of one that is too long.
    Long(&'a [u8]),
}

impl Lines {
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(u64, Line)) {
        while let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.add(&bytes[..end]);
            self.finish(&mut each);
            self.newlines += u64::from(bytes[end] == b'\n');
            bytes = &bytes[end + 1..];
        }
        self.add(bytes);
    }

    fn add(&mut self, bytes: &[u8]) {
        self.is_long |= MAX_LINE < self.rest.len() + bytes.len();
        if self.is_long {
            let room = HEAD.saturating_sub(self.rest.len());
            self.rest.extend_from_slice(&bytes[..room.min(bytes.len())]);
            self.rest.truncate(HEAD);
        } else {
            self.rest.extend_from_slice(bytes);
        }
    }

    /// The last line, which nothing has ended yet.
    pub(super) fn finish(&mut self, mut each: impl FnMut(u64, Line)) {
        let number = self.newlines + 1;
        match self.is_long {
            true => each(number, Line::Long(&self.rest)),
            false if self.rest.is_empty() => {}
            false => each(number, Line::Whole(&self.rest)),
        }
        self.is_long = false;
        self.rest.clear();
        self.rest.shrink_to(1 << 16);
    }

    /// What follows is the beginning of a file.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }
}

/// A line as a person sees it: colours are taken out, whatever else a terminal obeys is a space, and so is every other control
/// character but a tab. What is not UTF-8 is replaced.
pub(super) fn shown(line: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(line);
    let is_odd = |c: char| (c.is_control() && c != '\t') || c == '\u{feff}';
    if !text.contains(is_odd) {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(place) = rest.find(is_odd) {
        plain.push_str(&rest[..place]);
        rest = &rest[place..];
        let character = rest.chars().next().unwrap_or_default();
        rest = &rest[character.len_utf8()..];
        match character {
            '\u{feff}' => {}
            '\u{1b}' => rest = after_escape(rest, &mut plain),
            '\u{9b}' => rest = after_control(rest, &mut plain),
            _ => plain.push(' '),
        }
    }
    Cow::Owned(plain + rest)
}

/// What follows an escape sequence (ECMA-48) whose escape is read.
fn after_escape<'a>(text: &'a str, plain: &mut String) -> &'a str {
    let mut characters = text.chars();
    match characters.next() {
        Some('[') => after_control(characters.as_str(), plain),
        // A text for the terminal itself: a title, the target of a link.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let text = characters.as_str();
            let end = text.find(['\u{7}', '\u{1b}', '\u{9c}']).unwrap_or(text.len());
            let rest = &text[end..];
            let ends = ["\u{1b}\\", "\u{7}", "\u{9c}"];
            ends.iter().find_map(|end| rest.strip_prefix(end)).unwrap_or(rest)
        }
        Some(' '..='/') => {
            let rest = text.trim_start_matches(|c| (' '..='/').contains(&c));
            rest.strip_prefix(|c| ('0'..='~').contains(&c)).unwrap_or(rest)
        }
        Some('0'..='~') => characters.as_str(),
        _ => text,
    }
}

/// What follows a control sequence whose introducer is read. All but colours move the cursor or erase.
fn after_control<'a>(text: &'a str, plain: &mut String) -> &'a str {
    let rest = text.trim_start_matches(|c| (' '..='?').contains(&c));
    if !rest.starts_with('m') {
        plain.push(' ');
    }
    rest.strip_prefix(|c| ('@'..='~').contains(&c)).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(chunks: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut said) = (Lines::default(), Vec::new());
        let mut each = |number, line: Line| {
            said.push(match line {
                Line::Whole(line) => format!("{number} {}", String::from_utf8_lossy(line)),
                Line::Long(head) => format!("{number} long, {} bytes", head.len()),
            });
        };
        for chunk in chunks {
            lines.feed(chunk, &mut each);
        }
        lines.finish(&mut each);
        said
    }

    #[test]
    fn a_line_ends_with_a_newline_a_carriage_return_or_the_output() {
        assert_eq!(cut(&[b"a\nb", b"c\rd\r\n\ne"]), ["1 a", "2 bc", "2 d", "4 e"]);
    }

    #[test]
    fn a_line_that_is_too_long_is_never_held() {
        let chunk = vec![b'x'; 1 << 20];
        let mut chunks: Vec<&[u8]> = vec![&chunk; 100];
        chunks.push(b"\nb\n");
        assert_eq!(cut(&chunks), ["1 long, 400 bytes", "2 b"]);
        assert_eq!(cut(&chunks[..8]).len(), 1, "the longest line is whole");
        let mut lines = Lines::default();
        for chunk in &chunks[..100] {
            lines.feed(chunk, |_, _| {});
        }
        assert!(lines.rest.len() <= HEAD);
    }

    #[test]
    fn what_a_terminal_obeys_is_no_part_of_a_line() {
        for (line, expected) in [
            ("loss=\u{1b}[31m0.5\u{1b}[0m,", "loss=0.5,"),
            ("loss=0.5\u{1b}[K", "loss=0.5 "),
            ("\u{1b}[2K\u{1b}[1;32mloss=0.5\u{1b}[m", " loss=0.5"),
            ("\u{1b}[38;5;208mx\u{1b}[38:2::1:2:3mx", "xx"),
            ("loss=0.5\0\u{7}", "loss=0.5  "),
            ("50%\u{8}\u{8}51%", "50%  51%"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{7} a", "link a"),
            ("\u{1b}]0;title\u{7}a\u{1b}(Bb\u{1b}7c\u{1b}=", "abc"),
            ("\u{9b}31mx\u{feff}", "x"),
            ("torn\u{1b}[3", "torn "),
            ("torn\u{1b}", "torn"),
            ("torn\u{1b}]0;ti", "torn"),
            ("a\tb", "a\tb"),
        ] {
            assert_eq!(shown(line.as_bytes()), expected, "{line:?}");
        }
        assert_eq!(shown(b"0.5\xff x"), "0.5\u{fffd} x");
    }

    proptest! {
        #[test]
        fn no_line_holds_control_characters(line in prop::collection::vec(any::<u8>(), 0..60), escapes in prop::collection::vec(0_usize..60, 0..6)) {
            let mut line = line;
            for place in escapes {
                line.insert(place.min(line.len()), 0x1b);
            }
            prop_assert!(shown(&line).chars().all(|c| !c.is_control() || c == '\t'));
        }
    }
}
