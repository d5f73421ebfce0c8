//! Whose a group is.

use std::{fmt, fs, io};

/// A guard, as the names of its groups say it. Numbers of processes are given away again, those with a time are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// In which the number means this process.
    namespace: u64,
    process: u32,
    /// When it was started, in the kernel's ticks since its own start.
    start: u64,
}

impl fmt::Display for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "pleach-{}-{}-{}", self.namespace, self.process, self.start)
    }
}

impl Owner {
    /// This process.
    pub(super) fn this() -> io::Result<Self> {
        let unreadable = || io::Error::other("/proc does not say who this process is");
        let process = std::process::id();
        let (_, start) = state(process).ok_or_else(unreadable)?;
        Ok(Self { namespace: namespace().ok_or_else(unreadable)?, process, start })
    }

    /// The owner of a group of this name; of one that is not ours there is none.
    pub(super) fn of(group: &str) -> Option<Self> {
        let mut numbers = group.strip_prefix("pleach-")?.splitn(4, '-');
        let (namespace, process, start) = (numbers.next()?, numbers.next()?, numbers.next()?);
        Some(Self {
            namespace: namespace.parse().ok()?,
            process: process.parse().ok()?,
            start: start.parse().ok()?,
        })
    }

    /// Whether it is known to have ended. Of processes in other containers nothing is known.
    pub(super) fn is_gone(self) -> bool {
        let is_it = |(state, start): (char, u64)| start == self.start && !"ZX".contains(state);
        namespace() == Some(self.namespace) && !state(self.process).is_some_and(is_it)
    }
}

fn namespace() -> Option<u64> {
    let link = fs::read_link("/proc/self/ns/pid").ok()?;
    link.to_str()?.strip_prefix("pid:[")?.strip_suffix(']')?.parse().ok()
}

/// The state of a process, and when it was started.
fn state(process: u32) -> Option<(char, u64)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before stands in parentheses and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_its_guards_and_no_later_process_of_the_same_number() {
        let this = Owner::this().unwrap();
        assert_eq!(Owner::of(&this.to_string()), Some(this));
        assert_eq!(Owner::of(&format!("{this}-17")), Some(this));
        assert!(!this.is_gone());
        assert!(Owner { start: this.start + 1, ..this }.is_gone());
        assert!(
            !Owner { namespace: 1, start: 0, ..this }.is_gone(),
            "of a world that we do not see"
        );
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let (_, start) = state(child.id()).unwrap();
        let ended = Owner { process: child.id(), start, ..this };
        while !ended.is_gone() {
            std::thread::yield_now();
        }
        assert!(child.wait().unwrap().success(), "it was gone before anybody had waited for it");
        for strange in [
            "pleach",
            "pleach-1-2",
            "pleach-1-2-x",
            "pleach-1-2-3x",
            "system.slice",
            "xpleach-1-2-3",
        ] {
            assert_eq!(Owner::of(strange), None, "{strange}");
        }
    }
}
