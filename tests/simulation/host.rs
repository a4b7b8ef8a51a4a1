//! The host of one plugin: what Envoy does for it, in virtual time.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::{Duration, Instant, SystemTime},
};

use token_endpoint::{
    http::Response,
    outbound::Callout,
    runtime::{Host, HostError, MetricKind, SharedValue},
};

use super::{
    agenda::Event,
    world::{Answer, World},
};

/// Clones are the same host.
#[derive(Clone)]
pub struct SimulatedHost(Rc<State>);

struct State {
    world: Rc<World>,
    plugin: u32,
    process: usize,
    is_dead: Cell<bool>,
    is_woken: Cell<bool>,
    period: Cell<Duration>,
    timer: Cell<u64>,
    calls: RefCell<BTreeSet<u32>>,
    at_hand: RefCell<CallAnswer>,
    looks: Cell<u32>,
    metrics: RefCell<BTreeMap<u32, (String, i64)>>,
}

/// What a call is answered: no headers at all where there is no answer.
#[derive(Clone, Debug, Default)]
pub struct CallAnswer {
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

/// How long a look at the clock takes, so that work takes time.
pub const LOOK: Duration = Duration::from_micros(100);

impl CallAnswer {
    pub fn of(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { headers: vec![(":status".to_owned(), status.to_string().into())], body: body.into() }
    }

    pub fn none() -> Self {
        Self::default()
    }
}

impl SimulatedHost {
    pub fn new(world: &Rc<World>, plugin: u32, process: usize) -> Self {
        Self(Rc::new(State {
            world: Rc::clone(world),
            plugin,
            process,
            is_dead: Cell::default(),
            is_woken: Cell::default(),
            period: Cell::default(),
            timer: Cell::default(),
            calls: RefCell::default(),
            at_hand: RefCell::default(),
            looks: Cell::default(),
            metrics: RefCell::default(),
        }))
    }

    /// Its VM is gone: nothing that is done by it from now on happens.
    pub fn die(&self) {
        self.0.is_dead.set(true);
    }

    /// Whether something will call the plugin again.
    pub fn is_going_on(&self) -> bool {
        self.0.is_woken.get() || !self.0.period.get().is_zero() || !self.0.calls.borrow().is_empty()
    }

    /// Calls that are not answered yet.
    pub fn calls_under_way(&self) -> usize {
        self.0.calls.borrow().len()
    }

    pub fn period(&self) -> Duration {
        self.0.period.get()
    }

    /// How long it was busy since this was last asked.
    pub fn take_busy(&self) -> Duration {
        LOOK * self.0.looks.take()
    }

    pub fn metric(&self, name: &str) -> i64 {
        let metrics = self.0.metrics.borrow();
        metrics.values().find(|(known, _)| known.ends_with(name)).map(|(_, value)| *value).unwrap_or_default()
    }

    /// It is about to be woken.
    pub fn take_wake(&self) {
        self.0.is_woken.set(false);
    }

    /// Whether this timer runs still; then it is wound up again.
    pub fn rewind(&self, timer: u64) {
        if self.is_timer(timer) {
            self.0.world.later(self.0.period.get(), Event::Tick(self.0.plugin, timer));
        }
    }

    pub fn is_timer(&self, timer: u64) -> bool {
        self.0.timer.get() == timer && !self.0.period.get().is_zero()
    }

    /// Has an answer at hand while `act` runs.
    pub fn with_answer<T>(&self, call: u32, answer: CallAnswer, act: impl FnOnce() -> T) -> T {
        self.0.calls.borrow_mut().remove(&call);
        let before = self.0.at_hand.replace(answer);
        let result = act();
        self.0.at_hand.replace(before);
        result
    }

    fn alive(&self) -> Result<(), HostError> {
        if self.0.is_dead.get() { Err(HostError::InternalFailure) } else { Ok(()) }
    }
}

impl Host for SimulatedHost {
    fn wall_clock(&self) -> SystemTime {
        self.0.world.wall_clock(self.0.process)
    }

