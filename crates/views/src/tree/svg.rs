//! The tree as an SVG file: the more trials, the wider; the better the best of them, the greener.

use std::fmt::Write;

use pleach_core::{
    life::StageStatus,
    objective::{Goal, Objective},
};
use pleach_store::Branch;

use super::{Layout, Placed, result};
use crate::format::plural;

const WIDTH: f64 = 900.0;
const LEFT: f64 = 16.0;
const RIGHT: f64 = 740.0;
const TOP: f64 = 40.0;
/// Between two lines.
const LINE: f64 = 18.0;

const STYLE: &str = "<style>
text{font:12px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#57606a}
.page{fill:#fff;stroke:#d8dee4}
path{fill:none;stroke-linecap:round;stroke-linejoin:round}
.waiting{stroke:#8c959f;stroke-dasharray:1 5}.failed{stroke:#cf222e;stroke-dasharray:6 4}
@media(prefers-color-scheme:dark){text{fill:#9198a1}.page{fill:#0d1117;stroke:#30363d}}
</style>";

pub fn svg(branches: &[Branch], objective: &Objective) -> String {
    let layout = Layout::new(branches, objective.goal, 0);
    let height = TOP + LINE * layout.lines as f64 + 16.0;
    let x = |step: u64| LEFT + (RIGHT - LEFT) * step as f64 / layout.steps.max(1) as f64;
    let y = |line: usize| TOP + LINE * (line as f64 + 0.5);
    let finite =
        || branches.iter().filter_map(|branch| branch.best).filter(|best| best.is_finite());
    let lowest = finite().fold(f64::INFINITY, f64::min);
    let highest = finite().fold(f64::NEG_INFINITY, f64::max);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n<title>Trials that share their training</title>\n{STYLE}\n<rect class=\"page\" x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n<text x=\"{LEFT}\" y=\"24\">0</text><text x=\"{RIGHT}\" y=\"24\" text-anchor=\"end\">{} steps</text><text x=\"{}\" y=\"24\">{}</text>\n",
        WIDTH - 1.0,
        height - 1.0,
        layout.steps,
        RIGHT + 12.0,
        escaped(&objective.metric),
    );
    // Children first, so that what they branch off from lies on top of their beginnings.
    for Placed { branch, line, branches } in layout.placed.iter().rev() {
        let (begin, end) = (x(branch.first), x(branch.end));
        // A `String` takes everything, here and below.
        for below in branches.iter().skip(1) {
            let _infallible = writeln!(
                svg,
                "<path d=\"M{end:.1} {:.1}V{:.1}\" stroke=\"#8c959f\" stroke-width=\"1\"/>",
                y(*line),
                y(*below)
            );
        }
        let ink = match branch.status {
            StageStatus::Waiting | StageStatus::Running(_) => "class=\"waiting\"".to_owned(),
            StageStatus::Failed | StageStatus::Diverged => "class=\"failed\"".to_owned(),
            StageStatus::Done | StageStatus::Rebuilding(_) => {
                let share = branch.best.map(|best| (best - lowest) / (highest - lowest));
                format!("stroke=\"{}\"", color(share, objective))
            }
        };
        let _infallible = writeln!(
            svg,
            "<path d=\"M{begin:.1} {:.1}H{end:.1}\" {ink} stroke-width=\"{:.1}\"><title>steps {} to {}, {}</title></path>",
            y(*line),
            2.0 + (branch.trials as f64).log2(),
            branch.first,
            branch.end,
            plural(branch.trials, "trial"),
        );
        for (place, (trial, status, value)) in branch.ending.iter().enumerate() {
            let value = result(*status, *value);
            // Trials that end together, or before others on the same line, stand one beside the other.
            let right = if branches.is_empty() { RIGHT + 12.0 } else { end + 4.0 };
            let _infallible = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\">{value} <tspan fill-opacity=\".6\">trial {}</tspan></text>",
                right + 110.0 * place as f64,
                y(*line) + if branches.is_empty() { 4.0 } else { -4.0 },
                trial.0,
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// From red over grey to green as the best trial is among the best; `share` is 0 at the lowest objective and 1 at the
/// highest.
fn color(share: Option<f64>, objective: &Objective) -> String {
    let Some(share) = share.filter(|share| share.is_finite()) else { return "#8c959f".to_owned() };
    let good = match objective.goal {
        Goal::Max => share,
        Goal::Min => 1.0 - share,
    };
    format!("hsl({:.0} 55% 45%)", 10.0 + 140.0 * good.clamp(0.0, 1.0))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
