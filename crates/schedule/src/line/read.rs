//! Text to schedules: split at brackets' top level, then word by word.

use std::{error::Error, fmt, str::FromStr};

use crate::{
    duration::Duration,
    phase::{Body, Cycle, GainOn, Law, Phase, Shape, Stairs},
    resolved::Resolved,
    schedule::{self, Overrun, Sample, Schedule},
};

/// Why a line is not a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError(String);

impl fmt::Display for LineError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Error for LineError {}

fn fail<T>(message: impl Into<String>) -> Result<T, LineError> {
    Err(LineError(message.into()))
}

/// Deeper nesting than any schedule needs; keeps a hostile line from exhausting the stack.
const MAX_DEPTH: u32 = 8;

/// A length of time as a line spells it.
trait Time: Sized {
    fn read(text: &str) -> Result<Self, LineError>;
    /// Whether `text` can only be a length.
    fn is_unmistakable(text: &str) -> bool;
}

impl Time for Duration {
    fn read(text: &str) -> Result<Self, LineError> {
        text.parse().map_err(|error: crate::duration::DurationError| LineError(error.to_string()))
    }
    fn is_unmistakable(text: &str) -> bool {
        text.parse::<Self>().is_ok()
    }
}

impl Time for f64 {
    fn read(text: &str) -> Result<Self, LineError> {
        match number(text)? {
            time if time < 0.0 => fail(format!("a length cannot be negative: `{text}`")),
            time => Ok(time),
        }
    }
    fn is_unmistakable(_: &str) -> bool {
        false
    }
}

fn number(text: &str) -> Result<f64, LineError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    match text.parse::<f64>() {
        Ok(number)
            if number.is_finite()
                && digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') =>
        {
            Ok(number)
        }
        _ => fail(format!("expected a number, found `{text}`")),
    }
}

impl FromStr for Schedule {
    type Err = LineError;

    fn from_str(text: &str) -> Result<Self, LineError> {
        let line = Line::<Duration>::read(text)?;
        let hold = line.hold.unwrap_or(Duration::Steps(1.0));
        let plateau = line
            .plateau
            .map(|text| text.parse().map_err(|error| LineError(format!("{error}"))))
            .transpose()?;
        let Line { peak, factors, sample, overrun, .. } = line;
        Ok(Self { peak, factors, hold, sample, overrun, plateau })
    }
}

impl FromStr for Resolved {
    type Err = LineError;

    fn from_str(text: &str) -> Result<Self, LineError> {
        let mut line = Line::<f64>::read(text)?;
        if line.plateau.is_some() {
            return fail("a plateau rule is not part of a resolved schedule");
        }
        if line.overrun == Overrun::Cut {
            return fail("`cut` is not part of a resolved schedule");
        }
        if !(line.peak.is_finite() && 0.0 <= line.peak) {
            return fail(format!("the peak is {}: it must not be negative", line.peak));
        }
        for phases in &mut line.factors {
            schedule::fill(phases).map_err(|error| LineError(error.to_string()))?;
        }
        let hold = line.hold.unwrap_or(1.0);
        if hold <= 0.0 {
            return fail("`hold` must be more than zero");
        }
        Ok(Self { peak: line.peak, factors: line.factors, hold, sample: line.sample })
    }
}

struct Line<D> {
    peak: f64,
    factors: Vec<Vec<Phase<D>>>,
    hold: Option<D>,
    sample: Sample,
    overrun: Overrun,
    plateau: Option<String>,
}

impl<D: Time> Line<D> {
    fn read(text: &str) -> Result<Self, LineError> {
        let Some((peak, rest)) = text.split_once(':') else {
            return fail("a schedule starts with its peak and a colon: `0.1: > 0 cosine`");
        };
        let mut parts = split(rest, ';')?.into_iter();
        let first = parts.next().unwrap_or_default();
        let mut line = Self {
            peak: number(peak.trim())?,
            factors: vec![phases(first, 0)?],
            hold: None,
            sample: Sample::Left,
            overrun: Overrun::Refused,
            plateau: None,
        };
        for part in parts {
            let part = part.trim();
            if let Some(hold) = part.strip_prefix("hold ") {
                line.hold = Some(D::read(hold.trim())?);
            } else if part == "right" {
                line.sample = Sample::Right;
            } else if part == "cut" {
                line.overrun = Overrun::Cut;
            } else if let Some(factor) = part.strip_prefix("times ") {
                line.factors.push(phases(factor, 0)?);
            } else if part.starts_with("plateau") {
                line.plateau = Some(part.to_owned());
            } else {
                return fail(format!(
                    "after `;` stands `hold LENGTH`, `right`, `cut`, `times PHASES` or `plateau(…)`, not `{part}`"
                ));
            }
        }
        Ok(line)
    }
}

