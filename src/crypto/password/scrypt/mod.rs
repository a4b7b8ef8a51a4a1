//! scrypt (RFC 7914).

mod mix;
mod parameters;
mod run;

pub(super) use {parameters::Scrypt, run::ScryptRun};
