//! A schedule's profile as a function in another language: only the formulas that it needs.

use std::iter;

use crate::{
    phase::{Body, Cycle, GainOn, Law, Phase, Shape, Stairs},
    resolved::Resolved,
    schedule::Sample,
    snippet::language::{Language, atom},
};

/// Longer lists than this are no code that anyone wants to read.
const MAX_LIST: usize = 100;

/// The definition of a function `profile`, from the 0-based index of an update to its rate as a multiple of the peak, exact
/// for the first `steps` updates. `None` where it would need long lists, or, in 32 bits, more digits than there are.
pub(super) fn profile(schedule: &Resolved, steps: u64, language: Language) -> Option<String> {
    let mut writer = Writer { language, steps, functions: Vec::new() };
    let is_whole = schedule.hold.fract() == 0.0;
    if language.is_single() && !is_whole {
        return None;
    }
    let step = Local { name: "step", from: 0.0, is_whole };
    let result = match schedule.factors.as_slice() {
        [] => vec![language.returns(&language.number(1.0))],
        [phases] => writer.phases(phases, &step)?,
        several => {
            let mut calls = Vec::new();
            for phases in several {
                let body = writer.phases(phases, &step)?;
                calls.push(format!("{}(step)", writer.function("factor", "step", &body)?));
            }
            vec![language.returns(&calls.join(" * "))]
        }
    };
    let mut body = language.opening();
    body.extend(held(schedule, language));
    body.extend(result);
    let doc = "The rate of the update with that 0-based index, as a multiple of the peak.";
    writer.functions.push(language.function("profile", "step", Some(doc), &body));
    Some(writer.functions.join(if language == Language::Rust { "\n" } else { "\n\n" }))
}

/// The line that makes of a step the time at which the profile is read.
fn held(schedule: &Resolved, language: Language) -> Option<String> {
    let hold = language.number(schedule.hold);
    let start = match schedule.hold {
        1.0 => "step".to_owned(),
        _ => format!("{} * {hold}", language.floor_of("step", &hold)),
    };
    let time = match schedule.sample {
        Sample::Left => start,
        Sample::Right => format!("{start} + {hold}"),
    };
    (time != "step").then(|| language.assign("step", &time))
}

/// A variable, as it is seen from inside a phase.
struct Local<'a> {
    name: &'a str,
    /// Its value at which the local time is 0.
    from: f64,
    /// Whether it has whole values only.
    is_whole: bool,
}

struct Writer {
    language: Language,
    steps: u64,
    /// Definitions that the next ones use.
    functions: Vec<String>,
}

impl Writer {
    /// Defines a helper under a free name, and returns that.
    fn function(&mut self, name: &str, argument: &str, body: &[String]) -> Option<String> {
        let is_free = |name: &String| {
            let call = format!(" {name}(");
            self.functions.iter().all(|function| !function.contains(&call))
        };
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let name = iter::once(name.to_owned()).chain(numbered).find(is_free)?;
        self.functions.push(self.language.function(&name, argument, None, body));
        Some(name)
    }

    /// The lines of a function of `time` that ends with the value of a list of phases.
    fn phases(&mut self, phases: &[Phase<f64>], time: &Local) -> Option<Vec<String>> {
        let (mut start, mut cases) = (time.from, Vec::new());
        let (last, others) = phases.split_last()?;
        for phase in others {
            let value = self.phase(phase, &Local { from: start, ..*time }, Clamp::No)?;
            start += phase.length?;
            cases.push((self.is_before(start, time)?, value));
        }
        let last = self.phase(last, &Local { from: start, ..*time }, Clamp::AtEnd)?;
        Some(self.language.cases(&cases, &last))
    }

    /// The condition that a time is before another. In 32 bits it must not hang on a rounding error.
    fn is_before(&self, end: f64, time: &Local) -> Option<String> {
        let end = if self.language.is_single() && time.is_whole { end.ceil() } else { end };
        let is_safe = !self.language.is_single() || time.is_whole || is_short(end);
        is_safe.then(|| format!("{} < {}", time.name, self.language.number(end)))
    }

    /// The time since the start of a phase.
    fn local(&self, phase: &Phase<f64>, time: &Local) -> String {
        self.language.minus(time.name, time.from - phase.skip.unwrap_or(0.0))
    }

