//! Envoy as the runtime's host, from the thread that answers. What needs a thread of Envoy's is sent there.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::{
        Arc,
        mpsc::{self, Sender},
    },
    time::{Duration, Instant, SystemTime},
};

use runtime::{
    http::Response,
    outbound::Callout,
    runtime::{Change as SharedChange, CheckThreads, Host, HostError, MetricKind, SharedValue},
    schedule::ThreadSettings,
};

use crate::{
    callouts::{Answer, Callouts, Outgoing},
    configuration::Facts,
    link::{Link, Reply},
    main_metrics::MAIN_METRICS,
    metrics::{Changes, MetricId},
    pool,
    signatures::{self, Signatures},
    store::STORE,
    worker::Event,
};

/// The host of one configuration's only worker.
pub(crate) struct ModuleHost {
    shared: Arc<Shared>,
    news: Sender<News>,
    /// How many workers Envoy has.
    workers: usize,
    links: RefCell<HashMap<u32, Arc<Link>>>,
    metrics: RefCell<Vec<Option<MetricId>>>,
    /// The answer at hand.
    answer: RefCell<Answer>,
    last_call: Cell<u32>,
    is_woken: Cell<bool>,
    tick: Cell<Option<(Duration, Instant)>>,
    signatures: Signatures,
}

/// What the threads of one configuration share.
pub(crate) struct Shared {
    pub(crate) events: Sender<Event>,
    pub(crate) callouts: Callouts,
    pub(crate) changes: Changes,
}

/// What the thread that answers says while the main thread waits for it to read the configuration.
pub(crate) enum News {
    /// A metric is to be defined, on the main thread as Envoy wants it.
    Definition(Definition, Sender<Option<MetricId>>),
    /// The document is read: None if it is refused.
    Ready(Option<Facts>),
}

/// A metric.
pub(crate) enum Definition {
    /// One with a name.
    Metric(MetricKind, String),
    /// The counter of requests, by their kinds and outcomes.
    Requests,
}

impl ModuleHost {
    pub(crate) fn new(shared: Arc<Shared>, news: Sender<News>, workers: usize) -> Self {
        let host = Self {
            shared,
            news,
            workers,
            links: RefCell::default(),
            metrics: RefCell::default(),
            answer: RefCell::default(),
            last_call: Cell::default(),
            is_woken: Cell::default(),
            tick: Cell::default(),
            signatures: Signatures::default(),
        };
        host.define(Definition::Requests);
        host
    }

    /// A stream is to be answered.
    pub(crate) fn link(&self, link: Arc<Link>) {
        self.links.borrow_mut().insert(link.stream, link);
    }

    /// A stream is gone, or is to be answered otherwise.
    pub(crate) fn unlink(&self, stream: u32) -> Option<Arc<Link>> {
        self.links.borrow_mut().remove(&stream)
    }

    /// The answer to a call is at hand from now on.
    pub(crate) fn show(&self, answer: Answer) -> usize {
        let length = answer.body.len();
        self.answer.replace(answer);
        length
    }

    /// Whether metrics have changed that no stream has come for, where the main thread can do without.
    pub(crate) fn has_changes(&self) -> bool {
        MAIN_METRICS.is_some() && self.shared.changes.are_waiting()
    }

    /// Has the main thread change them.
    pub(crate) fn change_on_main(&self) {
        if self.has_changes() {
            self.shared.callouts.wake();
        }
    }

    /// Whether it is to be woken.
    pub(crate) fn is_woken(&self) -> bool {
        self.is_woken.get()
    }

    /// Takes the wish to be woken.
    pub(crate) fn take_wish(&self) -> bool {
        self.is_woken.take()
    }

    /// When the next tick is due.
    pub(crate) fn next_tick(&self) -> Option<Instant> {
        self.tick.get().map(|(_, due)| due)
    }

    /// Whether a tick is due; the next one is a period later.
    pub(crate) fn take_tick(&self, now: Instant) -> bool {
        let Some((period, due)) = self.tick.get() else { return false };
        let is_due = due <= now;
        if is_due {
            self.tick.set(Some((period, now + period)));
        }
        is_due
    }

    /// The number by which the runtime knows a metric.
    fn define(&self, kind: Definition) -> u32 {
        let (reply, defined) = mpsc::channel();
        let is_asked = self.news.send(News::Definition(kind, reply)).is_ok();
        let metric = is_asked.then(|| defined.recv().ok()).flatten().flatten();
        self.keep(metric)
    }

