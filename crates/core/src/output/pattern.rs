//! A pattern over what a program prints.

use regex_lite::Regex;

use super::{Step, json::Told};

/// What a pattern finds on a line: an evaluation, or several if it names several steps.
pub(super) fn matched(pattern: &Regex, line: &str) -> Vec<(Step, Vec<(String, Told)>)> {
    let mut found: Vec<(Step, Vec<(String, Told)>)> = Vec::new();
    for captures in pattern.captures_iter(line) {
        let text = |group| captures.name(group).map(|text| Told::Text(text.as_str().to_owned()));
        let (mut step, mut values) = (text("step"), Vec::new());
        for group in pattern.capture_names().flatten() {
            let name = match group {
                "step" | "name" => continue,
                "value" => captures.name("name").map(|name| name.as_str()),
                _ => Some(group),
            };
            match (name, text(group)) {
                (Some("step"), said @ Some(_)) => step = said,
                (Some(name), Some(said)) => values.push((name.to_owned(), said)),
                _ => {}
            }
        }
        let step = step.as_ref().map_or(Step::Unsaid, Told::step);
        match found.last_mut() {
            Some((known, together))
                if step == Step::Unsaid || *known == Step::Unsaid || *known == step =>
            {
                if *known == Step::Unsaid {
                    *known = step;
                }
                together.extend(values);
            }
            _ => found.push((step, values)),
        }
    }
    found
}
