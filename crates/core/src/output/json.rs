//! JSON objects in lines, and what is meant for them: an object over several lines, several on a line, in a list, or in
//! Python's notation.

use std::{fmt, mem};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::lines::MAX_LINE;

/// A value of an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Told {
    Null,
    Bool(bool),
    Integer(u64),
    Number(f64),
    Text(String),
    /// What it is, with its article.
    Nested(&'static str),
}

/// An object's keys and values, in its order; a key may stand in it twice.
pub(super) struct Object(pub(super) Vec<(String, Told)>);

/// Objects that began on earlier lines and have not ended, or nothing.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    text: String,
    /// Where it began.
    line: u64,
    depth: usize,
}

/// What lines hold that are whole now.
pub(super) struct Gathered {
    /// The number of the first line.
    pub(super) line: u64,
    pub(super) objects: Vec<Object>,
    /// What cannot be read after them, and why.
    pub(super) rest: Option<(String, String)>,
}

impl Unfinished {
    /// Adds a line. Answers with what is whole by it: nothing, a line, what began before and the line, or both apart.
    pub(super) fn add(&mut self, number: u64, line: &str) -> Vec<Gathered> {
        let mut whole = Vec::new();
        // JSON is indented where it goes on: whoever wrote the line before did not come to its end.
        if line.starts_with('{') {
            whole.extend(self.finish());
        }
        if self.text.is_empty() {
            self.line = number;
        }
        self.text.push_str(line);
        self.text.push('\n');
        let is_torn = self.follow(line);
        if is_torn || self.depth == 0 || MAX_LINE < self.text.len() {
            whole.extend(self.finish());
        }
        whole
    }

    /// What is left, which has no end.
    pub(super) fn finish(&mut self) -> Option<Gathered> {
        let Self { text, line, .. } = mem::take(self);
        (!text.is_empty()).then(|| read(line, text.trim_end()))
    }

    /// Counts open braces; says whether the line ends within a text, which goes on over no line's end.
    fn follow(&mut self, line: &str) -> bool {
        let mut quotes = Quotes::default();
        for character in line.chars() {
            if quotes.pass(character) {
                continue;
            }
            match character {
                '{' => self.depth += 1,
                '}' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        quotes.open.is_some()
    }
}

fn read(line: u64, text: &str) -> Gathered {
    let mut objects = Vec::new();
    let Some((rest, why)) = objects_of(text, &mut objects) else {
        return Gathered { line, objects, rest: None };
    };
    let plain = as_json(rest);
    let before = objects.len();
    let unread = match objects_of(&plain, &mut objects) {
        Some(_) if objects.len() == before => Some(rest),
        unread => unread.map(|(rest, _)| rest),
    };
    let rest = unread.map(|unread| (unread.trim().to_owned(), reason(&why)));
    Gathered { line, objects, rest }
}

/// Objects one after the other, in which commas between them and the brackets of a list around them mean nothing. Answers with
/// what is left, if it is no object, and why.
fn objects_of<'a>(
    text: &'a str,
    objects: &mut Vec<Object>,
) -> Option<(&'a str, serde_json::Error)> {
    let between = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']');
    let mut rest = text.trim_start_matches(between);
    while !rest.is_empty() {
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Object>();
        match stream.next()? {
            Ok(object) => objects.push(object),
            Err(error) => return Some((rest, error)),
        }
        rest = rest[stream.byte_offset()..].trim_start_matches(between);
    }
    None
}

/// Without the place, which is one among the lines that were read together.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// What is quoted, by one of two marks.
#[derive(Default)]
struct Quotes {
    open: Option<char>,
    is_escaped: bool,
}

impl Quotes {
    /// Whether a character is part of a quotation, its marks included.
    fn pass(&mut self, character: char) -> bool {
        match self.open {
            None if matches!(character, '"' | '\'') => self.open = Some(character),
            None => return false,
            Some(_) if self.is_escaped => self.is_escaped = false,
            Some(_) if character == '\\' => self.is_escaped = true,
            Some(open) if character == open => self.open = None,
            Some(_) => {}
        }
        true
    }
}

/// Python writes numbers that are not finite as bare words, which JSON does not know: as texts.
#[must_use]
pub fn quoted_words(text: &str) -> String {
    requoted(text, |word| matches!(word, "NaN" | "inf" | "Infinity" | "-inf" | "-Infinity"))
}

/// Every bare word that is none of JSON's, as a text: `NaN`, `nan`, `None`, `1e400`, and numbers, too.
fn as_json(text: &str) -> String {
    requoted(text, |word| !matches!(word, "true" | "false" | "null"))
}

/// Texts in single quotes, and bare words as they are chosen, as texts of JSON.
fn requoted(text: &str, is_chosen: impl Fn(&str) -> bool) -> String {
    let (mut json, mut word) = (String::with_capacity(text.len()), String::new());
    let mut quotes = Quotes::default();
    for character in text.chars() {
        let is_in = quotes.open;
        let is_quoted = quotes.pass(character);
        let is_part = !is_quoted && !character.is_whitespace() && !"{}[]:,".contains(character);
        if is_part {
            word.push(character);
            continue;
        }
        end_word(&mut json, &mut word, &is_chosen);
        match (is_in.or(quotes.open), character) {
            (Some('\''), '\'') if is_in.is_none() || quotes.open.is_none() => json.push('"'),
            (Some('\''), '"') => json.push_str("\\\""),
            // Of both marks' escapes only this is none of JSON's.
            (Some('\''), '\'') => {
                json.pop();
                json.push('\'');
            }
            _ => json.push(character),
        }
    }
    end_word(&mut json, &mut word, &is_chosen);
    json
}

