//! An HTTP call to a directory, as plain data.

use std::{fmt, time::Duration};

use crate::secret::Secret;

/// A request to a directory.
pub struct Callout {
    /// The cluster to ask.
    pub cluster: String,
    /// `:method`
    pub method: String,
    /// `:authority`
    pub authority: String,
    /// `:path`, with everything in it encoded.
    pub path: String,
    /// Further headers, of which some hold credentials.
    pub headers: Vec<(String, Secret)>,
    /// The body.
    pub body: Option<Secret>,
}

/// An answer from a directory.
pub struct CalloutAnswer {
    /// `:status`
    pub status: u16,
    /// Header names, in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body, no longer than the limit.
    pub body: Vec<u8>,
}

/// How much a directory may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// For everything together, a second try included.
    pub timeout: Duration,
    /// The longest answer that is read, in bytes.
    pub max_response_bytes: usize,
    /// The most calls under way at one time, in one worker.
    pub max_concurrent: usize,
    /// After how many failures in a row the directory is left alone.
    pub circuit_failures: u32,
    /// For how long it is left alone, until one call tries it again.
    pub circuit_open: Duration,
}

impl fmt::Debug for Callout {
    /// Leaves out what may hold a password or a name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callout").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

impl fmt::Debug for CalloutAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CalloutAnswer").field("status", &self.status).finish_non_exhaustive()
    }
}
