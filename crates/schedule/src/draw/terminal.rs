//! Pictures as text.

use std::fmt::Write;

use super::{Axis, Curve, Floor, Picture, label, step_ticks};

/// The bits of a braille pattern, by column and row of its dots.
const BRAILLE: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Escape codes: cyan, yellow, magenta, green, red, blue, and their bright forms.
const COLORS: [u8; 12] = [36, 33, 35, 32, 31, 34, 96, 93, 95, 92, 91, 94];

/// What characters may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Unicode,
    Ascii,
}

/// Whether escape sequences for colour are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Plain,
    Color,
}

/// How a picture is drawn: curves are told apart by colour where there is any, by their marks otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Characters across, labels included; at least 24.
    pub width: usize,
    /// Lines of the curves, to which the axis adds two; at least 2.
    pub height: usize,
    pub charset: Charset,
    pub ink: Ink,
}

/// Draws all curves over each other. Where they meet, they take turns. Where a value is unknown stands `?`.
pub fn draw(picture: &Picture, style: Style) -> String {
    let Some((bottom, top)) = picture.range() else { return String::from("(nothing to draw)\n") };
    let (width, height) = (style.width.max(24), style.height.max(2));
    let axis = picture.axis(bottom, top);
    let rows = levels((picture.floor, axis), bottom, top, height);
    let margin = rows.iter().map(|(_, label)| label.len()).max().unwrap_or(0);
    let columns = width.saturating_sub(margin + 2 + UNIT.len()).max(8);
    let form = Form::of(picture, style);
    let layers: Vec<Layer> = picture
        .curves
        .iter()
        .map(|curve| {
            let mut layer = Layer::new(columns, height, form);
            layer.draw(curve, picture.steps.max(1) as f64, axis, (bottom, top));
            layer
        })
        .collect();
    let (edge, tick) = match style.charset {
        Charset::Unicode => ('│', '┤'),
        Charset::Ascii => ('|', '+'),
    };
    let mut text = String::new();
    for row in 0..height {
        let found = rows.iter().find(|(at, _)| *at == row);
        let (label, edge) = found.map_or(("", edge), |(_, label)| (label.as_str(), tick));
        let line = line(&layers, row, columns, style, form);
        // A `String` takes everything.
        let _infallible = writeln!(text, "{label:>margin$} {edge}{line}");
    }
    text.push_str(&steps_axis(picture.steps, margin, columns, style.charset));
    text
}

/// What stands beside the vertical axis, each with its row: round numbers, and the ends where there is room, or always.
fn levels(
    (floor, axis): (Floor, Axis),
    bottom: f64,
    top: f64,
    height: usize,
) -> Vec<(usize, String)> {
    let row = |value: f64| {
        let share = axis.share(value, bottom, top);
        ((1.0 - share) * (height - 1) as f64).round() as usize
    };
    let mut levels: Vec<(usize, String)> = axis
        .ticks(bottom, top, (height / 3).max(1))
        .into_iter()
        .map(|value| (row(value), label(value)))
        .collect();
    if floor == Floor::Lowest {
        levels.retain(|(row, _)| (2..height.saturating_sub(2)).contains(row));
        levels.push((height - 1, label(bottom)));
    }
    if levels.iter().all(|(row, _)| 1 < *row) {
        levels.push((0, label(top)));
    }
    levels
}

/// A sample of the curve with that index, of `count` in the picture, for a legend.
pub fn swatch(index: usize, count: usize, style: Style) -> String {
    let mark = match (Form::new(count, style), style.charset) {
        (Form::Braille, _) => '━',
        (Form::Marks, charset) => mark(index, charset),
    };
    paint(&format!("{mark}{mark}"), index, style.ink)
}

fn paint(text: &str, index: usize, ink: Ink) -> String {
    match ink {
        Ink::Plain => text.to_owned(),
        Ink::Color => format!("\u{1b}[{}m{text}\u{1b}[0m", COLORS[index % COLORS.len()]),
    }
}

fn mark(index: usize, charset: Charset) -> char {
    let marks = match charset {
        Charset::Unicode => ['●', '○', '▲', '×', '◆', '□', '▼', '+'],
        Charset::Ascii => ['*', 'o', '#', 'x', '@', '=', '%', '+'],
    };
    marks[index % marks.len()]
}

/// What a curve is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Eight dots to a character; only colour tells curves apart.
    Braille,
    /// One character each.
    Marks,
}

impl Form {
    fn of(picture: &Picture, style: Style) -> Self {
        Self::new(picture.curves.len(), style)
    }

    fn new(curves: usize, style: Style) -> Self {
        let is_told_apart = curves < 2 || style.ink == Ink::Color;
        match style.charset {
            Charset::Unicode if is_told_apart => Self::Braille,
            _ => Self::Marks,
        }
    }

    /// Dots per character: across and down.
    fn grain(self) -> (usize, usize) {
        match self {
            Self::Braille => (2, 4),
            Self::Marks => (1, 1),
        }
    }
}

/// The dots of one curve.
struct Layer {
    grain: (usize, usize),
    width: usize,
    height: usize,
    dots: Vec<bool>,
    /// From where down to where a value may be, by column of dots, if it is unknown.
    unknown: Vec<Option<(usize, usize)>>,
}

