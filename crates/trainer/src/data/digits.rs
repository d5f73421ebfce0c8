//! The data set `digits`: hand-drawn-looking digits of 28 × 28 pixels, made here, so that a sweep needs no files. Each
//! image is a few strokes, their points moved a little, bent by a smooth displacement, turned, stretched and slanted,
//! drawn with a pen of some width, with noise. Image `index` depends on `index` alone, on every machine: only arithmetic
//! that is rounded the same everywhere is used, no sine or logarithm of a library.

use super::{Part, RawData};
use crate::random::{Purpose, Random};

const SIDE: usize = 28;
const N_TRAIN: usize = 10_000;
const N_TEST: usize = 2_000;

type Point = (f64, f64);

/// The strokes of each digit in the unit square, y downwards.
const STROKES: [&[&[Point]]; 10] = [
    &[&[
        (0.5, 0.1),
        (0.3, 0.2),
        (0.22, 0.5),
        (0.3, 0.8),
        (0.5, 0.9),
        (0.7, 0.8),
        (0.78, 0.5),
        (0.7, 0.2),
        (0.5, 0.1),
    ]],
    &[&[(0.36, 0.26), (0.46, 0.18), (0.54, 0.1), (0.54, 0.5), (0.54, 0.9)]],
    &[&[
        (0.25, 0.3),
        (0.32, 0.15),
        (0.5, 0.1),
        (0.7, 0.18),
        (0.72, 0.35),
        (0.55, 0.58),
        (0.24, 0.88),
        (0.5, 0.87),
        (0.78, 0.88),
    ]],
    &[&[
        (0.25, 0.16),
        (0.5, 0.1),
        (0.7, 0.2),
        (0.68, 0.38),
        (0.44, 0.48),
        (0.7, 0.57),
        (0.76, 0.75),
        (0.55, 0.9),
        (0.24, 0.84),
    ]],
    &[
        &[(0.6, 0.1), (0.4, 0.38), (0.2, 0.64), (0.5, 0.64), (0.82, 0.63)],
        &[(0.62, 0.38), (0.62, 0.64), (0.61, 0.92)],
    ],
    &[&[
        (0.74, 0.11),
        (0.54, 0.11),
        (0.33, 0.12),
        (0.3, 0.28),
        (0.28, 0.45),
        (0.52, 0.41),
        (0.74, 0.55),
        (0.74, 0.76),
        (0.5, 0.9),
        (0.24, 0.83),
    ]],
    &[&[
        (0.66, 0.12),
        (0.42, 0.28),
        (0.28, 0.55),
        (0.3, 0.78),
        (0.5, 0.9),
        (0.7, 0.8),
        (0.7, 0.62),
        (0.5, 0.52),
        (0.3, 0.64),
    ]],
    &[&[(0.22, 0.13), (0.5, 0.12), (0.78, 0.13), (0.62, 0.5), (0.45, 0.9)]],
    &[&[
        (0.52, 0.48),
        (0.32, 0.34),
        (0.36, 0.16),
        (0.54, 0.1),
        (0.7, 0.2),
        (0.66, 0.36),
        (0.48, 0.5),
        (0.28, 0.68),
        (0.34, 0.85),
        (0.54, 0.9),
        (0.74, 0.8),
        (0.72, 0.63),
        (0.52, 0.48),
    ]],
    &[&[
        (0.7, 0.3),
        (0.62, 0.14),
        (0.44, 0.11),
        (0.3, 0.24),
        (0.34, 0.42),
        (0.52, 0.47),
        (0.7, 0.32),
        (0.68, 0.6),
        (0.58, 0.9),
    ]],
];

/// Makes the whole set: labels in turn, so that every class is as frequent as the others.
pub(super) fn make() -> RawData {
    let part = |first: usize, n: usize| {
        let mut pixels = vec![0; n * SIDE * SIDE];
        for (index, image) in pixels.chunks_exact_mut(SIDE * SIDE).enumerate() {
            draw(first + index, image);
        }
        Part::new(pixels, (first..first + n).map(|index| (index % 10) as u8).collect())
    };
    RawData { rows: SIDE, columns: SIDE, train: part(0, N_TRAIN), test: part(N_TRAIN, N_TEST) }
}

