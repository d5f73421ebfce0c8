//! `docs/schedules.md` and its pictures are made here, and compared. To renew them:
//! `UPDATE=1 cargo test -p pleach-schedule --test page`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod presets;
mod text;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use pleach_schedule::{
    draw::{Curve, Floor, Picture, svg},
    duration::Horizon,
    library,
    preset::PRESETS,
};

use presets::{ENTRIES, Entry};

const HORIZON: Horizon = Horizon { steps: 1000, steps_per_epoch: 100 };

/// Every file of the page: where it lies under `docs`, and what is in it.
fn files() -> BTreeMap<PathBuf, String> {
    let mut files: BTreeMap<PathBuf, String> = ENTRIES
        .iter()
        .map(|entry| (Path::new("schedules").join(format!("{}.svg", entry.name)), picture(entry)))
        .collect();
    files.insert("schedules.md".into(), text::page());
    files
}

fn picture(entry: &Entry) -> String {
    let schedule = entry.schedule();
    let resolved = schedule.resolve(HORIZON).unwrap();
    let lowest = schedule.plateau.as_ref().map(|plateau| plateau.min);
    let curve = Curve { lowest, ..Curve::of(entry.name, &resolved, HORIZON.steps) };
    svg::draw(
        &Picture { curves: vec![curve], steps: HORIZON.steps, floor: Floor::Zero },
        svg::Frame::Small,
    )
}

#[test]
fn the_page_in_the_repository_is_that_of_the_program() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let files = files();
    if std::env::var_os("UPDATE").is_some() {
        for (path, text) in &files {
            fs::write(docs.join(path), text).unwrap();
        }
    }
    let remedy = "renew it: UPDATE=1 cargo test -p pleach-schedule --test page";
    for (path, text) in &files {
        let kept = fs::read_to_string(docs.join(path)).unwrap_or_default();
        assert!(kept == *text, "docs/{} is not what it should be; {remedy}", path.display());
    }
    let pictures = fs::read_dir(docs.join("schedules")).unwrap().count();
    assert_eq!(
        pictures,
        ENTRIES.len(),
        "docs/schedules holds a picture of each preset and no more"
    );
}

#[test]
fn every_preset_has_its_entry_and_every_name_elsewhere_exists() {
    let presets: Vec<&str> = PRESETS.iter().map(|info| info.name).collect();
    let entries: Vec<&str> = ENTRIES.iter().map(|entry| entry.name).collect();
    assert_eq!(entries, presets);
    for name in ENTRIES.iter().flat_map(|entry| entry.elsewhere) {
        assert!(library::find(name).is_some(), "{name}");
    }
}
