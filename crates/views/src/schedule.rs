//! Learning-rate schedules: drawn over each other, as tables of values, and what people compare them by.

use std::{fmt::Write, iter::once};

use pleach_core::{plain::within, plan::Scheduled, value};
use pleach_schedule::{
    draw::{Curve, Floor, Picture, svg, terminal, ticks},
    duration::Horizon,
    line::short,
    snippet::{self, Framework, Optimizer},
};
use tabled::{
    builder::Builder,
    settings::{
        Alignment, Modify, Style, Width,
        object::{Rows, Segment},
    },
};

use crate::format::{percent, rate};

/// A schedule under the name that a person knows it by.
#[derive(Clone, Debug)]
pub struct Named {
    pub name: String,
    pub scheduled: Scheduled,
}

/// A drawing, then what each schedule is.
pub fn text(schedules: &[Named], steps: u64, style: terminal::Style) -> String {
    let mut text = terminal::draw(&picture(schedules, steps), style);
    for (index, Named { name, scheduled }) in schedules.iter().enumerate() {
        let key = match schedules.len() {
            1 => String::new(),
            count => terminal::swatch(index, count, style) + " ",
        };
        let Scheduled { written, text: resolved, .. } = scheduled;
        // A `String` takes everything, here and below.
        let _infallible =
            writeln!(text, "\n{key}{}\n    {}", within(name, 200), facts(scheduled, steps));
        for (what, line) in [("", written), ("in steps: ", resolved)] {
            if line != name && (what.is_empty() || line != written) {
                let _infallible = writeln!(text, "    {what}{}", within(&short(line), 1000));
            }
        }
        if let Some(momentum) = &scheduled.momentum {
            let _infallible = writeln!(text, "    momentum: {momentum}");
        }
        if let Some(plateau) = &scheduled.plateau {
            let _infallible = writeln!(
                text,
                "    drawn is the highest it can be: evaluations without improvement lower it, at most to {} of that (?)",
                plateau.min
            );
        }
    }
    text.push_str("\narea: mean over highest rate; anytime: the same for any number of steps; budgeted: made for this one\n");
    text
}

/// `peak 0.1, area 0.50, warm-up 5%, cooldown 95%, budgeted`.
pub(crate) fn facts(scheduled: &Scheduled, steps: u64) -> String {
    let peak = scheduled.resolved.peak();
    let highest = scheduled.resolved.summary(steps).highest;
    let reached = if (highest - peak).abs() <= 1e-9 * peak {
        String::new()
    } else {
        format!(" (reaches {})", rate(highest))
    };
    format!("peak {peak}{reached}, {}", profile_facts(scheduled, steps))
}

/// What does not depend on the peak.
pub(crate) fn profile_facts(scheduled: &Scheduled, steps: u64) -> String {
    let summary = scheduled.resolved.summary(steps);
    format!(
        "area {:.2}, warm-up {}, cooldown {}, {}",
        summary.area,
        percent(summary.warmup),
        percent(summary.cooldown),
        if scheduled.is_anytime { "anytime" } else { "budgeted" }
    )
}

/// One schedule, drawn in multiples of its peak.
pub(crate) fn profile_picture(name: &str, scheduled: &Scheduled, steps: u64) -> Picture {
    let mut picture = value_picture(name, scheduled, steps);
    let peak = scheduled.resolved.peak();
    if 0.0 < peak {
        let points = picture.curves.iter_mut().flat_map(|curve| &mut curve.points);
        points.for_each(|(_, rate)| *rate /= peak);
    }
    picture
}

/// One schedule, drawn as it is.
pub(crate) fn value_picture(name: &str, scheduled: &Scheduled, steps: u64) -> Picture {
    Picture { curves: vec![curve(name, scheduled, steps)], steps, floor: Floor::Zero }
}

fn curve(name: &str, scheduled: &Scheduled, steps: u64) -> Curve {
    let lowest = scheduled.plateau.as_ref().map(|plateau| plateau.min);
    Curve { lowest, ..Curve::of(name, &scheduled.resolved, steps) }
}

fn picture(schedules: &[Named], steps: u64) -> Picture {
    let curve = |named: &Named| curve(&named.name, &named.scheduled, steps);
    Picture { curves: schedules.iter().map(curve).collect(), steps, floor: Floor::Zero }
}

/// An SVG file with axes and a legend.
pub fn svg(schedules: &[Named], steps: u64) -> String {
    svg::draw(&picture(schedules, steps), svg::Frame::Full)
}

/// Code that makes a training loop of a framework follow the schedule.
pub fn snippet(named: &Named, steps: u64, of: (Framework, Optimizer)) -> String {
    let Scheduled { resolved, plateau, .. } = &named.scheduled;
    snippet::snippet(resolved, plateau.as_ref(), steps, of)
}

