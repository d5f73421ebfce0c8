//! A schedule cut into pieces, each under one rule, so that two schedules can be compared without looking at every step:
//! where both are under equal rules their rates are equal to the last bit. Rates may be equal under other rules, too; that
//! is missed, never wrong.

use std::fmt::Write;

use crate::{
    evaluate::{self, repetition},
    line::phase_text,
    phase::{Body, Law, Phase, Shape, Stairs},
    resolved::Resolved,
    schedule::Sample,
};

/// Consecutive steps under one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The first step after it.
    pub end: u64,
    /// Decides the rate at every step of the piece, together with the step: a number for a constant rate, otherwise
    /// formulas with everything that they depend on.
    pub rule: String,
}

/// Steps of a staircase and turns of a cycle that become pieces of their own; what follows is one more.
const TURNS: u64 = 64;

/// Where a list of phases is at some time: the phase, and the stair, turn or entry inside it. Never goes back as time
/// goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cell {
    phase: usize,
    turn: u64,
    /// When the phase begins.
    start: f64,
}

impl Resolved {
    /// The pieces of the first `steps` steps, at least 1, in their order; no two neighbours have equal rules. Takes time
    /// in the number of phases, stairs, turns and entries, and the logarithm of `steps`.
    pub fn pieces(&self, steps: u64) -> Vec<Piece> {
        let cells = |step: u64| -> Vec<Cell> {
            let time = self.time(step);
            self.factors.iter().map(|phases| cell(phases, time)).collect()
        };
        let mut pieces: Vec<Piece> = Vec::new();
        let mut first = 0;
        while first < steps {
            let here = cells(first);
            // Time only goes on, so the steps of these cells are consecutive.
            let (mut inside, mut width) = (first, 1);
            while inside + width < steps && cells(inside + width) == here {
                inside += width;
                width *= 2;
            }
            let mut outside = (inside + width).min(steps);
            while inside + 1 < outside {
                let middle = inside.midpoint(outside);
                *(if cells(middle) == here { &mut inside } else { &mut outside }) = middle;
            }
            let rule = self.rule(first, &here);
            match pieces.last_mut() {
                Some(before) if before.rule == rule => before.end = outside,
                _ => pieces.push(Piece { end: outside, rule }),
            }
            first = outside;
        }
        pieces
    }

    /// The rule at a step, and everywhere else in its cells.
    fn rule(&self, step: u64, cells: &[Cell]) -> String {
        let time = self.time(step);
        let mut formulas = String::new();
        // Factors are multiplied from the left: constants before the first formula are one number.
        let mut number = self.peak;
        for (phases, cell) in self.factors.iter().zip(cells) {
            // A `String` takes everything, here and below.
            let _infallible = match formula(phases, *cell, time) {
                Some(formula) => write!(formulas, " * {formula}"),
                None => match evaluate::value(phases, time) {
                    // Changes nothing, to the last bit.
                    1.0 => Ok(()),
                    value if formulas.is_empty() => {
                        number *= value;
                        Ok(())
                    }
                    value => write!(formulas, " * {value}"),
                },
            };
        }
        if formulas.is_empty() {
            return self.at(step).to_string();
        }
        let _infallible = write!(formulas, " ; hold {}", self.hold);
        if self.sample == Sample::Right {
            formulas.push_str(" ; right");
        }
        format!("{number}{formulas}")
    }
}

fn cell(phases: &[Phase<f64>], time: f64) -> Cell {
    let mut start = 0.0;
    for (index, phase) in phases.iter().enumerate() {
        let end = start + phase.length.unwrap_or(f64::INFINITY);
        if time < end || index + 1 == phases.len() {
            return Cell { phase: index, turn: turn(phase, time - start), start };
        }
        start = end;
    }
    Cell { phase: 0, turn: 0, start }
}

/// Which stair, turn or entry of a phase holds at local time `x`.
fn turn(phase: &Phase<f64>, x: f64) -> u64 {
    let x = x + phase.skip.unwrap_or(0.0);
    match &phase.body {
        Body::Shape { .. } | Body::Law { law: Law::Inverse { .. }, .. } => 0,
        Body::Law { law: Law::Decay { tau, stairs, .. }, .. } => match stairs {
            Stairs::Smooth => 0,
            Stairs::Stairs => ((x / tau).floor() as u64).min(TURNS),
        },
        Body::Law { law: Law::Multistep { at, .. }, .. } => {
            at.iter().filter(|&&at| at <= x).count() as u64
        }
        Body::Cycle(cycle) => match repetition(cycle, x) {
            Some((index, ..)) => (index as u64).min(TURNS),
            None => u64::MAX,
        },
        Body::Table { every, values } => ((x / every).floor() as u64).min(values.len() as u64),
    }
}

/// What decides the value in a cell; `None` if it is the same everywhere in it.
fn formula(phases: &[Phase<f64>], cell: Cell, time: f64) -> Option<String> {
    let phase = phases.get(cell.phase)?;
    let start = cell.start;
    let whole = || Some(format!("({} from {start})", phase_text(phase)));
    match &phase.body {
        Body::Shape { shape: Shape::Hold, .. }
        | Body::Law { law: Law::Multistep { .. }, .. }
        | Body::Table { .. } => None,
        Body::Law { law: Law::Decay { stairs: Stairs::Stairs, .. }, .. } if cell.turn < TURNS => {
            None
        }
        Body::Shape { .. } | Body::Law { .. } => whole(),
        Body::Cycle(cycle) => {
            let (index, begin, length) =
                repetition(cycle, time - start + phase.skip.unwrap_or(0.0))?;
            if TURNS <= index as u64 {
                return whole();
            }
            // A turn depends on its number only through its gain.
            let turn = crate::phase::Cycle {
                length,
                grow: 1.0,
                gain: cycle.gain.powf(index),
                count: None,
                ..cycle.clone()
            };
            let turn =
                Phase { length: None, from: None, skip: phase.skip, body: Body::Cycle(turn) };
            Some(format!("({} turn {begin} from {start})", phase_text(&turn)))
        }
    }
}
