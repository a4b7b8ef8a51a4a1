//! Password checks on threads of the process: one pool for all its workers, listeners and configurations.
//!
//! No single priority is right. Threads that go behind all else never hurt other requests, and starve where a core is full; equal
//! ones take half of it. So patient threads (`nice` 19) do the work as long as it gets done, and one without niceness, in slices
//! with pauses, does what they don't get to: logins have a floor, and others never lose more than that share.

mod desk;
mod floor;
mod job;
mod patient;
mod pool;
mod shared;

pub use self::{
    job::CheckReport,
    pool::{CheckPool, PoolWorker},
};

#[cfg(test)]
mod tests;
