//! Control groups of the kernel's, where it lets us make some: what a program may take, with everything that it starts
//! ([`limits`]), and who belongs to a guard, however well hidden ([`tracked`]).
//!
//! Our groups are made in the one in which `pleach` was started, its *base*. Their names say whose they are ([`owner`]), so
//! that whoever comes after a guard that was killed knows them.

mod hierarchy;
mod limits;
mod owner;
mod tracked;

pub(crate) use limits::{ENTER, Group, enter, kills};
pub use limits::{Limit, Limits, can_limit};
pub use tracked::can_track;
pub(crate) use tracked::{Own, bases, end_abandoned};
