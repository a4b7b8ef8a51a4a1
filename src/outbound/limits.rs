//! How much the calls to an upstream may cost.

use std::time::Duration;

/// How much the calls to an upstream may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// For everything together, a second try included.
    pub timeout: Duration,
    /// The longest answer that is read, in bytes.
    pub max_response_bytes: usize,
    /// The most calls under way at one time, in one worker.
    pub max_concurrent: usize,
    /// After how many failures in a row the upstream is left alone.
    pub circuit_failures: u32,
    /// For how long it is left alone, until one call tries it again.
    pub circuit_open: Duration,
}

impl CallLimits {
    /// The most calls under way at one time where the next one is of those that come second: the last quarter is for the others.
    pub(crate) fn most_of_second(&self) -> usize {
        (self.max_concurrent - self.max_concurrent / 4).max(1)
    }
}
