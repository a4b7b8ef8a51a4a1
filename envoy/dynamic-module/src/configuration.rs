//! One configuration: its thread, and what its streams need to know.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::SystemTime,
};

use runtime::{
    config,
    runtime::{Plugin, ThreadState, Worker},
};

use crate::{
    abi::{self, ConfigEnvoyPtr, ModuleBuffer},
    bytes::to_envoy,
    callouts::{Answer, Callouts},
    host::{Definition, ModuleHost, News, Shared},
    main_metrics::MAIN_METRICS,
    metrics::{Change, Changes, Kind, MetricId},
    worker::{Event, Loop},
};

/// What all streams of a configuration share.
pub(crate) struct Configuration {
    facts: Facts,
    shared: Arc<Shared>,
    streams: AtomicU32,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread says of itself once it has read the document.
#[derive(Default)]
pub(crate) struct Facts {
    paths: Vec<String>,
    max_request_bytes: usize,
}

/// A worker, as its streams share it.
type Answering = Rc<RefCell<Worker<ModuleHost>>>;

impl Configuration {
    /// Reads the document on the thread that will answer, while this one defines the metrics that it asks for. None if it is
    /// refused.
    ///
    /// # Safety
    /// Called on the main thread, in the hook that makes the configuration, with Envoy's pointer to it.
    pub(crate) unsafe fn new(config: ConfigEnvoyPtr, document: Vec<u8>) -> Option<Self> {
        let (events, heard) = mpsc::channel();
        // SAFETY: as the caller promises.
        let callouts = unsafe { Callouts::new(config) };
        let shared = Arc::new(Shared { events, callouts, changes: Changes::default() });
        // SAFETY: it takes nothing, and this is the main thread.
        if unsafe { abi::is_validation_mode() } {
            return is_good(&document).then(|| Self::with(Facts::default(), shared, None));
        }
        // SAFETY: it takes nothing, and this is the main thread.
        let workers = usize::try_from(unsafe { abi::get_concurrency() }).unwrap_or(1);
        let (news, told) = mpsc::channel();
        let thread = begin(Arc::clone(&shared), document, workers, news, heard)?;
        // SAFETY: as the caller promises.
        match unsafe { wait(config, &told) } {
            Some(facts) => Some(Self::with(facts, shared, Some(thread))),
            None => {
                _ = thread.join();
                None
            }
        }
    }

    fn with(facts: Facts, shared: Arc<Shared>, thread: Option<JoinHandle<()>>) -> Self {
        Self { facts, shared, streams: AtomicU32::new(0), thread: Mutex::new(thread) }
    }

    /// The longest body that is read.
    pub(crate) fn max_request_bytes(&self) -> usize {
        self.facts.max_request_bytes
    }

    /// Whether requests to this path are answered here.
    pub(crate) fn owns(&self, path: &str) -> bool {
        self.facts.paths.iter().any(|owned| owned == path)
    }

    /// A number for a stream.
    pub(crate) fn next_stream(&self) -> u32 {
        self.streams.fetch_add(1, Ordering::Relaxed)
    }

    /// Tells the thread. After the end nobody listens, and nobody waits.
    pub(crate) fn tell(&self, event: Event) {
        _ = self.shared.events.send(event);
    }

    /// Changes of metrics that wait for a stream.
    pub(crate) fn take_changes(&self) -> Vec<Change> {
        self.shared.changes.take()
    }

    /// Makes the calls that wait for the main thread, and changes the metrics that no stream came for.
    ///
    /// # Safety
    /// Called on the main thread, in a hook of this configuration.
    pub(crate) unsafe fn on_main(&self, config: ConfigEnvoyPtr) {
        // SAFETY: as the caller promises.
        unsafe { self.shared.callouts.make(config, &self.shared.events) };
        if let Some(metrics) = &*MAIN_METRICS {
            // SAFETY: as the caller promises.
            self.take_changes().iter().for_each(|change| unsafe { metrics.change(config, change) });
        }
    }

    /// A call is over.
    pub(crate) fn call_is_over(&self, id: u64, answer: Answer) {
        if let Some(call) = self.shared.callouts.over(id) {
            self.tell(Event::Answered(call, answer));
        }
    }

