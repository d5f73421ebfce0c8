//! How a run of a program came out: whether it has done what it was to do, or else what that was, and why.

use std::{collections::BTreeMap, process::ExitStatus};

use pleach_core::warning::Warning;
use pleach_protocol::message::{Fault, FaultClass};
use rustix::process::Signal;

use crate::guard;

/// By which a program says that it can never be run so (`EX_CONFIG`), and a shell that it cannot start it.
const NEVER: [i32; 3] = [78, 126, 127];

/// So large a share of what it may take is all of it, in percent.
const NEARLY: u64 = 90;

/// What a program took, and the kernel did to it, while it ran.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Memory {
    /// Bytes, at most.
    pub(super) peak: u64,
    /// Bytes that it may take.
    pub(super) limit: Option<u64>,
    /// Whether the kernel has killed anything for want of memory.
    pub(super) has_killed: bool,
}

/// Why a program that did not end well did not; `Err` holds what is known as a class, `Ok` is that it says so itself. `said`: its
/// last line.
pub(super) fn fault(
    status: ExitStatus,
    memory: Memory,
    said: Option<&str>,
) -> Result<String, Fault> {
    let last = said;
    let said = said.map_or(String::new(), |line| format!("; it said: {line}"));
    let how = guard::how(status);
    let is = |class, how: &str| Err(Fault { class, why: format!("{how}{said}") });
    let signal = guard::signal_of(status);
    if signal == Some(Signal::TERM.as_raw()) || status.code() == Some(guard::TEMPORARY) {
        return is(FaultClass::Preempted, &how);
    }
    let is_full = |limit: u64| limit / 100 * NEARLY <= memory.peak;
    let is_killed = memory.has_killed || memory.limit.is_some_and(is_full);
    if wanted_memory(status, is_killed, last) {
        if signal != Some(Signal::KILL.as_raw()) {
            return is(FaultClass::OutOfMemory, &how);
        }
        let limit = memory
            .limit
            .map_or(String::new(), |limit| format!(", of {} that `memory` allows", bytes(limit)));
        let text = format!("killed for want of memory; it took {}{limit}", bytes(memory.peak));
        return is(FaultClass::OutOfMemory, &text);
    }
    if signal.is_some() {
        return is(FaultClass::Crash, &how);
    }
    if status.code().is_some_and(|code| NEVER.contains(&code)) {
        return is(FaultClass::Configuration, &how);
    }
    Ok(format!("{how}{said}"))
}

/// Whether a program that did not end well had not enough memory. `is_killed`: the kernel may have killed it for that. `last`: its
/// last line.
pub(crate) fn wanted_memory(status: ExitStatus, is_killed: bool, last: Option<&str>) -> bool {
    match guard::signal_of(status).map(Signal::from_named_raw) {
        Some(Some(Signal::KILL)) => is_killed,
        // Whoever cannot go on without it aborts: Rust, and C++ by default.
        Some(Some(Signal::ABORT)) | None => last.is_some_and(is_about_memory),
        Some(_) => false,
    }
}

/// Whether the last line of a program that gave up says that it had not enough memory, be it a GPU's: as Python, PyTorch, JAX,
/// TensorFlow, C++ and Rust say it.
fn is_about_memory(line: &str) -> bool {
    line.starts_with("MemoryError")
        || (line.starts_with("memory allocation of ") && line.ends_with(" bytes failed"))
        || ["CUDA out of memory", "OutOfMemoryError", "RESOURCE_EXHAUSTED", "std::bad_alloc"]
            .iter()
            .any(|words| line.contains(words))
}

/// `1.5 GiB`.
fn bytes(bytes: u64) -> String {
    let (unit, name) = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
        .into_iter()
        .find(|(unit, _)| *unit <= bytes)
        .unwrap_or((1, "bytes"));
    let text = format!("{:.1}", bytes as f64 / unit as f64);
    format!("{} {name}", text.strip_suffix(".0").unwrap_or(&text))
}

