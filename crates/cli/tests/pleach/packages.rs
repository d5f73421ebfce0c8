//! What strangers download: each package holds its licences, its description and every file that its sources include.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The packages that may be published.
fn packages() -> Vec<Value> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).unwrap();
    let all = metadata["packages"].as_array().unwrap().iter();
    // An empty list is `publish = false`; without a list a package may go anywhere.
    all.filter(|package| package["publish"].is_null()).cloned().collect()
}

/// The files that the sources of a package include as text or bytes.
fn included(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(included(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let pieces = text.split("include_str!(\"").chain(text.split("include_bytes!(\""));
            let names = pieces.filter_map(|piece| piece.split_once("\")")).map(|(name, _)| name);
            found.extend(names.filter(|name| !name.contains('\n')).map(|name| folder.join(name)));
        }
    }
    found
}

#[test]
fn every_package_holds_what_a_stranger_needs() {
    let packages = packages();
    assert!(9 <= packages.len());
    for package in packages {
        let name = package["name"].as_str().unwrap();
        assert!(package["description"].as_str().is_some_and(|text| 20 < text.len()), "{name}");
        assert!((1..=5).contains(&package["keywords"].as_array().unwrap().len()), "{name}");
        let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
        let list = cargo(&["package", "--list", "--allow-dirty", "--offline", "-p", name]);
        let held: BTreeSet<PathBuf> = list.lines().map(PathBuf::from).collect();
        for file in ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "Cargo.toml"] {
            assert!(held.contains(Path::new(file)), "{name} holds no {file}\n{list}");
        }
        for file in included(&folder.join("src")) {
            let inside = file.strip_prefix(folder).unwrap();
            assert!(
                held.contains(inside),
                "{name} includes {} and does not hold it",
                file.display()
            );
        }
        // Symbolic links: a copy would grow old.
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let link = fs::read_link(folder.join(licence)).unwrap();
            assert_eq!(link, Path::new("../..").join(licence), "{name}");
        }
    }
}

#[test]
fn the_changelog_tells_of_this_version_and_of_what_comes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("CHANGELOG.md")).unwrap();
    let titles: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
    assert_eq!(titles.first(), Some(&"## Unreleased"));
    let version = env!("CARGO_PKG_VERSION");
    let is_released = titles.iter().any(|title| title.starts_with(&format!("## {version}")));
    assert!(is_released || version == "0.1.0", "no section of {version}");
}
