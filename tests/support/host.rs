//! A host in memory: the runtime's events and answers without any proxy, with a clock that only the test moves.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
    time::{Duration, Instant, SystemTime},
};

use token_endpoint::{
    http::{Head, Response},
    outbound::Callout,
    runtime::{
        Flow, Host, HostError, HttpStream, IncomingRequest, MetricKind, Plugin, SharedValue, ThreadState, Worker,
    },
    secret::Secret,
};

use super::stories::Request;

/// The host of one worker; clones are the same host.
#[derive(Clone)]
pub struct MemoryHost(Rc<State>);

pub struct State {
    start: Instant,
    elapsed: Cell<Duration>,
    chance: Cell<u64>,
    shared: RefCell<BTreeMap<String, (Vec<u8>, u32)>>,
    answers: RefCell<BTreeMap<u32, Response>>,
    notes: RefCell<BTreeMap<u32, Vec<(String, String)>>>,
    gone: RefCell<BTreeSet<u32>>,
    calls: RefCell<VecDeque<Call>>,
    at_hand: RefCell<CallAnswer>,
    next_call: Cell<u32>,
    is_woken: Cell<bool>,
    period: Cell<Duration>,
    metrics: RefCell<Vec<(String, Vec<i64>)>>,
}

/// A call that is not answered yet.
pub struct Call {
    pub id: u32,
    pub cluster: String,
    pub path: String,
}

/// What a call is answered.
#[derive(Clone, Default)]
pub struct CallAnswer {
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl CallAnswer {
    pub fn of(status: u16, body: &str) -> Self {
        Self { headers: vec![(":status".to_owned(), status.to_string().into())], body: body.into() }
    }

    /// What comes of an upstream that can't be reached.
    pub fn none() -> Self {
        Self::default()
    }
}

/// How long a look at the clock takes: so that work takes time, and always the same.
const LOOK: Duration = Duration::from_micros(50);
/// 1,800,000,000 seconds after 1970.
const EPOCH: Duration = Duration::from_secs(1_800_000_000);

impl Host for MemoryHost {
    fn wall_clock(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + EPOCH + self.0.elapsed.get()
    }

    fn monotonic(&self) -> Instant {
        self.pass(LOOK);
        self.0.start + self.0.elapsed.get()
    }

    fn entropy(&self) -> Option<[u8; 32]> {
        self.0.chance.set(self.0.chance.get() + 1);
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.0.chance.get().to_le_bytes());
        Some(bytes)
    }

    fn answer(&self, stream: u32, response: &Response, notes: &[(String, String)]) -> Result<(), HostError> {
        if self.0.gone.borrow().contains(&stream) {
            return Err(HostError::BadArgument);
        }
        let headers = response.headers.clone();
        let copy = Response { status: response.status, headers, body: response.body.clone() };
        assert!(self.0.answers.borrow_mut().insert(stream, copy).is_none(), "stream {stream} is answered twice");
        self.0.notes.borrow_mut().insert(stream, notes.to_vec());
        Ok(())
    }

    fn call(&self, callout: &Callout, _timeout: Duration) -> Result<u32, HostError> {
        let id = self.0.next_call.get();
        self.0.next_call.set(id + 1);
        let (cluster, path) = (callout.cluster.clone(), callout.path.clone());
        self.0.calls.borrow_mut().push_back(Call { id, cluster, path });
        Ok(id)
    }

    fn answer_headers(&self) -> Vec<(String, Vec<u8>)> {
        self.0.at_hand.borrow().headers.clone()
    }

    fn answer_body(&self, start: usize, length: usize) -> Vec<u8> {
        self.0.at_hand.borrow().body.iter().skip(start).take(length).copied().collect()
    }

    fn wake(&self) -> Result<(), HostError> {
        self.0.is_woken.set(true);
        Ok(())
    }

    fn tick_every(&self, period: Duration) {
        self.0.period.set(period);
    }

    fn shared_value(&self, key: &str) -> Result<SharedValue, HostError> {
        let shared = self.0.shared.borrow();
        let value = shared.get(key).map(|(bytes, version)| (bytes.clone(), Some(*version)));
        let (bytes, version) = value.unwrap_or_default();
        Ok(SharedValue { bytes, version })
    }

    fn set_shared_value(&self, key: &str, value: &[u8], version: Option<u32>) -> Result<(), HostError> {
        let mut shared = self.0.shared.borrow_mut();
        let now = shared.get(key).map_or(0, |(_, version)| *version);
        if version.is_some_and(|version| version != now) {
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
        let known = metrics.iter().position(|(known, _)| known == name);
        let at = known.unwrap_or_else(|| {
            metrics.push((name.to_owned(), Vec::new()));
            metrics.len() - 1
        });
        u32::try_from(at).unwrap()
    }

    fn add_to_metric(&self, metric: u32, change: i64) {
        self.0.metrics.borrow_mut()[metric as usize].1.push(change);
    }

    fn record_metric(&self, metric: u32, value: u64) {
        self.0.metrics.borrow_mut()[metric as usize].1.push(i64::try_from(value).unwrap());
    }
}

impl MemoryHost {
    fn new() -> Self {
        Self(Rc::new(State {
            start: Instant::now(),
            elapsed: Cell::default(),
            chance: Cell::default(),
            shared: RefCell::default(),
            answers: RefCell::default(),
            notes: RefCell::default(),
            gone: RefCell::default(),
            calls: RefCell::default(),
            at_hand: RefCell::default(),
            next_call: Cell::default(),
            is_woken: Cell::default(),
            period: Cell::default(),
            metrics: RefCell::default(),
        }))
    }

