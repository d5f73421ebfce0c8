//! The data set `digits`: hand-drawn-looking digits of 28 × 28 pixels, made here, so that a sweep needs no files. Each
//! image is a few strokes, their points moved a little, bent by a smooth displacement, turned, stretched and slanted,
//! drawn with a pen of some width, with noise. Image `index` depends on `index` alone.

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
        Part { pixels, labels: (first..first + n).map(|index| (index % 10) as u8).collect() }
    };
    RawData { rows: SIDE, columns: SIDE, train: part(0, N_TRAIN), test: part(N_TRAIN, N_TEST) }
}

fn draw(index: usize, image: &mut [u8]) {
    let mut random = Random::new(0, Purpose::Digit { index: index as u64 });
    let warp = Warp::new(&mut random);
    let pen = random.between(0.028, 0.062);
    let mut segments = Vec::new();
    for stroke in STROKES[index % 10] {
        let moved: Vec<Point> = stroke
            .iter()
            .map(|&(x, y)| (x + 0.028 * random.normal(), y + 0.028 * random.normal()))
            .collect();
        let line: Vec<Point> = smooth(&moved).into_iter().map(|point| warp.apply(point)).collect();
        segments.extend(line.windows(2).map(|ends| (ends[0], ends[1])));
    }
    let ink = random.between(0.75, 1.0);
    let noise = random.between(0.0, 0.12);
    for (place, pixel) in image.iter_mut().enumerate() {
        let at = ((place % SIDE) as f64 / 27.0, (place / SIDE) as f64 / 27.0);
        let distance = segments
            .iter()
            .map(|&segment| squared_distance(at, segment))
            .fold(f64::INFINITY, f64::min)
            .sqrt();
        // The pen's edge is about a pixel wide.
        let drawn = ink * (1.0 - (distance - pen) / 0.036).clamp(0.0, 1.0);
        let value = drawn + noise * random.normal() * if drawn == 0.0 { 0.25 } else { 1.0 };
        *pixel = (value * 255.0).round().clamp(0.0, 255.0) as u8;
    }
}

/// An affine map about the centre and a smooth displacement.
struct Warp {
    matrix: [f64; 4],
    shift: Point,
    waves: [(f64, f64, f64, Point); 3],
}

impl Warp {
    fn new(random: &mut Random) -> Self {
        let (sin, cos) = (0.16 * random.normal()).clamp(-0.4, 0.4).sin_cos();
        let (wide, tall) = (random.between(0.7, 1.05), random.between(0.75, 1.0));
        let slant = 0.18 * random.normal();
        let matrix =
            [cos * wide, (cos * slant - sin) * tall, sin * wide, (sin * slant + cos) * tall];
        let shift = (random.between(-0.09, 0.09), random.between(-0.08, 0.08));
        let waves = std::array::from_fn(|_| {
            let (fx, fy) = (random.between(-1.5, 1.5), random.between(-1.5, 1.5));
            let phase = random.between(0.0, std::f64::consts::TAU);
            (fx, fy, phase, (0.03 * random.normal(), 0.03 * random.normal()))
        });
        Self { matrix, shift, waves }
    }

    fn apply(&self, (x, y): Point) -> Point {
        let (mut u, mut v) = (x, y);
        for (fx, fy, phase, (dx, dy)) in self.waves {
            let wave = (std::f64::consts::TAU * (fx * x + fy * y) + phase).sin();
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

fn squared_distance((x, y): Point, ((ax, ay), (bx, by)): (Point, Point)) -> f64 {
    let (dx, dy) = (bx - ax, by - ay);
    let length = (dx * dx + dy * dy).max(1e-12);
    let t = (((x - ax) * dx + (y - ay) * dy) / length).clamp(0.0, 1.0);
    (x - ax - t * dx).powi(2) + (y - ay - t * dy).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

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