    fn phase(&mut self, phase: &Phase<f64>, time: &Local, clamp: Clamp) -> Option<String> {
        let language = self.language;
        let from = phase.from.unwrap_or(1.0);
        let local = self.local(phase, time);
        match &phase.body {
            Body::Shape { to, shape } => {
                let length = phase.length.unwrap_or(f64::INFINITY);
                let share = match length {
                    1.0 => local,
                    _ => format!("{} / {}", atom(&local), language.number(length)),
                };
                let share = match clamp {
                    Clamp::No => share,
                    Clamp::AtEnd => language.smaller(&share, &language.number(1.0)),
                };
                Some(shaped(*shape, from, to.unwrap_or(from), &share, language))
            }
            Body::Law { law, floor } => {
                let value = language.times(from, &self.law(law, &local, phase, time)?);
                Some(match floor {
                    Some(floor) => language.larger(&value, &language.number(*floor)),
                    None => value,
                })
            }
            Body::Cycle(cycle) => self.cycle(cycle, &local, phase, time),
            Body::Table { every, values } => {
                let is_safe = !language.is_single() || is_countable(phase, time, *every);
                if MAX_LIST < values.len() || !is_safe {
                    return None;
                }
                let index = language.floor_of(&local, &language.number(*every));
                Some(language.element(values, &index))
            }
        }
    }

    fn law(&self, law: &Law<f64>, local: &str, phase: &Phase<f64>, time: &Local) -> Option<String> {
        let language = self.language;
        let number = |value| language.number(value);
        match law {
            Law::Inverse { p, tau } => {
                let sum = format!("{} + {} / {}", number(1.0), atom(local), number(*tau));
                Some(match *p {
                    1.0 => format!("{} / ({sum})", number(1.0)),
                    p => language.power(&sum, -p),
                })
            }
            Law::Decay { gamma, tau, stairs: Stairs::Smooth } => {
                let exponent = match *tau {
                    1.0 => local.to_owned(),
                    tau => format!("{} / {}", atom(local), number(tau)),
                };
                Some(language.exponential(*gamma, &exponent))
            }
            Law::Decay { gamma, tau, stairs: Stairs::Stairs } => {
                let is_safe = !language.is_single() || is_countable(phase, time, *tau);
                let exponent = language.floor_of(local, &number(*tau));
                is_safe.then(|| language.exponential(*gamma, &exponent))
            }
            Law::Multistep { gamma, at } => {
                let is_safe = !language.is_single() || is_countable(phase, time, 1.0);
                let at: Vec<f64> = at
                    .iter()
                    .map(|at| if language.is_single() { at.ceil() } else { *at })
                    .collect();
                (is_safe && at.len() <= MAX_LIST)
                    .then(|| language.exponential(*gamma, &language.reached(local, &at)))
            }
        }
    }