    /// Time goes by.
    pub fn pass(&self, time: Duration) {
        self.0.elapsed.set(self.0.elapsed.get() + time);
    }

    /// All that was recorded of a metric.
    pub fn metric(&self, name: &str) -> Vec<i64> {
        let metrics = self.0.metrics.borrow();
        let name = format!("token_endpoint.{name}");
        metrics.iter().find(|(known, _)| *known == name).map(|(_, values)| values.clone()).unwrap_or_default()
    }

    /// What was left with a stream for the access log.
    pub fn note(&self, stream: u32, name: &str) -> Option<String> {
        let notes = self.0.notes.borrow();
        let name = format!("token_endpoint.{name}");
        notes.get(&stream)?.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }
}

/// One worker with its streams.
pub struct Gateway {
    pub host: MemoryHost,
    worker: Rc<std::cell::RefCell<Worker<MemoryHost>>>,
    streams: BTreeMap<u32, HttpStream<MemoryHost>>,
    next_stream: u32,
    /// How often the worker had a turn.
    pub turns: usize,
}

impl Gateway {
    pub fn start(document: &str) -> Self {
        let host = MemoryHost::new();
        let plugin = Plugin::configure(host.clone(), Rc::<ThreadState>::default(), document.as_bytes(), &|_| None);
        let Some(Plugin::TokenEndpoint(worker)) = plugin else { panic!("the configuration is refused") };
        Self { host, worker, streams: BTreeMap::new(), next_stream: 1, turns: 0 }
    }

    /// Sends a request, of which nothing is done yet but what its stream does at once.
    pub fn send(&mut self, request: &Request) -> u32 {
        let id = self.next_stream;
        self.next_stream += 1;
        let mut stream = HttpStream::new(id, Rc::clone(&self.worker));
        let has_body = !request.body.is_empty();
        if stream.on_headers(request, !has_body) == Flow::Pause && has_body {
            stream.on_body(request, request.body.len(), true);
        }
        self.streams.insert(id, stream);
        id
    }

    /// The caller of a stream goes away.
    pub fn abort(&mut self, stream: u32) {
        self.host.0.gone.borrow_mut().insert(stream);
        self.streams.remove(&stream);
    }

    /// Lets the worker have its turns until it wants no more, or waits for a call. A pacing cluster answers at once.
    pub fn run(&mut self) {
        for _ in 0..1_000_000 {
            if self.host.0.is_woken.take() {
                self.turn(Worker::on_woken);
            } else if let Some(call) = self.take_call("pacing") {
                self.answer(&call, CallAnswer::of(200, ""));
            } else if !self.host.0.period.get().is_zero() {
                self.host.pass(self.host.0.period.get());
                self.turn(Worker::on_tick);
            } else {
                return;
            }
        }
        panic!("the worker never rests");
    }

    /// The next call to this cluster that is not answered yet.
    pub fn take_call(&self, cluster: &str) -> Option<Call> {
        let mut calls = self.host.0.calls.borrow_mut();
        let at = calls.iter().position(|call| call.cluster == cluster)?;
        calls.remove(at)
    }

    /// Answers a call.
    pub fn answer(&mut self, call: &Call, answer: CallAnswer) {
        let length = answer.body.len();
        *self.host.0.at_hand.borrow_mut() = answer;
        self.turn(|worker| worker.on_call_answered(call.id, length));
        *self.host.0.at_hand.borrow_mut() = CallAnswer::none();
    }

    /// The answer to a stream, if there is one.
    pub fn take_answer(&mut self, stream: u32) -> Option<Response> {
        let answer = self.host.0.answers.borrow_mut().remove(&stream);
        if answer.is_some() {
            self.streams.remove(&stream);
        }
        answer
    }

    fn turn(&mut self, act: impl FnOnce(&mut Worker<MemoryHost>)) {
        self.turns += 1;
        act(&mut self.worker.borrow_mut());
    }
}

impl IncomingRequest for Request {
    fn path(&self) -> String {
        self.path.split('?').next().unwrap().to_owned()
    }

    fn head(&self, path: String) -> Head {
        super::core::head(self, path)
    }

    fn body(&self, limit: usize) -> Secret {
        Secret::new(&self.body.as_bytes()[..self.body.len().min(limit)])
    }

    fn source_address(&self) -> String {
        let told = self.headers.iter().find(|(name, _)| *name == "x-forwarded-for");
        told.map_or_else(|| "192.0.2.1:443".to_owned(), |(_, address)| address.clone())
    }

    fn remove_header(&self, _: &str) {}
}