    fn monotonic(&self) -> Instant {
        self.0.looks.set(self.0.looks.get() + 1);
        self.0.world.pass(LOOK);
        self.0.world.instant()
    }

    fn entropy(&self) -> Option<[u8; 32]> {
        (!self.0.world.faults.no_entropy.get()).then(|| self.0.world.chance.bytes())
    }

    fn answer(&self, stream: u32, response: &Response, notes: &[(String, String)]) -> Result<(), HostError> {
        self.alive()?;
        let (status, body) = (response.status, response.body.clone());
        let notes =
            notes.iter().map(|(name, value)| (name.trim_start_matches("token_endpoint.").to_owned(), value.clone()));
        let retry_after = response.headers.iter().any(|(name, _)| *name == "retry-after");
        self.0.world.answered(Answer { stream, status, body, notes: notes.collect(), retry_after })
    }

    fn call(&self, callout: &Callout, timeout: Duration) -> Result<u32, HostError> {
        self.alive()?;
        let call = self.0.world.send(self.0.plugin, self.0.process, callout, timeout)?;
        self.0.calls.borrow_mut().insert(call);
        Ok(call)
    }

    fn answer_headers(&self) -> Vec<(String, Vec<u8>)> {
        self.0.at_hand.borrow().headers.clone()
    }

    fn answer_body(&self, start: usize, length: usize) -> Vec<u8> {
        self.0.at_hand.borrow().body.iter().skip(start).take(length).copied().collect()
    }

    fn wake(&self) -> Result<(), HostError> {
        self.alive()?;
        if !self.0.is_woken.replace(true) {
            self.0.world.later(Duration::from_micros(20), Event::Woken(self.0.plugin));
        }
        Ok(())
    }

    fn tick_every(&self, period: Duration) {
        self.0.period.set(period);
        self.0.timer.set(self.0.timer.get() + 1);
        self.rewind(self.0.timer.get());
    }

    fn shared_value(&self, key: &str) -> Result<SharedValue, HostError> {
        self.alive()?;
        let shared = self.0.world.processes[self.0.process].shared.borrow();
        let (bytes, version) = shared.get(key).map(|(bytes, version)| (bytes.clone(), *version)).unzip();
        Ok(SharedValue { bytes: bytes.unwrap_or_default(), version })
    }

    /// Between a look at a value and its change, another worker may do something.
    fn set_shared_value(&self, key: &str, value: &[u8], version: Option<u32>) -> Result<(), HostError> {
        self.alive()?;
        if version.is_some() {
            self.0.world.interleave(self.0.plugin);
        }
        let mut shared = self.0.world.processes[self.0.process].shared.borrow_mut();
        let now = shared.get(key).map_or(0, |(_, version)| *version);
        if version.is_some_and(|version| version != now) {
            self.0.world.count("fault: another worker has changed the value");
            return Err(HostError::CasMismatch);
        }
        shared.insert(key.to_owned(), (value.to_vec(), now + 1));
        Ok(())
    }

    fn verify(&self, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
        None
    }

    fn sign(&self, _: &[u8], _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn define_metric(&self, _: MetricKind, name: &str) -> u32 {
        let mut metrics = self.0.metrics.borrow_mut();
        let known = metrics.iter().find(|(_, (known, _))| known == name).map(|(id, _)| *id);
        let id = known.unwrap_or(u32::try_from(metrics.len()).unwrap());
        metrics.entry(id).or_insert_with(|| (name.to_owned(), 0));
        id
    }

    fn add_to_metric(&self, metric: u32, change: i64) {
        self.0.metrics.borrow_mut().entry(metric).and_modify(|(_, value)| *value += change);
    }

    fn record_metric(&self, metric: u32, value: u64) {
        self.0.metrics.borrow_mut().entry(metric).and_modify(|(_, known)| *known = i64::try_from(value).unwrap());
    }
}
