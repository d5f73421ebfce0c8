//! Pictures as SVG files: readable on light and on dark pages, and small.

use std::fmt::Write;

use super::{Curve, Picture, label, step_ticks, ticks};

/// Lines that stand out from white as from black, and from each other for most colour-blind people.
const COLORS: [&str; 8] =
    ["#3b82f6", "#d97706", "#059669", "#db2777", "#8b5cf6", "#0891b2", "#ef4444", "#65a30d"];

/// From the ninth curve on, colours come back dashed.
const DASHES: [&str; 3] = ["", "7 4", "2 4"];

/// What is drawn around the curves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Axes with their names, and a legend.
    Full,
    /// Small, with the names above and only the ends of the axes: one of many on a page.
    Small,
}

/// Draws all curves over each other, the first on top.
pub fn draw(picture: &Picture, frame: Frame) -> String {
    let layout = Layout::of(picture, frame);
    let (bottom, top) = picture.range().unwrap_or((0.0, 1.0));
    let scale = Scale { layout, steps: picture.steps.max(1) as f64, bottom, top };
    let mut svg = String::new();
    // A `String` takes everything, here and below.
    let _infallible = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n<title>{}</title>\n{STYLE}\n<rect class=\"page\" x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"8\"/>",
        escaped(&names(picture)),
        layout.width - 1.0,
        layout.height - 1.0,
        width = layout.width,
        height = layout.height,
    );
    svg.push_str(&axes(&scale, frame));
    for (index, curve) in picture.curves.iter().enumerate().rev() {
        svg.push_str(&line(curve, index, &scale));
    }
    let text = match frame {
        Frame::Full => legend(picture, &scale),
        Frame::Small => title(picture),
    };
    svg.push_str(&text);
    svg.push_str("</svg>\n");
    svg
}

