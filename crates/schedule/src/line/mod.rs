//! One line of text for a schedule, of which the resolved form is a special case.
//!
//! ```text
//! 0.3: 0 > 1 5%, hold, > 0 20% 1-sqrt
//! 0.1: 1 > 0 cosine for 100% ; hold 1ep ; times 0 > 1 for 5%, hold
//! ```
//!
//! The peak, then the phases. A phase is `[from] [> to] [body] [for length]` in any sensible order: a number before `>` is
//! where it starts (absent: where the one before ended), a number after it where it ends; a length with a unit needs no
//! `for`; no length takes the rest; `skip` starts a body late. After the phases `; hold 1ep`, `; right`, `; times PHASES`,
//! `; cut` (what is longer than the budget ends with it), `; plateau(…)`.
//!
//! Bodies: `hold`, `linear`, `cosine(e, k)`, `poly(p, k)`, `power(p)`, `1-sqrt`, `1-square`, `exp(r)`, `geometric`, `rex(b)`,
//! `tanh(lb, ub)`; laws `inverse(p, tau, floor)`, `decay(gamma, tau, floor)`, `stairs(gamma, tau, floor)`,
//! `multistep(gamma, at, floor)`; `cycle(len, grow, gain, on, fade, every, lo, hi, count) { phases }`; `table(every, values)`.

mod read;
mod short;
mod write;

pub use read::LineError;
pub use short::short;
pub(crate) use write::phase_text;
