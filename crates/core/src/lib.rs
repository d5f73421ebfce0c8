//! What a sweep is, and what to do next. Everything here is a pure function of its arguments: no files,
//! processes, environment, clock, global randomness, printing or threads (`clippy.toml` enforces it).
//!
//! Reading order: [`value`] and [`key`] (the smallest things), [`objective`] (what is good), [`program`] (what a worker
//! program can do), [`plain`] (foreign text, made safe to print), [`template`] and [`output`] (a person's own program: its arguments, what it measures, and [`warning`]: what was odd in that), [`life`] (trials, stages, attempts and how their status changes), [`class`] (how attempts fail), [`fact`] (what is remembered),
//! [`event`] and [`command`] (what happened, what to do), [`spec`] and [`plan`] (from a file to trials), [`sweep`] (what to do
//! next, with [`stop`], which stops early what is bad), [`rank`] and [`statistics`] (who is best, and how surely).

pub mod class;
pub mod command;
pub mod diagnostic;
pub mod event;
pub mod expression;
pub mod fact;
pub mod key;
pub mod life;
pub mod objective;
pub mod output;
mod parameters;
pub mod plain;
pub mod plan;
pub mod program;
pub mod rank;
pub mod space;
pub mod spec;
pub mod statistics;
pub mod stop;
pub mod stream;
pub mod sweep;
pub mod template;
pub mod value;
pub mod warning;
