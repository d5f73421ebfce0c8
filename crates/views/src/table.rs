//! Tables that fit. Every cell is [plain text](pleach_core::plain), whoever wrote it, and bounded; where there is no room,
//! columns become shorter or go, the least important first.

use std::cmp::Reverse;

use pleach_core::plain::within;
use tabled::{
    builder::Builder,
    grid::util::string::get_line_width,
    settings::{Alignment, Modify, Style, object::Columns},
};

/// Columns of a pipe, which has no width of its own.
pub const PIPE: usize = 120;

/// Characters of a cell, at most.
const LONGEST: usize = 60;

/// One column, in one or more forms, the longest first.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    head: String,
    forms: Vec<Form>,
    alignment: Alignment,
    loss: Loss,
}

/// Whether it is said that a column is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    Said,
    /// It was a picture of what is said elsewhere.
    Silent,
}

#[derive(Clone, Debug)]
struct Form {
    /// When it is given up for the next one; never, without this. Columns with the smallest number are the first.
    until: Option<u8>,
    /// The head, and what stands below it.
    cells: Vec<String>,
    width: usize,
}

impl Column {
    /// A column that is always there, with these cells below its head.
    pub(crate) fn new(head: &str, cells: impl IntoIterator<Item = String>) -> Self {
        let head = within(head, LONGEST).into_owned();
        let form = Form::new(&head, cells, LONGEST);
        Self { head, forms: vec![form], alignment: Alignment::left(), loss: Loss::Said }
    }

    pub(crate) fn right(self) -> Self {
        Self { alignment: Alignment::right(), ..self }
    }

    /// A picture of what is said elsewhere, too.
    pub(crate) fn picture(self) -> Self {
        Self { loss: Loss::Silent, ..self }
    }

    /// The column goes then.
    pub(crate) fn until(mut self, rank: u8) -> Self {
        if let Some(last) = self.forms.last_mut() {
            last.until = Some(rank);
        }
        self
    }

    /// It has these cells from then on.
    pub(crate) fn or(self, rank: u8, cells: impl IntoIterator<Item = String>) -> Self {
        let form = Form::new(&self.head, cells, LONGEST);
        self.with(rank, form)
    }

    /// Its cells have so many characters from then on, at most, and so has its head.
    pub(crate) fn cut(self, rank: u8, characters: usize) -> Self {
        let last = self.forms.last().map(|form| form.cells.clone()).unwrap_or_default();
        let form = Form::new(&self.head, last.into_iter().skip(1), characters);
        self.with(rank, form)
    }

    fn with(self, rank: u8, form: Form) -> Self {
        let mut column = self.until(rank);
        column.forms.push(form);
        column
    }
}

impl Form {
    fn new(head: &str, cells: impl IntoIterator<Item = String>, limit: usize) -> Self {
        let cells = std::iter::once(head.to_owned()).chain(cells);
        let cells: Vec<String> = cells.map(|cell| within(&cell, limit).into_owned()).collect();
        let width = cells.iter().map(|cell| get_line_width(cell)).max().unwrap_or(0);
        Self { until: None, cells, width }
    }
}

/// The columns of rows, of which the first holds the heads. Where there is no room, all but the first so many are cut, and go
/// from the right.
pub(crate) fn columns(rows: &[Vec<String>], kept: usize) -> Vec<Column> {
    let number = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |row: &Vec<String>, index: usize| row.get(index).cloned().unwrap_or_default();
    let column = |index: usize| {
        let mut cells = rows.iter().map(|row| cells(row, index));
        let column = Column::new(&cells.next().unwrap_or_default(), cells);
        if index < kept { column } else { column.cut(1, 20).cut(2, 10).until(3) }
    };
    (0..number).map(column).collect()
}

/// How a table is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Rounded,
    Blank,
    Markdown,
}

/// A table that fits.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    /// The heads of the columns that there was no room for.
    gone: Vec<String>,
}

impl Table {
    /// Within so many columns of a terminal, if the columns that are always there do; without a number, whole.
    pub(crate) fn new(columns: Vec<Column>, width: Option<usize>) -> Self {
        let mut table = Self { columns, gone: Vec::new() };
        if let Some(width) = width {
            table.fit(width);
        }
        table
    }

