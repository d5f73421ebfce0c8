//! The orphan census: programs that start others in every way that hides them, whose coordinator is killed, or their guard,
//! or both. Nothing is left, and no stranger who has got a dead process's number comes to harm.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use super::Plan;
use crate::{
    arena::{Arena, PATIENCE, SWEEP, kill, kill_all},
    random::Random,
    report::Report,
};

/// How a program hides what it starts; `NAP` stands for a command that sleeps for an hour.
const HABITS: [(&str, &str); 9] = [
    ("it waits for one", "NAP"),
    ("it starts some", "NAP & NAP & wait"),
    ("in a session of its own", "setsid NAP"),
    ("forked twice", "(setsid NAP &) ; NAP"),
    ("deaf to every request", "trap '' TERM INT HUP; NAP; NAP"),
    ("stopped", "NAP & kill -STOP $!; kill -STOP $$; NAP"),
    ("without files", "exec <&- >&- 2>&-; NAP"),
    ("many", "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do NAP & done; wait"),
    (FORGETFUL, "(env -i setsid sh -c 'NAP &' &) ; NAP"),
];

/// Where the kernel's groups are not ours to make, nobody finds it once its guard is gone.
const FORGETFUL: &str = "in a session of its own, forked twice, with nothing in its environment";

/// How long a nap is, in seconds; its arena's number behind the point, so that it can be found by its arguments.
const HOUR: &str = "3600";

/// How long what is orphaned may live.
const GRACE: Duration = Duration::from_secs(5);

struct Nap {
    /// How long; nobody else sleeps just so long.
    seconds: String,
    habits: Vec<&'static str>,
}

impl Nap {
    fn new(seed: u64, round: u64) -> Self {
        let seconds = format!("{HOUR}.{}{seed:03}{round:03}", std::process::id());
        Self { seconds, habits: HABITS.map(|(_, habit)| habit).to_vec() }
    }

    fn without_the_forgetful(mut self) -> Self {
        let hidden = HABITS.iter().filter(|(name, _)| *name == FORGETFUL);
        let hidden: Vec<&str> = hidden.map(|(_, habit)| *habit).collect();
        self.habits.retain(|habit| !hidden.contains(habit));
        self
    }

    fn sweep(&self) -> String {
        let nap = format!("sleep {}", self.seconds);
        let habits: Vec<String> =
            self.habits.iter().map(|habit| format!("{:?}", habit.replace("NAP", &nap))).collect();
        format!(
            "[sweep]\nname = \"{SWEEP}\"\nobjective = {{ metric = \"value\", goal = \"max\" }}\n[command]\nrun = [\"sh\", \"-c\", \"{{{{ habit }}}}\"]\n[space]\nhabit = [{}]\n[run]\nslots = {}\n",
            habits.join(", "),
            self.habits.len()
        )
    }

    /// Who sleeps so, the shells that wait for it included.
    fn sleepers(&self) -> Vec<Pid> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let pid = |entry: fs::DirEntry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            let command = fs::read_to_string(entry.path().join("cmdline")).ok()?;
            (command.contains(&self.seconds) && !command.contains("__command")).then_some(pid)
        };
        entries.flatten().filter_map(pid).collect()
    }

    /// Whether somebody sleeps with nothing in its environment.
    fn has_forgotten(&self) -> bool {
        self.sleepers().into_iter().any(|pid| {
            let read = |file| fs::read(format!("/proc/{}/{file}", pid.as_raw_nonzero()));
            read("cmdline").is_ok_and(|it| it.starts_with(b"sleep\0"))
                && read("environ").is_ok_and(|it| !it.starts_with(b"PLEACH") && it.len() < 100)
        })
    }

    fn wait(&self, patience: Duration, is_enough: impl Fn(usize) -> bool) -> bool {
        let start = Instant::now();
        while !is_enough(self.sleepers().len()) {
            if patience < start.elapsed() {
                return false;
            }
            sleep(Duration::from_millis(10));
        }
        true
    }
}

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Coordinator,
    Guards,
    Both,
    /// In one instant: neither does anything when the other is gone.
    AtOnce,
}