const STYLE: &str = "<style>
text{font:12px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#57606a}
.page{fill:#fff;stroke:#d8dee4}.grid{stroke:#eaeef2}.axis{stroke:#8c959f}.name{fill:#24292f}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
@media(prefers-color-scheme:dark){text{fill:#9198a1}.page{fill:#0d1117;stroke:#30363d}.grid{stroke:#21262d}.axis{stroke:#6e7681}.name{fill:#e6edf3}}
</style>";

/// Places of everything, in pixels.
#[derive(Clone, Copy)]
struct Layout {
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Layout {
    fn of(picture: &Picture, frame: Frame) -> Self {
        match frame {
            Frame::Small => Self {
                width: 260.0,
                height: 150.0,
                left: 36.0,
                right: 244.0,
                top: 40.0,
                bottom: 120.0,
            },
            Frame::Full => {
                let below = 70.0 + LEGEND_LINE * picture.curves.len() as f64;
                let (top, bottom) = (44.0, 324.0);
                Self { width: 760.0, height: bottom + below, left: 72.0, right: 736.0, top, bottom }
            }
        }
    }
}

const LEGEND_LINE: f64 = 20.0;

/// From steps and values to pixels.
struct Scale {
    layout: Layout,
    steps: f64,
    bottom: f64,
    top: f64,
}

impl Scale {
    fn x(&self, step: f64) -> f64 {
        self.layout.left + (self.layout.right - self.layout.left) * step / self.steps
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.bottom) / (self.top - self.bottom);
        self.layout.bottom - (self.layout.bottom - self.layout.top) * share
    }
}

fn axes(scale: &Scale, frame: Frame) -> String {
    let Layout { left, right, top, bottom, .. } = scale.layout;
    let (across, up) = match frame {
        Frame::Full => (step_ticks(scale.steps, 5), ticks(scale.bottom, scale.top, 5)),
        Frame::Small => (vec![0.0, scale.steps], vec![scale.bottom, scale.top]),
    };
    let mut svg = String::new();
    for value in up {
        let y = rounded(scale.y(value));
        let (label_x, label_y) = (rounded(left - 8.0), rounded(scale.y(value) + 4.0));
        let _infallible = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{left} {y}H{right}\"/><text x=\"{label_x}\" y=\"{label_y}\" text-anchor=\"end\">{}</text>",
            label(value)
        );
    }
    let zero = rounded(scale.y(scale.bottom.max(0.0)));
    let _infallible = writeln!(svg, "<path class=\"axis\" d=\"M{left} {zero}H{right}\"/>");
    for value in across {
        let (x, y) = (rounded(scale.x(value)), rounded(bottom + 18.0));
        let (anchor, unit) = match frame {
            Frame::Full => ("middle", ""),
            Frame::Small if value == 0.0 => ("start", ""),
            Frame::Small => ("end", " steps"),
        };
        let _infallible = writeln!(
            svg,
            "<path class=\"axis\" d=\"M{x} {zero}v5\"/><text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}{unit}</text>",
            label(value)
        );
    }
    if frame == Frame::Full {
        let middle = rounded(f64::midpoint(left, right));
        let _infallible = writeln!(
            svg,
            "<text x=\"24\" y=\"{}\">learning rate</text><text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">step</text>",
            rounded(top - 18.0),
            rounded(bottom + 36.0)
        );
    }
    svg
}

fn line(curve: &Curve, index: usize, scale: &Scale) -> String {
    let mut svg = String::new();
    for stretch in curve.points.split(|(_, value)| !value.is_finite()) {
        let at = |&(step, value): &(f64, f64)| (scale.x(step), scale.y(value));
        let points: Vec<(f64, f64)> = stretch.iter().map(at).collect();
        if points.is_empty() {
            continue;
        }
        if let Some(lowest) = curve.lowest {
            let low = stretch.iter().rev().map(|&(step, value)| at(&(step, value * lowest)));
            let low: Vec<(f64, f64)> = low.collect();
            let _infallible = writeln!(
                svg,
                "<path fill=\"{}\" opacity=\".15\" d=\"M{}L{}Z\"/>",
                COLORS[index % COLORS.len()],
                path(&points),
                path(&low)
            );
        }
        let (stroke, path) = (stroke(index), path(&points));
        let _infallible = writeln!(svg, "<path class=\"line\" {stroke} d=\"M{path}\"/>");
    }
    svg
}

/// How the curve with that index is told apart.
fn stroke(index: usize) -> String {
    let color = COLORS[index % COLORS.len()];
    match DASHES[index / COLORS.len() % DASHES.len()] {
        "" => format!("stroke=\"{color}\""),
        dash => format!("stroke=\"{color}\" stroke-dasharray=\"{dash}\""),
    }
}

fn legend(picture: &Picture, scale: &Scale) -> String {
    const LETTERS: usize = 96;
    let mut svg = String::new();
    for (index, curve) in picture.curves.iter().enumerate() {
        let left = scale.layout.left;
        let y = rounded(scale.layout.bottom + 64.0 + LEGEND_LINE * index as f64);
        let unknown = if curve.lowest.is_some() { UNKNOWN } else { "" };
        let name = shortened(&curve.name, LETTERS - unknown.len());
        let _infallible = writeln!(
            svg,
            "<path class=\"line\" {} d=\"M{left} {}h24\"/><text class=\"name\" x=\"{}\" y=\"{y}\">{}{unknown}</text>",
            stroke(index),
            y - 4.0,
            left + 34.0,
            escaped(&name)
        );
    }
    svg
}

fn title(picture: &Picture) -> String {
    let name = escaped(&names(picture));
    format!("<text class=\"name\" x=\"16\" y=\"24\">{name}</text>\n")
}

const UNKNOWN: &str = " (at most: evaluations may lower it)";

fn names(picture: &Picture) -> String {
    let names: Vec<&str> = picture.curves.iter().map(|curve| curve.name.as_str()).collect();
    names.join("; ")
}

fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 1).chain(['…']).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A coordinate with one digit after the point: less than the eye sees.
fn rounded(pixels: f64) -> f64 {
    (pixels * 10.0).round() / 10.0
}

fn path(points: &[(f64, f64)]) -> String {
    let kept = simplified(points);
    let texts: Vec<String> =
        kept.iter().map(|&(x, y)| format!("{} {}", rounded(x), rounded(y))).collect();
    texts.join(" ")
}

/// The points that a line cannot do without if it may stray by a tenth of a pixel (Ramer, Douglas and Peucker).
fn simplified(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    const TOLERANCE: f64 = 0.1;
    let Some(last) = points.len().checked_sub(1) else { return Vec::new() };
    let mut is_kept = vec![false; points.len()];
    (is_kept[0], is_kept[last]) = (true, true);
    let mut open = vec![(0, last)];
    while let Some((first, last)) = open.pop() {
        let (from, to) = (points[first], points[last]);
        let farthest = (first + 1..last)
            .map(|index| (distance(points[index], from, to), index))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, index)) = farthest.filter(|(distance, _)| TOLERANCE < *distance) {
            is_kept[index] = true;
            open.extend([(first, index), (index, last)]);
        }
    }
    points.iter().zip(is_kept).filter(|(_, is_kept)| *is_kept).map(|(point, _)| *point).collect()
}

/// From a point to the straight line through two others.
fn distance(point: (f64, f64), from: (f64, f64), to: (f64, f64)) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy);
    if length == 0.0 {
        return (point.0 - from.0).hypot(point.1 - from.1);
    }
    ((point.0 - from.0) * dy - (point.1 - from.1) * dx).abs() / length
}
