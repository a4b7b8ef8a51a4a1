//! A filter that measures password hashing inside Envoy's VM when it is configured, for `hash.py` to read in the log.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark that can't run has to fail")]
#![cfg(target_family = "wasm")]

mod measure;

use proxy_wasm::traits::{Context, RootContext};
use proxy_wasm::types::LogLevel;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Bench));
}}

struct Bench;

impl Context for Bench {}

impl RootContext for Bench {
    fn on_configure(&mut self, _: usize) -> bool {
        measure::run(|line| log::info!("BENCH {line}"));
        log::info!("BENCH end");
        true
    }
}
