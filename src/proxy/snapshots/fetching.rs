//! Fetches a document: a call for each part of it, and each answer is copied out of the host at once, for it is there
//! only then.

use std::{
    mem,
    time::{Duration, Instant},
};

use super::{
    super::host,
    reading::Candidate,
    source::{Source, Task},
    turns::LEASE,
};
use crate::{
    outbound::Fault,
    registry::remote::{AnswerHead, Delivery, Fetch, Ledger},
};

/// A call under way.
pub struct Fetching {
    call: u32,
    fetch: Fetch,
    /// When all of the document must be here.
    until: Instant,
}

/// How much later than asked for Envoy may tell that there is no answer.
const GRACE: Duration = Duration::from_secs(1);

impl Fetching {
    /// Whether it is this call.
    pub fn is_by(&self, call: u32) -> bool {
        self.call == call
    }

    /// Whether its answer was lost.
    pub fn is_overdue(&self) -> bool {
        self.until + GRACE <= Instant::now()
    }
}

impl Source {
    /// Begins to fetch what is newer than the document with this `ETag`.
    pub(super) fn fetch(&mut self, etag: Option<String>) {
        let timeout = self.snapshot().map(|snapshot| snapshot.timeout).unwrap_or_default();
        self.ask(Fetch::new(etag), Instant::now() + timeout);
    }

    fn ask(&mut self, fetch: Fetch, until: Instant) {
        match self.call(&fetch, until) {
            Some(call) => self.task = Task::Fetching(Fetching { call, fetch, until }),
            None => self.fail(&Fault::NoAnswer),
        }
    }

    fn call(&self, fetch: &Fetch, until: Instant) -> Option<u32> {
        let callout = self.snapshot()?.callout(self.id(), fetch)?;
        let left = until.checked_duration_since(Instant::now())?;
        host::call(&callout, left).ok()
    }

    /// Takes an answer with a body of this length.
    pub fn on_answer(&mut self, length: usize) {
        let since = Instant::now();
        if let Task::Fetching(fetching) = mem::replace(&mut self.task, Task::Nothing) {
            self.take_answer(fetching, length);
        }
        log::debug!("auth source {}: an answer of {length} bytes taken in {:?}", self.id(), since.elapsed());
    }

    fn take_answer(&mut self, Fetching { fetch, until, .. }: Fetching, length: usize) {
        match self.delivery(fetch, length) {
            Ok(Delivery::Unchanged) => {
                self.settle_good(Ledger::keep);
            }
            Ok(Delivery::Again(fetch)) => self.ask(fetch, until),
            Ok(Delivery::Part { start, rest }) => {
                if self.copy(start, length).is_some() {
                    self.ask(rest, until);
                }
            }
            Ok(Delivery::Last { start, etag }) => {
                if let Some(ledger) = self.copy(start, length) {
                    self.read_candidate(&ledger, start + length, Candidate::new(etag));
                }
            }
            Err(fault) => self.fail(&fault),
        }
    }

    fn delivery(&self, fetch: Fetch, length: usize) -> Result<Delivery, Fault> {
        let limit = self.snapshot().ok_or(Fault::NoAnswer)?.max_bytes;
        let (etag, content_range) = (host::answer_header("etag"), host::answer_header("content-range"));
        fetch.receive(AnswerHead { status: host::answer_status(), etag, content_range, length }, limit)
    }

    /// Copies the body at hand into the free slot. None if that was not possible, or the turn was lost.
    fn copy(&mut self, start: usize, length: usize) -> Option<Ledger> {
        let timeout = self.snapshot().map(|snapshot| snapshot.timeout).unwrap_or_default();
        let ledger = self.renew(timeout + LEASE)?;
        let outcome = self.document.take_answer(ledger.free_slot(), start, length);
        if let Err(status) = outcome {
            log::error!("auth source {}: a document can't be shared: {status:?}", self.id());
            self.fail(&Fault::NoAnswer);
        }
        outcome.ok().map(|()| ledger)
    }
}
