//! Every system call: the coordinator, or a guard and what it guards, is killed at its n-th call of one kind, or that call fails
//! (once, or from then on). `strace` does it, from outside.

mod ambush;
mod planted;

use std::{
    collections::BTreeMap,
    fs,
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::{Context, Result};

use self::ambush::{Ambush, Whose};
pub use self::planted::planted;
use super::Plan;
use crate::{
    arena::{Arena, SWEEP, Subject},
    oracle::{Oracle, golden},
    random::Random,
    report::Report,
};

/// The calls by which anything becomes durable or known. What nobody calls costs nothing here.
const CALLS: [&str; 16] = [
    "pwrite64",
    "fdatasync",
    "fsync",
    "rename",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "link",
    "linkat",
    "mkdir",
    "ftruncate",
    "fallocate",
    "copy_file_range",
    "openat",
    "write",
];

/// So many points at a time: most of the time goes into waiting for whoever waits before it tries again.
const WAYS: usize = 4;

/// What happens at a call.
#[derive(Debug)]
struct Injury {
    /// As `strace` puts it; `N` stands for the number of the call.
    how: &'static str,
    /// In words.
    what: &'static str,
    /// How much it is worth to be tried: what fails from some moment on takes its time.
    weight: f64,
}

const INJURIES: [Injury; 5] = [
    Injury { how: "signal=SIGKILL:when=N", what: "killed at a call", weight: 6.0 },
    Injury { how: "error=EIO:when=N", what: "calls failed with EIO", weight: 3.0 },
    Injury { how: "error=ENOSPC:when=N", what: "calls failed with ENOSPC", weight: 3.0 },
    Injury { how: "error=EIO:when=N+", what: "calls failed with EIO from then on", weight: 0.5 },
    Injury {
        how: "error=ENOSPC:when=N+",
        what: "calls failed with ENOSPC from then on",
        weight: 0.5,
    },
];

impl Injury {
    fn is_death(&self) -> bool {
        self.how.starts_with("signal")
    }
}

/// One thing to do.
#[derive(Clone, Copy, Debug)]
struct Point {
    subject: Subject,
    whose: Whose,
    call: &'static str,
    injury: &'static Injury,
    n: u64,
}

impl Point {
    /// How much it is worth to be tried: many calls open files and talk, few make anything durable.
    fn weight(self) -> f64 {
        let call = if matches!(self.call, "openat" | "write") { 0.1 } else { 1.0 };
        call * self.injury.weight
    }
}

/// A sweep, and its undisturbed record.
struct Case {
    sweep: String,
    golden: String,
    /// Of the program that runs it: see [`Arena::with_bug`].
    bug: &'static str,
}

impl Case {
    /// As small as it may be with every kind of call in it. What the hurt guard runs is hurt each time, so that it fails for good after few.
    fn new(subject: Subject) -> Result<Self> {
        let values = if subject == Subject::Programs { 2 } else { 1 };
        let sweep = subject.sweep(values, 1)?.replace("seeds = [1, 2]", "seeds = [1]");
        let sweep = sweep.replace("1000", "1");
        Ok(Self { golden: golden(&sweep)?, sweep, bug: "" })
    }
}

/// So many points, drawn from all of them; or all of them.
pub fn run(plan: Plan) -> Result<Report> {
    let mut report = Report::default();
    let Some(ambush) = Ambush::new(&mut report)? else { return Ok(report) };
    let mut cases = BTreeMap::new();
    let mut points = Vec::new();
    for subject in Subject::BOTH {
        let case = Case::new(subject)?;
        for whose in [Whose::Coordinator, Whose::Guard] {
            for (call, made) in count(&ambush, whose, &case)? {
                report.count("calls there are", made.len() as u64);
                for injury in &INJURIES {
                    let point = |n| Point { subject, whose, call, injury, n };
                    let hurt = (1..).zip(&made);
                    let hurt = hurt.filter(|(_, can_fail)| injury.is_death() || **can_fail);
                    points.extend(hurt.map(|(n, _)| point(n)));
                }
            }
        }
        cases.insert(subject, case);
    }
    report.count("points there are", points.len() as u64);
    let mut random = Random::new(plan.seed, 0);
    // A sample without replacement, by weight (Efraimidis and Spirakis, 2006).
    let key = |point: &Point| random.unit().powf(1.0 / point.weight());
    let mut keyed: Vec<(f64, Point)> = points.iter().map(key).zip(points.iter().copied()).collect();
    keyed.sort_by(|a, b| b.0.total_cmp(&a.0));
    keyed.truncate(plan.amount as usize);
    let (points, shared) = (Mutex::new(keyed.into_iter()), Mutex::new(report));
    let lock = || shared.lock().unwrap_or_else(PoisonError::into_inner);
    let work = || {
        let next = || points.lock().unwrap_or_else(PoisonError::into_inner).next();
        while let Some((_, point)) = next() {
            let hurt = cases
                .get(&point.subject)
                .context("no sweep")
                .and_then(|case| hurt(&ambush, point, case, None));
            let mut report = lock();
            report.count("points", 1);
            report.count(point.injury.what, 1);
            match hurt {
                Ok(hurt) => {
                    report.count("points that were reached", u64::from(hurt.is_reached));
                    report.count("went on by themselves", u64::from(hurt.went_on));
                    report.wrong(&format!("{point:?}"), hurt.wrong);
                }
                Err(error) => report.wrong(&format!("{point:?}"), vec![format!("{error:#}")]),
            }
        }
    };
    thread::scope(|scope| (0..WAYS).for_each(|_| drop(scope.spawn(work))));
    let mut report = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.demand("points that were reached", 1);
    Ok(report)
}

/// Each call of an undisturbed run, of the process that makes most of its kind: whether it can fail.
fn count(ambush: &Ambush, whose: Whose, case: &Case) -> Result<BTreeMap<&'static str, Vec<bool>>> {
    let arena = Arena::new(&case.sweep)?;
    let (trace, log) = (format!("trace={}", CALLS.join(",")), arena.path().join("trace"));
    let mut words = vec!["-e", &trace];
    if whose == Whose::Guard {
        words.push("-ff");
    }
    let run = arena.output(&mut ambush.lay(&arena, whose, &words, &log)?)?;
    anyhow::ensure!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let mut most = BTreeMap::<&str, Vec<bool>>::new();
    for file in fs::read_dir(arena.path())?.flatten() {
        if !file.file_name().to_string_lossy().starts_with("trace") {
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(file.path())?).into_owned();
        for call in CALLS {
            let start = format!("{call}(");
            let made = text.lines().filter(|line| line.starts_with(&start)).map(can_fail);
            let (made, most) = (made.collect::<Vec<_>>(), most.entry(call).or_default());
            if most.len() < made.len() {
                *most = made;
            }
        }
    }
    Ok(most)
}

