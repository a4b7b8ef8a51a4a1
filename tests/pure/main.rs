//! What is true without any Envoy: nothing has to be installed for it but cargo and the crates.

mod architecture;
mod check_manifests;
mod configuration;
mod cors;
mod directories;
mod endpoints;
mod flow;
mod fuzz_corpus;
mod guessing;
mod imports;
mod key_schedule;
mod operator_tool;
mod password_equality;
mod password_vectors;
mod refresh_tokens;
mod runtime;
mod signing;
#[path = "../simulation/main.rs"]
mod simulation;
mod snapshots;
mod stories;

#[path = "../support"]
mod support {
    pub mod configuration;
    pub mod core;
    pub mod host;
    pub mod stories;
}