    /// Ends the thread, and waits for that: nothing of it may call Envoy afterwards.
    pub(crate) fn end(&self) {
        self.tell(Event::End);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the thread that answers had panicked");
        }
    }
}

/// Where Envoy only asks whether the document is good, nothing begins.
fn is_good(document: &[u8]) -> bool {
    let variable = |name: &str| std::env::var(name).ok();
    let role = config::parse_any(document, &variable, SystemTime::now().into());
    let problems = role.err().unwrap_or_default();
    problems.iter().for_each(|problem| log::error!("configuration refused: {problem}"));
    problems.is_empty()
}

/// Begins the thread that answers. None if there is none to be had.
fn begin(
    shared: Arc<Shared>,
    document: Vec<u8>,
    workers: usize,
    news: Sender<News>,
    events: Receiver<Event>,
) -> Option<JoinHandle<()>> {
    let work = move || {
        let worker = configure(shared, &document, workers, &news);
        drop(document);
        _ = news.send(News::Ready(worker.as_deref().map(facts)));
        drop(news);
        if let Some(worker) = worker {
            Loop::new(worker).run(&events);
        }
    };
    let begun = thread::Builder::new().name("token-endpoint".to_owned()).spawn(work);
    begun.inspect_err(|error| log::error!("no thread for the token endpoint: {error}")).ok()
}

fn configure(shared: Arc<Shared>, document: &[u8], workers: usize, news: &Sender<News>) -> Option<Answering> {
    let variable = |name: &str| std::env::var(name).ok();
    let host = ModuleHost::new(shared, news.clone(), workers);
    match Plugin::configure(host, Rc::<ThreadState>::default(), document, &variable)? {
        Plugin::TokenEndpoint(worker) => Some(worker),
        Plugin::PauseFilter(_) => {
            log::error!("configuration refused: hold: a module holds requests itself, and needs no filter that does");
            None
        }
    }
}

fn facts(worker: &RefCell<Worker<ModuleHost>>) -> Facts {
    let worker = worker.borrow();
    let endpoint = worker.endpoint();
    let paths = endpoint.owned_paths().map(str::to_owned).collect();
    Facts { paths, max_request_bytes: endpoint.max_request_bytes }
}

/// Defines what the thread asks for, until it has read the document. None if it refuses it, or has panicked.
///
/// # Safety
/// As [`Configuration::new`].
unsafe fn wait(config: ConfigEnvoyPtr, told: &Receiver<News>) -> Option<Facts> {
    loop {
        match told.recv().ok()? {
            News::Ready(facts) => return facts,
            News::Definition(definition, reply) => {
                // SAFETY: as the caller promises.
                _ = reply.send(unsafe { define(config, &definition) });
            }
        }
    }
}

/// None where Envoy says no.
///
/// # Safety
/// As [`Configuration::new`].
unsafe fn define(config: ConfigEnvoyPtr, definition: &Definition) -> Option<MetricId> {
    let (kind, name, labels) = match definition {
        Definition::Metric(kind, name) => ((*kind).into(), name.as_str(), vec![]),
        Definition::Requests => (Kind::Counter, "token_endpoint.requests", vec!["request", "outcome"]),
    };
    let labels: Vec<ModuleBuffer> = labels.iter().map(|label| to_envoy(label.as_bytes())).collect();
    let (name, first, count, mut id) = (to_envoy(name.as_bytes()), labels.as_ptr(), labels.len(), 0);
    // SAFETY: the configuration is there, as the caller promises; Envoy copies the name and the labels.
    let result = unsafe {
        match kind {
            Kind::Counter => abi::http_filter_config_define_counter(config, name, first, count, &mut id),
            Kind::Gauge => abi::http_filter_config_define_gauge(config, name, first, count, &mut id),
            Kind::Histogram => abi::http_filter_config_define_histogram(config, name, first, count, &mut id),
        }
    };
    (result == abi::metrics_result::Success).then(|| MetricId { kind, id, labels: Arc::from([]) })
}
