//! Runs a sweep: worker processes, the clock, signals, files. It decides nothing: [`pleach_core::sweep::Sweep`] does, and
//! what it decides is committed before it is done.
//!
//! Reading order: [`home`] (a sweep's folder, its lock), [`inbox`] (requests from outside), [`live`] (what those outside see), [`program`] (which worker
//! program, and what it can do), [`guard`] (no process outlives its coordinator), [`groups`] (nor its guard), [`command`] (a person's own program
//! as a worker), `process` (one worker), [`cores`] and [`gpus`] (which it may use), [`prepare`] (from a file to a plan), [`reuse`] (from other sweeps), [`provenance`] (with what and where), [`run`]
//! (the loop), [`verify`] (one trial, once more).

pub mod command;
pub mod cores;
pub mod gpus;
pub mod groups;
pub mod guard;
pub mod home;
pub mod inbox;
mod leftovers;
pub mod live;
pub mod logs;
pub mod prepare;
mod process;
pub mod program;
pub mod provenance;
pub mod reuse;
pub mod run;
mod translate;
pub mod verify;
