//! Fetches a document: a call for each part of it, and each answer is copied out of the host at once, for it is there
//! only then.

use std::{mem, time::Instant};

use super::{
    super::{answer, host::Host},
    source::Source,
    task::{Candidate, Fetching, Task},
    turns::LEASE,
};
use crate::{
    outbound::Fault,
    registry::remote::{AnswerHead, Delivery, Fetch, SnapshotManifest},
};

impl Source {
    /// Begins to fetch what is newer than the document with this `ETag`.
    pub(super) fn fetch(&mut self, etag: Option<String>, host: &impl Host) {
        let timeout = self.snapshot().map(|snapshot| snapshot.timeout).unwrap_or_default();
        self.ask(Fetch::new(etag), host.monotonic() + timeout, host);
    }

    fn ask(&mut self, fetch: Fetch, until: Instant, host: &impl Host) {
        match self.call(&fetch, until, host) {
            Some(call) => self.task = Task::Fetching(Fetching { call, fetch, until }),
            None => self.fail(&Fault::NoAnswer, host),
        }
    }

    fn call(&self, fetch: &Fetch, until: Instant, host: &impl Host) -> Option<u32> {
        let callout = self.snapshot()?.callout(self.id(), fetch)?;
        let left = until.checked_duration_since(host.monotonic())?;
        host.call(&callout, left).ok()
    }

    /// Takes an answer with a body of this length.
    pub(super) fn on_answer(&mut self, length: usize, host: &impl Host) {
        let since = host.monotonic();
        if let Task::Fetching(fetching) = mem::replace(&mut self.task, Task::Nothing) {
            self.take_answer(fetching, length, host);
        }
        log::debug!("auth source {}: an answer of {length} bytes taken in {:?}", self.id(), host.since(since));
    }

    fn take_answer(&mut self, Fetching { fetch, until, .. }: Fetching, length: usize, host: &impl Host) {
        match self.delivery(fetch, length, host) {
            Ok(Delivery::Unchanged) => {
                self.settle_good(SnapshotManifest::keep, host);
            }
            Ok(Delivery::Again(fetch)) => self.ask(fetch, until, host),
            Ok(Delivery::Part { start, rest }) => {
                if self.copy(start, length, host).is_some() {
                    self.ask(rest, until, host);
                }
            }
            Ok(Delivery::Last { start, etag }) => {
                if let Some(ledger) = self.copy(start, length, host) {
                    self.read_candidate(&ledger, start + length, Candidate::new(etag, host.monotonic()), host);
                }
            }
            Err(fault) => self.fail(&fault, host),
        }
    }

    fn delivery(&self, fetch: Fetch, length: usize, host: &impl Host) -> Result<Delivery, Fault> {
        let limit = self.snapshot().ok_or(Fault::NoAnswer)?.max_bytes;
        let (etag, content_range) = (answer::header(host, "etag"), answer::header(host, "content-range"));
        fetch.receive(AnswerHead { status: answer::status(host), etag, content_range, length }, limit)
    }

    /// Copies the body at hand into the free slot. None if that was not possible, or the turn was lost.
    fn copy(&mut self, start: usize, length: usize, host: &impl Host) -> Option<SnapshotManifest> {
        let timeout = self.snapshot().map(|snapshot| snapshot.timeout).unwrap_or_default();
        let ledger = self.renew(timeout + LEASE, host)?;
        let outcome = self.document.take_answer(ledger.free_slot(), start, length, host);
        if let Err(failure) = outcome {
            log::error!("auth source {}: a document can't be shared: {failure:?}", self.id());
            self.fail(&Fault::NoAnswer, host);
        }
        outcome.ok().map(|()| ledger)
    }
}