/// So many rounds, each with every victim.
pub fn run(plan: Plan) -> Result<Report> {
    let mut report = Report::default();
    let can_track = can_track()?;
    if !can_track {
        report
            .skipped
            .push(format!("no program hid something {FORGETFUL}: no group may be made here"));
    }
    for round in 0..plan.amount {
        for victim in [Victim::Coordinator, Victim::Guards, Victim::Both] {
            let place = format!("seed {} round {round}, {victim:?}", plan.seed);
            let nap = Nap::new(plan.seed, round * 10 + victim as u64);
            let nap = if can_track { nap } else { nap.without_the_forgetful() };
            let mut random = Random::new(plan.seed, round);
            let wrong = census(&nap, victim, || Ok(()), &mut random, &mut report);
            // Whatever the outcome, the machine is clean after it.
            kill_all(nap.sleepers());
            report.violations.extend(wrong?.into_iter().map(|what| format!("{place}: {what}")));
        }
    }
    report.demand("processes were to be orphaned", plan.amount);
    Ok(report)
}

/// Whether groups may be made here.
fn can_track() -> Result<bool> {
    let arena = Arena::new("")?;
    let output = arena.output(&mut arena.pleach(&["doctor"]))?;
    Ok(String::from_utf8_lossy(&output.stdout).contains("is found by cgroup v2"))
}

/// The bugs: a process that nobody knows to be the sweep's, and one that is in no group of a guard's.
pub fn planted(plan: Plan) -> Result<Report> {
    let mut report = Report::default();
    if can_track()? {
        let nap = Nap::new(plan.seed, 998);
        let mut random = Random::new(plan.seed, 0);
        let (bug, victim) =
            (|| nap.sleepers().into_iter().try_for_each(leave_group), Victim::AtOnce);
        let wrong = census(&nap, victim, bug, &mut random, &mut Report::default());
        kill_all(nap.sleepers());
        report.caught("a process in no group", "processes are left", &wrong?);
    } else {
        report.skipped.push("no process left its group: none may be made here".to_owned());
    }
    let nap = Nap::new(plan.seed, 999);
    let mut unknown = Command::new("sleep").arg(&nap.seconds).stdin(Stdio::null()).spawn()?;
    let mut random = Random::new(plan.seed, 0);
    let victim = Victim::Coordinator;
    let wrong = census(&nap, victim, || Ok(()), &mut random, &mut Report::default());
    kill(&mut unknown)?;
    kill_all(nap.sleepers());
    report.caught(
        "a process that is not known",
        "are left after their coordinator's death",
        &wrong?,
    );
    Ok(report)
}

/// Takes a process out of its guard's group into the one around that.
fn leave_group(process: Pid) -> Result<()> {
    let mounts = fs::read_to_string("/proc/mounts")?;
    let mut mounts = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let mount = mounts.find_map(|it| match it[..] {
        [_, place, "cgroup2", ..] => Some(PathBuf::from(place)),
        _ => None,
    });
    let number = process.as_raw_nonzero().to_string();
    let Ok(groups) = fs::read_to_string(format!("/proc/{number}/cgroup")) else { return Ok(()) };
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/"));
    let (mount, group) = (mount.context("no cgroup v2")?, group.context("no group")?);
    let around = mount.join(group).parent().unwrap_or(&mount).join("cgroup.procs");
    Ok(fs::write(around, number)?)
}

