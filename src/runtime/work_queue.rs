//! Work that waits for its turn on this worker, and how long a newcomer would wait.

use std::time::{Duration, Instant};

use crate::{
    endpoint::Rank,
    origin::Origin,
    schedule::{FairQueue, Forecast},
};

/// Work of one kind: `T` is what is to be done, and `W` is who waits for it.
pub(crate) struct WorkQueue<T, W> {
    lines: [FairQueue<Origin, QueuedWork<T, W>>; 2],
    forecast: Forecast,
    /// When the piece of work that is being done began, the pause before it included: what a forecast of waits must know.
    began: Instant,
    max_wait: Duration,
}

/// Work that waits.
pub(crate) struct QueuedWork<T, W> {
    /// What is to be done.
    pub(crate) work: T,
    /// Who waits for it.
    pub(crate) waiter: W,
    /// Since when it waits.
    pub(crate) since: Instant,
}

/// Where in the queue work belongs.
#[derive(Clone, Copy)]
pub(crate) struct Standing {
    /// Whose turn it takes.
    pub(crate) origin: Origin,
    /// After all others.
    pub(crate) rank: Rank,
    /// How many units of work it is.
    pub(crate) units: u64,
}

/// Someone whose work would wait too long, and how long.
pub(crate) struct TurnedAway<W> {
    /// Who asked.
    pub(crate) waiter: W,
    /// How long the work would have waited.
    pub(crate) wait: Duration,
}

/// The most that waits at one time, however quick it is.
const MOST_WAITING: usize = 4096;

impl<T, W> WorkQueue<T, W> {
    /// A queue for waits of `max_wait` at most.
    pub(crate) fn new(max_wait: Duration, now: Instant) -> Self {
        Self { lines: Default::default(), forecast: Forecast::default(), began: now, max_wait }
    }

    /// From now on for waits of `max_wait` at most.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn allow(&mut self, max_wait: Duration) {
        self.max_wait = max_wait;
    }

    /// Since when what is next waits.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn waits_since(&self) -> Option<Instant> {
        self.lines.iter().find_map(FairQueue::peek).map(|waiting| waiting.since)
    }

    /// Queues work, or says at once that it would wait too long. That depends on the work that is ahead of it alone, and so tells
    /// nothing of the work itself. `running` are the units of what is being done.
    ///
    /// # Errors
    /// It would wait too long.
    pub(crate) fn admit(
        &mut self,
        standing: Standing,
        waiting: QueuedWork<T, W>,
        running: Option<u64>,
    ) -> Result<(), TurnedAway<W>> {
        let Standing { origin, rank, units } = standing;
        let ahead = self.ahead_of(&origin, rank).saturating_add(running.unwrap_or(0));
        let wait = self.forecast.duration(ahead);
        if wait > self.max_wait || self.len() >= MOST_WAITING {
            return Err(TurnedAway { waiter: waiting.waiter, wait });
        }
        if running.is_none() && self.is_empty() {
            self.began = waiting.since;
        }
        self.line(rank).push(origin, waiting, units);
        Ok(())
    }

    fn ahead_of(&self, origin: &Origin, rank: Rank) -> u64 {
        let [first, last] = &self.lines;
        match rank {
            Rank::First => first.ahead_of(origin),
            Rank::Last => first.work().saturating_add(last.ahead_of(origin)),
        }
    }

    fn line(&mut self, rank: Rank) -> &mut FairQueue<Origin, QueuedWork<T, W>> {
        let [first, last] = &mut self.lines;
        match rank {
            Rank::First => first,
            Rank::Last => last,
        }
    }

    /// What is next.
    pub(crate) fn pop(&mut self) -> Option<QueuedWork<T, W>> {
        self.lines.iter_mut().find_map(FairQueue::pop)
    }

    /// A piece of work of so many units is done, and the next one begins.
    pub(crate) fn done(&mut self, units: u64, now: Instant) {
        self.forecast.learn(units, now.saturating_duration_since(self.began));
        self.began = now;
    }

    /// Drops what waits for this one.
    pub(crate) fn forget(&mut self, origin: &Origin, is_unwanted: impl Fn(&W) -> bool) {
        self.lines.iter_mut().for_each(|line| line.remove(origin, |waiting| is_unwanted(&waiting.waiter)));
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.lines.iter().map(FairQueue::len).sum()
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
