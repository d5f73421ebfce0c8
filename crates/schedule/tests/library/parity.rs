//! Every class of every library against the library's own numbers, and the page that says how near they are.

use std::{collections::BTreeMap, fmt::Write, fs};

use pleach_schedule::{library::LIBRARIES, plateau::PlateauState, preset::Argument};

use serde_json::Value;

use crate::golden::{Case, cases};

/// The largest distance from a value, as a multiple of the peak, and where.
fn error(case: &Case) -> (f64, usize) {
    let resolved = case.resolve(&case.schedule, 1, 1);
    let rates: Vec<f64> = match &case.schedule.plateau {
        Some(plateau) => {
            let mut state = PlateauState::default();
            let after = case.metrics.iter().map(|&metric| {
                plateau.observe(&mut state, metric);
                resolved.at(0) * state.multiplier
            });
            after.collect()
        }
        None => case.at.iter().map(|&step| resolved.at(step)).collect(),
    };
    assert_eq!(rates.len(), case.values.len(), "{}", case.text);
    let errors = rates.iter().zip(&case.values).map(|(rate, value)| (rate - value).abs());
    let (index, largest) = errors.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    (largest / case.schedule.peak, index)
}

#[test]
fn every_class_has_its_librarys_numbers() {
    let wrong = cases().into_iter().filter_map(|case| {
        let (error, index) = error(&case);
        (case.tolerance() < error).then(|| {
            let resolved = case.resolve(&case.schedule, 1, 1);
            format!("{}: off by {error:e} at value {index}\n    {resolved}", case.text)
        })
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_epoch_instead_of_a_step_holds_each_rate_for_an_epoch() {
    let is_told = |case: &Case| !case.class.is_empty() && case.schedule.plateau.is_none();
    // These count in shares of the budget, or in epochs of their own.
    let is_counted = |case: &Case| case.of != "fastai" && !case.class.starts_with("sklearn.mlp");
    for case in cases().into_iter().filter(|case| is_told(case) && is_counted(case)) {
        let epochs = case.with("per", Argument::Duration("1ep".parse().unwrap()));
        let (steps, epochs) = (case.resolve(&case.schedule, 1, 1), case.resolve(&epochs, 3, 3));
        for &step in &case.at {
            for part in 0..3 {
                let (rate, held) = (steps.at(step), epochs.at(3 * step + part));
                let error = (rate - held).abs() / case.schedule.peak;
                assert!(error < 1e-12, "{} at {step}: {held}, not {rate}", case.text);
            }
        }
    }
}

/// A tenth to some power that is not below a number.
fn decade(number: f64) -> String {
    let exponents = (1..=15).rev().find(|&exponent| number <= 10_f64.powi(-exponent));
    exponents.map_or("more".to_owned(), |exponent| format!("1e-{exponent}"))
}

fn page() -> String {
    let mut tables: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
    for case in cases() {
        tables.entry(case.of).or_default().push(case);
    }
    let mut page = String::from(
        "# As near as our schedules are to other libraries'\n\n\
        Each library was asked for its rates (`scripts/goldens/regenerate`); the values are in\n\
        [goldens.json](../crates/schedule/tests/goldens.json), and the tests compare every one. Errors are multiples of the peak, at\n\
        most the power of ten that is shown. Keras, optax and fastai compute in single precision. \"Dive into Deep Learning\" and the\n\
        papers have no package to ask; their values are their formulas'. `sklearn.adaptive` cannot be asked alone, inside of a\n\
        compiled loop, and was written out. What a library composes of several schedules counts as a case of it.\n\n\
        | library | version | classes | cases | values | largest error | allowed |\n\
        | --- | --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for library in LIBRARIES {
        let cases = &tables[library.name];
        let largest = cases.iter().map(|case| error(case).0).fold(0.0, f64::max);
        let values: usize = cases.iter().map(|case| case.values.len()).sum();
        writeln!(
            page,
            "| {} | {} | {} | {} | {values} | {} | {:e} |",
            library.title,
            if library.version.is_empty() { "formulas" } else { library.version },
            library.classes.len(),
            cases.len(),
            decade(largest),
            cases[0].tolerance(),
        )
        .unwrap();
    }
    page.push_str(&random());
    page.push_str(
        "\nWhere we differ from a library on purpose, and what `compat = true` undoes: the last column of the tables in\n\
        [schedules.md](schedules.md).\n",
    );
    page
}

/// What `scripts/goldens/compare` found: a class a line.
fn compared() -> Vec<Value> {
    let lines = include_str!("../compared.json").lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The table of random calls.
fn random() -> String {
    let mut page = String::from(
        "\n## Random calls\n\n\
        `scripts/goldens/compare` makes random calls of every class, the edges of its arguments included, asks the library for the\n\
        rates, reads the same call as `pleach schedule` does, with `compat = true`, and compares every step (momentum too, where the\n\
        call moves it). A call that the library itself refuses is drawn again. Refused are calls that the library runs and that we\n\
        refuse, with the message that says so.\n\n\
        | class | calls compared | largest difference | refused |\n\
        | --- | ---: | ---: | --- |\n",
    );
    for class in compared() {
        let refused = class["refused"].as_object().unwrap();
        let number = |value: &Value| value.as_u64().unwrap();
        let n_refused: u64 = refused.values().map(number).sum();
        let told: Vec<String> =
            refused.iter().map(|(message, count)| format!("{count}: {message}")).collect();
        writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            class["class"].as_str().unwrap(),
            number(&class["calls"]) - n_refused,
            decade(class["largest"].as_f64().unwrap()),
            told.join("; "),
        )
        .unwrap();
    }
    page
}

#[test]
fn every_class_was_compared_with_its_library() {
    let compared = compared();
    for class in LIBRARIES.iter().flat_map(|library| library.classes) {
        let found = compared.iter().find(|one| one["class"] == class.info.name);
        if ["optax", "fastai"].iter().any(|of| class.info.name.starts_with(of)) {
            continue;
        }
        let found =
            found.unwrap_or_else(|| panic!("{}: run scripts/goldens/compare", class.info.name));
        let is_single =
            ["keras.", "optax.", "fastai."].iter().any(|of| class.info.name.starts_with(of));
        let allowed = if is_single { 2e-6 } else { 1e-12 };
        assert!(found["largest"].as_f64().unwrap() <= allowed, "{found}");
        assert_eq!(found["calls"], 200, "{found}");
    }
}

#[test]
fn the_page_says_how_near_we_are() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/parity.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, page()).unwrap();
    }
    let renew = "renew it: UPDATE=1 cargo test -p pleach-schedule --test parity";
    assert_eq!(fs::read_to_string(path).unwrap_or_default(), page(), "{renew}");
}

#[test]
fn every_class_and_every_version_has_its_values() {
    let cases = cases();
    for library in LIBRARIES {
        let own = || cases.iter().filter(|case| case.of == library.name);
        for class in library.classes {
            assert!(own().any(|case| case.class == class.info.name), "{}", class.info.name);
        }
        for case in own().filter(|_| !library.version.is_empty()) {
            let version = case.library.split(' ').nth(1);
            assert_eq!(version, Some(library.version), "{}", case.text);
        }
    }
}