/// The width of the pen's edge, where the ink fades: about a pixel.
const EDGE: f64 = 0.036;

fn draw(index: usize, image: &mut [u8]) {
    let mut random = Random::new(0, Purpose::Digit { index: index as u64 });
    let warp = Warp::new(&mut random);
    let pen = random.between(0.028, 0.062);
    // Squared distance to the nearest stroke; only right for pixels that ink reaches.
    let mut nearest = [f64::INFINITY; SIDE * SIDE];
    for stroke in STROKES[index % 10] {
        let mut shake = |at: f64| at + 0.028 * normal(&mut random);
        let moved: Vec<Point> = stroke.iter().map(|&(x, y)| (shake(x), shake(y))).collect();
        let line: Vec<Point> = smooth(&moved).into_iter().map(|point| warp.apply(point)).collect();
        for ends in line.windows(2) {
            approach(&mut nearest, ends[0], ends[1], pen + EDGE);
        }
    }
    let ink = random.between(0.75, 1.0);
    let noise = random.between(0.0, 0.12);
    let mut grain = [0; 4 * SIDE * SIDE];
    random.fill(&mut grain);
    for ((pixel, &squared), grain) in image.iter_mut().zip(&nearest).zip(grain.chunks_exact(4)) {
        let drawn = if squared < (pen + EDGE) * (pen + EDGE) {
            ink * (1.0 - (squared.sqrt() - pen) / EDGE).clamp(0.0, 1.0)
        } else {
            0.0
        };
        // Four bytes have the mean 510, the variance 4 (256² - 1) / 12, and nearly the shape of a normal number.
        let sum: u16 = grain.iter().map(|&byte| u16::from(byte)).sum();
        let grain = noise * (f64::from(sum) - 510.0) / 147.800_766_8;
        let value = drawn + grain * if drawn == 0.0 { 0.25 } else { 1.0 };
        // The conversion rounds down, and keeps to 0 and 255.
        *pixel = (value * 255.0 + 0.5) as u8;
    }
}

/// Lowers the squared distances of the pixels around a segment, as far as ink reaches.
fn approach(nearest: &mut [f64; SIDE * SIDE], (ax, ay): Point, (bx, by): Point, reach: f64) {
    const LAST: f64 = (SIDE - 1) as f64;
    let (dx, dy) = (bx - ax, by - ay);
    let scale = 1.0 / (dx * dx + dy * dy).max(1e-12);
    // The conversion keeps to 0 what lies outside of the image.
    let first = |a: f64, b: f64| ((a.min(b) - reach) * LAST) as usize;
    let end = |a: f64, b: f64| (((a.max(b) + reach) * LAST + 1.0) as usize).min(SIDE);
    let columns = first(ax, bx)..end(ax, bx);
    for row in first(ay, by)..end(ay, by) {
        let y = row as f64 / LAST - ay;
        for column in columns.clone() {
            let x = column as f64 / LAST - ax;
            let t = ((x * dx + y * dy) * scale).clamp(0.0, 1.0);
            let (x, y) = (x - t * dx, y - t * dy);
            let place = &mut nearest[row * SIDE + column];
            *place = place.min(x * x + y * y);
        }
    }
}

/// Nearly a standard normal number: the sum of twelve uniform ones, less its mean.
fn normal(random: &mut Random) -> f64 {
    (0..12).map(|_| random.uniform()).sum::<f64>() - 6.0
}

/// The sine of so many turns, to 1e-7, by its Taylor series in the nearest quarter turn.
fn sine(turns: f64) -> f64 {
    let turns = turns - turns.floor() - 0.5;
    let folded = if turns.abs() <= 0.25 { turns } else { turns.signum() * 0.5 - turns };
    let x = -std::f64::consts::TAU * folded;
    let coefficients =
        [-1.0 / 39_916_800.0, 1.0 / 362_880.0, -1.0 / 5040.0, 1.0 / 120.0, -1.0 / 6.0];
    let sum = coefficients.iter().fold(0.0, |sum, coefficient| (sum + coefficient) * x * x);
    x + x * sum
}

