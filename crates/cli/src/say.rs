//! What is told to a person, on standard error, and standard output: [`print()`] for people, [`data`] for programs.
//!
//! Here is the last place at which text that others wrote could give orders to a terminal: only lines, tabs and colours pass.

use std::{
    fmt,
    io::{self, ErrorKind, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::Result;
use pleach_core::plain::{is_unprintable, plain, safe};

/// As the standard macro of this name, but standard error may be closed, or a file on a disk that is full: what cannot be
/// said is not said, and a sweep goes on.
macro_rules! eprintln {
    ($($text:tt)*) => { $crate::say::line(format_args!($($text)*)) };
}
pub(crate) use eprintln;

pub(crate) fn line(text: fmt::Arguments) {
    drop(writeln!(anstream::stderr(), "{}", safe(&text.to_string())));
}

/// Whether whoever read standard output (`| head`) has read enough.
static IS_ENOUGH: AtomicBool = AtomicBool::new(false);

/// An error of a command after this is none: see [`Out`].
pub(crate) fn is_enough() -> bool {
    IS_ENOUGH.load(Ordering::Relaxed)
}

/// A text for people. If nobody reads it any more, the command goes on to its own end.
pub(crate) fn print(text: &str) -> Result<()> {
    let text = safe(text);
    let mut out = anstream::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(end.as_bytes()))
        .and_then(|()| out.flush());
    unless_enough(written)
}

/// A text for programs: to the last byte, unless a terminal would read it.
pub(crate) fn data(text: &str) -> Result<()> {
    let mut out = Out::new();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(end.as_bytes()))
        .and_then(|()| out.flush());
    unless_enough(written)
}

fn unless_enough(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Standard output for data. A terminal gets what it would obey spelled. Once nobody reads it, writing fails, and
/// [`is_enough`] says so, however many errors that error is wrapped in.
pub(crate) struct Out {
    is_terminal: bool,
    /// The beginning of a character whose end is still to come.
    open: Vec<u8>,
}

impl Out {
    pub(crate) fn new() -> Self {
        Self { is_terminal: io::stdout().is_terminal(), open: Vec::new() }
    }

    fn for_terminal(&mut self, bytes: &[u8]) -> String {
        self.open.extend(bytes);
        let whole = match std::str::from_utf8(&self.open) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.open.len(),
        };
        let rest = self.open.split_off(whole);
        let text = String::from_utf8_lossy(&self.open).into_owned();
        self.open = rest;
        let spelled = |c: char| match c {
            '\n' | '\t' => c.to_string(),
            c if is_unprintable(c) => plain(c.encode_utf8(&mut [0; 4])).into_owned(),
            c => c.to_string(),
        };
        text.chars().map(spelled).collect()
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = if self.is_terminal {
            let text = self.for_terminal(bytes);
            io::stdout().write_all(text.as_bytes())
        } else {
            io::stdout().write_all(bytes)
        };
        noted(written)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        noted(io::stdout().flush())
    }
}

fn noted(written: io::Result<()>) -> io::Result<()> {
    if written.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        IS_ENOUGH.store(true, Ordering::Relaxed);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::Out;

    #[test]
    fn data_on_a_terminal_cannot_give_orders_wherever_it_is_cut() {
        let text = "a,\u{1b}[2J,é,\u{202e}\u{9b}m\r\n\tx";
        for cut in 0..=text.len() {
            let mut out = Out { is_terminal: true, open: Vec::new() };
            let (first, second) = text.as_bytes().split_at(cut);
            let shown = out.for_terminal(first) + &out.for_terminal(second);
            assert_eq!(shown, "a,\\x1b[2J,é,\\u{202e}\\u{9b}m\\r\n\tx", "cut at {cut}");
        }
    }
}
