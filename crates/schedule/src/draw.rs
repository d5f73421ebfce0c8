//! Curves as text, for a terminal: one or several, with the range of both axes.

use std::fmt::Write;

/// The bits of a braille pattern, by column and row of its dots.
const BRAILLE: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// What characters may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// Braille patterns: eight dots to a character.
    Unicode,
    Ascii,
}

/// Draws `curves`, each a list of values at equal distances, over each other into `width` × `height` characters (at
/// least 8 × 2), the axis labels included. The vertical axis starts at 0, or at the lowest value if that is negative.
pub fn sketch(curves: &[Vec<f64>], width: usize, height: usize, charset: Charset) -> String {
    let (width, height) = (width.max(8), height.max(2));
    let finite = || curves.iter().flatten().copied().filter(|value| value.is_finite());
    let top = finite().fold(f64::NEG_INFINITY, f64::max);
    let bottom = finite().fold(0.0, f64::min);
    if top == f64::NEG_INFINITY {
        return String::from("(nothing to draw)\n");
    }
    let top = if bottom < top { top } else { bottom + 1.0 };
    let labels = [label(top), label(bottom)];
    let margin = labels.iter().map(String::len).max().unwrap_or(0);
    let columns = width.saturating_sub(margin + 2).max(4);
    let mut canvas = Canvas::new(columns, height, charset);
    for curve in curves {
        canvas.draw(curve, bottom, top);
    }
    let mut text = String::new();
    for (row, line) in canvas.lines().enumerate() {
        let label = match row {
            0 => &labels[0],
            _ if row + 1 == height => &labels[1],
            _ => "",
        };
        let axis = if charset == Charset::Unicode { '│' } else { '|' };
        let line = line.trim_end();
        let _always_ok = writeln!(text, "{label:>margin$} {axis}{line}");
    }
    text
}

fn label(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-3..1e5).contains(&magnitude) {
        format!("{value:.2e}")
    } else {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// Dots in a grid finer than the characters.
struct Canvas {
    columns: usize,
    rows: usize,
    charset: Charset,
    dots: Vec<bool>,
}

impl Canvas {
    fn new(columns: usize, rows: usize, charset: Charset) -> Self {
        let mut canvas = Self { columns, rows, charset, dots: Vec::new() };
        canvas.dots = vec![false; canvas.width() * canvas.height()];
        canvas
    }

    /// Dots per character: across and down.
    fn grain(&self) -> (usize, usize) {
        match self.charset {
            Charset::Unicode => (2, 4),
            Charset::Ascii => (1, 1),
        }
    }

    fn width(&self) -> usize {
        self.columns * self.grain().0
    }

    fn height(&self) -> usize {
        self.rows * self.grain().1
    }

    fn draw(&mut self, curve: &[f64], bottom: f64, top: f64) {
        let (width, height) = (self.width(), self.height());
        let mut before: Option<usize> = None;
        for column in 0..width {
            let index = column * curve.len().saturating_sub(1) / (width - 1).max(1);
            let value = match curve.get(index) {
                Some(value) if value.is_finite() => *value,
                _ => {
                    before = None;
                    continue;
                }
            };
            let share = ((value - bottom) / (top - bottom)).clamp(0.0, 1.0);
            let row = ((1.0 - share) * (height - 1) as f64).round() as usize;
            // A steep piece is a line, not two lonely dots.
            let (first, last) = match before {
                Some(before) if before < row => (before + 1, row),
                Some(before) if row < before => (row, before - 1),
                _ => (row, row),
            };
            for row in first..=last {
                self.dots[row * width + column] = true;
            }
            before = Some(row);
        }
    }

    fn lines(&self) -> impl Iterator<Item = String> + '_ {
        (0..self.rows)
            .map(|row| (0..self.columns).map(|column| self.character(column, row)).collect())
    }

    fn character(&self, column: usize, row: usize) -> char {
        let (across, down) = self.grain();
        let dot =
            |x: usize, y: usize| self.dots[(row * down + y) * self.width() + column * across + x];
        if self.charset == Charset::Ascii {
            return if dot(0, 0) { '*' } else { ' ' };
        }
        let mut pattern = 0;
        for (x, bits) in BRAILLE.iter().enumerate() {
            for (y, bit) in bits.iter().enumerate() {
                if dot(x, y) {
                    pattern |= bit;
                }
            }
        }
        if pattern == 0 { ' ' } else { char::from_u32(0x2800 + pattern).unwrap_or(' ') }
    }
}
