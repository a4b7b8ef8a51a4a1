//! A document of users in one worker: when it is looked for, and what is done a little at a time.

use std::{
    cell::Cell,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    super::{
        host::Host,
        metrics::{Counter, Gauge},
        shared_document::SharedDocument,
    },
    task::Task,
};
use crate::{
    endpoint::Find,
    outbound::Fault,
    registry::{
        auth_source::{AuthSource, Directory},
        remote::{Snapshot, SnapshotManifest},
        user::{Found, UserTable},
    },
};

/// A source in this worker. Plugins with the same source share it.
pub(super) struct Source {
    pub(super) auth_source: Arc<AuthSource>,
    pub(super) document: SharedDocument,
    pub(super) holder: u64,
    /// Nobody is served here, as far as one can tell: this is the main thread's VM.
    idle: Cell<bool>,
    /// The version of the users.
    pub(super) version: u64,
    pub(super) users: Option<UserTable>,
    pub(super) task: Task,
    pub(super) leftovers: Vec<UserTable>,
    longest_hold: Duration,
    /// Not to be first again after a failure that may be this worker's own.
    pub(super) patience: u64,
    pub(super) refused: Counter,
    age: Gauge,
}

impl Source {
    /// A source of which nothing is known yet.
    pub(super) fn new(auth_source: Arc<AuthSource>, name: &str, idle: bool, host: &impl Host) -> Self {
        let document = SharedDocument::open(name, host);
        let age = Gauge::new(&format!("auth_source.{}.age_seconds", metric_name(&auth_source.id)), host);
        Self {
            auth_source,
            document,
            holder: host.chance(),
            idle: Cell::new(idle),
            version: 0,
            users: None,
            task: Task::Nothing,
            leftovers: Vec::new(),
            longest_hold: Duration::ZERO,
            patience: 0,
            refused: Counter::new("snapshot_refused", host),
            age,
        }
    }

    /// Takes a newer configuration of the same source.
    pub(super) fn configure(&mut self, auth_source: &Arc<AuthSource>) {
        self.auth_source = Arc::clone(auth_source);
    }

    /// Whom it knows by that name. None until there is a first copy.
    pub(super) fn find(&self, find: &Find) -> Option<Found> {
        self.idle.set(false);
        Some(self.users.as_ref()?.find(&find.identifier, find.auth_source.choice(&find.identifier)))
    }

    /// Whether somebody may ask for users that are not here yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.users.is_none() && !self.idle.get()
    }

    /// Whether this call is for it.
    pub(super) fn is_fetching_by(&self, call: u32) -> bool {
        matches!(&self.task, Task::Fetching(fetching) if fetching.is_by(call))
    }

    /// Whether [`Source::slice`] has something to do.
    pub(super) fn has_work(&self) -> bool {
        matches!(self.task, Task::Reading(_) | Task::Clearing { .. }) || !self.leftovers.is_empty()
    }

    /// Looks after its copy.
    pub(super) fn on_tick(&mut self, host: &impl Host) {
        if self.idle.get() {
            return;
        }
        match &self.task {
            Task::Nothing => self.look(host),
            Task::Fetching(fetching) if fetching.is_overdue(host.monotonic()) => {
                self.task = Task::Nothing;
                self.fail(&Fault::NoAnswer, host);
            }
            Task::Fetching(_) | Task::Reading(_) | Task::Clearing { .. } => {}
        }
    }

    /// Reads a newer good copy, or fetches one if it is time and nobody does.
    fn look(&mut self, host: &impl Host) {
        let Some(ledger) = self.document.ledger(host) else { return };
        self.show_age(&ledger, host);
        if ledger.version > 0 && ledger.version != self.version {
            return self.read_good(&ledger, host);
        }
        let now = host.now_in_millis();
        let Some(Snapshot { timeout, refresh_interval, .. }) = self.snapshot() else { return };
        let (timeout, interval) = (*timeout, *refresh_interval);
        if ledger.is_due(now.saturating_sub(self.patience), interval) && self.take_turn(now, timeout, interval, host) {
            self.fetch(ledger.etag, host);
        }
    }

    /// Shows for how long nobody knows whether its copy is the newest still, once there is one.
    fn show_age(&self, ledger: &SnapshotManifest, host: &impl Host) {
        if let Some(age) = ledger.age(host.now_in_millis()) {
            self.age.show(age.as_secs(), host);
        }
    }

    /// Goes on with what there is to do, until then or a little longer.
    pub(super) fn slice(&mut self, until: Instant, host: &impl Host) {
        let start = host.monotonic();
        let mut now = start;
        while self.has_work() && now < until {
            self.step(host);
            now = host.monotonic();
        }
        self.longest_hold = self.longest_hold.max(now - start);
        if now > start && !self.has_work() {
            log::debug!("auth source {}: longest hold {:?}", self.id(), self.longest_hold);
            self.longest_hold = Duration::ZERO;
        }
    }

    /// A little of the work.
    fn step(&mut self, host: &impl Host) {
        match mem::replace(&mut self.task, Task::Nothing) {
            Task::Reading(reading) => self.step_reading(reading, host),
            Task::Clearing { slot, version, pieces } => self.step_clearing(slot, version, pieces, host),
            other => {
                self.task = other;
                self.step_dropping();
            }
        }
    }

    /// Empties a piece of the slot of the last copy, unless it has a new use already.
    fn step_clearing(&mut self, slot: u64, version: u64, pieces: usize, host: &impl Host) {
        let is_free = self.document.ledger(host).is_some_and(|ledger| ledger.is_at_rest_with(version));
        if let Some(piece) = pieces.checked_sub(1).filter(|_| is_free) {
            self.document.clear(slot, piece, host);
            self.task = Task::Clearing { slot, version, pieces: piece };
        }
    }

    fn step_dropping(&mut self) {
        if self.leftovers.last_mut().is_none_or(UserTable::dismantle) {
            self.leftovers.pop();
        }
    }

    pub(super) fn snapshot(&self) -> Option<&Snapshot> {
        match &self.auth_source.directory {
            Directory::Snapshot(snapshot) => Some(snapshot),
            _ => None,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.auth_source.id
    }
}

/// A part of a metric's name: an id may have dots and spaces, which are no part of one.
fn metric_name(id: &str) -> String {
    id.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' }).collect()
}
