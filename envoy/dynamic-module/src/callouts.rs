//! Calls to clusters: asked for on the thread that answers, made on Envoy's main thread, where they outlive streams.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError, mpsc::Sender},
    time::Duration,
};

use runtime::{outbound::Callout, secret::Secret};

use crate::{
    abi::{self, ConfigEnvoyPtr, ConfigSchedulerPtr},
    bytes::{self, NONE, to_envoy},
    worker::Event,
};

/// The calls of one configuration.
pub(crate) struct Callouts {
    scheduler: ConfigScheduler,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Outgoing>,
    /// Our numbers, by Envoy's.
    under_way: HashMap<u64, u32>,
}

/// A call to be made.
pub(crate) struct Outgoing {
    pub(crate) call: u32,
    cluster: String,
    headers: Vec<(String, Secret)>,
    body: Option<Secret>,
    timeout: Duration,
}

/// The answer to a call. Without headers there was none.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// What any thread wakes the main thread with.
struct ConfigScheduler(ConfigSchedulerPtr);

/// No time at all would be no limit at all.
const SHORTEST: Duration = Duration::from_millis(1);

impl Callouts {
    /// # Safety
    /// Called in the hook that makes the configuration, with Envoy's pointer to it.
    pub(crate) unsafe fn new(config: ConfigEnvoyPtr) -> Self {
        // SAFETY: the configuration is there, as the caller promises.
        let scheduler = unsafe { abi::http_filter_config_scheduler_new(config) };
        Self { scheduler: ConfigScheduler(scheduler), state: Mutex::default() }
    }

    /// Has a call made.
    pub(crate) fn ask(&self, outgoing: Outgoing) {
        self.state().waiting.push_back(outgoing);
        self.scheduler.wake();
    }

    /// Has the main thread look here, and at what else waits for it.
    pub(crate) fn wake(&self) {
        self.scheduler.wake();
    }

    /// Makes the calls that wait. What can't be made is answered at once.
    ///
    /// # Safety
    /// Called on the main thread, in a hook of this configuration.
    pub(crate) unsafe fn make(&self, config: ConfigEnvoyPtr, events: &Sender<Event>) {
        while let Some(outgoing) = self.next() {
            let call = outgoing.call;
            // SAFETY: as the caller promises.
            match unsafe { outgoing.begin(config) } {
                Some(id) => _ = self.state().under_way.insert(id, call),
                None => _ = events.send(Event::Answered(call, Answer::default())),
            }
        }
    }

    fn next(&self) -> Option<Outgoing> {
        self.state().waiting.pop_front()
    }

    /// A call of Envoy's number is over: our number for it.
    pub(crate) fn over(&self, id: u64) -> Option<u32> {
        self.state().under_way.remove(&id)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outgoing {
    /// A copy, since the callout stays with who asks.
    pub(crate) fn new(call: u32, callout: &Callout, timeout: Duration) -> Self {
        let copy = |secret: &Secret| Secret::new(secret.expose());
        let own = [(":method", &callout.method), (":path", &callout.path), (":authority", &callout.authority)];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value.as_str())));
        let more = callout.headers.iter().map(|(name, value)| (name.clone(), copy(value)));
        Self {
            call,
            cluster: callout.cluster.clone(),
            headers: own.chain(more).collect(),
            body: callout.body.as_ref().map(copy),
            timeout: timeout.max(SHORTEST),
        }
    }

    /// Envoy's number for it. None if it can't be made.
    ///
    /// # Safety
    /// As [`Callouts::make`].
    unsafe fn begin(&self, config: ConfigEnvoyPtr) -> Option<u64> {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| bytes::header(name.as_bytes(), value.expose())).collect();
        let body = self.body.as_ref().map_or(NONE, |body| to_envoy(body.expose()));
        let timeout = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
        let (cluster, mut id) = (to_envoy(self.cluster.as_bytes()), 0);
        // SAFETY: the configuration is there, as the caller promises; Envoy copies all that it is given.
        let result = unsafe {
            abi::http_filter_config_http_callout(
                config,
                &mut id,
                cluster,
                headers.as_ptr(),
                headers.len(),
                body,
                timeout,
            )
        };
        (result == abi::callout_init_result::Success).then_some(id)
    }
}

impl ConfigScheduler {
    fn wake(&self) {
        // SAFETY: the handle is freed by `drop` alone, and Envoy lets any thread do this.
        unsafe { abi::http_filter_config_scheduler_commit(self.0, 0) }
    }
}

impl Drop for ConfigScheduler {
    fn drop(&mut self) {
        // SAFETY: nobody else has the handle, and it is not used again.
        unsafe { abi::http_filter_config_scheduler_delete(self.0) }
    }
}

// SAFETY: Envoy lets any thread wake the main thread, and free the handle.
unsafe impl Send for ConfigScheduler {}
// SAFETY: waking is all that is done by reference, and Envoy lets any thread do it at any time.
unsafe impl Sync for ConfigScheduler {}
