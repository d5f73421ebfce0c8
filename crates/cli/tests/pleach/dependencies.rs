//! What may be depended on: where packages come from, their licences, what is banned, and that nothing unused is
//! listed. Reads `cargo metadata`, so it needs no tool that is not part of Rust.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use serde_json::Value;

const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Package and reason.
const BANNED: &[(&str, &str)] = &[
    ("openssl-sys", "needs a C library of the system; rustls does the same"),
    ("native-tls", "needs a C library of the system; rustls does the same"),
    ("evalexpr", "its licence is AGPL-3.0"),
    ("serde-pickle", "unpickling runs code"),
];

/// Packages of which two versions are built, and which dependency holds the older one back.
const TWICE: &[(&str, &str)] = &[
    ("base64", "spm_precompiled, by way of Candle's tokenizers"),
    ("block-buffer", "sha2 0.10"),
    ("cpufeatures", "sha2 0.10"),
    ("crypto-common", "sha2 0.10"),
    ("darling", "derive_builder, by way of Candle's tokenizers"),
    ("darling_core", "derive_builder, by way of Candle's tokenizers"),
    ("darling_macro", "derive_builder, by way of Candle's tokenizers"),
    ("digest", "sha2 0.10"),
    ("getrandom", "ring, and rand 0.9"),
    ("hashbrown", "safetensors"),
    ("r-efi", "getrandom 0.3; only UEFI builds it"),
    ("rand", "Candle"),
    ("rand_chacha", "rand 0.9"),
    ("rand_core", "rand 0.9"),
    ("sha2", "cudaforge, which only the feature `cuda` builds"),
    ("syn", "half of all procedural macros"),
    ("thiserror", "sysctl, by way of gemm; only macOS builds it"),
    ("thiserror-impl", "thiserror 1"),
    ("windows-sys", "ring; only Windows builds it"),
];

/// With every feature: CUDA's packages, too.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--all-features", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().unwrap().iter()
}

/// Whether some alternative of an SPDX expression consists of allowed licences only.
fn is_allowed(expression: &str) -> bool {
    let is_allowed = |name: &str| LICENCES.contains(&name);
    expression
        .replace('/', " OR ")
        .split(" AND ")
        .all(|part| part.split(" OR ").any(|name| is_allowed(name.trim().trim_matches(['(', ')']))))
}

#[test]
fn every_package_comes_from_the_registry_or_from_here() {
    for package in packages(&metadata()) {
        let source = package["source"].as_str();
        assert!(
            source.is_none_or(|source| source.starts_with("registry+")),
            "{} comes from {source:?}",
            package["name"]
        );
    }
}

#[test]
fn every_licence_lets_people_use_what_they_build() {
    assert!(is_allowed("(MIT OR GPL-3.0) AND Unicode-3.0"));
    assert!(!is_allowed("AGPL-3.0-only") && !is_allowed("MIT AND GPL-3.0"));
    for package in packages(&metadata()) {
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(is_allowed(licence), "{} is under {licence}", package["name"]);
    }
}

#[test]
fn nothing_banned_is_pulled_in() {
    let metadata = metadata();
    for (banned, reason) in BANNED {
        assert!(
            packages(&metadata).all(|package| package["name"] != *banned),
            "{banned}: {reason}"
        );
    }
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let features = |name: &str| -> BTreeSet<&str> {
        nodes
            .iter()
            .filter(|node| node["id"].as_str().unwrap().contains(&format!("#{name}@")))
            .flat_map(|node| node["features"].as_array().unwrap())
            .map(|feature| feature.as_str().unwrap())
            .collect()
    };
    assert!(
        !features("toml").contains("unbounded"),
        "a deeply nested file would overflow the stack"
    );
    assert!(features("rusqlite").contains("bundled"), "SQLite's version is a question of safety");
}

#[test]
fn no_package_is_built_in_two_versions_without_a_known_cause() {
    let metadata = metadata();
    let mut names: Vec<&str> =
        packages(&metadata).map(|package| package["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    let twice: BTreeSet<&str> =
        names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    let known: BTreeSet<&str> = TWICE.iter().map(|(name, _)| *name).collect();
    let (new, gone): (Vec<_>, Vec<_>) =
        (twice.difference(&known).collect(), known.difference(&twice).collect());
    assert!(new.is_empty(), "in two versions: {new:?}; unify them, or list them with the cause");
    assert!(gone.is_empty(), "in one version only: {gone:?}; take them off the list");
}

#[test]
fn every_listed_dependency_is_used() {
    for package in packages(&metadata()).filter(|package| package["source"].is_null()) {
        let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
        let mut text = String::new();
        for part in ["src", "tests", "examples", "testing"] {
            read_all(&folder.join(part), &mut text);
        }
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap().replace('-', "_");
            assert!(text.contains(&name), "{} lists {name} and does not use it", package["name"]);
        }
    }
}

fn read_all(folder: &Path, text: &mut String) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
