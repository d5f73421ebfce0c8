//! Schedules to text.

use std::fmt::{self, Display, Formatter, Write};

use crate::{
    duration::Duration,
    phase::{Body, Cycle, GainOn, Law, Phase, Shape, Stairs},
    resolved::Resolved,
    schedule::{Overrun, Sample, Schedule},
};

impl Display for Schedule {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        let hold = (self.hold != Duration::Steps(1.0)).then_some(&self.hold);
        write_schedule(formatter, self.peak, &self.factors, hold, self.sample)?;
        if self.overrun == Overrun::Cut {
            formatter.write_str(" ; cut")?;
        }
        match &self.plateau {
            Some(plateau) => write!(formatter, " ; {plateau}"),
            None => Ok(()),
        }
    }
}

impl Display for Resolved {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        let hold = (self.hold != 1.0).then_some(&self.hold);
        write_schedule(formatter, self.peak, &self.factors, hold, self.sample)
    }
}

fn write_schedule<D: Display>(
    formatter: &mut Formatter,
    peak: f64,
    factors: &[Vec<Phase<D>>],
    hold: Option<&D>,
    sample: Sample,
) -> fmt::Result {
    write!(formatter, "{peak}: ")?;
    for (index, phases) in factors.iter().enumerate() {
        if 0 < index {
            formatter.write_str(" ; times ")?;
        }
        write_phases(formatter, phases)?;
    }
    if let Some(hold) = hold {
        write!(formatter, " ; hold {hold}")?;
    }
    match sample {
        Sample::Left => Ok(()),
        Sample::Right => formatter.write_str(" ; right"),
    }
}

fn write_phases<D: Display>(formatter: &mut Formatter, phases: &[Phase<D>]) -> fmt::Result {
    for (index, phase) in phases.iter().enumerate() {
        if 0 < index {
            formatter.write_str(", ")?;
        }
        write_phase(formatter, phase)?;
    }
    Ok(())
}

fn write_phase<D: Display>(formatter: &mut Formatter, phase: &Phase<D>) -> fmt::Result {
    let mut words: Vec<String> = Vec::new();
    words.extend(phase.from.map(|from| from.to_string()));
    match &phase.body {
        Body::Shape { to, shape } => {
            if *shape != Shape::Hold {
                words.push(">".to_owned());
                words.extend(to.map(|to| to.to_string()));
            }
            words.push(shape_text(*shape));
        }
        Body::Law { law, floor } => words.push(law_text(law, *floor)),
        Body::Cycle(cycle) => words.push(cycle_text(cycle)),
        Body::Table { every, values } => {
            words.push(call("table", &[("every", every.to_string()), ("values", list(values))]));
        }
    }
    if let Some(length) = &phase.length {
        words.push(format!("for {length}"));
    }
    if let Some(skip) = &phase.skip {
        words.push(format!("skip {skip}"));
    }
    formatter.write_str(&words.join(" "))
}

fn call(name: &str, arguments: &[(&str, String)]) -> String {
    let arguments: Vec<String> =
        arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{name}({})", arguments.join(","))
}

fn list<T: Display>(values: &[T]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!("[{}]", values.join(" "))
}

fn shape_text(shape: Shape) -> String {
    let number = |name, value: f64| (name, value.to_string());
    match shape {
        Shape::Hold => "hold".to_owned(),
        Shape::Linear => "linear".to_owned(),
        Shape::Cosine { e: 1.0, k: 1.0 } => "cosine".to_owned(),
        Shape::Cosine { e, k } => call("cosine", &[number("e", e), number("k", k)]),
        Shape::Poly { p, k } => call("poly", &[number("p", p), number("k", k)]),
        Shape::Power { p: 0.5 } => "1-sqrt".to_owned(),
        Shape::Power { p: 2.0 } => "1-square".to_owned(),
        Shape::Power { p } => call("power", &[number("p", p)]),
        Shape::Exp { r } => call("exp", &[number("r", r)]),
        Shape::Geometric => "geometric".to_owned(),
        Shape::Rex { b } => call("rex", &[number("b", b)]),
        Shape::Tanh { lb, ub } => call("tanh", &[number("lb", lb), number("ub", ub)]),
    }
}

fn law_text<D: Display>(law: &Law<D>, floor: Option<f64>) -> String {
    let (name, mut arguments) = match law {
        Law::Inverse { p, tau } => {
            ("inverse", vec![("p", p.to_string()), ("tau", tau.to_string())])
        }
        Law::Decay { gamma, tau, stairs } => (
            match stairs {
                Stairs::Smooth => "decay",
                Stairs::Stairs => "stairs",
            },
            vec![("gamma", gamma.to_string()), ("tau", tau.to_string())],
        ),
        Law::Multistep { gamma, at } => {
            ("multistep", vec![("gamma", gamma.to_string()), ("at", list(at))])
        }
    };
    arguments.extend(floor.map(|floor| ("floor", floor.to_string())));
    call(name, &arguments)
}

fn cycle_text<D: Display>(cycle: &Cycle<D>) -> String {
    let mut arguments = vec![("len", cycle.length.to_string())];
    let mut number = |name, value: f64, default: f64| {
        if value != default {
            arguments.push((name, value.to_string()));
        }
    };
    number("grow", cycle.grow, 1.0);
    number("gain", cycle.gain, 1.0);
    number("lo", cycle.lo, 0.0);
    number("hi", cycle.hi, 1.0);
    if cycle.gain_on == GainOn::Peak {
        arguments.push(("on", "peak".to_owned()));
    }
    if let Some((factor, tau)) = &cycle.fade {
        arguments.extend([("fade", factor.to_string()), ("every", tau.to_string())]);
    }
    arguments.extend(cycle.count.map(|count| ("count", count.to_string())));
    let mut text = call("cycle", &arguments);
    text.push_str(" { ");
    let _always_ok = write!(text, "{}", Phases(&cycle.body));
    text.push_str(" }");
    text
}

/// One phase; equal texts are equal phases.
pub(crate) fn phase_text(phase: &Phase<f64>) -> String {
    Phases(std::slice::from_ref(phase)).to_string()
}

struct Phases<'a>(&'a [Phase<f64>]);

impl Display for Phases<'_> {
    fn fmt(&self, formatter: &mut Formatter) -> fmt::Result {
        write_phases(formatter, self.0)
    }
}
