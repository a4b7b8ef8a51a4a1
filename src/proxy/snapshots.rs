//! Documents of users in the worker: one worker of the process fetches, writes the document into shared data and reads
//! it; if it is good, the others read it from there. Nothing here takes long at a time but the one copy out of the host.
//!
//! Shared data can't be deleted, so there is a fixed set of keys for each source: a ledger, and two slots of pieces.
//! The good copy is in one slot, and a newer one is written to the other.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::{Rc, Weak},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    host,
    shared_document::{SharedDocument, earlier_vms},
};
use crate::{
    config::loading::{Loading, Progress},
    endpoint::{Endpoint, Find},
    registry::{
        auth_source::{AuthSource, Directory},
        remote::{Delivery, Fault, Ledger, News, Snapshot, jittered, millis},
        user::{Found, UserTable},
    },
};

/// All sources of this configuration that are documents.
pub struct Snapshots {
    sources: HashMap<String, Rc<RefCell<Source>>>,
    looked: Option<Instant>,
}

/// A source in this worker. Plugins with the same source share it.
struct Source {
    auth_source: Arc<AuthSource>,
    document: SharedDocument,
    holder: u64,
    /// Nobody is served here, as far as one can tell: this is the main thread's VM.
    idle: Cell<bool>,
    /// The version of the users.
    version: u64,
    users: Option<UserTable>,
    task: Task,
    leftovers: Vec<UserTable>,
    longest_hold: Duration,
    /// Not to be first again after a failure that may be this worker's own.
    patience: u64,
}

enum Task {
    Nothing,
    Fetching(Fetching),
    Reading(Box<Reading>),
    /// The pieces of a slot that is no longer good, from the last to the first.
    Clearing {
        slot: u64,
        version: u64,
        pieces: usize,
    },
}

struct Fetching {
    call: u32,
    etag: Option<String>,
    overdue: Instant,
}

/// A document being read from shared data.
struct Reading {
    loading: Loading,
    version: u64,
    slot: u64,
    length: usize,
    piece: usize,
    /// Set where the document is not known to be good: this worker fetched it.
    candidate: Option<Candidate>,
    since: Instant,
}

struct Candidate {
    etag: Option<String>,
    renewed: Instant,
}

thread_local! {
    static SOURCES: RefCell<HashMap<String, Weak<RefCell<Source>>>> = RefCell::default();
    /// Whether this VM is on Envoy's main thread, where no request comes: two VMs start there before any worker's, of
    /// which the first is a trial.
    static IS_ON_MAIN_THREAD: bool = earlier_vms() < 2;
}

/// How long a worker may take for its next sign of life while it reads a new document.
const LEASE: Duration = Duration::from_secs(30);
/// How long a worker lets others go first after a failure, in milliseconds.
const PATIENCE: u64 = 1500;
/// A tick may come so much too early.
const EARLY: Duration = Duration::from_millis(10);
const REFUSED: &str = "token_endpoint.snapshot_refused";

impl Snapshots {
    /// The sources of this endpoint. Sources that this worker knows already, from another plugin, are shared.
    pub fn new(endpoint: &Endpoint) -> Self {
        IS_ON_MAIN_THREAD.with(|_| {});
        let sources = endpoint.registry.auth_sources.values();
        let sources = sources.filter_map(|source| Some((source.id.clone(), shared_source(source)?)));
        Self { sources: sources.collect(), looked: None }
    }

    /// Whether there are none, and so nothing to do ever.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Whom the source knows by that name. None until there is a first copy.
    pub fn find(&self, find: &Find) -> Option<Found> {
        let source = self.sources.get(&find.auth_source.id)?.borrow();
        source.idle.set(false);
        Some(source.users.as_ref()?.find(&find.identifier, find.auth_source.choice(&find.identifier)))
    }

    /// Whether this answer is for one of the sources.
    pub fn owns_call(&self, call: u32) -> bool {
        self.sources.values().any(|source| source.borrow().is_fetching_by(call))
    }

    /// Takes an answer. Called while the host has it at hand.
    pub fn on_answer(&mut self, call: u32) {
        for source in self.sources.values().filter(|source| source.borrow().is_fetching_by(call)) {
            source.borrow_mut().on_answer();
        }
    }

