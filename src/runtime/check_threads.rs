//! Threads that check passwords for all workers of a process, as a host may have them.

use std::time::Duration;

use super::work_queue::Standing;
use crate::{crypto::password::PasswordCheck, endpoint::Rank, origin::Origin};

/// Threads that check passwords, as one worker sees them.
pub trait CheckThreads {
    /// Queues a check, to be answered by [`Worker::on_check_done`](super::Worker::on_check_done) with this number.
    ///
    /// # Errors
    /// How long it would wait, if that is longer than `max_wait`.
    fn admit(&self, job: u64, check: QueuedCheck, max_wait: Duration) -> Result<(), Duration>;

    /// Drops a check that has not begun.
    fn forget(&self, job: u64, origin: &Origin);

    /// How many checks of this worker have not begun.
    fn waiting(&self) -> usize;
}

/// A check, and where in the queue it belongs.
pub struct QueuedCheck {
    /// What is to be done.
    pub check: PasswordCheck,
    /// Whose turn it takes.
    pub origin: Origin,
    /// Whether it goes behind all others.
    pub rank: Rank,
}

impl QueuedCheck {
    /// Its place in a queue.
    pub(crate) fn standing(&self) -> Standing {
        Standing { origin: self.origin, rank: self.rank, units: self.check.hash().work() }
    }
}

/// A check that a thread is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckDone {
    /// Its number.
    pub job: u64,
    /// Whether the password matches. None if there was no memory to find out.
    pub matches: Option<bool>,
    /// How long it waited for its turn.
    pub waited: Duration,
    /// How long it took.
    pub took: Duration,
}
