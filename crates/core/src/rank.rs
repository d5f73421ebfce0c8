//! Leaderboards: configurations in order of merit. The order is total over any set of results.

use crate::{
    life::{ConfigurationId, TrialId, TrialStatus},
    value::Parameters,
};

/// A configuration and the results of its trials, as remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub configuration: ConfigurationId,
    /// What was swept: everything in which configurations differ.
    pub parameters: Parameters,
    /// By seed.
    pub trials: Vec<Result>,
}

/// One trial's result so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Result {
    pub trial: TrialId,
    pub seed: u64,
    pub status: TrialStatus,
    /// Reduced over its evaluations; `None` before it ends, NaN possible.
    pub objective: Option<f64>,
}
