//! Signatures that wait for their turn on this worker.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    host::Host,
    metrics::Metrics,
    signer::Signer,
    work_queue::{QueuedWork, Standing, TurnedAway, WorkQueue},
};
use crate::{
    crypto::jws::SigningKey,
    endpoint::{Rank, SigningJob},
    origin::Origin,
};

/// The signatures of one worker. `W` is who waits for one.
pub(super) struct Signings<W> {
    queue: WorkQueue<SigningJob, W>,
    signer: Signer,
}

/// A signature that is made.
pub(super) struct FinishedSigning<W> {
    /// Who waits for it.
    pub(crate) waiter: W,
    /// The signature in the form that JWS wants. None if it could not be made.
    pub(crate) signature: Option<Vec<u8>>,
}

impl<W> Signings<W> {
    /// None yet, by keys of which some are these.
    pub(super) fn new<'a>(
        max_wait: Duration,
        keys: impl Iterator<Item = &'a Arc<SigningKey>>,
        host: &impl Host,
    ) -> Self {
        Self { queue: WorkQueue::new(max_wait, host.monotonic()), signer: Signer::probe(keys, host) }
    }

    /// Whether the host signs.
    pub(super) fn are_by_host(&self) -> bool {
        self.signer.is_host()
    }

    /// Queues a signature, or says at once that it would wait too long.
    ///
    /// # Errors
    /// It would wait too long.
    pub(super) fn admit(
        &mut self,
        work: SigningJob,
        waiter: W,
        origin: Origin,
        now: Instant,
    ) -> Result<(), TurnedAway<W>> {
        let standing = Standing { origin, rank: Rank::First, units: 1 };
        self.queue.admit(standing, QueuedWork { work, waiter, since: now }, None)
    }

    /// Whether there are signatures to make.
    pub(super) fn has_work(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Drops the signature that is for this one.
    pub(super) fn forget(&mut self, origin: &Origin, is_unwanted: impl Fn(&W) -> bool) {
        self.queue.forget(origin, is_unwanted);
    }

    /// Makes one signature.
    pub(super) fn work(&mut self, metrics: &Metrics, host: &impl Host) -> Option<FinishedSigning<W>> {
        let QueuedWork { work, waiter, since } = self.queue.pop()?;
        metrics.times.signing_queue.record(since, host);
        let start = host.monotonic();
        let signature = self.signer.sign(&work, host);
        metrics.times.signing.record(start, host);
        self.queue.done(1, host.monotonic());
        Some(FinishedSigning { waiter, signature })
    }
}
