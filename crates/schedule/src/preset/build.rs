//! What each preset means.

use super::{Argument, Given, PresetError, finish, with_warmup};
use crate::{
    duration::Duration,
    phase::{Body, Cycle, GainOn, Law, Phase, Shape, Stairs},
    plateau::{Best, Direction, Monitor, Plateau, Threshold},
    schedule::{Sample, Schedule},
};

const COSINE: Shape = Shape::Cosine { e: 1.0, k: 1.0 };

type Phases = Vec<Phase<Duration>>;

pub(super) fn build(given: &Given, peak: f64) -> Result<Schedule, PresetError> {
    let end = given.number("end");
    let to_end = |shape| vec![Phase::shape(None, end.unwrap_or(0.0), shape)];
    let law = |law| vec![Phase::law(law, end)];
    let number = |name, default| given.number(name).unwrap_or(default);
    let duration = |name, default| given.duration(name).unwrap_or(default);
    let epoch = Duration::Epochs(1.0);
    let body = match given.info.name {
        "constant" | "plateau" => vec![Phase::hold(None)],
        "linear" => to_end(Shape::Linear),
        "cosine" => to_end(COSINE),
        "poly" => to_end(Shape::Poly { p: number("p", 2.0), k: 1.0 }),
        "rex" => to_end(Shape::Rex { b: number("b", 0.5) }),
        "exponential" => match (given.number("gamma"), given.number("to")) {
            (Some(_), Some(_)) => {
                return Err(given.wrong("to", "give `to` or `gamma`, not both"));
            }
            (Some(gamma), None) => {
                law(Law::Decay { gamma, tau: duration("every", epoch), stairs: Stairs::Smooth })
            }
            (None, to) => vec![Phase::shape(None, to.or(end).unwrap_or(0.01), Shape::Geometric)],
        },
        "step" => law(Law::Decay {
            gamma: number("gamma", 0.1),
            tau: duration("every", Duration::Fraction(0.3)),
            stairs: Stairs::Stairs,
        }),
        "multistep" => multistep(given),
        "inverse_time" => inverse_time(given)?,
        "inverse_sqrt" => {
            let tau = given.duration("tau").or(given.duration("warmup")).unwrap_or(epoch);
            law(Law::Inverse { p: 0.5, tau })
        }
        "noam" => {
            let tau = given.duration("warmup").ok_or_else(|| given.missing("warmup"))?;
            law(Law::Inverse { p: 0.5, tau })
        }
        "wsd" => {
            let shape = given.shape("shape", Shape::Power { p: 0.5 })?;
            let cooldown = duration("cooldown", Duration::Fraction(0.2));
            vec![Phase::hold(None), Phase::shape(Some(cooldown), end.unwrap_or(0.0), shape)]
        }
        "one_cycle" => return one_cycle(given, peak),
        "flat_cosine" => {
            let flat = duration("flat", Duration::Fraction(0.75));
            vec![Phase::hold(Some(flat)), Phase::shape(None, end.unwrap_or(0.0), COSINE)]
        }
        "triangular" => vec![cycle(triangular(given))],
        "sgdr" => vec![cycle(sgdr(given))],
        "table" => {
            let Some(Argument::Numbers(values)) = given.arguments.get("table") else {
                return Err(given.missing("table"));
            };
            let every = duration("every", epoch);
            let body = Body::Table { every, values: values.clone() };
            vec![Phase { length: None, from: None, skip: None, body }]
        }
        _ => {
            let text = given.text("phases").ok_or_else(|| given.missing("phases"))?;
            let line: Schedule = format!("1: {text}")
                .parse()
                .map_err(|error| given.wrong("phases", format!("{error}")))?;
            let mut schedule = Schedule { peak, ..line };
            schedule.hold = duration("hold", schedule.hold);
            return Ok(schedule);
        }
    };
    let sample = if given.info.name == "noam" { Sample::Right } else { Sample::Left };
    let mut schedule = finish(given, peak, with_warmup(given, body), sample);
    if given.info.name == "plateau" {
        schedule.plateau = Some(plateau(given)?);
    }
    Ok(schedule)
}

fn multistep(given: &Given) -> Phases {
    let at = match given.arguments.get("at") {
        Some(Argument::Durations(at)) => at.clone(),
        _ => vec![Duration::Fraction(0.5), Duration::Fraction(0.75)],
    };
    let law = Law::Multistep { gamma: given.number("gamma").unwrap_or(0.1), at };
    // Milestones count from the start of training.
    vec![Phase { skip: given.duration("warmup"), ..Phase::law(law, given.number("end")) }]
}

