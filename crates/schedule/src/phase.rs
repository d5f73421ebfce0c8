//! The pieces of a schedule. Values are multiples of the peak; times are of type `D`: [`crate::duration::Duration`] as a
//! person writes them, `f64` steps once resolved, and `f64` fractions of a cycle inside one.

/// A piece of a schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase<D> {
    /// How long; absent for what the others leave of the budget.
    pub length: Option<D>,
    /// The value at its start; absent for the value at which the one before ends (1 for the first).
    pub from: Option<f64>,
    /// Local time at its start: a body that starts late.
    pub skip: Option<D>,
    pub body: Body<D>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Body<D> {
    /// From `from` to `to` along a shape; `to` absent for `from`.
    Shape { to: Option<f64>, shape: Shape },
    /// `from` times a law of the local time, never below `floor`.
    Law { law: Law<D>, floor: Option<f64> },
    /// A repeated body.
    Cycle(Cycle<D>),
    /// The value number `floor(local time / every)`; the last one holds.
    Table { every: D, values: Vec<f64> },
}

/// `value = to + (from - to) * s(u)`, with u the share of the phase that is over; s(0) = 1 and s(1) = 0 but for `Tanh`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// s = 1.
    Hold,
    /// s = 1 - u.
    Linear,
    /// s = ((1 + cos(pi u^k)) / 2)^e.
    Cosine { e: f64, k: f64 },
    /// s = (1 - u^k)^p.
    Poly { p: f64, k: f64 },
    /// s = 1 - u^p; p = 0.5 is `1-sqrt`.
    Power { p: f64 },
    /// s = (r^u - r) / (1 - r), 0 < r, r != 1.
    Exp { r: f64 },
    /// value = from (to / from)^u; both above 0.
    Geometric,
    /// s = (1 - u) / (1 - b u), b < 1 (arXiv 2107.04197 with b = 1/2).
    Rex { b: f64 },
    /// s = (1 - tanh(lb (1 - u) + ub u)) / 2 (timm).
    Tanh { lb: f64, ub: f64 },
}

/// A multiplier of the local time x in steps.
#[derive(Clone, Debug, PartialEq)]
pub enum Law<D> {
    /// (1 + x / tau)^-p.
    Inverse { p: f64, tau: D },
    /// gamma^(x / tau); with stairs gamma^floor(x / tau).
    Decay { gamma: f64, tau: D, stairs: Stairs },
    /// gamma^(number of `at` that are not after x).
    Multistep { gamma: f64, at: Vec<D> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stairs {
    Smooth,
    Stairs,
}

/// A body on time [0, 1), stretched to a length and repeated. In repetition i (from 0), with b the body's value:
/// `lo + (hi - lo) * g * b`, or with [`GainOn::Peak`] `lo + (hi * g - lo) * b`, where g = gain^i, times
/// factor^(local time / tau) if it fades.
#[derive(Clone, Debug, PartialEq)]
pub struct Cycle<D> {
    pub length: D,
    /// Each repetition is so many times as long as the one before: 1, or at least 1.01; less than 1 only with `count`.
    pub grow: f64,
    pub gain: f64,
    pub gain_on: GainOn,
    /// The factor and its tau.
    pub fade: Option<(f64, D)>,
    pub lo: f64,
    pub hi: f64,
    /// After so many repetitions the value is `lo`.
    pub count: Option<u32>,
    pub body: Vec<Phase<f64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GainOn {
    Amplitude,
    Peak,
}

impl<D> Phase<D> {
    /// A shape from where the phase before ended.
    pub fn shape(length: Option<D>, to: f64, shape: Shape) -> Self {
        Self { length, from: None, skip: None, body: Body::Shape { to: Some(to), shape } }
    }

    /// The value at which the phase before ended.
    pub fn hold(length: Option<D>) -> Self {
        let body = Body::Shape { to: None, shape: Shape::Hold };
        Self { length, from: None, skip: None, body }
    }

    pub fn law(law: Law<D>, floor: Option<f64>) -> Self {
        Self { length: None, from: None, skip: None, body: Body::Law { law, floor } }
    }

    #[must_use]
    pub fn starting_at(mut self, from: f64) -> Self {
        self.from = Some(from);
        self
    }

    /// The same phase with other times; the first failure of `map` ends it.
    pub(crate) fn try_map<E, O>(&self, map: &impl Fn(&D) -> Result<E, O>) -> Result<Phase<E>, O> {
        let body = match &self.body {
            Body::Shape { to, shape } => Body::Shape { to: *to, shape: *shape },
            Body::Law { law, floor } => {
                let law = match law {
                    Law::Inverse { p, tau } => Law::Inverse { p: *p, tau: map(tau)? },
                    Law::Decay { gamma, tau, stairs } => {
                        Law::Decay { gamma: *gamma, tau: map(tau)?, stairs: *stairs }
                    }
                    Law::Multistep { gamma, at } => Law::Multistep {
                        gamma: *gamma,
                        at: at.iter().map(map).collect::<Result<_, _>>()?,
                    },
                };
                Body::Law { law, floor: *floor }
            }
            Body::Cycle(cycle) => Body::Cycle(Cycle {
                length: map(&cycle.length)?,
                grow: cycle.grow,
                gain: cycle.gain,
                gain_on: cycle.gain_on,
                fade: match &cycle.fade {
                    Some((factor, tau)) => Some((*factor, map(tau)?)),
                    None => None,
                },
                lo: cycle.lo,
                hi: cycle.hi,
                count: cycle.count,
                body: cycle.body.clone(),
            }),
            Body::Table { every, values } => {
                Body::Table { every: map(every)?, values: values.clone() }
            }
        };
        Ok(Phase {
            length: self.length.as_ref().map(map).transpose()?,
            from: self.from,
            skip: self.skip.as_ref().map(map).transpose()?,
            body,
        })
    }
}
