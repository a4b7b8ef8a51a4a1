//! Password checks on the worker itself, a slice at a time, so that nobody else waits for a login.

use std::time::{Duration, Instant};

use super::{
    arena::SharedArena,
    check_threads::QueuedCheck,
    checked::Checked,
    host::Host,
    metrics::Metrics,
    work_queue::{QueuedWork, TurnedAway, WorkQueue},
};
use crate::{
    crypto::password::{Budget, PasswordCheck, Progress, Verification},
    origin::Origin,
    schedule::Schedule,
};

/// The password checks of one worker. `W` is who waits for one.
pub(super) struct SlicedChecks<W> {
    queue: WorkQueue<PasswordCheck, W>,
    running: Option<Running<W>>,
    slice: Duration,
}

struct Running<W> {
    verification: Verification,
    waiter: W,
    units: u64,
    since: Instant,
}

/// Work between two looks at the clock: about 50 µs.
const STRIDE: Budget = Budget(64);

impl<W> SlicedChecks<W> {
    /// None yet.
    pub(super) fn new(schedule: &Schedule, now: Instant) -> Self {
        Self { queue: WorkQueue::new(schedule.max_wait, now), running: None, slice: schedule.slice }
    }

    /// Queues a check, or says at once that it would wait too long.
    ///
    /// # Errors
    /// It would wait too long.
    pub(super) fn admit(
        &mut self,
        check: QueuedCheck,
        waiter: W,
        metrics: &mut Metrics,
        host: &impl Host,
    ) -> Result<(), TurnedAway<W>> {
        let standing = check.standing();
        let waiting = QueuedWork { work: check.check, waiter, since: host.monotonic() };
        self.queue.admit(standing, waiting, self.running.as_ref().map(|running| running.units))?;
        metrics.waiting_checks.show(self.queue.len(), host);
        Ok(())
    }

    /// Whether there are checks.
    pub(super) fn has_work(&self) -> bool {
        self.running.is_some() || !self.queue.is_empty()
    }

    /// Drops the check that is for this one.
    pub(super) fn forget(
        &mut self,
        origin: &Origin,
        is_unwanted: impl Fn(&W) -> bool,
        arena: &SharedArena,
        metrics: &mut Metrics,
        host: &impl Host,
    ) {
        self.queue.forget(origin, &is_unwanted);
        metrics.waiting_checks.show(self.queue.len(), host);
        if let Some(running) = self.running.take_if(|running| is_unwanted(&running.waiter)) {
            arena.give_back(running.verification.into_arena());
        }
    }

    /// Works for a slice, or until a check is over.
    pub(super) fn work(&mut self, arena: &SharedArena, metrics: &mut Metrics, host: &impl Host) -> Option<Checked<W>> {
        let start = host.monotonic();
        let mut running = match self.running.take() {
            Some(running) => running,
            None => match self.start_next(arena, metrics, host)? {
                Ok(running) => running,
                Err(waiter) => return Some(Checked { waiter, matches: None }),
            },
        };
        while host.since(start) < self.slice {
            if let Progress::Done { matches } = running.verification.advance(STRIDE) {
                return Some(self.finish(running, matches, arena, metrics, host));
            }
        }
        self.running = Some(running);
        None
    }

    /// The next check, or who waits for it where there is no memory for it.
    fn start_next(
        &mut self,
        arena: &SharedArena,
        metrics: &mut Metrics,
        host: &impl Host,
    ) -> Option<Result<Running<W>, W>> {
        let QueuedWork { work, waiter, since } = self.queue.pop()?;
        metrics.waiting_checks.show(self.queue.len(), host);
        metrics.times.check_queue.record(since, host);
        let Some(memory) = arena.borrow(work.hash().memory()) else {
            log::warn!("the VM has no memory for a password check");
            return Some(Err(waiter));
        };
        let units = work.hash().work();
        Some(Ok(Running { verification: work.start(memory), waiter, units, since: host.monotonic() }))
    }

    fn finish(
        &mut self,
        running: Running<W>,
        matches: bool,
        arena: &SharedArena,
        metrics: &Metrics,
        host: &impl Host,
    ) -> Checked<W> {
        arena.give_back(running.verification.into_arena());
        self.queue.done(running.units, host.monotonic());
        metrics.times.check.record(running.since, host);
        Checked { waiter: running.waiter, matches: Some(matches) }
    }
}