    fn keep(&self, metric: Option<MetricId>) -> u32 {
        let mut metrics = self.metrics.borrow_mut();
        metrics.push(metric);
        u32::try_from(metrics.len() - 1).unwrap_or(u32::MAX)
    }

    fn metric(&self, number: u32) -> Option<MetricId> {
        self.metrics.borrow().get(usize::try_from(number).ok()?)?.clone()
    }
}

/// The counter of requests is the first metric.
const REQUESTS: u32 = 0;

impl Host for ModuleHost {
    fn wall_clock(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Instant {
        Instant::now()
    }

    fn entropy(&self) -> Option<[u8; 32]> {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The notes have the names that they have as WebAssembly's, so that an access log reads the same.
    fn answer(&self, stream: u32, response: &Response, notes: &[(String, String)]) -> Result<(), HostError> {
        let link = self.links.borrow_mut().remove(&stream).ok_or(HostError::NotFound)?;
        let Response { status, headers, body } = response;
        let response = Response { status: *status, headers: headers.clone(), body: body.clone() };
        let is_there = link.answer(Reply { response, notes: notes.to_vec() });
        if is_there { Ok(()) } else { Err(HostError::NotFound) }
    }

    fn call(&self, callout: &Callout, timeout: Duration) -> Result<u32, HostError> {
        let call = self.last_call.get().wrapping_add(1);
        self.last_call.set(call);
        self.shared.callouts.ask(Outgoing::new(call, callout, timeout));
        Ok(call)
    }

    fn answer_headers(&self) -> Vec<(String, Vec<u8>)> {
        self.answer.borrow().headers.clone()
    }

    fn answer_body(&self, start: usize, length: usize) -> Vec<u8> {
        let answer = self.answer.borrow();
        let end = start.saturating_add(length).min(answer.body.len());
        answer.body.get(start..end).unwrap_or_default().to_vec()
    }

    fn wake(&self) -> Result<(), HostError> {
        self.is_woken.set(true);
        Ok(())
    }

    fn begins_with_an_idle_worker(&self) -> bool {
        false
    }

    fn wakes_in_turn(&self) -> bool {
        true
    }

    fn check_threads(&self, settings: &ThreadSettings) -> Option<Rc<dyn CheckThreads>> {
        let events = self.shared.events.clone();
        let report = Arc::new(move |done| events.send(Event::Checked(done)).unwrap_or_default());
        Some(Rc::new(pool::pool(settings, self.workers).worker(report)))
    }

    fn tick_every(&self, period: Duration) {
        self.tick.set((!period.is_zero()).then(|| (period, Instant::now() + period)));
    }

    fn shared_value(&self, key: &str) -> Result<SharedValue, HostError> {
        Ok(STORE.get(key))
    }

    fn set_shared_value(&self, key: &str, value: &[u8], version: Option<u32>) -> Result<(), HostError> {
        STORE.set(key, value, version)
    }

    fn update_shared_value(&self, key: &str, change: &mut SharedChange) -> Result<(), HostError> {
        STORE.update(key, change)
    }

    fn sign(&self, private_key_der: &[u8], input: &[u8]) -> Option<Vec<u8>> {
        self.signatures.sign(private_key_der, input)
    }

    fn verify(&self, public_key_der: &[u8], input: &[u8], signature: &[u8]) -> Option<bool> {
        signatures::verify(public_key_der, input, signature)
    }

    fn define_metric(&self, kind: MetricKind, name: &str) -> u32 {
        self.define(Definition::Metric(kind, name.to_owned()))
    }

    fn define_outcome(&self, request: &str, outcome: &str) -> u32 {
        let labels = Arc::from([request.to_owned(), outcome.to_owned()]);
        let requests = self.metric(REQUESTS);
        self.keep(requests.map(|requests| MetricId { labels, ..requests }))
    }

    fn add_to_metric(&self, metric: u32, change: i64) {
        if let Some(metric) = self.metric(metric) {
            self.shared.changes.add(metric.add(change));
        }
    }

    fn record_metric(&self, metric: u32, value: u64) {
        if let Some(metric) = self.metric(metric) {
            self.shared.changes.add(metric.record(value));
        }
    }
}
