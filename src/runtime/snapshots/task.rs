//! What a source is busy with, as plain data.

use std::time::{Duration, Instant};

use crate::{config::loading::Loading, registry::remote::Fetch};

/// What it is busy with.
pub(super) enum Task {
    Nothing,
    Fetching(Fetching),
    Reading(Box<Reading>),
    /// The pieces of a slot that is no longer good, from the last to the first.
    Clearing {
        slot: u64,
        version: u64,
        pieces: usize,
    },
}

/// A call under way.
pub(super) struct Fetching {
    pub(super) call: u32,
    pub(super) fetch: Fetch,
    /// When all of the document must be here.
    pub(super) until: Instant,
}

/// How much later than asked for Envoy may tell that there is no answer.
const GRACE: Duration = Duration::from_secs(1);

impl Fetching {
    /// Whether it is this call.
    pub(super) fn is_by(&self, call: u32) -> bool {
        self.call == call
    }

    /// Whether its answer was lost.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.until + GRACE <= now
    }
}

/// A document being read from shared data.
pub(super) struct Reading {
    pub(super) loading: Loading,
    pub(super) version: u64,
    pub(super) slot: u64,
    pub(super) length: usize,
    pub(super) piece: usize,
    /// Set where the document is not known to be good: this worker fetched it.
    pub(super) candidate: Option<Candidate>,
    pub(super) since: Instant,
}

/// What is known of a document that was fetched.
pub(super) struct Candidate {
    pub(super) etag: Option<String>,
    pub(super) renewed: Instant,
}

impl Candidate {
    /// A document with this `ETag`, fetched just now.
    pub(super) fn new(etag: Option<String>, now: Instant) -> Self {
        Self { etag, renewed: now }
    }
}
