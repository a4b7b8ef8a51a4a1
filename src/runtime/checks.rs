//! Where password checks run: on the worker itself, or on threads of the process where the host has some.

use super::{
    arena::SharedArena,
    check_threads::{CheckDone, QueuedCheck},
    checked::Checked,
    host::Host,
    metrics::Metrics,
    sliced_checks::SlicedChecks,
    threaded_checks::ThreadedChecks,
    work_queue::TurnedAway,
};
use crate::{origin::Origin, schedule::Schedule};

/// The password checks of one worker. `W` is who waits for one.
pub(super) enum Checks<W> {
    /// On the worker itself.
    Here(Box<SlicedChecks<W>>),
    /// On threads that all workers of the process share.
    OnThreads(ThreadedChecks<W>),
}

impl<W> Checks<W> {
    /// None yet.
    pub(super) fn new(schedule: &Schedule, host: &impl Host) -> Self {
        match host.check_threads(&schedule.threads) {
            Some(threads) => Self::OnThreads(ThreadedChecks::new(threads, schedule.max_wait)),
            None => Self::Here(Box::new(SlicedChecks::new(schedule, host.monotonic()))),
        }
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
        match self {
            Self::Here(checks) => checks.admit(check, waiter, metrics, host),
            Self::OnThreads(checks) => checks.admit(check, waiter, metrics, host),
        }
    }

    /// Whether there are checks for the worker to go on with.
    pub(super) fn has_work(&self) -> bool {
        match self {
            Self::Here(checks) => checks.has_work(),
            Self::OnThreads(_) => false,
        }
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
        match self {
            Self::Here(checks) => checks.forget(origin, is_unwanted, arena, metrics, host),
            Self::OnThreads(checks) => checks.forget(origin, is_unwanted, metrics, host),
        }
    }

    /// Works for a slice, or until a check is over.
    pub(super) fn work(&mut self, arena: &SharedArena, metrics: &mut Metrics, host: &impl Host) -> Option<Checked<W>> {
        match self {
            Self::Here(checks) => checks.work(arena, metrics, host),
            Self::OnThreads(_) => None,
        }
    }

    /// A thread is done with a check. None if nobody waits for it any more.
    pub(super) fn done(&mut self, done: &CheckDone, metrics: &mut Metrics, host: &impl Host) -> Option<Checked<W>> {
        match self {
            Self::Here(_) => None,
            Self::OnThreads(checks) => checks.done(done, metrics, host),
        }
    }
}
