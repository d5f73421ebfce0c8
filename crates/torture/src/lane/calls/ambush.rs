//! Where `strace` waits: for the coordinator alone, or for the first guard that it starts and whatever is under that.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{
    arena::{Arena, beside},
    report::Report,
};

/// Whose calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The coordinator's alone.
    Coordinator,
    /// Those of the first guard, and of what it guards: each process counts its own.
    Guard,
}

/// A guard is its coordinator's own program, which it knows from the kernel: the name under which it was started, and behind
/// that " (deleted)", if that name is no more. Here, under this other name, lies a script that starts the first guard
/// under `strace`.
pub(super) struct Ambush {
    /// On the program's own file system, since it gets other names here.
    folder: TempDir,
    laid: AtomicU64,
}

/// The tracer is the guard's grandchild, so that the guard is still the coordinator's own child; and it does not carry the
/// sweep's mark, since whoever does is killed.
const SCRIPT: &str = r#"#!/bin/sh
mkdir "$AMBUSH" 2> /dev/null || exec "$PLEACH" "$@"
mark=$PLEACH_SWEEP
unset PLEACH_SWEEP
exec strace -D -f --seccomp-bpf $STRACE -E "PLEACH_SWEEP=$mark" "$PLEACH" "$@"
"#;

/// Starts the program `$1` under the name `$0`, which is no more when it runs.
const NAMELESS: &str = r#"
ln "$1" "$0"
ln -s script "$0 (deleted)"
exec 3< "$0"
rm "$0"
export PLEACH="$1"
shift
exec /proc/self/fd/3 "$@"
"#;

impl Ambush {
    /// Nothing if this machine cannot.
    pub(super) fn new(report: &mut Report) -> Result<Option<Self>> {
        if !Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success()) {
            report.skipped.push("no system call was hurt: there is no `strace`".to_owned());
            return Ok(None);
        }
        let program = beside("pleach")?;
        let folder = TempDir::new_in(program.parent().context("no folder")?)?;
        let script = folder.path().join("script");
        fs::write(&script, SCRIPT)?;
        fs::set_permissions(script, fs::Permissions::from_mode(0o755))?;
        Ok(Some(Self { folder, laid: AtomicU64::new(0) }))
    }

    /// A run of the arena's sweep under `strace` with these words, which writes to `log`.
    pub(super) fn lay(
        &self,
        arena: &Arena,
        whose: Whose,
        words: &[&str],
        log: &Path,
    ) -> Result<Command> {
        let log = log.display().to_string();
        let words = [&["-qq", "-y", "-o", &log], words].concat();
        if whose == Whose::Coordinator {
            // It has one thread that does something.
            return arena.pleach_under(&[&["strace"], &words[..]].concat(), &RUN);
        }
        let name = self.folder.path().join(self.laid.fetch_add(1, Ordering::Relaxed).to_string());
        let shell = ["sh", "-ec", NAMELESS, &name.display().to_string()];
        let mut command = arena.pleach_under(&shell, &RUN)?;
        command.env("AMBUSH", arena.path().join("ambush")).env("STRACE", words.join(" "));
        Ok(command)
    }
}

const RUN: [&str; 2] = ["run", "storm.toml"];
