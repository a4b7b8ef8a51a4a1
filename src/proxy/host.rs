//! Every call to the host, each with a result: the helpers of the SDK's traits panic where the host says no, and a panic
//! would take the other requests of the worker with it. What is called here panics only on a status that its call never
//! has; the one that had it is avoided below.

use std::time::{Duration, SystemTime};

use proxy_wasm::{
    hostcalls,
    types::{BufferType, MapType, MetricType, Status},
};

use crate::{
    http::{Head, Response},
    outbound::{Callout, CalloutAnswer, Fault},
    secret::Secret,
    time::{Entropy, Moment, UnixTime},
};

/// The plugin's configuration; empty if there is none.
pub fn configuration() -> Vec<u8> {
    let bytes = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX);
    bytes.ok().flatten().unwrap_or_default()
}

/// The clock and fresh entropy. None if the host gives no entropy, without which nothing may be issued.
pub fn moment() -> Option<Moment> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).ok()?;
    Some(Moment { now: now(), entropy: Entropy::new(bytes) })
}

/// The wall clock.
pub fn now() -> UnixTime {
    hostcalls::get_current_time().unwrap_or(SystemTime::UNIX_EPOCH).into()
}

/// The path of the current request, without its query.
pub fn path() -> String {
    let path = header(":path").unwrap_or_default();
    path.split('?').next().unwrap_or_default().to_owned()
}

/// The head of the current request.
pub fn head(path: String) -> Head {
    Head {
        method: header(":method").unwrap_or_default(),
        path,
        content_type: header("content-type"),
        content_length: header("content-length").and_then(|length| length.parse().ok()),
        authorization: header_bytes("authorization").map(Secret::new),
        web_origin: header("origin"),
        is_preflight: header_bytes("access-control-request-method").is_some(),
        traceparent: header("traceparent"),
    }
}

fn header(name: &str) -> Option<String> {
    header_bytes(name).and_then(|value| String::from_utf8(value).ok())
}

fn header_bytes(name: &str) -> Option<Vec<u8>> {
    hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, name).ok().flatten()
}

/// Takes a header away from the current request before it goes on.
pub fn remove_request_header(name: &str) {
    if let Err(status) = hostcalls::set_map_value(MapType::HttpRequestHeaders, name, None) {
        log::error!("a header stays: {status:?}");
    }
}

/// At most `limit` bytes of the current request's buffered body.
pub fn body(limit: usize) -> Secret {
    let bytes = hostcalls::get_buffer(BufferType::HttpRequestBody, 0, limit).ok().flatten();
    Secret::new(bytes.unwrap_or_default())
}

/// Where the current request comes from, as Envoy knows it (`x-forwarded-for` counts where Envoy trusts it): an
/// address and a port.
pub fn source_address() -> String {
    let address = hostcalls::get_property(vec!["source", "address"]).ok().flatten().unwrap_or_default();
    String::from_utf8(address).unwrap_or_default()
}

/// Makes later calls count for this context. An error means that its stream is gone.
pub fn enter(context: u32) -> Result<(), Status> {
    hostcalls::set_effective_context(context)
}

/// Answers the request of the current context.
pub fn reply(response: &Response) -> Result<(), Status> {
    let headers = response.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    hostcalls::send_http_response(response.status.into(), headers, Some(&response.body))
}

/// Asks `cluster` for nothing, only to be called again after the worker has looked at its other connections.
pub fn call_pacing_cluster(cluster: &str, timeout: Duration) -> Result<u32, Status> {
    let headers = vec![(":method", "GET"), (":path", "/"), (":authority", cluster)];
    hostcalls::dispatch_http_call(cluster, headers, None, vec![], timeout)
}

/// Envoy takes no milliseconds at all for no limit at all.
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(1);

/// Calls a directory, for no longer than `timeout`.
pub fn call(callout: &Callout, timeout: Duration) -> Result<u32, Status> {
    let own = [
        (":method", callout.method.as_bytes()),
        (":path", callout.path.as_bytes()),
        (":authority", callout.authority.as_bytes()),
    ];
    let more = callout.headers.iter().map(|(name, value)| (name.as_str(), value.expose()));
    let headers: Vec<(&str, &[u8])> = own.into_iter().chain(more).collect();
    let texts: Option<Vec<_>> =
        headers.into_iter().map(|(name, value)| Some((name, std::str::from_utf8(value).ok()?))).collect();
    let body = callout.body.as_ref().map(Secret::expose);
    let timeout = timeout.max(SHORTEST_TIMEOUT);
    hostcalls::dispatch_http_call(&callout.cluster, texts.ok_or(Status::BadArgument)?, body, vec![], timeout)
}

