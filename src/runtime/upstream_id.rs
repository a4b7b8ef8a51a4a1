//! Who is asked over HTTP.

use std::fmt;

use super::metrics::{Histogram, Times};

/// Someone outside.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum UpstreamId {
    /// The directory of the auth source with this id.
    AuthSource(String),
    /// The store of states.
    StateStore,
}

impl UpstreamId {
    /// Where the time is recorded that its answers take.
    pub(super) fn times(&self, times: &Times) -> Histogram {
        match self {
            Self::AuthSource(_) => times.directory,
            Self::StateStore => times.state_store,
        }
    }
}

impl fmt::Display for UpstreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AuthSource(id) => write!(f, "auth source {id}"),
            Self::StateStore => f.write_str("state store"),
        }
    }
}