/// `bug` is planted before anybody is killed.
fn census(
    nap: &Nap,
    victim: Victim,
    bug: impl FnOnce() -> Result<()>,
    random: &mut Random,
    report: &mut Report,
) -> Result<Vec<String>> {
    let arena = Arena::new(&nap.sweep())?;
    let mut wrong = Vec::new();
    let mut coordinator = arena.pleach(&["run", "storm.toml"]).spawn()?;
    let all = nap.habits.len() * 2 + 16;
    if !nap.wait(PATIENCE, |sleepers| all <= sleepers) {
        wrong.push(format!("only {} of at least {all} came to life", nap.sleepers().len()));
    }
    let start = Instant::now();
    while nap.habits.len() == HABITS.len() && !nap.has_forgotten() && start.elapsed() < PATIENCE {
        sleep(Duration::from_millis(10));
    }
    report.count("processes were to be orphaned", nap.sleepers().len() as u64);
    let before = nap.sleepers();
    let guards = arena.processes().into_iter().filter(|(_, is_guard)| *is_guard);
    let guards: Vec<Pid> = guards.map(|(pid, _)| pid).collect();
    bug()?;
    match victim {
        Victim::Coordinator => kill(&mut coordinator)?,
        Victim::Guards => kill_all(guards),
        Victim::Both if random.once_in(2) => {
            kill(&mut coordinator)?;
            kill_all(guards);
        }
        Victim::Both => {
            kill_all(guards);
            kill(&mut coordinator)?;
        }
        Victim::AtOnce => {
            for process in guards.iter().copied().chain([Pid::from_child(&coordinator)]) {
                let _ = kill_process(process, Signal::STOP);
            }
            kill_all(guards);
            kill(&mut coordinator)?;
        }
    }
    let is_left = |nap: &Nap| nap.sleepers().iter().any(|pid| before.contains(pid));
    let gone = |what: &str| {
        let start = Instant::now();
        while is_left(nap) && start.elapsed() < GRACE {
            sleep(Duration::from_millis(10));
        }
        let left = nap.sleepers().into_iter().filter(|pid| before.contains(pid)).count();
        (0 < left).then(|| format!("{left} processes are left {what}"))
    };
    match victim {
        Victim::Coordinator => wrong.extend(gone("after their coordinator's death")),
        // The coordinator ends what a guard has left.
        Victim::Guards => {
            wrong.extend(gone("after their guards' death"));
            kill(&mut coordinator)?;
        }
        // Nobody is there to end them; the next coordinator does, before it runs anything.
        Victim::Both | Victim::AtOnce => {
            report
                .count("outlived coordinator and guards for a while", nap.sleepers().len() as u64);
            let mut next = arena.pleach(&["run", "storm.toml"]).spawn()?;
            wrong.extend(gone("although another coordinator has come"));
            kill(&mut next)?;
        }
    }
    if !nap.wait(GRACE, |sleepers| sleepers == 0) {
        wrong.push(format!("{} processes are left at the end", nap.sleepers().len()));
    }
    Ok(wrong)
}

/// Processes that are none of ours get the numbers of those that were killed, so many times. Needs to be root.
pub fn strangers(plan: Plan) -> Result<Report> {
    meet(plan, |_| Ok(()))
}

/// The bug: who has such a number is killed.
pub fn planted_strangers(plan: Plan) -> Result<Report> {
    let mut found = meet(Plan { amount: 1, ..plan }, |strangers| {
        strangers.iter_mut().try_for_each(Child::kill)
    })?;
    let mut report = Report::default();
    report.skipped.append(&mut found.skipped);
    if report.skipped.is_empty() {
        report.caught("a stranger is killed", "came to harm", &found.violations);
    }
    Ok(report)
}

/// `plant` does to the strangers what a bug would.
fn meet(plan: Plan, plant: fn(&mut [Child]) -> std::io::Result<()>) -> Result<Report> {
    const LAST: &str = "/proc/sys/kernel/ns_last_pid";
    let mut report = Report::default();
    if fs::OpenOptions::new().write(true).open(LAST).is_err() {
        report
            .skipped
            .push(format!("no stranger got a dead process's number: {LAST} is not ours to write"));
        return Ok(report);
    }
    for round in 0..plan.amount {
        let nap = Nap::new(plan.seed, round);
        let arena = Arena::new(&nap.sweep())?;
        let mut coordinator = arena.pleach(&["run", "storm.toml"]).spawn()?;
        nap.wait(PATIENCE, |sleepers| HABITS.len() <= sleepers);
        let dead: Vec<Pid> = arena.processes().into_iter().map(|(pid, _)| pid).collect();
        kill_all(dead.iter().copied());
        kill(&mut coordinator)?;
        let mut strangers: Vec<Child> = Vec::new();
        for pid in dead {
            fs::write(LAST, (pid.as_raw_nonzero().get() - 1).to_string())?;
            let stranger = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn()?;
            if Pid::from_child(&stranger) == pid {
                report.count("strangers with a dead process's number", 1);
            }
            strangers.push(stranger);
        }
        plant(&mut strangers)?;
        let mut next = arena.pleach(&["run", "storm.toml"]).spawn()?;
        let start = Instant::now();
        // It stops when it is asked to, but may not be ready to be asked yet.
        while next.try_wait()?.is_none() {
            arena.output(&mut arena.pleach(&["stop", SWEEP, "--now"]))?;
            sleep(Duration::from_millis(200));
            if PATIENCE < start.elapsed() {
                kill(&mut next)?;
            }
        }
        for mut stranger in strangers {
            if let Some(status) = stranger.try_wait()? {
                report.violations.push(format!("round {round}: a stranger came to harm: {status}"));
            }
            kill(&mut stranger)?;
        }
        kill_all(nap.sleepers());
    }
    if report.of("strangers with a dead process's number") == 0 {
        report.skipped.push("others took every number that became free".to_owned());
    }
    Ok(report)
}
