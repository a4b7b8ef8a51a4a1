//! What all workers of a process know of a source's document: which copy is good, when to look for a newer one, and
//! which worker is doing so.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What is written down for all workers. Times are milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SnapshotManifest {
    /// Counts good copies: zero before the first.
    pub(crate) version: u64,
    /// The length of the good copy, in bytes.
    pub(crate) length: usize,
    /// The `ETag` of the last whole document, good or refused.
    pub(crate) etag: Option<String>,
    /// Whether the last whole document was refused.
    refused: bool,
    /// The trouble that was told last, until it is over.
    trouble: Option<String>,
    due: u64,
    /// When the good copy was last known to be the newest; zero before the first.
    confirmed: u64,
    lease: Option<FetchTurn>,
}

/// One worker's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FetchTurn {
    holder: u64,
    until: u64,
}

/// What there is to tell the operator.
#[derive(Debug, PartialEq, Eq)]
pub enum Transition {
    /// The same as before.
    Nothing,
    /// There is trouble, or another trouble than before.
    Trouble,
    /// The trouble is over.
    Over,
}

/// A lease is not trusted for longer, whatever the clock says.
const LONGEST_LEASE: u64 = 600_000;

impl SnapshotManifest {
    /// Which of the two places of a document holds the good copy.
    pub(crate) fn slot(&self) -> u64 {
        self.version % 2
    }

    /// Which of the two places the next copy goes to.
    pub(crate) fn free_slot(&self) -> u64 {
        1 - self.slot()
    }

    /// Whether it is time to look for a newer copy, and nobody does. A clock that was put back counts as time to look.
    pub(crate) fn is_due(&self, now: u64, interval: Duration) -> bool {
        let horizon = millis(interval).saturating_mul(2);
        let is_time = self.due <= now || self.due > now.saturating_add(horizon);
        is_time && self.lease.is_none_or(|lease| !lease.counts(now))
    }

    /// Gives the turn to a worker, or lets it keep it for longer.
    pub(crate) fn lend(&mut self, holder: u64, until: u64) {
        self.lease = Some(FetchTurn { holder, until });
    }

    /// Whether it is this worker's turn still.
    pub(crate) fn is_lent_to(&self, holder: u64) -> bool {
        self.lease.is_some_and(|lease| lease.holder == holder)
    }

    /// The trouble that there is.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Whether this is the good copy, and nobody is about to write another.
    pub(crate) fn is_at_rest_with(&self, version: u64) -> bool {
        self.version == version && self.lease.is_none()
    }

    /// The good copy is the newest still. Where the newest was refused, it still is.
    pub(crate) fn keep(&mut self, due: u64) -> Transition {
        self.close(due);
        if self.refused { Transition::Nothing } else { self.end_trouble() }
    }

    /// There is a new good copy, in the free slot.
    pub(crate) fn publish(&mut self, length: usize, etag: Option<String>, due: u64) -> Transition {
        self.close(due);
        (self.version, self.length, self.etag, self.refused) = (self.version + 1, length, etag, false);
        self.end_trouble()
    }

    /// The last document is the newest still: if it was not refused, so is the good copy.
    pub(crate) fn confirm(&mut self, now: u64) {
        if !self.refused {
            self.confirmed = now;
        }
    }

    /// For how long nobody knows whether the good copy is the newest still. None where there is no good copy.
    pub(crate) fn age(&self, now: u64) -> Option<Duration> {
        (self.version > 0).then(|| Duration::from_millis(now.saturating_sub(self.confirmed)))
    }

    /// There is a new document, and it is bad.
    pub(crate) fn refuse(&mut self, why: &str, etag: Option<String>, due: u64) -> Transition {
        (self.etag, self.refused) = (etag, true);
        self.fail(why, due)
    }

    /// There is no answer to use.
    pub(crate) fn fail(&mut self, why: &str, due: u64) -> Transition {
        self.close(due);
        let is_new = self.trouble.as_deref() != Some(why);
        self.trouble = Some(why.to_owned());
        if is_new { Transition::Trouble } else { Transition::Nothing }
    }

    fn close(&mut self, due: u64) {
        (self.lease, self.due) = (None, due);
    }

    fn end_trouble(&mut self) -> Transition {
        if self.trouble.take().is_some() { Transition::Over } else { Transition::Nothing }
    }
}

impl FetchTurn {
    fn counts(&self, now: u64) -> bool {
        (now..now.saturating_add(LONGEST_LEASE)).contains(&self.until)
    }
}

