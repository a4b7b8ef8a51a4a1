//! `snapshot`: the whole directory as one document, fetched again from time to time.

mod content_range;
mod fetch;
mod manifest;
mod records;

use std::time::Duration;

use sha2::{Digest, Sha256};

pub use self::{
    fetch::{AnswerHead, Delivery, Fetch, PART},
    manifest::{SnapshotManifest, Transition, jittered, millis},
    records::{Format, NextItem, Records},
};
use super::{Upstream, Values};
use crate::{outbound::Callout, registry::identifier::IdentifierRules, secret::Secret};

/// A document of users.
#[derive(Debug)]
pub struct Snapshot {
    /// Where the document is.
    pub(crate) upstream: Upstream,
    /// How long fetching it may take, all of its parts together.
    pub(crate) timeout: Duration,
    /// How it lists its users.
    pub(crate) format: Format,
    /// How often a newer one is looked for.
    pub refresh_interval: Duration,
    /// The longest document, in bytes.
    pub max_bytes: usize,
    /// Whether hashes may cost less than they should.
    pub(crate) weak_hashes: bool,
}

/// How soon a fetch that failed is tried again, at the latest.
const RETRY: Duration = Duration::from_secs(5);

impl Snapshot {
    /// What to send for what a fetch asks for next.
    pub fn callout(&self, auth_source_id: &str, fetch: &Fetch) -> Option<Callout> {
        let mut callout = self.upstream.callout(&values(auth_source_id), None)?;
        let headers = fetch.headers().into_iter();
        callout.headers.extend(headers.map(|(name, value)| (name.to_owned(), Secret::new(value))));
        Some(callout)
    }

    /// How long to wait after a fetch that failed.
    pub(crate) fn retry_interval(&self) -> Duration {
        self.refresh_interval.min(RETRY)
    }

    /// A name for what is fetched and how it is read, the same in all workers, and without anything secret.
    pub(crate) fn fingerprint(&self, auth_source_id: &str, rules: &IdentifierRules) -> String {
        let path = self.upstream.path.expand(&values(auth_source_id));
        let parts = format!(
            "{auth_source_id:?} {:?} {:?} {:?} {rules:?} {} {}",
            self.upstream.cluster, self.upstream.authority, self.format, self.max_bytes, self.weak_hashes
        );
        let digest =
            Sha256::new().chain_update(parts).chain_update(path.as_ref().map(Secret::expose).unwrap_or_default());
        digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn values(auth_source_id: &str) -> Values<'_> {
    Values { auth_source_id, identifier: None, password: None }
}
