//! The architecture, held: which crate may use which, what stands in no source, what every file begins with.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

/// Our crates and those of ours that each may use. The picture is in crates/README.md.
const EDGES: [(&str, &[&str]); 12] = [
    ("schedule", &[]),
    ("search", &[]),
    ("files", &[]),
    ("core", &["schedule", "search"]),
    ("protocol", &["schedule"]),
    ("trainer", &["files", "protocol", "schedule"]),
    ("store", &["core", "files"]),
    ("engine", &["core", "files", "protocol", "store"]),
    ("views", &["core", "schedule", "store"]),
    ("interop", &["core", "store"]),
    ("torture", &["protocol"]),
    ("cli", &["core", "engine", "files", "interop", "schedule", "store", "views"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn manifest(name: &str) -> Table {
    fs::read_to_string(root().join("crates").join(name).join("Cargo.toml"))
        .unwrap()
        .parse()
        .unwrap()
}

/// Every file under a folder whose name ends so; build output and snapshots apart.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !matches!(name.as_str(), "target" | "runs" | ".git") {
            found.extend(files(&path, ending));
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Calls `wrong` with every line of our sources; what it returns is said with the line's place.
#[track_caller]
fn check_lines(folder: &str, wrong: impl Fn(&Path, &str) -> Option<String>) {
    let mut mistakes = Vec::new();
    for path in files(&root().join(folder), ".rs") {
        for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            if let Some(what) = wrong(&path, line) {
                mistakes.push(format!(
                    "{}:{}: {what}: {}",
                    path.display(),
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    assert!(mistakes.is_empty(), "\n{}", mistakes.join("\n"));
}

#[test]
fn crates_use_each_other_only_as_drawn() {
    let folders = fs::read_dir(root().join("crates"))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(
        folders.count(),
        EDGES.len(),
        "a new crate needs its line here and in crates/README.md"
    );
    for (name, allowed) in EDGES {
        let manifest = manifest(name);
        let dependencies = manifest["dependencies"].as_table().unwrap();
        let mut used: Vec<&str> =
            dependencies.keys().filter_map(|key| key.strip_prefix("pleach-")).collect();
        used.sort_unstable();
        assert_eq!(used, allowed, "crates/{name}/Cargo.toml");
        for key in ["license", "version", "edition"] {
            assert_eq!(
                manifest["package"][key]["workspace"],
                Value::Boolean(true),
                "crates/{name}: {key}"
            );
        }
        assert_eq!(manifest["lints"]["workspace"], Value::Boolean(true), "crates/{name}: lints");
    }
}

#[test]
fn the_orchestrator_never_links_candle() {
    let lock: Table = fs::read_to_string(root().join("Cargo.lock")).unwrap().parse().unwrap();
    let packages: BTreeMap<&str, &Value> = lock["package"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["name"].as_str().unwrap(), package))
        .collect();
    let mut seen = vec!["pleach"];
    let mut next = 0;
    while next < seen.len() {
        let dependencies = packages[seen[next]].get("dependencies").and_then(Value::as_array);
        for dependency in dependencies.into_iter().flatten() {
            let name = dependency.as_str().unwrap().split(' ').next().unwrap();
            if !seen.contains(&name) {
                seen.push(name);
            }
        }
        next += 1;
    }
    assert!(seen.contains(&"rusqlite") && 50 < seen.len(), "the walk found little: {seen:?}");
    assert!(!seen.iter().any(|name| name.starts_with("candle") || *name == "pleach-trainer"));
}

#[test]
fn core_knows_nothing_of_data_sets_and_tensors() {
    check_lines("crates/core/src", |_, line| {
        let line = line.to_lowercase();
        // Sweep files in tests may name a data set, as any text.
        let is_data = line.contains("data") && line.contains('=');
        (["mnist", "candle"].iter().any(|word| line.contains(word))
            && !is_data
            && !line.contains("name "))
        .then(|| "a word of the trainer".to_owned())
    });
}

#[test]
fn sockets_are_opened_in_two_places() {
    check_lines("crates", |path, line| {
        let path = path.to_string_lossy();
        let may = ["trainer/src/fetch.rs", "trainer/tests/", "interop/src/mlflow/", "cli/tests/"];
        let is_network = [concat!("ur", "eq"), "std::net", "tokio::net", "TcpStream", "UdpSocket"];
        (is_network.iter().any(|word| line.contains(word))
            && !may.iter().any(|place| path.contains(place)))
        .then(|| "the network is not this file's affair".to_owned())
    });
}

#[test]
fn what_others_may_have_made_is_opened_in_one_place() {
    // The one place; those that read the kernel's own files; and what is for tests alone.
    let may = [
        "crates/files/",
        "crates/torture/",
        "engine/src/groups/",
        "engine/src/guard.rs",
        "engine/src/leftovers.rs",
        "engine/src/provenance.rs",
        "cli/src/command/doctor.rs",
        "cli/src/command/init.rs",
    ];
    let words =
        ["File::open", "File::create", "File::options", "OpenOptions", "fs::read(", "fs::write("];
    let words = words.into_iter().chain(["fs::read_to_string", "fs::copy"]);
    let mut checked = 0;
    for path in files(&root().join("crates"), ".rs") {
        let name = path.to_string_lossy().into_owned();
        let is_test = ["/tests/", "/tests.rs", "/examples/", "/benches/"];
        if may.iter().chain(&is_test).any(|place| name.contains(place)) {
            continue;
        }
        checked += 1;
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for word in words.clone() {
            assert!(!code.contains(word), "{name}: `{word}`: open it with pleach-files");
        }
    }
    assert!(200 < checked, "{checked}");
}

#[test]
fn every_file_says_what_it_is_and_is_short() {
    for path in files(&root().join("crates"), ".rs") {
        let text = fs::read_to_string(&path).unwrap();
        let is_test = path.file_name().is_some_and(|name| name == "tests.rs");
        assert!(
            is_test || text.starts_with("//!"),
            "{}: begin with `//!`, what it is for",
            path.display()
        );
        let lines = text.lines().count();
        assert!(lines <= 500, "{}: {lines} lines; cut it along its parts", path.display());
        let module = path.file_stem().unwrap().to_string_lossy().into_owned();
        let is_vague = ["utils", "util", "common", "helpers", "misc", "base", "imp", "manager"]
            .contains(&module.as_str());
        assert!(!is_vague, "{}: name it after what it does", path.display());
    }
}

#[test]
fn lints_are_silenced_with_a_reason_and_nothing_is_left_to_do() {
    let words = [
        concat!("un", "safe "),
        concat!("[al", "low("),
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
    ];
    check_lines("crates", |_, line| {
        let code = line.split("//").next().unwrap_or_default();
        words.iter().find(|word| code.contains(**word)).map(|word| format!("`{word}`"))
    });
}

#[test]
fn a_skipped_test_goes_around_the_harness() {
    check_lines("crates", |_, line| {
        let is_hidden = line.contains(concat!("println!(\"SKIP", "PED"));
        is_hidden.then(|| "the harness hides this; write to `io::stderr()`".to_owned())
    });
}

#[test]
fn invariants_are_numbered_and_checked_and_links_lead_somewhere() {
    let page = fs::read_to_string(root().join("crates/README.md")).unwrap();
    let invariants = page.split("## Invariants").nth(1).unwrap().split("\n## ").next().unwrap();
    let numbers: Vec<usize> = invariants
        .lines()
        .filter_map(|line| line.split_once(". ").and_then(|(number, _)| number.parse().ok()))
        .collect();
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
    assert!(13 <= numbers.len());
    let mut pages = vec![root().join("README.md")];
    pages.extend(files(&root().join("docs"), ".md"));
    pages.push(root().join("crates/README.md"));
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.starts_with("http") && !link.starts_with('#') {
                let target = page.parent().unwrap().join(link.split('#').next().unwrap());
                assert!(target.exists(), "{}: the link {link} leads nowhere", page.display());
            }
        }
    }
}
