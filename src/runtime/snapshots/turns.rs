//! Whose turn it is to fetch: one worker of the process at a time has it, and says in the ledger how it ended.

use std::time::Duration;

use super::{super::host::Host, source::Source};
use crate::{
    outbound::Fault,
    registry::remote::{Snapshot, SnapshotManifest, Transition, jittered, millis},
};

/// How long a worker may take for its next sign of life while it has the turn.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// How long a worker lets others go first after a failure, in milliseconds.
const RETRY_DELAY: u64 = 1500;

impl Source {
    /// Takes the turn, if it is time and nobody has it.
    pub(super) fn take_turn(&self, now: u64, timeout: Duration, interval: Duration, host: &impl Host) -> bool {
        let until = now + millis(timeout + LEASE);
        let turn = self.document.update(host, |ledger| {
            let is_due = ledger.is_due(now, interval);
            is_due.then(|| ledger.lend(self.holder, until))
        });
        turn.is_some()
    }

    /// Ends the turn without a document.
    pub(super) fn fail(&mut self, fault: &Fault, host: &impl Host) {
        let why = fault.to_string();
        let due = self.due_after(Snapshot::retry_interval, host);
        self.patience = RETRY_DELAY;
        self.end_turn(|ledger| ledger.fail(&why, due), host);
    }

    /// Ends the turn with a document looked at, and tells what the ledger was before. None if the turn was lost.
    pub(super) fn settle(
        &mut self,
        change: impl Fn(&mut SnapshotManifest, u64) -> Transition,
        host: &impl Host,
    ) -> Option<SnapshotManifest> {
        let due = self.due_after(|snapshot| snapshot.refresh_interval, host);
        self.patience = 0;
        self.end_turn(|ledger| change(ledger, due), host)
    }

    /// The same with a document that is good, or is the last one still.
    pub(super) fn settle_good(
        &mut self,
        change: impl Fn(&mut SnapshotManifest, u64) -> Transition,
        host: &impl Host,
    ) -> Option<SnapshotManifest> {
        let now = host.now_in_millis();
        self.settle(
            |ledger, due| {
                let news = change(ledger, due);
                ledger.confirm(now);
                news
            },
            host,
        )
    }

    fn end_turn(
        &self,
        change: impl Fn(&mut SnapshotManifest) -> Transition,
        host: &impl Host,
    ) -> Option<SnapshotManifest> {
        let (before, news, trouble) = self.document.update(host, |ledger| {
            let before = ledger.clone();
            let news = ledger.is_lent_to(self.holder).then(|| change(ledger))?;
            Some((before, news, ledger.trouble().unwrap_or_default().to_owned()))
        })?;
        match news {
            Transition::Nothing => {}
            Transition::Trouble => log::warn!("auth source {}: no newer copy of its users: {trouble}", self.id()),
            Transition::Over => log::info!("auth source {}: its users can be fetched again", self.id()),
        }
        Some(before)
    }

    /// Keeps the turn for so much longer. None if it was lost.
    pub(super) fn renew(&self, span: Duration, host: &impl Host) -> Option<SnapshotManifest> {
        let until = host.now_in_millis() + millis(span);
        self.document.update(host, |ledger| {
            ledger.is_lent_to(self.holder).then(|| {
                ledger.lend(self.holder, until);
                ledger.clone()
            })
        })
    }

    fn due_after(&self, span: impl Fn(&Snapshot) -> Duration, host: &impl Host) -> u64 {
        let span = self.snapshot().map(|snapshot| jittered(span(snapshot), host.chance())).unwrap_or_default();
        host.now_in_millis() + millis(span)
    }
}
