//! What a program may take, with everything that it starts.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    hierarchy::{Hierarchy, Version},
    owner::Owner,
};

/// The variable by which a process that becomes a program is told which groups to enter: files, one on a line.
pub(crate) const ENTER: &str = "PLEACH_ENTER";

/// The kernel grants processor time anew so often, in microseconds.
const PERIOD: f64 = 100_000.0;

/// What a program may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes.
    pub memory: Option<u64>,
    /// Cores' worth of processor time.
    pub cpus: Option<f64>,
}

/// One thing that is limited.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Bytes.
    Memory(u64),
    /// Cores' worth of processor time.
    Cpus(f64),
}

impl Limits {
    /// What is limited.
    pub fn all(self) -> impl Iterator<Item = Limit> {
        self.memory.map(Limit::Memory).into_iter().chain(self.cpus.map(Limit::Cpus))
    }
}

impl Limit {
    /// Its key in `[run]`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            Self::Cpus(_) => "cpus",
        }
    }

    /// What it is to the kernel.
    fn controller(self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            Self::Cpus(_) => "cpu",
        }
    }

    /// Sets it for a group.
    fn set(self, group: &Path, version: Version) -> io::Result<()> {
        let write = |file: &str, value: String| fs::write(group.join(file), value);
        let quota = |cpus: f64| (cpus * PERIOD).round();
        match (self, version) {
            (Self::Memory(bytes), Version::One) => {
                write("memory.limit_in_bytes", bytes.to_string())?;
                // Without swap there is nothing to limit.
                drop(write("memory.memsw.limit_in_bytes", bytes.to_string()));
                Ok(())
            }
            (Self::Memory(bytes), Version::Two) => {
                write("memory.max", bytes.to_string())?;
                drop(write("memory.swap.max", "0".to_owned()));
                Ok(())
            }
            // The period is this one, unless told otherwise.
            (Self::Cpus(cpus), Version::One) => write("cpu.cfs_quota_us", quota(cpus).to_string()),
            (Self::Cpus(cpus), Version::Two) => {
                write("cpu.max", format!("{} {PERIOD}", quota(cpus)))
            }
        }
    }
}

/// Groups with limits, as far as some can be made. Dropping them removes them, when nobody is in them any more.
#[derive(Debug, Default)]
pub(crate) struct Group {
    memory: Option<Part>,
    cpus: Option<Part>,
}

impl Group {
    /// `name` tells apart the groups of this process. Where something cannot be limited, whoever started the sweep was told.
    pub(crate) fn new(name: &str, limits: Limits) -> Self {
        let part = |limit| Part::new(name, limit).ok();
        Self {
            memory: limits.memory.map(Limit::Memory).and_then(part),
            cpus: limits.cpus.map(Limit::Cpus).and_then(part),
        }
    }

    /// Whoever is told these in [`ENTER`] is to [`enter`] its groups.
    pub(crate) fn doors(&self) -> Option<OsString> {
        let parts = || self.memory.iter().chain(&self.cpus);
        let mut doors = OsString::new();
        for part in parts() {
            doors.push(part.folder.join("cgroup.procs"));
            doors.push("\n");
        }
        parts().next().map(|_| doors)
    }

    /// Bytes, at most.
    pub(crate) fn peak(&self) -> Option<u64> {
        let part = self.memory.as_ref()?;
        let name = match part.version {
            Version::One => "memory.max_usage_in_bytes",
            Version::Two => "memory.peak",
        };
        fs::read_to_string(part.folder.join(name)).ok()?.trim().parse().ok()
    }

    /// How many of its processes the kernel has killed for want of memory; where nobody counts them, those around.
    pub(crate) fn kills(&self) -> u64 {
        let Some(part) = &self.memory else { return kills() };
        let name = match part.version {
            Version::One => CONTROL,
            Version::Two => "memory.events",
        };
        count(&part.folder.join(name)).unwrap_or(0)
    }
}

/// Enters the groups that the environment tells.
pub(crate) fn enter() -> io::Result<()> {
    let Some(doors) = env::var_os(ENTER) else { return Ok(()) };
    // They are paths of the kernel's, and of texts.
    doors.to_string_lossy().lines().try_for_each(|door| fs::write(door, "0"))
}

/// A group with a limit; in the second interface several limits have the same one.
#[derive(Debug)]
struct Part {
    folder: PathBuf,
    version: Version,
}