    /// Looks for newer copies. Called from the root, every [`Snapshots::period`] or more often.
    pub fn on_tick(&mut self) {
        let is_early = self.looked.is_some_and(|looked| looked.elapsed() + EARLY < self.period());
        if is_early {
            return;
        }
        self.looked = Some(Instant::now());
        self.sources.values().for_each(|source| source.borrow_mut().on_tick());
    }

    /// How often to look: often until there is a first copy of all.
    pub fn period(&self) -> Duration {
        let is_waiting = |source: &Rc<RefCell<Source>>| {
            let source = source.borrow();
            source.users.is_none() && !source.idle.get()
        };
        if self.sources.values().any(is_waiting) { Duration::from_millis(100) } else { Duration::from_secs(1) }
    }

    /// Whether [`Snapshots::slice`] has something to do.
    pub fn has_work(&self) -> bool {
        self.sources.values().any(|source| source.borrow().has_work())
    }

    /// Goes on with what there is to do, until then or a little longer.
    pub fn slice(&mut self, until: Instant) {
        self.sources.values().for_each(|source| source.borrow_mut().slice(until));
    }
}

fn shared_source(auth_source: &Arc<AuthSource>) -> Option<Rc<RefCell<Source>>> {
    let Directory::Snapshot(snapshot) = &auth_source.directory else { return None };
    let name = snapshot.fingerprint(&auth_source.id, &auth_source.identifiers);
    let known = SOURCES.with_borrow(|sources| sources.get(&name).and_then(Weak::upgrade));
    if let Some(source) = known {
        source.borrow_mut().auth_source = Arc::clone(auth_source);
        return Some(source);
    }
    let source = Rc::new(RefCell::new(Source::new(Arc::clone(auth_source), &name)));
    SOURCES.with_borrow_mut(|sources| {
        sources.retain(|_, source| source.strong_count() > 0);
        sources.insert(name, Rc::downgrade(&source));
    });
    Some(source)
}

impl Source {
    fn new(auth_source: Arc<AuthSource>, name: &str) -> Self {
        let document = SharedDocument::open(name);
        let idle = Cell::new(IS_ON_MAIN_THREAD.with(|is_on_main_thread| *is_on_main_thread));
        Self {
            auth_source,
            document,
            holder: chance(),
            idle,
            version: 0,
            users: None,
            task: Task::Nothing,
            leftovers: Vec::new(),
            longest_hold: Duration::ZERO,
            patience: 0,
        }
    }

    fn is_fetching_by(&self, call: u32) -> bool {
        matches!(&self.task, Task::Fetching(fetching) if fetching.call == call)
    }

    fn has_work(&self) -> bool {
        matches!(self.task, Task::Reading(_) | Task::Clearing { .. }) || !self.leftovers.is_empty()
    }

    fn on_tick(&mut self) {
        if self.idle.get() {
            return;
        }
        match &self.task {
            Task::Nothing => self.look(),
            Task::Fetching(fetching) if fetching.overdue <= Instant::now() => {
                self.task = Task::Nothing;
                self.fail(&Fault::NoAnswer);
            }
            Task::Fetching(_) | Task::Reading(_) | Task::Clearing { .. } => {}
        }
    }

    /// Reads a newer good copy, or fetches one if it is time and nobody does.
    fn look(&mut self) {
        let Some(ledger) = self.document.ledger() else { return };
        if ledger.version > 0 && ledger.version != self.version {
            return self.read(ledger.version, ledger.slot(), ledger.length, None);
        }
        let now = host::now_in_millis();
        let Some(Snapshot { timeout, refresh_interval, .. }) = self.snapshot() else { return };
        let (timeout, interval) = (*timeout, *refresh_interval);
        if ledger.is_due(now.saturating_sub(self.patience), interval) && self.take_turn(now, timeout, interval) {
            self.fetch(ledger.etag);
        }
    }

    fn take_turn(&self, now: u64, timeout: Duration, interval: Duration) -> bool {
        let until = now + millis(timeout + LEASE);
        let turn = self.document.update(|ledger| {
            let is_due = ledger.is_due(now, interval);
            is_due.then(|| ledger.lend(self.holder, until))
        });
        turn.is_some()
    }

    fn fetch(&mut self, etag: Option<String>) {
        match self.call(etag.as_deref()) {
            Some((call, overdue)) => {
                self.task = Task::Fetching(Fetching { call, etag, overdue });
            }
            None => self.fail(&Fault::NoAnswer),
        }
    }

