//! The `snapshot` section of an auth source: a document of users that is fetched as a whole.

use std::time::Duration;

use super::{
    Allowances, Environment,
    document::Object,
    limits::within,
    upstream::{self, Call},
};
use crate::registry::{
    auth_source::Directory,
    remote::{Format, Snapshot},
};

/// For all parts together, from a server that may be far away.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);
/// What Envoy buffers of an answer, unless its runtime key `http.async_response_buffer_limit` says otherwise.
const DEFAULT_MAX_BYTES: usize = 32 * 1024 * 1024;
const LONGEST_INTERVAL: u64 = 7 * 24 * 3600;

/// Reads `snapshot`.
pub fn read(object: &mut Object, environment: Environment, allowances: Allowances) -> Option<Directory> {
    let upstream = upstream::read(object, environment, Call::Snapshot);
    let timeout = upstream::timeout_or(object, DEFAULT_TIMEOUT);
    let format = object.optional("format").unwrap_or(Format::Json);
    let refresh_interval = upstream::whole_seconds(object, "refresh_interval", LONGEST_INTERVAL);
    let max_bytes = within(object, "max_bytes", 1, 256 * 1024 * 1024).and_then(|bytes| usize::try_from(bytes).ok());
    Some(Directory::Snapshot(Box::new(Snapshot {
        upstream: upstream?,
        timeout,
        format,
        refresh_interval: refresh_interval.unwrap_or(DEFAULT_INTERVAL),
        max_bytes: max_bytes.unwrap_or(DEFAULT_MAX_BYTES),
        weak_hashes: allowances.weak_hashes,
    })))
}
