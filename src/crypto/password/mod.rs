//! Password hashes as work that can stop and go on, because a proxy's worker must never wait for one.
//!
//! A stored hash is parsed once into a [`PasswordHash`]. A login makes a [`PasswordCheck`], which is cheap to
//! keep in a queue; [`PasswordCheck::start`] lends it an [`Arena`] and gives a [`Verification`], which
//! [`Verification::advance`] takes forward by a [`Budget`] at a time until it answers [`Progress::Done`].
//!
//! One file or folder per family: `argon2`, `bcrypt`, `scrypt`, `pbkdf2`. Each offers its parameters with their
//! bounds, and a `Run` that does its work in steps.

#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "the algorithms' own arithmetic keeps every index in bounds, and checks at each one cost a fifth of the speed"
)]

mod arena;
mod argon2;
mod bcrypt;
mod budget;
mod check;
mod digest;
mod error;
mod fields;
mod hash;
mod pbkdf2;
mod scrypt;
#[cfg(not(target_family = "wasm"))]
mod whole;

pub use arena::{Arena, OutOfMemory};
pub use argon2::{Argon2Cost, hash_argon2id};
pub use budget::Budget;
pub use check::{PasswordCheck, Progress, Verification};
pub use error::PasswordHashError;
pub use hash::PasswordHash;
#[cfg(not(target_family = "wasm"))]
pub(crate) use whole::CheckMemory;
