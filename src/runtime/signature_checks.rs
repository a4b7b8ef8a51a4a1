//! Signatures of tokens that callers present: checked at once where the host does, and in turn where that is work of our own.

use std::{sync::Arc, time::Duration};

use super::{
    host::Host,
    signer::Verifier,
    work_queue::{QueuedWork, Standing, TurnedAway, WorkQueue},
};
use crate::{crypto::jws::SigningKey, endpoint::Rank, origin::Origin, token::presented::SignatureCheck};

/// The signatures that one worker checks. `W` is who waits for one.
pub(super) struct SignatureChecks<W> {
    queue: WorkQueue<SignatureCheck, W>,
    verifier: Verifier,
}

/// What has come of a signature.
pub(super) struct Recognized<W> {
    /// Who waits for it.
    pub(crate) waiter: W,
    /// Whether it is good.
    pub(crate) is_good: bool,
}

impl<W> SignatureChecks<W> {
    /// None yet, by these keys.
    pub(super) fn new<'a>(
        max_wait: Duration,
        keys: impl Iterator<Item = &'a Arc<SigningKey>>,
        host: &impl Host,
    ) -> Self {
        Self { queue: WorkQueue::new(max_wait, host.monotonic()), verifier: Verifier::probe(keys, host) }
    }

    /// By how many keys the host checks.
    pub(super) fn keys_of_host(&self) -> u64 {
        self.verifier.keys()
    }

    /// What the host says at once; otherwise the check is queued.
    ///
    /// # Errors
    /// It would wait too long.
    pub(super) fn admit(
        &mut self,
        work: SignatureCheck,
        waiter: W,
        origin: Origin,
        host: &impl Host,
    ) -> Result<Option<Recognized<W>>, TurnedAway<W>> {
        if let Some(is_good) = self.verifier.verify(&work, host) {
            return Ok(Some(Recognized { waiter, is_good }));
        }
        let standing = Standing { origin, rank: Rank::First, units: 1 };
        self.queue.admit(standing, QueuedWork { work, waiter, since: host.monotonic() }, None).map(|()| None)
    }

    /// Whether there are checks to make.
    pub(super) fn has_work(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Drops the check that is for this one.
    pub(super) fn forget(&mut self, origin: &Origin, is_unwanted: impl Fn(&W) -> bool) {
        self.queue.forget(origin, is_unwanted);
    }

    /// Makes one check.
    pub(super) fn work(&mut self, host: &impl Host) -> Option<Recognized<W>> {
        let QueuedWork { work, waiter, .. } = self.queue.pop()?;
        let is_good = work.is_good();
        self.queue.done(1, host.monotonic());
        Some(Recognized { waiter, is_good })
    }
}