    fn fit(&mut self, width: usize) {
        let forms = self.columns.iter().enumerate().flat_map(|(index, column)| {
            column.forms.iter().filter_map(move |form| Some((form.until?, Reverse(index))))
        });
        let mut steps: Vec<(u8, Reverse<usize>)> = forms.collect();
        // Of equal ones the last goes first.
        steps.sort_unstable();
        let mut steps = steps.into_iter();
        while width < self.width()
            && let Some((_, Reverse(index))) = steps.next()
        {
            self.columns[index].forms.remove(0);
        }
        let is_missed = |column: &&Column| column.forms.is_empty() && column.loss == Loss::Said;
        let gone = self.columns.iter().filter(is_missed);
        self.gone = gone.map(|column| column.head.clone()).collect();
        self.columns.retain(|column| !column.forms.is_empty());
    }

    /// Lines, and a blank at either side of a cell.
    fn width(&self) -> usize {
        let forms = self.columns.iter().filter_map(|column| column.forms.first());
        1 + forms.map(|form| form.width + 3).sum::<usize>()
    }

    /// A line about the columns that are gone; `all` says where they are. Empty without any.
    pub(crate) fn left_out(&self, all: &str) -> String {
        const NAMED: usize = 4;
        let named = self.gone.iter().take(NAMED).map(|head| within(head, 20));
        let named = named.collect::<Vec<_>>().join(", ");
        match self.gone.len() {
            0 => String::new(),
            n if n <= NAMED => format!("no room for {named}: {all}\n"),
            n => format!("no room for {named} and {} more columns: {all}\n", n - NAMED),
        }
    }

    /// Ends with a newline.
    pub(crate) fn text(&self, look: Look) -> String {
        let forms: Vec<&Form> =
            self.columns.iter().filter_map(|column| column.forms.first()).collect();
        let mut builder = Builder::new();
        for row in 0..forms.iter().map(|form| form.cells.len()).max().unwrap_or(0) {
            let cell = |form: &&Form| form.cells.get(row).cloned().unwrap_or_default();
            builder.push_record(forms.iter().map(cell));
        }
        let mut table = builder.build();
        match look {
            Look::Rounded => table.with(Style::rounded()),
            Look::Blank => table.with(Style::blank()),
            Look::Markdown => table.with(Style::markdown()),
        };
        for (index, column) in self.columns.iter().enumerate() {
            table.with(Modify::new(Columns::one(index)).with(column.alignment));
        }
        format!("{table}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn columns_go_in_their_order_until_the_rest_fits() {
        let table = |width| {
            let columns = vec![
                Column::new("#", texts(&["1", "2"])).right(),
                Column::new("name", texts(&["a long name", "b"])).cut(20, 6).until(30),
                Column::new("value", texts(&["0.9653 ± 0.0011", "0.5"])),
                Column::new("change", texts(&["1 ± 2", "2 ± 3"]))
                    .or(5, texts(&["1", "2"]))
                    .until(15),
                Column::new("seeds", texts(&["3/3", "1/3"])).until(10),
            ];
            let table = Table::new(columns, width);
            format!("{}gone: {}\n", table.text(Look::Rounded), table.gone.join(", "))
        };
        let all: Vec<String> = [None, Some(53), Some(52), Some(48), Some(42), Some(30), Some(5)]
            .into_iter()
            .map(table)
            .collect();
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn nothing_in_a_cell_is_obeyed_or_breaks_the_table() {
        let evil = ["a\nb", "\u{1b}[2J", "\u{202e}x", "\u{9b}1m", "x\u{1b}]0;t\u{7}", "学习率"];
        let columns = vec![
            Column::new("e\u{1b}[31mvil\n", texts(&evil)),
            Column::new("long", evil.iter().map(|_| "y".repeat(3_000_000))),
        ];
        let table = Table::new(columns, Some(120));
        insta::assert_snapshot!(table.text(Look::Rounded));
    }
}