impl Layer {
    fn new(columns: usize, rows: usize, form: Form) -> Self {
        let grain = form.grain();
        let (width, height) = (columns * grain.0, rows * grain.1);
        Self { grain, width, height, dots: vec![false; width * height], unknown: vec![None; width] }
    }

    fn draw(&mut self, curve: &Curve, steps: f64, axis: Axis, (bottom, top): (f64, f64)) {
        let across = (self.width - 1) as f64 / steps;
        let down = (self.height - 1) as f64;
        let row = |value: f64| (1.0 - axis.share(value, bottom, top).clamp(0.0, 1.0)) * down;
        let mut before: Option<(f64, f64)> = None;
        for &(step, value) in &curve.points {
            if !value.is_finite() {
                before = None;
                continue;
            }
            let here = (step * across, row(value));
            self.line(before.unwrap_or(here), here);
            if let Some(lowest) = curve.lowest {
                let span = (here.1.round() as usize, row(value * lowest).round() as usize);
                let column = |point: (f64, f64)| (point.0.round() as usize).min(self.width - 1);
                let columns = column(before.unwrap_or(here))..=column(here);
                self.unknown[columns].fill(Some(span));
            }
            before = Some(here);
        }
    }

    /// All dots between two points, given as column and row.
    fn line(&mut self, from: (f64, f64), to: (f64, f64)) {
        let dots = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil().max(1.0);
        for index in 0..=dots as usize {
            let share = index as f64 / dots;
            let column = (from.0 + (to.0 - from.0) * share).round() as usize;
            let row = (from.1 + (to.1 - from.1) * share).round() as usize;
            self.dots[row.min(self.height - 1) * self.width + column.min(self.width - 1)] = true;
        }
    }

    /// The braille bits of a character; not 0 if the curve passes through it.
    fn bits(&self, column: usize, row: usize) -> u32 {
        let (across, down) = self.grain;
        let mut pattern = 0;
        for (x, bits) in BRAILLE.iter().take(across).enumerate() {
            for (y, bit) in bits.iter().take(down).enumerate() {
                if self.dots[(row * down + y) * self.width + column * across + x] {
                    pattern |= bit;
                }
            }
        }
        pattern
    }

    /// Whether this character is one of those, far apart, that say that a value is unknown here.
    fn is_unknown(&self, column: usize, row: usize) -> bool {
        let is_chosen = row % 2 == 1 && (column + 3 * (row / 2)) % 6 == 3;
        let span = self.unknown[column * self.grain.0];
        is_chosen && span.is_some_and(|(from, to)| (from..=to).contains(&(row * self.grain.1)))
    }
}

fn line(layers: &[Layer], row: usize, columns: usize, style: Style, form: Form) -> String {
    let cells = (0..columns).map(|column| cell(layers, row, column, style, form));
    let cells: Vec<(Option<usize>, char)> = cells.collect();
    let end = cells.iter().rposition(|(owner, _)| owner.is_some()).map_or(0, |last| last + 1);
    let mut line = String::new();
    for run in cells[..end].chunk_by(|a, b| a.0 == b.0) {
        let text: String = run.iter().map(|(_, character)| character).collect();
        match run[0].0 {
            Some(owner) => line.push_str(&paint(&text, owner, style.ink)),
            None => line.push_str(&text),
        }
    }
    line
}

/// The character at a place, and the curve that it belongs to.
fn cell(
    layers: &[Layer],
    row: usize,
    column: usize,
    style: Style,
    form: Form,
) -> (Option<usize>, char) {
    let bits: Vec<u32> = layers.iter().map(|layer| layer.bits(column, row)).collect();
    let here: Vec<usize> = (0..bits.len()).filter(|&index| bits[index] != 0).collect();
    if here.is_empty() {
        let unknown = layers.iter().position(|layer| layer.is_unknown(column, row));
        return (unknown, if unknown.is_some() { '?' } else { ' ' });
    }
    let owner = here[column % here.len()];
    let character = match form {
        Form::Braille => {
            let all = bits.iter().fold(0, |all, bits| all | bits);
            char::from_u32(0x2800 + all).unwrap_or(' ')
        }
        Form::Marks => mark(owner, style.charset),
    };
    (Some(owner), character)
}

/// Stands behind the last number of the horizontal axis.
const UNIT: &str = " steps";

/// The horizontal axis and its numbers.
fn steps_axis(steps: u64, margin: usize, columns: usize, charset: Charset) -> String {
    let (corner, dash, tick) = match charset {
        Charset::Unicode => ('└', '─', '┬'),
        Charset::Ascii => ('+', '-', '+'),
    };
    let end = steps.max(1) as f64;
    let mut axis = vec![dash; columns];
    let mut numbers = String::new();
    for step in step_ticks(end, columns / 12) {
        let column = (step / end * (columns - 1) as f64).round() as usize;
        axis[column.min(columns - 1)] = tick;
        let text = label(step);
        let start = (column + 1).saturating_sub(text.len() / 2);
        let gap = start.saturating_sub(numbers.len());
        let _infallible = write!(numbers, "{:gap$}{text}", "");
    }
    let axis: String = axis.into_iter().collect();
    format!("{:margin$} {corner}{axis}\n{:margin$} {numbers}{UNIT}\n", "", "")
}