fn end_word(json: &mut String, word: &mut String, is_chosen: impl Fn(&str) -> bool) {
    let quote = if !word.is_empty() && is_chosen(word) { "\"" } else { "" };
    json.extend([quote, &mem::take(word), quote]);
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Object;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Object(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Told;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Told, E> {
                Ok(Told::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Told, E> {
                Ok(Told::Bool(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Told, E> {
                Ok(Told::Integer(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Told, E> {
                Ok(Told::Number(value as f64))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Told, E> {
                Ok(Told::Number(value))
            }
            fn visit_str<E>(self, value: &str) -> Result<Told, E> {
                Ok(Told::Text(value.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Told, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Told::Nested("a list"))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Told, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Told::Nested("an object"))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each piece of a text is: its line, its objects, what is left.
    fn gathered(text: &str) -> Vec<String> {
        let mut unfinished = Unfinished::default();
        let mut whole = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            whole.extend(unfinished.add(number, line));
        }
        whole.extend(unfinished.finish());
        let object = |Object(pairs): &Object| {
            let pair = |(key, value): &(String, Told)| format!("{key} {value:?}");
            pairs.iter().map(pair).collect::<Vec<_>>().join(", ")
        };
        let piece = |Gathered { line, objects, rest }: &Gathered| {
            let objects: Vec<String> = objects.iter().map(object).collect();
            let rest =
                rest.as_ref().map_or(String::new(), |(rest, why)| format!(" | {rest}: {why}"));
            format!("{line}: {}{rest}", objects.join(" & "))
        };
        whole.iter().map(piece).collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(gathered(text), expected, "{text}");
    }

    #[test]
    fn an_object_on_a_line_is_read_as_it_is() {
        check(
            r#"{"a": 1, "b": -2, "c": 0.5, "d": "x", "e": true, "f": null, "g": [1], "h": {"i": 1}, "a": 3}"#,
            &[
                r#"1: a Integer(1), b Number(-2.0), c Number(0.5), d Text("x"), e Bool(true), f Null, g Nested("a list"), h Nested("an object"), a Integer(3)"#,
            ],
        );
    }

    #[test]
    fn pythons_notation_is_understood() {
        check(
            r#"{"a \"NaN": NaN, 'b': -Infinity, c: 1e400, 'it\'s "x"': None, "y": True, "z": "a'b"}"#,
            &[
                r#"1: a "NaN Text("NaN"), b Text("-Infinity"), c Text("1e400"), it's "x" Text("None"), y Text("True"), z Text("a'b")"#,
            ],
        );
    }

    #[test]
    fn objects_may_be_in_lists_beside_each_other_and_over_several_lines() {
        check(r#"[{"a": 1}, {"a": 2}]"#, &["1: a Integer(1) & a Integer(2)"]);
        check(r#"{"a": 1}{"a": NaN}"#, &[r#"1: a Integer(1) & a Text("NaN")"#]);
        check(
            "[\n  {\n    \"a\": 1,\n    \"b\": [\n      {}\n    ]\n  },\n  {\n    \"a\": 2\n  }\n]",
            &["1: ", "2: a Integer(1), b Nested(\"a list\")", "8: a Integer(2)", "11: "],
        );
        check("{\n\"a\": 1\n}\n{\"a\": 2}", &["1: a Integer(1)", "4: a Integer(2)"]);
    }

    #[test]
    fn what_is_torn_costs_what_is_torn() {
        check(
            "{\"a\": 1, \"lo\n{\"a\": 2}\n{\"a\": 3,\n{\"a\": 4}\n{\"a\": 5",
            &[
                "1:  | {\"a\": 1, \"lo: EOF while parsing a string",
                "2: a Integer(2)",
                "3:  | {\"a\": 3,: EOF while parsing a value",
                "4: a Integer(4)",
                "5:  | {\"a\": 5: EOF while parsing an object",
            ],
        );
        check("{\"a\": 1} # note", &["1: a Integer(1) | # note: expected value"]);
        check("{\"a\": 1}{\"a\": 2", &["1: a Integer(1) | {\"a\": 2: EOF while parsing an object"]);
        check(
            "loss 0.5\n17",
            &[
                "1:  | loss 0.5: expected value",
                "2:  | 17: invalid type: integer `17`, expected an object",
            ],
        );
    }

    #[test]
    fn the_time_grows_with_the_text_alone() {
        let line = "\"a\": 1,\n".repeat(200_000);
        assert_eq!(gathered(&format!("{{\n{line}\"b\": 1}}")).len(), 1);
        assert_eq!(gathered(&"{\"a\": 1}".repeat(100_000)).len(), 1);
        assert_eq!(gathered(&"{\"a\": NaN}".repeat(100_000)).len(), 1);
        assert_eq!(gathered(&"{".repeat(1_000_000)).len(), 1);
        assert_eq!(gathered(&"[".repeat(1_000_000)), ["1: "]);
    }
}