    fn call(&self, etag: Option<&str>) -> Option<(u32, Instant)> {
        let snapshot = self.snapshot()?;
        let callout = snapshot.callout(self.id(), etag)?;
        let call = host::call(&callout, snapshot.timeout).ok()?;
        Some((call, Instant::now() + snapshot.timeout + Duration::from_secs(1)))
    }

    fn on_answer(&mut self) {
        let Task::Fetching(fetching) = std::mem::replace(&mut self.task, Task::Nothing) else { return };
        match self.delivery(&fetching) {
            Ok(Delivery::Unchanged) => {
                self.settle(Ledger::keep);
            }
            Ok(Delivery::Document(etag)) => self.receive(etag),
            Err(fault) => self.fail(&fault),
        }
    }

    fn delivery(&self, fetching: &Fetching) -> Result<Delivery, Fault> {
        let snapshot = self.snapshot().ok_or(Fault::NoAnswer)?;
        let etag = host::answer_header("etag");
        let delivery = snapshot.read(host::answer_status(), etag, fetching.etag.as_deref())?;
        let is_too_long = host::answer_is_longer_than(snapshot.max_bytes);
        if is_too_long { Err(Fault::TooLarge(snapshot.max_bytes)) } else { Ok(delivery) }
    }

    /// Copies the document into the free slot, for it is in the host only now.
    fn receive(&mut self, etag: Option<String>) {
        let since = Instant::now();
        let Some(ledger) = self.renew() else { return };
        let slot = ledger.free_slot();
        match self.document.take_answer(slot) {
            Ok(length) => {
                log::debug!("auth source {}: {length} bytes copied in {:?}", self.id(), since.elapsed());
                let candidate = Candidate { etag, renewed: Instant::now() };
                self.read(ledger.version + 1, slot, length, Some(candidate));
            }
            Err(status) => {
                log::error!("auth source {}: a document can't be shared: {status:?}", self.auth_source.id);
                self.fail(&Fault::NoAnswer);
            }
        }
    }

    fn read(&mut self, version: u64, slot: u64, length: usize, candidate: Option<Candidate>) {
        let loading = self.snapshot().map(|snapshot| Loading::new(snapshot, &self.auth_source.identifiers));
        if let Some(loading) = loading {
            let since = Instant::now();
            let reading = Reading { loading, version, slot, length, piece: 0, candidate, since };
            self.task = Task::Reading(Box::new(reading));
        }
    }

    fn slice(&mut self, until: Instant) {
        let start = Instant::now();
        let mut now = start;
        while self.has_work() && now < until {
            self.step();
            now = Instant::now();
        }
        self.longest_hold = self.longest_hold.max(now - start);
        if now > start && !self.has_work() {
            log::debug!("auth source {}: longest hold {:?}", self.id(), self.longest_hold);
            self.longest_hold = Duration::ZERO;
        }
    }

    /// A little of the work.
    fn step(&mut self) {
        match std::mem::replace(&mut self.task, Task::Nothing) {
            Task::Reading(reading) => self.step_reading(reading),
            Task::Clearing { slot, version, pieces } => self.step_clearing(slot, version, pieces),
            other => {
                self.task = other;
                self.step_dropping();
            }
        }
    }

    /// Empties a piece of the slot of the last copy, unless it has a new use already.
    fn step_clearing(&mut self, slot: u64, version: u64, pieces: usize) {
        let is_free = self.document.ledger().is_some_and(|ledger| ledger.is_at_rest_with(version));
        if let Some(piece) = pieces.checked_sub(1).filter(|_| is_free) {
            self.document.clear(slot, piece);
            self.task = Task::Clearing { slot, version, pieces: piece };
        }
    }

    fn step_dropping(&mut self) {
        if self.leftovers.last_mut().is_none_or(UserTable::dismantle) {
            self.leftovers.pop();
        }
    }

    fn step_reading(&mut self, mut reading: Box<Reading>) {
        match reading.loading.step() {
            Ok(Progress::Working) => self.task = Task::Reading(reading),
            Ok(Progress::Hungry) => {
                if self.feed(&mut reading) {
                    self.task = Task::Reading(reading);
                } else {
                    self.leftovers.push(reading.loading.into_users());
                }
            }
            Ok(Progress::Done) => self.finish(*reading),
            Err(problem) => self.refuse(*reading, &problem.to_string()),
        }
    }

