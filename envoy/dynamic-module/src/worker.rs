//! The thread that answers: one for each configuration. It hears of requests, of password checks that threads are done with and of
//! calls that were answered, and never waits for any of them.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    mem,
    panic::{self, AssertUnwindSafe},
    rc::Rc,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, TryRecvError},
    },
    time::{Duration, Instant},
};

use runtime::{
    http::{Head, Response},
    runtime::{CheckDone, HttpStream, IncomingRequest, Worker},
    secret::Secret,
};

use crate::{
    callouts::Answer,
    host::ModuleHost,
    link::{Link, Reply},
};

/// Something that has happened.
pub(crate) enum Event {
    /// A stream begins.
    Begun(Arc<Link>, Box<Arrived>, bool),
    /// The body of a request is whole, or too long.
    Whole(u32, Secret),
    /// A stream is gone.
    Gone(u32),
    /// A thread is done with a password check.
    Checked(CheckDone),
    /// A call was answered.
    Answered(u32, Answer),
    /// The configuration is gone.
    End,
}

/// A request as it came.
pub(crate) struct Arrived {
    pub(crate) path: String,
    pub(crate) head: Cell<Head>,
    pub(crate) body: RefCell<Secret>,
    pub(crate) source_address: String,
}

/// All that one configuration has under way.
pub(crate) struct Loop {
    worker: Rc<RefCell<Worker<ModuleHost>>>,
    streams: HashMap<u32, Held>,
    swept: Instant,
}

/// A stream that has not gone yet.
struct Held {
    stream: HttpStream<ModuleHost>,
    arrived: Arrived,
    since: Instant,
}

/// So many events are taken before work goes on.
const MOST_EVENTS: usize = 64;
/// Whoever waits for longer waits for what a panic has taken along.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often such are looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// For how long changed metrics wait for a stream.
const FLUSH: Duration = Duration::from_millis(100);

impl Loop {
    pub(crate) fn new(worker: Rc<RefCell<Worker<ModuleHost>>>) -> Self {
        Self { worker, streams: HashMap::new(), swept: Instant::now() }
    }

    /// Until the configuration is gone.
    pub(crate) fn run(mut self, events: &Receiver<Event>) {
        self.worker.borrow().host().change_on_main();
        while self.hear(events) {
            guard(|| self.work());
            self.sweep();
        }
    }

    fn work(&self) {
        if self.worker.borrow().host().take_wish() {
            self.worker.borrow_mut().on_woken();
        }
        if self.worker.borrow().host().take_tick(Instant::now()) {
            self.worker.borrow_mut().on_tick();
        }
    }

    /// Answers who has waited for too long.
    fn sweep(&mut self) {
        if self.swept.elapsed() >= SWEEP {
            self.swept = Instant::now();
            let is_late = |held: &Held| held.since.elapsed() > DEADLINE;
            let late: Vec<u32> =
                self.streams.iter().filter(|(_, held)| is_late(held)).map(|(stream, _)| *stream).collect();
            late.into_iter().for_each(|stream| self.break_off(stream));
        }
    }

    /// Answers that nothing comes of a request any more.
    fn break_off(&mut self, number: u32) {
        if let Some(link) = self.worker.borrow().host().unlink(number) {
            let headers = vec![("cache-control", "no-store".to_owned()), ("retry-after", "1".to_owned())];
            link.answer(Reply { response: Response { status: 503, headers, body: Vec::new() }, notes: Vec::new() });
        }
        self.streams.remove(&number);
    }

    /// Takes what has happened, and waits for something where there is nothing to do. False at the end.
    fn hear(&mut self, events: &Receiver<Event>) -> bool {
        for _ in 0..MOST_EVENTS {
            match events.try_recv() {
                Ok(Event::End) | Err(TryRecvError::Disconnected) => return false,
                Ok(event) => self.on(event),
                Err(TryRecvError::Empty) => return self.is_woken() || self.wait(events),
            }
        }
        true
    }

    fn is_woken(&self) -> bool {
        self.worker.borrow().host().is_woken()
    }

    fn wait(&mut self, events: &Receiver<Event>) -> bool {
        match events.recv_timeout(self.pause()) {
            Ok(Event::End) | Err(RecvTimeoutError::Disconnected) => return false,
            Ok(event) => self.on(event),
            Err(RecvTimeoutError::Timeout) => self.worker.borrow().host().change_on_main(),
        }
        true
    }

    /// For how long nothing is to be done.
    fn pause(&self) -> Duration {
        let worker = self.worker.borrow();
        let tick = worker.host().next_tick().map(|due| due.saturating_duration_since(Instant::now()));
        let flush = worker.host().has_changes().then_some(FLUSH);
        [tick, flush].into_iter().flatten().fold(SWEEP, Duration::min)
    }

    /// A panic costs the request that it is about, and nobody else.
    fn on(&mut self, event: Event) {
        let stream = event.stream();
        if guard(|| self.take(event)).is_none() {
            stream.into_iter().for_each(|stream| self.break_off(stream));
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Begun(link, arrived, is_whole) => self.begin(link, *arrived, is_whole),
            Event::Whole(stream, body) => self.body(stream, body),
            Event::Gone(stream) => self.forget(stream),
            Event::Checked(done) => self.worker.borrow_mut().on_check_done(&done),
            Event::Answered(call, answer) => {
                let mut worker = self.worker.borrow_mut();
                let length = worker.host().show(answer);
                worker.on_call_answered(call, length);
            }
            Event::End => {}
        }
    }

    fn begin(&mut self, link: Arc<Link>, arrived: Arrived, is_whole: bool) {
        let number = link.stream;
        let mut stream = HttpStream::new(number, Rc::clone(&self.worker));
        self.worker.borrow().host().link(link);
        stream.on_headers(&arrived, is_whole);
        self.streams.insert(number, Held { stream, arrived, since: Instant::now() });
    }

    fn body(&mut self, number: u32, body: Secret) {
        if let Some(Held { stream, arrived, since }) = self.streams.get_mut(&number) {
            *since = Instant::now();
            let length = body.expose().len();
            arrived.body.replace(body);
            stream.on_body(arrived, length, true);
        }
    }

    fn forget(&mut self, number: u32) {
        self.worker.borrow().host().unlink(number);
        self.streams.remove(&number);
    }
}

impl Event {
    fn stream(&self) -> Option<u32> {
        match self {
            Self::Begun(link, ..) => Some(link.stream),
            Self::Whole(stream, _) | Self::Gone(stream) => Some(*stream),
            Self::Checked(_) | Self::Answered(..) | Self::End => None,
        }
    }
}

/// None after a panic. What it has left half done is one request's: all that is shared is changed at once.
fn guard<T>(work: impl FnOnce() -> T) -> Option<T> {
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    done.inspect_err(|_| log::error!("a request's work panicked")).ok()
}

impl IncomingRequest for Arrived {
    fn path(&self) -> String {
        self.path.clone()
    }

    fn head(&self, _: String) -> Head {
        self.head.take()
    }

    fn body(&self, limit: usize) -> Secret {
        let body = mem::replace(&mut *self.body.borrow_mut(), Secret::new([]));
        if body.expose().len() <= limit { body } else { Secret::new(body.expose().get(..limit).unwrap_or_default()) }
    }

    fn source_address(&self) -> String {
        self.source_address.clone()
    }

    /// Nothing of a request goes on from here.
    fn remove_header(&self, _: &str) {}
}
