//! What operators read of each exchange: a line in the log, and notes for the access log.

use crate::endpoint::event::Event;

/// Writes the line: each decision is worth one by default, and what everyone may know is not.
pub(super) fn log(event: &Event) {
    if event.is_decision() {
        log::info!("decision {event}");
    } else {
        log::debug!("{event}");
    }
}

/// The same for the access log, under `token_endpoint.…`.
pub(super) fn notes(event: &Event) -> Vec<(String, String)> {
    event.fields().map(|(name, value)| (format!("token_endpoint.{name}"), value.into_owned())).collect()
}
