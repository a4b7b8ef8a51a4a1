//! What turns secrets into proofs: signatures, seals and hashes. Nothing here knows OAuth.

pub mod client_secret;
pub mod jws;
pub mod password;
pub mod seal;
