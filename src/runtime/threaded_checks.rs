//! Password checks on threads that all workers of the process share: who waits for them here.

use std::{collections::HashMap, rc::Rc, time::Duration};

use super::{
    check_threads::{CheckDone, CheckThreads, QueuedCheck},
    checked::Checked,
    host::Host,
    metrics::Metrics,
    work_queue::TurnedAway,
};
use crate::origin::Origin;

/// The checks of one worker. `W` is who waits for one.
pub(super) struct ThreadedChecks<W> {
    threads: Rc<dyn CheckThreads>,
    max_wait: Duration,
    waiters: HashMap<u64, W>,
    next: u64,
}

impl<W> ThreadedChecks<W> {
    /// None yet.
    pub(super) fn new(threads: Rc<dyn CheckThreads>, max_wait: Duration) -> Self {
        Self { threads, max_wait, waiters: HashMap::new(), next: 0 }
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
        let job = self.next;
        if let Err(wait) = self.threads.admit(job, check, self.max_wait) {
            return Err(TurnedAway { waiter, wait });
        }
        self.next = self.next.wrapping_add(1);
        self.waiters.insert(job, waiter);
        self.show(metrics, host);
        Ok(())
    }

    /// Drops the check that is for this one. One that has begun may finish, and is nobody's then.
    pub(super) fn forget(
        &mut self,
        origin: &Origin,
        is_unwanted: impl Fn(&W) -> bool,
        metrics: &mut Metrics,
        host: &impl Host,
    ) {
        for (job, _) in self.waiters.extract_if(|_, waiter| is_unwanted(waiter)) {
            self.threads.forget(job, origin);
        }
        self.show(metrics, host);
    }

    /// A thread is done with a check. None if nobody waits for it any more.
    pub(super) fn done(&mut self, done: &CheckDone, metrics: &mut Metrics, host: &impl Host) -> Option<Checked<W>> {
        self.show(metrics, host);
        let waiter = self.waiters.remove(&done.job)?;
        metrics.times.check_queue.show(done.waited, host);
        metrics.times.check.show(done.took, host);
        Some(Checked { waiter, matches: done.matches })
    }

    fn show(&self, metrics: &mut Metrics, host: &impl Host) {
        metrics.waiting_checks.show(self.threads.waiting(), host);
    }
}
