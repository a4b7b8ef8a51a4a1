//! Work that waits for its turn on this worker, and how long a newcomer would wait.

use std::time::{Duration, Instant};

use crate::{
    origin::Origin,
    schedule::{FairQueue, Forecast},
};

/// Work of one kind: `T` is what is to be done, and `W` is who waits for it.
pub(super) struct WorkQueue<T, W> {
    queue: FairQueue<Origin, Waiting<T, W>>,
    forecast: Forecast,
    /// When the piece of work that is being done began, the pause before it included: what a forecast of waits must know.
    began: Instant,
    max_wait: Duration,
}

/// Work that waits.
pub(super) struct Waiting<T, W> {
    /// What is to be done.
    pub work: T,
    /// Who waits for it.
    pub waiter: W,
    /// Since when it waits.
    pub since: Instant,
}

/// Someone whose work would wait too long, and how long.
pub(super) struct TurnedAway<W> {
    /// Who asked.
    pub waiter: W,
    /// How long the work would have waited.
    pub wait: Duration,
}

/// The most that waits at one time, however quick it is.
const MOST_WAITING: usize = 4096;

impl<T, W> WorkQueue<T, W> {
    /// A queue for waits of `max_wait` at most.
    pub(super) fn new(max_wait: Duration, now: Instant) -> Self {
        Self { queue: FairQueue::default(), forecast: Forecast::default(), began: now, max_wait }
    }

    /// Queues work of so many units, or says at once that it would wait too long, if what is ahead costs as much as itself.
    ///
    /// # Errors
    /// It would wait too long.
    pub(super) fn admit(
        &mut self,
        origin: Origin,
        waiting: Waiting<T, W>,
        units: u64,
        is_running: bool,
    ) -> Result<(), TurnedAway<W>> {
        let ahead = self.queue.ahead_of(&origin) + usize::from(is_running);
        let ahead = u64::try_from(ahead).unwrap_or(u64::MAX);
        let wait = self.forecast.duration(units.saturating_mul(ahead));
        if wait > self.max_wait || self.queue.len() >= MOST_WAITING {
            return Err(TurnedAway { waiter: waiting.waiter, wait });
        }
        if !is_running && self.queue.is_empty() {
            self.began = waiting.since;
        }
        self.queue.push(origin, waiting);
        Ok(())
    }

    /// What is next.
    pub(super) fn pop(&mut self) -> Option<Waiting<T, W>> {
        self.queue.pop()
    }

    /// A piece of work of so many units is done, and the next one begins.
    pub(super) fn done(&mut self, units: u64, now: Instant) {
        self.forecast.learn(units, now.saturating_duration_since(self.began));
        self.began = now;
    }

    /// Drops what waits for this one.
    pub(super) fn forget(&mut self, origin: &Origin, is_unwanted: impl Fn(&W) -> bool) {
        self.queue.remove(origin, |waiting| is_unwanted(&waiting.waiter));
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}
