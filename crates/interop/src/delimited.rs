//! Tables as text: comma-separated values (RFC 4180), and a JSON object to a line.
//!
//! Numbers have the fewest digits that read back the same. What no number is, is `NaN`, `inf` or `-inf`, in JSON as a
//! text. An empty cell is empty, in JSON `null`.

use std::{fmt::Write as _, io::Write};

use pleach_core::value;

use crate::{
    ExportError,
    table::{Cell, Cells, Column, Rows},
};

pub struct Csv<W>(pub W);

impl<W: Write> Csv<W> {
    fn line(&mut self, cells: impl Iterator<Item = String>) -> Result<(), ExportError> {
        let line = cells.collect::<Vec<_>>().join(",");
        Ok(writeln!(self.0, "{line}")?)
    }
}

impl<W: Write> Rows for Csv<W> {
    fn columns(&mut self, columns: &[Column]) -> Result<(), ExportError> {
        self.line(columns.iter().map(|column| value::cell(&column.name).into_owned()))
    }

    fn row(&mut self, row: Cells) -> Result<(), ExportError> {
        let text = |cell: Option<Cell>| match cell {
            None => String::new(),
            // An empty text is there, and an empty cell is not.
            Some(Cell::Text(text)) if text.is_empty() => "\"\"".to_owned(),
            Some(Cell::Text(text)) => value::cell(&text).into_owned(),
            Some(Cell::Bool(value)) => value.to_string(),
            Some(Cell::Int(value)) => value.to_string(),
            Some(Cell::Unsigned(value)) => value.to_string(),
            Some(Cell::Float(value)) => format!("{value:?}"),
        };
        self.line(row.into_iter().map(text))
    }

    fn end(&mut self) -> Result<(), ExportError> {
        Ok(self.0.flush()?)
    }
}

pub struct JsonLines<W> {
    out: W,
    /// As JSON.
    names: Vec<String>,
}

impl<W> JsonLines<W> {
    pub fn new(out: W) -> Self {
        Self { out, names: Vec::new() }
    }
}

impl<W: Write> Rows for JsonLines<W> {
    fn columns(&mut self, columns: &[Column]) -> Result<(), ExportError> {
        self.names = columns.iter().map(|column| json(&column.name)).collect();
        Ok(())
    }

    fn row(&mut self, row: Cells) -> Result<(), ExportError> {
        let mut line = String::new();
        for (name, cell) in self.names.iter().zip(row) {
            let value = match cell {
                None => "null".to_owned(),
                Some(Cell::Text(text)) => json(&text),
                Some(Cell::Bool(value)) => value.to_string(),
                Some(Cell::Int(value)) => value.to_string(),
                Some(Cell::Unsigned(value)) => value.to_string(),
                Some(Cell::Float(value)) if value.is_finite() => format!("{value:?}"),
                Some(Cell::Float(value)) => format!("\"{value:?}\""),
            };
            let start = if line.is_empty() { '{' } else { ',' };
            // A `String` takes everything.
            let _infallible = write!(line, "{start}{name}:{value}");
        }
        Ok(writeln!(self.out, "{line}}}")?)
    }

    fn end(&mut self) -> Result<(), ExportError> {
        Ok(self.out.flush()?)
    }
}

/// Texts always serialize.
fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Kind;

    fn written(rows: &mut dyn Rows) {
        let column = |name: &str, kind| Column { name: name.to_owned(), kind };
        rows.columns(&[
            column("trial", Kind::Unsigned),
            column("=a", Kind::Text),
            column("b", Kind::Float),
            column("c", Kind::Bool),
        ])
        .unwrap();
        for (text, number) in [
            (Some("plain"), Some(0.1)),
            (Some("=HYPERLINK(\"x\")"), Some(f64::NAN)),
            (Some("-1e5"), Some(f64::INFINITY)),
            (Some("a\nb"), Some(f64::NEG_INFINITY)),
            (None, None),
            (Some(""), Some(1e-300)),
        ] {
            let text = text.map(|text| Cell::Text(text.to_owned()));
            let number = number.map(Cell::Float);
            let row = vec![Some(Cell::Unsigned(u64::MAX)), text, number, Some(Cell::Bool(true))];
            rows.row(row).unwrap();
        }
        rows.end().unwrap();
    }

    #[test]
    fn csv_has_no_formulas_and_every_number() {
        let mut out = Vec::new();
        written(&mut Csv(&mut out));
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        trial,'=a,b,c
        18446744073709551615,plain,0.1,true
        18446744073709551615,"'=HYPERLINK(""x"")",NaN,true
        18446744073709551615,-1e5,inf,true
        18446744073709551615,"a
        b",-inf,true
        18446744073709551615,,,true
        18446744073709551615,"",1e-300,true
        "#);
    }

    #[test]
    fn a_line_is_an_object() {
        let mut out = Vec::new();
        written(&mut JsonLines::new(&mut out));
        let text = String::from_utf8(out).unwrap();
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["trial"], u64::MAX);
        }
        insta::assert_snapshot!(text, @r#"
        {"trial":18446744073709551615,"=a":"plain","b":0.1,"c":true}
        {"trial":18446744073709551615,"=a":"=HYPERLINK(\"x\")","b":"NaN","c":true}
        {"trial":18446744073709551615,"=a":"-1e5","b":"inf","c":true}
        {"trial":18446744073709551615,"=a":"a\nb","b":"-inf","c":true}
        {"trial":18446744073709551615,"=a":null,"b":null,"c":true}
        {"trial":18446744073709551615,"=a":"","b":1e-300,"c":true}
        "#);
    }
}
