//! A filter that measures password hashing inside Envoy's VM when it is configured, for `hash.py` to read in the log.

#![allow(
    dead_code,
    unused_imports,
    reason = "a program, not an interface; the parts of the library that it does not need"
)]
#![cfg(target_family = "wasm")]

mod measure;

// The library by its source: as a crate it can't be linked here, since it is a filter itself.
#[path = "../../src/crypto/mod.rs"]
pub mod crypto;
#[path = "../../src/secret.rs"]
pub mod secret;
#[path = "../../src/time.rs"]
pub mod time;

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