/// An affine map about the centre and a smooth displacement.
struct Warp {
    matrix: [f64; 4],
    shift: Point,
    /// Turns per unit of x and of y, turns at the origin, and how far the crest moves a point.
    waves: [(f64, f64, f64, Point); 3],
}

impl Warp {
    fn new(random: &mut Random) -> Self {
        let angle = (0.16 * normal(random)).clamp(-0.4, 0.4) / std::f64::consts::TAU;
        let (sin, cos) = (sine(angle), sine(angle + 0.25));
        let (wide, tall) = (random.between(0.7, 1.05), random.between(0.75, 1.0));
        let slant = 0.18 * normal(random);
        let matrix =
            [cos * wide, (cos * slant - sin) * tall, sin * wide, (sin * slant + cos) * tall];
        let shift = (random.between(-0.09, 0.09), random.between(-0.08, 0.08));
        let waves = std::array::from_fn(|_| {
            let (fx, fy) = (random.between(-1.5, 1.5), random.between(-1.5, 1.5));
            let phase = random.uniform();
            (fx, fy, phase, (0.03 * normal(random), 0.03 * normal(random)))
        });
        Self { matrix, shift, waves }
    }

    fn apply(&self, (x, y): Point) -> Point {
        let (mut u, mut v) = (x, y);
        for (fx, fy, phase, (dx, dy)) in self.waves {
            let wave = sine(fx * x + fy * y + phase);
            u += dx * wave;
            v += dy * wave;
        }
        let (u, v) = (u - 0.5, v - 0.5);
        let [a, b, c, d] = self.matrix;
        (0.5 + a * u + b * v + self.shift.0, 0.5 + c * u + d * v + self.shift.1)
    }
}

/// A curve through the points (Catmull and Rom), four pieces to a span.
fn smooth(points: &[Point]) -> Vec<Point> {
    let at = |index: isize| points[index.clamp(0, points.len() as isize - 1) as usize];
    let mut line = vec![points[0]];
    for index in 0..points.len() as isize - 1 {
        let (p0, p1, p2, p3) = (at(index - 1), at(index), at(index + 1), at(index + 2));
        for quarter in 1..=4 {
            let t = f64::from(quarter) / 4.0;
            let blend = |a: f64, b: f64, c: f64, d: f64| {
                0.5 * (2.0 * b
                    + (c - a) * t
                    + (2.0 * a - 5.0 * b + 4.0 * c - d) * t * t
                    + (3.0 * b - a - 3.0 * c + d) * t * t * t)
            };
            line.push((blend(p0.0, p1.0, p2.0, p3.0), blend(p0.1, p1.1, p2.1, p3.1)));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sine_is_a_sine() {
        for step in -1000..=1000 {
            let turns = f64::from(step) / 300.0;
            let right = (std::f64::consts::TAU * turns).sin();
            assert!((sine(turns) - right).abs() < 1e-7, "{turns}: {} {right}", sine(turns));
        }
    }

    #[test]
    fn ink_reaches_every_pixel_that_is_near_enough() {
        let (a, b, reach) = ((0.95, 0.3), (1.2, -0.1), 0.2);
        let mut nearest = [f64::INFINITY; SIDE * SIDE];
        approach(&mut nearest, a, b, reach);
        for (place, &found) in nearest.iter().enumerate() {
            let (x, y) = ((place % SIDE) as f64 / 27.0, (place / SIDE) as f64 / 27.0);
            let away = |t: f64| (x - a.0 - t * (b.0 - a.0)).hypot(y - a.1 - t * (b.1 - a.1));
            let right = (0..=1000).map(|step| away(f64::from(step) / 1e3)).fold(9.0, f64::min);
            assert!(reach < right || (found.sqrt() - right).abs() < 1e-5, "{place}");
        }
    }

    #[test]
    fn a_digit_is_the_same_for_ever() {
        let mut image = [0; SIDE * SIDE];
        draw(13, &mut image);
        let text: Vec<String> = image
            .chunks(SIDE)
            .map(|row| {
                row.iter().map(|&pixel| b" .:*#@"[usize::from(pixel) * 6 / 256] as char).collect()
            })
            .collect();
        insta::assert_snapshot!(text.join("\n"));
    }
}
