//! Text that others wrote (names, values, reasons, logs), made safe to print.
//!
//! Views pass each such string through [`plain`] or [`within`] where they put it into a line of theirs; tables do it for all of
//! their cells. [`safe`] stands at the writer, for whatever was forgotten.

use std::{borrow::Cow, fmt::Write};

/// Whether a terminal obeys this character, or a reader cannot see it: controls (C0, DEL, C1), ends of lines, marks that turn the
/// direction of writing, and marks without width that hide in a name.
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// In one line, with everything unprintable spelled: `\n`, `\x1b`, `\u{202e}`.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut spelled = String::with_capacity(text.len() + 8);
    text.chars().for_each(|c| spell(&mut spelled, c));
    Cow::Owned(spelled)
}

/// The same with so many characters at most; of a longer text the beginning and the end stay, with `…` between them.
#[must_use]
pub fn within(text: &str, limit: usize) -> Cow<'_, str> {
    if text.chars().nth(limit).is_none() {
        return match plain(text) {
            Cow::Owned(spelled) if spelled.chars().nth(limit).is_some() => {
                Cow::Owned(cut(&spelled, limit))
            }
            whole => whole,
        };
    }
    // Of 3 MB only the ends are looked at.
    Cow::Owned(cut(&plain(&cut(text, limit)), limit))
}

fn cut(text: &str, limit: usize) -> String {
    if text.chars().nth(limit).is_none() {
        return text.to_owned();
    }
    let last = limit.saturating_sub(1) / 2;
    let first = limit.saturating_sub(1) - last;
    let mut end: Vec<char> = text.chars().rev().take(last).collect();
    end.reverse();
    text.chars().take(first).chain(['…']).chain(end).collect()
}

/// A whole text of ours: its lines, tabs and colours (`ESC [ … m`) stay, and everything else that is unprintable is spelled.
#[must_use]
pub fn safe(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| is_unprintable(c) && !matches!(c, '\n' | '\t')) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = color(rest).unwrap_or(c.len_utf8());
        let (taken, left) = rest.split_at(length);
        match c {
            '\u{1b}' if 1 < length => safe.push_str(taken),
            '\n' | '\t' => safe.push(c),
            _ => spell(&mut safe, c),
        }
        rest = left;
    }
    Cow::Owned(safe)
}

/// The length of the sequence for a colour or a style that a text begins with.
fn color(text: &str) -> Option<usize> {
    let codes = text.strip_prefix("\u{1b}[")?;
    let length = codes.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    // Code 8 hides what follows.
    let is_hidden = codes[..length].split(';').any(|code| code.trim_start_matches('0') == "8");
    (codes[length..].starts_with('m') && !is_hidden).then_some("\u{1b}[".len() + length + 1)
}

fn spell(text: &mut String, c: char) {
    // A `String` takes everything.
    let _infallible = match c {
        '\n' => write!(text, "\\n"),
        '\r' => write!(text, "\\r"),
        '\t' => write!(text, "\\t"),
        c if is_unprintable(c) && c.is_ascii() => write!(text, "\\x{:02x}", u32::from(c)),
        c if is_unprintable(c) => write!(text, "\\u{{{:x}}}", u32::from(c)),
        c => write!(text, "{c}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelled() {
        for (text, spelled) in [
            ("lr", "lr"),
            ("größe 学习率 👩‍🔬", "größe 学习率 👩‍🔬"),
            ("\u{1b}[2J\u{1b}]0;x\u{7}", "\\x1b[2J\\x1b]0;x\\x07"),
            ("a\nb\tc\rd\u{8}\u{7f}", "a\\nb\\tc\\rd\\x08\\x7f"),
            ("\u{9b}31m\u{85}", "\\u{9b}31m\\u{85}"),
            (
                "val\u{202e}ssol\u{2069}\u{200f}\u{61c}",
                "val\\u{202e}ssol\\u{2069}\\u{200f}\\u{61c}",
            ),
            ("l\u{200b}r\u{feff}\u{2028}\u{e0041}", "l\\u{200b}r\\u{feff}\\u{2028}\\u{e0041}"),
        ] {
            assert_eq!(plain(text), spelled, "{text:?}");
            assert!(!plain(text).contains(is_unprintable));
        }
    }

    #[test]
    fn a_long_text_keeps_both_ends() {
        assert_eq!(within("abc", 3), "abc");
        assert_eq!(within("abcdefgh", 5), "ab…gh");
        assert_eq!(within("abcdefgh", 4), "ab…h");
        assert_eq!(within("abc", 1), "…");
        assert_eq!(within("a\u{1b}b", 5), "a\\…bb");
        let long = "\u{1b}".repeat(3_000_000);
        assert_eq!(within(&long, 100).chars().count(), 100);
    }

    #[test]
    fn of_a_whole_text_lines_and_colours_stay() {
        for (text, expected) in [
            ("a\n\tb\n", "a\n\tb\n"),
            ("\u{1b}[1;31merror\u{1b}[0m: x", "\u{1b}[1;31merror\u{1b}[0m: x"),
            ("\u{1b}[m\u{1b}[38;5;12mx", "\u{1b}[m\u{1b}[38;5;12mx"),
            ("\u{1b}[8mhidden\u{1b}[1;08m", "\\x1b[8mhidden\\x1b[1;08m"),
            ("\u{1b}[2J\u{1b}[1A\u{1b}[?25l\u{1b}[31", "\\x1b[2J\\x1b[1A\\x1b[?25l\\x1b[31"),
            ("\u{1b}]0;title\u{7}\u{1b}c", "\\x1b]0;title\\x07\\x1bc"),
            ("50 %\r100 %\u{9b}2J\u{202e}", "50 %\\r100 %\\u{9b}2J\\u{202e}"),
        ] {
            assert_eq!(safe(text), expected, "{text:?}");
        }
    }
}
