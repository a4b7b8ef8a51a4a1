//! An HTTP call and its answer, as plain data.

use std::fmt;

use serde_json::Value;

use super::Fault;
use crate::{secret::Secret, text::half_character};

/// A request to an upstream.
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

/// An answer from an upstream.
pub struct CalloutAnswer {
    /// `:status`
    pub status: u16,
    /// Header names, in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body, no longer than the limit.
    pub body: Vec<u8>,
}

impl CalloutAnswer {
    /// The body of a success.
    ///
    /// # Errors
    /// It is no success, or no JSON. Half a character in it is for who reads that field.
    pub(crate) fn json(&self) -> Result<Value, Fault> {
        self.success()?;
        let place = |error: serde_json::Error| format!("not JSON: line {}, column {}", error.line(), error.column());
        serde_json::from_slice(&half_character::marked(&self.body)).map_err(|error| Fault::Malformed(place(error)))
    }

    /// Whether it is a success; a redirect is none.
    pub(crate) fn success(&self) -> Result<(), Fault> {
        if (200..=299).contains(&self.status) { Ok(()) } else { Err(Fault::Status(self.status)) }
    }
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
