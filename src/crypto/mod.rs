//! What turns secrets into proofs: signatures, seals and hashes. Nothing here knows OAuth.

pub mod client_secret;
pub mod jws;
pub mod key_ring;
pub mod key_schedule;
pub mod password;
pub mod seal;
