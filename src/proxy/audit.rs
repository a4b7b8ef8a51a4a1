//! What operators read of each exchange: a line in Envoy's log, and filter state for its access log.

use super::host;
use crate::endpoint::event::Event;

/// Writes the line: each decision is worth one by default, and what everyone may know is not.
pub fn log(event: &Event) {
    if event.is_decision() {
        log::info!("decision {event}");
    } else {
        log::debug!("{event}");
    }
}

/// Leaves the same with the current stream, as `wasm.token_endpoint.…`.
pub fn mark(event: &Event) {
    event.fields().for_each(|(name, value)| host::set_stream_property(&format!("token_endpoint.{name}"), &value));
}
