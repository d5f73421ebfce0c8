//! A schedule as it is meant, with its durations still in `%`, epochs or steps.

use std::{error::Error, fmt};

use crate::{
    duration::{Duration, Horizon},
    normal,
    phase::{Body, Cycle, Law, Phase, Shape},
    plateau::Plateau,
    resolved::Resolved,
};

#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// The only absolute number: finite and not negative. Everything else is a multiple of it.
    pub peak: f64,
    /// The profile: the product of these lists of phases; at least one, usually one.
    pub factors: Vec<Vec<Phase<Duration>>>,
    /// The rate changes only every so often; one step by default.
    pub hold: Duration,
    pub sample: Sample,
    /// What becomes of phases that are longer than the budget.
    pub overrun: Overrun,
    /// The one stateful part: a multiplier that an evaluation may lower.
    pub plateau: Option<Plateau>,
}

/// What becomes of phases that are longer than the budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overrun {
    /// They are an error.
    #[default]
    Refused,
    /// They end where the budget ends.
    Cut,
}

/// Where in each held stretch the profile is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sample {
    /// At its start: the first update uses F(0).
    #[default]
    Left,
    /// At its end: the first update uses F(hold).
    Right,
}

impl Schedule {
    /// One list of phases, the rate read at every step.
    pub fn new(peak: f64, phases: Vec<Phase<Duration>>) -> Self {
        Self {
            peak,
            factors: vec![phases],
            hold: Duration::Steps(1.0),
            sample: Sample::Left,
            overrun: Overrun::Refused,
            plateau: None,
        }
    }

    /// The schedule in steps for one trial, in normal form.
    pub fn resolve(&self, horizon: Horizon) -> Result<Resolved, ResolveError> {
        if !(self.peak.is_finite() && 0.0 <= self.peak) {
            return Err(ResolveError::Peak(self.peak));
        }
        let hold = self.hold.in_steps(horizon);
        if hold <= 0.0 {
            return Err(ResolveError::Zero { what: "hold" });
        }
        let factors = self
            .factors
            .iter()
            .map(|phases| resolve_phases(phases, horizon, self.overrun))
            .collect::<Result<_, _>>()?;
        let resolved = Resolved { peak: self.peak, factors, hold, sample: self.sample };
        Ok(normal::normalize(resolved, horizon.steps))
    }

    /// Whether the rate at a step does not depend on the budget: the trial could be extended.
    pub fn is_anytime(&self) -> bool {
        let fixed = |duration: &Duration| !matches!(duration, Duration::Fraction(_));
        fixed(&self.hold)
            && self.factors.iter().all(|phases| {
                phases.iter().enumerate().all(|(index, phase)| {
                    let takes_the_rest = phase.length.is_none();
                    let is_last = index + 1 == phases.len();
                    let is_bounded = matches!(&phase.body, Body::Shape { to, shape }
                        if *shape != Shape::Hold && to.is_some_and(|to| Some(to) != phase.from));
                    phase.try_map(&|duration| fixed(duration).then_some(()).ok_or(())).is_ok()
                        && !(takes_the_rest && (is_bounded || !is_last))
                })
            })
    }
}

/// Lengths in steps, every `from` filled in.
fn resolve_phases(
    phases: &[Phase<Duration>],
    horizon: Horizon,
    overrun: Overrun,
) -> Result<Vec<Phase<f64>>, ResolveError> {
    let budget = horizon.steps as f64;
    let mut phases: Vec<Phase<f64>> = phases
        .iter()
        .map(|phase| phase.try_map(&|duration: &Duration| Ok(duration.in_steps(horizon))))
        .collect::<Result<_, ResolveError>>()?;
    let fixed: f64 = phases.iter().filter_map(|phase| phase.length).sum();
    // Percentages that add up to 100 may exceed it by a rounding error.
    if overrun == Overrun::Refused && budget * (1.0 + 1e-9) < fixed {
        return Err(ResolveError::TooLong { steps: fixed, budget: horizon.steps });
    }
    let mut open = phases.iter_mut().filter(|phase| phase.length.is_none());
    if let Some(phase) = open.next() {
        // An unbounded body at the end stays unbounded; everything else takes the rest.
        phase.length = Some((budget - fixed).max(0.0));
        if open.next().is_some() {
            return Err(ResolveError::TwoRests);
        }
    }
    fill(&mut phases)?;
    Ok(phases)
}

/// Fills in every `from` and checks what a formula needs.
pub(crate) fn fill(phases: &mut [Phase<f64>]) -> Result<(), ResolveError> {
    let mut value = 1.0;
    for phase in phases {
        let from = *phase.from.get_or_insert(value);
        check(phase, from)?;
        value = crate::evaluate::end(phase);
    }
    Ok(())
}

