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
}

impl Default for Schedule {
    fn default() -> Self {
        Self { slice: Duration::from_millis(1), max_wait: Duration::from_secs(2), pacing_cluster: None }
    }
}