/// Splits at `separator` outside of brackets.
fn split(text: &str, separator: char) -> Result<Vec<&str>, LineError> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_u32, 0);
    for (index, character) in text.char_indices() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                let Some(less) = depth.checked_sub(1) else {
                    return fail(format!("`{character}` closes nothing"));
                };
                depth = less;
            }
            _ if character == separator && depth == 0 => {
                parts.push(&text[start..index]);
                start = index + character.len_utf8();
            }
            _ => {}
        }
    }
    if 0 < depth {
        return fail("a bracket is not closed");
    }
    parts.push(&text[start..]);
    Ok(parts)
}

fn phases<D: Time>(text: &str, depth: u32) -> Result<Vec<Phase<D>>, LineError> {
    if MAX_DEPTH < depth {
        return fail("cycles are nested too deeply");
    }
    split(text, ',')?.into_iter().map(|text| phase(text, depth)).collect()
}

fn phase<D: Time>(text: &str, depth: u32) -> Result<Phase<D>, LineError> {
    let words: Vec<&str> =
        split(text, ' ')?.into_iter().map(str::trim).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return fail("a phase is empty: write `hold`, or `> 0 cosine`");
    }
    let mut phase = Phase {
        length: None,
        from: None,
        skip: None,
        body: Body::Shape { to: None, shape: Shape::Hold },
    };
    let (mut to, mut moves, mut body) = (None, false, None);
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let mut length = || match words.next() {
            Some(length) => D::read(length),
            None => fail(format!("`{word}` needs a length")),
        };
        match word {
            ">" => moves = true,
            "for" => set(&mut phase.length, length()?, "length")?,
            "skip" => set(&mut phase.skip, length()?, "skip")?,
            _ if D::is_unmistakable(word) => set(&mut phase.length, D::read(word)?, "length")?,
            _ if word.starts_with('{') => {
                let Some(Body::Cycle(cycle)) = &mut body else {
                    return fail("`{` stands after `cycle(…)`");
                };
                let cycle: &mut Cycle<D> = cycle;
                cycle.body = phases(word.trim_start_matches('{').trim_end_matches('}'), depth + 1)?;
            }
            _ => match number(word) {
                Ok(value) if moves => set(&mut to, value, "end")?,
                Ok(value) => set(&mut phase.from, value, "start")?,
                Err(_) => set(&mut body, body_of(word)?, "body")?,
            },
        }
    }
    phase.body = match body {
        Some(Body::Shape { shape, .. }) if shape != Shape::Hold && !moves => {
            return fail(format!("`{}` goes nowhere: write `> 0` for its end", text.trim()));
        }
        Some(Body::Shape { shape, .. }) => Body::Shape { to, shape },
        Some(body) if !moves => body,
        Some(_) => return fail(format!("`{}`: only a shape has an end", text.trim())),
        None if moves => Body::Shape { to, shape: Shape::Linear },
        None => Body::Shape { to: None, shape: Shape::Hold },
    };
    match &phase.body {
        Body::Shape { to: Some(_), shape: Shape::Hold } => {
            fail("`hold` stays where it is: it has no end")
        }
        Body::Cycle(cycle) if cycle.body.is_empty() => fail("a cycle needs its phases in braces"),
        _ => Ok(phase),
    }
}

fn set<T>(place: &mut Option<T>, value: T, what: &str) -> Result<(), LineError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => fail(format!("a phase has two values for its {what}")),
    }
}