impl Part {
    fn new(name: &str, limit: Limit) -> io::Result<Self> {
        let hierarchy = Hierarchy::of(limit.controller())?;
        hierarchy.enable(limit.controller())?;
        let folder = hierarchy.base().join(format!("{}-{name}", Owner::this()?));
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let part = Self { folder, version: hierarchy.version };
        limit.set(&part.folder, part.version)?;
        Ok(part)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Whoever is killed leaves it a moment later; what stays is removed by whoever comes after.
        for _ in 0..20 {
            match fs::remove_dir(&self.folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {}
                _ => return,
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

/// By what programs can be limited here; else why not.
pub fn can_limit(limit: Limit) -> Result<String, String> {
    let version = match Hierarchy::of(limit.controller()) {
        Ok(Hierarchy { version, .. }) => version,
        Err(error) => return Err(error.to_string()),
    };
    match (Part::new("probe", limit), version) {
        (Ok(_), Version::One) => Ok("cgroup v1".to_owned()),
        (Ok(_), Version::Two) => Ok("cgroup v2".to_owned()),
        (Err(error), Version::One) => {
            Err(format!("cgroup v1 does not let this user make such a group: {error}"))
        }
        (Err(error), Version::Two) => Err(format!(
            "cgroup v2 does not let this process make such a group in its own ({error}); in one that is its alone it can: `systemd-run --user --scope -p Delegate=yes pleach …`"
        )),
    }
}

/// Where the older interface counts.
const CONTROL: &str = "memory.oom_control";

/// How many processes of the group of this process, in which are those that it starts, the kernel has killed for want of
/// memory; where nobody counts that, how many of the machine.
pub(crate) fn kills() -> u64 {
    let in_group = || {
        let memory = Hierarchy::of("memory").ok()?;
        memory.around().find_map(|group| {
            count(&group.join(match memory.version {
                Version::One => CONTROL,
                // Without those of groups below.
                Version::Two => "memory.events.local",
            }))
        })
    };
    in_group().or_else(|| count(Path::new("/proc/vmstat"))).unwrap_or(0)
}

fn count(file: &Path) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Runs a shell in the group.
    fn run(group: &Group, script: &str) -> std::process::ExitStatus {
        let doors = group.doors().unwrap().into_string().unwrap();
        let enter = "for door in $DOORS; do echo 0 > $door || exit; done";
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &format!("{enter}; {script}")]).env("DOORS", doors).status().unwrap()
    }

    #[test]
    fn a_group_limits_memory_and_counts_and_is_removed() {
        let others = kills();
        let limit = 32 << 20;
        if let Err(why) = can_limit(Limit::Memory(limit)) {
            io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes()).unwrap();
            return;
        }
        let group = Group::new("memory", Limits { memory: Some(limit), cpus: None });
        assert!(!run(&group, "exec tail /dev/zero").success());
        assert!(0 < group.kills());
        assert_eq!(kills(), others, "those of other groups are not ours");
        let peak = group.peak().unwrap();
        assert!((24 << 20..=32 << 20).contains(&peak), "{peak}");
        let folder = group.memory.as_ref().unwrap().folder.clone();
        drop(group);
        assert!(!folder.exists());
    }

    /// How often the kernel has let a group's processes wait for the next grant.
    fn throttled(cpus: f64) -> u64 {
        let group = Group::new(&format!("cpus{cpus}"), Limits { memory: None, cpus: Some(cpus) });
        // Three at once, each until it has had a tenth of a second of a processor: fields 14 and 15 are hundredths.
        let burn = "burn() { while read -r stat < /proc/self/stat && set -- $stat && [ $((${14} + ${15})) -lt 10 ]; do :; done; }";
        let script = format!("{burn}; burn & burn & burn & wait");
        assert!(run(&group, &format!("exec sh -c '{script}'")).success());
        let stat =
            fs::read_to_string(group.cpus.as_ref().unwrap().folder.join("cpu.stat")).unwrap();
        stat.lines().find_map(|line| line.strip_prefix("nr_throttled ")).unwrap().parse().unwrap()
    }

    #[test]
    fn a_group_limits_the_time_of_all_its_processes_together() {
        if let Err(why) = can_limit(Limit::Cpus(0.1)) {
            io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes()).unwrap();
            return;
        }
        // Whatever else the machine does, three tenths of a second are more than a grant.
        assert!(3 <= throttled(0.1));
        assert_eq!(throttled(4000.0), 0, "which is more than they can take");
    }
}
