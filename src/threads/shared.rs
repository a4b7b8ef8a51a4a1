//! What all threads of a pool share.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::desk::Desk;

/// What all threads of a pool share.
pub(super) struct Shared {
    desk: Mutex<Desk>,
    /// There is a check to begin with.
    pub(super) patient: Condvar,
    /// There is something to watch over.
    pub(super) floor: Condvar,
    /// Makes the thread that calls it go behind all else, as far as it is told.
    pub(super) lower: fn(niceness: u8),
}

/// A thread without work ends after this time, and its memory with it.
pub(super) const IDLE: Duration = Duration::from_secs(60);

impl Shared {
    pub(super) fn new(desk: Desk, lower: fn(niceness: u8)) -> Self {
        Self { desk: Mutex::new(desk), patient: Condvar::new(), floor: Condvar::new(), lower }
    }

    /// A thread that panicked with the lock leaves nothing half done: the desk only counts and queues.
    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
