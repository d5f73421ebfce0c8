//! One argument of a person's own command: a text in which `{{ name }}` stands for a value. The value goes in byte for
//! byte: no shell reads it, and what it holds is never taken for another placeholder.

use std::str::FromStr;

use thiserror::Error;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Name(String),
}

#[derive(Debug, Error, PartialEq, Eq)]
pub enum TemplateError {
    #[error("`{{{{` is not closed")]
    Open,
    #[error("`{{{{ }}}}` names nothing")]
    Nameless,
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").ok_or(TemplateError::Open)?;
            let name = name.trim();
            if name.is_empty() {
                return Err(TemplateError::Nameless);
            }
            pieces.extend([Piece::Text(before.to_owned()), Piece::Name(name.to_owned())]);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }
}

impl Template {
    /// What it needs values of.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// With values in it; an error is the name that has none.
    pub fn render<'a>(&'a self, value: impl Fn(&str) -> Option<String>) -> Result<String, &'a str> {
        let piece = |piece: &'a Piece| match piece {
            Piece::Text(text) => Ok(text.clone()),
            Piece::Name(name) => value(name).ok_or(name.as_str()),
        };
        self.0.iter().map(piece).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let rendered = match text.parse::<Template>() {
            Ok(template) => template
                .render(|name| (name != "absent").then(|| format!("<{name}>")))
                .map_err(|name| format!("no {name}")),
            Err(error) => Err(error.to_string()),
        };
        assert_eq!(rendered.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn a_placeholder_is_a_name_in_two_braces() {
        check("train.py", Ok("train.py"));
        check("--lr={{ peak }}", Ok("--lr=<peak>"));
        check("{{a}}{{ b }}/{c}", Ok("<a><b>/{c}"));
        check("{{ absent }}", Err("no absent"));
        check("--lr={{ peak }", Err("`{{` is not closed"));
        check("{{ }}", Err("`{{ }}` names nothing"));
    }

    proptest! {
        #[test]
        fn a_value_goes_in_byte_for_byte(value in any::<String>()) {
            let template: Template = "a{{ x }}b".parse().unwrap();
            prop_assert_eq!(template.render(|_| Some(value.clone())), Ok(format!("a{value}b")));
        }

        #[test]
        fn no_text_is_too_strange(text in "[{} a]{0,12}") {
            if let Ok(template) = text.parse::<Template>() {
                let names: Vec<&str> = template.names().collect();
                prop_assert!(names.iter().all(|name| !name.trim().is_empty()));
            }
        }
    }
}
