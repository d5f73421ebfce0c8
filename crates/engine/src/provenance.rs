//! With what and where a sweep is run: programs, machine, and the version of a person's own code.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use pleach_core::{key::Key, spec::Slots, value::Parameters};
use pleach_store::Provenance;
use rustix::system::uname;

use crate::{
    gpus::{self, VISIBLE},
    prepare::Prepared,
    program::Runner,
    run::cores,
};

/// The name of the fact that is the program.
pub const PROGRAM: &str = "program";

/// The name of the fact that is the data: what each data set is called, and its digest.
pub const DATA: &str = "data";

/// Characters of a digest that a person compares.
const DIGEST: usize = 12;

/// A larger difference from what is committed is only mentioned.
const DIFFERENCE: usize = 1 << 20;

/// What can be found out; what cannot is left out.
pub(crate) fn provenance(prepared: &Prepared) -> Provenance {
    let pleach = ("pleach", env!("CARGO_PKG_VERSION").to_owned());
    let mut facts = vec![pleach, (PROGRAM, program(prepared))];
    facts.extend(data(prepared).map(|data| (DATA, data)));
    let mut difference = None;
    if let Runner::Command { told, .. } = &prepared.runner
        && let Some((commit, changes)) = code(told.directory())
    {
        let is_large = DIFFERENCE < changes.len();
        let with = match changes.len() {
            0 => String::new(),
            n if is_large => format!(" and {n} bytes of changes, too many to keep"),
            _ => " and changes that are not committed".to_owned(),
        };
        facts.push(("code", format!("commit {commit}{with}")));
        difference = Some(changes).filter(|it| !it.is_empty() && !is_large);
    }
    facts.push(("machine", machine()));
    facts.extend(devices(prepared).map(|devices| ("devices", devices)));
    let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Provenance { facts, difference }
}

/// The program that makes results, with a digest of it, as a fact has it.
pub fn program(prepared: &Prepared) -> String {
    match &prepared.runner {
        Runner::Worker(program) => {
            let description = &prepared.description;
            let digest = fs::read(&program.path).map(|bytes| Key::of_bytes(&bytes).to_string());
            let digest = digest.map_or(String::new(), |digest| format!(", sha256 {digest}…"));
            format!("{} {}{digest}", description.program, description.version)
        }
        Runner::Command { told, .. } => format!("{}, {}", told.name(), told.numerics()),
    }
}

/// The data that the sweep trains on: `digits 1a2b3c4d5e6f`. `None` if its program does not say.
pub fn data(prepared: &Prepared) -> Option<String> {
    if let Runner::Command { .. } = prepared.runner {
        return None;
    }
    let sets = prepared.lengths.data().into_iter().map(|(digest, parameters)| {
        let parameters: Parameters = serde_json::from_str(parameters).unwrap_or_default();
        let known = prepared.program.parameters.iter().find(|it| it.name == DATA);
        let name = parameters.get(DATA).or_else(|| known?.default.as_ref());
        let digest: String = digest.chars().take(DIGEST).collect();
        name.map_or(digest.clone(), |name| format!("{name} {digest}"))
    });
    let sets: Vec<String> = sets.collect();
    (!sets.is_empty()).then(|| sets.join(", "))
}

/// `name: AMD EPYC 9R14, 2 cores, Linux 6.1.0 x86_64`.
fn machine() -> String {
    let system = uname();
    let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    let model = fs::read_to_string("/proc/cpuinfo").ok().and_then(|cpuinfo| {
        let line = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"))?;
        Some(line.trim_start_matches([' ', '\t', ':']).to_owned())
    });
    let model = model.map_or(String::new(), |model| format!("{model}, "));
    format!(
        "{}: {model}{} cores, {} {} {}",
        text(system.nodename()),
        cores(),
        text(system.sysname()),
        text(system.release()),
        text(system.machine())
    )
}

/// The GPUs that it runs on, as far as the driver's tool knows them.
fn devices(prepared: &Prepared) -> Option<String> {
    let Slots::Devices { devices, .. } = &prepared.spec.run.slots else { return None };
    let allowed = env::var(VISIBLE).ok();
    let known = gpus::gpus();
    Some(gpus::identities(devices, allowed.as_deref(), &known).join("; "))
        .filter(|identities| !identities.is_empty())
}

/// The commit that a folder is at, and how files that git knows differ from it.
fn code(folder: &Path) -> Option<(String, String)> {
    let commit = git(folder, &["rev-parse", "HEAD"])?;
    let changes =
        git(folder, &["diff", "--binary", "--no-ext-diff", "--no-textconv", "--no-color", "HEAD"])?;
    Some((commit.trim().to_owned(), changes))
}

/// What git prints; `None` where there is no git, or no repository.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(find_git()?)
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Never one that lies in the folder that it is asked about.
fn find_git() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders = env::split_paths(&path).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join("git")).find(|git| git.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_known_with_its_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert_eq!(code(path), None);
        let name = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let Some(_) = git(path, &["init", "-q"]) else { return };
        fs::write(path.join("train.py"), "print(1)\n").unwrap();
        git(path, &["add", "train.py"]).unwrap();
        git(path, &[&name[..], &["commit", "-q", "-m", "x"]].concat()).unwrap();
        let (commit, changes) = code(path).unwrap();
        assert_eq!((commit.len(), changes.as_str()), (40, ""));
        fs::write(path.join("train.py"), "print(2)\n").unwrap();
        let (_, changes) = code(path).unwrap();
        assert!(changes.contains("-print(1)\n+print(2)\n"), "{changes}");
    }
}