fn body_of<D: Time>(word: &str) -> Result<Body<D>, LineError> {
    let (name, arguments) = match word.split_once('(') {
        Some((name, rest)) => (name, rest.strip_suffix(')').unwrap_or(rest)),
        None => (word, ""),
    };
    let mut arguments = Arguments::read(arguments)?;
    let shape = |shape| Body::Shape { to: None, shape };
    let body = match name {
        "hold" => shape(Shape::Hold),
        "linear" => shape(Shape::Linear),
        "cosine" => shape(Shape::Cosine {
            e: arguments.number("e", Some(1.0))?,
            k: arguments.number("k", Some(1.0))?,
        }),
        "poly" => shape(Shape::Poly {
            p: arguments.number("p", Some(2.0))?,
            k: arguments.number("k", Some(1.0))?,
        }),
        "power" => shape(Shape::Power { p: arguments.number("p", None)? }),
        "1-sqrt" => shape(Shape::Power { p: 0.5 }),
        "1-square" => shape(Shape::Power { p: 2.0 }),
        "exp" => shape(Shape::Exp { r: arguments.number("r", Some(0.1))? }),
        "geometric" => shape(Shape::Geometric),
        "rex" => shape(Shape::Rex { b: arguments.number("b", Some(0.5))? }),
        "tanh" => shape(Shape::Tanh {
            lb: arguments.number("lb", Some(-7.0))?,
            ub: arguments.number("ub", Some(3.0))?,
        }),
        "inverse" | "decay" | "stairs" | "multistep" => {
            let floor = arguments.take("floor").map(number).transpose()?;
            Body::Law { law: law(name, &mut arguments)?, floor }
        }
        "cycle" => Body::Cycle(cycle(&mut arguments)?),
        "table" => {
            let every = D::read(arguments.needed("every")?)?;
            let values =
                items(arguments.needed("values")?).map(number).collect::<Result<_, _>>()?;
            Body::Table { every, values }
        }
        _ => {
            return fail(format!(
                "`{name}` is no body of a phase: one of hold, linear, cosine, poly, power, 1-sqrt, 1-square, exp, geometric, rex, tanh, inverse, decay, stairs, multistep, cycle, table"
            ));
        }
    };
    arguments.finish(name)?;
    Ok(body)
}

fn law<D: Time>(name: &str, arguments: &mut Arguments) -> Result<Law<D>, LineError> {
    if name == "multistep" {
        let at = items(arguments.needed("at")?).map(D::read).collect::<Result<_, _>>()?;
        return Ok(Law::Multistep { gamma: arguments.number("gamma", None)?, at });
    }
    let tau = D::read(arguments.needed("tau")?)?;
    Ok(match name {
        "inverse" => Law::Inverse { p: arguments.number("p", Some(1.0))?, tau },
        "decay" => {
            Law::Decay { gamma: arguments.number("gamma", None)?, tau, stairs: Stairs::Smooth }
        }
        _ => Law::Decay { gamma: arguments.number("gamma", None)?, tau, stairs: Stairs::Stairs },
    })
}

fn cycle<D: Time>(arguments: &mut Arguments) -> Result<Cycle<D>, LineError> {
    Ok(Cycle {
        length: D::read(arguments.needed("len")?)?,
        grow: arguments.number("grow", Some(1.0))?,
        gain: arguments.number("gain", Some(1.0))?,
        gain_on: match arguments.take("on") {
            None | Some("amplitude") => GainOn::Amplitude,
            Some("peak") => GainOn::Peak,
            Some(other) => return fail(format!("`on` is `amplitude` or `peak`, not `{other}`")),
        },
        fade: match arguments.take("fade") {
            Some(factor) => Some((number(factor)?, D::read(arguments.needed("every")?)?)),
            None => None,
        },
        lo: arguments.number("lo", Some(0.0))?,
        hi: arguments.number("hi", Some(1.0))?,
        count: match arguments.take("count") {
            None => None,
            Some(count) => match count.parse() {
                Ok(count) => Some(count),
                Err(_) => return fail(format!("`count` is a whole number, not `{count}`")),
            },
        },
        body: Vec::new(),
    })
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.trim_start_matches('[').trim_end_matches(']').split_whitespace()
}

/// `name=value` pairs in parentheses.
struct Arguments<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Arguments<'a> {
    fn read(text: &'a str) -> Result<Self, LineError> {
        if text.trim().is_empty() {
            return Ok(Self(Vec::new()));
        }
        split(text, ',')?
            .into_iter()
            .map(|pair| match pair.split_once('=') {
                Some((name, value)) => Ok((name.trim(), value.trim())),
                None => fail(format!("`{}` is not `name=value`", pair.trim())),
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn take(&mut self, name: &str) -> Option<&'a str> {
        let index = self.0.iter().position(|(other, _)| *other == name)?;
        Some(self.0.remove(index).1)
    }

    fn needed(&mut self, name: &str) -> Result<&'a str, LineError> {
        self.take(name).map_or_else(|| fail(format!("`{name}` is missing")), Ok)
    }

    fn number(&mut self, name: &str, default: Option<f64>) -> Result<f64, LineError> {
        match (self.take(name), default) {
            (Some(text), _) => number(text),
            (None, Some(default)) => Ok(default),
            (None, None) => fail(format!("`{name}` is missing")),
        }
    }

    fn finish(&self, body: &str) -> Result<(), LineError> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => fail(format!("`{body}` has no argument `{name}`")),
        }
    }
}