    /// Takes the next piece out of shared data. False if the copy is not the one to be read any more.
    fn feed(&self, reading: &mut Reading) -> bool {
        let Some(piece) = self.document.piece(reading.slot, reading.piece, reading.length) else { return false };
        if !self.is_current(reading) {
            return false;
        }
        reading.loading.feed(&piece);
        reading.piece += 1;
        true
    }

    /// Whether nobody else writes where this worker reads.
    fn is_current(&self, reading: &mut Reading) -> bool {
        match &mut reading.candidate {
            Some(candidate) if candidate.renewed.elapsed() > LEASE / 4 => {
                candidate.renewed = Instant::now();
                self.renew().is_some()
            }
            Some(_) => true,
            None => self.document.ledger().is_some_and(|ledger| ledger.version == reading.version),
        }
    }

    /// The document is good.
    fn finish(&mut self, reading: Reading) {
        let Reading { loading, version, length, candidate, since, .. } = reading;
        let users = loading.into_users();
        if let Some(candidate) = candidate {
            let etag = candidate.etag;
            let Some(before) = self.settle(|ledger, due| ledger.publish(length, etag.clone(), due)) else {
                return self.leftovers.push(users);
            };
            self.task = Task::Clearing { slot: before.slot(), version, pieces: SharedDocument::pieces(before.length) };
        }
        log::debug!("auth source {}: version {version}, {} users in {:?}", self.id(), users.len(), since.elapsed());
        self.version = version;
        self.leftovers.extend(self.users.replace(users));
    }

    /// The document is bad: the last good copy stays.
    fn refuse(&mut self, reading: Reading, why: &str) {
        self.leftovers.push(reading.loading.into_users());
        let Some(candidate) = reading.candidate else {
            self.version = reading.version;
            return log::error!("auth source {}: a document is good for another worker only: {why}", self.id());
        };
        if host::define_counter(REFUSED).and_then(host::count).is_err() {
            log::warn!("a counter failed");
        }
        self.settle(|ledger, due| ledger.refuse(why, candidate.etag.clone(), due));
    }

    fn fail(&mut self, fault: &Fault) {
        let why = fault.to_string();
        let due = self.due_after(Snapshot::retry_interval);
        self.patience = PATIENCE;
        self.end_turn(|ledger| ledger.fail(&why, due));
    }

    /// Ends the turn with a document looked at, and tells what the ledger was before. None if the turn was lost.
    fn settle(&mut self, change: impl Fn(&mut Ledger, u64) -> News) -> Option<Ledger> {
        let due = self.due_after(|snapshot| snapshot.refresh_interval);
        self.patience = 0;
        self.end_turn(|ledger| change(ledger, due))
    }

    fn end_turn(&self, change: impl Fn(&mut Ledger) -> News) -> Option<Ledger> {
        let (before, news, trouble) = self.document.update(|ledger| {
            let before = ledger.clone();
            let news = ledger.is_lent_to(self.holder).then(|| change(ledger))?;
            Some((before, news, ledger.trouble().unwrap_or_default().to_owned()))
        })?;
        match news {
            News::Nothing => {}
            News::Trouble => log::warn!("auth source {}: no newer copy of its users: {trouble}", self.id()),
            News::Over => log::info!("auth source {}: its users can be fetched again", self.id()),
        }
        Some(before)
    }

    /// Keeps the turn for longer. None if it was lost.
    fn renew(&self) -> Option<Ledger> {
        let until = host::now_in_millis() + millis(LEASE);
        self.document.update(|ledger| {
            ledger.is_lent_to(self.holder).then(|| {
                ledger.lend(self.holder, until);
                ledger.clone()
            })
        })
    }

    fn due_after(&self, span: impl Fn(&Snapshot) -> Duration) -> u64 {
        let span = self.snapshot().map(|snapshot| jittered(span(snapshot), chance())).unwrap_or_default();
        host::now_in_millis() + millis(span)
    }

    fn snapshot(&self) -> Option<&Snapshot> {
        match &self.auth_source.directory {
            Directory::Snapshot(snapshot) => Some(snapshot),
            _ => None,
        }
    }

    fn id(&self) -> &str {
        &self.auth_source.id
    }
}

/// Any number; the least where the host gives no chance.
fn chance() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        Err(_) => 0,
    }
}