    /// A function of the time since the start of all repetitions, called.
    fn cycle(
        &mut self,
        cycle: &Cycle<f64>,
        local: &str,
        phase: &Phase<f64>,
        time: &Local,
    ) -> Option<String> {
        let language = self.language;
        let number = |value| language.number(value);
        let counts = !language.is_single() || is_countable(phase, time, cycle.length);
        let index = if cycle.grow == 1.0 && counts {
            language.floor_of("t", &number(cycle.length))
        } else if !language.is_single() || is_countable(phase, time, 1.0) {
            language.reached("t", &self.restarts(cycle)?)
        } else {
            return None;
        };
        let mut lines = vec![language.assign("index", &index)];
        let growth = language.exponential(cycle.grow, "index");
        let share = if cycle.grow == 1.0 {
            let length = number(cycle.length);
            format!("(t - index * {length}) / {length}")
        } else {
            let unit = number(cycle.length / (cycle.grow - 1.0));
            let start = format!("{unit} * ({growth} - {})", number(1.0));
            let length = format!("{} * {}", number(cycle.length), atom(&growth));
            lines.push(language.assign("start", &start));
            lines.push(language.assign("length", &length));
            "(t - start) / length".to_owned()
        };
        // A start that is a product may lie a rounding error after the one that is a sum.
        let share = match cycle.grow.fract() {
            0.0 => share,
            _ => language.larger(&share, &number(0.0)),
        };
        let body = self.phases(&cycle.body, &Local { name: "u", from: 0.0, is_whole: false })?;
        let body = format!("{}({share})", self.function("body", "u", &body)?);
        let gains = [
            (cycle.gain != 1.0).then(|| language.exponential(cycle.gain, "index")),
            cycle.fade.map(|(factor, tau)| {
                let exponent = match tau {
                    1.0 => "t".to_owned(),
                    tau => format!("t / {}", number(tau)),
                };
                language.exponential(factor, &exponent)
            }),
        ];
        let gains: Vec<String> = gains.into_iter().flatten().collect();
        if !gains.is_empty() {
            lines.push(language.assign("gain", &gains.join(" * ")));
        }
        let (low, high) = (cycle.lo, cycle.hi);
        let value = match cycle.gain_on {
            _ if gains.is_empty() => language.line(low, high - low, &body),
            GainOn::Amplitude => language.line(low, high - low, &format!("gain * {body}")),
            GainOn::Peak => {
                let height = language.times(high, "gain");
                let height =
                    if low == 0.0 { height } else { format!("({height} - {})", number(low)) };
                language.line(low, 1.0, &format!("{height} * {body}"))
            }
        };
        let value = match cycle.count {
            None => value,
            Some(count) => {
                let length = |index: u32| cycle.length * cycle.grow.powi(index as i32);
                let end = (0..count).map(length).sum::<f64>();
                let end = if language.is_single() { end.ceil() } else { end };
                language.either(&format!("t < {}", number(end)), &value, &number(low))
            }
        };
        lines.push(language.returns(&value));
        Some(format!("{}({local})", self.function("cycle", "t", &lines)?))
    }

    /// When each repetition but the first starts, of those within the budget.
    fn restarts(&self, cycle: &Cycle<f64>) -> Option<Vec<f64>> {
        let (mut starts, mut start, mut length) = (Vec::new(), 0.0, cycle.length);
        loop {
            start += length;
            length *= cycle.grow;
            let is_over = cycle.count.is_some_and(|count| count as usize <= starts.len() + 1);
            if is_over || self.steps as f64 <= start {
                return Some(starts);
            }
            starts.push(if self.language.is_single() { start.ceil() } else { start });
            if MAX_LIST < starts.len() {
                return None;
            }
        }
    }
}

/// Whether a share of the phase may exceed 1, which then counts as 1.
#[derive(Clone, Copy)]
enum Clamp {
    No,
    AtEnd,
}

/// Whether whole divisions of the time in a phase by `every` are exact in 32 bits.
fn is_countable(phase: &Phase<f64>, time: &Local, every: f64) -> bool {
    let start = time.from - phase.skip.unwrap_or(0.0);
    time.is_whole && start.fract() == 0.0 && every.fract() == 0.0
}

/// Few enough binary digits to be exact in 32 bits.
fn is_short(value: f64) -> bool {
    (value * 1024.0).fract() == 0.0
}

/// The value of a shape at a share of its length.
fn shaped(shape: Shape, from: f64, to: f64, share: &str, language: Language) -> String {
    let number = |value| language.number(value);
    let one = number(1.0);
    let power = |k: f64| if k == 1.0 { share.to_owned() } else { language.power(share, k) };
    let falling = match shape {
        Shape::Hold => return number(from),
        Shape::Geometric => return language.times(from, &language.exponential(to / from, share)),
        Shape::Linear => return language.line(from, to - from, share),
        Shape::Power { p } => return language.line(from, to - from, &power(p)),
        Shape::Cosine { e, k } => {
            let cosine = language.cosine(&power(k));
            let half = format!("({one} + {cosine}) / {}", number(2.0));
            if e == 1.0 { half } else { language.power(&half, e) }
        }
        Shape::Poly { p, k } => language.power(&format!("{one} - {}", atom(&power(k))), p),
        Shape::Exp { r } => {
            format!("({} - {}) / {}", language.exponential(r, share), number(r), number(1.0 - r))
        }
        Shape::Rex { b } => {
            let share = atom(share);
            format!("({one} - {share}) / ({one} - {} * {share})", number(b))
        }
        Shape::Tanh { lb, ub } => {
            let inner = language.tangent(&language.line(lb, ub - lb, share));
            format!("({one} - {inner}) / {}", number(2.0))
        }
    };
    language.line(to, from - to, &falling)
}
