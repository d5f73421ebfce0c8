//! Who belongs to a guard. It is in a group of its own, and what it starts is born into it and cannot leave by forking, by
//! changing its session or by forgetting its environment. So whoever comes after a guard that was killed finds everything.
//!
//! A group for each program would cost a fifth of a millisecond, most of it for entering; one for each guard costs a program
//! nothing. While a guard lives it finds its programs' orphans by itself: they become its children.

use std::{
    collections::BTreeSet,
    fs, io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::{
    fs::{Access, access},
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};

use super::{
    hierarchy::{Hierarchy, processes},
    owner::Owner,
};

/// The group of this guard and of everything that it starts. Dropping it leaves and removes it; what stays of a guard that was
/// killed is removed by whoever comes after.
pub(crate) struct Own {
    group: PathBuf,
    before: PathBuf,
}

impl Own {
    /// Puts this guard into one. Where it may not, what it starts is known by its environment.
    pub(crate) fn enter() -> Option<Self> {
        let hierarchy = Hierarchy::unified().ok()?;
        let (group, before) =
            (hierarchy.base().join(Owner::this().ok()?.to_string()), hierarchy.own);
        fs::create_dir(&group).ok()?;
        let own = Self { group, before };
        // If this fails, nobody is in it, and it is removed.
        fs::write(own.group.join("cgroup.procs"), "0").ok()?;
        Some(own)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let left = fs::write(self.before.join("cgroup.procs"), "0");
        drop(left.and_then(|()| fs::remove_dir(&self.group)));
    }
}

/// By what everything that belongs to a guard is known here; else why that is not known for certain.
pub fn can_track() -> Result<String, String> {
    let probe = || -> io::Result<()> {
        let hierarchy = Hierarchy::unified()?;
        access(hierarchy.base().join("cgroup.procs"), Access::WRITE_OK)?;
        let group = hierarchy.base().join(format!("{}-probe", Owner::this()?));
        fs::create_dir(&group)?;
        fs::remove_dir(group)
    };
    probe().map(|()| "cgroup v2".to_owned()).map_err(|error| error.to_string())
}

/// The groups in which this process, and guards that it starts, make theirs.
pub(crate) fn bases() -> BTreeSet<PathBuf> {
    let hierarchies = [Hierarchy::unified(), Hierarchy::of("memory"), Hierarchy::of("cpu")];
    hierarchies.into_iter().flatten().map(|hierarchy| hierarchy.base().to_owned()).collect()
}

/// Ends everything in the groups of guards that are gone, and removes these.
pub(crate) fn end_abandoned(bases: &BTreeSet<PathBuf>) {
    const PATIENCE: Duration = Duration::from_secs(2);
    let start = Instant::now();
    loop {
        let abandoned: Vec<PathBuf> = bases.iter().flat_map(|base| abandoned(base)).collect();
        let is_gone: Vec<bool> = abandoned.iter().map(|group| end(group)).collect();
        if is_gone.iter().all(|it| *it) || PATIENCE < start.elapsed() {
            return;
        }
        // Whoever is killed leaves a moment later.
        sleep(Duration::from_millis(5));
    }
}

fn abandoned(base: &Path) -> impl Iterator<Item = PathBuf> {
    let own: Vec<Hierarchy> = Hierarchy::unified().into_iter().collect();
    // What was remembered may be a path of another machine.
    let is_there = base.join("cgroup.procs").exists();
    let groups = folders(base).filter(move |group| {
        let name = group.file_name().and_then(|name| name.to_str());
        is_there && name.and_then(Owner::of).is_some_and(Owner::is_gone)
    });
    // A sweep that a lost program has started is not ended by itself.
    groups.filter(move |group| !own.iter().any(|it| it.around().any(|around| around == group)))
}

/// Kills everything in a group and in those below, and removes them if nobody is left; says whether they are.
fn end(group: &Path) -> bool {
    // All at once, those that are just being started, too, where the kernel can (Linux 5.14).
    if fs::write(group.join("cgroup.kill"), "1").is_err() {
        kill_each(group);
    }
    let below: Vec<PathBuf> = folders(group).collect();
    let is_empty = below.iter().map(|group| end(group)).fold(true, |all, it| all & it);
    // Somebody else may just have done the same.
    let is_gone = |error: io::Error| error.kind() == io::ErrorKind::NotFound;
    is_empty && fs::remove_dir(group).map_or_else(is_gone, |()| true)
}

fn kill_each(group: &Path) {
    let hold = |pid: Pid| Some((pid, pidfd_open(pid, PidfdFlags::empty()).ok()?));
    let held: Vec<(Pid, OwnedFd)> = processes(group).into_iter().filter_map(hold).collect();
    // A number may have become another process's before it was held fast.
    let there = processes(group);
    for (_, process) in held.into_iter().filter(|(pid, _)| there.contains(pid)) {
        // It may have ended by itself.
        let _ = pidfd_send_signal(process, Signal::KILL);
    }
}

fn folders(group: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|it| it.is_dir())).map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        process::{Child, Command},
    };

    use super::*;

    /// Whether somebody still runs there.
    fn lives(child: &mut Child) -> bool {
        child.try_wait().unwrap().is_none()
    }

    fn sleeper(group: &Path) -> Child {
        let script = format!("echo 0 > {} && exec sleep 60", group.join("cgroup.procs").display());
        Command::new("env").args(["-i", "setsid", "sh", "-c", &script]).spawn().unwrap()
    }

    /// A guard that has ended, by its number.
    fn gone() -> String {
        let mut guard = Command::new("sleep").arg("60").spawn().unwrap();
        let stat = fs::read_to_string(format!("/proc/{}/stat", guard.id())).unwrap();
        let start = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap();
        let this = Owner::this().unwrap().to_string();
        let namespace = this.split('-').nth(1).unwrap();
        let name = format!("pleach-{namespace}-{}-{start}", guard.id());
        assert!(!Owner::of(&name).unwrap().is_gone());
        guard.kill().unwrap();
        guard.wait().unwrap();
        name
    }

    #[test]
    fn what_a_guard_that_is_gone_has_left_is_ended_and_nobody_else() {
        let (gone, this) = (gone(), Owner::this().unwrap());
        let mut tried = 0;
        // Where the older interface is there, too, it cannot kill a group at once.
        for base in bases() {
            let [ours, below, living, strange] = [
                gone.clone(),
                format!("{gone}/pleach-1-1-1"),
                format!("{this}-test"),
                format!("not-{gone}"),
            ]
            .map(|name| base.join(name));
            if let Err(error) = fs::create_dir(&ours) {
                io::stderr()
                    .write_all(format!("SKIPPED: {}: {error}\n", base.display()).as_bytes())
                    .unwrap();
                continue;
            }
            for group in [&below, &living, &strange] {
                fs::create_dir(group).unwrap();
            }
            let mut sleepers = [&ours, &below, &living, &strange].map(|group| sleeper(group));
            let has_entered = |group: &&PathBuf| !processes(group).is_empty();
            while ![&ours, &below, &living, &strange].iter().all(has_entered) {
                sleep(Duration::from_millis(1));
            }
            end_abandoned(&BTreeSet::from([base.clone()]));
            assert!(!ours.exists(), "{}", base.display());
            assert_eq!(sleepers.each_mut().map(lives), [false, false, true, true]);
            for child in &mut sleepers {
                drop(child.kill());
                child.wait().unwrap();
            }
            for group in [living, strange] {
                fs::remove_dir(group).unwrap();
            }
            tried += 1;
        }
        assert!(0 < tried || can_track().is_err(), "it is said that groups can be made");
    }
}
