//! What Envoy's statistics show of this filter: one counter for each way in which an exchange can end.

use std::collections::{HashMap, hash_map::Entry};

use super::host;
use crate::endpoint::event::Event;

/// Counters by name, each defined when it first counts.
#[derive(Default)]
pub struct Metrics(HashMap<&'static str, u32>);

impl Metrics {
    /// Counts an event, and shows it to those who debug.
    pub fn record(&mut self, event: &Event) {
        log::debug!("{event}");
        if let Err(status) = self.count(event.outcome.name()) {
            log::warn!("a counter failed: {status:?}");
        }
    }

    fn count(&mut self, name: &'static str) -> Result<(), proxy_wasm::types::Status> {
        let counter = match self.0.entry(name) {
            Entry::Occupied(counter) => *counter.get(),
            Entry::Vacant(place) => *place.insert(host::define_counter(&format!("token_endpoint.{name}"))?),
        };
        host::count(counter)
    }
}
