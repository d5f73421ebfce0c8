//! What is told to a person, on standard error.

use std::{fmt, io::Write};

/// As the standard macro of this name, but standard error may be closed, or a file on a disk that is full: what cannot be
/// said is not said, and a sweep goes on.
macro_rules! eprintln {
    ($($text:tt)*) => { $crate::say::line(format_args!($($text)*)) };
}
pub(crate) use eprintln;

pub(crate) fn line(text: fmt::Arguments) {
    drop(writeln!(anstream::stderr(), "{text}"));
}
