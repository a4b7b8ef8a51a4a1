//! Envoy as the runtime's host: every call with a result. The helpers of the SDK's traits panic where the host says no, and a
//! panic would take the other requests of the worker with it. What is called here panics only on a status that its call never
//! has; the one that had it is avoided below.

use std::time::{Duration, Instant, SystemTime};

use proxy_wasm::{
    hostcalls,
    types::{BufferType, MapType, MetricType, Status},
};

use super::foreign_sign;
use crate::{
    http::Response,
    outbound::Callout,
    runtime::{Host, HostError, MetricKind, SharedValue},
    secret::Secret,
};

/// The host of one plugin in one worker.
pub(super) struct EnvoyHost {
    /// The root context, which stays where streams go away.
    root: u32,
    /// A way from a stream to the root.
    queue: Option<u32>,
}

/// Envoy takes no milliseconds at all for no limit at all.
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(1);

impl EnvoyHost {
    /// For the plugin with this root context.
    pub(super) fn new(root: u32) -> Self {
        Self { root, queue: register_queue() }
    }
}

impl Host for EnvoyHost {
    fn wall_clock(&self) -> SystemTime {
        hostcalls::get_current_time().unwrap_or(SystemTime::UNIX_EPOCH)
    }

    fn monotonic(&self) -> Instant {
        Instant::now()
    }

    fn entropy(&self) -> Option<[u8; 32]> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The notes are filter state, as `wasm.` and their names. An error of the first call means that the stream is gone.
    fn answer(&self, stream: u32, response: &Response, notes: &[(String, String)]) -> Result<(), HostError> {
        enter(stream)?;
        notes.iter().for_each(|(name, value)| set_stream_property(name, value));
        let headers = response.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        hostcalls::send_http_response(response.status.into(), headers, Some(&response.body)).map_err(failure)
    }

    fn call(&self, callout: &Callout, timeout: Duration) -> Result<u32, HostError> {
        enter(self.root)?;
        let headers = headers(callout).ok_or(HostError::BadArgument)?;
        let body = callout.body.as_ref().map(Secret::expose);
        let timeout = timeout.max(SHORTEST_TIMEOUT);
        hostcalls::dispatch_http_call(&callout.cluster, headers, body, vec![], timeout).map_err(failure)
    }

    /// All are asked for, since the SDK panics where one is and a call failed without any.
    fn answer_headers(&self) -> Vec<(String, Vec<u8>)> {
        hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).unwrap_or_default()
    }

    fn answer_body(&self, start: usize, length: usize) -> Vec<u8> {
        hostcalls::get_buffer(BufferType::HttpCallResponseBody, start, length).ok().flatten().unwrap_or_default()
    }

    fn wake(&self) -> Result<(), HostError> {
        hostcalls::enqueue_shared_queue(self.queue.ok_or(HostError::NotFound)?, None).map_err(failure)
    }

    fn tick_every(&self, period: Duration) {
        if let Err(status) = hostcalls::set_tick_period(period) {
            log::error!("no timer: {status:?}");
        }
    }

    fn shared_value(&self, key: &str) -> Result<SharedValue, HostError> {
        let (value, version) = hostcalls::get_shared_data(key).map_err(failure)?;
        Ok(SharedValue { bytes: value.unwrap_or_default(), version })
    }

    fn set_shared_value(&self, key: &str, value: &[u8], version: Option<u32>) -> Result<(), HostError> {
        hostcalls::set_shared_data(key, Some(value), version).map_err(failure)
    }

    fn sign(&self, private_key_der: &[u8], input: &[u8]) -> Option<Vec<u8>> {
        foreign_sign::sign(private_key_der, input)
    }

    fn verify(&self, public_key_der: &[u8], input: &[u8], signature: &[u8]) -> Option<bool> {
        foreign_sign::verify(public_key_der, input, signature)
    }

    /// The host has no way to say no here, and the SDK no way to tell.
    fn define_metric(&self, kind: MetricKind, name: &str) -> u32 {
        let kind = match kind {
            MetricKind::Counter => MetricType::Counter,
            MetricKind::Gauge => MetricType::Gauge,
            MetricKind::Histogram => MetricType::Histogram,
        };
        hostcalls::define_metric(kind, name).unwrap_or_default()
    }

    fn add_to_metric(&self, metric: u32, change: i64) {
        if let Err(status) = hostcalls::increment_metric(metric, change) {
            log::warn!("a metric failed: {status:?}");
        }
    }

    fn record_metric(&self, metric: u32, value: u64) {
        if let Err(status) = hostcalls::record_metric(metric, value) {
            log::warn!("a metric failed: {status:?}");
        }
    }
}

/// The plugin's configuration; empty if there is none.
pub(super) fn configuration() -> Vec<u8> {
    let bytes = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX);
    bytes.ok().flatten().unwrap_or_default()
}

/// Takes the wake-up calls out of a queue.
pub(super) fn drain_queue(queue: u32) {
    while let Ok(Some(_)) = hostcalls::dequeue_shared_queue(queue) {}
}

/// Makes later calls count for this context. An error means that its stream is gone.
fn enter(context: u32) -> Result<(), HostError> {
    hostcalls::set_effective_context(context).map_err(failure)
}

/// None where a value is not text, as which alone it can be sent.
fn headers(callout: &Callout) -> Option<Vec<(&str, &str)>> {
    let own = [(":method", &callout.method), (":path", &callout.path), (":authority", &callout.authority)];
    let own = own.into_iter().map(|(name, value)| Some((name, value.as_str())));
    let more = callout.headers.iter();
    let more = more.map(|(name, value)| Some((name.as_str(), std::str::from_utf8(value.expose()).ok()?)));
    own.chain(more).collect()
}

/// Leaves a value with the current stream, for its access log.
fn set_stream_property(name: &str, value: &str) {
    if let Err(status) = hostcalls::set_property(vec![name], Some(value.as_bytes())) {
        log::warn!("a property failed: {status:?}");
    }
}

/// A queue of this worker alone: one with a common name would wake only the worker that registered it last.
fn register_queue() -> Option<u32> {
    let mut name = [0; 8];
    getrandom::fill(&mut name).ok()?;
    hostcalls::register_shared_queue(&format!("token-endpoint-{:016x}", u64::from_le_bytes(name))).ok()
}

fn failure(status: Status) -> HostError {
    match status {
        Status::NotFound => HostError::NotFound,
        Status::BadArgument => HostError::BadArgument,
        Status::ParseFailure => HostError::ParseFailure,
        Status::CasMismatch => HostError::CasMismatch,
        _ => HostError::InternalFailure,
    }
}