/// A span with up to a tenth more or less, as `chance` decides.
pub fn jittered(span: Duration, chance: u64) -> Duration {
    let span = millis(span);
    let fifth = span / 5;
    let part = u128::from(fifth) * u128::from(chance) / u128::from(u64::MAX);
    Duration::from_millis((span - fifth / 2).saturating_add(u64::try_from(part).unwrap_or_default()))
}

/// A span in milliseconds.
pub fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn one_worker_at_a_time_has_the_turn() {
        let mut ledger = SnapshotManifest::default();
        assert!(ledger.is_due(1_000_000, MINUTE));
        ledger.lend(7, 1_010_000);
        assert!(ledger.is_lent_to(7) && !ledger.is_lent_to(8));
        assert!(!ledger.is_due(1_009_999, MINUTE));
        assert!(ledger.is_due(1_010_001, MINUTE), "a worker that vanished loses its turn");
    }

    #[test]
    fn a_clock_that_was_put_back_stops_nothing() {
        let mut ledger = SnapshotManifest::default();
        ledger.publish(1, None, 5_000_000_000);
        assert!(ledger.is_due(1_000, MINUTE));
        ledger.lend(7, 5_000_000_000);
        assert!(ledger.is_due(1_000, MINUTE));
    }

    #[test]
    fn copies_take_turns_in_two_slots() {
        let mut ledger = SnapshotManifest::default();
        for version in 1..5 {
            let free = ledger.free_slot();
            ledger.publish(10, None, 0);
            assert_eq!((ledger.version, ledger.slot()), (version, free));
        }
    }

    #[test]
    fn trouble_is_told_once_and_its_end_too() {
        let mut ledger = SnapshotManifest::default();
        assert_eq!(ledger.fail("no answer", 0), Transition::Trouble);
        assert_eq!(ledger.fail("no answer", 0), Transition::Nothing);
        assert_eq!(ledger.fail("status 500", 0), Transition::Trouble);
        assert_eq!(ledger.publish(1, None, 0), Transition::Over);
        assert_eq!(ledger.keep(0), Transition::Nothing);
    }

    #[test]
    fn a_refused_document_that_did_not_change_is_refused_still() {
        let mut ledger = SnapshotManifest::default();
        assert_eq!(ledger.publish(1, Some("a".into()), 0), Transition::Nothing);
        assert_eq!(ledger.refuse("users[0]: missing", Some("b".into()), 0), Transition::Trouble);
        assert_eq!(ledger.keep(0), Transition::Nothing);
        assert_eq!(ledger.refuse("users[0]: missing", Some("b".into()), 0), Transition::Nothing);
        assert_eq!(ledger.etag.as_deref(), Some("b"));
        assert_eq!((ledger.version, ledger.length), (1, 1));
        assert_eq!(ledger.publish(2, Some("c".into()), 0), Transition::Over);
    }

    #[test]
    fn a_copy_ages_until_it_is_known_to_be_the_newest_again() {
        let mut ledger = SnapshotManifest::default();
        assert_eq!(ledger.age(9_000), None);
        ledger.confirm(1_000);
        ledger.publish(1, None, 0);
        ledger.fail("no answer", 0);
        assert_eq!(ledger.age(9_000), Some(Duration::from_secs(8)));
        ledger.confirm(9_000);
        assert_eq!(ledger.age(9_000), Some(Duration::ZERO));
        ledger.refuse("users[0]: missing", None, 0);
        ledger.confirm(10_000);
        assert_eq!(ledger.age(10_000), Some(Duration::from_secs(1)), "what was refused counts for nothing");
    }

    #[test]
    fn jitter_is_a_tenth_either_way() {
        assert_eq!(jittered(MINUTE, 0), Duration::from_secs(54));
        assert_eq!(jittered(MINUTE, u64::MAX), Duration::from_secs(66));
        assert!(jittered(Duration::MAX, u64::MAX) > Duration::from_secs(1 << 50));
    }

    #[test]
    fn it_is_written_and_read_back() {
        let mut ledger = SnapshotManifest::default();
        ledger.publish(9, Some("\"x\"".into()), 12);
        ledger.lend(u64::MAX, 99);
        let text = serde_json::to_vec(&ledger).unwrap();
        assert_eq!(serde_json::from_slice::<SnapshotManifest>(&text).unwrap(), ledger);
    }
}