/// The answer to the callout at hand, if it is no longer than `limit`.
pub fn call_answer(body_size: usize, limit: usize) -> Result<CalloutAnswer, Fault> {
    let headers = hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).unwrap_or_default();
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    let headers: Vec<(String, String)> = headers.into_iter().map(|(name, value)| (name, text(value))).collect();
    let status = headers.iter().find(|(name, _)| name == ":status").and_then(|(_, status)| status.parse().ok());
    let status = status.ok_or(Fault::NoAnswer)?;
    if body_size > limit {
        return Err(Fault::TooLarge(limit));
    }
    let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body_size).ok().flatten();
    Ok(CalloutAnswer { status, headers, body: body.unwrap_or_default() })
}

/// Asks to be called on a timer, or no more where the period is zero.
pub fn tick_every(period: Duration) {
    if let Err(status) = hostcalls::set_tick_period(period) {
        log::error!("no timer: {status:?}");
    }
}

/// Registers a queue through which a worker can wake itself.
pub fn register_queue(name: &str) -> Result<u32, Status> {
    hostcalls::register_shared_queue(name)
}

/// Wakes the worker that registered the queue.
pub fn wake(queue: u32) -> Result<(), Status> {
    hostcalls::enqueue_shared_queue(queue, None)
}

/// Takes the wake-up calls out of a queue.
pub fn drain_queue(queue: u32) {
    while let Ok(Some(_)) = hostcalls::dequeue_shared_queue(queue) {}
}

/// A value that all workers share, with the version that a compare-and-swap needs; empty if there is none.
pub fn shared_data(key: &str) -> Result<(Vec<u8>, Option<u32>), Status> {
    let (value, version) = hostcalls::get_shared_data(key)?;
    Ok((value.unwrap_or_default(), version))
}

/// Sets a value that all workers share: if it still has this version, or whatever it is where none is given.
pub fn set_shared_data(key: &str, value: &[u8], version: Option<u32>) -> Result<(), Status> {
    hostcalls::set_shared_data(key, Some(value), version)
}

/// A counter in Envoy's statistics.
pub fn define_counter(name: &str) -> u32 {
    define_metric(MetricType::Counter, name)
}

/// A gauge in Envoy's statistics.
pub fn define_gauge(name: &str) -> u32 {
    define_metric(MetricType::Gauge, name)
}

/// A histogram in Envoy's statistics.
pub fn define_histogram(name: &str) -> u32 {
    define_metric(MetricType::Histogram, name)
}

/// The host has no way to say no here, and the SDK no way to tell.
fn define_metric(metric_type: MetricType, name: &str) -> u32 {
    hostcalls::define_metric(metric_type, name).unwrap_or_default()
}

/// Changes a counter or a gauge.
pub fn add_to_metric(metric: u32, change: i64) {
    if let Err(status) = hostcalls::increment_metric(metric, change) {
        log::warn!("a metric failed: {status:?}");
    }
}

/// Sets a gauge, or adds a value to a histogram.
pub fn record_metric(metric: u32, value: u64) {
    if let Err(status) = hostcalls::record_metric(metric, value) {
        log::warn!("a metric failed: {status:?}");
    }
}

/// Leaves a value with the current stream, for its access log: filter state of the name `wasm.` and this. Only for a
/// context that has a stream still, which [`enter`] makes sure of.
pub fn set_stream_property(name: &str, value: &str) {
    if let Err(status) = hostcalls::set_property(vec![name], Some(value.as_bytes())) {
        log::warn!("a property failed: {status:?}");
    }
}

/// Calls a function that the host offers by name.
pub fn call_function(name: &str, arguments: &[u8]) -> Result<Vec<u8>, Status> {
    Ok(hostcalls::call_foreign_function(name, Some(arguments))?.unwrap_or_default())
}

/// The wall clock in milliseconds since 1970.
pub fn now_in_millis() -> u64 {
    let now = hostcalls::get_current_time().unwrap_or(SystemTime::UNIX_EPOCH);
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

/// The status of the callout whose answer is at hand; zero if there is none.
pub fn answer_status() -> u16 {
    answer_header(":status").and_then(|status| status.parse().ok()).unwrap_or_default()
}

/// A header of the answer at hand. All are asked for, since the SDK panics where one is and a call failed without any.
pub fn answer_header(name: &str) -> Option<String> {
    let headers = hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).ok()?;
    let (_, value) = headers.into_iter().find(|(header, _)| header == name)?;
    String::from_utf8(value).ok()
}

/// At most `length` bytes of the body at hand, from `start` on; none behind its end.
pub fn answer_body(start: usize, length: usize) -> Vec<u8> {
    hostcalls::get_buffer(BufferType::HttpCallResponseBody, start, length).ok().flatten().unwrap_or_default()
}