/// Why a program that ended well has failed all the same. `end`: the step after which the objective was to be measured.
pub(super) fn no_objective(
    objective: &str,
    end: Option<u64>,
    seen: &BTreeMap<String, u64>,
    warnings: &[Warning],
) -> Fault {
    /// So many metrics are named.
    const NAMED: usize = 10;
    let class = FaultClass::NoObjective;
    let warnings: Vec<String> = warnings.iter().map(|warning| format!("; {warning}")).collect();
    let warnings = warnings.concat();
    if seen.is_empty() {
        let why = format!(
            "it ended well and measured nothing, so `{objective}` is not known (see what it printed with `pleach logs`, and docs/programs.md for how to measure){warnings}"
        );
        return Fault { class, why };
    }
    let times = |n: &u64| if *n == 1 { "once".to_owned() } else { format!("{n} times") };
    let others = match seen.len().saturating_sub(NAMED) {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    let named = seen.iter().take(NAMED);
    let seen: Vec<String> = named.map(|(name, n)| format!("`{name}` ({})", times(n))).collect();
    let never = match end {
        None => format!("never measured `{objective}`"),
        Some(end) => format!("did not measure `{objective}` after step {end}, the last one"),
    };
    let seen = seen.join(", ");
    let why = format!("it ended well and {never}; it measured {seen}{others}{warnings}");
    Fault { class, why }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn what_a_status_means() {
        let (exit, signal) = (|code: i32| code << 8, |signal: i32| signal);
        let free = Memory { peak: 40 << 20, ..Memory::default() };
        let limited = |peak: u64| Memory { peak: peak << 20, limit: Some(512 << 20), ..free };
        let killed = Memory { has_killed: true, ..free };
        let cases = [
            (exit(1), free),
            (exit(2), killed),
            (exit(75), free),
            (exit(78), free),
            (exit(126), free),
            (exit(127), free),
            (exit(143), free),
            (exit(139), free),
            (exit(200), free),
            (signal(15), free),
            (signal(11), killed),
            (signal(6), free),
            (signal(9), free),
            (signal(9), limited(400)),
            (signal(9), limited(500)),
            (signal(9), killed),
            (exit(137), Memory { has_killed: true, ..limited(512) }),
        ];
        let texts = cases.map(|(raw, memory)| {
            match fault(ExitStatus::from_raw(raw), memory, Some("boom")) {
                Ok(why) => format!("user error: {why}"),
                Err(Fault { class, why }) => format!("{class:?}: {why}"),
            }
        });
        insta::assert_snapshot!(texts.join("\n"), @r#"
        user error: ended with exit code 1; it said: boom
        user error: ended with exit code 2; it said: boom
        Preempted: ended with exit code 75; it said: boom
        Configuration: ended with exit code 78; it said: boom
        Configuration: ended with exit code 126; it said: boom
        Configuration: ended with exit code 127; it said: boom
        Preempted: killed by signal 15 (terminate); it said: boom
        Crash: killed by signal 11 (segmentation fault); it said: boom
        user error: ended with exit code 200; it said: boom
        Preempted: killed by signal 15 (terminate); it said: boom
        Crash: killed by signal 11 (segmentation fault); it said: boom
        Crash: killed by signal 6 (abort); it said: boom
        Crash: killed by signal 9 (kill; perhaps out of memory); it said: boom
        Crash: killed by signal 9 (kill; perhaps out of memory); it said: boom
        OutOfMemory: killed for want of memory; it took 500 MiB, of 512 MiB that `memory` allows; it said: boom
        OutOfMemory: killed for want of memory; it took 40 MiB; it said: boom
        OutOfMemory: killed for want of memory; it took 512 MiB, of 512 MiB that `memory` allows; it said: boom
        "#);
        let is_memory = |raw, said| {
            let found = fault(ExitStatus::from_raw(raw), free, Some(said));
            found.is_err_and(|it| it.class == FaultClass::OutOfMemory)
        };
        let allocation = "memory allocation of 68719476736 bytes failed";
        for (said, expected) in [
            (allocation, true),
            ("MemoryError", true),
            ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", true),
            ("jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory", true),
            ("ValueError: no MemoryError", false),
        ] {
            assert_eq!(is_memory(exit(1), said), expected, "{said}");
        }
        assert!(
            is_memory(signal(6), allocation) && is_memory(exit(134), "  what():  std::bad_alloc")
        );
        assert!(!is_memory(signal(11), allocation) && !is_memory(signal(9), allocation));
        assert_eq!([0, 1 << 10, 3 << 29].map(bytes), ["0 bytes", "1 KiB", "1.5 GiB"]);
    }

    #[test]
    fn without_its_objective_a_program_is_told_what_it_measured() {
        let seen = |names: &[(&str, u64)]| {
            names.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<BTreeMap<_, _>>()
        };
        let text = no_objective("loss", None, &seen(&[("acc", 1), ("los", 12)]), &[]).why;
        assert_eq!(
            text,
            "it ended well and never measured `loss`; it measured `acc` (once), `los` (12 times)"
        );
        assert!(no_objective("loss", None, &seen(&[]), &[]).why.contains("measured nothing"));
        let text = no_objective("loss", Some(20), &seen(&[("loss", 1)]), &[]).why;
        assert_eq!(
            text,
            "it ended well and did not measure `loss` after step 20, the last one; it measured `loss` (once)"
        );
        let odd = Warning::new("a line that cannot be read was left out", 40, Some(12), "`x`");
        let text = no_objective("loss", None, &seen(&[("los", 12)]), &[odd]).why;
        assert_eq!(
            text,
            "it ended well and never measured `loss`; it measured `los` (12 times); a line that cannot be read was left out, 40 times (the first on line 12: `x`)"
        );
        let many: Vec<String> = (0..20_000).map(|n| format!("m{n}")).collect();
        let many: Vec<(&str, u64)> = many.iter().map(|name| (name.as_str(), 1)).collect();
        let text = no_objective("loss", None, &seen(&many), &[]).why;
        assert!(text.ends_with(" and 19990 more") && text.len() < 300, "{text}");
    }
}
