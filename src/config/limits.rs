//! How much of everything is enough: sizes, shares of a worker's time, and failures.

use std::time::Duration;

use serde::Deserialize;

use super::{
    document::Object,
    setting::{Count, Span, Text},
    upstream::whole_seconds,
};
use crate::{
    attempts::{Limit, Limits},
    schedule::Schedule,
};

const DEFAULT_MAX_REQUEST_BYTES: usize = 16 * 1024;

/// Reads `limits`.
pub fn max_request_bytes(object: &mut Object) -> usize {
    let bytes = object.nested("limits", |limits| within(limits, "max_request_bytes", 1024, 1024 * 1024));
    let bytes = bytes.flatten().and_then(|bytes| usize::try_from(bytes).ok());
    bytes.unwrap_or(DEFAULT_MAX_REQUEST_BYTES)
}

/// Reads `password_checks`.
pub fn schedule(object: &mut Object) -> Schedule {
    let default = Schedule::default();
    Schedule {
        slice: within(object, "slice_ms", 1, 100).map_or(default.slice, Duration::from_millis),
        max_wait: object.optional("max_wait").map_or(default.max_wait, |Span(wait)| wait),
        pacing_cluster: object.optional("pacing_cluster").map(|Text(cluster)| cluster),
    }
}

/// Where attempts are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStore {
    /// In each process.
    #[default]
    Local,
    /// In etcd, for all proxies together.
    Etcd,
}

/// Reads `attempt_limits`.
pub fn attempts(object: &mut Object) -> (Limits, AttemptStore) {
    let store = object.optional("store").unwrap_or_default();
    (of_attempts(object), store)
}

fn of_attempts(object: &mut Object) -> Limits {
    let default = Limits::default();
    let mut read = |name, default| object.nested(name, |object| limit(object, default)).unwrap_or(default);
    Limits {
        identifier: read("identifier", default.identifier),
        address: read("address", default.address),
        client: read("client", default.client),
    }
}

fn limit(object: &mut Object, default: Limit) -> Limit {
    let failures = within(object, "failures", 1, 1_000_000).and_then(|failures| u32::try_from(failures).ok());
    let mut span = |name, default| whole_seconds_or(object, name, default);
    let limit = Limit {
        failures: failures.unwrap_or(default.failures),
        wait: span("wait", default.wait),
        max_wait: span("max_wait", default.max_wait),
        forget: span("forget", default.forget),
    };
    if limit.wait > limit.max_wait {
        object.problem("wait", "longer than max_wait");
    }
    if limit.max_wait > limit.forget {
        object.problem("max_wait", "longer than forget");
    }
    limit
}

/// A span of whole seconds, up to a year.
pub fn whole_seconds_or(object: &mut Object, name: &str, default: Duration) -> Duration {
    whole_seconds(object, name, LONGEST).unwrap_or(default)
}

/// In seconds: a year.
const LONGEST: u64 = 365 * 86_400;

/// A whole number within bounds, if it is given.
pub fn within(object: &mut Object, name: &str, least: u64, most: u64) -> Option<u64> {
    let Count(number) = object.optional(name)?;
    if !(least..=most).contains(&number) {
        object.problem(name, format!("expected {least} to {most}"));
    }
    Some(number)
}
