//! The report in a real browser. Without one (`chromium` on the path, or what `PLEACH_CHROMIUM` names) it says that it is
//! skipped.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::stage::{Stage, skipped};

const SWEEP: &str = r#"
[sweep]
name = "seen"
objective = { metric = "val_accuracy", goal = "max" }
seeds = [1, 2]
[trainer]
data = "digits"
valid = 500
model = "mlp-16"
batch = 128
budget = "40st"
eval = "10st"
[space]
peak = [0.01, 0.03, 0.1, 1e30]
[space.schedule.constant]
[space.schedule.cosine]
warmup = ["0%", "10%"]
"#;

fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("PLEACH_CHROMIUM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap();
    let mut found = std::env::split_paths(&path).map(|folder| folder.join("chromium"));
    named.or_else(|| found.find(|file| file.is_file()))
}

/// More configurations than one frame draws, and than every section follows a brush with.
const MANY: &str = r#"
[sweep]
name = "many"
objective = { metric = "value", goal = "max" }
[space]
x = { int = [1, 3000] }
"#;

/// The page as its scripts leave it, or what another option makes of it, and what they said. On a busy machine a browser may
/// end before it has told the page how wide it is.
fn opened(
    browser: &Path,
    stage: &Stage,
    sweep: &str,
    fragment: &str,
    option: &str,
) -> (String, String) {
    let is_drawn = |page: &str| {
        let mut places = page.split("class=\"drawing ").skip(1);
        places.all(|place| place.split_once('>').is_some_and(|(_, it)| !it.starts_with("</div>")))
    };
    let mut opened = open(browser, stage, sweep, fragment, option);
    for _ in 1..5 {
        if is_drawn(&opened.0) {
            break;
        }
        opened = open(browser, stage, sweep, fragment, option);
    }
    opened
}

fn open(
    browser: &Path,
    stage: &Stage,
    sweep: &str,
    fragment: &str,
    option: &str,
) -> (String, String) {
    let page = stage.path().join("runs").join(sweep).join("report.html");
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--enable-logging=stderr", "--window-size=1400,2000", "--virtual-time-budget=20000"])
        .arg("--run-all-compositor-stages-before-draw")
        .arg(format!("--user-data-dir={}", stage.path().join("browser").display()))
        .args([option, &format!("file://{}{fragment}", page.display())])
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let said = text(output.stderr);
    let said: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
    (text(output.stdout), said.join("\n"))
}

/// The part of a page between two texts.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page.split_once(start).unwrap_or_else(|| panic!("there is no {start}"));
    rest.split_once(end).unwrap().0
}

#[test]
fn a_browser_shows_all_of_it() {
    let stage = Stage::new("pleach-mnist");
    stage.write("seen.toml", SWEEP);
    stage.run("run seen.toml", 0);
    let (_, said) = stage.run("report seen", 0);
    assert!(said.contains("report.html"), "{said}");
    let Some(browser) = browser() else {
        skipped("there is no chromium to open the report with");
        return;
    };
    let (page, said) = opened(&browser, &stage, "seen", "", "--dump-dom");
    assert_eq!(said, "");
    let rows: serde_json::Value =
        serde_json::from_str(&stage.run("board seen --json", 0).0).unwrap();
    let shown = |page: &str| between(page, "<tbody", "</tbody>").matches("<tr").count();
    assert_eq!(shown(&page), rows.as_array().unwrap().len());
    for title in ["Leaderboard", "What matters", "Learning curves", "Schedules", "The sweep file"] {
        assert!(page.contains(&format!("{title}</h2>")), "{title}");
    }
    assert!(50 < page.matches("<path").count() + page.matches("<canvas").count());
    assert!(page.contains("diverged"));
    let again = between(&page, "How to do it again</h2>", "</section>");
    assert!(again.contains("pleach-mnist") && again.contains("machine"), "{again}");
    // The address says what is looked at.
    let (page, said) = opened(&browser, &stage, "seen", "#filter=schedule:cosine", "--dump-dom");
    assert_eq!((shown(&page), said.as_str()), (8, ""));
}

#[test]
fn a_browser_shows_thousands_of_configurations_on_screen_and_on_paper() {
    let stage = Stage::new("noop");
    stage.write("many.toml", MANY);
    stage.run("run many.toml", 0);
    stage.run("report many", 0);
    let Some(browser) = browser() else {
        skipped("there is no chromium to open the report with");
        return;
    };
    let (page, said) = opened(&browser, &stage, "many", "#filter=x:10..29", "--dump-dom");
    assert_eq!(said, "");
    let chosen = between(&page, "class=\"chosen\"", "</span></p>");
    assert!(chosen.contains(" 20 of 3\u{202f}000 configurations"), "{chosen}");
    assert_eq!(between(&page, "<tbody", "</tbody>").matches("<tr").count(), 20);
    let paper = stage.path().join("paper.pdf");
    let option = format!("--print-to-pdf={}", paper.display());
    assert_eq!(opened(&browser, &stage, "many", "", &option), (String::new(), String::new()));
    assert!(std::fs::read(paper).unwrap().starts_with(b"%PDF"));
}

#[test]
fn a_browser_shows_a_sweep_without_any_result() {
    let stage = Stage::new("noop");
    let file = "[sweep]\nname = \"none\"\nobjective = { metric = \"m\", goal = \"max\" }\n[command]\nrun = [\"true\"]\n[space]\nx = [1, 2]\n";
    stage.write("none.toml", file);
    stage.run("run none.toml", 3);
    stage.run("report none", 0);
    let Some(browser) = browser() else {
        skipped("there is no chromium to open the report with");
        return;
    };
    let (page, said) = opened(&browser, &stage, "none", "", "--dump-dom");
    assert_eq!(said, "");
    for text in ["No configuration has a result yet", "What went wrong</h2>", "The sweep file</h2>"]
    {
        assert!(page.contains(text), "{text}");
    }
}
