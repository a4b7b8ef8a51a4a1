//! The `snapshot` section of an auth source: a document of users that is fetched as a whole.

use std::time::Duration;

use super::{
    bounds::{whole_seconds, within},
    context::{Allowances, Environment},
    document::Object,
    setting::Span,
    shape::{Seconds, Within, object},
    upstream::{self, Call, fields::RequestFields},
};
use crate::registry::{
    auth_source::Directory,
    remote::{Format, Snapshot},
};

object! {
    /// A document of all users, fetched as a whole.
    pub(crate) struct SnapshotFields {
        /// How long all parts of the document may take together: `0.001s` to `60s`.
        timeout: Option<Span> = Span(DEFAULT_TIMEOUT),
        /// How the document lists its users.
        format: Option<Format> = DEFAULT_FORMAT,
        /// How long after one document the next is fetched.
        refresh_interval: Option<Seconds<LONGEST_INTERVAL>> = Span(DEFAULT_INTERVAL),
        /// The longest document that is read, in bytes. Envoy buffers at most 32 MiB of an answer or a part, unless its runtime
        /// key `http.async_response_buffer_limit` says otherwise.
        max_bytes: Option<Within<1, { 256 * 1024 * 1024 }>> = DEFAULT_MAX_BYTES,
        ..request: RequestFields,
    }
}

/// For all parts together, from a server that may be far away.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_FORMAT: Format = Format::Json;
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);
/// What Envoy buffers of an answer, unless its runtime key `http.async_response_buffer_limit` says otherwise.
const DEFAULT_MAX_BYTES: usize = 32 * 1024 * 1024;
const LONGEST_INTERVAL: u64 = 7 * 24 * 3600;

/// Reads `snapshot`.
pub(super) fn read(object: &mut Object, environment: Environment, allowances: Allowances) -> Option<Directory> {
    let upstream = upstream::read(object, environment, Call::Snapshot);
    let timeout = upstream::timeout_or(object, SnapshotFields::timeout, DEFAULT_TIMEOUT);
    let format = object.optional(SnapshotFields::format).unwrap_or(DEFAULT_FORMAT);
    let refresh_interval = whole_seconds(object, SnapshotFields::refresh_interval);
    let max_bytes = within(object, SnapshotFields::max_bytes).and_then(|bytes| usize::try_from(bytes).ok());
    Some(Directory::Snapshot(Box::new(Snapshot {
        upstream: upstream?,
        timeout,
        format,
        refresh_interval: refresh_interval.unwrap_or(DEFAULT_INTERVAL),
        max_bytes: max_bytes.unwrap_or(DEFAULT_MAX_BYTES),
        weak_hashes: allowances.weak_hashes,
    })))
}