fn inverse_time(given: &Given) -> Result<Phases, PresetError> {
    let rate = given.number("rate").unwrap_or(1.0);
    if rate < 0.0 {
        return Err(given.wrong("rate", "a number, not negative"));
    }
    if rate == 0.0 {
        return Ok(vec![Phase::hold(None)]);
    }
    let tau = given.duration("every").unwrap_or(Duration::Epochs(1.0)).times(1.0 / rate);
    Ok(vec![Phase::law(Law::Inverse { p: 1.0, tau }, given.number("end"))])
}

/// Smith's 1cycle policy (arXiv 1708.07120) with the defaults that most libraries share.
fn one_cycle(given: &Given, peak: f64) -> Result<Schedule, PresetError> {
    let div = given.number("div").unwrap_or(25.0);
    if div < 1.0 {
        return Err(given.wrong("div", "a number that is at least 1"));
    }
    let shape = given.shape("shape", COSINE)?;
    let up = given.duration("warmup").unwrap_or(Duration::Fraction(0.3));
    let low = given.number("warmup_from").unwrap_or(1.0 / div);
    let last = given.number("final").or(given.number("end")).unwrap_or(4e-6);
    let mut phases = vec![Phase::shape(Some(up), 1.0, shape).starting_at(low)];
    if given.arguments.get("three_phase") == Some(&Argument::Bool(true)) {
        phases.push(Phase::shape(Some(up), low, shape));
    }
    phases.push(Phase::shape(None, last, shape));
    Ok(finish(given, peak, phases, Sample::Left))
}

fn triangular(given: &Given) -> Cycle<Duration> {
    let half = |to| Phase::shape(Some(0.5), to, Shape::Linear);
    Cycle {
        length: given.duration("len").unwrap_or(Duration::Fraction(0.2)),
        grow: 1.0,
        gain: given.number("gain").unwrap_or(1.0),
        gain_on: GainOn::Amplitude,
        fade: given.number("per_step").map(|factor| (factor, Duration::Steps(1.0))),
        lo: given.number("lo").or(given.number("end")).unwrap_or(0.1),
        hi: 1.0,
        count: None,
        body: vec![half(1.0).starting_at(0.0), half(0.0)],
    }
}

/// Cosines with warm restarts (arXiv 1608.03983).
fn sgdr(given: &Given) -> Cycle<Duration> {
    Cycle {
        length: given.duration("len").unwrap_or(Duration::Fraction(0.1)),
        grow: given.number("grow").unwrap_or(2.0),
        gain: given.number("gain").unwrap_or(1.0),
        gain_on: match given.text("gain_on") {
            Some("amplitude") => GainOn::Amplitude,
            _ => GainOn::Peak,
        },
        fade: None,
        lo: given.number("end").unwrap_or(0.0),
        hi: 1.0,
        count: given.number("count").map(|count| count as u32),
        body: vec![Phase::shape(Some(1.0), 0.0, COSINE).starting_at(1.0)],
    }
}

fn cycle(cycle: Cycle<Duration>) -> Phase<Duration> {
    Phase { length: None, from: None, skip: None, body: Body::Cycle(cycle) }
}

fn plateau(given: &Given) -> Result<Plateau, PresetError> {
    let default = Plateau::default();
    let count = |name, default| given.number(name).map_or(default, |count| count as u32);
    let plateau = Plateau {
        factor: given.number("factor").unwrap_or(default.factor),
        patience: count("patience", default.patience),
        threshold: given.number("threshold").unwrap_or(default.threshold),
        threshold_is: match given.text("threshold_is") {
            Some("absolute") => Threshold::Absolute,
            _ => Threshold::Relative,
        },
        best: if given.text("best") == Some("any") { Best::Any } else { Best::Improved },
        cooldown: count("cooldown", default.cooldown),
        min: given.number("min").unwrap_or(default.min),
        eps: given.number("eps").unwrap_or(default.eps),
        monitor: match (given.text("monitor"), given.text("goal")) {
            (None, None) => None,
            (Some(metric), Some("max")) => {
                Some(Monitor { metric: metric.to_owned(), goal: Direction::Max })
            }
            (Some(metric), Some(_)) => {
                Some(Monitor { metric: metric.to_owned(), goal: Direction::Min })
            }
            (Some(_), None) => return Err(given.missing("goal")),
            (None, Some(_)) => return Err(given.missing("monitor")),
        },
    };
    if plateau.factor <= 0.0 || 1.0 <= plateau.factor {
        return Err(given.wrong("factor", "a number between 0 and 1, both excluded"));
    }
    let mut numbers =
        [("threshold", plateau.threshold), ("min", plateau.min), ("eps", plateau.eps)].into_iter();
    if let Some((name, _)) = numbers.find(|(_, number)| *number < 0.0) {
        return Err(given.wrong(name, "a number, not negative"));
    }
    Ok(plateau)
}