fn check(phase: &mut Phase<f64>, from: f64) -> Result<(), ResolveError> {
    let valid = |what, value: f64| match value {
        value if value.is_finite() && 0.0 <= value => Ok(()),
        value => Err(ResolveError::Value { what, value }),
    };
    let positive = |what, value: f64| {
        if 0.0 < value && value.is_finite() { Ok(()) } else { Err(ResolveError::Zero { what }) }
    };
    valid("from", from)?;
    match &mut phase.body {
        Body::Shape { to, shape } => {
            let to = to.unwrap_or(from);
            valid("to", to)?;
            match *shape {
                Shape::Geometric if from <= 0.0 || to <= 0.0 => Err(ResolveError::Geometric),
                Shape::Cosine { e, k } => positive("e", e).and_then(|()| positive("k", k)),
                Shape::Poly { p, k } => positive("p", p).and_then(|()| positive("k", k)),
                Shape::Power { p } => positive("p", p),
                Shape::Exp { r: 1.0 } => Err(ResolveError::Value { what: "r", value: 1.0 }),
                Shape::Exp { r } => positive("r", r),
                Shape::Rex { b } if !(b < 1.0 && b.is_finite()) => {
                    Err(ResolveError::Value { what: "b", value: b })
                }
                Shape::Tanh { lb, ub } if !(lb.is_finite() && ub.is_finite()) => {
                    Err(ResolveError::Value { what: "lb", value: lb })
                }
                _ => Ok(()),
            }
        }
        Body::Law { law, floor } => {
            valid("floor", floor.unwrap_or(0.0))?;
            match law {
                Law::Inverse { p, tau } => valid("p", *p).and_then(|()| positive("tau", *tau)),
                Law::Decay { gamma, tau, .. } => {
                    valid("gamma", *gamma).and_then(|()| positive("tau", *tau))
                }
                Law::Multistep { gamma, .. } => valid("gamma", *gamma),
            }
        }
        Body::Cycle(cycle) => check_cycle(cycle, &valid),
        Body::Table { every, values } => {
            positive("every", *every)?;
            if values.is_empty() {
                return Err(ResolveError::Zero { what: "table" });
            }
            values.iter().try_for_each(|&value| valid("table", value))
        }
    }
}

fn check_cycle(
    cycle: &mut Cycle<f64>,
    valid: &impl Fn(&'static str, f64) -> Result<(), ResolveError>,
) -> Result<(), ResolveError> {
    if cycle.length.is_nan() || cycle.length <= 0.0 {
        return Err(ResolveError::Zero { what: "len" });
    }
    let grows =
        cycle.grow == 1.0 || 1.01 <= cycle.grow || (0.0 < cycle.grow && cycle.count.is_some());
    if !(grows && cycle.grow.is_finite()) {
        return Err(ResolveError::Grow(cycle.grow));
    }
    if cycle.count.is_some_and(|count| 10_000 < count) {
        return Err(ResolveError::Value {
            what: "count",
            value: f64::from(cycle.count.unwrap_or(0)),
        });
    }
    valid("gain", cycle.gain)?;
    if let Some((factor, tau)) = cycle.fade {
        valid("fade", factor)?;
        if tau.is_nan() || tau <= 0.0 {
            return Err(ResolveError::Zero { what: "every" });
        }
    }
    valid("lo", cycle.lo)?;
    valid("hi", cycle.hi)?;
    fill(&mut cycle.body)
}

/// Why a schedule makes no sense for a budget.
#[derive(Clone, Debug, PartialEq)]
pub enum ResolveError {
    Peak(f64),
    Value { what: &'static str, value: f64 },
    Zero { what: &'static str },
    TooLong { steps: f64, budget: u64 },
    TwoRests,
    Geometric,
    Grow(f64),
}

impl fmt::Display for ResolveError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Peak(peak) => write!(formatter, "the peak is {peak}: it must be finite and not negative"),
            Self::Value { what, value } => write!(formatter, "`{what}` is {value}, which is out of range"),
            Self::Zero { what } => write!(formatter, "`{what}` must be more than zero"),
            Self::TooLong { steps, budget } => write!(
                formatter,
                "the phases take {} steps, the trial has only {budget}: shorten them or raise the budget",
                steps.ceil()
            ),
            Self::TwoRests => formatter.write_str(
                "two phases have no length: only one can take the rest, give the other one a `for`",
            ),
            Self::Geometric => formatter.write_str(
                "a geometric phase needs both ends above zero: start or end at a small number instead",
            ),
            Self::Grow(grow) => write!(
                formatter,
                "a cycle cannot grow by {grow}: write 1, at least 1.01, or less than 1 together with a `count`"
            ),
        }
    }
}

impl Error for ResolveError {}
