//! Whose turn it is, and how long a newcomer will wait: the order of a worker's password checks, with no clock in it.

mod fair_queue;
mod forecast;

use std::time::Duration;

pub use self::{fair_queue::FairQueue, forecast::Forecast};

/// How a worker shares its time between password checks and everything else.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// How long a worker works on password checks before it looks at its other connections.
    pub slice: Duration,
    /// The longest predicted wait with which a check is still queued.
    pub(crate) max_wait: Duration,
    /// The cluster whose answer starts the next slice; without one, a timer does.
    pub(crate) pacing_cluster: Option<String>,
    /// Where the host has threads for password checks: which.
    pub(crate) threads: ThreadSettings,
}

/// The threads of a process that check passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadSettings {
    /// How many. None: as many as the host has workers.
    pub count: Option<usize>,
    /// How far all else on the machine goes before them: 0 to 19, as `nice` has it.
    pub niceness: u8,
    /// The share of a core, in percent, that one thread without niceness takes where the others get too little.
    pub floor_percent: u8,
}

impl Default for ThreadSettings {
    fn default() -> Self {
        Self { count: None, niceness: 19, floor_percent: 20 }
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            slice: Duration::from_millis(1),
            max_wait: Duration::from_secs(2),
            pacing_cluster: None,
            threads: ThreadSettings::default(),
        }
    }
}
