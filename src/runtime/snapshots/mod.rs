//! Documents of users in the worker: one worker of the process fetches, writes the document into shared data and reads
//! it; if it is good, the others read it from there. Nothing here takes long at a time, unless a server sends a large document whole.
//!
//! Shared data can't be deleted, so there is a fixed set of keys for each source: a ledger, and two slots of pieces.
//! The good copy is in one slot, and a newer one is written to the other.

mod fetching;
mod reading;
mod source;
mod task;
mod turns;

use std::{
    cell::{OnceCell, RefCell},
    collections::HashMap,
    rc::{Rc, Weak},
    sync::Arc,
    time::{Duration, Instant},
};

use self::source::Source;
use super::{host::Host, shared_document::earlier_vms};
use crate::{
    endpoint::{Endpoint, Find},
    registry::{
        auth_source::{AuthSource, Directory},
        user::Found,
    },
};

/// All sources of this configuration that are documents.
pub(super) struct Snapshots {
    sources: HashMap<String, Rc<RefCell<Source>>>,
    looked: Option<Instant>,
}

/// The sources that plugins of one thread share.
#[derive(Default)]
pub(super) struct SharedSources {
    /// Sources by the names of their documents.
    sources: RefCell<HashMap<String, Weak<RefCell<Source>>>>,
    /// Whether no request comes to this thread.
    is_main: OnceCell<bool>,
}

/// How long documents are read at a time.
const SLICE: Duration = Duration::from_millis(1);
/// A tick may come so much too early.
const EARLY: Duration = Duration::from_millis(10);

impl Snapshots {
    /// The sources of this endpoint. Sources that this worker knows already, from another plugin, are shared.
    pub(super) fn new(endpoint: &Endpoint, shared: &SharedSources, host: &impl Host) -> Self {
        is_main_thread(shared, host);
        let sources = endpoint.registry.auth_sources.values();
        let sources = sources.filter_map(|source| Some((source.id.clone(), shared_source(source, shared, host)?)));
        Self { sources: sources.collect(), looked: None }
    }

    /// Whether there are none, and so nothing to do ever.
    pub(super) fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Whom the source knows by that name. None until there is a first copy.
    pub(super) fn find(&self, find: &Find) -> Option<Found> {
        self.sources.get(&find.auth_source.id)?.borrow().find(find)
    }

    /// Whether this answer is for one of the sources.
    pub(super) fn owns_call(&self, call: u32) -> bool {
        self.sources.values().any(|source| source.borrow().is_fetching_by(call))
    }

    /// Takes an answer with a body of this length. Called while the host has it at hand.
    pub(super) fn on_answer(&mut self, call: u32, length: usize, host: &impl Host) {
        for source in self.sources.values().filter(|source| source.borrow().is_fetching_by(call)) {
            source.borrow_mut().on_answer(length, host);
        }
    }

    /// Looks for newer copies. Called from the root, every [`Snapshots::period`] or more often.
    pub(super) fn on_tick(&mut self, host: &impl Host) {
        let is_early = self.looked.is_some_and(|looked| host.since(looked) + EARLY < self.period());
        if is_early {
            return;
        }
        self.looked = Some(host.monotonic());
        self.sources.values().for_each(|source| source.borrow_mut().on_tick(host));
    }

    /// How often to look: often until there is a first copy of all.
    pub(super) fn period(&self) -> Duration {
        let is_waiting = self.sources.values().any(|source| source.borrow().is_waiting());
        if is_waiting { Duration::from_millis(100) } else { Duration::from_secs(1) }
    }

    /// Whether [`Snapshots::slice`] has something to do.
    pub(super) fn has_work(&self) -> bool {
        self.sources.values().any(|source| source.borrow().has_work())
    }

    /// Goes on with what there is to do, for a slice or a little longer.
    pub(super) fn slice(&mut self, host: &impl Host) {
        let until = host.monotonic() + SLICE;
        self.sources.values().for_each(|source| source.borrow_mut().slice(until, host));
    }
}

fn shared_source(
    auth_source: &Arc<AuthSource>,
    shared: &SharedSources,
    host: &impl Host,
) -> Option<Rc<RefCell<Source>>> {
    let Directory::Snapshot(snapshot) = &auth_source.directory else { return None };
    let name = snapshot.fingerprint(&auth_source.id, &auth_source.identifiers);
    let mut sources = shared.sources.borrow_mut();
    if let Some(source) = sources.get(&name).and_then(Weak::upgrade) {
        source.borrow_mut().configure(auth_source);
        return Some(source);
    }
    let source = Source::new(Arc::clone(auth_source), &name, is_main_thread(shared, host), host);
    let source = Rc::new(RefCell::new(source));
    sources.retain(|_, source| source.strong_count() > 0);
    sources.insert(name, Rc::downgrade(&source));
    Some(source)
}

/// Whether this is Envoy's main thread, where no request comes: two VMs start there before any worker's, of which the first is
/// a trial.
fn is_main_thread(shared: &SharedSources, host: &impl Host) -> bool {
    *shared.is_main.get_or_init(|| host.begins_with_an_idle_worker() && earlier_vms(host) < 2)
}