/// What wakes a thread of the same process is no disk, and cannot be full.
fn can_fail(call: &str) -> bool {
    !call.starts_with("write(") || call.contains("</") || call.contains("<pipe:")
}

/// What came of a point.
struct Hurt {
    /// Whether there was such a call in this run: not all make as many.
    is_reached: bool,
    went_on: bool,
    wrong: Vec<String>,
}

/// `plant` does to the record what a bug would, after the injury.
fn hurt(
    ambush: &Ambush,
    point: Point,
    case: &Case,
    plant: Option<fn(&Arena) -> Result<()>>,
) -> Result<Hurt> {
    let Point { subject, whose, call, injury, n } = point;
    let arena = Arena::new(&case.sweep)?.with_bug(case.bug);
    let mut oracle = Oracle::new(subject, case.golden.clone());
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:{}", injury.how.replace("when=N", &format!("when={n}")));
    let log = arena.path().join("trace");
    let mut run = ambush.lay(&arena, whose, &["-e", &trace, "-e", &inject], &log)?;
    let output = arena.output(&mut run)?;
    let log = String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
    let mut hit = log
        .lines()
        .filter(|line| ["INJECTED", "killed by SIGKILL"].iter().any(|word| line.contains(word)));
    let is_reached = hit.clone().next().is_some();
    // Not all runs make the same calls in the same order.
    if !injury.is_death() && !hit.all(can_fail) {
        return Ok(Hurt { is_reached: false, went_on: false, wrong: Vec::new() });
    }
    let went_on = output.status.success();
    let mut wrong = oracle.look(&arena)?;
    oracle.note_results(&arena)?;
    // Whose every write fails cannot say anything.
    let is_mute = call == "write" && injury.how.ends_with('+');
    if !went_on && !is_mute && output.status.code().is_some() && output.stderr.is_empty() {
        wrong.push(format!("it ended with {} and did not say why", output.status));
    }
    if let Some(plant) = plant {
        plant(&arena)?;
        wrong.extend(oracle.look(&arena)?);
    }
    // What was hurt may have failed for good.
    drop(arena.output(&mut arena.pleach(&["retry", SWEEP, "--failed"]))?);
    arena.finish()?;
    wrong.extend(oracle.verdict(&arena)?);
    Ok(Hurt { is_reached, went_on, wrong })
}
