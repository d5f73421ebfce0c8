//! What a program may take of the memory, with everything that it starts: a control group of the kernel's, where it lets us
//! make one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The variable by which a process that becomes a program is told which group to enter.
pub(crate) const ENTER: &str = "PLEACH_ENTER";

/// Of the names of our groups, followed by the guard's process and a number.
const PREFIX: &str = "pleach-";

/// Which of the kernel's two interfaces has the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// A group with a limit. Dropping it removes it, when nobody is in it any more.
#[derive(Debug)]
pub(super) struct Group {
    folder: PathBuf,
    version: Version,
}

impl Group {
    /// `name` tells apart the groups of this process.
    pub(super) fn new(name: &str, limit: u64) -> io::Result<Self> {
        let (version, parent) = own()?;
        sweep(&parent);
        if version == Version::Two {
            let control = parent.join("cgroup.subtree_control");
            let enabled = fs::read_to_string(&control)?;
            if !enabled.split_whitespace().any(|it| it == "memory") {
                fs::write(control, "+memory")?;
            }
        }
        let folder = parent.join(format!("{PREFIX}{}-{name}", std::process::id()));
        fs::create_dir(&folder)?;
        let group = Self { folder, version };
        let (limit_file, swap) = match version {
            Version::One => ("memory.limit_in_bytes", ("memory.memsw.limit_in_bytes", limit)),
            Version::Two => ("memory.max", ("memory.swap.max", 0)),
        };
        fs::write(group.folder.join(limit_file), limit.to_string())?;
        // Without swap there is nothing to limit.
        drop(fs::write(group.folder.join(swap.0), swap.1.to_string()));
        Ok(group)
    }

    /// Whoever writes its number there is in the group.
    pub(super) fn door(&self) -> PathBuf {
        self.folder.join("cgroup.procs")
    }

    /// Bytes, at most.
    pub(super) fn peak(&self) -> Option<u64> {
        let name = match self.version {
            Version::One => "memory.max_usage_in_bytes",
            Version::Two => "memory.peak",
        };
        fs::read_to_string(self.folder.join(name)).ok()?.trim().parse().ok()
    }

    /// How many of its processes the kernel has killed for want of memory.
    pub(super) fn kills(&self) -> u64 {
        let name = match self.version {
            Version::One => CONTROL,
            Version::Two => "memory.events",
        };
        count(&self.folder.join(name)).unwrap_or(0)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Whoever is killed leaves it a moment later; what stays is removed by the next one.
        for _ in 0..20 {
            if fs::remove_dir(&self.folder).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

/// Whether programs can be limited here; else why not.
pub fn can_limit() -> Result<String, String> {
    let name = match own() {
        Ok((Version::One, _)) => "cgroup v1",
        Ok((Version::Two, _)) => "cgroup v2",
        Err(error) => return Err(error.to_string()),
    };
    match Group::new("probe", 1 << 40) {
        Ok(_) => Ok(name.to_owned()),
        Err(error) => Err(format!("{name} does not let this user make a group: {error}")),
    }
}

/// Where the older interface counts.
const CONTROL: &str = "memory.oom_control";

/// How many processes of the group of this process, in which are those that it starts, the kernel has killed for want of
/// memory; where nobody counts that, how many of the machine.
pub(crate) fn kills() -> u64 {
    let in_group = || {
        let (version, folder) = own().ok()?;
        count(&folder.join(match version {
            Version::One => CONTROL,
            // Without those of groups below.
            Version::Two => "memory.events.local",
        }))
    };
    in_group().or_else(|| count(Path::new("/proc/vmstat"))).unwrap_or(0)
}

fn count(file: &Path) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

/// The group of this process.
fn own() -> io::Result<(Version, PathBuf)> {
    let (groups, mounts) =
        (fs::read_to_string("/proc/self/cgroup")?, fs::read_to_string("/proc/self/mountinfo")?);
    let none = || io::Error::other("this kernel has no memory groups that are mounted");
    let (version, mount, path) = find(&groups, &mounts).ok_or_else(none)?;
    let whole = mount.join(path.trim_start_matches('/'));
    // In a container the path may be that of the world outside.
    Ok((version, if whole.is_dir() { whole } else { mount }))
}

/// The interface that has the memory, where it is mounted, and the path of this process in it.
fn find(groups: &str, mounts: &str) -> Option<(Version, PathBuf, String)> {
    let mounted = |kind: &str, option: &str| {
        mounts.lines().find_map(|line| {
            let (before, after) = line.split_once(" - ")?;
            let mut after = after.split(' ');
            let (is_kind, options) = (after.next() == Some(kind), after.nth(1)?);
            let has = option.is_empty() || options.split(',').any(|it| it == option);
            (is_kind && has).then(|| before.split(' ').nth(4).map(PathBuf::from))?
        })
    };
    let group = |is: fn(&str) -> bool| {
        groups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?);
            is(controllers).then(|| path.to_owned())
        })
    };
    let one = group(|controllers| controllers.split(',').any(|it| it == "memory"));
    if let (Some(path), Some(mount)) = (one, mounted("cgroup", "memory")) {
        return Some((Version::One, mount, path));
    }
    Some((Version::Two, mounted("cgroup2", "")?, group(str::is_empty)?))
}

/// Removes the groups of guards that were killed.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let guard = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
        if guard.is_some_and(|guard| !Path::new("/proc").join(guard).exists()) {
            // Only an empty one can be.
            drop(fs::remove_dir(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interface_that_has_the_memory_is_found() {
        let check = |groups: &str, mounts: &str, expected: Option<(Version, &str, &str)>| {
            let found = find(groups, mounts);
            let found = found.as_ref();
            let found = found.map(|(v, mount, path)| (*v, mount.to_str().unwrap(), path.as_str()));
            assert_eq!(found, expected, "{groups}");
        };
        let two = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";
        let one = "33 32 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n31 32 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";
        check("0::/user.slice\n", two, Some((Version::Two, "/sys/fs/cgroup", "/user.slice")));
        check(
            "9:name=systemd:/\n4:cpu,memory:/a/b\n0::/\n",
            one,
            Some((Version::One, "/sys/fs/cgroup/memory", "/a/b")),
        );
        check("0::/\n", one, Some((Version::Two, "/sys/fs/cgroup/unified", "/")));
        check("4:memory:/a\n", "", None);
        check("", two, None);
    }

    #[test]
    fn a_group_limits_and_counts_and_is_removed() {
        let others = kills();
        let Ok(group) = Group::new("test", 32 << 20) else {
            eprintln!("SKIPPED: {}", can_limit().unwrap_err());
            return;
        };
        let script = format!("echo 0 > {} && exec tail /dev/zero", group.door().display());
        let status = std::process::Command::new("sh").args(["-c", &script]).status().unwrap();
        assert!(!status.success());
        assert!(0 < group.kills());
        assert_eq!(kills(), others, "those of other groups are not ours");
        let peak = group.peak().unwrap();
        assert!((24 << 20..=32 << 20).contains(&peak), "{peak}");
        let folder = group.folder.clone();
        drop(group);
        assert!(!folder.exists());
    }
}
