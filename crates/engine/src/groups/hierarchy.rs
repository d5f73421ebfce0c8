//! Where the kernel's groups are: which of its two interfaces has what, and in which group this process is.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rustix::process::Pid;

use super::owner::Owner;

/// The kernel's two interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

/// A tree of groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hierarchy {
    pub(super) version: Version,
    mount: PathBuf,
    /// The group of this process.
    pub(super) own: PathBuf,
}

/// Below its base, the group of a coordinator that had to make room for others.
const ROOM: &str = "pleach";

impl Hierarchy {
    /// The one that has this controller, such as `memory`.
    pub(super) fn of(controller: &str) -> io::Result<Self> {
        let none = || io::Error::other(format!("this kernel has no groups for `{controller}`"));
        Self::find(|groups, mounts| {
            find_one(groups, mounts, controller).or_else(|| find_two(groups, mounts))
        })?
        .ok_or_else(none)
    }

    /// That of the second interface, whatever it controls.
    pub(super) fn unified() -> io::Result<Self> {
        Self::find(find_two)?.ok_or_else(|| io::Error::other("this kernel has no cgroup v2"))
    }

    fn find(
        find: impl FnOnce(&str, &str) -> Option<(Version, PathBuf, String)>,
    ) -> io::Result<Option<Self>> {
        let groups = fs::read_to_string("/proc/self/cgroup")?;
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        Ok(find(&groups, &mounts).map(|(version, mount, path)| {
            let whole = mount.join(path.trim_start_matches('/'));
            // In a container the path may be that of the world outside.
            let own = if whole.is_dir() { whole } else { mount.clone() };
            Self { version, mount, own }
        }))
    }

    /// The group of this process, and those around it, from within.
    pub(super) fn around(&self) -> impl Iterator<Item = &Path> {
        self.own.ancestors().take_while(|group| group.starts_with(&self.mount))
    }

    /// In which our groups are made.
    pub(super) fn base(&self) -> &Path {
        let this = Owner::this().map(|it| it.to_string());
        let is_ours = |name: &str| name == ROOM || this.as_ref().is_ok_and(|this| name == this);
        let name = self.own.file_name().and_then(|name| name.to_str());
        match self.own.parent() {
            Some(parent) if name.is_some_and(is_ours) && self.own != self.mount => parent,
            _ => &self.own,
        }
    }

    /// Lets the groups in the base have a controller. In the second interface one in which processes are cannot give memory to
    /// others; it can give processor time, but then nobody can enter those. So if this process is alone in it, it goes into one
    /// of its own.
    pub(super) fn enable(&self, controller: &str) -> io::Result<()> {
        let base = self.base();
        let control = base.join("cgroup.subtree_control");
        let has = |file: &Path| -> io::Result<bool> {
            Ok(fs::read_to_string(file)?.split_whitespace().any(|it| it == controller))
        };
        if self.version == Version::One || has(&control)? {
            return Ok(());
        }
        if !has(&base.join("cgroup.controllers"))? {
            return Err(io::Error::other(format!(
                "its controller `{controller}` is not given to it"
            )));
        }
        // That at the top alone may hold processes all the same; it has no type.
        if base.join("cgroup.type").exists() && !processes(base).is_empty() {
            let this = Pid::from_raw(std::process::id() as i32);
            if !processes(base).into_iter().eq(this) {
                return Err(io::Error::other("other processes are in it, too"));
            }
            let room = base.join(ROOM);
            fs::create_dir_all(&room)?;
            fs::write(room.join("cgroup.procs"), "0")?;
        }
        fs::write(&control, format!("+{controller}"))
    }
}

/// Who is in a group, those below it not counted.
pub(super) fn processes(group: &Path) -> Vec<Pid> {
    let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)).collect()
}

/// The first interface, where it is mounted with this controller, and the path of this process in it.
fn find_one(groups: &str, mounts: &str, controller: &str) -> Option<(Version, PathBuf, String)> {
    let has = |controllers: &str| controllers.split(',').any(|it| it == controller);
    Some((Version::One, mounted(mounts, "cgroup", has)?, group(groups, has)?))
}

/// The second one.
fn find_two(groups: &str, mounts: &str) -> Option<(Version, PathBuf, String)> {
    Some((Version::Two, mounted(mounts, "cgroup2", |_| true)?, group(groups, str::is_empty)?))
}

/// Where something of this kind is mounted, with such options.
fn mounted(mounts: &str, kind: &str, has: impl Fn(&str) -> bool) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let mut after = after.split(' ');
        let (is_kind, options) = (after.next() == Some(kind), after.nth(1)?);
        (is_kind && has(options)).then(|| before.split(' ').nth(4).map(PathBuf::from))?
    })
}

/// The path of this process in the tree with such controllers.
fn group(groups: &str, has: impl Fn(&str) -> bool) -> Option<String> {
    groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        has(controllers).then(|| path.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interface_that_has_a_controller_is_found() {
        let check = |groups: &str, mounts: &str, expected: Option<(Version, &str, &str)>| {
            let found = find_one(groups, mounts, "cpu").or_else(|| find_two(groups, mounts));
            let found = found.as_ref();
            let found = found.map(|(v, mount, path)| (*v, mount.to_str().unwrap(), path.as_str()));
            assert_eq!(found, expected, "{groups}");
        };
        let two = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";
        let one = "33 32 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n34 32 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n31 32 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";
        check("0::/user.slice\n", two, Some((Version::Two, "/sys/fs/cgroup", "/user.slice")));
        check(
            "9:name=systemd:/\n4:cpu,cpuacct:/a/b\n3:memory:/c\n0::/\n",
            one,
            Some((Version::One, "/sys/fs/cgroup/cpu", "/a/b")),
        );
        check("0::/\n", one, Some((Version::Two, "/sys/fs/cgroup/unified", "/")));
        check("4:cpu:/a\n", "", None);
        check("", two, None);
    }

    #[test]
    fn our_groups_are_made_in_that_in_which_pleach_was_started() {
        let base = |own: &str| {
            let (version, mount) = (Version::Two, PathBuf::from("/cgroup"));
            let hierarchy = Hierarchy { version, mount, own: own.into() };
            hierarchy.base().to_str().unwrap().to_owned()
        };
        let this = Owner::this().unwrap();
        assert_eq!(base("/cgroup/user/run-1.scope"), "/cgroup/user/run-1.scope");
        assert_eq!(base("/cgroup/user/run-1.scope/pleach"), "/cgroup/user/run-1.scope");
        assert_eq!(base(&format!("/cgroup/user/{this}")), "/cgroup/user");
        // A sweep inside of another stays inside.
        assert_eq!(base("/cgroup/user/pleach-1-2-3"), "/cgroup/user/pleach-1-2-3");
        assert_eq!(base("/cgroup"), "/cgroup");
    }
}
