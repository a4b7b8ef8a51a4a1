//! Argon2 (RFC 9106).

mod block;
#[cfg(not(target_family = "wasm"))]
mod by_crate;
mod fill;
mod long_hash;
mod new_hash;
mod parameters;
mod run;

pub use new_hash::hash_argon2id;
pub use parameters::Argon2Cost;
pub(super) use {parameters::Argon2, run::Argon2Run};
