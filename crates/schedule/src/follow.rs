//! Other parameters than the learning rate whose value changes from step to step: momentum, beta1, weight decay. As
//! written, one is a schedule of its own (`0.95 > 0.85 30%, > 0.95 cosine`; without a peak its values are as they stand), or
//! mirrors that of the learning rate (`mirror(lo=0.85,hi=0.95)`), as 1cycle wants of momentum (arXiv 1708.07120).

use std::{error::Error, fmt, str::FromStr};

use crate::{
    duration::Duration,
    line::LineError,
    phase::{Body, Cycle, GainOn, Phase},
    schedule::Schedule,
};

/// What a parameter follows.
#[derive(Clone, Debug, PartialEq)]
pub enum Follow {
    Own(Schedule),
    /// `lo` where the learning rate's profile is at its peak, `hi` where a phase of it begins or ends at any other value, and
    /// in between along the same shapes; in a cycle `lo` at its top and `hi` at its bottom.
    Mirror {
        lo: f64,
        hi: f64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowError {
    Line(LineError),
    /// It does not say which value it begins with.
    Beginning,
    Plateau,
    Mirror,
    NothingToMirror,
    /// The learning rate follows something else than phases and cycles.
    NoMirror(&'static str),
}

impl Follow {
    /// The parameter's schedule beside that of the learning rate.
    pub fn schedule(&self, rate: Option<&Schedule>) -> Result<Schedule, FollowError> {
        match self {
            Self::Own(schedule) => Ok(schedule.clone()),
            Self::Mirror { lo, hi } => mirror(rate.ok_or(FollowError::NothingToMirror)?, *lo, *hi),
        }
    }
}

fn mirror(rate: &Schedule, lo: f64, hi: f64) -> Result<Schedule, FollowError> {
    let [phases] = &rate.factors[..] else { return Err(FollowError::NoMirror("a product")) };
    let turned = |value: f64| if value == 1.0 { lo } else { hi };
    let mut mirrored: Vec<Phase<Duration>> = Vec::with_capacity(phases.len());
    for phase in phases {
        let body = match &phase.body {
            Body::Shape { to, shape } => Body::Shape { to: to.map(turned), shape: *shape },
            Body::Cycle(cycle) => {
                Body::Cycle(Cycle { lo: hi, hi: lo, gain_on: GainOn::Amplitude, ..cycle.clone() })
            }
            Body::Law { .. } => return Err(FollowError::NoMirror("a law")),
            Body::Table { .. } => return Err(FollowError::NoMirror("a table")),
        };
        mirrored.push(Phase { from: phase.from.map(turned), body, ..phase.clone() });
    }
    if let Some(first) = mirrored.first_mut() {
        // A profile begins at its peak unless it says otherwise.
        first.from.get_or_insert(lo);
    }
    let factors = vec![mirrored];
    Ok(Schedule { peak: 1.0, factors, plateau: None, ..rate.clone() })
}

impl FromStr for Follow {
    type Err = FollowError;

    fn from_str(text: &str) -> Result<Self, FollowError> {
        if let Some(arguments) = text.trim().strip_prefix("mirror") {
            return read_mirror(arguments).ok_or(FollowError::Mirror);
        }
        let schedule: Schedule = if text.contains(':') {
            text.parse().map_err(FollowError::Line)?
        } else {
            let schedule: Schedule = format!("1: {text}").parse().map_err(FollowError::Line)?;
            if schedule.factors[0].first().is_none_or(|first| first.from.is_none()) {
                return Err(FollowError::Beginning);
            }
            schedule
        };
        match schedule.plateau {
            Some(_) => Err(FollowError::Plateau),
            None => Ok(Self::Own(schedule)),
        }
    }
}

fn read_mirror(arguments: &str) -> Option<Follow> {
    let arguments = arguments.trim().strip_prefix('(')?.strip_suffix(')')?;
    let (lo, hi) = arguments.split_once(',')?;
    let number = |text: &str, name: &str| {
        let value: f64 = text.trim().strip_prefix(name)?.strip_prefix('=')?.parse().ok()?;
        (value.is_finite() && 0.0 <= value).then_some(value)
    };
    let (lo, hi) = (number(lo, "lo")?, number(hi, "hi")?);
    (lo <= hi).then_some(Follow::Mirror { lo, hi })
}

impl fmt::Display for FollowError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Line(error) => error.fmt(formatter),
            Self::Beginning => formatter.write_str(
                "it does not begin with a value: write `0.95 > 0.85 30%, > 0.95 cosine`, or a peak and multiples of it, `0.95: > 0.9`",
            ),
            Self::Plateau => formatter.write_str("only the learning rate can follow a metric"),
            Self::Mirror => formatter.write_str("a mirror is `mirror(lo=0.85,hi=0.95)`, two numbers from 0"),
            Self::NothingToMirror => {
                formatter.write_str("there is no learning-rate schedule to mirror")
            }
            Self::NoMirror(what) => write!(
                formatter,
                "it cannot mirror the learning rate, which is {what}: only phases and cycles have turning points"
            ),
        }
    }
}

impl Error for FollowError {}
