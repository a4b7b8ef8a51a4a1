//! token-endpoint: an OAuth 2.0 token endpoint that lives inside Envoy.
//!
//! The core is a function, `(request | answer, Moment) -> Step`, and [`runtime`] is a loop that performs steps, in any host.
//! Imports only point down this list:
//!
//! 1. `wasm` (WebAssembly only) speaks to Envoy; `threads` (native only) check passwords for a host that has some; `cli`
//!    (native only) is the operator's tool;
//! 2. [`runtime`] is a worker: password checks in slices, calls, what all workers share;
//! 3. [`config`] turns the document that an operator writes, with its defaults, into an [`endpoint::Endpoint`], or into all its
//!    problems;
//! 4. [`endpoint`] answers token requests: one file for each grant, one table of refusals;
//! 5. [`token`] is what gets signed or sealed;
//! 6. [`state`] is what is remembered of tokens; [`attempts`] says who has to wait, and for how long;
//! 7. [`registry`] is who may ask, and for what;
//! 8. [`outbound`] is what is called over HTTP, in which time, and how a fault is logged; [`schedule`] decides whose password
//!    check goes on; [`crypto`] knows nothing of OAuth; [`text`] reads forms and `Authorization`;
//! 9. [`http`] says which headers are read; [`origin`], [`secret`], [`time`] and [`varint`] are plain vocabulary.

#![warn(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

pub mod attempts;
#[cfg(not(target_family = "wasm"))]
pub mod cli;
pub mod config;
pub mod crypto;
pub mod endpoint;
pub mod http;
pub mod origin;
pub mod outbound;
pub mod registry;
pub mod runtime;
pub mod schedule;
pub mod secret;
pub mod state;
pub mod text;
#[cfg(not(target_family = "wasm"))]
pub mod threads;
pub mod time;
pub mod token;
pub mod varint;
#[cfg(target_family = "wasm")]
mod wasm;