/// A line for every step: `step,value`, or a column for each of several schedules under its name.
pub fn csv(schedules: &[Named], steps: u64) -> String {
    let mut text = String::from("step");
    match schedules {
        [_] => text.push_str(",value"),
        several => {
            text.extend(several.iter().map(|named| format!(",{}", value::cell(&named.name))));
        }
    }
    text.push('\n');
    for step in 0..steps {
        let _infallible = write!(text, "{step}");
        for named in schedules {
            let _infallible = write!(text, ",{}", named.scheduled.resolved.at(step));
        }
        text.push('\n');
    }
    text
}

/// The rates of about twenty steps at equal distances, and of the last one.
pub fn table(schedules: &[Named], horizon: Horizon) -> String {
    const ROWS: usize = 20;
    let Horizon { steps, steps_per_epoch } = horizon;
    let last = steps - 1;
    let round = ticks(0.0, steps as f64, ROWS.min(steps as usize)).into_iter();
    let round = round.map(|step| step as u64).take_while(|&step| step < last);
    let mut builder = Builder::new();
    let names = schedules.iter().map(|named| within(&named.name, 100).into_owned());
    builder.push_record(["step", "epoch", "budget"].map(str::to_owned).into_iter().chain(names));
    for step in round.chain(once(last)) {
        let epoch = format!("{:.2}", step as f64 / steps_per_epoch as f64);
        let place = [step.to_string(), epoch, percent(step as f64 / steps as f64)];
        let rates = schedules.iter().map(|named| rate(named.scheduled.resolved.at(step)));
        builder.push_record(place.into_iter().chain(rates));
    }
    let mut table = builder.build();
    table.with(Style::rounded());
    table.with(Modify::new(Segment::all()).with(Alignment::right()));
    table.with(Modify::new(Rows::first()).with(Width::wrap(24).keep_words(true)));
    format!("{table}\n")
}

#[cfg(test)]
mod tests {
    use pleach_core::spec::read_schedule;
    use pleach_schedule::draw::terminal::{Charset, Ink};

    use super::*;

    const HORIZON: Horizon = Horizon { steps: 1000, steps_per_epoch: 100 };

    fn named(texts: &[&str]) -> Vec<Named> {
        let named = |text: &&str| Named {
            name: (*text).to_owned(),
            scheduled: read_schedule(text, HORIZON).unwrap(),
        };
        texts.iter().map(named).collect()
    }

    fn style(charset: Charset, ink: Ink) -> terminal::Style {
        terminal::Style { width: 64, height: 8, charset, ink }
    }

    const SEVERAL: [&str; 3] =
        ["{ use = \"cosine\", peak = 0.3, warmup = \"10%\" }", "0.3: hold, > 0 20%", "constant"];

    #[test]
    fn one_schedule_is_drawn() {
        insta::assert_snapshot!(text(
            &named(&SEVERAL[..1]),
            1000,
            style(Charset::Unicode, Ink::Plain)
        ));
    }

    #[test]
    fn several_are_told_apart_by_marks() {
        for charset in [Charset::Unicode, Charset::Ascii] {
            insta::assert_snapshot!(text(&named(&SEVERAL), 1000, style(charset, Ink::Plain)));
        }
    }

    #[test]
    fn several_are_told_apart_by_colors() {
        let drawn = text(&named(&SEVERAL), 1000, style(Charset::Unicode, Ink::Color));
        insta::assert_snapshot!(drawn.replace("\u{1b}[0m", "]").replace("\u{1b}[", "["));
    }

    #[test]
    fn what_only_evaluations_decide_is_said() {
        let plateau = named(&["{ use = \"plateau\", peak = 0.1, warmup = \"10%\", min = 0.1 }"]);
        insta::assert_snapshot!(text(&plateau, 1000, style(Charset::Ascii, Ink::Plain)));
        insta::assert_snapshot!(svg(&plateau, 1000));
    }

    #[test]
    fn a_few_steps_are_seen_one_by_one() {
        let scheduled = read_schedule("step", Horizon { steps: 10, steps_per_epoch: 5 }).unwrap();
        let schedules = [Named { name: "step".to_owned(), scheduled }];
        insta::assert_snapshot!(text(&schedules, 10, style(Charset::Ascii, Ink::Plain)));
    }

    #[test]
    fn values_are_a_table_or_lines() {
        insta::assert_snapshot!(table(&named(&SEVERAL[..2]), HORIZON));
        assert_eq!(
            csv(&named(&[SEVERAL[0], SEVERAL[1], "cosine"]), 2),
            "step,\"{ use = \"\"cosine\"\", peak = 0.3, warmup = \"\"10%\"\" }\",\"0.3: hold, > 0 20%\",cosine\n\
             0,0,0.3,1\n1,0.0030000000000000027,0.3,0.9999975326009292\n"
        );
        assert_eq!(csv(&named(&["constant"]), 1), "step,value\n0,1\n");
    }
}
