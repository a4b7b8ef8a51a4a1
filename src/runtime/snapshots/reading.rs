//! Reads a document out of shared data, a record at a time: what another worker found good, or what this one fetched and
//! now finds good or bad.

use super::{
    super::{host::Host, shared_document::SharedDocument},
    source::Source,
    task::{Candidate, Reading, Task},
    turns::LEASE,
};
use crate::{
    config::loading::{LoadProgress, Loading},
    registry::remote::SnapshotManifest,
};

impl Source {
    /// Begins to read the good copy.
    pub(super) fn read_good(&mut self, ledger: &SnapshotManifest, host: &impl Host) {
        self.read(ledger.version, ledger.slot(), ledger.length, None, host);
    }

    /// Begins to read what was fetched into the free slot.
    pub(super) fn read_candidate(
        &mut self,
        ledger: &SnapshotManifest,
        length: usize,
        candidate: Candidate,
        host: &impl Host,
    ) {
        self.read(ledger.version + 1, ledger.free_slot(), length, Some(candidate), host);
    }

    fn read(&mut self, version: u64, slot: u64, length: usize, candidate: Option<Candidate>, host: &impl Host) {
        let loading = self.snapshot().map(|snapshot| Loading::new(snapshot, &self.auth_source.identifiers));
        if let Some(loading) = loading {
            let since = host.monotonic();
            let reading = Reading { loading, version, slot, length, piece: 0, candidate, since };
            self.task = Task::Reading(Box::new(reading));
        }
    }

    pub(super) fn step_reading(&mut self, mut reading: Box<Reading>, host: &impl Host) {
        match reading.loading.step() {
            Ok(LoadProgress::Working) => self.task = Task::Reading(reading),
            Ok(LoadProgress::NeedInput) => {
                if self.feed(&mut reading, host) {
                    self.task = Task::Reading(reading);
                } else {
                    self.leftovers.push(reading.loading.into_users());
                }
            }
            Ok(LoadProgress::Done) => self.finish(*reading, host),
            Err(problem) => self.refuse(*reading, &problem.to_string(), host),
        }
    }

    /// Takes the next piece out of shared data. False if the copy is not the one to be read any more.
    fn feed(&self, reading: &mut Reading, host: &impl Host) -> bool {
        let Some(piece) = self.document.piece(reading.slot, reading.piece, reading.length, host) else { return false };
        if !self.is_current(reading, host) {
            return false;
        }
        reading.loading.feed(&piece);
        reading.piece += 1;
        true
    }

    /// Whether nobody else writes where this worker reads.
    fn is_current(&self, reading: &mut Reading, host: &impl Host) -> bool {
        match &mut reading.candidate {
            Some(candidate) if host.since(candidate.renewed) > LEASE / 4 => {
                candidate.renewed = host.monotonic();
                self.renew(LEASE, host).is_some()
            }
            Some(_) => true,
            None => self.document.ledger(host).is_some_and(|ledger| ledger.version == reading.version),
        }
    }

    /// The document is good.
    fn finish(&mut self, reading: Reading, host: &impl Host) {
        let Reading { loading, version, length, candidate, since, .. } = reading;
        let users = loading.into_users();
        if let Some(candidate) = candidate {
            let etag = candidate.etag;
            let Some(before) = self.settle_good(|ledger, due| ledger.publish(length, etag.clone(), due), host) else {
                return self.leftovers.push(users);
            };
            self.task = Task::Clearing { slot: before.slot(), version, pieces: SharedDocument::pieces(before.length) };
        }
        log::debug!("auth source {}: version {version}, {} users in {:?}", self.id(), users.len(), host.since(since));
        self.version = version;
        self.leftovers.extend(self.users.replace(users));
    }

    /// The document is bad: the last good copy stays.
    fn refuse(&mut self, reading: Reading, why: &str, host: &impl Host) {
        self.leftovers.push(reading.loading.into_users());
        let Some(candidate) = reading.candidate else {
            self.version = reading.version;
            return log::error!("auth source {}: a document is good for another worker only: {why}", self.id());
        };
        self.refused.count(host);
        self.settle(|ledger, due| ledger.refuse(why, candidate.etag.clone(), due), host);
    }
}
